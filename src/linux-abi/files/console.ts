// Standard input, output and error of the first process. They are no terminals, whatever they are on the host: a program that asks gets
// the same answer in every run.

import { installAt, openFile } from './descriptors.ts';
import { deviceOf, type Device, type FileSystem, makeInode } from './inode.ts';
import { O } from './open-file.ts';
import type { Process } from '../state.ts';

const streams: readonly (readonly [Device, flags: number])[] = [
  ['stdin', 0],
  ['stdout', O.WRONLY],
  ['stderr', O.WRONLY],
];

export function installConsole(system: FileSystem, process: Process): void {
  streams.forEach(([character, flags], fd) => {
    const inode = makeInode(system, {
      kind: 'character',
      device: deviceOf.pipes,
      mode: 0o600,
      isReadOnly: false,
      changedAt: 0n,
      character,
    });
    installAt(process, fd, openFile(inode, `pipe:[${inode.number}]`, flags), false);
  });
}
