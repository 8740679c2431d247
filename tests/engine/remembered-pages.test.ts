// Loops whose accesses share what the soft TLB has told of a page. One rewrites the descriptor of a page that it reads, without a TLBI, while its
// other accesses push that page out of the TLB now and then: when the new page is seen is a question of the TLB, which the readings of an
// instruction must agree on. Another one crosses the ends of pages whose frames do not follow each other.

import { expect, test } from 'vitest';
import { pe as record, ramBase } from '../../src/arch/state-layout.ts';
import { assemble } from '../../src/isa/assembler.ts';
import type { EngineMode } from '../../src/engine/engine.ts';
import { el0Machine } from './el0-machine.ts';

/** Of another set of the TLB than the pages below: a page of code that is given up is fetched again by the stepper only. */
const code = { va: 0x10_5000, pa: ramBase + 0x10_0000, sizeBytes: 0x1000, executable: true };
/** As el0Machine lays them out: the table of level 3 for the addresses of `code` comes first, that of `page` second. */
const tables = { va: 0x18_0000, pa: ramBase + 0x80_3000, sizeBytes: 0x2000, executable: false };
const page = { va: 0x20_0000, pa: ramBase + 0x20_0000, sizeBytes: 0x1000, executable: false };
const otherPa = ramBase + 0x30_0000;
/** Pages of the same set of the TLB as `page`: every 256th. */
const rivals = Array.from({ length: 9 }, (_, n) => ({
  va: page.va + (n + 1) * 0x10_0000,
  pa: ramBase + 0x40_0000 + n * 0x1000,
  sizeBytes: 0x1000,
  executable: false,
}));

const program = `
loop: ldr x1, [x0]
      add x10, x10, x1, lsl #1
      eor x10, x10, x8
      tst x8, #6
      csel x2, x6, x7, eq
      str x2, [x5]
      ldr x2, [x0, #8]
      add x10, x10, x2
      add x4, x4, #1
      cmp x4, #9
      csel x4, xzr, x4, eq
      tbnz x8, #3, near
      madd x3, x4, x9, x11
      ldr x2, [x3]
near: str x8, [x0, #16]
      sub x8, x8, #1
      cbnz x8, loop
      brk #0
`;

function run(mode: EngineMode): readonly unknown[] {
  const m = el0Machine(mode, [code, page, tables, ...rivals]);
  m.views.bytes.set(assemble(program, { base: code.va }).bytes, code.pa);
  const descriptor = tables.pa + 0x1000 + ((page.va >>> 12) & 511) * 8;
  const present = m.views.doublewords[descriptor >>> 3] ?? 0n;
  expect(present & 0xffff_f000n).toBe(BigInt(page.pa));
  for (const [n, pa] of [page.pa, otherPa].entries()) m.views.doublewords.set([BigInt(n + 1), BigInt(n + 5)], pa >>> 3);
  m.enterEl0();
  m.views.doublewords[(m.pe.base + record.pc) >>> 3] = BigInt(code.va);
  const values: Readonly<Record<number, bigint>> = {
    0: BigInt(page.va),
    5: BigInt(tables.va + (descriptor - tables.pa)),
    6: (present & ~0xffff_f000n) | BigInt(otherPa),
    7: present,
    8: 400n,
    9: 0x10_0000n,
    11: BigInt(page.va + 0x10_0000),
  };
  for (const [n, value] of Object.entries(values)) m.pe.writeX(Number(n), value);
  while (m.pe.currentEl() === 0) m.engine.run(m.pe, 1000);
  const seen = [page.pa, otherPa].map((pa) => m.views.doublewords[(pa + 16) >>> 3]);
  return [m.pe.readX(10), m.pe.readX(8), ...seen];
}

test('what a loop sees of a page that the TLB has given up is the same in every reading', () => {
  const stepped = run('step');
  // The page has been given up, and found elsewhere.
  expect(stepped[1]).toBe(0n);
  expect(stepped.slice(2).every((value) => value !== 0n)).toBe(true);
  for (const mode of ['translate', 'region', 'tiered'] as const) expect(run(mode)).toEqual(stepped);
});

const walk = `
loop: str x8, [x0]
      ldr x1, [x0]
      add x10, x10, x1
      stp x1, x10, [x0, #8]
      ldp x2, x3, [x0]
      add x0, x0, #5
      eor x10, x2, x10, ror #3
      add x10, x10, x3
      sub x8, x8, #1
      cbnz x8, loop
      brk #0
`;

/** Neighbours by address, in frames that lie the other way round. */
const neighbours = Array.from({ length: 5 }, (_, n) => ({
  va: 0x20_0000 + n * 0x1000,
  pa: ramBase + 0x20_8000 - n * 0x1000,
  sizeBytes: 0x1000,
  executable: false,
}));

function runWalk(mode: EngineMode): readonly unknown[] {
  const m = el0Machine(mode, [code, ...neighbours]);
  m.views.bytes.set(assemble(walk, { base: code.va }).bytes, code.pa);
  m.enterEl0();
  m.views.doublewords[(m.pe.base + record.pc) >>> 3] = BigInt(code.va);
  m.pe.writeX(0, 0x20_0000n);
  m.pe.writeX(8, 3200n);
  while (m.pe.currentEl() === 0) m.engine.run(m.pe, 1000);
  const frames = m.views.bytes.slice(ramBase + 0x20_3000, ramBase + 0x20_a000);
  return [m.pe.readX(0), m.pe.readX(8), m.pe.readX(10), Buffer.from(frames).toString('base64')];
}

test('accesses across the ends of pages reach both pages, and nothing behind the frame of the first', () => {
  const stepped = runWalk('step');
  expect(stepped.slice(0, 2)).toEqual([0x20_0000n + 16_000n, 0n]);
  for (const mode of ['translate', 'region', 'tiered'] as const) expect(runWalk(mode)).toEqual(stepped);
});
