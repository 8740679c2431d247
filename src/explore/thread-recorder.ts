// The memory that one thread sees while it is explored: every access becomes events, and a read has the value that is known of it, or is
// open.
//
// An instruction ends early, and is run again later, when it needs an open value, or when its outcome is a choice that has not been made:
// whether a store-exclusive is done, and whether a compare and swap finds what it expects in an open read.

import type { TraceAccess, TraceElement, TraceException, TraceMemory, TraceRead } from '../engine/trace-state.ts';
import {
  type Dependencies,
  independent,
  merge,
  openValue,
  type Reads,
  traceValue,
  type TraceValue,
  union,
} from '../engine/trace-values.ts';
import type { AtomicOperation } from '../isa/semantics.ts';
import type { CacheMaintenance, FenceName, TakenException, ThreadHooks } from '../memory-model/program.ts';
import { atomicResult } from './atomic-operations.ts';
import type { Translation, Walked } from '../memory-model/translation.ts';
import { walk, withAccessFlag } from '../memory-model/translation.ts';
import { type LocalEvent, noAddress, type OrderingModel, type ReadModifyWrite } from './local-event.ts';
import { atomicGranuleBytes, instructionAt, instructionBytes, type MemoryParts, type Part } from './memory-parts.ts';

/** Ends an instruction whose outcome is to be chosen. */
const choiceMissing: TraceException = { exception: 'open value', value: openValue(32, 'choice', independent) };

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
  /** Where each of them was made (placeOfChoice). */
  readonly choicePlaces: readonly number[];
  /** Branches that depended on reads, and choices. */
  readonly decisions: number;
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
  decisions: 0,
  monitor: undefined,
  control: independent,
  sources: [],
  isHandling: false,
};

/**
 * What a compare and swap that succeeds gives its register depends on the register itself or on memory: these reads. Values that have
 * come from it depend on a stand-in (standInOf) until it matters and is decided.
 */
interface RegisterSource {
  readonly register: Reads;
  readonly memory: Reads;
  readonly isRegister: boolean | undefined;
}

/** In the place of the reads of the n-th source; reads are numbers from 0. */
const standInOf = (n: number): number => -1 - n;

/** Why the thread stands still at a choice; reads are those that would make it. */
export interface MissingChoice {
  readonly kind: 'store exclusive' | 'compare and swap' | 'source of a register' | 'hardware update';
  readonly reads: readonly number[];
  readonly place: number;
}

/** More than any instruction makes. */
const mostChoices = 16;

/** The n-th choice of an instruction. */
const placeOfChoice = (instruction: number, n: number): number => mostChoices * instruction + n;

export class ThreadRecorder implements TraceMemory, ThreadHooks {
  readonly events: LocalEvent[];
  readonly #parts: MemoryParts;
  readonly #known: ReadonlyMap<number, bigint>;
  readonly #choices: readonly boolean[];
  #accesses: number;
  #instructions: number;
  #choicesMade: number;
  #decisions: number;
  #monitor: Monitor | undefined;
  #control: Dependencies;
  #sources: readonly RegisterSource[];
  readonly #distinguishesSources: OrderingModel['distinguishesSources'];
  readonly #translation: Translation | undefined;
  #isHandling: boolean;
  /** The walk that has led to a fault of this instruction. */
  #faultingWalk: number | undefined;
  /** Choices that were made, also by values, in program order. */
  readonly choices: boolean[];
  #choicePlaces: readonly number[];
  missingChoice: MissingChoice | undefined;
  /** A choice that was made has turned out to be wrong. */
  isContradicted = false;

  constructor(
    parts: MemoryParts,
    events: LocalEvent[],
    state: RecorderState,
    known: ReadonlyMap<number, bigint>,
    choices: readonly boolean[],
    distinguishesSources: OrderingModel['distinguishesSources'],
    translation: Translation | undefined,
  ) {
    this.#parts = parts;
    this.#translation = translation;
    this.#isHandling = state.isHandling;
    this.#distinguishesSources = distinguishesSources;
    this.events = events;
    this.#known = known;
    this.#choices = choices;
    this.#accesses = state.accesses;
    this.#instructions = state.instructions;
    this.#choicesMade = state.choices;
    this.#decisions = state.decisions;
    this.#monitor = state.monitor;
    this.#control = state.control;
    this.#sources = state.sources;
    this.choices = choices.slice(0, state.choices);
    this.#choicePlaces = state.choicePlaces;
  }

  /** Every later event depends on these by control. */
  get control(): Dependencies {
    return this.#control;
  }

  state(): RecorderState {
    return {
      events: this.events.length,
      accesses: this.#accesses,
      instructions: this.#instructions,
      choices: this.#choicesMade,
      choicePlaces: this.#choicePlaces,
      decisions: this.#decisions,
      monitor: this.#monitor,
      control: this.#control,
      sources: this.#sources,
      isHandling: this.#isHandling,
    };
  }

  /** The reads of its own thread without which a value is not known, or more. */
  readsOf(value: Dependencies): readonly number[] {
    return dependsOn([value]).filter((read) => read >= 0);
  }

  nextInstruction(): void {
    this.#instructions += 1;
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
    const addr = this.#withReads(argument);
    this.#fence(sets, { addr, ...(descriptor !== undefined && { address: descriptor, bytes: descriptorBytes }) });
  }

  updateAccessFlag(descriptor: bigint): 'done' | 'none' | TraceException {
    const isDone = this.#choice({ kind: 'hardware update', reads: [] });
    if (isDone === undefined) return choiceMissing;
    if (!isDone) return 'none';
    const read = this.#readDescriptor(descriptor, independent, ['SPURIOUS']);
    const bits = this.events[read]!.value;
    if (bits === undefined) return openRead(read);
    const updated = withAccessFlag(bits);
    if (updated === undefined) this.isContradicted = true;
    else this.#updateDescriptor(read, { bits: updated, sets: ['AF', 'SPURIOUS'] });
    return 'done';
  }

  #fence(sets: readonly string[], more: Partial<LocalEvent> = {}): void {
    this.events.push({ ...this.#event(new Set(sets)), kind: 'F', ...more });
  }

  fetch(address: bigint): TraceValue | undefined {
    if (!this.#parts.isModified(address)) return undefined;
    const reads: number[] = [];
    let bits: bigint | undefined = 0n;
    this.#accesses += 1;
    for (const part of this.#parts.of(address, instructionBytes) ?? []) {
      const at = this.events.length;
      const value = this.#known.get(at);
      reads.push(at);
      this.events.push({ ...this.#event(fetchAnnotations), kind: 'R', access: this.#accesses, ...part, value });
      if (value === undefined || bits === undefined) bits = undefined;
      else bits |= value << (8n * (part.address - address));
    }
    const depends = { deps: reads, picks: [] };
    return bits === undefined ? openValue(32, `#${reads.join('#')}`, depends) : traceValue(32, bits, depends);
  }

  cacheMaintenance(name: CacheMaintenance, address: TraceValue): void {
    const isForAll = name !== 'DC.CVAU' && name !== 'IC.IVAU';
    this.events.push({
      ...this.#event(new Set([name])),
      kind: 'C',
      bytes: instructionBytes,
      address: isForAll || address.open !== undefined ? noAddress : instructionAt(address.bits),
      addr: isForAll ? independent : this.#withReads(address),
    });
  }

  /** An event that accesses nothing. */
  #event(annotations: ReadonlySet<string>): Omit<LocalEvent, 'kind'> {
    return {
      instruction: this.#instructions,
      access: -1,
      address: noAddress,
      bytes: 0,
      value: undefined,
      annotations,
      isInOrder: false,
      addr: independent,
      data: independent,
      ctrl: this.#control,
      handsOn: independent,
      choices: this.#choicesMade,
    };
  }

  branch(depends: Dependencies): void {
    if (depends.deps.length + depends.picks.length > 0) this.#decisions += 1;
    this.#control = merge(this.#control, this.#withReads(depends));
  }

  // TraceMemory

  load(given: TraceAccess): TraceRead | TraceException {
    const located = this.#locate(given, 1, 'read');
    if ('exception' in located) return located;
    const { access, parts } = located;
    return this.#read(access, parts, 1, readAnnotations(access)).result;
  }

  store(given: TraceAccess, value: TraceValue): TraceException | undefined {
    const located = this.#locate(given, 1, 'write', [value]);
    if ('exception' in located) return located;
    const { access, parts, values } = located;
    this.#write(access, parts, { values, annotations: writeAnnotations(access) });
    return undefined;
  }

  loadExclusive(given: TraceAccess, elements: 1 | 2): TraceRead | TraceException {
    const located = this.#locate(given, elements, 'read');
    if ('exception' in located) return located;
    const { access, parts } = located;
    const { result, reads } = this.#read(access, parts, elements, [...readAnnotations(access), 'X']);
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
    const isDone = this.#choice({ kind: 'store exclusive', reads: [] });
    if (isDone === undefined) return choiceMissing;
    this.#monitor = undefined;
    if (isDone) {
      const annotations = [...writeAnnotations(access), 'X'];
      this.#write(access, parts, { values, annotations, rmw: { reads: monitor.reads, kind: 'lxsx' } });
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
    const { result, reads } = this.#read(access, parts, 1, readAnnotations(access));
    const isOpen = operand.open !== undefined || (isOpenElement(result, 0) && operation !== 'SWP');
    const bits = isOpen ? 0n : atomicResult(operation, result.bits[0]!, operand.bits, 8 * access.bytes);
    this.#write(access, parts, {
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
    const { result, reads } = this.#read(access, parts, expected.length, readAnnotations(access), dependsOn(expected));
    const isEqual = this.#compare(result, reads.flat(), expected);
    if (isEqual === undefined) return choiceMissing;
    if (!isEqual) return result;
    const found = this.#found(result, reads, expected);
    if (found === undefined) return choiceMissing;
    this.#write(access, parts, {
      values: values.slice(compared.length),
      annotations: writeAnnotations(access),
      rmw: { reads: reads.flat(), kind: 'amo' },
      // Whether there is a write at all was picked by what was expected and by what was read.
      picks: dependsOn(expected),
      handsOn: { deps: [], picks: reads.flat() },
    });
    return found;
  }

  /** Whether a compare and swap succeeds: by the values where they are known; an earlier choice has to agree. */
  #compare(
    { bits, elements }: TraceRead,
    reads: readonly number[],
    expected: readonly TraceValue[],
  ): boolean | undefined {
    const known = expected.map((value, n) =>
      value.open === undefined && elements![n]!.open === undefined ? value.bits === bits[n] : undefined,
    );
    const byValues = known.includes(false) ? false : known.includes(undefined) ? undefined : true;
    const needed = dependsOn(expected.filter(({ open }) => open !== undefined));
    // What memory is compared with first: then whether there is a write is known as soon as where it would come in coherence order.
    const chosen = this.#choice({ kind: 'compare and swap', reads: [...needed, ...reads] }, byValues);
    if (chosen !== undefined && byValues !== undefined && chosen !== byValues) this.isContradicted = true;
    return chosen;
  }

  /** The next choice: as it was made, or else as the values make it. */
  #choice(missing: Omit<MissingChoice, 'place'>, byValues?: boolean): boolean | undefined {
    const made = this.#choices[this.#choicesMade] ?? byValues;
    const first = placeOfChoice(this.#instructions, 0);
    const place = first + this.#choicePlaces.filter((at) => at >= first).length;
    if (made === undefined) {
      this.missingChoice = { ...missing, place };
      return undefined;
    }
    this.choices.push(made);
    this.#choicePlaces = [...this.#choicePlaces, place];
    this.#choicesMade += 1;
    this.#decisions += 1;
    return made;
  }

  /** Values that are used where it matters on what they depend: with the sources of all of them; undefined where one is to be chosen. */
  #decided(values: readonly TraceValue[]): readonly TraceValue[] | undefined {
    for (const { deps } of values)
      for (const standIn of deps) {
        if (standIn >= 0 || this.#sources[standInOf(standIn)]!.isRegister !== undefined) continue;
        const isRegister = this.#choice({ kind: 'source of a register', reads: [] });
        if (isRegister === undefined) return undefined;
        this.#sources = this.#sources.with(standInOf(standIn), { ...this.#sources[standInOf(standIn)]!, isRegister });
      }
    return values.map((value) => this.#withReads(value));
  }

  /** With reads in place of stand-ins; of those that are not decided, the register's. */
  #withReads<T extends Dependencies>(value: T): T {
    if (value.deps.every((read) => read >= 0)) return value;
    const deps = value.deps.map((read) => {
      if (read >= 0) return [read];
      const { isRegister, register, memory } = this.#sources[standInOf(read)]!;
      return isRegister === false ? memory : register;
    });
    return { ...value, deps: deps.reduce(union) };
  }

  /**
   * What a compare and swap that succeeds gives its register: it has read what it expects, so the value may come from memory or from the
   * register (Arm DDI 0487, "Intrinsic dependencies" of CAS). Where the register depends on nothing that order is the weaker one.
   */
  #found(
    result: TraceRead,
    reads: readonly (readonly number[])[],
    expected: readonly TraceValue[],
  ): TraceRead | undefined {
    const known = this.#expect(result, reads, expected);
    const picked = union(reads.flat(), dependsOn(expected));
    // One of two dependencies, of which the picks have both: it can be decided later.
    const [register, memory] = [expected[0]!.deps, known.elements![0]!.deps];
    const isOpen = expected.length === 1 && memory.every((read) => picked.includes(read));
    if (isOpen && this.#distinguishesSources === 'addresses and data' && dependsOn(expected).length > 0) {
      this.#sources = [...this.#sources, { register, memory, isRegister: undefined }];
      const [{ picks, open }] = known.elements as [TraceElement];
      return {
        ...known,
        elements: [{ deps: [standInOf(this.#sources.length - 1)], picks: union(picks, picked), open }],
      };
    }
    const isFree = dependsOn(expected).length === 0 || this.#distinguishesSources === 'nowhere';
    const isFromRegister = this.#choice({ kind: 'source of a register', reads: [] }, isFree ? true : undefined);
    if (isFromRegister === undefined) return undefined;
    const elements = known.elements!.map((read, n) => {
      const { deps, picks } = isFromRegister ? expected[n]! : read;
      return { deps, picks: union(picks, picked), open: read.open };
    });
    return { ...known, elements };
  }

  /** What is read is what is expected; so far as the one is known, the other is. */
  #expect(result: TraceRead, reads: readonly (readonly number[])[], expected: readonly TraceValue[]): TraceRead {
    reads.forEach((events, n) => {
      const { open, bits } = expected[n]!;
      if (open !== undefined) return;
      const first = this.events[events[0]!]!.address;
      for (const at of events) {
        const event = this.events[at]!;
        this.events[at] = { ...event, value: slice(bits, event.address - first, event.bytes) };
      }
    });
    const elements = result.elements!.map((element, n) => ({ ...element, open: expected[n]!.open }));
    return { ...result, bits: expected.map(({ bits }) => bits), elements };
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
    const [at, ...values] = this.#decided([address, ...givenValues]) ?? [];
    if (at === undefined) return choiceMissing;
    const translated = this.#translate(at, kind, access.unprivileged ?? false);
    if ('exception' in translated) return translated;
    const parts = this.#parts.of(translated.address.bits, total, bytes);
    if (!parts) return fault('translation');
    if (kind === 'write') for (const part of parts) if (this.#parts.isCode(part.address)) this.#parts.modify(part);
    return { access: { ...given, ...translated }, parts, values };
  }

  /** The location of an address, by a walk that reads its descriptor; or the fault that it leads to. */
  #translate(address: TraceValue, kind: 'read' | 'write', isUnprivileged: boolean): Translated | TraceException {
    const translation = this.#translation;
    if (!translation) return { address };
    const isEL0 = isUnprivileged || (translation.isEL0 && !this.#isHandling);
    const fault = (name: Walked['fault'] & string): TraceException => ({
      exception: 'Data Abort',
      address: address.bits,
      fault: name,
      byDescriptor: true,
    });
    this.#faultingWalk = undefined;
    const descriptor = translation.descriptorOf(address.bits);
    // What is not translated are the tables themselves, and code.
    if (descriptor === undefined) return isEL0 ? fault('permission') : { address };
    const read = this.#readDescriptor(descriptor, address, translation.sets);
    const bits = this.events[read]!.value;
    if (bits === undefined) return openRead(read);
    const walked = walk(bits, { isWrite: kind === 'write', isEL0 }, translation);
    if (walked.fault !== undefined) {
      this.#faultingWalk = read;
      return fault(walked.fault);
    }
    if (walked.update) this.#updateDescriptor(read, walked.update);
    const location = translation.locationOf(address.bits, walked.oa);
    return { address: { ...address, bits: location }, walk: read, virtual: address.bits };
  }

  /** The implicit read of a descriptor; its place among the events. */
  #readDescriptor(address: bigint, addr: Dependencies, sets: readonly string[]): number {
    const at = this.events.length;
    const [part] = this.#parts.of(address, descriptorBytes)!;
    this.#accesses += 1;
    this.events.push({
      ...this.#implicit(part!, sets),
      kind: 'R',
      value: this.#known.get(at),
      addr,
    });
    return at;
  }

  /** The write of hardware to the descriptor that was read. */
  #updateDescriptor(read: number, { bits, sets }: Walked['update'] & object): void {
    const { address, bytes, addr } = this.events[read]!;
    this.#accesses += 1;
    this.events.push({
      ...this.#implicit({ address, bytes }, [...sets, ...(this.#translation?.sets ?? [])]),
      kind: 'W',
      value: bits,
      addr,
      rmw: { read, kind: 'hu', isAtomic: this.#parts.hasInitialWrite(address) },
    });
  }

  #implicit({ address, bytes }: Part, sets: readonly string[]): Omit<LocalEvent, 'kind' | 'value' | 'addr'> {
    return {
      instruction: this.#instructions,
      access: this.#accesses,
      address,
      bytes,
      annotations: new Set(['NExp', 'PTE', ...sets]),
      isInOrder: false,
      data: independent,
      ctrl: this.#control,
      handsOn: independent,
      choices: this.#choicesMade,
    };
  }

  /** Parts of one access share a number; an access that is not single-copy atomic is an access for each part. */
  #numberOf(part: Part, { address, bytes }: TraceAccess, elements: number): number {
    const last = address.bits + BigInt(bytes * elements) - 1n;
    const isAtomic = address.bits / atomicGranuleBytes === last / atomicGranuleBytes;
    if (!isAtomic || part.address === address.bits) this.#accesses += 1;
    return this.#accesses;
  }

  #read(
    access: LocatedAccess,
    parts: readonly Part[],
    elements: number,
    annotations: readonly string[],
    comparedWith?: Reads,
  ): { readonly result: TraceRead; readonly reads: readonly (readonly number[])[] } {
    const set = this.#annotationsOf(parts, annotations);
    const reads: number[][] = Array.from({ length: elements }, () => []);
    const found: TraceElement[] = Array.from({ length: elements }, () => ({ deps: [], picks: [] }));
    const bits = Array.from({ length: elements }, () => 0n);
    for (const part of parts) {
      const offset = Number(part.address - access.address.bits);
      const element = Math.floor(offset / access.bytes);
      const at = this.events.length;
      const localSource = this.#lastWrite(part.address);
      const value = this.#known.get(at);
      this.events.push({
        kind: 'R',
        instruction: this.#instructions,
        access: this.#numberOf(part, access, elements),
        address: part.address,
        bytes: part.bytes,
        value,
        annotations: set,
        isInOrder: access.access.inOrder ?? false,
        ...(access.isControlStack && { isUnordered: true }),
        addr: access.address,
        data: independent,
        ctrl: this.#control,
        handsOn: independent,
        choices: this.#choicesMade,
        comparedWith,
        localSource,
        ...walkOf(access, part),
      });
      const through = localSource === undefined ? independent : this.events[localSource]!.handsOn;
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

  #annotationsOf(parts: readonly Part[], annotations: readonly string[]): ReadonlySet<string> {
    const isCode = parts[0] !== undefined && this.#parts.isCode(parts[0].address);
    return new Set(isCode ? [...annotations, 'Instr'] : annotations);
  }

  /** The last write of the thread to a part, before this instruction. */
  #lastWrite(address: bigint): number | undefined {
    for (let n = this.events.length - 1; n >= 0; n -= 1) {
      const event = this.events[n]!;
      if (event.kind === 'W' && event.address === address && event.instruction !== this.#instructions) return n;
    }
    return undefined;
  }

  #write(access: LocatedAccess, parts: readonly Part[], write: Write): void {
    const set = this.#annotationsOf(parts, write.annotations);
    const isOpenAt = (element: number): boolean => write.values[element]!.open !== undefined;
    for (const part of parts) {
      const offset = Number(part.address - access.address.bits);
      const element = Math.floor(offset / access.bytes);
      const stored = write.values[element]!;
      const data = merge(stored, { deps: [], picks: write.picks ?? [] });
      this.events.push({
        kind: 'W',
        instruction: this.#instructions,
        access: this.#numberOf(part, access, write.values.length),
        address: part.address,
        bytes: part.bytes,
        value: isOpenAt(element) ? undefined : slice(stored.bits, BigInt(offset % access.bytes), part.bytes),
        annotations: set,
        isInOrder: access.access.inOrder ?? false,
        ...(access.isControlStack && { isUnordered: true }),
        addr: access.address,
        data,
        ctrl: this.#control,
        handsOn: merge(merge(access.address, data), write.handsOn ?? independent),
        choices: this.#choicesMade,
        ...(write.rmw && { rmw: this.#rmw(write.rmw, part.address) }),
        ...walkOf(access, part),
      });
    }
  }

  #rmw({ reads, kind }: RmwReads, address: bigint): ReadModifyWrite {
    const read = reads.find((at) => this.events[at]!.address === address)!;
    const between = this.events.slice(read + 1);
    return { read, kind, isAtomic: !between.some((event) => event.kind === 'W' && event.address === address) };
  }
}

/** An access whose address is a location. */
type LocatedAccess = TraceAccess & Pick<LocalEvent, 'walk' | 'virtual'>;
type Translated = Pick<LocatedAccess, 'address' | 'walk' | 'virtual'>;

/** What a part of an access knows of its walk. */
function walkOf({ address, walk: read, virtual }: LocatedAccess, part: Part): Pick<LocalEvent, 'walk' | 'virtual'> {
  return read === undefined ? {} : { walk: read, virtual: virtual! + part.address - address.bits };
}

const descriptorBytes = 8;

/** The instruction cannot go on before a read has a value. */
const openRead = (read: number): TraceException => ({
  exception: 'open value',
  value: openValue(64, `#${read}`, { deps: [read], picks: [] }),
});

interface Located {
  readonly access: LocatedAccess;
  readonly parts: readonly Part[];
  readonly values: readonly TraceValue[];
}

interface RmwReads {
  readonly reads: readonly number[];
  readonly kind: ReadModifyWrite['kind'];
}

interface Write {
  /** One for each element. */
  readonly values: readonly TraceValue[];
  readonly annotations: readonly string[];
  readonly rmw?: RmwReads;
  /** Reads that decided whether the write is done. */
  readonly picks?: readonly number[];
  /** Handed on besides what address and data depend on. */
  readonly handsOn?: Dependencies;
}

/** All reads on which values depend, be it by a pick. */
function dependsOn(values: readonly Dependencies[]): readonly number[] {
  return values.reduce<readonly number[]>((all, { deps, picks }) => union(all, union(deps, picks)), []);
}

const isOpenElement = ({ elements }: TraceRead, n: number): boolean => elements![n]!.open !== undefined;

const slice = (bits: bigint, offsetBytes: bigint, bytes: number): bigint =>
  BigInt.asUintN(8 * bytes, bits >> (8n * offsetBytes));

const fetchAnnotations: ReadonlySet<string> = new Set(['Instr', 'NExp']);

function readAnnotations({ access, isDiscarded, isControlStack }: TraceAccess): readonly string[] {
  if (isControlStack) return ['GCS'];
  if (isDiscarded) return ['NoRet'];
  return access.acquire ? ['A'] : access.acquirePC ? ['Q'] : [];
}

const writeAnnotations = ({ access, isControlStack }: TraceAccess): readonly string[] =>
  isControlStack ? ['GCS'] : access.release ? ['L'] : [];
