// heddle vm: a system of virtual machines under Rhyper, from power-on to its end.

import type { RunIo } from '../board/run-options.ts';
import { formatCount, formatSize, formatTime } from '../report/figures.ts';
import { type Latencies, type LatencyRatio, latenciesOf, latencyRatios } from '../report/latency.ts';
import { formatHistograms, formatLatencies } from '../report/latency-table.ts';
import { endingOf, type RunReport } from '../report/run-report.ts';
import { formatTable } from '../report/run-table.ts';
import { formatStreams } from '../report/smmu-table.ts';
import { formatDevices } from '../report/vm-device-table.ts';
import { formatVmTables } from '../report/vm-table.ts';
import type { VmDeviceReport } from '../vm/device-report.ts';
import type { VmSystemReport } from '../vm/report.ts';
import { consoleLines } from './console-lines.ts';
import { writeOutput } from './input.ts';
import { quote } from './quote.ts';
import type { Terminal } from './terminal.ts';
import { version } from './version.ts';
import { parseVmOptions, type TypedVmOptions, type VmRun } from './vm-options.ts';

export type RunVmSystem = (options: VmRun, io: Omit<RunIo, 'stderr'>) => Promise<VmSystemEnd>;

/** What a system leaves behind. */
export interface VmSystemEnd {
  readonly report: Omit<RunReport, 'smmu'>;
  readonly vms: VmSystemReport;
  readonly devices: readonly VmDeviceReport[];
  /** Bytes of a VM's memory by IPA, as the run has left them; none where they are not all RAM of such a VM. */
  readonly memoryOf: (vm: string, ipa: number, bytes: number) => Uint8Array | undefined;
}

interface VmDocument extends Omit<RunReport, 'format' | 'smmu'> {
  readonly format: 'heddle-vm';
  readonly vms: VmSystemReport['vms'];
  readonly hypervisor: VmSystemReport['cores'];
  readonly smmu?: VmSystemReport['smmu'];
  readonly vmDevices: readonly VmDeviceReport[];
  /** What each source has written, by its name. */
  readonly consoles: Readonly<Record<string, string>>;
  readonly latencies: Latencies;
  readonly against?: Comparison;
  readonly hostTimeMs?: number;
}

/** The same hypervisor and commands with another system, and how many times as long the latencies are here. */
interface Comparison {
  readonly file: string;
  readonly traceHash?: string;
  readonly latencies: Latencies;
  readonly ratios: Readonly<Record<string, LatencyRatio>>;
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
    ...valued('--gic', typed.gic),
    ...valued('--profile', typed.profile),
    ...valued('--fidelity', typed.fidelity),
    ...(typed.quirk ?? []).flatMap((name) => ['--quirk', name]),
    ...(typed.waitTraps ? ['--wait-traps'] : []),
    ...valued('--injection', typed.injection),
    ...valued('--against', typed.against),
  ];
  return ['heddle vm', quote(file), ...commands.map(quote), ...options].join(' ');
}

/** What one run has left. */
interface Outcome {
  readonly report: Omit<RunReport, 'smmu'>;
  readonly vms: VmSystemReport;
  readonly devices: readonly VmDeviceReport[];
  readonly consoles: Readonly<Record<string, string>>;
  readonly latencies: Latencies;
}

/** Runs a system; `show` takes the lines of its consoles. */
async function runOnce(
  options: VmRun,
  terminal: Terminal,
  runVmSystem: RunVmSystem,
  show: (text: string) => void,
): Promise<Outcome> {
  terminal.error(`${headline(options)}\n`);
  const lines = consoleLines(show);
  const { report, vms, devices } = await runVmSystem(options, {
    stdout: (bytes, source = 'board') => {
      lines.write(source, bytes);
    },
    progress: (ticks, instructions) => {
      terminal.progress(`simulated time ${formatTime(ticks)}, ${formatCount(instructions)} instructions`);
    },
    signal: terminal.signal,
    writeFile: writeOutput,
  });
  lines.end();
  const consoles = lines.texts();
  return { report, vms, devices, consoles, latencies: latenciesOf(consoles) };
}

/** Runs the other system, silently. One that is told to stop by the user, or by a limit, is compared as far as it has come. */
async function compare(
  file: string,
  other: VmRun,
  ours: Latencies,
  terminal: Terminal,
  runVmSystem: RunVmSystem,
): Promise<Comparison> {
  const { report, latencies } = await runOnce(other, terminal, runVmSystem, () => undefined);
  const ratios = latencyRatios(ours, latencies);
  if (Object.keys(ratios).length === 0)
    terminal.error(`heddle: ${file} has no real-time task of the same name that tells of its latency\n`);
  const { traceHash } = report;
  return { file, ...(traceHash !== undefined && { traceHash }), latencies, ratios };
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
  const other = typed.against === undefined ? undefined : parseVmOptions(typed.against, typed, commands);
  const json = typed.json ?? false;
  const startMs = performance.now();
  const { report, vms, devices, consoles, latencies } = await runOnce(options, terminal, runVmSystem, (text) => {
    if (json) terminal.error(text);
    else terminal.print(text);
  });
  const against =
    typed.against === undefined || !other
      ? undefined
      : await compare(typed.against, other, latencies, terminal, runVmSystem);
  const hostTimeMs = performance.now() - startMs;

  if (json) {
    const document: VmDocument = {
      ...report,
      format: 'heddle-vm',
      vms: vms.vms,
      hypervisor: vms.cores,
      ...(vms.smmu && { smmu: vms.smmu }),
      vmDevices: devices,
      consoles,
      latencies,
      ...(against && { against }),
      ...(typed.stats && { hostTimeMs }),
    };
    terminal.print(`${JSON.stringify(document, undefined, 2)}\n`);
  } else {
    if (typed.stats) terminal.print(`${formatTable(report)}\n`);
    terminal.print(`${formatVmTables(vms)}\n`);
    const streams = vms.smmu && formatStreams(vms.smmu);
    if (streams !== undefined) terminal.print(`${streams}\n`);
    if (devices.length > 0) terminal.print(`${formatDevices(devices)}\n`);
    if (Object.keys(latencies).length > 0) {
      terminal.print(`${formatLatencies(latencies, against)}\n`);
      const histograms = formatHistograms(latencies);
      if (histograms !== '') terminal.print(`${histograms}\n`);
    }
    const { simulatedTimeNs, instructions, traceHash } = report;
    const time = formatTime(simulatedTimeNs);
    terminal.print(`simulated time ${time}, ${formatCount(instructions)} instructions, trace ${traceHash}\n`);
    if (typed.stats) terminal.print(`host time ${formatTime(Math.round(hostTimeMs * 1e6))}\n`);
  }
  const wasTold = report.reason === 'exit' || report.reason === 'system-off' || report.reason === 'system-reset';
  if (!wasTold) terminal.error(`heddle: ${endingOf(report)}\n${commandOf(file, commands, typed)}\n`);
  return report.exitCode;
}
