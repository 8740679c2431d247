// Translation of a thread's accesses, as it is recorded: the walk of each reads its descriptor, and hardware may update what was read (Arm
// DDI 0487, D8.4 "Memory accesses and translation table walks", D8.5 "Hardware management of the Access flag and dirty state"). Both are
// events that no instruction asks for. What bits of a descriptor mean is in memory-model/translation.ts; who sees the writes of descriptors
// when is in arm-translation.ts.

import type { TraceException } from '../engine/trace-state.ts';
import { type Dependencies, independent, openValue, type TraceValue } from '../engine/trace-values.ts';
import { type Translation, walk, type Walked, withAccessFlag } from '../memory-model/translation.ts';
import { choiceMissing, choose } from './choices.ts';
import type { LocalEvent } from './local-event.ts';
import type { Part } from './memory-parts.ts';
import { implicitAccess, type Recording } from './recording.ts';

export const descriptorBytes = 8;

/** An address that is a location, and how it has become one. */
export interface Translated extends Pick<LocalEvent, 'walk' | 'virtual'> {
  readonly address: TraceValue;
}

/** There is no location yet, or none. */
export interface Untranslated {
  readonly exception: TraceException;
  /** Of a fault: the walk that has led to it. */
  readonly faultingWalk?: number;
}

/** The location of an address, by a walk that reads its descriptor; or the fault that it leads to. */
export function translate(
  recording: Recording,
  address: TraceValue,
  access: { readonly isWrite: boolean; readonly isEL0: boolean },
  translation: Translation,
): Translated | Untranslated {
  const fault = (name: Walked['fault'] & string): TraceException => ({
    exception: 'Data Abort',
    address: address.bits,
    fault: name,
    byDescriptor: true,
  });
  const descriptor = translation.descriptorOf(address.bits);
  // What is not translated are the tables themselves, and code.
  if (descriptor === undefined) return access.isEL0 ? { exception: fault('permission') } : { address };
  const read = readDescriptor(recording, descriptor, address, translation.sets);
  const bits = recording.events[read]!.value;
  if (bits === undefined) return { exception: openDescriptor(read) };
  const walked = walk(bits, access, translation);
  if (walked.fault !== undefined) return { exception: fault(walked.fault), faultingWalk: read };
  if (walked.update) updateDescriptor(recording, read, walked.update, translation.sets);
  const location = translation.locationOf(address.bits, walked.oa);
  return { address: { ...address, bits: location }, walk: read, virtual: address.bits };
}

/** What a part of an access knows of its walk. */
export function walkOf({ address, walk: read, virtual }: Translated, part: Part): Pick<LocalEvent, 'walk' | 'virtual'> {
  return read === undefined ? {} : { walk: read, virtual: virtual! + part.address - address.bits };
}

/** Hardware sets the access flag of a descriptor for no access of the thread, or does not. */
export function setAccessFlag(
  recording: Recording,
  descriptor: bigint,
  translation: Translation | undefined,
): 'done' | 'none' | TraceException {
  const isDone = choose(recording, { kind: 'hardware update', reads: [] });
  if (isDone === undefined) return choiceMissing;
  if (!isDone) return 'none';
  const read = readDescriptor(recording, descriptor, independent, ['SPURIOUS']);
  const bits = recording.events[read]!.value;
  if (bits === undefined) return openDescriptor(read);
  const updated = withAccessFlag(bits);
  if (updated === undefined) recording.choices.isContradicted = true;
  else updateDescriptor(recording, read, { bits: updated, sets: ['AF', 'SPURIOUS'] }, translation?.sets ?? []);
  return 'done';
}

/** The implicit read of a descriptor; its place among the events. */
function readDescriptor(recording: Recording, address: bigint, addr: Dependencies, sets: readonly string[]): number {
  const { parts, events, known } = recording;
  const at = events.length;
  const [part] = parts.of(address, descriptorBytes)!;
  recording.accesses += 1;
  events.push({
    ...implicitAccess(recording, part!, new Set(['NExp', 'PTE', ...sets])),
    kind: 'R',
    value: known.get(at),
    addr,
  });
  return at;
}

/** The write of hardware to the descriptor that was read. */
function updateDescriptor(
  recording: Recording,
  read: number,
  { bits, sets }: Walked['update'] & object,
  setsOfWalks: readonly string[],
): void {
  const { parts, events } = recording;
  const { address, bytes, addr } = events[read]!;
  recording.accesses += 1;
  events.push({
    ...implicitAccess(recording, { address, bytes }, new Set(['NExp', 'PTE', ...sets, ...setsOfWalks])),
    kind: 'W',
    value: bits,
    addr,
    rmw: { read, kind: 'hu', isAtomic: parts.hasInitialWrite(address) },
  });
}

/** The instruction cannot go on before the descriptor that it has read has a value. */
const openDescriptor = (read: number): TraceException => ({
  exception: 'open value',
  value: openValue(64, `#${read}`, { deps: [read], picks: [] }),
});
