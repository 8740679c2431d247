// The promises of the conductor `parallel`. That guests print what they print under lockstep, again and again, is for `npm run stress`,
// a short form of which runs in CI.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { builtRun, writeImage } from '../workers/built-run.ts';
import { expectedOf, guests, runGuest } from './built.ts';

const timeout = 180_000;
let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'heddle-parallel-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe('under parallel', () => {
  const names = [
    'smp-hello',
    'spinlocks',
    'ipi-broadcast',
    'mmu-shootdown',
    'wfe-mutex',
    'selfmod',
    'crossmod',
    'psci',
  ];
  test.each(guests.filter(({ name }) => names.includes(name)))(
    '$name prints on 4 cores what was recorded, and exits with its code',
    { timeout },
    async ({ name, machine, exitCode }) => {
      const ended = await runGuest(name, machine, 4, '--conductor=parallel', '--host-threads=2');
      expect(ended).toMatchObject({ stdout: expectedOf(name), code: exitCode });
    },
  );

  const run = (
    name: string,
    source: string,
    ...options: readonly string[]
  ): { code: number | null; report: unknown } => {
    const image = writeImage(join(folder, `${name}.img`), source);
    const words = ['--conductor', 'parallel', '--host-threads', '2', '--cores', '2', '--json'];
    const { code, stdout } = builtRun(image, ...words, ...options);
    return { code, report: JSON.parse(stdout) };
  };

  test('an instruction with several accesses to a device has all of their answers', { timeout }, () => {
    const source = `
      start: mov x10, #0x0fe0
             movk x10, #0x0900, lsl #16
             ldp w1, w2, [x10]
             ldp x3, x4, [x10]
             cmp w1, #0x11
             ccmp w2, #0x10, #0, eq
             ccmp w3, #0x11, #0, eq
             ccmp w4, #0x14, #0, eq
      fails: b.ne fails
             mov w0, #0x0008
             movk w0, #0x8400, lsl #16
             smc #0`;
    const { code, report } = run('pairs', source, '--max-time', '20s');
    expect(report).toMatchObject({ reason: 'system-off' });
    expect(code).toBe(0);
  });

  test('--max-instructions ends the run after so many, and its JSON has no trace hash', { timeout }, () => {
    const { code, report } = run('endless', 'start: b start', '--max-instructions', '1000000');
    expect(code).toBe(3);
    expect(report).toMatchObject({ reason: 'max-instructions', instructions: 1_000_000 });
    expect(report).not.toHaveProperty('traceHash');
  });

  test('--max-time ends the run, whether cores work or sleep; time in which all sleep is skipped', { timeout }, () => {
    const start = performance.now();
    const asleep = run('asleep', 'start: wfi\n b start', '--max-time', '3000s');
    expect(asleep).toMatchObject({ code: 3, report: { reason: 'max-time', simulatedTimeNs: 3e12 } });
    expect(performance.now() - start).toBeLessThan(60_000);
    const busy = run('busy', 'start: b start', '--max-time', '50ms');
    expect(busy).toMatchObject({ code: 3, report: { reason: 'max-time', simulatedTimeNs: 50_000_000 } });
  });

  test('a machine that would sleep for ever says so, also where a core waits for a store', { timeout }, () => {
    const { code, report } = run(
      'deadlock',
      `
start:  adr     x1, data
again:  ldxr    w0, [x1]
        cbnz    w0, start
        wfe
        b       again
        .align  3
data:   .quad   0`,
    );
    expect({ code, report }).toMatchObject({ code: 1, report: { reason: 'deadlock' } });
  });

  test('PSCI SYSTEM_OFF and an exception without end stop the run as under lockstep', { timeout }, () => {
    const off = run('off', 'start: ldr x0, =0x84000008\n smc #0\n b start');
    expect(off).toMatchObject({ code: 0, report: { reason: 'system-off' } });
    const lost = run('lost', 'start: mov x0, #0x10000000\n br x0');
    expect(lost).toMatchObject({ code: 1, report: { reason: 'guest-error' } });
  });
});
