// What the TCU does with a transaction (Arm IHI 0070, "Translation procedure"): Stream Table Entry, Context Descriptor, both stages,
// and the caches of each. With `isTrial` nothing is cached, so that the number of memory reads, and with it the time that the
// translation takes, is known before it is made.

import type { RamPort } from '../../src/memory/ram-port.ts';
import { event, type Fault, faultClass, isTranslationRelated, stage1Fault, type Transaction } from './events.ts';
import { accessBit, substreamValid } from './lti.ts';
import {
  addressOf,
  type Context,
  type ContextTable,
  decodeContext,
  decodeStreamEntry,
  defaultSubstream,
  outputAddressBits,
  type Stage2,
  type StreamEntry,
} from './structures.ts';
import {
  allPermissions,
  contextBit,
  type Invalidation,
  namesStream,
  opcode,
  permission,
  type SavedTlb,
  Tlb,
  type TlbEntry,
} from './tlb.ts';
import { type Descriptor, isFault, type Leaf, rangeOf, walkStage1, walkStage2 } from './walk.ts';

/** Where the stream table is: SMMU_STRTAB_BASE and _CFG, and SMMU_CR2. */
export interface StreamTable {
  readonly base: number;
  readonly log2Size: number;
  /** StreamID bits that index a table of the second level; 0 where the table is linear. */
  readonly split: number;
  readonly isE2h: boolean;
  /** RECINVSID. */
  readonly recordsBadStreams: boolean;
}

export type Outcome =
  | { readonly kind: 'translated'; readonly entry: TlbEntry; readonly isHit: boolean }
  | { readonly kind: 'fault'; readonly fault: Fault; readonly isRecorded: boolean };

export interface SavedTranslation {
  readonly streams: readonly [number, StreamEntry][];
  readonly contexts: readonly [string, Context][];
  readonly tlb: SavedTlb;
}

/** Entries of the caches: what streams of a small system use at a time; a larger one is only slower. */
const cachedStructures = 64;
const cachedTranslations = 256;

const structureBytes = 64;
const twoTo32 = 2 ** 32;
const pageShift = 12;

const silently = (fault: Fault): Outcome => ({ kind: 'fault', fault, isRecorded: false });
const recorded = (fault: Fault): Outcome => ({ kind: 'fault', fault, isRecorded: true });
const ofFetch = (of: number, fetchAddress: number): Fault => ({ ...stage1Fault(of), fetchAddress });

/** Permissions that an access needs of a stage. */
export function neededPermissions(access: number): number {
  const isPrivileged = (access & accessBit.privileged) !== 0;
  const read = isPrivileged ? permission.privilegedRead : permission.userRead;
  const write = isPrivileged ? permission.privilegedWrite : permission.userWrite;
  return ((access & accessBit.read) !== 0 ? read : 0) | ((access & accessBit.write) !== 0 ? write : 0);
}

/** A VA as the TLBs know it: bits [47:0], and bit 48 of the upper range. */
export const inputNumber = (low: number, high: number): number =>
  (high & 0xffff) * twoTo32 + low + ((high >>> 23) & 1) * 2 ** 48;

/** Keeps the newest entries of a map. */
function remember<Key, Value>(cache: Map<Key, Value>, key: Key, value: Value): void {
  const oldest = cache.keys().next();
  if (cache.size >= cachedStructures && oldest.done !== true) cache.delete(oldest.value);
  cache.set(key, value);
}

export class Translation {
  private readonly ram: Pick<RamPort, 'readWord'>;
  private readonly streams = new Map<number, StreamEntry>();
  /** By stream and substream. */
  private readonly contexts = new Map<string, Context>();
  private readonly tlb = new Tlb(cachedTranslations);
  /** Reads of memory that the present translation has made. */
  private reads = 0;
  private isTrial = false;

  constructor(ram: Pick<RamPort, 'readWord'>) {
    this.ram = ram;
  }

  /** Reads of memory that the transaction takes, if it is translated now. */
  cost(table: StreamTable, transaction: Transaction, access: number): number {
    this.translate(table, transaction, access, true);
    return this.reads;
  }

  translate(table: StreamTable, transaction: Transaction, access: number, isTrial = false): Outcome {
    this.reads = 0;
    this.isTrial = isTrial;
    const entry = this.streamEntry(table, transaction.streamId);
    if (isFault(entry)) {
      return entry.event === event.C_BAD_STREAMID && !table.recordsBadStreams ? silently(entry) : recorded(entry);
    }
    if (entry.kind === 'abort') return silently(stage1Fault(0));
    return this.translateStream(entry, transaction, access);
  }

  private translateStream(
    entry: Extract<StreamEntry, { kind: 'pass' }>,
    transaction: Transaction,
    access: number,
  ): Outcome {
    const { contexts, stage2 } = entry;
    const context = this.contextOf(entry, contexts, transaction);
    if (context !== undefined && isFault(context)) {
      const isSuppressed = context.stage === 2 && isTranslationRelated(context) && stage2?.records !== true;
      return isSuppressed ? silently(context) : recorded(context);
    }
    const { addressLow, addressHigh } = transaction;
    if (context === undefined && Math.floor(addressHigh / 2 ** (outputAddressBits - 32)) !== 0) {
      return recorded(stage1Fault(event.F_ADDR_SIZE));
    }
    if (context !== undefined && rangeOf(context, addressLow, addressHigh) === undefined) {
      const fault = stage1Fault(event.F_TRANSLATION);
      return context.records ? recorded(fault) : silently(fault);
    }
    const address = inputNumber(addressLow, addressHigh);
    const key = {
      context:
        entry.world | (context === undefined ? 0 : contextBit.stage1) | (stage2 === undefined ? 0 : contextBit.stage2),
      vmid: entry.vmid,
      asid: context?.asid ?? 0,
      stream: -1,
      substream: 0,
    };
    const isBypass = context === undefined && stage2 === undefined;
    const hit = isBypass ? undefined : this.tlb.find(address, key);
    const found = hit ?? this.walk(entry.world, context, stage2, transaction, address, access, key);
    if (!isFault(found)) {
      const fault = permissionFault(found, address, access);
      if (fault === undefined) {
        if (hit === undefined && !isBypass && !this.isTrial) this.tlb.add(found);
        return { kind: 'translated', entry: found, isHit: hit !== undefined };
      }
      return this.suppress(fault, context, stage2);
    }
    return this.suppress(found, context, stage2);
  }

  private suppress(fault: Fault, context: Context | undefined, stage2: Stage2 | undefined): Outcome {
    if (!isTranslationRelated(fault)) return recorded(fault);
    const records = fault.stage === 1 ? context?.records : stage2?.records;
    return records === true ? recorded(fault) : silently(fault);
  }

  private walk(
    world: number,
    context: Context | undefined,
    stage2: Stage2 | undefined,
    { addressLow, addressHigh }: Transaction,
    address: number,
    access: number,
    key: Pick<TlbEntry, 'context' | 'vmid' | 'asid' | 'stream' | 'substream'>,
  ): TlbEntry | Fault {
    const bypass: Leaf = { output: address, shift: pageShift, permissions: allPermissions, isGlobal: false };
    const first =
      context === undefined
        ? bypass
        : walkStage1(context, world, addressLow, addressHigh, stage2, (pa) => this.descriptor(pa));
    if (isFault(first)) return first;
    // A Permission fault of stage 1 comes before stage 2 is asked.
    if ((first.permissions & neededPermissions(access)) !== neededPermissions(access))
      return stage1Fault(event.F_PERMISSION);
    const second =
      stage2 === undefined
        ? { ...bypass, output: first.output, shift: first.shift }
        : walkStage2(stage2, first.output, faultClass.IN, (pa) => this.descriptor(pa));
    if (isFault(second)) return second;
    const shift = context === undefined ? second.shift : Math.min(first.shift, second.shift);
    const start = (of: number): number => of - (of % 2 ** shift);
    return {
      ...key,
      context: key.context | (first.isGlobal ? contextBit.global : 0),
      input: start(address),
      shift,
      output: start(second.output),
      ipa: start(first.output),
      stage1: first.permissions,
      stage2: second.permissions,
    };
  }

  private streamEntry(table: StreamTable, streamId: number): StreamEntry | Fault {
    const cached = this.streams.get(streamId);
    if (cached !== undefined) return cached;
    const { base, log2Size, split } = table;
    const bad = stage1Fault(event.C_BAD_STREAMID);
    if (streamId >= 2 ** log2Size) return bad;
    let address = base - (base % 2 ** (log2Size + 6)) + structureBytes * streamId;
    if (split > 0) {
      const start = base - (base % 2 ** Math.max(6, log2Size - split + 3));
      const at = start + 8 * Math.floor(streamId / 2 ** split);
      const pointer = this.descriptor(at);
      if (pointer === undefined) return ofFetch(event.F_STE_FETCH, at);
      const span = pointer.low & 31;
      const index = streamId % 2 ** split;
      if (span === 0 || span > split + 1 || index >= 2 ** (span - 1)) return bad;
      const second = addressOf(pointer.low, pointer.high, 6);
      address = second - (second % 2 ** (span + 5)) + structureBytes * index;
    }
    const words = this.structure(address);
    if (words === undefined) return ofFetch(event.F_STE_FETCH, address);
    const entry = decodeStreamEntry(words, table.isE2h);
    if (entry === undefined) return stage1Fault(event.C_BAD_STE);
    if (!this.isTrial) remember(this.streams, streamId, entry);
    return entry;
  }

  /** The context of a transaction; undefined where stage 1 does not translate it. */
  private contextOf(
    { world, stage2 }: Extract<StreamEntry, { kind: 'pass' }>,
    contexts: ContextTable | undefined,
    { streamId, substream }: Transaction,
  ): Context | Fault | undefined {
    const isGiven = substream >= substreamValid;
    const given = substream % substreamValid;
    if (contexts === undefined) return isGiven ? stage1Fault(event.C_BAD_SUBSTREAMID) : undefined;
    const { bits, defaultSubstream: S1DSS } = contexts;
    if (isGiven && (bits === 0 || given >= 2 ** bits)) return stage1Fault(event.C_BAD_SUBSTREAMID);
    if (!isGiven && bits > 0 && S1DSS === defaultSubstream.bypass) return undefined;
    const isDisabled = isGiven
      ? S1DSS === defaultSubstream.zero && given === 0
      : bits > 0 && S1DSS !== defaultSubstream.zero;
    if (isDisabled) return stage1Fault(event.F_STREAM_DISABLED);
    const index = isGiven ? given : 0;
    const key = `${streamId}:${index}`;
    const cached = this.contexts.get(key);
    if (cached !== undefined) return cached;
    const address = this.contextAddress(contexts, index, stage2);
    if (typeof address !== 'number') return address;
    const place = this.throughStage2(stage2, address);
    if (typeof place !== 'number') return place;
    const words = this.structure(place);
    if (words === undefined) return ofFetch(event.F_CD_FETCH, place);
    const context = decodeContext(words, world);
    if (context === undefined) return stage1Fault(event.C_BAD_CD);
    if (!this.isTrial) remember(this.contexts, key, context);
    return context;
  }

  /** Where a context descriptor is: a PA, or an IPA where stage 2 translates. */
  private contextAddress(contexts: ContextTable, index: number, stage2: Stage2 | undefined): number | Fault {
    const { pointer, bits, secondLevelBits } = contexts;
    if (secondLevelBits === 0) return pointer - (pointer % 2 ** (bits + 6)) + structureBytes * index;
    const start = pointer - (pointer % 2 ** Math.max(6, bits - secondLevelBits + 3));
    const place = this.throughStage2(stage2, start + 8 * Math.floor(index / 2 ** secondLevelBits));
    if (typeof place !== 'number') return place;
    const descriptor = this.descriptor(place);
    if (descriptor === undefined) return ofFetch(event.F_CD_FETCH, place);
    if ((descriptor.low & 1) === 0) return stage1Fault(event.C_BAD_SUBSTREAMID);
    const second = addressOf(descriptor.low, descriptor.high, 12);
    return second - (second % 2 ** (secondLevelBits + 6)) + structureBytes * (index % 2 ** secondLevelBits);
  }

  private throughStage2(stage2: Stage2 | undefined, address: number): number | Fault {
    if (stage2 === undefined) return address;
    const leaf = walkStage2(stage2, address, faultClass.CD, (pa) => this.descriptor(pa));
    return isFault(leaf) ? leaf : leaf.output;
  }

  private descriptor(pa: number): Descriptor | undefined {
    this.reads += 1;
    const low = this.ram.readWord(pa, 4);
    const high = this.ram.readWord(pa + 4, 4);
    return low === undefined || high === undefined ? undefined : { low, high };
  }

  /** The words of an STE or a CD: one line, one read. */
  private structure(pa: number): number[] | undefined {
    this.reads += 1;
    const words: number[] = [];
    for (let offset = 0; offset < structureBytes; offset += 4) {
      const word = this.ram.readWord(pa + offset, 4);
      if (word === undefined) return undefined;
      words.push(word);
    }
    return words;
  }

  /** An STE takes its CDs with it. */
  invalidate(command: Invalidation): void {
    this.tlb.invalidate(command);
    for (const key of [...this.contexts.keys()]) {
      const [stream = 0, index = 0] = key.split(':').map(Number);
      if (namesStream(command, stream, index)) this.contexts.delete(key);
    }
    for (const stream of [...this.streams.keys()]) {
      // CMD_CFGI_CD and _CD_ALL leave the STE.
      if (!isOfContexts(command) && namesStream(command, stream, 0)) this.streams.delete(stream);
    }
  }

  save(): SavedTranslation {
    return { streams: [...this.streams], contexts: [...this.contexts], tlb: this.tlb.save() };
  }

  restore(saved: SavedTranslation): void {
    this.streams.clear();
    for (const [stream, entry] of saved.streams) this.streams.set(stream, entry);
    this.contexts.clear();
    for (const [key, context] of saved.contexts) this.contexts.set(key, context);
    this.tlb.restore(saved.tlb);
  }
}

const isOfContexts = ({ operation }: Invalidation): boolean =>
  operation === opcode.CFGI_CD || operation === opcode.CFGI_CD_ALL;

/** The fault of an access that a translation does not permit: of stage 1 before stage 2. */
function permissionFault(entry: TlbEntry, address: number, access: number): Fault | undefined {
  const needed = neededPermissions(access);
  if ((entry.stage1 & needed) !== needed) return stage1Fault(event.F_PERMISSION);
  if ((entry.stage2 & needed) === needed) return undefined;
  const ipa = entry.ipa + (address - entry.input);
  return { event: event.F_PERMISSION, stage: 2, class: faultClass.IN, ipa, fetchAddress: 0 };
}
