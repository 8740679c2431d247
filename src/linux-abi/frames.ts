// Page frames: all RAM of the machine, one reference count for each. A frame that is given out holds zeros.

import { assert } from '../report/assert.ts';
import type { Core } from './kernel.ts';
import { pageBytes } from './limits.ts';
import type { Frames } from './state.ts';

const zeros = new Uint8Array(pageBytes);

export function makeFrames(firstPa: number, ramBytes: number): Frames {
  const count = ramBytes / pageBytes;
  return { firstPa, count, references: new Uint16Array(count), free: [], next: 0 };
}

const indexOf = ({ firstPa }: Frames, pa: number): number => (pa - firstPa) / pageBytes;

/** A frame with one reference, or undefined where there is none left. */
export function allocateFrame({ state: { frames }, port: { ram } }: Core): number | undefined {
  const reused = frames.free.pop();
  const index = reused ?? (frames.next < frames.count ? frames.next : undefined);
  if (index === undefined) return undefined;
  const pa = frames.firstPa + index * pageBytes;
  if (reused === undefined) frames.next += 1;
  else ram.writeBytes(pa, zeros);
  frames.references[index] = 1;
  return pa;
}

export const referencesOf = ({ state: { frames } }: Core, pa: number): number =>
  frames.references[indexOf(frames, pa)] as number;

export function addReference({ state: { frames } }: Core, pa: number): void {
  const index = indexOf(frames, pa);
  frames.references[index] = referenceCount(frames, index) + 1;
}

function referenceCount(frames: Frames, index: number): number {
  const count = frames.references[index] as number;
  assert(count > 0, 'a frame in use has a reference');
  return count;
}

export function releaseFrame({ state: { frames } }: Core, pa: number): void {
  const index = indexOf(frames, pa);
  const left = referenceCount(frames, index) - 1;
  frames.references[index] = left;
  if (left === 0) frames.free.push(index);
}

export const freeFrames = ({ free, next, count }: Frames): number => free.length + count - next;
