// Litmus shapes run natively under `parallel`: what the Armv8 model forbids is never seen, whatever the host allows. Every round has
// locations of its own, so that threads meet in it without an order but the one that the shape asks for.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { builtRun, writeImage } from '../workers/built-run.ts';

const timeout = 180_000;
/** All threads meet before each. */
const rounds = 8192;

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'heddle-litmus-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** Turns the other cores on: each is at `enter` then with its number in x0; core 0 too. */
const boot = (cores: number): string => `
start:  mov     x19, #${cores - 1}
next:   cbz     x19, first
        ldr     x0, =0xc4000003
        mov     x1, x19
        adr     x2, enter
        mov     x3, x19
        smc     #0
        sub     x19, x19, #1
        b       next
first:  mov     x0, #0
enter:  mov     x20, x0
        adr     x21, met`;

/** All cores meet; w25 counts how many have been here. */
const meet = (cores: number, label: string): string => `
        add     w25, w25, #${cores}
        mov     w9, #1
        ldaddal w9, w10, [x21]
${label}: ldar  w10, [x21]
        cmp     w10, w25
        b.lt    ${label}`;

/** Core 0 exits with the code in x27, the others sleep. */
const finish = `
        cbnz    x20, rest
        adr     x1, block
        str     x27, [x1, #8]
        mov     w0, #0x18
        hlt     #0xf000
rest:   wfi
        b       rest
        .align  7
met:    .word   0
        .align  7
block:  .quad   0x20026, 0`;

/**
 * Threads have x at [x1], y at [x2] and 1 in w4, and read into w5 and w6. The bits of all threads' w5 and w6, a byte for each thread, make
 * a number; the exit code is how many rounds have had the forbidden one.
 */
function shape(threads: readonly string[], forbidden: number): string {
  return `${boot(threads.length)}
        ldr     x22, =0x41000000
        mov     x23, #0
        mov     w25, #0
        mov     x27, #0
again:  add     x1, x22, x23, lsl #8
        add     x2, x1, #128
        add     x3, x1, #64
        mov     w4, #1
        mov     w5, #0
        mov     w6, #0
        ${meet(threads.length, 'wait')}
        ${threads.map((_, n) => `cmp x20, #${n}\n b.eq t${n}`).join('\n')}
        ${threads.map((text, n) => `t${n}: ${text.replaceAll(';', '\n')}\n b done`).join('\n')}
done:   orr     w5, w5, w6, lsl #1
        strb    w5, [x3, x20]
        add     x23, x23, #1
        cmp     x23, #${rounds}
        b.ne    again
        ${meet(threads.length, 'over')}
        cbnz    x20, count
        mov     x23, #0
check:  add     x3, x22, x23, lsl #8
        ldr     w5, [x3, #64]
        ldr     w6, =${forbidden}
        cmp     w5, w6
        cinc    x27, x27, eq
        add     x23, x23, #1
        cmp     x23, #${rounds}
        b.ne    check
count:  cmp     x27, #200
        mov     x9, #200
        csel    x27, x27, x9, lo
        ${finish}`;
}

/** r5 and r6 of each thread, as shape() packs them into bytes. */
const outcome = (...reads: readonly (readonly [number, number])[]): number =>
  reads.reduce((sum, [r5, r6], n) => sum + (r5 + 2 * r6) * 256 ** n, 0);

function codeOf(name: string, source: string, cores: number, hostThreads: number): number | null {
  const image = writeImage(join(folder, `${name}.img`), source);
  const options = ['--conductor', 'parallel', '--cores', `${cores}`, '--host-threads', `${hostThreads}`];
  return builtRun(image, ...options, '--max-time', '100s').code;
}

describe('under parallel, what Armv8 forbids is not seen:', () => {
  test.each([
    {
      name: 'MP with release and acquire',
      threads: ['str w4, [x1]; stlr w4, [x2]', 'ldar w5, [x2]; ldr w6, [x1]'],
      forbidden: outcome([0, 0], [1, 0]),
    },
    {
      name: 'SB with DMB',
      threads: ['str w4, [x1]; dmb ish; ldr w5, [x2]', 'str w4, [x2]; dmb ish; ldr w5, [x1]'],
      forbidden: outcome([0, 0], [0, 0]),
    },
    {
      name: 'SB with Store-Release and Load-Acquire',
      threads: ['stlr w4, [x1]; ldar w5, [x2]', 'stlr w4, [x2]; ldar w5, [x1]'],
      forbidden: outcome([0, 0], [0, 0]),
    },
    {
      name: 'LB with DMB',
      threads: ['ldr w5, [x1]; dmb ish; str w4, [x2]', 'ldr w5, [x2]; dmb ish; str w4, [x1]'],
      forbidden: outcome([1, 0], [1, 0]),
    },
    {
      name: 'IRIW with Load-Acquire',
      threads: ['str w4, [x1]', 'str w4, [x2]', 'ldar w5, [x1]; ldar w6, [x2]', 'ldar w5, [x2]; ldar w6, [x1]'],
      forbidden: outcome([0, 0], [0, 0], [1, 0], [1, 0]),
    },
  ])('$name', { timeout }, ({ name, threads, forbidden }) => {
    expect(codeOf(name, shape(threads, forbidden), threads.length, threads.length)).toBe(0);
  });

  test('an increment that is lost, by an atomic, by exclusives, or of a pair of doublewords', { timeout }, () => {
    const cores = 3;
    const count = 3000;
    const source = `${boot(cores)}
        mov     w25, #0
        mov     x27, #0
        adr     x1, sums
        adr     x6, one
        adr     x16, both
        add     x8, x16, #16
        mov     x23, #${count}
        ${meet(cores, 'wait')}
more:   mov     x4, #1
        ldadd   x4, x5, [x1]
again:  ldxr    x5, [x6]
        add     x5, x5, #1
        stxr    w7, x5, [x6]
        cbnz    w7, again
        str     x23, [x8]
        ldp     x10, x11, [x16]
pair:   mov     x12, x10
        mov     x13, x11
        add     x14, x10, #1
        add     x15, x11, #2
        casp    x10, x11, x14, x15, [x16]
        cmp     x10, x12
        ccmp    x11, x13, #0, eq
        b.ne    pair
        sub     x23, x23, #1
        cbnz    x23, more
        ${meet(cores, 'over')}
        ldr     x5, [x1]
        ldr     x10, [x6]
        ldp     x12, x13, [x16]
        ldr     x14, =${cores * count}
        cmp     x5, x14
        cinc    x27, x27, ne
        cmp     x10, x14
        cinc    x27, x27, ne
        cmp     x12, x14
        cinc    x27, x27, ne
        cmp     x13, x14, lsl #1
        cinc    x27, x27, ne
        ${finish}
        .align  7
sums:   .quad   0
        .align  7
one:    .quad   0, 0
        .align  7
both:   .quad   0, 0, 0, 0`;
    expect(codeOf('sums', source, cores, cores)).toBe(0);
  });
});
