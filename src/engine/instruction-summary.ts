// What an instruction word does to registers, flags and control flow, found out by letting its meaning run into the void: the facts from
// which a region's flow graph and its liveness are made. Branches give their target as an offset from the instruction, so that one
// summary serves a word wherever it stands.

import type { Decoder } from '../isa/decoder.ts';
import { type Company, endingOperations, returningOperations, stackPointerSlot } from './local-registers.ts';
import { LocalVectors } from './local-vectors.ts';
import type { Value } from '../isa/semantics.ts';
import { Writer } from './wasm/writer.ts';

export type Transfer =
  | { readonly kind: 'none' }
  /** A conditional or an unconditional direct branch, or a call. */
  | { readonly kind: 'conditional' | 'direct' | 'call'; readonly offset: number }
  | { readonly kind: 'indirect' | 'indirect call' | 'return' }
  /** An exception, a call of other software, or a synchronisation of the context; `returns`: it usually comes back. */
  | { readonly kind: 'end'; readonly returns: boolean };

export interface InstructionSummary {
  /** Registers, a bit each: X0 to X30, and the stack pointer in bit 31. */
  readonly reads: number;
  readonly writes: number;
  /** SIMD&FP registers, a bit each. */
  readonly vectorReads: number;
  readonly vectorWrites: number;
  readonly readsFlags: boolean;
  readonly writesFlags: boolean;
  /** All four flags get new values. */
  readonly writesAllFlags: boolean;
  /** Something may need the state from before the instruction: a fault, or a service. */
  readonly mayLeave: boolean;
  /** Where it accesses memory by a base register: the slot of that, and the tags by which it looks the soft TLB up. */
  readonly base: number;
  readonly tags: readonly number[];
  readonly transfer: Transfer;
}

/** The bit of a slot of the record in a set of registers. */
export const slotBit = (slot: number): number => (slot === stackPointerSlot ? 1 << 31 : 1 << slot);

/** The slots of such a set, in ascending order. */
export function slotsOf(set: number): number[] {
  const slots: number[] = [];
  for (let n = 0; n < 31; n += 1) if ((set & (1 << n)) !== 0) slots.push(n);
  if (set < 0) slots.push(stackPointerSlot);
  return slots;
}

class Observer extends LocalVectors {
  private reads = 0;
  private writes = 0;
  private vectorReads = 0;
  private vectorWritten = 0;
  private readsFlags = false;
  private writesFlags = false;
  private mayLeave = false;
  private tags: number[] = [];
  private end: Transfer | undefined;
  private readonly decode: Decoder;

  constructor(decode: Decoder, company: Company) {
    super(company);
    this.decode = decode;
  }

  summary(word: number): InstructionSummary {
    this.w = new Writer(512);
    this.startFunction();
    this.reads = 0;
    this.writes = 0;
    this.vectorReads = 0;
    this.vectorWritten = 0;
    this.readsFlags = false;
    this.writesFlags = false;
    this.mayLeave = false;
    this.tags = [];
    this.baseSlot = -1;
    this.end = undefined;
    this.control = undefined;
    const decoded = this.decode(word);
    if (decoded) this.perform(decoded);
    else this.undefined();
    const { reads, writes, vectorReads, vectorWritten: vectorWrites, readsFlags, writesFlags, mayLeave, tags } = this;
    // A partial write has been noted as a read, and then as a write.
    const writesAllFlags = this.flagValues.every((value, i) => value.local !== this.flagLocals[i]);
    return {
      reads,
      writes,
      vectorReads,
      vectorWrites,
      readsFlags,
      writesFlags,
      writesAllFlags,
      mayLeave,
      base: this.baseSlot,
      tags,
      transfer: this.transfer(),
    };
  }

  private transfer(): Transfer {
    const { end, control } = this;
    if (end) return end;
    if (!control) return { kind: 'none' };
    const { target, condition, kind } = control;
    if (!target.isConstant) {
      return { kind: kind === 'return' || kind === 'indirect call' ? kind : 'indirect' };
    }
    const offset = Number(BigInt.asIntN(64, target.bits));
    if (condition) return { kind: 'conditional', offset };
    return { kind: kind === 'call' ? 'call' : 'direct', offset };
  }

  protected noteRead(slot: number): void {
    this.reads |= slotBit(slot) & ~this.writes;
  }
  protected noteWrite(slot: number): void {
    this.writes |= slotBit(slot);
  }
  protected override noteVectorRead(n: number): void {
    this.vectorReads |= (1 << n) & ~this.vectorWritten;
  }
  protected override noteVectorWrite(n: number): void {
    this.vectorWritten |= 1 << n;
  }
  protected override rememberedPage(tag: number): undefined {
    this.tags.push(tag);
  }
  protected noteFlagRead(): void {
    this.readsFlags = true;
  }
  protected noteFlagWrite(): void {
    this.writesFlags = true;
  }
  protected synchronise(): void {
    this.mayLeave = true;
  }

  protected override systemService(operation: number, immediate?: Value, value?: Value): void {
    super.systemService(operation, immediate, value);
    if (endingOperations.has(operation)) this.end = { kind: 'end', returns: returningOperations.has(operation) };
  }
}

/** Summaries of the words that `decode` knows, kept for ever: programs are made of few different words. */
export function makeSummaries(decode: Decoder, company: Company): (word: number) => InstructionSummary {
  const observer = new Observer(decode, company);
  const summaries = new Map<number, InstructionSummary>();
  return (word) => {
    let summary = summaries.get(word);
    if (!summary) {
      summary = observer.summary(word);
      summaries.set(word, summary);
    }
    return summary;
  };
}
