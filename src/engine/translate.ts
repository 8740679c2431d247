// The *translate* reading: a trace of instructions as one wasm function, with operand fields known, guest registers in wasm locals, and a
// loop back to its own start kept inside the function.
//
// A trace follows direct branches forwards, that side of conditional ones which is the usual one, and the jumps of a linker's veneers, to other
// pages, too, where these are fetched from then. It ends with calls and returns, and with branches backwards: what they lead to, a function or the
// head of a loop, has a trace of its own, whose rounds are counted. How a trace is entered and left: trace-ends.ts.
// Its cost is charged at each exit; it is entered only when the budget covers all of it, so that budgets are exact to the instruction.
// The text of a trace that loops is generated twice: the first pass finds out that it does, and which registers it writes.

import { btypeChecked, pe } from '../arch/state-layout.ts';
import type { Decoder } from '../isa/decoder.ts';
import type { BranchKind, Value } from '../isa/semantics.ts';
import type { Direction } from './branch-notes.ts';
import { constant, constant32, type Node } from './expression.ts';
import { pageOf } from './fetched-pages.ts';
import { type Company, endingOperations, returningOperations } from './local-registers.ts';
import { TraceEnds, type TraceSource } from './trace-ends.ts';
import { codeSignature, type ModuleFunction } from './wasm/module.ts';
import { op } from './wasm/opcodes.ts';
import type { Writer } from './wasm/writer.ts';

/** A trace longer than this gains little and is entered less often at the end of a budget. */
const maxInstructions = 64;

const alone: Company = { isConcurrent: false, yields: false };

export interface Trace {
  readonly function: ModuleFunction;
  /** Virtual addresses of the instructions, in the order of the trace. */
  readonly addresses: readonly bigint[];
  /**
   * Statically known virtual addresses at which execution goes on after the trace, at once or when a call has returned, and how often branches
   * have been noted to lead there: 0 where that is not known.
   */
  readonly successors: ReadonlyMap<bigint, number>;
}

const noDirection: Direction = { taken: 0, notTaken: 0, isSteady: false };

class TraceGenerator extends TraceEnds {
  private readonly decode: Decoder;
  private ended = false;
  private next = 0n;
  /** The page that instructions are fetched from. */
  private page = 0n;
  /** What comes here has come by an indirect branch, with this BTYPE; undefined where BTYPE is 0. */
  private branchType: Node | undefined;
  private addresses = new Set<bigint>();

  constructor(decode: Decoder, company: Company) {
    super(company);
    this.decode = decode;
  }

  trace(source: TraceSource): Trace {
    this.startTrace(source);
    let body = this.pass();
    if (this.knowUses().loops) body = this.pass();
    return {
      function: { signature: codeSignature, locals: this.localTypes, body: this.withEntry(body) },
      addresses: [...this.addresses],
      successors: this.successors,
    };
  }

  private pass(): Writer {
    this.startPass();
    this.address = this.source.start;
    this.ended = false;
    this.page = pageOf(this.source.start);
    this.branchType = undefined;
    this.addresses = new Set();
    while (!this.ended) this.instruction();
    return this.w;
  }

  private instruction(): void {
    if (this.index === maxInstructions || !this.canGoTo(this.address)) {
      this.leaveTo(this.address, this.index);
      this.ended = true;
      return;
    }
    this.goTo(this.address);
    this.addresses.add(this.address);
    this.next = this.address + 4n;
    const { branchType } = this;
    this.branchType = undefined;
    // The branch has been admitted: in a page that is not guarded every instruction is a target.
    if (branchType) this.storeState(pe.btype, this.or(branchType, constant32(btypeChecked)) as Node);
    const decoded = this.decode(this.source.fetch(this.address));
    if (!decoded) {
      this.undefined();
      this.index += 1;
      return;
    }
    this.perform(decoded);
    // What may be a branch's target is over now.
    if ((this.index === 0 || branchType) && !this.hasSetBType()) this.storeState(pe.btype, constant32(0));
    this.index += 1;
    if (!this.ended) this.transfer();
    this.address = this.next;
  }

  /** Whether the trace can go on at an address: not where it has been, and in another page only if that is known. */
  private canGoTo(target: bigint): boolean {
    if (this.addresses.has(target)) return false;
    return pageOf(target) === this.page || this.source.addendOf?.(target) !== undefined;
  }

  /** Whether the trace goes on where a branch leads. */
  private follows(target: bigint): boolean {
    return target > this.address && this.canGoTo(target);
  }

  /** Goes on there; in another page the code looks whether it is still fetched from where it was. */
  private goTo(target: bigint): void {
    this.next = target;
    this.page = pageOf(target);
    if (this.knownPages.has(this.page)) return;
    this.knownPages.add(this.page);
    const addend = this.source.addendOf?.(target) as number;
    this.emit(this.or(...this.fetchedElsewhere(target, addend)) as Node);
    this.ifSeldom(() => {
      this.arm(() => {
        this.leaveSeldom(constant(64, target));
      });
    });
  }

  /** Leaves where a branch does not lead where it usually does. */
  private leaveUnless(target: Node, expected: bigint): void {
    this.emit(this.ne(target, constant(64, expected)) as Node);
    this.ifSeldom(() => {
      this.arm(() => {
        this.leaveSeldom(target);
      });
    });
  }

  /** Follows the jump of a linker's veneer where it usually leads, if that is in pages whose instructions are targets of all branches. */
  private followVeneer(target: Node, kind: BranchKind): boolean {
    const isVeneer = kind === 'indirect' && (this.baseSlot === 16 || this.baseSlot === 17);
    const usual = isVeneer && !this.source.guarded ? this.source.usualWays?.usualTarget(this.address) : undefined;
    if (usual === undefined || this.index === maxInstructions || !this.canGoTo(usual)) return false;
    this.leaveUnless(target, usual);
    this.goTo(usual);
    this.branchType = this.branchTypeSet;
    return true;
  }

  /** Follows a conditional branch the usual way, and leaves by the other one. */
  private branchIfUsual(condition: Node, target: bigint): void {
    const { taken, notTaken, isSteady } = this.source.usualWays?.directionOf(this.address) ?? noDirection;
    const isTaken = taken > notTaken;
    const isFollowed = isTaken && this.follows(target);
    const other = isFollowed ? this.next : target;
    this.noteSuccessor(other, isFollowed ? notTaken : taken);
    const isSeldom = isSteady && isFollowed === isTaken && other !== this.source.start;
    this.emit(isFollowed ? (this.eq(condition, constant32(0)) as Node) : condition);
    if (isSeldom) this.w.hintSeldom();
    this.block(op.if, () => {
      this.arm(() => {
        if (isSeldom) this.leaveSeldom(constant(64, other));
        else this.leaveTo(other, this.index);
      });
    });
    if (isFollowed) this.goTo(target);
  }

  /** Follows the control transfer that the instruction asked for, after its writes. */
  private transfer(): void {
    if (!this.control) return;
    const { target, condition, kind } = this.control;
    if (condition) {
      this.branchIfUsual(condition, target.bits);
      return;
    }
    if (target.isConstant && kind === 'direct' && this.follows(target.bits)) {
      this.goTo(target.bits);
      return;
    }
    if (!target.isConstant && this.followVeneer(target, kind)) return;
    this.ended = true;
    if (kind === 'call') this.noteSuccessor(this.next);
    if (target.isConstant) {
      this.leaveTo(target.bits, this.index);
      return;
    }
    this.writeBack();
    const usual = this.source.usualWays?.usualTarget(this.address);
    if (usual !== undefined && (usual & 3n) === 0n) this.leaveUsually(target, usual);
    else this.leaveBy(target);
  }

  protected override systemService(operation: number, immediate?: Value, value?: Value): void {
    super.systemService(operation, immediate, value);
    this.knownPages = new Set([this.page]);
    if (!endingOperations.has(operation)) return;
    // Resident software has answered the call: the record, which it may have changed, is the state from here.
    if (returningOperations.has(operation)) this.noteSuccessor(this.next);
    this.leaveBy(constant(64, this.next), this.index + 1);
    this.ended = true;
  }
}

/** Makes traces of the instructions that `decode` knows; others are UNDEFINED. */
export function makeTranslator(decode: Decoder, company: Company = alone): (source: TraceSource) => Trace {
  const generator = new TraceGenerator(decode, company);
  return (source) => generator.trace(source);
}
