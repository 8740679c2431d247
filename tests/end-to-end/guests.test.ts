// Every guest under Heddle beside what was recorded, and beside QEMU where it is installed. The rules are those of tests/guests/README.md.

import { describe, expect, test } from 'vitest';
import { expectedOf, guests, hasQemu, nameOfMachine, runGuest, runUnderQemu } from './built.ts';

const timeout = 180_000;
/** With 4, what QEMU prints is compared with what was recorded, which Heddle prints too. */
const coreCounts = [1, 2, 8];

/** Their text tells which Exception levels, or how many Security states, there are. */
const tellsItsMachine = new Set(['smp-hello', 'el-walk', 'gic-priorities']);

const steady = guests.filter(({ timingIndependent, exitCode }) => timingIndependent && typeof exitCode === 'number');
const racing = guests.filter(({ timingIndependent }) => !timingIndependent);
const withOracle = steady.filter(({ qemu }) => qemu);

describe('under Heddle', () => {
  test.concurrent.each(steady)(
    '$name prints on 4 cores what was recorded, and exits with its code',
    { timeout },
    async ({ name, machine, exitCode }) => {
      const { stdout, code } = await runGuest(name, machine, 4);
      expect({ stdout, code }).toEqual({ stdout: expectedOf(name), code: exitCode });
    },
  );

  const elsewhere = steady
    .filter(({ name }) => !tellsItsMachine.has(name))
    .flatMap((guest) => guest.otherMachines.map((other) => ({ ...guest, other, levels: nameOfMachine(other) })));
  test.concurrent.each(elsewhere)(
    '$name prints the same on a machine with $levels',
    { timeout },
    async ({ name, other, exitCode }) => {
      const { stdout, code } = await runGuest(name, other, 4, '--host-threads=1');
      expect({ stdout, code }).toEqual({ stdout: expectedOf(name), code: exitCode });
    },
  );

  test.concurrent.each(racing)(
    '$name ends with one of its exit codes on 4 cores',
    { timeout },
    async ({ name, machine, exitCode }) => {
      for (const seed of [1, 2]) {
        const { stdout, code } = await runGuest(name, machine, 4, `--seed=${seed}`);
        expect([exitCode].flat()).toContain(code);
        expect(stdout).toMatch(new RegExp(`^${name}: 4 cores\n`));
      }
    },
  );
});

describe('Heddle prints byte for byte what qemu-system-aarch64 prints', () => {
  if (!hasQemu) {
    test('skipped: no qemu', () => expect(hasQemu).toBe(false));
    return;
  }

  test.concurrent.each(withOracle)(
    'for $name on 1, 2, 4 and 8 cores',
    { timeout },
    async ({ name, machine, exitCode }) => {
      for (const cores of coreCounts) {
        const [here, there] = await Promise.all([
          runGuest(name, machine, cores, '--host-threads=1'),
          runUnderQemu(name, machine, cores),
        ]);
        expect({ cores, stdout: here.stdout, code: here.code }).toEqual({
          cores,
          stdout: there.stdout,
          code: exitCode,
        });
        expect(there.code).toBe(exitCode);
      }
      const { stdout, code } = await runUnderQemu(name, machine, 4);
      expect({ stdout, code }).toEqual({ stdout: expectedOf(name), code: exitCode });
    },
  );

  const differing = withOracle
    .filter(({ name }) => tellsItsMachine.has(name))
    .flatMap((guest) => guest.otherMachines.map((other) => ({ ...guest, other, levels: nameOfMachine(other) })));
  test.concurrent.each(differing)(
    'for $name on a machine with $levels',
    { timeout },
    async ({ name, other, exitCode }) => {
      const [here, there] = await Promise.all([runGuest(name, other, 4), runUnderQemu(name, other, 4)]);
      expect({ stdout: here.stdout, code: here.code }).toEqual({ stdout: there.stdout, code: exitCode });
      expect(there.code).toBe(exitCode);
    },
  );
});
