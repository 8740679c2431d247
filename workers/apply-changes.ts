// Brings what programs have changed in the workdir to the host's directory, when the run has ended. No name leads out of it.

import { chmodSync, closeSync, constants, mkdirSync, openSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Change } from '../src/linux-abi/files/changes.ts';
import { hostDirectory } from './host-tree.ts';

const { O_CREAT, O_NOFOLLOW, O_TRUNC, O_WRONLY } = constants;

function apply(change: Change, path: string): void {
  switch (change.kind) {
    case 'remove':
      rmSync(path, { recursive: true, force: true });
      break;
    case 'directory':
      mkdirSync(path);
      chmodSync(path, change.mode);
      break;
    case 'symlink':
      symlinkSync(change.target, path);
      break;
    case 'file': {
      const fd = openSync(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, change.mode);
      try {
        writeFileSync(fd, change.bytes);
      } finally {
        closeSync(fd);
      }
    }
  }
}

/** Paths of changes that the host has refused. */
export function applyChanges(workdir: string, changes: readonly Change[]): string[] {
  const within = hostDirectory(workdir);
  const refused: string[] = [];
  for (const change of changes) {
    const name = change.path.at(-1) ?? '';
    const isDone = within(change.path.slice(0, -1), (directory) => {
      apply(change, join(directory, name));
      return true;
    });
    if (!isDone) refused.push(change.path.join('/'));
  }
  return refused;
}
