import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { builtRun, writeImage } from './built-run.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'heddle-dma-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

test(
  'what a device writes over code ends its translations at every host, in the same run whatever their number',
  { timeout: 120_000 },
  () => {
    // Cores 1 and 2 call `code` until it returns 2, and add up what it returns by exclusives; core 0
    // lets them get hot, and then copies `other` to `code` with the DMA engine.
    const image = writeImage(
      join(folder, 'code.img'),
      `
start:  mov     x19, #2
next:   ldr     x0, =0xc4000003
        mov     x1, x19
        adr     x2, caller
        mov     x3, x19
        smc     #0
        subs    x19, x19, #1
        b.ne    next
        ldr     x0, =200000
delay:  subs    x0, x0, #1
        b.ne    delay
        ldr     x1, =0x090c0000
        adr     x2, other
        str     w2, [x1, #0x18]
        adr     x2, code
        str     w2, [x1, #0x20]
        mov     w2, #8
        str     w2, [x1, #0x28]
        mov     w2, #1
        str     w2, [x1, #0x08]
busy:   ldr     w2, [x1, #0x0c]
        tbnz    w2, #0, busy
        adr     x3, done
wait:   ldar    w4, [x3]
        cmp     w4, #2
        b.ne    wait
        adr     x5, count
        ldr     x20, [x5]
        ldr     x0, =0x84000008
        smc     #0
caller: adr     x21, code
        adr     x22, count
call:   isb
        blr     x21
again:  ldxr    x1, [x22]
        add     x1, x1, x0
        stxr    w2, x1, [x22]
        cbnz    w2, again
        cmp     x0, #1
        b.eq    call
        adr     x3, done
        mov     w4, #1
        ldaddal w4, w5, [x3]
sleep:  wfi
        b       sleep
        .align  6
code:   mov     x0, #1
        ret
        .align  6
other:  mov     x0, #2
        ret
        .align  6
count:  .quad   0
done:   .word   0
        .align  6
`,
    );
    const reports = [1, 2, 3].map((hostThreads) => {
      const options = ['--cores', '3', '--dma', 'on', '--seed', '4', '--max-time', '100ms', '--json'];
      const { stdout } = builtRun(image, ...options, '--host-threads', `${hostThreads}`);
      return JSON.parse(stdout) as { reason: string; traceHash: string; cores: { instructions: number }[] };
    });
    expect(reports[0]?.reason).toBe('system-off');
    expect(reports[0]?.cores[2]?.instructions).toBeGreaterThan(100_000);
    expect(reports[1]).toEqual(reports[0]);
    expect(reports[2]).toEqual(reports[0]);
  },
);
