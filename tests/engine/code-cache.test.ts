import { describe, expect, it } from 'vitest';
import { exit } from '../../src/arch/exits.ts';
import { lineHoldsCode, lineMapOffset, lineShift, pe as record, ramBase } from '../../src/arch/state-layout.ts';
import { codeEntryAt, entryTablePlace, runtimeTables } from '../../src/engine/runtime-tables.ts';
import { el0Machine, type Mapping } from './el0-machine.ts';
import { flatMachine, type FlatMachine } from './flat-machine.ts';

const x = (machine: FlatMachine, pe: number, n: number): bigint => machine.pes[pe]?.readX(n) ?? -1n;
const isMarked = (machine: FlatMachine, pa: number): boolean =>
  ((machine.views.bytes[lineMapOffset + (pa >>> lineShift)] ?? 0) & lineHoldsCode) !== 0;

/** PE 0 counts in `loop`; PE 1 writes W2 to `[X1]` for ever. */
const twoPes = `
        cbnz    x0, writer
loop:   add     x3, x3, #1
        b       loop
        .align  7
writer: str     w2, [x1]
        add     x4, x4, #1
        b       writer
        .align  7
beside: .word   0
        .align  12
other:  add     x5, x5, #1
        b       other
`;
const add16 = 0x9100_4063; // ADD X3, X3, #16

describe('a store to translated code', () => {
  it.each([
    ['a store', 'str w1, [x2]', 16n],
    ['a pair of stores', 'stp w1, w1, [x2, #-4]', 32n],
    ['a swap', 'swp w1, w5, [x2]', 16n],
    ['a Store-Exclusive', 'ldxr w5, [x2]\n stxr w6, w1, [x2]', 16n],
    ['a byte', 'lsr w1, w1, #8\n strb w1, [x2, #1]', 16n],
  ])('takes effect before the next instruction: %s', (_name, store, sum) => {
    const machine = flatMachine(
      'translate',
      `
again:  adr     x2, patched
        ldr     w1, patch
        cbz     x4, first
        ${store}
        nop
patched: add    x3, x3, #1
        mov     x4, #0
end:    b       end
first:  mov     x4, #1
        bl      patched2
        b       again
patched2: ret
patch:  add     x3, x3, #16
    `,
    );
    machine.run(0, 40);
    expect(x(machine, 0, 3)).toBe(sum);
    expect(machine.engine.counters().invalidations).toBeGreaterThan(0);
  });

  it('of another PE takes effect at the next instruction too, in the middle of a loop', () => {
    const machine = flatMachine('translate', twoPes, { pes: 2 });
    machine.run(0, 1 + 2 * 1000);
    expect(x(machine, 0, 3)).toBe(1000n);
    machine.pes[1]?.writeX(1, BigInt(machine.address('loop')));
    machine.pes[1]?.writeX(2, BigInt(add16));
    machine.run(1, 2);
    machine.run(0, 2 * 1000);
    expect(x(machine, 0, 3)).toBe(1000n + 16n * 1000n);
  });

  it('ends what was translated from its line, and nothing else', () => {
    const machine = flatMachine('translate', twoPes, { pes: 2 });
    machine.run(0, 101);
    machine.pes[1]?.writeX(1, BigInt(machine.address('beside')));
    machine.run(1, 101);
    const before = machine.engine.counters();
    machine.engine.codeWritten(machine.address('other'), 4);
    expect(machine.engine.counters()).toEqual(before);
    machine.engine.codeWritten(machine.address('writer'), 4);
    expect(machine.engine.counters().invalidations).toBeGreaterThan(before.invalidations);
    expect(isMarked(machine, machine.address('writer'))).toBe(false);
    expect(isMarked(machine, machine.address('loop'))).toBe(true);
    machine.run(0, 100);
    expect(machine.engine.counters().traces).toBe(before.traces);
  });

  it('is none where it goes to data in the lines before the code and after it', () => {
    const machine = flatMachine('translate', twoPes, { pes: 2 });
    machine.run(0, 100);
    machine.pes[1]?.writeX(1, BigInt(machine.address('beside')));
    machine.run(1, 1 + 3 * 100);
    expect(machine.engine.counters().invalidations).toBe(0);
    // The line before code is marked for stores that reach into it, and holds none itself.
    const before = machine.address('writer') - 8;
    expect(isMarked(machine, before)).toBe(true);
    machine.pes[1]?.writeX(1, BigInt(before));
    machine.run(1, 3 * 100);
    expect(machine.engine.counters().invalidations).toBe(0);
    expect(x(machine, 1, 4)).toBe(200n);
  });

  it('is written by every store of a loop that shares its line with its data, and the loop goes on', () => {
    const machine = flatMachine(
      'translate',
      `
        adr     x1, count
loop:   ldr     x2, [x1]
        add     x2, x2, #1
        str     x2, [x1]
        b       loop
        .align  3
count:  .quad   0`,
    );
    machine.run(0, 1 + 4 * 500);
    expect(x(machine, 0, 2)).toBe(500n);
  });
});

describe('code that several workers translate', () => {
  it('keeps its lines marked, and tells the others of writes to them', () => {
    const written: number[] = [];
    const machine = flatMachine('translate', twoPes, { pes: 2, onCodeWritten: (line) => written.push(line) });
    machine.run(0, 100);
    const line = machine.address('loop') >>> lineShift;
    machine.pes[1]?.writeX(1, BigInt(machine.address('loop')));
    machine.pes[1]?.writeX(2, BigInt(add16));
    machine.run(1, 2);
    expect(new Set(written)).toEqual(new Set([line]));
    expect(isMarked(machine, machine.address('loop'))).toBe(true);
  });

  it('tells nobody of writes to lines that an exclusive monitor alone watches', () => {
    const written: number[] = [];
    const machine = flatMachine(
      'translate',
      `
        adr     x1, lock
loop:   ldxr    w2, [x1]
        add     w2, w2, #1
        stxr    w3, w2, [x1]
        ldxr    w2, [x1]
        str     w2, [x1]
        b       loop
        .space  0x100
        .align  7
lock:   .word   0`,
      { onCodeWritten: (line) => written.push(line) },
    );
    machine.run(0, 1 + 6 * 200);
    expect(machine.views.words[machine.address('lock') / 4]).toBe(200);
    expect(written).toEqual([]);
  });

  it('is translated again after writes elsewhere, to a known line or to more than is known', () => {
    for (const lines of [undefined, [0]] as const) {
      const machine = flatMachine('translate', twoPes);
      machine.run(0, 101);
      expect(x(machine, 0, 3)).toBe(50n);
      const at = machine.address('loop');
      machine.views.words[at / 4] = add16;
      machine.engine.linesWrittenElsewhere(lines?.map(() => at >>> lineShift));
      machine.run(0, 100);
      expect(x(machine, 0, 3)).toBe(50n + 16n * 50n);
    }
  });
});

describe('an engine', () => {
  it('translates together what hot code leads to in its page, and steps cold code', () => {
    const machine = flatMachine('tiered', twoPes, { regionRounds: 4096 });
    machine.run(0, 5);
    expect(machine.engine.counters()).toMatchObject({ traces: 0, modules: 0 });
    machine.run(0, 100_000);
    const { traces, regions, modules, stepped } = machine.engine.counters();
    // What is hot gets a region, which is a module of its own, after 4,096 blocks of two instructions have been observed.
    expect([regions, modules]).toEqual([1, 2]);
    expect(traces).toBeLessThanOrEqual(2);
    expect(stepped).toBeLessThan(2 * 4096 + 200);
  });

  it('never translates in mode step, and steps only what does not fit a budget in mode translate', () => {
    const stepped = flatMachine('step', twoPes);
    stepped.run(0, 10_000);
    expect(stepped.engine.counters()).toMatchObject({ traces: 0, stepped: 10_000 });
    const translated = flatMachine('translate', twoPes);
    translated.run(0, 10_001);
    expect(translated.engine.counters().stepped).toBe(0);
  });

  it.each(['step', 'translate'] as const)('stops after the instruction in which a pause was asked for (%s)', (mode) => {
    const machine = flatMachine(mode, 'mov x1, #1\n sev\n mov x1, #2\n loop: b loop');
    expect(machine.runOnce(0, 1000)).toEqual({ code: exit.redirect, left: 998 });
    expect(x(machine, 0, 1)).toBe(1n);
    expect(machine.runOnce(0, 1000)).toEqual({ code: exit.budget, left: 0 });
    expect(x(machine, 0, 1)).toBe(2n);
  });
});

/** Calls functions that begin in pages of their own, one after the other, again and again. */
const callsOf = (functions: number, rounds: number): string => `
        mov     x6, #${rounds}
again:  adrp    x1, first
        mov     x2, #${functions}
next:   blr     x1
        add     x1, x1, #0x1000
        subs    x2, x2, #1
        b.ne    next
        subs    x6, x6, #1
        b.ne    again
end:    b       end
        .align  12
first:`;

describe('code that has become hot', () => {
  it('shares modules the more, the more of it there is, and all of it is translated', () => {
    const functions = 200;
    const rounds = 100;
    const machine = flatMachine(
      'tiered',
      `
${callsOf(functions, rounds)}
${'        add     x3, x3, #1\n        ret\n        .align  12\n'.repeat(functions)}`,
      { hotRuns: 24 },
    );
    machine.run(0, rounds * (5 + functions * 6));
    expect(x(machine, 0, 3)).toBe(BigInt(rounds * functions));
    const { traces, modules } = machine.engine.counters();
    expect(traces).toBeGreaterThanOrEqual(functions);
    expect(modules).toBeLessThan(0.75 * functions);
  });

  it('waits for others to share a module with only until it is hot once more', () => {
    const [functions, hotRuns] = [200, 24];
    const machine = flatMachine(
      'tiered',
      `
${callsOf(functions, 2 * hotRuns)}
${'        add     x3, x3, #1\n        ret\n        .align  12\n'.repeat(functions)}`,
      { hotRuns },
    );
    machine.run(0, 1 + 2 * hotRuns * (4 + functions * 6));
    const { traces, stepped } = machine.engine.counters();
    // From here on nothing runs but the branch to itself at the end.
    machine.run(0, 10_000);
    const after = machine.engine.counters();
    expect(after.traces).toBeGreaterThan(traces);
    expect(after.stepped - stepped).toBeLessThanOrEqual(2 * hotRuns);
  });

  it('becomes hot where other code takes its place in the entry table again and again', () => {
    // In the next 256 KiB a place is that of code `spread` entries further.
    const apart = 4 * (2 * entryTablePlace.entries - entryTablePlace.spread);
    const machine = flatMachine(
      'tiered',
      `
        adr     x1, first
        mov     w2, #${apart & 0xffff}
        movk    w2, #${apart >>> 16}, lsl #16
        add     x2, x1, x2
        mov     w5, #0x0463
        movk    w5, #0x9100, lsl #16
        str     w5, [x2]
        mov     w5, #0x03c0
        movk    w5, #0xd65f, lsl #16
        str     w5, [x2, #4]
again:  blr     x1
        blr     x2
        b       again
        .align  7
first:  add     x3, x3, #1
        ret`,
      { hotRuns: 24 },
    );
    machine.run(0, 10 + 7 * 2000);
    expect(x(machine, 0, 3)).toBe(4000n);
    expect(codeEntryAt(runtimeTables(0), machine.address('first'))).toBe(
      codeEntryAt(runtimeTables(0), machine.address('first') + apart),
    );
    expect(machine.engine.counters().traces).toBeGreaterThanOrEqual(3);
  });

  it('and is soon written over is translated the later the more often that happens, and at once where it stays', () => {
    const [rounds, calls] = [400, 100];
    const machine = flatMachine(
      'tiered',
      `
        adr     x1, patched
        ldr     w7, one
        ldr     w8, sixteen
        mov     x6, #${rounds}
again:  str     w7, [x1]
        mov     w9, w7
        mov     w7, w8
        mov     w8, w9
        mov     x2, #${calls}
call:   bl      patched
        subs    x2, x2, #1
        b.ne    call
        subs    x6, x6, #1
        b.ne    again
end:    bl      patched
        b       end
one:    add     x3, x3, #1
sixteen: add    x3, x3, #16
        .align  12
patched: nop
        ret`,
      { hotRuns: 24, regionRounds: 4096 },
    );
    machine.run(0, 4 + rounds * (7 + calls * 5));
    expect(x(machine, 0, 3)).toBe(BigInt((rounds / 2) * calls * 17));
    const { invalidations } = machine.engine.counters();
    expect(invalidations).toBeGreaterThan(1);
    expect(invalidations).toBeLessThan(rounds / 10);
    // The loop of the calls is a region, which soon leaves out the function that is written over.
    const { regions } = machine.engine.counters();
    expect(regions).toBeLessThan(5);
    machine.run(0, 4 * 50_000);
    expect(x(machine, 0, 3)).toBe(BigInt((rounds / 2) * calls * 17 + 50_000 * 16));
    expect(machine.engine.counters().regions).toBeGreaterThan(regions);
  });

  it('and has been written over early is translated sooner again when it has run long before it is written over', () => {
    const machine = flatMachine('tiered', 'loop: add x3, x3, #1\n b loop', { hotRuns: 24, regionRounds: 1_000_000 });
    const loop = machine.address('loop');
    const tracesAfterWriting = (rounds: number): number => {
      machine.engine.codeWritten(loop, 4);
      const { traces } = machine.engine.counters();
      machine.run(0, 2 * rounds);
      return machine.engine.counters().traces - traces;
    };
    for (let n = 0; n < 8; n += 1) tracesAfterWriting(30 << n);
    expect(tracesAfterWriting(1000)).toBe(0);
    machine.run(0, 2 * 10_000);
    for (let n = 0; n < 8; n += 1) expect(tracesAfterWriting(10_000)).toBe(1);
    expect(tracesAfterWriting(40)).toBe(1);
  });
});

describe('the memory of translated code', () => {
  it.each([
    ['tiered', 80, { hotRuns: 24, codeBytes: 0x2_0000 }],
    ['translate', 10, { codeBytes: 0x10_0000 }],
    ['region', 10, { codeBytes: 0x10_0000 }],
  ] as const)(
    'is bounded: more code than it holds runs right, and the oldest is ended (%s)',
    (mode, rounds, options) => {
      const functions = 150;
      const machine = flatMachine(
        mode,
        `
${callsOf(functions, rounds)}
${Array.from({ length: functions }, (_, n) => `        add     x3, x3, #${n}\n        eor     x4, x4, x3\n        ret\n        .align  12\n`).join('')}`,
        options,
      );
      let [sum, mixed] = [0n, 0n];
      let most = 0;
      for (let round = 0; round < rounds; round += 1) {
        for (let n = 0; n < functions; n += 1) {
          sum += BigInt(n);
          mixed ^= sum;
        }
        machine.run(0, (round === 0 ? 1 : 0) + 4 + functions * 7);
        most = Math.max(most, machine.engine.counters().codeBytes);
      }
      expect([x(machine, 0, 3), x(machine, 0, 4)]).toEqual([sum, mixed]);
      const { evictions, invalidations } = machine.engine.counters();
      expect(evictions).toBeGreaterThan(functions / 4);
      expect(invalidations).toBe(0);
      // The last module may be as large as it likes.
      expect(most).toBeLessThan(1.25 * options.codeBytes);
    },
  );

  it('has places in the table that are used again, where no jump cache leads to what was there before', () => {
    const machine = flatMachine(
      'translate',
      `
loop:   add     x3, x3, #1
        b       side
        .align  6
side:   add     x4, x4, #16
        b       loop`,
    );
    const [loop, side] = [machine.address('loop'), machine.address('side')];
    const rounds = 1500;
    for (let n = 0; n < rounds; n += 1) {
      machine.engine.codeWritten(n % 2 === 0 ? loop : side, 4);
      machine.run(0, 4);
    }
    expect([x(machine, 0, 3), x(machine, 0, 4)]).toEqual([BigInt(rounds), BigInt(16 * rounds)]);
    expect(machine.engine.counters().invalidations).toBeGreaterThan(1024);
  });
});

describe('a link from trace to trace', () => {
  /** PE 0 goes from trace to trace of its page; PE 1 writes W2 to `[X1]`, in the line of one of them. Four traces make a module. */
  const program = `
        cbnz    x0, writer
loop:   add     x3, x3, #1
        cbz     x5, second
        brk     #0
        .align  7
second: nop
patch:  add     x3, x3, #16
        cbz     x5, third
        brk     #0
        .align  7
third:  cbz     x5, loop
        brk     #0
        .align  12
writer: str     w2, [x1]
        add     x4, x4, #1
        b       writer
`;
  it.each([
    ['translate', {}],
    ['tiered', { hotRuns: 4, regionRounds: 1_000_000 }],
    ['tiered', { hotRuns: 4, regionRounds: 40 }],
  ] as const)('leads to what has been written in the place of its target (%s, %o)', (mode, options) => {
    const sumsOf = (...machineOf: Parameters<typeof flatMachine>): bigint[] => {
      const machine = flatMachine(...machineOf);
      machine.pes[1]?.writeX(0, 1n);
      machine.pes[1]?.writeX(1, BigInt(machine.address('patch')));
      const add = (n: number): bigint => BigInt(0x9100_0063 | (n << 10)); // ADD X3, X3, #n
      return [100, 200, 16, 300].map((n) => {
        machine.run(0, 6 * 50);
        machine.pes[1]?.writeX(2, add(n));
        machine.run(1, 6);
        return x(machine, 0, 3);
      });
    };
    const sums = sumsOf(mode, program, { pes: 2, ...options });
    expect(sums).toEqual(sumsOf('step', program, { pes: 2 }));
    expect((sums[2] ?? 0n) - (sums[1] ?? 0n)).toBe(50n * 201n);
  });
});

describe('code that leads to another page, by a call that traces follow or by a link', () => {
  const callAndReturn = { there: 0x9400_1400, back: 0xd65f_03c0 }; // BL callee; RET
  const branches = { there: 0x1400_1400, back: 0x17ff_ec00 }; // B callee; B to the second instruction
  it.each(
    (['step', 'translate', 'region'] as const).flatMap((mode) => [
      { mode, way: callAndReturn, name: 'BL' },
      { mode, way: branches, name: 'B' },
    ]),
  )('goes to what is there when the page is mapped elsewhere ($mode, $name)', ({ mode, way: { there, back } }) => {
    const page = (va: number, pa: number): Mapping => ({ va, pa: ramBase + pa, sizeBytes: 0x1000, executable: true });
    const [code, callee, other] = [page(0x10_0000, 0x10_0000), page(0x10_5000, 0x20_0000), page(0x10_6000, 0x30_0000)];
    const machine = el0Machine(mode, [code, callee, other]);
    const { engine, pe, views } = machine;
    const write = (at: Mapping, ...words: readonly number[]): void => {
      views.words.set(words, at.pa >>> 2);
    };
    write(code, there, 0x9100_0421, 0x17ff_fffe); // ADD X1, X1, #1; B to the first
    write(callee, 0x9100_0442, back); // ADD X2, X2, #1
    write(other, 0x9101_9042, back); // ADD X2, X2, #100
    const sums = (): bigint[] => {
      machine.enterEl0();
      // The callee first: its page is then known.
      views.doublewords[(pe.base + record.pc) >>> 3] = BigInt(callee.va);
      pe.writeX(30, BigInt(code.va));
      engine.run(pe, 2 + 5 * 50);
      return [pe.readX(1), pe.readX(2)];
    };
    expect(sums()).toEqual([50n, 51n]);
    // The descriptor of the callee's page becomes that of the other one, and the PE, which has been reset, has no other.
    const table = (ramBase + 0x80_3000) >>> 3;
    views.doublewords[table + 0x105] = views.doublewords[table + 0x106] ?? 0n;
    expect(sums()).toEqual([50n, 5100n]);
  });
});

describe('the jump cache', () => {
  it.each(['step', 'translate', 'region'] as const)(
    'has nothing for address 0 before code has run there (%s)',
    (mode) => {
      const code = { va: 0x10_0000, pa: ramBase + 0x10_0000, sizeBytes: 0x1000, executable: true };
      const machine = el0Machine(mode, [code]);
      const { engine, pe, views } = machine;
      views.words[code.pa >>> 2] = 0xd61f_0000; // BR X0
      machine.enterEl0();
      views.doublewords[(pe.base + record.pc) >>> 3] = BigInt(code.va);
      expect(engine.run(pe, 2)).toBe(exit.redirect);
      expect(pe.readRegister('ELR_EL1')).toBe(0n);
      expect(pe.readRegister('ESR_EL1') >> 26n).toBe(0x20n);
    },
  );
});

describe('what hot code leads to', () => {
  /** Translated code of a loop that branches aside every time that the bits of `mask` of its count are 0. */
  const tracesWith = (mask: number): number => {
    const machine = flatMachine(
      'tiered',
      `
loop:   add     x3, x3, #1
        tst     x3, #${mask}
        b.eq    aside
        b       loop
aside:  add     x4, x4, #1
        b       loop
    `,
      { hotRuns: 256 },
    );
    machine.run(0, 1200);
    return machine.engine.counters().traces;
  };

  it('is translated with it where it has run an eighth as often, and is stepped where it has not', () => {
    expect(tracesWith(3)).toBe(2);
    expect(tracesWith(15)).toBe(1);
  });
});
