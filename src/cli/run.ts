// heddle run: one machine, from reset to its end.

import { commandOf, machineOf, parseRunOptions } from './run-options.ts';
import { formatCount, formatSize, formatTime } from '../report/figures.ts';
import { endingOf, formatJson } from '../report/run-report.ts';
import type { HostProfile, ProfileIo } from '../report/profile.ts';
import { writeOutput } from './input.ts';
import { version } from './version.ts';
import type { RunIo, RunOptions } from '../board/run-options.ts';
import type { HostTime, RunReport } from '../report/run-report.ts';
import type { TypedOptions } from './run-options.ts';
import type { Terminal } from './terminal.ts';

export type RunMachine = (options: RunOptions, io: RunIo & ProfileIo) => Promise<RunReport>;

/** Under lockstep one core at a time touches memory: what it shows is sequentially consistent. Else it is what the host shows. */
const memoryModelOf = ({ conductor }: RunOptions): string => (conductor === 'lockstep' ? 'sc' : 'of the host');

/** The first line of a run: everything that decides what it does. */
function headline(options: RunOptions): string {
  const { cores, memoryBytes, cpu, seed, conductor, linux } = options;
  const machine = linux ? 'Linux ABI' : machineOf(options);
  const count = cores === 1 ? '1 core' : `${cores} cores`;
  return `heddle ${version}, model ${memoryModelOf(options)}, ${machine}, ${count} ${cpu}, ${formatSize(memoryBytes)}, seed ${seed}, conductor ${conductor}`;
}

/** The machine's own figures in one line, those of the host in another. */
function summary(
  { simulatedTimeNs, instructions, traceHash }: RunReport,
  { hostTimeMs, hostRunMs = hostTimeMs }: HostTime,
): string {
  const millionPerSecond = hostRunMs > 0 ? instructions / hostRunMs / 1000 : 0;
  const time = formatTime(simulatedTimeNs);
  const [hostTime, start] = [hostTimeMs, hostTimeMs - hostRunMs].map((ms) => formatTime(Math.round(ms * 1e6)));
  return [
    `simulated time ${time}, ${formatCount(instructions)} instructions${traceHash === undefined ? '' : `, trace ${traceHash}`}`,
    `host time ${hostTime}, ${start} of it to start and to end, ${millionPerSecond.toFixed(1)} million instructions a second`,
  ].join('\n');
}

/** What a Linux program has asked of its kernel in vain. */
const unknownCallsOf = ({ unknownCalls = [] }: RunReport): string =>
  unknownCalls.length === 0
    ? ''
    : `system calls answered with ENOSYS: ${unknownCalls.map(({ name, number, count }) => `${name} (${number}) ${count} times`).join(', ')}\n`;

/** Runs the machine and returns the exit code of the command. */
export async function run(
  image: string,
  words: readonly string[],
  typed: TypedOptions,
  terminal: Terminal,
  runMachine: RunMachine,
): Promise<number> {
  const options = parseRunOptions(image, words, typed);
  terminal.error(`${headline(options)}\n`);
  const startMs = performance.now();
  let hostRunMs: number | undefined;
  let profile: HostProfile | undefined;
  const report = await runMachine(options, {
    stdout: (bytes, source) => {
      // The standard error of a Linux program is this one's.
      if (options.json || source === 'stderr') terminal.error(bytes);
      else terminal.print(bytes);
    },
    stderr: (text) => {
      terminal.error(text);
    },
    writeFile: writeOutput,
    profiled: (found) => {
      profile = found;
    },
    conducted: (hostMs) => {
      hostRunMs = hostMs;
    },
    progress: (ticks, instructions) => {
      terminal.progress(`simulated time ${formatTime(ticks)}, ${formatCount(instructions)} instructions`);
    },
    signal: terminal.signal,
  });
  const hostTime: HostTime = { hostTimeMs: performance.now() - startMs, ...(hostRunMs !== undefined && { hostRunMs }) };

  if (options.json)
    terminal.print(`${formatJson(report, { ...(options.stats && hostTime), ...(profile && { profile }) })}\n`);
  else {
    if (options.stats) {
      // Tables are loaded where one is printed.
      const { formatTable } = await import('../report/run-table.ts');
      terminal.print(`${formatTable(report)}\n${summary(report, hostTime)}\n${unknownCallsOf(report)}`);
    }
    if (profile) {
      const { formatProfile } = await import('../report/profile-table.ts');
      terminal.print(`${formatProfile(profile)}\n`);
    }
  }
  const wasTold = report.reason === 'exit' || report.reason === 'system-off' || report.reason === 'system-reset';
  if (!wasTold) terminal.error(`heddle: ${endingOf(report)}\n${commandOf(options)}\n`);
  return report.exitCode;
}
