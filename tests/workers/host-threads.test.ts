import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { builtRun, main, writeImage } from './built-run.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'heddle-hosts-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

test('hosts whose cores have nothing to do use no CPU time while another host works', { timeout: 120_000 }, () => {
  // The first core counts for ever; the others are never turned on.
  const image = writeImage(join(folder, 'endless.img'), 'start: add x0, x0, #1\n eor x1, x1, x0\n b start');
  const cpuOf = (hostThreads: number): number => {
    const limit = ['--max-instructions', '6000000000'];
    const { stdout, cpuMilliseconds } = builtRun(
      image,
      '--cores',
      '3',
      '--host-threads',
      `${hostThreads}`,
      ...limit,
      '--json',
    );
    expect(JSON.parse(stdout)).toMatchObject({ reason: 'max-instructions', instructions: 6_000_000_000 });
    return cpuMilliseconds;
  };
  // Threads that spin would make it three times as much; two more threads take their time to start.
  expect(cpuOf(3) / cpuOf(1)).toBeLessThan(1.6);
});

test('what cores of different hosts say comes out in the order of simulated time', { timeout: 120_000 }, () => {
  // Each of four cores says its letter 100 times by semihosting, all at once; the last to have done so ends the run.
  const image = writeImage(
    join(folder, 'chorus.img'),
    `
start:  mov     x19, #3
next:   ldr     x0, =0xc4000003
        mov     x1, x19
        adr     x2, say
        mov     x3, x19
        smc     #0
        subs    x19, x19, #1
        b.ne    next
        mov     x0, #0
say:    adr     x20, letters
        add     x20, x20, x0
        mov     x21, #100
again:  mov     w0, #3
        mov     x1, x20
        hlt     #0xf000
        subs    x21, x21, #1
        b.ne    again
        adr     x22, done
        mov     w23, #1
        ldaddal w23, w24, [x22]
        cmp     w24, #3
        b.ne    sleep
        ldr     x0, =0x84000008
        smc     #0
sleep:  wfi
        b       sleep
        .align  3
done:   .word   0
letters: .ascii "abcd"
        .align  3
`,
  );
  const runs = [1, 2, 4].map((n) => builtRun(image, '--cores', '4', '--host-threads', `${n}`, '--seed', '5'));
  const said = runs.map(({ stdout }) => stdout.match(/[abcd]{400}/)?.[0]);
  expect(said[0]).toBeDefined();
  expect(said[0]).toMatch(/a+[bcd]+a/);
  expect(said).toEqual([said[0], said[0], said[0]]);
});

test('whoever reads the output only after the run has all of it', { timeout: 60_000 }, async () => {
  // 2,000 lines of 1,000 characters by semihosting (SYS_WRITE0), many times what a pipe holds; then a loop for ever.
  const image = writeImage(
    join(folder, 'verbose.img'),
    `
start:  adr     x1, line
        mov     x2, #999
        mov     w3, #0x78
fill:   strb    w3, [x1], #1
        subs    x2, x2, #1
        b.ne    fill
        mov     w3, #10
        strb    w3, [x1], #1
        strb    wzr, [x1]
        mov     x20, #2000
again:  adr     x1, line
        mov     w0, #4
        hlt     #0xf000
        subs    x20, x20, #1
        b.ne    again
        b       .
line:
`,
  );
  for (const hostThreads of [1, 2]) {
    const words = ['--cores=2', `--host-threads=${hostThreads}`, '--max-instructions=200000'];
    const child = spawn(process.execPath, [main, 'run', image, ...words]);
    const closed = once(child, 'close');
    await new Promise<void>((ended) => {
      let complaint = '';
      child.stderr.setEncoding('utf8').on('data', (piece: string) => {
        complaint += piece;
        if (complaint.includes('heddle: stopped')) ended();
      });
    });
    const output = await text(child.stdout);
    expect(await closed).toEqual([3, null]);
    expect(output).toBe(`${'x'.repeat(999)}\n`.repeat(2000));
  }
});
