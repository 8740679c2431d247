// The options of `heddle vm`: the table that the parser and the help are made from, and what was typed as options of a run.

import { dirname, isAbsolute, join } from 'node:path';
import { packageFile } from '../../workers/package-file.ts';
import type { InputFile } from '../board/image.ts';
import { fidelities, injections, profiles, quirkNames } from '../vm/schema.ts';
import { readSystem, type SystemOverrides } from '../vm/system-file.ts';
import type { VmSystem } from '../vm/system.ts';
import { suggestion } from '../report/suggestion.ts';
import { UserError } from '../report/user-error.ts';
import { readInput } from './input.ts';
import { parseCount, parseTime } from './quantities.ts';
import { maxHostThreads, type OptionRow } from './run-options.ts';

/** What was typed, by the option's name in camel case. */
export interface TypedVmOptions {
  readonly seed: string;
  readonly hostThreads?: string;
  readonly maxTime?: string;
  readonly gic?: string;
  readonly profile?: string;
  readonly fidelity?: string;
  readonly quirk?: readonly string[];
  readonly waitTraps?: true;
  readonly injection?: string;
  readonly against?: string;
  readonly stats?: true;
  readonly json?: true;
}

/** One run of a system. */
export interface VmRun {
  readonly system: VmSystem;
  readonly seed: number;
  readonly hostThreads: number;
  /** Ends the run at this simulated time. */
  readonly maxTimeNs?: number;
}

export const vmOptionRows: readonly OptionRow[] = [
  { flags: '--seed <N>', says: 'where every random choice comes from', byDefault: '1' },
  {
    flags: '--host-threads <N>',
    says: 'threads of the host to use, 1 unless told; the run is the same for any number',
  },
  { flags: '--max-time <T>', says: 'end the run at this simulated time, as in 200ms' },
  {
    flags: '--gic <VERSION>',
    says: "version of the board's interrupt controller, in place of what the file says: 2 or 3",
  },
  { flags: '--profile <NAME>', says: `which relative of the ancestor to follow: ${profiles.join(', ')}` },
  { flags: '--fidelity <NAME>', says: "strict, or as-is with all of the ancestor's defects" },
  { flags: '--wait-traps', says: 'WFI and WFE of guests enter EL2 and give up the core' },
  { flags: '--injection <NAME>', says: `how virtual interrupts reach guests: ${injections.join(', ')}` },
  { flags: '--against <FILE>', says: 'run this system as well, and say how latencies differ from it' },
  { flags: '--stats', says: 'print the table per core as well, and host time' },
  { flags: '--json', says: 'print one JSON document, with the consoles in it' },
];

function oneOf<T extends string>(option: string, value: string, known: readonly T[]): T {
  const found = known.find((name) => name === value);
  if (found !== undefined) return found;
  throw new UserError(`${option} ${value}: there is no such${suggestion(value, known) || ` one: ${known.join(', ')}`}`);
}

const guestFolder = packageFile('tests/guests/bin/vm');
const demoFile = join(guestFolder, 'demo.yaml');

/** Files are named from where the system file is; `builtin:NAME` is a program of the package. */
export function fileReader(systemPath: string): (name: string) => InputFile {
  return (name) => {
    const [, builtin] = /^builtin:([\w-]+)$/.exec(name) ?? [];
    if (builtin !== undefined) return { ...readInput(join(guestFolder, `${builtin}.img`)), path: name };
    return readInput(besides(systemPath, name));
  };
}

const besides = (systemPath: string, name: string): string =>
  isAbsolute(name) ? name : join(dirname(systemPath), name);

/** What the run writes is named from there, too. */
function withFiles(systemPath: string, system: VmSystem): VmSystem {
  const { network } = system;
  if (network.capture === undefined) return system;
  return { ...system, network: { ...network, capture: besides(systemPath, network.capture) } };
}

function overridesOf(typed: TypedVmOptions, commands: readonly string[]): SystemOverrides {
  return {
    commands,
    quirks: (typed.quirk ?? []).map((name) => oneOf('--quirk', name, quirkNames)),
    ...(typed.gic !== undefined && { gicVersion: parseCount('--gic', typed.gic, 2, 3) === 2 ? 2 : 3 }),
    ...(typed.fidelity !== undefined && { fidelity: oneOf('--fidelity', typed.fidelity, fidelities) }),
    options: {
      ...(typed.profile !== undefined && { profile: oneOf('--profile', typed.profile, profiles) }),
      ...(typed.waitTraps && { trapsWaits: true }),
      ...(typed.injection !== undefined && { injection: oneOf('--injection', typed.injection, injections) }),
    },
  };
}

/** Reads the system and checks everything that can be checked before the machine is built. */
export function parseVmOptions(file: string, typed: TypedVmOptions, commands: readonly string[]): VmRun {
  const overrides = overridesOf(typed, commands);
  const path = file === 'demo' ? demoFile : file;
  const input = readInput(path);
  const system = withFiles(path, readSystem(path, input.bytes, fileReader(path), overrides));
  return {
    system,
    seed: parseCount('--seed', typed.seed, 0, Number.MAX_SAFE_INTEGER),
    hostThreads:
      typed.hostThreads === undefined ? 1 : parseCount('--host-threads', typed.hostThreads, 1, maxHostThreads),
    ...(typed.maxTime !== undefined && { maxTimeNs: parseTime('--max-time', typed.maxTime) }),
  };
}
