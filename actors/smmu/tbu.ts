// A Translation Buffer Unit: in front of one DMA-capable device, which presents one StreamID. It answers from a small TLB, or asks the
// TCU. An access that it has granted is under way until the device says that it has been made; a SYNC_REQ waits for those, so that
// after CMD_SYNC no access uses what was invalidated before.
//
// An address whose bits [63:48] are not all equal is never answered from the TLB: only the TCU knows whether its top byte is ignored.

import type { Actor, ActorId, Message, Port } from '../actor.ts';
import { decode, encode, type FieldsOf } from '../protocol.ts';
import { dtiMessages, notCached } from './dti.ts';
import { ltiMessages, ltiResponse } from './lti.ts';
import { type SavedTlb, Tlb, type TlbEntry } from './tlb.ts';
import { inputNumber, neededPermissions } from './translation.ts';

export interface TbuOptions {
  readonly tcu: ActorId;
  readonly device: ActorId;
  readonly streamId: number;
}

export interface TbuCounters {
  requests: number;
  hits: number;
  faults: number;
  invalidations: number;
}

type Request = FieldsOf<typeof ltiMessages.LA>;

interface SavedTbu {
  readonly version: 1;
  readonly tlb: SavedTlb;
  readonly asked: readonly [number, Request][];
  readonly granted: readonly number[];
  readonly syncs: readonly { readonly tag: number; readonly waitsFor: readonly number[] }[];
  readonly nextTranslation: number;
  readonly counters: TbuCounters;
}

/** Entries of the TLB: the micro-TLB of a device that works on a few buffers at a time. */
const cachedTranslations = 32;

const isCanonical = (high: number): boolean => high >>> 16 === 0 || high >>> 16 === 0xffff;

export class Tbu implements Actor {
  private readonly port: Port;
  private readonly options: TbuOptions;
  private readonly tlb = new Tlb(cachedTranslations);
  /** Requests that the TCU has been asked about, by translationId. */
  private readonly asked = new Map<number, Request>();
  /** Tags of accesses under way. */
  private readonly granted = new Set<number>();
  private syncs: { tag: number; waitsFor: number[] }[] = [];
  private nextTranslation = 1;
  readonly counters: TbuCounters = { requests: 0, hits: 0, faults: 0, invalidations: 0 };

  constructor(port: Port, options: TbuOptions) {
    this.port = port;
    this.options = options;
  }

  receive({ code, payload }: Message): void {
    switch (code) {
      case ltiMessages.LA.code:
        this.request(decode(ltiMessages.LA, payload));
        break;
      case ltiMessages.LC.code:
        this.complete(decode(ltiMessages.LC, payload).tag);
        break;
      case dtiMessages.TRANS_RESP.code:
        this.translated(decode(dtiMessages.TRANS_RESP, payload));
        break;
      case dtiMessages.TRANS_FAULT.code:
        this.faulted(decode(dtiMessages.TRANS_FAULT, payload).translationId);
        break;
      case dtiMessages.INV_REQ.code:
        this.invalidate(decode(dtiMessages.INV_REQ, payload));
        break;
      case dtiMessages.SYNC_REQ.code:
        this.syncs.push({ tag: decode(dtiMessages.SYNC_REQ, payload).tag, waitsFor: [...this.granted] });
        this.answerSyncs();
        break;
      default:
    }
  }

  timer(): void {
    // It has none.
  }

  private request(request: Request): void {
    const { addressLow, addressHigh, access, substream } = request;
    this.counters.requests += 1;
    const needed = neededPermissions(access);
    const address = inputNumber(addressLow, addressHigh);
    const key = { context: 0, vmid: 0, asid: 0, stream: this.options.streamId, substream };
    const hit = isCanonical(addressHigh) ? this.tlb.find(address, key) : undefined;
    // The TCU finds out, and records, what an access without permission does.
    if (hit !== undefined && (hit.stage1 & needed) === needed) {
      this.counters.hits += 1;
      this.grant(request, hit.output + (address - hit.input));
      return;
    }
    const translationId = this.nextTranslation;
    this.nextTranslation = (this.nextTranslation + 1) >>> 0;
    this.asked.set(translationId, request);
    const fields = { translationId, streamId: this.options.streamId, substream, addressLow, addressHigh, access };
    this.port.send(this.options.tcu, dtiMessages.TRANS_REQ.code, encode(dtiMessages.TRANS_REQ, fields));
  }

  private translated(fields: FieldsOf<typeof dtiMessages.TRANS_RESP>): void {
    const request = this.asked.get(fields.translationId);
    if (request === undefined) return;
    this.asked.delete(fields.translationId);
    const { shift, permissions, tags, context } = fields;
    const { addressLow, addressHigh, substream } = request;
    const output = fields.addressHigh * 2 ** 32 + fields.addressLow;
    if (shift === notCached) {
      this.grant(request, output);
      return;
    }
    const address = inputNumber(addressLow, addressHigh);
    const input = address - (address % 2 ** shift);
    if (isCanonical(addressHigh)) {
      const entry: TlbEntry = {
        input,
        shift,
        output,
        ipa: 0,
        // Both stages in one: a TBU makes no record that would tell them apart.
        stage1: permissions,
        stage2: permissions,
        context,
        vmid: tags & 0xffff,
        asid: tags >>> 16,
        stream: this.options.streamId,
        substream,
      };
      this.tlb.add(entry);
    }
    this.grant(request, output + (address - input));
  }

  private grant({ tag }: Request, address: number): void {
    this.granted.add(tag);
    this.respond({
      tag,
      response: ltiResponse.success,
      addressLow: address >>> 0,
      addressHigh: Math.floor(address / 2 ** 32),
    });
  }

  private faulted(translationId: number): void {
    const request = this.asked.get(translationId);
    if (request === undefined) return;
    this.asked.delete(translationId);
    this.counters.faults += 1;
    this.respond({ tag: request.tag, response: ltiResponse.abort, addressLow: 0, addressHigh: 0 });
  }

  private respond(fields: FieldsOf<typeof ltiMessages.LR>): void {
    this.port.send(this.options.device, ltiMessages.LR.code, encode(ltiMessages.LR, fields));
  }

  private complete(tag: number): void {
    this.granted.delete(tag);
    for (const sync of this.syncs) sync.waitsFor = sync.waitsFor.filter((waiting) => waiting !== tag);
    this.answerSyncs();
  }

  private answerSyncs(): void {
    for (let first = this.syncs[0]; first?.waitsFor.length === 0; first = this.syncs[0]) {
      this.syncs.shift();
      this.port.send(this.options.tcu, dtiMessages.SYNC_ACK.code, [first.tag]);
    }
  }

  private invalidate(fields: FieldsOf<typeof dtiMessages.INV_REQ>): void {
    const { operation, tags, addressLow, addressHigh, stream, range, substream, world } = fields;
    this.counters.invalidations += 1;
    const address = addressHigh * 2 ** 32 + addressLow;
    this.tlb.invalidate({
      operation,
      vmid: tags & 0xffff,
      asid: tags >>> 16,
      address,
      stream,
      range,
      substream,
      world,
    });
    this.port.send(this.options.tcu, dtiMessages.INV_ACK.code, []);
  }

  save(): SavedTbu {
    return structuredClone({
      version: 1,
      tlb: this.tlb.save(),
      asked: [...this.asked],
      granted: [...this.granted],
      syncs: this.syncs,
      nextTranslation: this.nextTranslation,
      counters: this.counters,
    });
  }

  restore(saved: SavedTbu): void {
    const { tlb, asked, granted, syncs, nextTranslation, counters } = structuredClone(saved);
    this.tlb.restore(tlb);
    this.asked.clear();
    for (const [id, request] of asked) this.asked.set(id, request);
    this.granted.clear();
    for (const tag of granted) this.granted.add(tag);
    this.syncs = syncs.map(({ tag, waitsFor }) => ({ tag, waitsFor: [...waitsFor] }));
    this.nextTranslation = nextTranslation;
    Object.assign(this.counters, counters);
  }
}
