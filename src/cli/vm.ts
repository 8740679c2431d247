// heddle vm: a system of virtual machines under Rhyper, from power-on to its end.

import type { RunIo } from '../board/run-options.ts';
import { formatCount, formatSize, formatTime } from '../report/figures.ts';
import { type Latency, latenciesOf } from '../report/latency.ts';
import { endingOf, type RunReport } from '../report/run-report.ts';
import { formatTable } from '../report/run-table.ts';
import { formatLatencies, formatVmTables } from '../report/vm-table.ts';
import type { VmSystemReport } from '../vm/report.ts';
import { consoleLines } from './console-lines.ts';
import { quote } from './run-options.ts';
import type { Terminal } from './terminal.ts';
import { version } from './version.ts';
import { parseVmOptions, type TypedVmOptions, type VmRun } from './vm-options.ts';

export type RunVmSystem = (
  options: VmRun,
  io: Pick<RunIo, 'stdout' | 'progress' | 'signal'>,
) => Promise<{ readonly report: RunReport; readonly vms: VmSystemReport }>;

interface VmDocument extends Omit<RunReport, 'format'> {
  readonly format: 'heddle-vm';
  readonly vms: VmSystemReport['vms'];
  readonly hypervisor: VmSystemReport['cores'];
  /** What each source has written, by its name. */
  readonly consoles: Readonly<Record<string, string>>;
  readonly latencies: Readonly<Record<string, Latency>>;
  readonly hostTimeMs?: number;
}

/** The first line of a run: everything that decides what it does. */
function headline({ system, seed }: VmRun): string {
  const { cores, memoryBytes, gicVersion } = system.board;
  const { profile, quirks, trapsWaits, injection } = system.description.options;
  return [
    `heddle ${version}, Rhyper, model sc, gic-version=${gicVersion}, ${cores === 1 ? '1 core' : `${cores} cores`}`,
    `${formatSize(memoryBytes)}, seed ${seed}, conductor lockstep, profile ${profile}`,
    quirks.length === 0 ? 'strict' : `quirks ${quirks.join(' ')}`,
    ...(trapsWaits ? ['wait traps'] : []),
    injection,
  ].join(', ');
}

/** The command that does this run again. What changes only speed or output is left out. */
function commandOf(file: string, commands: readonly string[], typed: TypedVmOptions): string {
  const valued = (option: string, value: string | undefined): string[] => (value === undefined ? [] : [option, value]);
  const options = [
    ...['--seed', typed.seed],
    ...valued('--max-time', typed.maxTime),
    ...valued('--profile', typed.profile),
    ...valued('--fidelity', typed.fidelity),
    ...(typed.quirk ?? []).flatMap((name) => ['--quirk', name]),
    ...(typed.waitTraps ? ['--wait-traps'] : []),
    ...valued('--injection', typed.injection),
  ];
  return ['heddle vm', quote(file), ...commands.map(quote), ...options].join(' ');
}

/** Runs a system and returns the exit code of the command. `commands`: for the shell of the management VM. */
export async function vm(
  file: string,
  commands: readonly string[],
  typed: TypedVmOptions,
  terminal: Terminal,
  runVmSystem: RunVmSystem,
): Promise<number> {
  const options = parseVmOptions(file, typed, commands);
  const json = typed.json ?? false;
  terminal.error(`${headline(options)}\n`);
  const lines = consoleLines((text) => {
    if (json) terminal.error(text);
    else terminal.print(text);
  });
  const startMs = performance.now();
  const { report, vms } = await runVmSystem(options, {
    stdout: (bytes, source = 'board') => {
      lines.write(source, bytes);
    },
    progress: (ticks, instructions) => {
      terminal.progress(`simulated time ${formatTime(ticks)}, ${formatCount(instructions)} instructions`);
    },
    signal: terminal.signal,
  });
  lines.end();
  const hostTimeMs = performance.now() - startMs;

  const consoles = lines.texts();
  const latencies = latenciesOf(consoles);
  if (json) {
    const document: VmDocument = {
      ...report,
      format: 'heddle-vm',
      vms: vms.vms,
      hypervisor: vms.cores,
      consoles,
      latencies,
      ...(typed.stats && { hostTimeMs }),
    };
    terminal.print(`${JSON.stringify(document, undefined, 2)}\n`);
  } else {
    if (typed.stats) terminal.print(`${formatTable(report)}\n`);
    terminal.print(`${formatVmTables(vms)}\n`);
    if (Object.keys(latencies).length > 0) terminal.print(`${formatLatencies(latencies)}\n`);
    const { simulatedTimeNs, instructions, traceHash } = report;
    const time = formatTime(simulatedTimeNs);
    terminal.print(`simulated time ${time}, ${formatCount(instructions)} instructions, trace ${traceHash}\n`);
    if (typed.stats) terminal.print(`host time ${formatTime(Math.round(hostTimeMs * 1e6))}\n`);
  }
  const wasTold = report.reason === 'exit' || report.reason === 'system-off' || report.reason === 'system-reset';
  if (!wasTold) terminal.error(`heddle: ${endingOf(report)}\n${commandOf(file, commands, typed)}\n`);
  return report.exitCode;
}
