// Systems of one stream, translated in the ways that there are.

import { leaf, ramBase, ramBytes, Tables, writeCd, writeSte } from './ram.ts';
import { SmmuSystem } from './system.ts';

export const stream = 3;

/** STE.Config. */
export const config = { abort: 0, bypass: 4, stage1: 5, stage2: 6, nested: 7 } as const;

/** A system whose stream translates by stage 1: 0x8000 to a page, 2 MiB at 0x4000_0000 to a block. */
export function stage1System(asid = 1) {
  const system = new SmmuSystem([stream]);
  const { ram, pages } = system;
  const tables = new Tables(ram, pages, 1);
  const page = pages.take();
  const cd = pages.take();
  tables.map(0x8000, page, leaf.userWritable);
  tables.map(0x4000_0000, 0x20_0000, leaf.userWritable, 2);
  writeCd(ram, cd, { table: tables.root, asid });
  writeSte(ram, system.ste(stream), { config: config.stage1, contexts: cd, vmid: 9 });
  return { system, ram, pages, tables, page, cd };
}

/** A system whose stream translates by stage 2: IPA 0x5000 to a page. */
export function stage2System() {
  const system = new SmmuSystem([stream]);
  const { ram, pages } = system;
  const tables = new Tables(ram, pages, 1);
  const page = pages.take();
  tables.map(0x5000, page, leaf.stage2);
  writeSte(ram, system.ste(stream), { config: config.stage2, stage2Table: tables.root, vmid: 7 });
  return { system, ram, pages, tables, page };
}

/** Both stages: VA 0x8000 to IPA 0x7000 to a page. Tables and context are at IPA = PA + 2^32. */
export function nestedSystem() {
  const system = new SmmuSystem([stream]);
  const { ram, pages } = system;
  const toIpa = (pa: number): number => pa + 2 ** 32;
  const second = new Tables(ram, pages, 1);
  const first = new Tables(ram, pages, 1, toIpa);
  const page = pages.take();
  const cd = pages.take();
  first.map(0x8000, 0x7000, leaf.userWritable);
  second.map(0x7000, page, leaf.stage2);
  // All of RAM above 2^32, by blocks: read-only is enough for walks.
  for (let pa = 0; pa < ramBase + ramBytes; pa += 0x20_0000) second.map(toIpa(pa), pa, leaf.stage2ReadOnly, 2);
  writeCd(ram, cd, { table: toIpa(first.root), asid: 4 });
  const ste = { config: config.nested, contexts: toIpa(cd), stage2Table: second.root, vmid: 7 };
  writeSte(ram, system.ste(stream), ste);
  return { system, ram, pages, first, second, page, cd, ste };
}
