// Host 1 of control-block.test.ts: answers each command with what was in it.

import { parentPort, workerData } from 'node:worker_threads';
import { commandKind, openControlBlock } from '../../dist/workers/control-block.js';

const { buffer, letter } = workerData;
const control = openControlBlock(buffer, 2);
let commands = 0;
let missed = 0;
const idle = () => {
  const arrived = Atomics.load(letter, 0);
  if (arrived <= 0) return;
  Atomics.store(letter, 0, -arrived);
  Atomics.notify(letter, 0);
};
for (;;) {
  const { kind, untilTicks, firstCore, lastCore, alone, withDevices, instructionsLeft } = control.await(1, idle);
  if (kind === commandKind.finish) break;
  if (kind === commandKind.run) {
    if (firstCore !== commands || lastCore !== firstCore + 1) missed += 1;
    commands += 1;
  }
  control.reply(1, {
    first: untilTicks,
    core: firstCore - 5,
    others: instructionsLeft,
    instructions: lastCore,
    forwarded: (alone ? 1 : 0) | (withDevices ? 2 : 0),
  });
}
parentPort.postMessage({ commands, missed });
