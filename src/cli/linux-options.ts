// The options of `heddle run` that concern a Linux program: which files it may see, and what it is given.

import { realpathSync, statSync } from 'node:fs';
import { isAbsolute, relative, sep } from 'node:path';
import { isLinuxProgram } from '../board/elf.ts';
import { UserError } from '../report/user-error.ts';
import { quote } from './quote.ts';
import type { InputFile } from '../board/image.ts';
import type { LinuxOptions } from '../board/run-options.ts';

/** What was typed of `heddle run`, as far as it concerns a Linux program, or what such a program does not have. */
export interface TypedLinuxOptions {
  readonly sysroot?: string;
  readonly workdir?: string;
  readonly env?: readonly string[];
  /** There was a --. */
  readonly program?: true;
  readonly gic: string;
  readonly kernelArgs?: string;
  readonly initrd?: string;
  readonly dtb?: string;
  /** Everything that puts a device on the board, as `normaliseQemuWords` writes it. */
  readonly deviceWord?: readonly string[];
  readonly pcap?: string;
}

/** What a program finds in its environment, whatever the host's is: two runs agree. */
const defaultEnvironment: readonly string[] = ['PATH=/usr/local/bin:/usr/bin:/bin', 'HOME=/', 'LANG=C'];

function checkDirectory(option: string, path: string): void {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) throw new UserError(`${option} ${path}: no such directory`);
  if (!stat.isDirectory()) throw new UserError(`${option} ${path}: not a directory`);
}

function environmentOf(given: readonly string[]): string[] {
  const byName = new Map(defaultEnvironment.map((entry) => [entry.split('=')[0], entry]));
  for (const entry of given) {
    if (!/^[^=]+=/.test(entry))
      throw new UserError(`--env ${entry}: a name and a value are needed, as in --env LANG=C`);
    byName.set(entry.split('=')[0], entry);
  }
  return [...byName.values()];
}

/** The path of a file below a directory, from there on; undefined where it is not in it. */
function pathWithin(directory: string, file: string): string | undefined {
  const path = relative(realpathSync(directory), realpathSync(file));
  return path.startsWith('..') || isAbsolute(path) ? undefined : `/${path.split(sep).join('/')}`;
}

/** What of a machine a Linux program does not have. */
const machineOptions = ['kernelArgs', 'initrd', 'dtb', 'pcap', 'deviceWord'] as const;
const nameOf: Readonly<Record<(typeof machineOptions)[number], string>> = {
  kernelArgs: '--kernel-args',
  initrd: '--initrd',
  dtb: '--dtb',
  pcap: '--pcap',
  deviceWord: 'a device',
};

/** Undefined where the image is a machine's. */
export function parseLinuxOptions(
  image: InputFile,
  words: readonly string[],
  { sysroot, workdir, env, program, ...machine }: TypedLinuxOptions,
): LinuxOptions | undefined {
  const isMeant = program === true || sysroot !== undefined || workdir !== undefined || env !== undefined;
  if (!isMeant && !isLinuxProgram(image)) {
    if (words.length === 0) return undefined;
    throw new UserError(`too many arguments: ${words.map(quote).join(' ')}`, 'those of a Linux program come after --');
  }
  const wrong = machineOptions.find((option) => machine[option] !== undefined);
  if (wrong !== undefined)
    throw new UserError(`${nameOf[wrong]} is for a machine with an image`, `${image.path} is run as a Linux program`);
  if (machine.gic !== '3') throw new UserError('--gic: a Linux program runs with version 3');
  if (sysroot !== undefined) checkDirectory('--sysroot', sysroot);
  if (workdir !== undefined) checkDirectory('--workdir', workdir);
  const guestPath = sysroot === undefined ? undefined : pathWithin(sysroot, image.path);
  return {
    arguments: words,
    environment: environmentOf(env ?? []),
    ...(sysroot !== undefined && { sysroot }),
    ...(workdir !== undefined && { workdir }),
    ...(guestPath !== undefined && { guestPath }),
  };
}

/** The words that say the same again. */
export function wordsOfLinux({ sysroot, workdir, environment, arguments: words }: LinuxOptions): string[] {
  const given = environment.filter((entry) => !defaultEnvironment.includes(entry));
  return [
    ...(sysroot === undefined ? [] : [`--sysroot ${quote(sysroot)}`]),
    ...(workdir === undefined ? [] : [`--workdir ${quote(workdir)}`]),
    ...given.map((entry) => `--env ${quote(entry)}`),
    ...(words.length === 0 ? [] : ['--', ...words.map(quote)]),
  ];
}
