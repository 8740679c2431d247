// The options of `heddle run`: one table that the parser, the help and the QEMU words are made from, and the checks that turn what was
// typed into the options of a run.

import { availableParallelism } from 'node:os';
import { dmaEngineCount } from '../board/memory-map.ts';
import { maxCores, resolveBoard } from '../board/virt.ts';
import { formatSize } from '../report/figures.ts';
import { UserError } from '../report/user-error.ts';
import { parseDevices, wordsOfDevices } from './device-words.ts';
import { readInput } from './input.ts';
import { parseLinuxOptions, type TypedLinuxOptions, wordsOfLinux } from './linux-options.ts';
import { parseCount, parseLargeCount, parseOnOff, parseSize, parseTime } from './quantities.ts';
import { quote } from './quote.ts';
import type { Conductor, RunOptions } from '../board/run-options.ts';

/** What was typed, by the option's name in camel case; defaults are filled in. */
export interface TypedOptions extends TypedLinuxOptions {
  readonly cores: string;
  readonly memory: string;
  readonly conductor: string;
  readonly hostThreads?: string;
  readonly seed: string;
  readonly cpu: string;
  readonly virtualization: string;
  readonly secure: string;
  readonly iommu: string;
  readonly dma: string;
  readonly maxInstructions?: string;
  readonly maxTime?: string;
  readonly semihosting: boolean;
  readonly profile?: true;
  readonly speedscope?: string;
  readonly stats?: true;
  readonly json?: true;
}

export interface OptionRow {
  readonly flags: string;
  readonly says: string;
  readonly byDefault?: string | true;
  /** May be given several times. */
  readonly isList?: true;
}

/** Two runs agree unless the user asks for another seed. */
const defaultSeed = '1';

export const runOptionRows: readonly OptionRow[] = [
  { flags: '--cores <N>', says: `simulated cores, 1 to ${maxCores}`, byDefault: '1' },
  { flags: '--memory <SIZE>', says: 'RAM, 1M to 3G', byDefault: '512M' },
  { flags: '--cpu <NAME>', says: 'core; "max" has every feature', byDefault: 'max' },
  {
    flags: '--gic <VERSION>',
    says: 'version of the interrupt controller: 3, or 2 for at most 8 cores',
    byDefault: '3',
  },
  { flags: '--virtualization <on|off>', says: 'EL2 is implemented', byDefault: 'on' },
  { flags: '--secure <on|off>', says: 'EL3 is implemented', byDefault: 'off' },
  { flags: '--iommu <NAME>', says: 'what DMA goes through: "smmuv3" or "none"', byDefault: 'none' },
  { flags: '--dma <N>', says: `DMA engines, 0 to ${dmaEngineCount}; "on" is 1`, byDefault: 'off' },
  { flags: '--kernel-args <S>', says: 'arguments for the kernel, in the device tree' },
  { flags: '--initrd <F>', says: 'initial RAM disk' },
  { flags: '--dtb <F>', says: "device tree blob instead of the board's own" },
  {
    flags: '--drive <F>',
    says: 'virtio disk; more as in F,readonly=on,snapshot=on,serial=S',
  },
  {
    flags: '--net <user>',
    says: 'virtio network card on 10.0.2.0/24, where 10.0.2.2 answers; user,mac=M gives its address',
  },
  { flags: '--pcap <F>', says: 'write every frame of the network to a file, with simulated time stamps' },
  { flags: '--console', says: 'virtio console; its port 0 shows on the console' },
  { flags: '--rng', says: 'virtio source of entropy, which follows from the seed' },
  { flags: '--sysroot <D>', says: "a Linux program's files: this directory is its /, read-only" },
  { flags: '--workdir <D>', says: 'a Linux program starts in this directory, as /work, and may change it' },
  { flags: '--env <NAME=VALUE>', says: "in a Linux program's environment; may be given several times", isList: true },
  {
    flags: '--conductor <NAME>',
    says: 'who decides which core runs next: "lockstep", simulated time; "parallel", all at once on host threads',
    byDefault: 'lockstep',
  },
  {
    flags: '--host-threads <N>',
    says: 'threads of the host to use; under lockstep the run is the same for any number',
  },
  { flags: '--seed <N>', says: 'where every random choice comes from', byDefault: defaultSeed },
  { flags: '--max-instructions <N>', says: 'end the run after so many instructions of all cores' },
  { flags: '--max-time <T>', says: 'end the run at this simulated time, as in 200ms' },
  { flags: '--semihosting', says: 'HLT #0xF000 calls the host', byDefault: true },
  { flags: '--no-semihosting', says: 'HLT #0xF000 is UNDEFINED' },
  { flags: '--profile', says: "tell where the time of the host went, by the guest's symbols" },
  { flags: '--speedscope <F>', says: 'write the profile to a file for speedscope.app; implies --profile' },
  { flags: '--stats', says: 'print a table per core, and host time' },
  { flags: '--json', says: 'print one JSON document; the console goes to standard error' },
];

/** Options of later versions, so that a script that uses one reads why it does not work. */
export const laterRunOptions: readonly string[] = ['--gdb', '--trace'];

const valued = new Set(runOptionRows.flatMap(({ flags }) => (flags.includes('<') ? [flags.split(' ')[0]] : [])));
export const takesValue = (option: string): boolean => valued.has(option);

function parseIommu(name: string): 'none' | 'smmuv3' {
  if (name === 'none' || name === 'smmuv3') return name;
  throw new UserError(`--iommu ${name}: there is no such IOMMU on this board`, 'use smmuv3 or none');
}

function parseDma(engines: string): number {
  if (engines === 'off') return 0;
  return engines === 'on' ? 1 : parseCount('--dma', engines, 0, dmaEngineCount);
}

function parseConductor(name: string): Conductor {
  if (name === 'lockstep' || name === 'parallel') return name;
  if (name === 'explore') throw new UserError(`--conductor ${name}: not supported yet`);
  throw new UserError(`--conductor ${name}: there is no such conductor`, 'use lockstep or parallel');
}

/** Hosts are kept as bits of a word, and each pair of them has a mailbox; a run with more takes longer, not shorter. */
export const maxHostThreads = 32;

/** More threads than cores of the host would only wait for each other. */
function defaultHostThreads(cores: number): number {
  return Math.min(cores, availableParallelism(), maxHostThreads);
}

function splitDeviceWord(text: string): { word: string; value: string } {
  const at = text.indexOf(' ');
  return { word: text.slice(0, at), value: text.slice(at + 1) };
}

/** Checks everything that can be checked before the machine is built, and reads the files. */
export function parseRunOptions(path: string, words: readonly string[], typed: TypedOptions): RunOptions {
  const cores = parseCount('--cores', typed.cores, 1, maxCores);
  const memoryBytes = parseSize('--memory', typed.memory);
  const board = {
    cores,
    memoryBytes,
    gicVersion: parseCount('--gic', typed.gic, 2, 3),
    cpu: typed.cpu,
    virtualization: parseOnOff('--virtualization', typed.virtualization),
    secure: parseOnOff('--secure', typed.secure),
    iommu: parseIommu(typed.iommu),
    dmaEngines: parseDma(typed.dma),
  };
  resolveBoard(board);
  const image = readInput(path);
  const linux = parseLinuxOptions(image, words, typed);
  return {
    ...board,
    conductor: parseConductor(typed.conductor),
    hostThreads:
      typed.hostThreads === undefined
        ? defaultHostThreads(cores)
        : parseCount('--host-threads', typed.hostThreads, 1, maxHostThreads),
    seed: parseCount('--seed', typed.seed, 0, Number.MAX_SAFE_INTEGER),
    semihosting: typed.semihosting,
    profile: typed.profile ?? typed.speedscope !== undefined,
    stats: typed.stats ?? false,
    json: typed.json ?? false,
    ...(typed.kernelArgs !== undefined && { kernelArgs: typed.kernelArgs }),
    devices: parseDevices((typed.deviceWord ?? []).map(splitDeviceWord)),
    ...(typed.maxInstructions !== undefined && {
      maxInstructions: parseLargeCount('--max-instructions', typed.maxInstructions),
    }),
    ...(typed.maxTime !== undefined && { maxTimeNs: parseTime('--max-time', typed.maxTime) }),
    ...(typed.pcap !== undefined && { pcap: typed.pcap }),
    ...(typed.speedscope !== undefined && { speedscope: typed.speedscope }),
    image,
    ...(linux && { linux }),
    ...(typed.initrd !== undefined && { initrd: readInput(typed.initrd) }),
    ...(typed.dtb !== undefined && { dtb: readInput(typed.dtb) }),
  };
}

const onOff = (value: boolean): string => (value ? 'on' : 'off');

/** The machine as QEMU's `-M` spells it. */
export const machineOf = ({ gicVersion, virtualization, secure, iommu = 'none', dmaEngines = 0 }: RunOptions): string =>
  [
    `virt,gic-version=${gicVersion},virtualization=${onOff(virtualization)},secure=${onOff(secure)}`,
    ...(iommu === 'none' ? [] : [`iommu=${iommu}`]),
    ...(dmaEngines === 0 ? [] : [`dma=${dmaEngines}`]),
  ].join();

/** The command that does this run again. What changes only speed or output is left out. */
export function commandOf(options: RunOptions): string {
  const { image, initrd, dtb, kernelArgs, maxInstructions, maxTimeNs, iommu = 'none', dmaEngines = 0 } = options;
  const words = [
    'heddle run',
    quote(image.path),
    `--cores ${options.cores} --memory ${formatSize(options.memoryBytes)} --seed ${options.seed}`,
    ...(options.gicVersion === 3 ? [] : [`--gic ${options.gicVersion}`]),
    ...(options.virtualization ? [] : ['--virtualization off']),
    ...(options.secure ? ['--secure on'] : []),
    ...(iommu === 'none' ? [] : [`--iommu ${iommu}`]),
    ...(dmaEngines === 0 ? [] : [`--dma ${dmaEngines}`]),
    ...(options.conductor === 'lockstep'
      ? []
      : [`--conductor ${options.conductor} --host-threads ${options.hostThreads}`]),
    ...(options.semihosting ? [] : ['--no-semihosting']),
    ...(kernelArgs === undefined ? [] : [`--kernel-args ${quote(kernelArgs)}`]),
    ...(initrd === undefined ? [] : [`--initrd ${quote(initrd.path)}`]),
    ...(dtb === undefined ? [] : [`--dtb ${quote(dtb.path)}`]),
    ...wordsOfDevices(options.devices).map(quote),
    ...(options.pcap === undefined ? [] : [`--pcap ${quote(options.pcap)}`]),
    ...(maxInstructions === undefined ? [] : [`--max-instructions ${maxInstructions}`]),
    ...(maxTimeNs === undefined ? [] : [`--max-time ${maxTimeNs}ns`]),
    ...(options.linux ? wordsOfLinux(options.linux) : []),
  ];
  return words.join(' ');
}
