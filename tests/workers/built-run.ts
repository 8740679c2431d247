// Runs of the built command line on small arm64 Images that a test assembles.

import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { assemble } from '../../src/isa/assembler.ts';

const checkout = resolve(import.meta.dirname, '../..');
const preload = resolve(import.meta.dirname, 'print-cpu.mjs');
export const main = resolve(checkout, 'dist/src/cli/main.js');

/** Writes an Image whose code begins at `start`, and returns its path. */
export function writeImage(file: string, source: string): string {
  const header = `
        b       start
        .word   0
        .quad   0x80000, 0x10000, 0, 0, 0, 0
        .ascii  "ARM"
        .byte   0x64
        .word   0
`;
  writeFileSync(file, assemble(header + source).bytes);
  return file;
}

export interface BuiltRun {
  readonly code: number | null;
  readonly stdout: string;
  /** CPU time of the process, all its threads together. */
  readonly cpuMilliseconds: number;
}

export function builtRun(image: string, ...options: readonly string[]): BuiltRun {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', preload, main, 'run', image, ...options],
    {
      encoding: 'utf8',
    },
  );
  return { code: status, stdout, cpuMilliseconds: Number(/cpu ([\d.]+) ms/.exec(stderr)?.[1]) };
}
