// What the programs of a run have changed in the workdir, when it has ended: what the host's directory must become.

import type { MemoryViews } from '../../arch/resident.ts';
import { pageBytes } from '../limits.ts';
import type { LinuxState } from '../state.ts';
import type { HostTree } from './host-tree.ts';
import type { Inode } from './inode.ts';

/** In this order: removals first, then directories before what is in them. */
export type Change =
  | { readonly kind: 'remove'; readonly path: readonly string[] }
  | { readonly kind: 'directory'; readonly path: readonly string[]; readonly mode: number }
  | { readonly kind: 'file'; readonly path: readonly string[]; readonly mode: number; readonly bytes: Uint8Array }
  | { readonly kind: 'symlink'; readonly path: readonly string[]; readonly target: string };

const isSamePath = (a: readonly string[] | undefined, b: readonly string[]): boolean =>
  a !== undefined && a.length === b.length && a.every((name, n) => name === b[n]);

/** The bytes of a file, with what is in pages that are mapped. */
function bytesOf(inode: Inode, workdir: HostTree, { bytes: ram }: MemoryViews): Uint8Array {
  const data = inode.data ?? (inode.hostPath && workdir.read(inode.hostPath)) ?? new Uint8Array(0);
  const result = data.slice(0, inode.sizeBytes);
  for (const [index, pa] of inode.pages?.frames ?? []) {
    const start = index * pageBytes;
    const length = Math.min(pageBytes, inode.sizeBytes - start);
    if (length > 0) result.set(ram.subarray(pa, pa + length), start);
  }
  return result;
}

export function collectChanges(
  { fileSystem }: LinuxState,
  workdir: HostTree | undefined,
  memory: MemoryViews,
): Change[] {
  const { work } = fileSystem;
  if (!work || !workdir) return [];
  const removals: Change[] = [];
  const additions: Change[] = [];

  function visit(directory: Inode, path: readonly string[]): void {
    // A directory that nobody has looked into is as it was.
    if (!directory.entries) return;
    for (const name of directory.hostNames ?? []) {
      const inode = directory.entries.get(name);
      const here = [...path, name];
      if (!inode || !isSamePath(inode.hostPath, here)) removals.push({ kind: 'remove', path: here });
    }
    for (const [name, inode] of [...directory.entries].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const here = [...path, name];
      const isNew = !isSamePath(inode.hostPath, here);
      if (inode.kind === 'directory') {
        if (isNew) additions.push({ kind: 'directory', path: here, mode: inode.mode });
        visit(inode, here);
      } else if (inode.kind === 'symlink') {
        if (isNew) additions.push({ kind: 'symlink', path: here, target: inode.target ?? '' });
      } else if (inode.kind === 'file' && (isNew || inode.isChanged)) {
        additions.push({
          kind: 'file',
          path: here,
          mode: inode.mode,
          bytes: bytesOf(inode, workdir as HostTree, memory),
        });
      }
    }
  }
  visit(work, []);
  return [...removals, ...additions];
}
