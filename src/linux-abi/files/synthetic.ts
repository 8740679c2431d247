// What the files of /proc and /sys say, as the simulated machine has it (fs/proc). A file is made as a whole when it is opened.

import { hwcap, hwcapNames } from '../hwcap.ts';
import type { Core } from '../kernel.ts';
import { release, versionText } from '../version.ts';
import { freeFrames } from '../frames.ts';
import { lowestMapping, mappings as mappingLimit, pageBytes, threads as threadLimit } from '../limits.ts';
import { PROT } from '../mappings.ts';
import { forEachPage } from '../page-tables.ts';
import { concatenate } from '../records.ts';
import { uid } from '../sigframe.ts';
import type { AddressSpace, Mapping, Process, Thread } from '../state.ts';
import { readSome } from '../user-memory.ts';
import type { Inode } from './inode.ts';

const secondTicks = 1_000_000_000;
const clockTicks = 10_000_000;
const hex = (value: number | bigint, digits: number): string => value.toString(16).padStart(digits, '0');
const seconds = (ticks: number): string => (ticks / secondTicks).toFixed(2);

/** Cores as a list of ranges. */
const coreList = ({ platform: { coreCount } }: Core): string => (coreCount === 1 ? '0' : `0-${coreCount - 1}`);

function cpuinfo(core: Core): string {
  const capabilities = hwcap(core);
  const features = hwcapNames.filter((_, bit) => ((capabilities >> BigInt(bit)) & 1n) !== 0n).join(' ');
  const midr = Number(core.pe.readRegister('MIDR_EL1'));
  return Array.from({ length: core.platform.coreCount }, (_, n) =>
    [
      `processor\t: ${n}`,
      'BogoMIPS\t: 125.00',
      `Features\t: ${features}`,
      `CPU implementer\t: 0x${hex(midr >>> 24, 2)}`,
      'CPU architecture: 8',
      `CPU variant\t: 0x${hex((midr >>> 20) & 15, 1)}`,
      `CPU part\t: 0x${hex((midr >>> 4) & 0xfff, 3)}`,
      `CPU revision\t: ${midr & 15}`,
      '',
      '',
    ].join('\n'),
  ).join('');
}

function meminfo({ state, platform }: Core): string {
  const free = (freeFrames(state.frames) * pageBytes) / 1024;
  const rows = {
    MemTotal: platform.ramBytes / 1024,
    MemFree: free,
    MemAvailable: free,
    Buffers: 0,
    Cached: 0,
    SwapTotal: 0,
    SwapFree: 0,
  };
  return Object.entries(rows)
    .map(([name, kib]) => `${`${name}:`.padEnd(16)}${String(kib).padStart(8)} kB\n`)
    .join('');
}

const protectionText = ({ protection, isShared }: Mapping): string =>
  `${(protection & PROT.READ) !== 0 ? 'r' : '-'}${(protection & PROT.WRITE) !== 0 ? 'w' : '-'}${(protection & PROT.EXEC) !== 0 ? 'x' : '-'}${isShared ? 's' : 'p'}`;

function mapsLine(mapping: Mapping): string {
  const { start, end, offset, inode, name } = mapping;
  const text = `${hex(start, 8)}-${hex(end, 8)} ${protectionText(mapping)} ${hex(inode ? offset : 0, 8)} 00:${hex(inode?.device ?? 0, 2)} ${inode?.number ?? 0}`;
  return name === '' ? `${text} \n` : `${text.padEnd(72)} ${name}\n`;
}

const sizeOf = ({ mappings }: AddressSpace): number => mappings.reduce((sum, { start, end }) => sum + end - start, 0);

function residentPages(core: Core, space: AddressSpace): number {
  let pages = 0;
  for (const { start, end } of space.mappings)
    forEachPage(core, space, start, end, () => {
      pages += 1;
      return true;
    });
  return pages;
}

function stateOf({ isZombie, stop }: Process, thread: Thread): string {
  if (isZombie) return 'Z (zombie)';
  if (stop !== undefined) return 'T (stopped)';
  return thread.state === 'blocked' ? 'S (sleeping)' : 'R (running)';
}

function statOf(core: Core, process: Process, thread: Thread): string {
  const [state] = stateOf(process, thread);
  const ticks = Math.floor(thread.ranTicks / clockTicks);
  const rss = process.isZombie ? 0 : residentPages(core, process.space);
  const numbers = [
    ...[process.parent?.pid ?? 0, process.group, process.session, 0, -1, 0, 0, 0, 0, 0, ticks, 0, 0, 0, 20, 0],
    ...[process.threads.length, 0, 0, sizeOf(process.space), rss],
  ];
  const zeros = Array.from({ length: 52 - 3 - numbers.length }, () => 0);
  return `${thread.tid} (${thread.name}) ${state} ${[...numbers, ...zeros].join(' ')}\n`;
}

function statusOf(core: Core, process: Process, thread: Thread): string {
  const kib = (bytes: number): string => `${String(bytes / 1024).padStart(8)} kB`;
  const state = stateOf(process, thread);
  const ids = Array.from({ length: 4 }, () => uid).join('\t');
  return [
    `Name:\t${thread.name}`,
    `Umask:\t${process.umask.toString(8).padStart(4, '0')}`,
    `State:\t${state}`,
    `Tgid:\t${process.pid}`,
    `Pid:\t${thread.tid}`,
    `PPid:\t${process.parent?.pid ?? 0}`,
    'TracerPid:\t0',
    `Uid:\t${ids}`,
    `Gid:\t${ids}`,
    `FDSize:\t${Math.max(64, process.files.length)}`,
    `Groups:\t${uid} `,
    `VmSize:\t${kib(sizeOf(process.space))}`,
    `VmRSS:\t${kib(residentPages(core, process.space) * pageBytes)}`,
    `Threads:\t${process.threads.length}`,
    `SigBlk:\t${hex(thread.blockedSignals, 16)}`,
    `Cpus_allowed_list:\t${thread.affinity?.join(',') ?? coreList(core)}`,
    '',
  ].join('\n');
}

const mountText = `heddle / tmpfs ro 0 0
proc /proc proc ro 0 0
sysfs /sys sysfs ro 0 0
dev /dev tmpfs rw 0 0
tmpfs /tmp tmpfs rw 0 0
`;

/** The bytes between two addresses of a process, which it may have changed. */
const memoryOf = (core: Core, { space }: Process, [start, end]: readonly [number, number]): Uint8Array =>
  readSome(core, space, start, end - start);

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

function processContent(core: Core, process: Process, name: string, id: number): Uint8Array {
  const thread = process.threads.find(({ tid }) => tid === id) ?? process.threads[0];
  switch (name) {
    case 'cmdline':
      return process.isZombie ? encode('') : memoryOf(core, process, process.argumentRange);
    case 'environ':
      return process.isZombie ? encode('') : memoryOf(core, process, process.environmentRange);
    case 'auxv':
      return process.auxiliary;
    case 'maps':
      return encode(process.space.mappings.map(mapsLine).join(''));
    case 'statm':
      return encode(`${sizeOf(process.space) / pageBytes} ${residentPages(core, process.space)} 0 0 0 0 0\n`);
    case 'mounts':
      return encode(mountText);
    case 'comm':
      return encode(`${thread?.name ?? ''}\n`);
    case 'stat':
      return encode(thread ? statOf(core, process, thread) : '');
    case 'status':
      return encode(thread ? statusOf(core, process, thread) : '');
    default:
      return encode('');
  }
}

function systemContent(core: Core, name: string): string {
  const { state, platform, port } = core;
  const now = port.now();
  switch (name) {
    case 'cpuinfo':
      return cpuinfo(core);
    case 'meminfo':
      return meminfo(core);
    case 'stat': {
      const jiffies = Math.floor(now / clockTicks);
      const line = (label: string, value: number): string => `${label} ${value} 0 0 0 0 0 0 0 0 0\n`;
      const cores = state.cores.map(({ index }) => line(`cpu${index}`, jiffies)).join('');
      return `${line('cpu ', jiffies * platform.coreCount)}${cores}btime ${platform.startSeconds}\nprocesses ${state.nextTid - 1}\n`;
    }
    case 'uptime':
      return `${seconds(now)} 0.00\n`;
    case 'version':
      return `Linux version ${release} (heddle) ${versionText}\n`;
    case 'loadavg':
      return `0.00 0.00 0.00 ${state.cores.filter(({ thread }) => thread).length}/${state.threads.size} ${state.nextTid - 1}\n`;
    case 'filesystems':
      return 'nodev\ttmpfs\nnodev\tproc\nnodev\tsysfs\n';
    case 'mounts':
      return mountText;
    case 'cpus':
      return `${coreList(core)}\n`;
    case 'kernel/osrelease':
      return `${release}\n`;
    case 'kernel/ostype':
      return 'Linux\n';
    case 'kernel/version':
      return `${versionText}\n`;
    case 'kernel/hostname':
      return 'heddle\n';
    case 'kernel/pid_max':
      return `${threadLimit}\n`;
    case 'kernel/ngroups_max':
      return '65536\n';
    case 'vm/overcommit_memory':
      return '0\n';
    case 'vm/max_map_count':
      return `${mappingLimit}\n`;
    case 'vm/mmap_min_addr':
      return `${lowestMapping}\n`;
    default:
      return name.startsWith('core ') ? `${name.slice('core '.length)}\n` : '';
  }
}

export function syntheticContent(core: Core, inode: Inode): Uint8Array {
  const { name = '', pid, id = 0 } = inode.synthetic ?? {};
  if (pid === undefined) return encode(systemContent(core, name));
  const process = core.state.processes.get(pid);
  return process ? processContent(core, process, name, id) : concatenate([]);
}
