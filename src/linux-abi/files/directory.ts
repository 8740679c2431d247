// The entries of directories: those of the host are read when they are first asked for, those of /proc follow the processes.

import type { Core } from '../kernel.ts';
import type { Process } from '../state.ts';
import { hostOf } from './content.ts';
import { deviceOf, type Inode, makeInode, type Synthetic } from './inode.ts';

/** Reads a directory of the host. What is there already, such as /proc in a sysroot, stands before what the host has. */
function loadDirectory(core: Core, directory: Inode): void {
  const { hostPath } = directory;
  if (!hostPath || directory.hostNames) return;
  const entries = directory.entries ?? new Map<string, Inode>();
  const listed = hostOf(core, directory)?.list(hostPath) ?? [];
  directory.entries = entries;
  directory.hostNames = listed.map(({ name }) => name);
  for (const { name, kind, mode, sizeBytes, target } of listed) {
    if (entries.has(name)) continue;
    entries.set(
      name,
      makeInode(core.state.fileSystem, {
        kind,
        device: directory.device,
        mode,
        isReadOnly: directory.isReadOnly,
        changedAt: directory.changedAt,
        hostPath: [...hostPath, name],
        sizeBytes,
        ...(kind === 'directory' && { parent: directory }),
        ...(kind === 'symlink' && { target }),
      }),
    );
  }
}

const processFiles = [
  'cmdline',
  'comm',
  'environ',
  'maps',
  'mounts',
  'stat',
  'statm',
  'status',
  'auxv',
  'mem',
] as const;
const processLinks = ['exe', 'cwd', 'root'] as const;
const threadFiles = ['comm', 'stat', 'status', 'maps'] as const;

function synthetic(core: Core, parent: Inode, name: string, kind: Inode['kind'], what: Synthetic): Inode {
  const present = parent.entries?.get(name);
  if (present) return present;
  const inode = makeInode(core.state.fileSystem, {
    kind,
    device: deviceOf.process,
    mode: kind === 'directory' ? 0o555 : kind === 'symlink' ? 0o777 : name === 'mem' ? 0o600 : 0o444,
    isReadOnly: true,
    changedAt: parent.changedAt,
    synthetic: what,
    ...(kind === 'directory' && { parent, entries: new Map<string, Inode>() }),
  });
  parent.entries?.set(name, inode);
  return inode;
}

function fillProcess(core: Core, directory: Inode, pid: number): void {
  for (const name of processFiles) synthetic(core, directory, name, 'file', { name, pid });
  for (const name of processLinks) synthetic(core, directory, name, 'symlink', { name, pid });
  synthetic(core, directory, 'fd', 'directory', { name: 'fds', pid });
  synthetic(core, directory, 'task', 'directory', { name: 'task', pid });
}

/** Makes the entries what the numbers say: names that are gone go, and new ones come. */
function follow(
  core: Core,
  directory: Inode,
  numbers: readonly number[],
  make: (id: number) => readonly [Inode['kind'], Synthetic],
): void {
  const { entries } = directory;
  if (!entries) return;
  const names = new Set(numbers.map(String));
  for (const name of [...entries.keys()]) if (/^\d+$/.test(name) && !names.has(name)) entries.delete(name);
  for (const id of numbers) synthetic(core, directory, String(id), ...make(id));
}

/** Brings a directory of /proc up to date. */
function refresh(core: Core, directory: Inode): void {
  const { name, pid = 0, id } = directory.synthetic ?? { name: '' };
  const process = core.state.processes.get(pid);
  switch (name) {
    case 'proc':
      follow(core, directory, [...core.state.processes.keys()], (n) => ['directory', { name: 'process', pid: n }]);
      break;
    case 'process':
      fillProcess(core, directory, pid);
      break;
    case 'fds': {
      const open = (process?.files ?? []).flatMap((descriptor, fd) => (descriptor ? [fd] : []));
      follow(core, directory, open, (n) => ['symlink', { name: 'fd', pid, id: n }]);
      break;
    }
    case 'task':
      follow(core, directory, process?.threads.map(({ tid }) => tid) ?? [], (n) => [
        'directory',
        { name: 'thread', pid, id: n },
      ]);
      break;
    case 'thread':
      for (const file of threadFiles)
        synthetic(core, directory, file, 'file', { name: file, pid, ...(id !== undefined && { id }) });
      break;
    default:
  }
}

/** The entries of a directory by name; `.` and `..` are not among them. */
export function entriesOf(core: Core, directory: Inode): Map<string, Inode> {
  if (directory.synthetic) refresh(core, directory);
  loadDirectory(core, directory);
  directory.entries ??= new Map();
  return directory.entries;
}

/** Names in the order in which they are listed: sorted, so that no host decides it. */
export const namesOf = (core: Core, directory: Inode): string[] => [...entriesOf(core, directory).keys()].sort();

/** The path of a directory from the root down. */
export function pathOfDirectory(core: Core, directory: Inode): string {
  const names: string[] = [];
  for (let at = directory; at !== core.state.fileSystem.root;) {
    const parent = at.parent;
    const found = parent && [...(parent.entries ?? [])].find(([, inode]) => inode === at)?.[0];
    if (found === undefined) return names.length === 0 ? '(deleted)' : `/${names.join('/')}`;
    names.unshift(found);
    at = parent as Inode;
  }
  return `/${names.join('/')}`;
}

export type Viewer = Pick<Process, 'directory' | 'pid'>;

/** What a link of /proc leads to without a path: the inode itself. */
export function linkedInode(core: Core, link: Inode): Inode | undefined {
  const { name = '', pid = 0, id = -1 } = link.synthetic ?? {};
  const process = core.state.processes.get(pid);
  switch (name) {
    case 'exe':
      return process?.executable;
    case 'cwd':
      return process?.directory;
    case 'root':
      return core.state.fileSystem.root;
    case 'fd':
      return process?.files[id]?.file.inode;
    default:
      return undefined;
  }
}

/** The text of a symbolic link. */
export function targetOf(core: Core, link: Inode, viewer: Viewer): string {
  const { name = '', pid = 0, id = -1 } = link.synthetic ?? {};
  const process = core.state.processes.get(pid);
  switch (name) {
    case 'self':
      return String(viewer.pid);
    case 'thread-self':
      return `${viewer.pid}/task/${core.own.thread?.tid ?? viewer.pid}`;
    case 'exe':
      return process?.executablePath ?? '';
    case 'cwd':
      return process ? pathOfDirectory(core, process.directory) : '';
    case 'root':
      return '/';
    case 'fd':
      return process?.files[id]?.file.path ?? '';
    default:
      return link.target ?? '';
  }
}
