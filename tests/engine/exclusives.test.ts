// Exclusive monitors and the fast path of stores: what other PEs write to a monitored line, wherever their stores begin.

import { describe, expect, it } from 'vitest';
import { flatMachine, normalMemory } from './flat-machine.ts';

describe.each(['step', 'translate'] as const)('a Store-Exclusive, %s', (mode) => {
  it.each([
    ['writes to its granule', 'str x3, [x1]', true],
    ['writes a pair that ends in its granule', 'stp x3, x3, [x1, #-8]', true],
    ['writes a pair of vectors that ends in its granule', 'stp q0, q0, [x1, #-16]', true],
    ['writes eight bytes of which one is in its granule', 'stur x3, [x1, #-7]', true],
    ['writes up to its granule', 'stur x3, [x1, #-8]', false],
  ])('fails exactly where another PE %s', (_what, store, isFailing) => {
    const machine = flatMachine(
      mode,
      `
        ${normalMemory.start}
        adr     x1, lock
        cbnz    x0, other
        ldxr    w2, [x1]
        stxr    w4, w2, [x1]
end:    b       end
other:  ${store}
        b       other
        .space  0x100
        .align  7
lock:   .word   0
        .align  12
${normalMemory.table}`,
      { pes: 2 },
    );
    // The store is on its fast path by then.
    machine.run(1, 214);
    machine.run(0, 15);
    machine.run(1, 2);
    machine.run(0, 2);
    expect(machine.pes[0]?.readX(4)).toBe(isFailing ? 1n : 0n);
  });
});

describe.each(['step', 'translate'] as const)('a Store-Exclusive, %s', (mode) => {
  it.each([
    ['ldxr w2, [x1]', 'stxr w4, w2, [x1]', true],
    ['ldxrh w2, [x1]', 'stxr w4, w2, [x1]', false],
    ['ldxr x2, [x1]', 'stxr w4, w2, [x1]', false],
    ['ldxr w2, [x1]', 'add x1, x1, #4\n stxr w4, w2, [x1]', false],
    ['ldxp x2, x3, [x1]', 'stxp w4, x2, x3, [x1]', true],
    ['ldxp w2, w3, [x1]', 'stxp w4, x2, x3, [x1]', false],
    ['ldxp x2, x3, [x1]', 'stxr w4, x2, [x1]', false],
    ['ldxp w2, w3, [x1]', 'stxr w4, x2, [x1]', true],
  ])('%s; %s: passes: %s', (load, store, isPassing) => {
    const machine = flatMachine(
      mode,
      `
        adr     x1, lock
        ${load}
        ${store}
end:    b       end
        .align  7
lock:   .word   0`,
    );
    machine.run(0, 10);
    expect(machine.pes[0]?.readX(4)).toBe(isPassing ? 0n : 1n);
  });
});
