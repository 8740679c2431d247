import { describe, expect, it } from 'vitest';
import type { Pe } from '../../src/arch/pe.ts';
import { flatMachine, statesAfter } from './flat-machine.ts';

/** Nested loops with a call, a choice, an indirect branch, and flags that are kept over all of them. */
const nest = `
        adr     x9, even
        adr     x10, odd
        adr     x19, data
outer:  mov     x1, #3
inner:  subs    x2, x1, #2
        bl      leaf
        tst     x1, #1
        csel    x11, x9, x10, eq
        br      x11
even:   add     x4, x4, #5
        b       join
odd:    adc     x5, x5, x4
        str     x5, [x19, #8]
join:   cset    x6, gt
        add     x7, x7, x6
        subs    x1, x1, #1
        b.ne    inner
        add     x8, x8, #1
        b       outer
leaf:   ldr     x3, [x19]
        cbz     x3, quiet
        eor     x12, x12, x3
quiet:  add     x3, x3, x8
        str     x3, [x19]
        ret
        .align  12
data:   .space  64
end:`;

/** Vectors that go on after an instruction that faults, and keep in X16 where it was with which flags. */
const faultCounter = `
        .align  11
vectors: .space 0x200
        mrs     x17, elr_el1
        mrs     x18, spsr_el1
        eor     x16, x18, x16, ror #5
        eor     x16, x16, x17
        add     x17, x17, #4
        msr     elr_el1, x17
        eret`;

describe('a region', () => {
  it('stops where the stepper does, with the same state, whatever the budget', () => {
    for (let budget = 1; budget <= 45; budget += 1) {
      const [stepped, region] = (['step', 'region'] as const).map((mode) => {
        const machine = flatMachine(mode, nest);
        const states = [budget, 7, budget].map((instructions) => {
          machine.run(0, instructions);
          return machine.state(0);
        });
        return [...states, machine.ram('end')];
      });
      expect(region, `budget ${budget}`).toEqual(stepped);
    }
  });

  it('runs loops without the stepper, and calls in them', () => {
    const machine = flatMachine('region', nest);
    machine.run(0, 10_000);
    const { stepped, regions, traces } = machine.engine.counters();
    expect(regions).toBeGreaterThan(0);
    expect(traces).toBe(0);
    expect(stepped).toBeLessThan(100);
  });

  it.each(['region', 'tiered'] as const)('calls through pointers as the stepper does: %s', (mode) => {
    // The pointer changes between two functions every fourth time, and is a third now and then; the second faults at its first instruction.
    const program = `
        adr     x17, vectors
        msr     vbar_el1, x17
        adr     x19, data
        adr     x9, one
        adr     x10, two
        adr     x11, three
        mov     x20, #0x1000
loop:   add     x1, x1, #1
        tst     x1, #4
        csel    x21, x9, x10, eq
        tst     x1, #31
        csel    x21, x11, x21, eq
        cmp     x1, #7
        blr     x21
        cset    x6, cs
        add     x5, x5, x0
        add     x7, x7, x6
        b       loop
one:    ldr     x3, [x19]
        add     x3, x3, x1
        str     x3, [x19]
        mov     x0, x3
        ret
two:    ldr     x3, [x20]
        add     x0, x1, #2
        ret
        .align  12
three:  sub     x0, x0, x1
        tbz     x1, #5, other
        ret
other:  ret     x30
${faultCounter}
        .align  12
data:   .space  64
end:`;
    const budgets = [2000, ...Array.from({ length: 40 }, (_, n) => n + 1), 3000, 17, 500];
    expect(statesAfter(mode, program, budgets)).toEqual(statesAfter('step', program, budgets));
  });

  it.each(['region', 'tiered'] as const)(
    'calls itself as the stepper does, and returns to every place of it: %s',
    (mode) => {
      // Each call adds to a record on its stack, returns early in one of three ways, and faults now and then.
      const program = `
        adr     x17, vectors
        msr     vbar_el1, x17
        adr     x19, data
        add     x20, x19, #2048
        mov     sp, x20
        mov     x21, #0x1000
outer:  mov     x0, #9
        bl      visit
        add     x8, x8, #1
        b       outer
visit:  cbz     x0, none
        cmp     x0, #1
        b.eq    one
        stp     x29, x30, [sp, #-32]!
        str     x0, [sp, #16]
        sub     x0, x0, #1
        bl      visit
        ldr     x1, [sp, #16]
        str     x0, [sp, #24]
        sub     x0, x1, #2
        adds    x7, x7, x0
        bl      visit
        ldr     x1, [sp, #24]
        cinc    x0, x0, cs
        tst     x0, #63
        b.ne    quiet
        ldr     x3, [x21]
quiet:  add     x0, x0, x1
        ldp     x29, x30, [sp], #32
        ret
one:    eor     x6, x6, x7, ror #3
        ret
none:   add     x5, x5, #1
        adr     x4, leave
        tst     x5, #15
        csel    x30, x4, x30, eq
        eor     x16, x16, x30
        ret
leave:  mov     sp, x20
        b       outer
${faultCounter}
        .align  12
data:   .space  4096
end:`;
      const budgets = [3000, ...Array.from({ length: 40 }, (_, n) => n + 1), 5000, 17, 500];
      const [stepped, tried] = (['step', mode] as const).map((of) => {
        const machine = flatMachine(of, program, { hotRuns: 4, regionRounds: of === 'tiered' ? 10 : 0 });
        const states = budgets.map((budget) => {
          machine.run(0, budget);
          return machine.state(0);
        });
        return [...states, machine.ram('end')];
      });
      expect(tried).toEqual(stepped);
    },
  );

  it('replaces a trace that has run so many rounds', () => {
    const machine = flatMachine('tiered', nest, { hotRuns: 24, regionRounds: 10 });
    machine.run(0, 10_000);
    const stepped = flatMachine('step', nest);
    stepped.run(0, 10_000);
    machine.run(0, 1);
    stepped.run(0, 1);
    expect(machine.state(0)).toBe(stepped.state(0));
  });

  it('holds what runs before it is made, and nothing that only could', () => {
    const program = `
        mov     x1, #-1
        b       loop
        .align  12
        .space  4080
loop:   add     x3, x3, #1
        adds    x1, x1, #1
        nop
        b.ne    loop
rare:   add     x4, x4, #1
        b       loop`;
    const machine = flatMachine('tiered', program, { hotRuns: 24, regionRounds: 100 });
    machine.run(0, 2000);
    expect(machine.engine.counters().regions).toBe(1);
    expect(machine.engine.codeWritten(machine.address('rare'), 4)).toBe(false);
    expect(machine.engine.codeWritten(machine.address('loop'), 4)).toBe(true);
  });

  it('is made of what runs at its Exception level, in however many runs of the engine, with the state of the stepper', () => {
    const program = `
        adr     x17, vectors
        msr     vbar_el1, x17
        adr     x17, loop
        msr     elr_el1, x17
        msr     spsr_el1, xzr
        eret
loop:   add     x1, x1, #1
        tbz     x1, #0, even
        svc     #0
even:   add     x2, x2, x1
        b       loop
        .align  11
vectors: .space 0x400
        add     x3, x3, #1
        tbz     x3, #1, back
        add     x4, x4, #1
back:   eret`;
    const [stepped, tiered] = (['step', 'tiered'] as const).map((mode) => {
      const machine = flatMachine(mode, program, mode === 'tiered' ? { hotRuns: 4, regionRounds: 40 } : {});
      const states = Array.from({ length: 400 }, (_, n) => {
        machine.run(0, 1 + (n % 9));
        return machine.state(0);
      });
      return { states, regions: machine.engine.counters().regions };
    });
    expect(tiered?.states).toEqual(stepped?.states);
    expect(tiered?.regions).toBeGreaterThan(0);
  });

  it.each([
    ['an access that nothing answers', 'ldr x3, [x20]'],
    ['an unaligned access where it is checked', 'ldr x3, [x19, #4]'],
    ['a store to its own next instruction', 'str w21, [x22]'],
    ['an instruction that is undefined', '.word 0'],
    ['a supervisor call', 'svc #3'],
  ])('leaves in the middle with all registers and flags: %s', (_name, middle) => {
    const program = `
        adr     x17, vectors
        msr     vbar_el1, x17
        mov     x17, #0x300000
        msr     cpacr_el1, x17
        adr     x19, data
        mov     x20, #0x1000
        ldr     w21, patch
        adr     x22, next
loop:   add     x1, x1, #1
        subs    x2, x1, #4
        mov     x4, x2
        scvtf   d1, x1
        fadd    d2, d2, d1
        add     v3.2d, v3.2d, v2.2d
        ${middle}
next:   add     x5, x5, #1
        mov     v4.d[1], v2.d[0]
        cset    x6, lt
        b       loop
patch:  add     x5, x5, #16
        .align  11
vectors: .space 0x200
        mrs     x17, elr_el1
        mrs     x18, spsr_el1
        add     x16, x16, x18
        add     x17, x17, #4
        msr     elr_el1, x17
        eret
        .align  12
data:   .space  64
end:`;
    for (const budgets of [[200], [13, 50, 1, 1, 1, 70]]) {
      const [stepped, region] = (['step', 'region'] as const).map((mode) => {
        const machine = flatMachine(mode, program);
        return budgets.map((budget) => {
          machine.run(0, budget);
          return machine.state(0);
        });
      });
      expect(region).toEqual(stepped);
    }
  });

  it('has its stack pointer banked by the exception that one of its accesses takes', () => {
    const program = `
        adr     x17, vectors
        msr     vbar_el1, x17
        adr     x19, data
        add     x19, x19, #32
        mov     sp, x19
        msr     spsel, #0
        add     x17, x19, #16
        mov     sp, x17
loop:   sub     sp, sp, #16
        str     x1, [sp]
        ldr     x3, [x19, #4]
        ldr     x2, [sp], #16
        add     x1, x1, #1
        b       loop
        .align  11
vectors: sub    sp, sp, #16
        mrs     x17, elr_el1
        add     x17, x17, #4
        msr     elr_el1, x17
        mrs     x18, sp_el0
        add     x16, x16, x18
        add     sp, sp, #16
        eret
        .align  12
data:   .space  64
end:`;
    const [stepped, region] = (['step', 'region'] as const).map((mode) => {
      const machine = flatMachine(mode, program);
      machine.run(0, 200);
      return [machine.state(0), machine.ram('end')];
    });
    expect(region).toEqual(stepped);
  });

  it.each([
    ['a difference', 'subs x3, x1, x2', 'adds x4, x4, #1'],
    ['a difference of words', 'subs w3, w1, w2', 'cmp w1, #5'],
    ['a sum', 'adds x3, x1, x2, lsl #3', 'cmn x2, x2'],
    ['a sum of words', 'adds w3, w1, w2, asr #1', 'adds w4, w2, w2'],
    ['a logical result', 'ands x3, x1, x2', 'tst x2, #1'],
    ['a logical result of words', 'ands w3, w1, w2', 'bics w4, w2, w1'],
    ['a sum with carry', 'adcs x3, x1, x2', 'sbcs w4, w1, w2'],
    ['a conditional comparison', 'ccmp w1, w2, #9, ne', 'ccmn x1, #3, #4, cs'],
    ['a part of the flags', '.word 0x3a00082d', 'subs x3, x2, x1'],
    ['a system register', 'msr nzcv, x5', 'subs x3, x2, x1'],
  ])(
    'has the flags of its loops where it is left, though none of its instructions reads them: %s',
    (_name, one, other) => {
      // 0x3a00082d is SETF8 W1. X1 and X2 pass through signs and carries; a store to a page without memory reads SPSR_EL1 in its handler.
      const program = `
        adr     x17, vectors
        msr     vbar_el1, x17
        mov     x20, #0x1000
        mov     x1, #0x7fffffffffffffff
        sub     x1, x1, #4
        mov     x2, #1
        mov     x5, #0x60000000
        mov     x9, #0xb0000000
        msr     nzcv, x9
loop:   add     x6, x6, #1
        tbz     x6, #1, second
        ${one}
        eor     x5, x5, x6, lsl #28
        b       meet
second: ${other}
meet:   tbz     x6, #2, joined
        str     x6, [x20]
joined: add     x1, x1, #1
        sub     x2, x2, x6
        cbnz    x6, loop
        .align  11
vectors: .space 0x200
        mrs     x17, elr_el1
        mrs     x18, spsr_el1
        eor     x16, x18, x16, ror #5
        add     x17, x17, #4
        msr     elr_el1, x17
        eret`;
      const budgets = [40, 1, 5, 2, 9, 3, 11, 4, 13, 6, 90, 7, 8, 10, 12, 14];
      expect(statesAfter('region', program, budgets)).toEqual(statesAfter('step', program, budgets));
    },
  );

  it.each(['translate', 'region'] as const)(
    'and a trace that were made for the only PE are not run by one that comes later: %s',
    (mode) => {
      const program = `
        mov     x1, #20
        adr     x3, data
        add     x3, x3, x0, lsl #4
loop:   add     x2, x2, x1
        str     x2, [x3], #4
        ldr     x4, [x3, #-4]
        add     x5, x5, x4
        subs    x1, x1, #1
        b.ne    loop
        b       .
        .align  12
data:   .space  64`;
      const [stepped, made] = (['step', mode] as const).map((one) => {
        const machine = flatMachine(one, program, { pes: 2, attached: 1 });
        machine.run(0, 50);
        machine.engine.attach(machine.pes[1] as Pe);
        machine.run(1, 70);
        machine.run(0, 40);
        return [machine.state(0), machine.state(1)];
      });
      expect(made).toEqual(stepped);
    },
  );
});
