// Names in directories: made, removed, renamed, linked, listed (fs/namei.c, fs/readdir.c). What is read-only answers EROFS.

import { fail } from '../errno.ts';
import { changed, dateOf, loadContent } from '../files/content.ts';
import { fileOf } from '../files/descriptors.ts';
import { entriesOf, namesOf, pathOfDirectory, targetOf } from '../files/directory.ts';
import { type FileKind, type Inode, makeInode } from '../files/inode.ts';
import { AT, findPlace, type Place } from '../files/paths.ts';
import { fields } from '../records.ts';
import { writeUser } from '../user-memory.ts';
import { type Call, type Family, int, type Result, uint, unsigned } from './call.ts';
import { inodeAt, inodeOfPath, pathAt, placeAt } from './paths.ts';

/** A new inode at a place; an error where there may be none. */
export function create(
  call: Call,
  { directory, name, inode, mustBeDirectory }: Place,
  kind: FileKind,
  mode: number,
  target?: string,
): Inode | number {
  const { core, process } = call;
  if (inode || name === '') return fail('EEXIST');
  if (directory.isReadOnly) return fail('EROFS');
  if (mustBeDirectory && kind !== 'directory') return fail(kind === 'file' ? 'EISDIR' : 'ENOENT');
  const made = makeInode(core.state.fileSystem, {
    kind,
    device: directory.device,
    mode: kind === 'symlink' ? 0o777 : mode & ~process.umask & 0o7777,
    isReadOnly: false,
    changedAt: dateOf(core),
    ...(kind === 'directory' && { parent: directory, entries: new Map<string, Inode>() }),
    ...(kind === 'file' && { data: new Uint8Array(0) }),
    ...(target !== undefined && { target, sizeBytes: target.length }),
  });
  entriesOf(core, directory).set(name, made);
  if (kind === 'directory') directory.links += 1;
  changed(core, made);
  changed(core, directory);
  return made;
}

function mkdirat(call: Call): Result {
  const path = pathAt(call, 1);
  if (typeof path === 'number') return path;
  const place = findPlace(call.core, call.process, int(call, 0), path, false);
  if (typeof place === 'number') return place;
  const made = create(call, place, 'directory', uint(call, 2));
  return typeof made === 'number' ? made : 0;
}

const S_IFMT = 0o170000;
const S_IFREG = 0o100000;
const S_IFIFO = 0o010000;

function mknodat(call: Call): Result {
  const kind = uint(call, 2) & S_IFMT;
  const place = placeAt(call, 0);
  if (typeof place === 'number') return place;
  if (kind !== 0 && kind !== S_IFREG && kind !== S_IFIFO) return fail('EPERM');
  const made = create(call, place, kind === S_IFIFO ? 'pipe' : 'file', uint(call, 2));
  if (typeof made === 'number') return made;
  if (kind === S_IFIFO) made.pipe = { chunks: [], bytes: 0, readers: 0, writers: 0 };
  return 0;
}

function unlinkat(call: Call): Result {
  const { core } = call;
  const flags = int(call, 2);
  const place = placeAt(call, 0);
  if ((flags & ~AT.REMOVEDIR) !== 0) return fail('EINVAL');
  if (typeof place === 'number') return place;
  const { directory, name, inode } = place;
  if (!inode) return fail('ENOENT');
  const wantsDirectory = (flags & AT.REMOVEDIR) !== 0;
  if (name === '') return wantsDirectory ? fail('EINVAL') : fail('EISDIR');
  if (wantsDirectory !== (inode.kind === 'directory')) return wantsDirectory ? fail('ENOTDIR') : fail('EISDIR');
  if (directory.isReadOnly) return fail('EROFS');
  if (isMount(call, inode)) return fail('EBUSY');
  if (wantsDirectory && entriesOf(core, inode).size > 0) return fail('ENOTEMPTY');
  detach(call, directory, name, inode);
  return 0;
}

const isMount = (
  {
    core: {
      state: { fileSystem },
    },
  }: Call,
  inode: Inode,
): boolean => inode.parent !== undefined && inode.parent.device !== inode.device && inode !== fileSystem.root;

function detach({ core }: Call, directory: Inode, name: string, inode: Inode): void {
  entriesOf(core, directory).delete(name);
  inode.links -= inode.kind === 'directory' ? 2 : 1;
  if (inode.kind === 'directory') directory.links -= 1;
  changed(core, directory);
}

function symlinkat(call: Call): Result {
  const target = pathAt(call, 0);
  if (typeof target === 'number') return target;
  if (target === '') return fail('ENOENT');
  const place = placeAt(call, 1);
  if (typeof place === 'number') return place;
  const made = create(call, place, 'symlink', 0o777, target);
  return typeof made === 'number' ? made : 0;
}

function linkat(call: Call): Result {
  const { core } = call;
  const flags = int(call, 4);
  const source = inodeAt(call, 0, (flags & AT.SYMLINK_FOLLOW) !== 0 ? flags : flags | AT.SYMLINK_NOFOLLOW);
  if (typeof source === 'number') return source;
  const place = placeAt(call, 2);
  if (typeof place === 'number') return place;
  if (place.inode || place.name === '') return fail('EEXIST');
  if (source.kind === 'directory') return fail('EPERM');
  if (source.device !== place.directory.device) return fail('EXDEV');
  if (place.directory.isReadOnly) return fail('EROFS');
  entriesOf(core, place.directory).set(place.name, source);
  source.links += 1;
  changed(core, place.directory);
  return 0;
}

const RENAME = { NOREPLACE: 1, EXCHANGE: 2 } as const;

const isBelow = (inode: Inode, ancestor: Inode): boolean => {
  for (let at: Inode | undefined = inode; at; at = at.parent === at ? undefined : at.parent)
    if (at === ancestor) return true;
  return false;
};

/** Why one name cannot become another, or 0. */
function refuseRename(call: Call, from: Place, to: Place, flags: number): number {
  const { core } = call;
  const [source, target] = [from.inode, to.inode];
  if ((flags & ~(RENAME.NOREPLACE | RENAME.EXCHANGE)) !== 0) return fail('EINVAL');
  if (from.name === '' || to.name === '') return fail('EBUSY');
  if (!source) return fail('ENOENT');
  if (target && (flags & RENAME.NOREPLACE) !== 0) return fail('EEXIST');
  if (!target && (flags & RENAME.EXCHANGE) !== 0) return fail('ENOENT');
  if (source.device !== to.directory.device || isMount(call, source)) return fail('EXDEV');
  if (from.directory.isReadOnly || to.directory.isReadOnly) return fail('EROFS');
  if (source.kind === 'directory' && isBelow(to.directory, source)) return fail('EINVAL');
  if (source.kind !== 'directory' && to.mustBeDirectory) return fail('ENOTDIR');
  if (!target || target === source || (flags & RENAME.EXCHANGE) !== 0) return 0;
  if (source.kind === 'directory' && target.kind !== 'directory') return fail('ENOTDIR');
  if (source.kind !== 'directory' && target.kind === 'directory') return fail('EISDIR');
  return target.kind === 'directory' && entriesOf(core, target).size > 0 ? fail('ENOTEMPTY') : 0;
}

function put(call: Call, directory: Inode, name: string, inode: Inode): void {
  entriesOf(call.core, directory).set(name, inode);
  if (inode.kind === 'directory') inode.parent = directory;
  // The host has it under another name, if at all.
  markChanged(call, inode);
  changed(call.core, directory);
}

function markChanged(call: Call, inode: Inode): void {
  if (inode.kind === 'file') loadContent(call.core, inode);
  inode.isChanged = true;
  if (inode.kind === 'directory') for (const below of entriesOf(call.core, inode).values()) markChanged(call, below);
}

function rename(call: Call, flags: number): Result {
  const from = placeAt(call, 0);
  if (typeof from === 'number') return from;
  const to = placeAt(call, 2);
  if (typeof to === 'number') return to;
  const error = refuseRename(call, from, to, flags);
  if (error !== 0) return error;
  const source = from.inode as Inode;
  if (to.inode === source) return 0;
  if ((flags & RENAME.EXCHANGE) !== 0) put(call, from.directory, from.name, to.inode as Inode);
  else {
    if (to.inode) detach(call, to.directory, to.name, to.inode);
    entriesOf(call.core, from.directory).delete(from.name);
    changed(call.core, from.directory);
  }
  put(call, to.directory, to.name, source);
  return 0;
}

function readlinkat(call: Call): Result {
  const { core, process, space } = call;
  const inode = inodeAt(call, 0, AT.SYMLINK_NOFOLLOW | AT.EMPTY_PATH);
  if (typeof inode === 'number') return inode;
  const sizeBytes = int(call, 3);
  if (sizeBytes <= 0 || inode.kind !== 'symlink') return fail('EINVAL');
  const text = new TextEncoder().encode(targetOf(core, inode, process)).subarray(0, sizeBytes);
  return writeUser(core, space, unsigned(call, 2), text) ? text.length : fail('EFAULT');
}

function changeDirectory({ process }: Call, inode: Inode | number | undefined): Result {
  if (inode === undefined) return fail('EBADF');
  if (typeof inode === 'number') return inode;
  if (inode.kind !== 'directory') return fail('ENOTDIR');
  process.directory = inode;
  return 0;
}

function getcwd(call: Call): Result {
  const text = new TextEncoder().encode(`${pathOfDirectory(call.core, call.process.directory)}\0`);
  if (unsigned(call, 1) < text.length) return fail('ERANGE');
  return writeUser(call.core, call.space, unsigned(call, 0), text) ? text.length : fail('EFAULT');
}

/** d_type. */
const typeOf: Readonly<Record<FileKind, number>> = {
  pipe: 1,
  character: 2,
  directory: 4,
  file: 8,
  symlink: 10,
  anonymous: 0,
  socket: 12,
  other: 12,
};
const direntBytes = 19;

/** struct linux_dirent64 of the names that fit, from the file's position on. */
function getdents(call: Call): Result {
  const { core, process, space } = call;
  const file = fileOf(process, int(call, 0));
  if (!file) return fail('EBADF');
  const { inode: directory } = file;
  if (directory.kind !== 'directory') return fail('ENOTDIR');
  file.names ??= ['.', '..', ...namesOf(core, directory)];
  const entries = entriesOf(core, directory);
  const inodeOf = (name: string): Inode | undefined =>
    name === '.' ? directory : name === '..' ? (directory.parent ?? directory) : entries.get(name);
  let done = 0;
  while (file.position < file.names.length) {
    const name = file.names[file.position] as string;
    const inode = inodeOf(name);
    if (inode) {
      const bytes = new TextEncoder().encode(name);
      const length = Math.ceil((direntBytes + bytes.length + 1) / 8) * 8;
      if (done + length > uint(call, 2)) return done > 0 ? done : fail('EINVAL');
      const record = fields(length)
        .i64(0, inode.number)
        .i64(8, file.position + 1)
        .u16(16, length)
        .u8(18, typeOf[inode.kind]);
      record.bytes.set(bytes, direntBytes);
      if (!writeUser(core, space, unsigned(call, 1) + done, record.bytes)) return done > 0 ? done : fail('EFAULT');
      done += length;
    }
    file.position += 1;
  }
  return done;
}

export const nameCalls: Family = {
  mkdirat,
  mknodat,
  unlinkat,
  symlinkat,
  linkat,
  renameat: (call) => rename(call, 0),
  renameat2: (call) => rename(call, uint(call, 4)),
  readlinkat,
  chdir: (call) => changeDirectory(call, inodeOfPath(call, 0)),
  fchdir: (call) => changeDirectory(call, fileOf(call.process, int(call, 0))?.inode),
  getcwd,
  getdents64: getdents,
};
