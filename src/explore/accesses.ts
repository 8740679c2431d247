// The reads and writes of an instruction as events, one for each part of memory that it accesses: what a read gives the instruction and on
// which reads that depends, be it through writes of the same thread, and what a write hands on.

import type { TraceAccess, TraceElement, TraceRead } from '../engine/trace-state.ts';
import { type Dependencies, independent, merge, type Reads, type TraceValue } from '../engine/trace-values.ts';
import type { LocalEvent, ReadModifyWrite } from './local-event.ts';
import { atomicGranuleBytes, type MemoryParts, type Part, slice } from './memory-parts.ts';
import type { Recording } from './recording.ts';
import { type Translated, walkOf } from './walks.ts';

/** An access whose address is a location. */
export type LocatedAccess = TraceAccess & Translated;

/** What is read, and the events of each element. */
export function readParts(
  recording: Recording,
  access: LocatedAccess,
  parts: readonly Part[],
  elements: number,
  annotations: readonly string[],
  comparedWith?: Reads,
): { readonly result: TraceRead; readonly reads: readonly (readonly number[])[] } {
  const { events, instruction, control, choices } = recording;
  const set = annotationsOf(recording.parts, parts, annotations);
  const reads: number[][] = Array.from({ length: elements }, () => []);
  const found: TraceElement[] = Array.from({ length: elements }, () => ({ deps: [], picks: [] }));
  const bits = Array.from({ length: elements }, () => 0n);
  for (const part of parts) {
    const offset = Number(part.address - access.address.bits);
    const element = Math.floor(offset / access.bytes);
    const at = events.length;
    const localSource = lastWrite(recording, part.address);
    const value = recording.known.get(at);
    events.push({
      kind: 'R',
      instruction,
      access: numberOf(recording, part, access, elements),
      address: part.address,
      bytes: part.bytes,
      value,
      annotations: set,
      isInOrder: access.access.inOrder ?? false,
      ...(access.isControlStack && { isUnordered: true }),
      addr: access.address,
      data: independent,
      ctrl: control,
      handsOn: independent,
      choices: choices.made.length,
      comparedWith,
      localSource,
      ...walkOf(access, part),
    });
    const through = localSource === undefined ? independent : events[localSource]!.handsOn;
    const { open, ...depends } = found[element]!;
    reads[element]!.push(at);
    found[element] = {
      ...merge(depends, merge({ deps: [at], picks: [] }, through)),
      open: open ?? (value === undefined ? `#${at}` : undefined),
    };
    bits[element]! |= (value ?? 0n) << BigInt(8 * (offset % access.bytes));
  }
  return { result: { bits, read: reads[0]![0]!, elements: found }, reads };
}

interface RmwReads {
  readonly reads: readonly number[];
  readonly kind: ReadModifyWrite['kind'];
}

export interface Write {
  /** One for each element. */
  readonly values: readonly TraceValue[];
  readonly annotations: readonly string[];
  readonly rmw?: RmwReads;
  /** Reads that decided whether the write is done. */
  readonly picks?: readonly number[];
  /** Handed on besides what address and data depend on. */
  readonly handsOn?: Dependencies;
}

export function writeParts(recording: Recording, access: LocatedAccess, parts: readonly Part[], write: Write): void {
  const { events, instruction, control, choices } = recording;
  const set = annotationsOf(recording.parts, parts, write.annotations);
  const isOpenAt = (element: number): boolean => write.values[element]!.open !== undefined;
  for (const part of parts) {
    const offset = Number(part.address - access.address.bits);
    const element = Math.floor(offset / access.bytes);
    const stored = write.values[element]!;
    const data = merge(stored, { deps: [], picks: write.picks ?? [] });
    events.push({
      kind: 'W',
      instruction,
      access: numberOf(recording, part, access, write.values.length),
      address: part.address,
      bytes: part.bytes,
      value: isOpenAt(element) ? undefined : slice(stored.bits, BigInt(offset % access.bytes), part.bytes),
      annotations: set,
      isInOrder: access.access.inOrder ?? false,
      ...(access.isControlStack && { isUnordered: true }),
      addr: access.address,
      data,
      ctrl: control,
      handsOn: merge(merge(access.address, data), write.handsOn ?? independent),
      choices: choices.made.length,
      ...(write.rmw && { rmw: readModifyWrite(events, write.rmw, part.address) }),
      ...walkOf(access, part),
    });
  }
}

/** Parts of one access share a number; an access that is not single-copy atomic is an access for each part. */
function numberOf(recording: Recording, part: Part, { address, bytes }: TraceAccess, elements: number): number {
  const last = address.bits + BigInt(bytes * elements) - 1n;
  const isAtomic = address.bits / atomicGranuleBytes === last / atomicGranuleBytes;
  if (!isAtomic || part.address === address.bits) recording.accesses += 1;
  return recording.accesses;
}

function annotationsOf(
  memory: MemoryParts,
  parts: readonly Part[],
  annotations: readonly string[],
): ReadonlySet<string> {
  const isCode = parts[0] !== undefined && memory.isCode(parts[0].address);
  return new Set(isCode ? [...annotations, 'Instr'] : annotations);
}

/** The last write of the thread to a part, before this instruction. */
function lastWrite({ events, instruction }: Recording, address: bigint): number | undefined {
  for (let n = events.length - 1; n >= 0; n -= 1) {
    const event = events[n]!;
    if (event.kind === 'W' && event.address === address && event.instruction !== instruction) return n;
  }
  return undefined;
}

function readModifyWrite(events: readonly LocalEvent[], { reads, kind }: RmwReads, address: bigint): ReadModifyWrite {
  const read = reads.find((at) => events[at]!.address === address)!;
  const between = events.slice(read + 1);
  return { read, kind, isAtomic: !between.some((event) => event.kind === 'W' && event.address === address) };
}
