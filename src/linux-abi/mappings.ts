// The mappings of an address space, sorted by address: where there is room, what a range holds, and how it is cut and joined.

import { lowestMapping, mmapTop, pageBytes, taskBytes } from './limits.ts';
import type { AddressSpace, Mapping } from './state.ts';

export const PROT = { READ: 1, WRITE: 2, EXEC: 4 } as const;

/** Position of the first mapping that ends above the address. */
function firstAbove(mappings: readonly Mapping[], va: number): number {
  let low = 0;
  let high = mappings.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((mappings[middle] as Mapping).end > va) high = middle;
    else low = middle + 1;
  }
  return low;
}

export function mappingAt({ mappings }: AddressSpace, va: number): Mapping | undefined {
  const found = mappings[firstAbove(mappings, va)];
  return found && found.start <= va ? found : undefined;
}

/** The first mapping above an address that none holds. */
export const mappingAbove = ({ mappings }: AddressSpace, va: number): Mapping | undefined =>
  mappings[firstAbove(mappings, va)];

/** The mappings that have a page in the range, in order. */
export function mappingsIn({ mappings }: AddressSpace, start: number, end: number): Mapping[] {
  const found: Mapping[] = [];
  for (let n = firstAbove(mappings, start); n < mappings.length; n += 1) {
    const mapping = mappings[n] as Mapping;
    if (mapping.start >= end) break;
    found.push(mapping);
  }
  return found;
}

/** True where every page of the range is in a mapping. */
export function isMapped(space: AddressSpace, start: number, end: number): boolean {
  let at = start;
  for (const mapping of mappingsIn(space, start, end)) {
    if (mapping.start > at) return false;
    at = mapping.end;
  }
  return at >= end;
}

export function insertMapping({ mappings }: AddressSpace, mapping: Mapping): void {
  mappings.splice(firstAbove(mappings, mapping.start), 0, mapping);
  joinAround(mappings, mapping);
}

const areAlike = (a: Mapping, b: Mapping): boolean =>
  a.end === b.start &&
  a.protection === b.protection &&
  a.isShared === b.isShared &&
  !a.growsDown &&
  !b.growsDown &&
  a.name === b.name &&
  a.inode === b.inode &&
  a.object === b.object &&
  ((a.inode === undefined && a.object === undefined) || a.offset + (a.end - a.start) === b.offset);

/** Joins a mapping with its neighbours where they are one. */
function joinAround(mappings: Mapping[], mapping: Mapping): void {
  const at = mappings.indexOf(mapping);
  for (let next = mappings[at + 1]; next && areAlike(mapping, next); next = mappings[at + 1]) {
    mapping.end = next.end;
    mappings.splice(at + 1, 1);
  }
  const previous = mappings[at - 1];
  if (previous && areAlike(previous, mapping)) {
    previous.end = mapping.end;
    mappings.splice(at, 1);
  }
}

/** Cuts so that a mapping begins at this address, if one holds it. */
function cutAt(space: AddressSpace, va: number): void {
  const mapping = mappingAt(space, va);
  if (!mapping || mapping.start === va) return;
  const rest: Mapping = { ...mapping, start: va, offset: mapping.offset + (va - mapping.start), growsDown: false };
  mapping.end = va;
  space.mappings.splice(space.mappings.indexOf(mapping) + 1, 0, rest);
}

/** The mappings of exactly this range, cut out of their neighbours. */
export function cutOut(space: AddressSpace, start: number, end: number): Mapping[] {
  cutAt(space, start);
  cutAt(space, end);
  return mappingsIn(space, start, end);
}

export function removeMappings(space: AddressSpace, removed: readonly Mapping[]): void {
  const [first] = removed;
  if (first) space.mappings.splice(space.mappings.indexOf(first), removed.length);
}

/** Gives mappings another protection, and joins what is then one. */
export function protectMappings(space: AddressSpace, changed: readonly Mapping[], protection: number): void {
  for (const mapping of changed) mapping.protection = protection;
  for (const mapping of changed) if (space.mappings.includes(mapping)) joinAround(space.mappings, mapping);
}

/** Where so many bytes are free: the highest place below the stack, as arch_get_unmapped_area_topdown() finds it; undefined: nowhere. */
export function findRoom({ mappings }: AddressSpace, sizeBytes: number): number | undefined {
  let end = mmapTop;
  for (let n = firstAbove(mappings, mmapTop - 1) - 1; ; n -= 1) {
    // A mapping may reach over the top.
    const below = mappings[n];
    const above = mappings[n + 1];
    end = Math.min(end, above?.start ?? taskBytes);
    const start = Math.max(below?.end ?? 0, lowestMapping);
    if (end - sizeBytes >= start) return end - sizeBytes;
    if (!below) return undefined;
  }
}

export const isFree = (space: AddressSpace, start: number, end: number): boolean =>
  mappingsIn(space, start, end).length === 0;

export const roundUp = (bytes: number): number => Math.ceil(bytes / pageBytes) * pageBytes;
export const roundDown = (address: number): number => address - (address % pageBytes);
