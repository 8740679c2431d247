import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exit } from '../../src/arch/exits.ts';
import { pe as record } from '../../src/arch/state-layout.ts';
import type { EngineMode } from '../../src/engine/engine.ts';
import { traceIsHot, type TraceSource } from '../../src/engine/trace-ends.ts';
import { CodeLinks, type LinkTarget, makeDirect, ModuleLinks } from '../../src/engine/trace-links.ts';
import type { UsualWays } from '../../src/engine/branch-notes.ts';
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
  usualWays?: UsualWays,
  addendOf: (va: bigint) => number | undefined = () => undefined,
  linkTo?: (va: bigint) => number,
  counter?: TraceSource['counter'],
): Trace & { readonly at: (label: string) => bigint } {
  const { bytes, symbols } = assemble(source, { base: page });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fetch = (va: bigint): number => {
    const offset = Number(va) - page;
    return offset + 4 <= bytes.length ? view.getUint32(offset, true) : 0xd503201f;
  };
  const at = (label: string): bigint => symbols.get(label) ?? -1n;
  return {
    ...translate({
      start: at(from),
      fetch,
      el: 1,
      strictAlignment: false,
      guarded: false,
      addendOf,
      ...(usualWays && { usualWays }),
      ...(linkTo && { linkTo }),
      ...(counter && { counter }),
    }),
    at,
  };
}
const addresses = (...offsets: readonly number[]): bigint[] => offsets.map((offset) => BigInt(page + offset));

/** A trace that leads to another one. */
const leading = `
start:  add     x0, x0, #3
        cbz     x1, other
        ret
        .align  6
other:  add     x0, x0, #5
        br      x2`;

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
    expect([...successors.keys()]).toEqual([BigInt(page), BigInt(page + 0x2010)]);
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

  it('follows unconditional branches forwards in its page, and the fall-through of conditional ones', () => {
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
    expect(of).toEqual(addresses(0, 4, 12, 16));
    expect([...successors.keys()]).toEqual([at('other'), at('middle') + 8n]);
  });

  /** Branches of `taken` are taken, `target` is where indirect ones lead. */
  const ways = (taken: readonly number[], target?: bigint): UsualWays => ({
    directionOf: (va) => ({ taken: taken.includes(Number(va) - page) ? 9 : 0, notTaken: 8, isSteady: false }),
    usualTarget: () => target,
  });

  it('follows the usual side of a conditional branch, to another page only where that is known', () => {
    const source = `
start:  cbz     x0, first
        nop
        tbz     x0, #1, second
        ret
first:  ret
second: ret`;
    const followed = (...taken: number[]): readonly bigint[] => traceOf(source, 'start', ways(taken)).addresses;
    expect(followed()).toEqual(addresses(0, 4, 8, 12));
    expect(followed(0)).toEqual(addresses(0, 16));
    expect(followed(8)).toEqual(addresses(0, 4, 8, 20));
    const far = 'start: cbz x0, far\n ret\n .space 0x2000\nfar: ret';
    expect(traceOf(far, 'start', ways([0])).addresses).toEqual(addresses(0, 4));
    expect(traceOf(far, 'start', ways([0]), () => 0).addresses).toEqual(addresses(0, 0x2008));
  });

  it('ends where a branch leads backwards, to what is the head of a loop, and tells how often each way has been gone', () => {
    const loop = traceOf(
      'head: nop\nstart: nop\n tbz x0, #1, on\n nop\non: cbnz x1, head\n ret',
      'start',
      ways([8, 16]),
    );
    expect(loop.addresses).toEqual(addresses(4, 8, 16, 20));
    expect([...loop.successors]).toEqual([
      [BigInt(page + 12), 8],
      [BigInt(page), 9],
    ]);
    const jump = traceOf('head: nop\nstart: nop\n b head', 'start');
    expect(jump.addresses).toEqual(addresses(4, 8));
    expect([...jump.successors.keys()]).toEqual([BigInt(page)]);
  });

  it.each([
    ['the jump of a veneer', 'br x16', [0, 4, 16]],
    ['the jump of a veneer', 'br x17', [0, 4, 16]],
    ['no indirect call', 'blr x3', [0, 4]],
    ['no other jump', 'br x3', [0, 4]],
    ['no return that leads to whoever has called', 'ret', [0, 4]],
  ])('follows %s where it usually leads: %s', (_name, branch, of) => {
    const source = `start: nop\n ${branch}\n nop\n ret\nf: ret`;
    expect(traceOf(source, 'start', ways([], BigInt(page + 16))).addresses).toEqual(addresses(...of));
    expect(traceOf(source, 'start', ways([])).addresses).toEqual(addresses(0, 4));
  });

  it('goes on in the next page where that is known', () => {
    const across = traceOf('.space 0xffc\nstart: nop\n svc #0', 'start', undefined, () => 0);
    expect(across.addresses).toEqual(addresses(0xffc, 0x1000));
  });

  it('leads straight to what its links lead to, and by a look-up where that is nothing', () => {
    const links = new ModuleLinks();
    const codeAt = (va: bigint): LinkTarget => ({
      pa: Number(va),
      code: { va, el: 1, strictAlignment: false, guarded: false },
    });
    const linkTo = (va: bigint): number => links.placeOf(codeAt(va));
    const [from, to] = [traceOf(leading, 'start', undefined, undefined, linkTo), traceOf(leading, 'other')];
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

  it('leads straight to a trace of its module that counts rounds, until that is to become a region or has ended', () => {
    const counter = { address: 0x8_0000, start: 700 };
    const [from, to] = [
      traceOf(leading, 'start', undefined, undefined, () => 0),
      traceOf(leading, 'other', undefined, undefined, undefined, counter),
    ];
    makeDirect(from.function.body, (place) => (place === 0 ? 1 : undefined));
    const cpu = 0x1000;
    const state = (offset: number): number => (cpu + offset) / 8;
    const chained: (bigint | undefined)[] = [];
    const { f0 } = instantiate([from.function, to.function], {
      chain: () => {
        chained.push(doublewords[state(record.pc)]);
        return exit.lookup;
      },
    });
    const run = f0 as (cpu: number, budget: number) => number;
    const word = new Int32Array(doublewords.buffer, counter.address, 1);
    doublewords[state(record.x + 8)] = 0n;
    doublewords[state(record.x + 16)] = 0x1_2344n;
    const outcomes = [2, 0, -1].map((rounds) => {
      word[0] = rounds;
      doublewords[state(record.x)] = 0n;
      return [run(cpu, 100), doublewords[state(record.x)], word[0], doublewords[state(record.pc)]];
    });
    expect(outcomes).toEqual([
      [exit.lookup, 8n, 1, 0x1_2344n],
      [traceIsHot, 3n, counter.start, to.at('other')],
      [exit.lookup, 3n, -1, to.at('other')],
    ]);
    expect(chained).toEqual([0x1_2344n, to.at('other')]);
  });

  it('ends with its page, after 64 instructions, and where it comes to itself again', () => {
    const long = traceOf(`start: ${'nop\n'.repeat(100)}`);
    expect(long.addresses).toHaveLength(64);
    expect([...long.successors.keys()]).toEqual(addresses(4 * 64));
    const last = traceOf(`.space 0xff8\nstart: nop\n nop\n nop`);
    expect(last.addresses).toEqual(addresses(0xff8, 0xffc));
    expect([...last.successors.keys()]).toEqual(addresses(0x1000));
    const knot = traceOf('start: nop\nagain: nop\n nop\n b again');
    expect(knot.addresses).toEqual(addresses(0, 4, 8, 12));
    expect([...knot.successors.keys()]).toEqual([knot.at('again')]);
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

describe('the read of a register that is what has been written to it', () => {
  const program = `
loop:   mrs     x2, tpidr_el0
        msr     tpidr_el0, x1
        mrs     x3, tpidr_el0
        mrs     x4, tpidrro_el0
        add     x1, x1, x3, lsl #1
        eor     x5, x5, x2
        add     x1, x1, #1
        msr     tpidrro_el0, x5
        b       loop`;

  it.each(['translate', 'region', 'tiered'] as const)('has the last value, in the same code too (%s)', (mode) => {
    const state = (of: EngineMode): string => {
      const machine = flatMachine(of, program, { hotRuns: 4, regionRounds: of === 'tiered' ? 10 : 0 });
      machine.run(0, 9 * 100 + 4);
      return machine.state(0);
    };
    expect(state(mode)).toBe(state('step'));
  });
});
