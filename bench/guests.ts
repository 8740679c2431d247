// The programs that are measured, and what each of them is made of. All of them run on one core and print the same everywhere.

import { packageFile } from '../workers/package-file.ts';

export interface BenchGuest {
  readonly name: string;
  readonly measures: string;
  /** Measured unless names are given. */
  readonly byDefault: boolean;
}

export const benchGuests: readonly BenchGuest[] = [
  { name: 'intloop', measures: 'integer arithmetic, strings, records, calls: Dhrystone-like', byDefault: true },
  { name: 'memcpy', measures: 'copies by pairs, words, SIMD&FP registers and bytes', byDefault: true },
  { name: 'bytecode', measures: 'an interpreter: indirect branches that are hard to foresee', byDefault: true },
  { name: 'nbody', measures: 'floating point: planets, linear equations, matrices in vectors', byDefault: true },
  { name: 'chase', measures: 'dependent loads over 16 KiB to 4 MiB', byDefault: false },
  { name: 'crc-sha', measures: 'CRC32 instructions, SHA-256 in C', byDefault: false },
];

/** The guest with the fewest instructions: what is left of its time is start-up. */
export const smallestGuest = 'wfe-mutex';

export const guestFile = (name: string): string => packageFile(`tests/guests/bin/${name}.elf`);
