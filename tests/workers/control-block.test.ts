import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import {
  codeLogEntries,
  commandKind,
  controlBuffer,
  openControlBlock,
  stopReason,
} from '../../workers/control-block.ts';

const nothing = { untilTicks: 0, firstCore: 0, lastCore: 0, alone: false, withDevices: false, instructionsLeft: 0 };

let worker: Worker | undefined;
afterEach(async () => {
  await worker?.terminate();
  worker = undefined;
});

/** A host on its own thread that answers each command with what was in it, and tells at the end how it fared. */
function echo(): { buffer: SharedArrayBuffer; letter: Int32Array; result: Promise<unknown> } {
  const buffer = controlBuffer(2);
  const letter = new Int32Array(new SharedArrayBuffer(4));
  const thread = new Worker(new URL('./control-echo.mjs', import.meta.url), { workerData: { buffer, letter } });
  worker = thread;
  const result = new Promise<unknown>((resolve, reject) => {
    thread.once('message', resolve);
    thread.once('error', reject);
  });
  return { buffer, letter, result };
}

describe('a control block', () => {
  it('brings 100,000 commands to another thread and their replies back', async () => {
    const { buffer, result } = echo();
    const control = openControlBlock(buffer, 2);
    for (let n = 0; n < 100_000; n += 1) {
      const asked = {
        kind: commandKind.run,
        untilTicks: n * 2 ** 20 + 1,
        firstCore: n,
        lastCore: n + 1,
        alone: n % 2 === 1,
        withDevices: n % 3 === 1,
        instructionsLeft: n % 5 === 0 ? Infinity : n,
      };
      // Doorbells that have no command must not hide the one that has.
      if (n % 4 === 0) control.ring(1);
      const reply = control.command(1, asked, () => undefined);
      if (n % 4 === 1) control.ring(0);
      const expected = {
        first: asked.untilTicks,
        core: n - 5,
        others: asked.instructionsLeft,
        instructions: n + 1,
        forwarded: (asked.alone ? 1 : 0) | (asked.withDevices ? 2 : 0),
      };
      if (reply.first !== expected.first || n % 10_000 === 0) expect(reply).toEqual(expected);
    }
    control.finish(1);
    expect(await result).toMatchObject({ commands: 100_000, missed: 0 });
  });

  it('wakes a host that waits for a command at every ring of its doorbell, so that it drains its mailboxes', async () => {
    const { buffer, letter, result } = echo();
    const control = openControlBlock(buffer, 2);
    control.command(1, { kind: commandKind.outlook, ...nothing }, () => undefined);
    for (let n = 1; n <= 2000; n += 1) {
      // The echo's mailbox: its `idle` answers n by -n.
      Atomics.store(letter, 0, n);
      control.ring(1);
      while (Atomics.load(letter, 0) === n) Atomics.wait(letter, 0, n, 1000);
      expect(Atomics.load(letter, 0)).toBe(-n);
    }
    control.finish(1);
    await result;
  });

  it('keeps the first reason to stop, with its exit code', () => {
    const control = openControlBlock(controlBuffer(1), 1);
    expect(control.stopReason()).toBe(stopReason.none);
    control.stop(stopReason.exit, 42);
    control.stop(stopReason.systemOff, 0);
    expect([control.stopReason(), control.exitCode()]).toEqual([stopReason.exit, 42]);
    expect(control.aborted()).toBe(false);
    control.abort();
    expect(control.aborted()).toBe(true);
  });

  it('tells which lines of code were written since a reader looked last, also when its count passes 2^31', () => {
    const buffer = controlBuffer(1);
    const control = openControlBlock(buffer, 1);
    const countWord = 3;
    for (const start of [0, 0x7fff_fffe, -2]) {
      new Int32Array(buffer)[countWord] = start;
      for (let line = 0; line < 5; line += 1) control.logCodeWrite(100 + line);
      expect(control.codeWritesSince(start)).toEqual({ lines: [100, 101, 102, 103, 104], count: (start + 5) | 0 });
      expect(control.codeWritesSince((start + 3) | 0).lines).toEqual([103, 104]);
      expect(control.codeWritesSince((start + 5) | 0).lines).toEqual([]);
    }
  });

  it('says so when it has forgotten lines that a reader has not seen', () => {
    const control = openControlBlock(controlBuffer(1), 1);
    for (let line = 0; line < codeLogEntries; line += 1) control.logCodeWrite(line);
    expect(control.codeWritesSince(0).lines).toHaveLength(codeLogEntries);
    control.logCodeWrite(7);
    expect(control.codeWritesSince(0)).toEqual({ lines: undefined, count: codeLogEntries + 1 });
    expect(control.codeWritesSince(1).lines?.at(-1)).toBe(7);
  });

  it('numbers what hosts say in the order in which they say it', () => {
    const buffer = controlBuffer(2);
    const [one, other] = [openControlBlock(buffer, 2), openControlBlock(buffer, 2)];
    expect([one.nextOutput(), other.nextOutput(), other.nextOutput(), one.nextOutput()]).toEqual([0, 1, 2, 3]);
  });
});
