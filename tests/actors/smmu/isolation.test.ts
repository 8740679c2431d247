import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accessBit } from '../../../actors/smmu/lti.ts';
import { leaf, Tables, writeCd, writeSte } from './ram.ts';
import { config } from './streams.ts';
import { SmmuSystem } from './system.ts';

const streamIds = [1, 2, 3];
const pageBytes = 4096;
/** Pages that the streams use: numbers of frames and of pages are small, so that tables meet often. */
const frames = 24;
const inputs = 8;

/** Where page `n` of a stream's address space is: some pages side by side, some in other tables of each level. */
const inputOf = (n: number): number => (n % 2) * pageBytes + ((n >> 1) % 2) * 0x20_0000 + (n >> 2) * 0x4000_0000;

type Kind = 'stage1' | 'stage2' | 'nested';

interface Mapping {
  readonly input: number;
  readonly frame: number;
  readonly isWritable: boolean;
}

const mapping: fc.Arbitrary<Mapping> = fc.record({
  input: fc.nat(inputs - 1),
  frame: fc.nat(frames - 1),
  isWritable: fc.boolean(),
});

const streamSetUp = fc.record({
  kind: fc.constantFrom<Kind>('stage1', 'stage2', 'nested'),
  first: fc.array(mapping, { maxLength: 10 }),
  second: fc.array(mapping, { maxLength: 10 }),
});

type Step =
  | { readonly do: 'ask'; readonly device: number; readonly input: number; readonly isWrite: boolean }
  /** Changes a mapping of the last stage of a stream, and invalidates it. */
  | { readonly do: 'remap'; readonly device: number; readonly mapping: Mapping };

const device = fc.nat(streamIds.length - 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('ask' as const), device, input: fc.nat(inputs - 1), isWrite: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('remap' as const), device, mapping }) },
); // prettier-ignore

/** A stage of a stream: its tables, and what they say, as a map that knows nothing of tables. */
interface Stage {
  readonly tables: Tables;
  readonly model: Map<number, { readonly output: number; readonly isWritable: boolean }>;
}

describe('no translation of a stream', () => {
  it('yields a page, or a permission, that is not in the set mapped for it, whatever the others do', () => {
    fc.assert(
      fc.property(
        fc.array(streamSetUp, { minLength: 3, maxLength: 3 }),
        fc.array(step, { maxLength: 40 }),
        (setUps, steps) => {
          const system = new SmmuSystem(streamIds);
          const { ram, pages } = system;
          const frameBase = pages.take(frames);
          const frameOf = (n: number): number => frameBase + n * pageBytes;
          /** Above all inputs, where stage 2 of a nested stream shows the tables of stage 1. */
          const tableSpace = 2 ** 33;

          const streams = setUps.map(({ kind, first, second }, n) => {
            const vmid = n + 1;
            const isNested = kind === 'nested';
            const mapInto = (stage: Stage, { input, isWritable }: Mapping, output: number, isStage2: boolean): void => {
              const attributes = isStage2
              ? isWritable ? leaf.stage2 : leaf.stage2ReadOnly
              : isWritable ? leaf.userWritable : leaf.userReadable; // prettier-ignore
              stage.tables.map(inputOf(input), output, attributes);
              stage.model.set(inputOf(input), { output, isWritable });
            };
            const stage = (place?: (pa: number) => number): Stage => ({
              tables: new Tables(ram, pages, 1, place),
              model: new Map(),
            });
            const last = stage();
            const stage1 = isNested ? stage((pa) => pa + tableSpace) : last;
            if (isNested) {
              // Stage 1 maps to IPAs, most of which are in use.
              for (const m of first) mapInto(stage1, m, inputOf(m.frame % inputs), false);
            }
            for (const m of second) mapInto(last, m, frameOf(m.frame), kind !== 'stage1');
            const cd = pages.take();
            const seen = (pa: number): number => (isNested ? pa + tableSpace : pa);
            writeCd(ram, cd, { table: seen(stage1.tables.root), asid: 1 });
            const stage2Table = kind === 'stage1' ? 0 : last.tables.root;
            const ste = { config: config[kind], contexts: kind === 'stage2' ? 0 : seen(cd), stage2Table, vmid };
            writeSte(ram, system.ste(streamIds[n] as number), ste);
            return { kind, vmid, stage1, last, mapInto };
          });
          // The tables are there by now: a nested stream may read all of them, and write none.
          for (const { kind, last } of streams) {
            if (kind !== 'nested') continue;
            for (let pa = 0; pa < 0x80_0000; pa += 0x20_0000)
              last.tables.map(tableSpace + pa, pa, leaf.stage2ReadOnly, 2);
          }

          for (const action of steps) {
            const { kind, vmid, stage1, last, mapInto } = streams[action.device] as (typeof streams)[number];
            if (action.do === 'remap') {
              mapInto(last, action.mapping, frameOf(action.mapping.frame), kind !== 'stage1');
              // TLBI_S12_VMALL: stage 2 alone would leave entries of both stages.
              system.command([0x28, vmid]);
              continue;
            }
            const input = inputOf(action.input);
            const through = kind === 'nested' ? stage1.model.get(input) : { output: input, isWritable: true };
            const end = through && last.model.get(through.output);
            const isAllowed =
              end !== undefined && through !== undefined && (!action.isWrite || (end.isWritable && through.isWritable));
            const access = action.isWrite ? accessBit.write : accessBit.read;
            const address = input + 16 * action.input;
            const pa = system.translate(address, { device: action.device, access });
            expect(pa).toBe(isAllowed ? end.output + 16 * action.input : undefined);
          }
        },
      ),
      { seed: 11, numRuns: 150 },
    );
  }, 60_000);
});
