// The tree of files that a program sees: --sysroot at /, read-only; --workdir at /work; /tmp and /dev/shm in memory; /dev, /proc and /sys
// as the simulated machine has them. Nothing else of the host is there.

import type { Platform, ProgramDescription } from '../kernel.ts';
import { baseName } from './names.ts';
import {
  deviceOf,
  type Device,
  type FileKind,
  type FileSystem,
  type Inode,
  makeInode,
  type Synthetic,
} from './inode.ts';

const directoryMode = 0o755;
const stickyMode = 0o1777;

interface Builder {
  readonly system: { nextInode: number };
  readonly date: bigint;
}

interface Parts {
  readonly kind: FileKind;
  readonly device: number;
  readonly mode: number;
  readonly isReadOnly?: boolean;
  readonly target?: string;
  readonly character?: Device;
  readonly synthetic?: Synthetic;
  readonly hostPath?: readonly string[];
  readonly data?: Uint8Array;
}

function add({ system, date }: Builder, parent: Inode, name: string, parts: Parts): Inode {
  const isDirectory = parts.kind === 'directory';
  const inode = makeInode(system, {
    isReadOnly: true,
    changedAt: date,
    ...parts,
    ...(isDirectory && { parent, ...(parts.hostPath ? {} : { entries: new Map<string, Inode>() }) }),
    ...(parts.data && { sizeBytes: parts.data.length }),
  });
  parent.entries?.set(name, inode);
  return inode;
}

const directory = (device: number, more: Partial<Parts> = {}): Parts => ({
  kind: 'directory',
  device,
  mode: directoryMode,
  ...more,
});
const generated = (name: string): Parts => ({
  kind: 'file',
  device: deviceOf.process,
  mode: 0o444,
  synthetic: { name },
});

const characters: readonly (readonly [string, Device])[] = [
  ['null', 'null'],
  ['zero', 'zero'],
  ['full', 'full'],
  ['random', 'random'],
  ['urandom', 'random'],
];

function addDevices(builder: Builder, root: Inode): void {
  const device = deviceOf.devices;
  const dev = add(builder, root, 'dev', directory(device));
  for (const [name, character] of characters)
    add(builder, dev, name, { kind: 'character', device, mode: 0o666, character, isReadOnly: false });
  const links = { fd: '/proc/self/fd', stdin: '/proc/self/fd/0', stdout: '/proc/self/fd/1', stderr: '/proc/self/fd/2' };
  for (const [name, target] of Object.entries(links))
    add(builder, dev, name, { kind: 'symlink', device, mode: 0o777, target });
  add(builder, dev, 'shm', directory(deviceOf.memory, { mode: stickyMode, isReadOnly: false }));
}

const processFiles = ['cpuinfo', 'meminfo', 'stat', 'uptime', 'version', 'loadavg', 'filesystems', 'mounts'] as const;

function addProcess(builder: Builder, root: Inode): void {
  const proc = add(builder, root, 'proc', directory(deviceOf.process, { synthetic: { name: 'proc' } }));
  for (const name of processFiles) add(builder, proc, name, generated(name));
  add(builder, proc, 'self', { kind: 'symlink', device: deviceOf.process, mode: 0o777, synthetic: { name: 'self' } });
  add(builder, proc, 'thread-self', {
    kind: 'symlink',
    device: deviceOf.process,
    mode: 0o777,
    synthetic: { name: 'thread-self' },
  });
  const sys = add(builder, proc, 'sys', directory(deviceOf.process));
  const kernel = add(builder, sys, 'kernel', directory(deviceOf.process));
  for (const name of ['osrelease', 'ostype', 'version', 'hostname', 'pid_max', 'ngroups_max'])
    add(builder, kernel, name, generated(`kernel/${name}`));
  const vm = add(builder, sys, 'vm', directory(deviceOf.process));
  for (const name of ['overcommit_memory', 'max_map_count', 'mmap_min_addr'])
    add(builder, vm, name, generated(`vm/${name}`));
}

function addSystem(builder: Builder, root: Inode, { coreCount }: Platform): void {
  const device = deviceOf.process;
  const folder = (parent: Inode, name: string): Inode => add(builder, parent, name, directory(device));
  const cpu = folder(folder(folder(folder(root, 'sys'), 'devices'), 'system'), 'cpu');
  for (const name of ['online', 'possible', 'present']) add(builder, cpu, name, generated('cpus'));
  for (let n = 0; n < coreCount; n += 1) {
    const one = folder(cpu, `cpu${n}`);
    const topology = folder(one, 'topology');
    add(builder, topology, 'core_id', generated(`core ${n}`));
    add(builder, topology, 'physical_package_id', generated('core 0'));
    add(builder, topology, 'thread_siblings_list', generated(`core ${n}`));
  }
}

export interface Mounts {
  readonly hasSysroot: boolean;
  readonly hasWorkdir: boolean;
}

export function makeFileSystem(platform: Platform, program: ProgramDescription, mounts: Mounts): FileSystem {
  const system = { nextInode: 1 };
  const date = BigInt(platform.startSeconds) * 1_000_000_000n;
  const builder: Builder = { system, date };
  const root = makeInode(system, {
    kind: 'directory',
    device: deviceOf.root,
    mode: directoryMode,
    isReadOnly: true,
    changedAt: date,
    entries: new Map(),
  });
  root.parent = root;
  addDevices(builder, root);
  addProcess(builder, root);
  addSystem(builder, root, platform);
  add(builder, root, 'tmp', directory(deviceOf.memory, { mode: stickyMode, isReadOnly: false }));
  const work = mounts.hasWorkdir
    ? add(builder, root, 'work', directory(deviceOf.work, { hostPath: [], isReadOnly: false }))
    : undefined;
  const file: Parts = { kind: 'file', device: deviceOf.root, mode: directoryMode, data: program.bytes };
  const name = baseName(program.path);
  // Where it is in the sysroot anyway, or where the name is taken, this one is reached by /proc/self/exe alone.
  const isHidden = program.guestPath !== undefined || root.entries?.has(name) === true;
  const inode = add(builder, isHidden ? { ...root, entries: new Map() } : root, name, file);
  if (mounts.hasSysroot) root.hostPath = [];
  return { ...system, root, start: work ?? root, work, program: inode };
}
