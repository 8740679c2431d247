// What a region knows of the flags, and regions and traces of the stack pointer's alignment, beside the stepper.

import { describe, expect, it } from 'vitest';
import { statesAfter } from './flat-machine.ts';

describe('a region', () => {
  it('keeps the flags that it was entered with', () => {
    const program = `
        mov     x9, #0xb0000000
        msr     nzcv, x9
        b       loop
        .align  6
loop:   add     x6, x6, #1
        tbz     x6, #3, loop
        cset    x7, mi
        adc     x8, x8, x7
        b       loop`;
    const budgets = [3, 9, 30, 1, 2, 40];
    expect(statesAfter('region', program, budgets)).toEqual(statesAfter('step', program, budgets));
  });

  it.each([
    'subs x3, x1, x2',
    'subs w3, w1, w2',
    'adds x3, x1, x2',
    'adds w3, w1, w2',
    'ands x3, x1, x2',
    'bics w3, w1, w2',
  ])('knows every condition after %s as the stepper does', (operation) => {
    const conditions = ['eq', 'ne', 'cs', 'cc', 'mi', 'pl', 'vs', 'vc', 'hi', 'ls', 'ge', 'lt', 'gt', 'le'];
    // The values meet each other as first and as second operand.
    const program = `
        adr     x10, values
outer:  mov     x11, #0
inner:  and     x12, x13, #56
        ldr     x1, [x10, x11]
        ldr     x2, [x10, x12]
        ${operation}
        ${conditions.map((condition) => `cset x4, ${condition}\n orr x5, x4, x5, lsl #1`).join('\n')}
        eor     x6, x6, x5
        ror     x6, x6, #7
        ror     w7, w6, #19
        extr    x8, x6, x6, #40
        extr    w8, w8, w7, #8
        add     x11, x11, #8
        cmp     x11, #64
        b.ne    inner
        add     x13, x13, #8
        b       outer
        .align  3
values: .quad   0, 1, -1, 0x7fffffffffffffff, 0x8000000000000000, 0x7fffffff, 0x80000000, 0xffffffff00000000
`;
    expect(statesAfter('region', program, [300, 3000])).toEqual(statesAfter('step', program, [300, 3000]));
  });

  it.each([
    'sub sp, sp, #8',
    'add sp, sp, x9',
    'sub sp, sp, x9, lsl #1',
    'mov sp, x11',
    'and sp, x11, #-8',
    'ldr x2, [sp, #8]!',
    'ldr x2, [sp], #-24',
    'ldp x2, x3, [sp], #-8',
    'msr spsel, #0',
  ])('looks at the alignment of the stack pointer again after %s, and so does a trace', (move) => {
    const program = `
        adr     x17, vectors
        msr     vbar_el1, x17
        mrs     x17, sctlr_el1
        orr     x17, x17, #8
        msr     sctlr_el1, x17
        isb
        adr     x10, data
        msr     sp_el0, x10
        mov     x9, #8
        add     x11, x10, x9
loop:   mov     sp, x10
        ldr     x1, [sp]
        add     sp, sp, #32
        ldr     x2, [sp], #16
        str     x2, [sp, #-16]!
        ${move}
        ldr     x4, [sp]
        add     x5, x5, #1
        tbz     x5, #0, again
        str     x5, [sp, #8]
again:  sub     sp, sp, #16
        ldr     x6, [sp]
        msr     spsel, #1
        b       loop
        .align  11
vectors: .space 0x200
        mrs     x17, elr_el1
        mrs     x18, esr_el1
        eor     x16, x18, x16, ror #5
        add     x16, x16, x17
        add     x17, x17, #4
        msr     elr_el1, x17
        eret
        .align  12
        .space  64
data:   .space  128
`;
    const budgets = [40, 17, 200];
    const states = statesAfter('step', program, budgets);
    for (const mode of ['region', 'translate'] as const)
      expect(statesAfter(mode, program, budgets), mode).toEqual(states);
  });
});
