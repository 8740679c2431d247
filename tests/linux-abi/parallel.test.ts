// Linux programs whose threads run at the same time, on cores of several host threads: they print what they print under lockstep. Every
// program, again and again, is for `npm run stress`.

import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { expectedOf, heddleRun, programs, runSuite, suite } from './suite.ts';

const parallel = ['--conductor', 'parallel', '--cores', '4', '--host-threads', '2'];
const names = ['threads', 'lockfree', 'robust'];

describe('under parallel', () => {
  it.each(programs.filter(({ name }) => names.includes(name)))(
    '$name prints what it prints under Linux, on 4 cores of 2 threads',
    { timeout: 120_000 },
    ({ name, exitCode }) => {
      const { code, stdout } = runSuite(name, parallel);
      expect({ code, stdout }).toEqual({ code: exitCode, stdout: expectedOf(name) });
    },
  );

  // A thread that is told to end, or of a signal, comes into the kernel to wait before its core has heard of it.
  it(
    'signals and ends reach threads that run elsewhere, and those that are about to wait',
    { timeout: 120_000 },
    () => {
      const words = [...parallel, resolve(suite, '../pthreads'), '--', 'messages', 'forks'];
      const { code, stdout } = heddleRun(words);
      const expected = expectedOf('pthreads');
      const part = expected.slice(expected.indexOf('messages\n'), expected.indexOf('crowd\n'));
      expect({ code, stdout }).toEqual({ code: 0, stdout: part });
    },
  );
});
