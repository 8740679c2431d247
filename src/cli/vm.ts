// heddle vm: a system of virtual machines under Rhyper, from power-on to its end.

import { dirname, isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RunIo } from '../board/run-options.ts';
import { type Quirk, quirks as quirkTable, type RhyperOptions } from '../hypervisor/options.ts';
import { formatCount, formatTime } from '../report/figures.ts';
import { endingOf, type RunReport } from '../report/run-report.ts';
import { formatTable } from '../report/run-table.ts';
import { UserError } from '../report/user-error.ts';
import { formatVmTables } from '../report/vm-table.ts';
import type { VmSystemReport } from '../vm/report.ts';
import { readSystem, type SystemOverrides } from '../vm/system-file.ts';
import type { VmSystem } from '../vm/system.ts';
import { readInput } from './input.ts';
import { parseCount, parseTime } from './quantities.ts';
import type { Terminal } from './terminal.ts';
import { version } from './version.ts';

export interface TypedVmOptions {
  readonly seed: string;
  readonly hostThreads?: string;
  readonly maxTime?: string;
  readonly profile?: string;
  readonly fidelity?: string;
  readonly quirk?: readonly string[];
  readonly waitTraps?: true;
  readonly injection?: string;
  readonly stats?: true;
  readonly json?: true;
}

interface VmRun {
  readonly system: VmSystem;
  readonly seed: number;
  readonly hostThreads: number;
  readonly maxTimeNs?: number;
}

export type RunVmSystem = (
  options: VmRun,
  io: Pick<RunIo, 'stdout' | 'progress' | 'signal'>,
) => Promise<{ readonly report: RunReport; readonly vms: VmSystemReport }>;

const maxHostThreads = 32;
const profiles = ['rust-shyper-2023', 'rust-shyper-2025', 'rtshyper', 'textbook'] as const;
const fidelities = ['strict', 'as-is'] as const;
const injections = ['list-registers', 'hcr-bits'] as const;

function oneOf<T extends string>(option: string, value: string, known: readonly T[]): T {
  const found = known.find((name) => name === value);
  if (found === undefined)
    throw new UserError(`${option} ${value}: there is no such choice`, `use ${known.join(', ')}`);
  return found;
}

function overridesOf(typed: TypedVmOptions, commands: readonly string[]): SystemOverrides {
  const { profile, fidelity, quirk = [], waitTraps, injection } = typed;
  const options: Partial<Omit<RhyperOptions, 'quirks'>> = {
    ...(profile !== undefined && { profile: oneOf('--profile', profile, profiles) }),
    ...(waitTraps && { trapsWaits: true }),
    ...(injection !== undefined && { injection: oneOf('--injection', injection, injections) }),
  };
  return {
    options,
    quirks: quirk.map((name) => oneOf<Quirk>('--quirk', name, Object.keys(quirkTable) as Quirk[])),
    commands,
    ...(fidelity !== undefined && { fidelity: oneOf('--fidelity', fidelity, fidelities) }),
  };
}

const builtIn = 'builtin:';
const packageFolder = fileURLToPath(new URL('../../../', import.meta.url));
const guestFolder = join(packageFolder, 'tests/guests/bin/vm');
const demo = 'demo';
const demoFile = join(packageFolder, 'docs/demo.yaml');

/** Files that a system names are found from where it lies; programs of ours by their names. */
function systemOf(file: string, overrides: SystemOverrides): VmSystem {
  const path = file === demo ? demoFile : file;
  const input = readInput(path);
  const read = (name: string): ReturnType<typeof readInput> => {
    if (name.startsWith(builtIn)) return readInput(join(guestFolder, `${name.slice(builtIn.length)}.img`));
    return readInput(isAbsolute(name) ? name : join(dirname(path), name));
  };
  return readSystem(path, input.bytes, read, overrides);
}

/** Consoles of several VMs in one stream: whole lines, each with the name of its source. */
function labelledLines(write: (text: string) => void): {
  write: (bytes: Uint8Array, source: string) => void;
  flush: () => void;
} {
  const partial = new Map<string, string>();
  const decoders = new Map<string, InstanceType<typeof TextDecoder>>();
  return {
    write: (bytes, source) => {
      const decoder = decoders.get(source) ?? new TextDecoder();
      decoders.set(source, decoder);
      const lines = ((partial.get(source) ?? '') + decoder.decode(bytes, { stream: true })).split('\n');
      partial.set(source, lines.pop() ?? '');
      for (const line of lines) write(`[${source}] ${line.replace(/\r$/, '')}\n`);
    },
    flush: () => {
      for (const [source, line] of partial) if (line !== '') write(`[${source}] ${line}\n`);
    },
  };
}

interface VmDocument extends Omit<RunReport, 'format'> {
  readonly format: 'heddle-vm';
  readonly vms: VmSystemReport['vms'];
  readonly hypervisor: VmSystemReport['cores'];
  /** What each source has written, by its name. */
  readonly consoles: Readonly<Record<string, string>>;
}

/** Runs a system and returns the exit code of the command. `commands`: for the shell of the management VM. */
export async function vm(
  file: string,
  commands: readonly string[],
  typed: TypedVmOptions,
  terminal: Terminal,
  runVmSystem: RunVmSystem,
): Promise<number> {
  const seed = parseCount('--seed', typed.seed, 0, Number.MAX_SAFE_INTEGER);
  const system = systemOf(file, overridesOf(typed, commands));
  const { cores } = system.board;
  const hostThreads =
    typed.hostThreads === undefined ? 1 : parseCount('--host-threads', typed.hostThreads, 1, maxHostThreads);
  const json = typed.json ?? false;
  terminal.error(`heddle ${version}, Rhyper, ${cores} cores, seed ${seed}, conductor lockstep\n`);
  const consoles: Record<string, string> = {};
  const lines = labelledLines((text) => {
    if (json) terminal.error(text);
    else terminal.print(text);
  });
  const { report, vms } = await runVmSystem(
    {
      system,
      seed,
      hostThreads,
      ...(typed.maxTime !== undefined && { maxTimeNs: parseTime('--max-time', typed.maxTime) }),
    },
    {
      stdout: (bytes, source = 'board') => {
        consoles[source] = (consoles[source] ?? '') + new TextDecoder().decode(bytes);
        lines.write(bytes, source);
      },
      progress: (ticks, instructions) => {
        terminal.progress(`simulated time ${formatTime(ticks)}, ${formatCount(instructions)} instructions`);
      },
      signal: terminal.signal,
    },
  );
  lines.flush();
  if (json) {
    const document: VmDocument = { ...report, format: 'heddle-vm', vms: vms.vms, hypervisor: vms.cores, consoles };
    terminal.print(`${JSON.stringify(document, undefined, 2)}\n`);
  } else {
    if (typed.stats) terminal.print(`${formatTable(report)}\n`);
    terminal.print(`${formatVmTables(vms)}\n`);
  }
  const wasTold = report.reason === 'exit' || report.reason === 'system-off' || report.reason === 'system-reset';
  if (!wasTold) terminal.error(`heddle: ${endingOf(report)}\nheddle vm ${file} --seed ${seed}\n`);
  return report.exitCode;
}
