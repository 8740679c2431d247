import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exit } from '../../src/arch/exits.ts';
import { pe as record } from '../../src/arch/state-layout.ts';
import type { EngineMode } from '../../src/engine/engine.ts';
import { CodeLinks, type LinkTarget, ModuleLinks } from '../../src/engine/trace-links.ts';
import { makeTranslator, type Trace } from '../../src/engine/translate.ts';
import { assemble } from '../../src/isa/assembler.ts';
import { makeDecoder } from '../../src/isa/decoder.ts';
import { instructionSet } from '../../src/isa/instruction-set.ts';
import { flatMachine } from './flat-machine.ts';
import { programs } from './random-programs.ts';
import { doublewords, instantiate } from './wasm-functions.ts';

const translate = makeTranslator(makeDecoder(instructionSet));
const page = 0x8000;

/** The trace from a label of a source that is assembled at the beginning of a page. */
function traceOf(
  source: string,
  from = 'start',
  runs: Readonly<Record<string, number>> = {},
  addendOf: (va: bigint) => number | undefined = () => undefined,
  linkTo?: (va: bigint) => number,
): Trace & { readonly at: (label: string) => bigint } {
  const { bytes, symbols } = assemble(source, { base: page });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fetch = (va: bigint): number => {
    const offset = Number(va) - page;
    return offset + 4 <= bytes.length ? view.getUint32(offset, true) : 0xd503201f;
  };
  const at = (label: string): bigint => symbols.get(label) ?? -1n;
  const callSiteAt = (): number => page;
  const byAddress = new Map(Object.entries(runs).map(([label, times]) => [at(label), times]));
  const runsOf = (va: bigint): number => byAddress.get(va) ?? 0;
  return {
    ...translate({
      start: at(from),
      fetch,
      el: 1,
      strictAlignment: false,
      guarded: false,
      callSiteAt,
      addendOf,
      runsOf,
      ...(linkTo && { linkTo }),
    }),
    at,
  };
}
const addresses = (...offsets: readonly number[]): bigint[] => offsets.map((offset) => BigInt(page + offset));

describe('a trace', () => {
  it('keeps a loop to its own start inside the function, and leaves it where the budget does not cover another round', () => {
    const {
      function: f,
      addresses: of,
      successors,
    } = traceOf(`
start:  add     x0, x0, #3
        subs    x1, x1, #1
        b.ne    start
        b       away
        .space  0x2000
away:   nop`);
    expect(of).toEqual(addresses(0, 4, 8, 12));
    expect(successors).toEqual([BigInt(page + 0x2010)]);
    let chained = 0;
    const { f0 } = instantiate([f], {
      chain: () => {
        chained += 1;
        return exit.lookup;
      },
    });
    const run = f0 as (cpu: number, budget: number) => number;
    const cpu = 0x1000;
    const [x0, x1, pc] = [record.x, record.x + 8, record.pc].map((offset) => (cpu + offset) / 8) as [
      number,
      number,
      number,
    ];
    const budget = new Int32Array(doublewords.buffer, cpu + record.budget, 1);
    doublewords[x0] = 0n;
    doublewords[x1] = 1_000_000n;
    // 33 rounds of 3 instructions leave 1, which is less than the 4 of the whole trace.
    expect(run(cpu, 100)).toBe(exit.budget);
    expect([doublewords[x0], doublewords[x1], doublewords[pc]]).toEqual([99n, 999_967n, BigInt(page)]);
    expect(budget[0]).toBe(1);
    expect(chained).toBe(0);
    doublewords[x1] = 2n;
    expect(run(cpu, 100)).toBe(exit.lookup);
    expect([doublewords[x1], doublewords[pc]]).toEqual([0n, BigInt(page + 0x2010)]);
  });

  it('follows unconditional branches in its page, and the fall-through of conditional ones', () => {
    const {
      addresses: of,
      successors,
      at,
    } = traceOf(`
start:  cbz     x0, other
        b       middle
        nop
middle: tbnz    x1, #3, other
        bl      other
        nop
other:  ret`);
    // A call, and the return from it.
    expect(of).toEqual(addresses(0, 4, 12, 16, 24, 20));
    expect(successors).toEqual([at('other'), at('other'), at('other')]);
  });

  it('follows calls to another page only where that is known, and back, and none that is called by itself', () => {
    const source = `
start:  bl      far
        nop
        ret
        .align  12
far:    nop
        bl      far
        ret`;
    const known = traceOf(source, 'start', {}, (va) => (va >> 12n === BigInt(page) >> 12n ? undefined : 0));
    expect(known.addresses).toEqual(addresses(0, 0x1000, 0x1004));
    expect(traceOf(source).addresses).toEqual(addresses(0));
    const there = traceOf(source.replace('bl      far\n        ret`', 'ret'), 'start', {}, () => 0);
    expect(there.addresses).toEqual(addresses(0, 0x1000, 0x1004));
    const andBack = traceOf(source.replace(/nop\n {8}bl {6}far\n/, 'nop\n'), 'start', {}, () => 0);
    expect(andBack.addresses).toEqual(addresses(0, 0x1000, 0x1004, 4, 8));
  });

  it('follows the side of a conditional branch that has run more, as far as what is come to from elsewhere lets it tell', () => {
    const source = `
start:  cbz     x0, first
        nop
        tbz     x0, #1, second
        ret
first:  ret
second: ret`;
    const followed = (first: number, second: number): readonly bigint[] =>
      traceOf(source, 'start', { start: 1000, first, second }).addresses;
    expect(followed(501, 0)).toEqual(addresses(0, 16));
    expect(followed(500, 0)).toEqual(addresses(0, 4, 8, 12));
    expect(followed(1001, 0)).toEqual(addresses(0, 4, 8, 12));
    // Of 1000 rounds 600 come to the second branch.
    expect(followed(400, 301)).toEqual(addresses(0, 4, 8, 20));
    expect(followed(400, 300)).toEqual(addresses(0, 4, 8, 12));
    expect(followed(400, 601)).toEqual(addresses(0, 4, 8, 12));
    const far = traceOf('start: cbz x0, far\n ret\n .space 0x2000\nfar: ret', 'start', { start: 1000, far: 900 });
    expect(far.addresses).toEqual(addresses(0, 4));
  });

  it('leads straight to what its links lead to, and by a look-up where that is nothing', () => {
    const source = `
start:  add     x0, x0, #3
        cbz     x1, other
        ret
        .align  6
other:  add     x0, x0, #5
        br      x2`;
    const links = new ModuleLinks();
    const codeAt = (va: bigint): LinkTarget => ({
      pa: Number(va),
      code: { va, el: 1, strictAlignment: false, guarded: false },
    });
    const linkTo = (va: bigint): number => links.placeOf(codeAt(va));
    const [from, to] = [traceOf(source, 'start', {}, undefined, linkTo), traceOf(source, 'other')];
    expect(links.targets).toEqual([codeAt(from.at('other'))]);
    const cpu = 0x1000;
    const chained: [number, bigint | undefined][] = [];
    const { f0, f1, table } = instantiate(
      [from.function, to.function],
      {
        chain: (_cpu: number, budget: number) => {
          chained.push([budget, doublewords[(cpu + record.pc) / 8]]);
          return exit.lookup;
        },
      },
      links.unlinked(),
    );
    const run = f0 as (cpu: number, budget: number) => number;
    const [x0, x1, x2] = [0, 1, 2].map((n) => (cpu + record.x + 8 * n) / 8) as [number, number, number];
    doublewords[x1] = 0n;
    doublewords[x2] = 0x1_2344n;
    const codeLinks = new CodeLinks();
    const added = codeLinks.add(links.targets, table as WebAssembly.Table, () => undefined);
    const other = codeAt(to.at('other'));
    const elsewhere = { ...other, code: { ...other.code, strictAlignment: true } };
    const sums = [
      () => undefined,
      () => {
        codeLinks.lead(other, f1);
        codeLinks.lead(elsewhere, undefined);
      },
      () => {
        codeLinks.lead(other, undefined);
        codeLinks.lead(elsewhere, f1);
      },
      () => {
        codeLinks.remove(added);
        codeLinks.lead(other, f1);
      },
    ].map((change) => {
      change();
      doublewords[x0] = 0n;
      run(cpu, 100);
      return doublewords[x0];
    });
    expect(sums).toEqual([3n, 8n, 3n, 3n]);
    const lookedUp = [98, from.at('other')];
    expect(chained).toEqual([lookedUp, [96, 0x1_2344n], lookedUp, lookedUp]);
  });

  it('ends with its page, after 64 instructions, and where it comes to itself again', () => {
    const long = traceOf(`start: ${'nop\n'.repeat(100)}`);
    expect(long.addresses).toHaveLength(64);
    expect(long.successors).toEqual(addresses(4 * 64));
    const last = traceOf(`.space 0xff8\nstart: nop\n nop\n nop`);
    expect(last.addresses).toEqual(addresses(0xff8, 0xffc));
    expect(last.successors).toEqual(addresses(0x1000));
    const knot = traceOf('start: nop\nagain: nop\n nop\n b again');
    expect(knot.addresses).toEqual(addresses(0, 4, 8, 12));
    expect(knot.successors).toEqual([knot.at('again')]);
  });

  it.each(['svc #0', 'hvc #0', 'smc #0', 'brk #0', 'hlt #0', 'eret', 'isb', '.word 0', 'br x3', 'ret'])(
    'ends with %s',
    (instruction) => {
      expect(traceOf(`start: nop\n ${instruction}\n nop\n nop`).addresses).toEqual(addresses(0, 4));
    },
  );
});

interface Turn {
  readonly pe: number;
  readonly budget: number;
}
const turns = (pes: number): fc.Arbitrary<Turn[]> =>
  fc.array(
    fc.record({
      pe: fc.nat(pes - 1),
      budget: fc.oneof(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 400 })),
    }),
    {
      minLength: 1,
      maxLength: 25,
    },
  );

/** The state of the PE after each of its turns, and memory at the end. */
function history(mode: EngineMode, program: string, schedule: readonly Turn[], pes: number): string[] {
  const machine = flatMachine(mode, program, mode === 'tiered' ? { pes, hotRuns: 24, regionRounds: 3 } : { pes });
  const states = schedule.map(({ pe, budget }) => {
    machine.run(pe, budget);
    return machine.state(pe);
  });
  return [...states, machine.ram('end')];
}

describe('traces and the stepper', () => {
  it('agree on calls and returns, whether the callee returns to its caller or elsewhere, at every budget', () => {
    const program = `
        adr     x9, stack
loop:   bl      f
        add     x1, x1, #1
        bl      g
        add     x1, x1, #2
        b       loop
        .align  12
f:      str     x30, [x9]
        bl      h
        ldr     x30, [x9]
        tbnz    x1, #3, past
        ret
past:   add     x30, x30, #4
        ret
        .align  12
g:      add     x3, x3, #1
        ret
h:      add     x4, x4, #1
        ret
        .align  12
stack:  .quad   0
end:    nop
`;
    const budgets = Array.from({ length: 40 }, (_, n) => [n + 1, 200, 3]).flat();
    const schedule = budgets.map((budget) => ({ pe: 0, budget }));
    const expected = history('step', program, schedule, 1);
    for (const mode of ['translate', 'region', 'tiered'] as const) {
      expect(history(mode, program, schedule, 1), mode).toEqual(expected);
    }
  });

  it('stop at the same instruction with the same state, for any program and any budgets', () => {
    fc.assert(
      fc.property(programs(false), turns(1), (program, schedule) => {
        const stepped = history('step', program, schedule, 1);
        expect(history('translate', program, schedule, 1)).toEqual(stepped);
        expect(history('tiered', program, schedule, 1)).toEqual(stepped);
        expect(history('region', program, schedule, 1)).toEqual(stepped);
      }),
      { numRuns: 10 },
    );
  });

  it('see what a program writes to its own text, and to data beside it, at the next instruction', () => {
    fc.assert(
      fc.property(programs(true), turns(1), (program, schedule) => {
        const stepped = history('step', program, schedule, 1);
        expect(history('translate', program, schedule, 1)).toEqual(stepped);
        expect(history('tiered', program, schedule, 1)).toEqual(stepped);
        expect(history('region', program, schedule, 1)).toEqual(stepped);
      }),
      { numRuns: 10 },
    );
  });

  it('see what other PEs write to the text that they share', () => {
    fc.assert(
      fc.property(programs(true), turns(3), (program, schedule) => {
        const stepped = history('step', program, schedule, 3);
        expect(history('translate', program, schedule, 3)).toEqual(stepped);
        expect(history('region', program, schedule, 3)).toEqual(stepped);
      }),
      { numRuns: 10 },
    );
  });
});
