// Loaded before the built command line (node --import): tells at its end how much CPU time the process has used, all threads together.

import process from 'node:process';
import { isMainThread } from 'node:worker_threads';

if (isMainThread) {
  process.on('exit', () => {
    const { user, system } = process.cpuUsage();
    process.stderr.write(`\ncpu ${(user + system) / 1000} ms\n`);
  });
}
