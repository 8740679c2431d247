// Images for bad input and for runs that do not end, written into a folder of the test's own.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ElfParts, elfFile, ramBase, type SegmentParts } from '../board/elf-file.ts';
import { elfOf } from './built.ts';

const entry = ramBase + 0x20_0000;

const bytesOf = (...words: readonly number[]): Uint8Array => new Uint8Array(Uint32Array.from(words).buffer);

const [B_self, WFI, B_back, NOP] = [0x1400_0000, 0xd503_207f, 0x17ff_ffff, 0xd503_201f];

/** A good program that never ends, with changes. */
const program = (changes: Partial<ElfParts> = {}): Uint8Array =>
  elfFile({ segments: [{ address: entry, bytes: bytesOf(NOP, NOP, B_self) }], ...changes });

const withSegment = (segment: Partial<SegmentParts>): Uint8Array =>
  program({ segments: [{ address: entry, bytes: bytesOf(NOP, NOP, B_self), ...segment }] });

/** A copy of a file with some fields of its headers changed. */
function patched(file: Uint8Array, patch: (view: DataView) => void): Uint8Array {
  const copy = file.slice();
  patch(new DataView(copy.buffer));
  return copy;
}
const programHeader = 64;

const guest = readFileSync(elfOf('smp-hello'));

/** File contents, and what is said about them after the path. */
export const badImages: readonly (readonly [what: string, bytes: Uint8Array, says: string])[] = [
  ['an empty file', new Uint8Array(0), 'an empty file'],
  ['three bytes', Uint8Array.of(0x7f, 0x45, 0x4c), 'neither an ELF executable nor an arm64 Image'],
  ['text', new TextEncoder().encode('#!/bin/sh\necho hello\n'), 'neither an ELF executable nor an arm64 Image'],
  ['an ELF file of 20 bytes', guest.subarray(0, 20), 'cut short: 20 bytes'],
  ['an ELF file cut inside its program headers', guest.subarray(0, 100), 'cut short: its 2 program headers'],
  ['an ELF file cut inside a segment', guest.subarray(0, 3000), 'cut short: segment 0 needs bytes up to 0x'],
  ['an ELF file for x86-64', program({ machine: 62 }), 'made for x86-64'],
  ['a 32-bit ELF file', program({ fileClass: 1 }), 'a 32-bit ELF file'],
  ['a big-endian ELF file', program({ encoding: 2 }), 'a big-endian ELF file'],
  ['an ELF file without segments', program({ segments: [], entry: BigInt(entry) }), 'there is nothing to load'],
  ['a segment below RAM', withSegment({ address: 0x1000 }), '0x1000-0x100c is outside RAM'],
  ['a segment that leaves RAM', withSegment({ memoryBytes: 2 ** 31 }), '0x40200000-0xc0200000 is outside RAM'],
  ['an entry point outside RAM', program({ entry: 0x1234n }), 'its entry point 0x1234 is in no executable segment'],
  [
    'a segment at the end of the address space',
    patched(program(), (view) => view.setBigUint64(programHeader + 24, 2n ** 64n - 16n, true)),
    '0xfffffffffffffff0-0xfffffffffffffffc is outside RAM',
  ],
  [
    'a segment that is larger in the file than in memory',
    patched(program(), (view) => view.setBigUint64(programHeader + 40, 1n, true)),
    'has 12 bytes in the file and room for 1',
  ],
  [
    'a segment of 2^63 bytes',
    patched(program(), (view) => view.setBigUint64(programHeader + 40, 2n ** 63n, true)),
    'is outside RAM',
  ],
  [
    'a segment far beyond the end of the file',
    patched(program(), (view) => view.setBigUint64(programHeader + 8, 2n ** 62n, true)),
    'cut short: segment 0 needs bytes up to 0x400000000000000c',
  ],
  [
    'program headers beyond the end of the file',
    patched(program(), (view) => view.setBigUint64(32, 2n ** 40n, true)),
    'cut short: its 1 program headers at 0x10000000000',
  ],
  [
    '65,535 program headers',
    patched(program(), (view) => view.setUint16(56, 0xffff, true)),
    'cut short: its 65535 program headers',
  ],
];

/** Programs that do not end by themselves. */
export const endless = {
  /** Three instructions, then the last one for ever. */
  loop: program(),
  /** WFI with nothing that could come. */
  sleep: program({ segments: [{ address: entry, bytes: bytesOf(WFI, B_back) }] }),
} as const;

/** Writes an image and returns its path. */
export function writeImage(folder: string, name: string, bytes: Uint8Array): string {
  const path = join(folder, `${name}.elf`);
  writeFileSync(path, bytes);
  return path;
}
