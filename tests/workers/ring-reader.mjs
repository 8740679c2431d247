// The reading thread of ring.test.ts: checks that message n is what the writer writes as message n.

import { parentPort, workerData } from 'node:worker_threads';
import { openRing } from '../../dist/workers/ring.js';

const { buffer, count } = workerData;
const ring = openRing(buffer);
const pause = new Int32Array(new SharedArrayBuffer(4));
let read = 0;
let wrong;
const check = (message) => {
  const { code, source, target, sequence, dueTicks, payload } = message;
  const isRight =
    code === read % 7 &&
    source === 1 &&
    target === 2 &&
    sequence === read &&
    dueTicks === read * 2 ** 20 &&
    payload.length === 2 &&
    payload[0] === read &&
    payload[1] === ~read >>> 0;
  if (!isRight) wrong ??= { expected: read, message };
  read += 1;
};
while (read < count) {
  const before = read;
  ring.drain(check);
  if (read === before) Atomics.wait(pause, 0, 0, 0.05);
}
parentPort.postMessage({ read, wrong });
