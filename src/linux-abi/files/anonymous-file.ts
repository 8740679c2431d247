// A descriptor of an anonymous inode (anon_inode_getfd()).

import { fail } from '../errno.ts';
import type { Core } from '../kernel.ts';
import type { Process } from '../state.ts';
import { type Anonymous, deviceOf, type Inode, makeInode } from './inode.ts';
import { install, openFile } from './descriptors.ts';
import { O } from './open-file.ts';

export const anonymousInode = ({ state }: Core): Inode =>
  makeInode(state.fileSystem, {
    kind: 'anonymous',
    device: deviceOf.anonymous,
    mode: 0o600,
    isReadOnly: false,
    changedAt: 0n,
  });

/** Flags: the access mode, and of O_CLOEXEC and O_NONBLOCK what the call was given. */
export function installAnonymous(process: Process, inode: Inode, name: string, mode: number, flags: number): number {
  const file = openFile(inode, `anon_inode:${name}`, mode | (flags & O.NONBLOCK));
  return install(process, file, (flags & O.CLOEXEC) !== 0) ?? fail('EMFILE');
}

export function makeAnonymous(
  { core, process }: { readonly core: Core; readonly process: Process },
  name: string,
  anonymous: Anonymous,
  mode: number,
  flags: number,
): number {
  const inode = anonymousInode(core);
  inode.anonymous = anonymous;
  return installAnonymous(process, inode, name, mode, flags);
}
