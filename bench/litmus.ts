// npm run bench:litmus -- FOLDER: every test of a folder of published litmus tests in one process, beside the time that herd7 took for it.
//
// FOLDER holds expected.jsonl, a test a line, with its path, its group and herd_seconds: the wall time of one herd7 process, its start
// of about 0.03 s included.
//
// Our time for a test is that on the clock, or the processor time of all threads where that is less: then the machine did something else.

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { builtInModels } from '../src/explore/explore.ts';
import { runLitmus } from '../src/explore/litmus.ts';
import { registerNames } from '../src/arch/register-names.ts';
import { parseLitmus } from '../src/memory-model/litmus/parse.ts';
import { litmusProgram } from '../src/memory-model/litmus/program.ts';
import { UserError } from '../src/report/user-error.ts';
import { table } from './table.ts';

interface Published {
  readonly path: string;
  readonly group: string;
  readonly herd_seconds: number;
}

interface Timed extends Published {
  readonly seconds: number;
}

/** Tests below this are not compared one by one: start-up and clocks are all that would be seen. */
const leastSeconds = 0.05;
const worstShown = 10;

const folder = process.argv[2] ?? '../shared/litmus';
const published = readFileSync(join(folder, 'expected.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Published)
  .filter(({ group }) => group === 'user' || group === 'mixed');

const timed: Timed[] = [];
let refused = 0;
for (const test of published) {
  const startMs = performance.now();
  const start = process.cpuUsage();
  try {
    const text = readFileSync(join(folder, test.path), 'utf8');
    runLitmus(litmusProgram(parseLitmus(text, test.path), { names: registerNames }), builtInModels.arm);
    const used = process.cpuUsage(start);
    const processorMs = (used.user + used.system) / 1000;
    timed.push({ ...test, seconds: Math.min(performance.now() - startMs, processorMs) / 1000 });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    refused += 1;
  }
}

const sum = (tests: readonly Timed[], of: (test: Timed) => number): number =>
  tests.reduce((total, test) => total + of(test), 0);
const row = (name: string, tests: readonly Timed[]): string[] => {
  const [herd, ours] = [sum(tests, (test) => test.herd_seconds), sum(tests, (test) => test.seconds)];
  return [name, `${tests.length}`, herd.toFixed(2), ours.toFixed(2), (herd / ours).toFixed(1)];
};

const folders = [...new Set(timed.map(({ path }) => dirname(path)))];
const rows = folders.map((name) =>
  row(
    name,
    timed.filter(({ path }) => dirname(path) === name),
  ),
);
process.stdout.write(`${table(['folder', 'tests', 'herd7 s', 'heddle s', 'times'], [...rows, row('all', timed)])}\n`);
const worst = timed
  .filter(({ seconds }) => seconds >= leastSeconds)
  .sort((a, b) => b.seconds / b.herd_seconds - a.seconds / a.herd_seconds)
  .slice(0, worstShown);
process.stdout.write(
  `${table(
    [`slowest beside herd7, of at least ${leastSeconds} s`, 'herd7 s', 'heddle s', 'of its time'],
    worst.map((test) => [
      test.path,
      test.herd_seconds.toFixed(3),
      test.seconds.toFixed(3),
      (test.seconds / test.herd_seconds).toFixed(2),
    ]),
  )}\n`,
);
const violations = timed.filter(({ seconds, herd_seconds }) => seconds >= leastSeconds && seconds > herd_seconds / 3);
process.stdout.write(
  `${violations.length} tests of at least ${leastSeconds} s took more than a third of herd7's time` +
    `${violations.map(({ path }) => `\n  ${path}`).join('')}\n` +
    `${refused} tests were refused\n`,
);

/** What herd7 needs for a test without its start, as ../shared/litmus/README.md has it. */
const oneProcess = { folder: 'user/dat3m/SYS/', msPerTest: 8 };
const speedcheck = { folder: 'user/dat3m/', tests: 5140, seconds: 151 };
const msPerTest = (of: string, secondsOf: (test: Timed) => number): number => {
  const tests = timed.filter(({ path }) => path.startsWith(of));
  return (1000 * sum(tests, secondsOf)) / tests.length;
};
const ours = (of: string): number => msPerTest(of, ({ seconds }) => seconds);
const times = (herd: number, ours: number): string[] => [herd.toFixed(2), ours.toFixed(2), (herd / ours).toFixed(1)];
const msOfProcess = msPerTest('', ({ herd_seconds }) => herd_seconds);
const msOfSpeedcheck = (1000 * speedcheck.seconds) / speedcheck.tests;
process.stdout.write(
  table(
    ['a test, all states here, in one process', 'herd7 ms', 'heddle ms', 'times'],
    [
      ['herd7: one process a test, all states', ...times(msOfProcess, ours(''))],
      [
        `herd7: one process, all states (${oneProcess.folder})`,
        ...times(oneProcess.msPerTest, ours(oneProcess.folder)),
      ],
      [
        `herd7: one process, -speedcheck fast (${speedcheck.folder})`,
        ...times(msOfSpeedcheck, ours(speedcheck.folder)),
      ],
    ],
  ),
);
