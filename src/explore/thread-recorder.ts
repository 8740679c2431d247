// The memory that one thread sees while it is explored: every access becomes events, and a read has the value that is known of it, or is
// open.
//
// An instruction ends early, and is run again later, when it needs an open value, or when its outcome is a choice that has not been made
// (choices.ts). What is read besides the accesses of the program is recorded in fetches.ts and walks.ts.

import type { TraceAccess, TraceElement, TraceException, TraceMemory, TraceRead } from '../engine/trace-state.ts';
import {
  type Dependencies,
  dependsOn,
  independent,
  merge,
  type Reads,
  type TraceValue,
} from '../engine/trace-values.ts';
import type { AtomicOperation } from '../isa/semantics.ts';
import { pageBytes } from '../memory-model/descriptor.ts';
import type { CacheMaintenance, FenceName, TakenException, ThreadHooks } from '../memory-model/program.ts';
import type { Translation } from '../memory-model/translation.ts';
import { type LocatedAccess, readParts, writeParts } from './accesses.ts';
import { atomicResult } from './atomic-operations.ts';
import { choiceMissing, type Choices, choose } from './choices.ts';
import { compare, expectRead } from './compare-and-swap.ts';
import { fetchInstruction, maintainCaches } from './fetches.ts';
import type { LocalEvent, OrderingModel } from './local-event.ts';
import type { MemoryParts, Part } from './memory-parts.ts';
import { type Recording, withoutAccess } from './recording.ts';
import { decide, elementsOfRegister, isRead, type RegisterSource, withReads } from './register-sources.ts';
import { descriptorBytes, setAccessFlag, translate, type Translated, type Untranslated } from './walks.ts';

export interface Monitor {
  readonly address: bigint;
  readonly bytes: number;
  /** The events of the load-exclusive. */
  readonly reads: readonly number[];
}

/** All that the recorder knows besides the values of reads; it is kept for each instruction that may be run again. */
export interface RecorderState {
  readonly events: number;
  readonly accesses: number;
  readonly instructions: number;
  readonly choices: number;
  /** Where each of them was made. */
  readonly choicePlaces: readonly number[];
  /** Branches that depended on reads. */
  readonly decidedBranches: number;
  readonly monitor: Monitor | undefined;
  readonly control: Dependencies;
  readonly sources: readonly RegisterSource[];
  /** In the handler of an exception, which runs at EL1. */
  readonly isHandling: boolean;
}

/** Of a thread that has done nothing yet. */
export const atStart: RecorderState = {
  events: 0,
  accesses: 0,
  instructions: 0,
  choices: 0,
  choicePlaces: [],
  decidedBranches: 0,
  monitor: undefined,
  control: independent,
  sources: [],
  isHandling: false,
};

/** How often what the thread does was decided by something that it has read or that was chosen. */
export const decisionsOf = ({ choices, decidedBranches }: RecorderState): number => choices + decidedBranches;

export class ThreadRecorder implements TraceMemory, ThreadHooks {
  readonly choices: Choices;
  readonly #recording: Recording;
  readonly #distinguishesSources: OrderingModel['distinguishesSources'];
  readonly #translation: Translation | undefined;
  #decidedBranches: number;
  #monitor: Monitor | undefined;
  #sources: readonly RegisterSource[];
  #isHandling: boolean;
  /** The walk that has led to a fault of this instruction. */
  #faultingWalk: number | undefined;

  constructor(
    parts: MemoryParts,
    events: LocalEvent[],
    state: RecorderState,
    known: ReadonlyMap<number, bigint>,
    choices: readonly boolean[],
    distinguishesSources: OrderingModel['distinguishesSources'],
    translation: Translation | undefined,
  ) {
    this.choices = {
      given: choices,
      made: choices.slice(0, state.choices),
      places: state.choicePlaces,
      missing: undefined,
      isContradicted: false,
    };
    this.#recording = {
      parts,
      events,
      known,
      choices: this.choices,
      instruction: state.instructions,
      accesses: state.accesses,
      control: state.control,
    };
    this.#distinguishesSources = distinguishesSources;
    this.#translation = translation;
    this.#decidedBranches = state.decidedBranches;
    this.#monitor = state.monitor;
    this.#sources = state.sources;
    this.#isHandling = state.isHandling;
  }

  get events(): readonly LocalEvent[] {
    return this.#recording.events;
  }

  /** Every later event depends on these by control. */
  get control(): Dependencies {
    return this.#recording.control;
  }

  state(): RecorderState {
    const { events, instruction, accesses, control, choices } = this.#recording;
    return {
      events: events.length,
      accesses,
      instructions: instruction,
      choices: choices.made.length,
      choicePlaces: choices.places,
      decidedBranches: this.#decidedBranches,
      monitor: this.#monitor,
      control,
      sources: this.#sources,
      isHandling: this.#isHandling,
    };
  }

  /** The reads of its own thread without which a value is not known, or more. */
  readsOf(value: Dependencies): readonly number[] {
    return dependsOn([value]).filter(isRead);
  }

  nextInstruction(): void {
    this.#recording.instruction += 1;
    this.#faultingWalk = undefined;
  }

  // ThreadHooks

  fence(name: FenceName): void {
    this.#fence([name]);
  }

  exceptionEntry(taken: TakenException, sets: readonly string[], hasHandler: boolean): void {
    const walked = this.#faultingWalk;
    this.#fence(sets, { taken, ...(walked !== undefined && { walk: walked }) });
    this.#isHandling = hasHandler;
  }

  /** It clears the local monitor (Arm DDI 0487, B2.17.1 "Exclusive access instructions and non-shareable memory locations"). */
  exceptionReturn(sets: readonly string[]): void {
    this.#monitor = undefined;
    this.#isHandling = false;
    this.#fence(sets);
  }

  maintenance(sets: readonly string[], argument: TraceValue, address: bigint | undefined): void {
    const descriptor = address === undefined ? undefined : (this.#translation?.descriptorOf(address) ?? address);
    const addr = withReads(this.#sources, argument);
    this.#fence(sets, { addr, ...(descriptor !== undefined && { address: descriptor, bytes: descriptorBytes }) });
  }

  updateAccessFlag(descriptor: bigint): 'done' | 'none' | TraceException {
    return setAccessFlag(this.#recording, descriptor, this.#translation);
  }

  #fence(sets: readonly string[], more: Partial<LocalEvent> = {}): void {
    this.#recording.events.push({ ...withoutAccess(this.#recording, new Set(sets)), kind: 'F', ...more });
  }

  fetch(address: bigint): TraceValue | undefined {
    return fetchInstruction(this.#recording, address);
  }

  cacheMaintenance(name: CacheMaintenance, address: TraceValue): void {
    maintainCaches(this.#recording, name, withReads(this.#sources, address));
  }

  branch(depends: Dependencies): void {
    if (depends.deps.length + depends.picks.length > 0) this.#decidedBranches += 1;
    this.#recording.control = merge(this.#recording.control, withReads(this.#sources, depends));
  }

  // TraceMemory

  load(given: TraceAccess): TraceRead | TraceException {
    const located = this.#locate(given, 1, 'read');
    if ('exception' in located) return located;
    const { access, parts } = located;
    return readParts(this.#recording, access, parts, 1, readAnnotations(access)).result;
  }

  store(given: TraceAccess, value: TraceValue): TraceException | undefined {
    const located = this.#locate(given, 1, 'write', [value]);
    if ('exception' in located) return located;
    const { access, parts, values } = located;
    writeParts(this.#recording, access, parts, { values, annotations: writeAnnotations(access) });
    return undefined;
  }

  loadExclusive(given: TraceAccess, elements: 1 | 2): TraceRead | TraceException {
    const located = this.#locate(given, elements, 'read');
    if ('exception' in located) return located;
    const { access, parts } = located;
    const { result, reads } = readParts(this.#recording, access, parts, elements, [...readAnnotations(access), 'X']);
    this.#monitor = { address: access.address.bits, bytes: access.bytes * elements, reads: reads.flat() };
    return result;
  }

  storeExclusive(given: TraceAccess, stored: readonly TraceValue[]): boolean | TraceException {
    const located = this.#locate(given, stored.length, 'write', stored);
    if ('exception' in located) return located;
    const { access, parts, values } = located;
    const monitor = this.#monitor;
    if (monitor?.address !== access.address.bits || monitor.bytes !== access.bytes * values.length) {
      this.#monitor = undefined;
      return false;
    }
    const isDone = choose(this.#recording, { kind: 'store exclusive', reads: [] });
    if (isDone === undefined) return choiceMissing;
    this.#monitor = undefined;
    if (isDone) {
      const annotations = [...writeAnnotations(access), 'X'];
      writeParts(this.#recording, access, parts, { values, annotations, rmw: { reads: monitor.reads, kind: 'lxsx' } });
    }
    return isDone;
  }

  clearExclusive(): void {
    this.#monitor = undefined;
  }

  atomic(given: TraceAccess, operation: AtomicOperation, value: TraceValue): TraceRead | TraceException {
    const located = this.#locate(given, 1, 'write', [value]);
    if ('exception' in located) return located;
    const { access, parts } = located;
    const operand = located.values[0]!;
    const { result, reads } = readParts(this.#recording, access, parts, 1, readAnnotations(access));
    const isOpen = operand.open !== undefined || (isOpenElement(result, 0) && operation !== 'SWP');
    const bits = isOpen ? 0n : atomicResult(operation, result.bits[0]!, operand.bits, 8 * access.bytes);
    writeParts(this.#recording, access, parts, {
      values: [{ ...operand, bits, open: isOpen ? 'atomic' : undefined }],
      annotations: writeAnnotations(access),
      rmw: { reads: reads.flat(), kind: 'amo' },
      // The value that SWP writes does not come from its read.
      handsOn: operation === 'SWP' ? independent : { deps: reads.flat(), picks: [] },
    });
    return result;
  }

  compareAndSwap(
    given: TraceAccess,
    compared: readonly TraceValue[],
    swapped: readonly TraceValue[],
  ): TraceRead | TraceException {
    const located = this.#locate(given, compared.length, 'write', [...compared, ...swapped]);
    if ('exception' in located) return located;
    const { access, parts, values } = located;
    const expected = values.slice(0, compared.length);
    const { result, reads } = readParts(
      this.#recording,
      access,
      parts,
      expected.length,
      readAnnotations(access),
      dependsOn(expected),
    );
    const isEqual = compare(result, reads.flat(), expected, this.#recording);
    if (isEqual === undefined) return choiceMissing;
    if (!isEqual) return result;
    const found = expectRead(this.#recording.events, result, reads, expected);
    const elements = this.#elementsOfRegister(found, reads.flat(), expected);
    if (elements === undefined) return choiceMissing;
    writeParts(this.#recording, access, parts, {
      values: values.slice(compared.length),
      annotations: writeAnnotations(access),
      rmw: { reads: reads.flat(), kind: 'amo' },
      // Whether there is a write at all was picked by what was expected and by what was read.
      picks: dependsOn(expected),
      handsOn: { deps: [], picks: reads.flat() },
    });
    return { ...found, elements };
  }

  #elementsOfRegister(
    { elements }: TraceRead,
    reads: Reads,
    expected: readonly TraceValue[],
  ): readonly TraceElement[] | undefined {
    const found = { expected, elements: elements!, reads };
    const known = elementsOfRegister(this.#sources, found, this.#distinguishesSources, this.#recording);
    if (known) this.#sources = known.sources;
    return known?.elements;
  }

  /** An access and the values that it is given, as far as they come from where they do, and its parts; or the exception in its place. */
  #locate(
    given: TraceAccess,
    elements: number,
    kind: 'read' | 'write',
    givenValues: readonly TraceValue[] = [],
  ): Located | TraceException {
    const { address, bytes, access } = given;
    if (address.open !== undefined) return { exception: 'open value', value: address };
    const total = bytes * elements;
    const fault = (name: 'alignment' | 'translation'): TraceException => ({
      exception: 'Data Abort',
      address: address.bits,
      fault: name,
    });
    if (access.aligned && address.bits % BigInt(total) !== 0n) return fault('alignment');
    const sources = decide(this.#sources, [address, ...givenValues], this.#recording);
    if (sources === undefined) return choiceMissing;
    this.#sources = sources;
    if (this.#translation?.descriptorOf(address.bits) !== undefined && crossesPage(address.bits, total))
      return { exception: 'page crossing', address: address.bits };
    const translated = this.#translate(withReads(sources, address), kind, access.unprivileged ?? false);
    if ('exception' in translated) return translated.exception;
    const values = givenValues.map((value) => withReads(sources, value));
    const memory = this.#recording.parts;
    const parts = memory.of(translated.address.bits, total, bytes);
    if (!parts) return fault('translation');
    if (kind === 'write') for (const part of parts) if (memory.isCode(part.address)) memory.modify(part);
    return { access: { ...given, ...translated }, parts, values };
  }

  #translate(address: TraceValue, kind: 'read' | 'write', isUnprivileged: boolean): Translated | Untranslated {
    const translation = this.#translation;
    if (!translation) return { address };
    const isEL0 = isUnprivileged || (translation.isEL0 && !this.#isHandling);
    const outcome = translate(this.#recording, address, { isWrite: kind === 'write', isEL0 }, translation);
    this.#faultingWalk = 'exception' in outcome ? outcome.faultingWalk : undefined;
    return outcome;
  }
}

const crossesPage = (address: bigint, bytes: number): boolean => (address % pageBytes) + BigInt(bytes) > pageBytes;

interface Located {
  readonly access: LocatedAccess;
  readonly parts: readonly Part[];
  readonly values: readonly TraceValue[];
}

const isOpenElement = ({ elements }: TraceRead, n: number): boolean => elements![n]!.open !== undefined;

function readAnnotations({ access, isDiscarded, isControlStack }: TraceAccess): readonly string[] {
  if (isControlStack) return ['GCS'];
  if (isDiscarded) return ['NoRet'];
  return access.acquire ? ['A'] : access.acquirePC ? ['Q'] : [];
}

const writeAnnotations = ({ access, isControlStack }: TraceAccess): readonly string[] =>
  isControlStack ? ['GCS'] : access.release ? ['L'] : [];
