// What an image loader returns: plain data that the machine builder copies into RAM.

import { UserError } from '../report/user-error.ts';
import { memoryMap } from './memory-map.ts';

export interface Segment {
  /** Physical address of the first byte. */
  readonly address: number;
  readonly bytes: Uint8Array;
  /** How many zero bytes follow. */
  readonly zeroBytes: number;
}

export interface Image {
  readonly kind: 'elf' | 'image';
  readonly segments: readonly Segment[];
  readonly entry: number;
  /** Everything that the image may use before it looks for free memory: the first address above its segments and its bss. */
  readonly end: number;
}

/** A file as it came from the disk; `path` is for sentences only. */
export interface InputFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

export const hex = (value: number | bigint): string => `0x${value.toString(16)}`;

export const endOf = ({ address, bytes, zeroBytes }: Segment): number => address + bytes.length + zeroBytes;

/** Every refusal of a loader names the file and says what is wrong with it in one sentence. */
export function refuse(path: string, what: string, hint?: string): never {
  throw new UserError(`${path}: ${what}`, hint);
}

/** Refuses what does not fit into RAM, and what would lie in one place twice. */
export function checkPlacement(path: string, segments: readonly Segment[], memoryBytes: number): void {
  const { base } = memoryMap.ram;
  const limit = base + memoryBytes;
  const inOrder = [...segments].sort((a, b) => a.address - b.address);
  inOrder.forEach((segment, i) => {
    const [start, end] = [segment.address, endOf(segment)];
    if (start < base || end > limit)
      refuse(path, `${hex(start)}-${hex(end)} is outside RAM, which is ${hex(base)}-${hex(limit)} with this --memory`);
    const previous = inOrder[i - 1];
    if (previous && endOf(previous) > start)
      refuse(path, `two segments overlap, at ${hex(previous.address)} and at ${hex(start)}`);
  });
}
