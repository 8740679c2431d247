// Translation for the TBUs: a walker and a part of the caches for each, so that no device waits for the walks of another one, or loses
// translations to it. A walker makes one translation after the other, at the end of its time, from what memory and caches hold then.

import type { RamPort } from '../../src/memory/ram-port.ts';
import type { ActorId, Ticks } from '../actor.ts';
import { encode, type FieldsOf } from '../protocol.ts';
import { dtiMessages, faultType, notCached } from './dti.ts';
import { event, type Fault, type Transaction } from './events.ts';
import { accessBit } from './lti.ts';
import { outputAddressBits } from './structures.ts';
import type { Invalidation } from './tlb.ts';
import { type SavedTranslation, type StreamTable, Translation } from './translation.ts';

export type Request = FieldsOf<typeof dtiMessages.TRANS_REQ> & { readonly tbu: ActorId };

export interface WalkCounters {
  translations: number;
  /** Of the TCU; the TBUs count their own. */
  tlbHits: number;
  /** Reads of memory. */
  reads: number;
  faults: number;
}

/** What a walker needs of the SMMU that it belongs to. */
export interface Walked {
  /** SMMU_CR0.SMMUEN. */
  readonly isEnabled: boolean;
  /** SMMU_GBPA.ABORT. */
  readonly abortsBypass: boolean;
  readonly streamTable: StreamTable;
  /** Writes a record into the Event queue. */
  record(fault: Fault, transaction: Transaction): void;
}

interface Surroundings {
  readonly smmu: Walked;
  readonly counters: WalkCounters;
  send(tbu: ActorId, code: number, payload: readonly number[]): void;
  /** Has endTranslation(n) called for the walker of the n-th TBU. */
  endAfter(delayTicks: Ticks, n: number): void;
}

interface Walker {
  readonly translation: Translation;
  /** The first is being translated. */
  requests: Request[];
}

export interface SavedWalker {
  readonly translation: SavedTranslation;
  readonly requests: readonly Request[];
}

/** A read of memory by a walk: DRAM behind the interconnect. */
const readTicks = 60;

export class Walkers {
  private readonly tbus: readonly ActorId[];
  private readonly around: Surroundings;
  /** In the order of the TBUs. */
  private readonly walkers: readonly Walker[];

  constructor(tbus: readonly ActorId[], ram: Pick<RamPort, 'readWord'>, around: Surroundings) {
    this.tbus = tbus;
    this.around = around;
    this.walkers = tbus.map(() => ({ translation: new Translation(ram), requests: [] }));
  }

  request(request: Request): void {
    const n = this.tbus.indexOf(request.tbu);
    const walker = this.walkers[n];
    if (walker === undefined) return;
    walker.requests.push(request);
    if (walker.requests.length === 1) this.beginTranslations(walker, n);
  }

  invalidate(invalidation: Invalidation): void {
    for (const { translation } of this.walkers) translation.invalidate(invalidation);
  }

  /** Answers requests until one takes time. */
  private beginTranslations({ requests, translation }: Walker, n: number): void {
    const { smmu, counters } = this.around;
    for (let first = requests[0]; first !== undefined; first = requests[0]) {
      const reads = smmu.isEnabled ? translation.cost(smmu.streamTable, transactionOf(first), first.access) : 0;
      if (reads > 0) {
        counters.reads += reads;
        this.around.endAfter(reads * readTicks, n);
        return;
      }
      requests.shift();
      this.answer(first, translation);
    }
  }

  endTranslation(n: number): void {
    const walker = this.walkers[n];
    const first = walker?.requests.shift();
    if (walker === undefined || first === undefined) return;
    this.answer(first, walker.translation);
    this.beginTranslations(walker, n);
  }

  private answer(request: Request, translation: Translation): void {
    const { smmu, counters } = this.around;
    counters.translations += 1;
    if (!smmu.isEnabled) {
      this.bypass(request);
      return;
    }
    const transaction = transactionOf(request);
    const outcome = translation.translate(smmu.streamTable, transaction, request.access);
    if (outcome.kind === 'fault') {
      counters.faults += 1;
      if (outcome.isRecorded) smmu.record(outcome.fault, transaction);
      const isDisabled = outcome.fault.event === 0 || outcome.fault.event === event.F_STREAM_DISABLED;
      this.fault(request, isDisabled ? faultType.streamDisabled : faultType.abort);
      return;
    }
    const { entry, isHit } = outcome;
    if (isHit) counters.tlbHits += 1;
    this.respond(request, {
      addressLow: entry.output >>> 0,
      addressHigh: Math.floor(entry.output / 2 ** 32),
      shift: entry.shift,
      permissions: entry.stage1 & entry.stage2,
      tags: (entry.vmid | (entry.asid << 16)) >>> 0,
      context: entry.context,
    });
  }

  private bypass(request: Request): void {
    const { addressLow, addressHigh } = request;
    const isAborted = this.around.smmu.abortsBypass || addressHigh >= 2 ** (outputAddressBits - 32);
    if (isAborted) this.fault(request, faultType.abort);
    else this.respond(request, { addressLow, addressHigh, shift: notCached, permissions: 0, tags: 0, context: 0 });
  }

  private respond(
    { tbu, translationId }: Request,
    fields: Omit<FieldsOf<typeof dtiMessages.TRANS_RESP>, 'translationId'>,
  ): void {
    this.around.send(tbu, dtiMessages.TRANS_RESP.code, encode(dtiMessages.TRANS_RESP, { translationId, ...fields }));
  }

  private fault({ tbu, translationId }: Request, type: number): void {
    this.around.send(tbu, dtiMessages.TRANS_FAULT.code, [translationId, type]);
  }

  save(): readonly SavedWalker[] {
    return this.walkers.map(({ translation, requests }) => ({ translation: translation.save(), requests }));
  }

  restore(saved: readonly SavedWalker[]): void {
    this.walkers.forEach((walker, n) => {
      const { translation, requests } = saved[n] as SavedWalker;
      walker.translation.restore(translation);
      walker.requests = [...requests];
    });
  }
}

function transactionOf({ streamId, substream, addressLow, addressHigh, access }: Request): Transaction {
  return {
    streamId,
    substream,
    addressLow,
    addressHigh,
    isRead: (access & accessBit.write) === 0,
    isPrivileged: (access & accessBit.privileged) !== 0,
  };
}
