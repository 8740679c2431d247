// Ends this process when it hangs, and says on what: a loop inside generated code cannot be interrupted from outside, so that a test's
// own timeout would never come.

import { Worker } from 'node:worker_threads';

export interface Watchdog {
  /** Work has come so far. */
  progress(index: number): void;
  stop(): Promise<unknown>;
}

const thread = `
  const { workerData } = require('node:worker_threads');
  const { writeSync } = require('node:fs');
  const { cell, what, limitMs } = workerData;
  let seen = -1;
  setInterval(() => {
    const now = Atomics.load(cell, 0);
    if (now === seen) {
      writeSync(2, what + ' ' + now + ' hangs\\n');
      process.kill(process.pid, 'SIGKILL');
    }
    seen = now;
  }, limitMs);
`;

/** Watches work whose pieces, the shrinking of a failure included, take far less than `limitMs` each; `what` and an index find it again. */
export function watchdog(what: string, limitMs = 120_000): Watchdog {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(thread, { eval: true, workerData: { cell, what, limitMs } });
  worker.unref();
  return {
    progress: (index) => {
      Atomics.store(cell, 0, index);
    },
    stop: () => worker.terminate(),
  };
}
