// The *translate* reading: a trace of instructions as one wasm function, with operand fields known, guest registers in wasm locals, and a
// loop back to its own start kept inside the function.
//
// A trace follows branches: direct ones, calls among them, and the returns from these; the jumps of a linker's veneers; that side of conditional
// ones which is the usual one. It follows them to other pages, too, where these are fetched from then. How it is entered and left: trace-ends.ts.
// Its cost is charged at each exit; it is entered only when the budget covers all of it, so that budgets are exact to the instruction.
// The text of a trace that loops is generated twice: the first pass finds out that it does, and which registers it writes.

import { btypeChecked, pe } from '../arch/state-layout.ts';
import type { Decoder } from '../isa/decoder.ts';
import type { BranchKind, Value } from '../isa/semantics.ts';
import { constant, constant32, type Node } from './expression.ts';
import { pageOf } from './fetched-pages.ts';
import { type Company, endingOperations, returningOperations } from './local-registers.ts';
import { TraceEnds, type TraceSource } from './trace-ends.ts';
import { codeSignature, type ModuleFunction } from './wasm/module.ts';
import { op } from './wasm/opcodes.ts';
import type { Writer } from './wasm/writer.ts';

/** A trace longer than this gains little and is entered less often at the end of a budget. */
const maxInstructions = 64;

/** Calls within calls that are followed. */
const maxCalls = 2;

const alone: Company = { isConcurrent: false, yields: false };

export interface Trace {
  readonly function: ModuleFunction;
  /** Virtual addresses of the instructions, in the order of the trace. */
  readonly addresses: readonly bigint[];
  /** Statically known virtual addresses at which execution goes on after the trace, at once or when a call has returned. */
  readonly successors: readonly bigint[];
}

interface Call {
  readonly callee: bigint;
  readonly returnsTo: bigint;
}

const noDirection = { isTaken: false, isSteady: false };

class TraceGenerator extends TraceEnds {
  private readonly decode: Decoder;
  private ended = false;
  private next = 0n;
  /** The page that instructions are fetched from. */
  private page = 0n;
  /** Calls that have been followed. */
  private calls: readonly Call[] = [];
  /** Where the trace has been, by its calls. */
  private visited = new Set<string>();
  /** What comes here has come by an indirect branch, with this BTYPE; undefined where BTYPE is 0. */
  private branchType: Node | undefined;
  private addresses: bigint[] = [];

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
      addresses: this.addresses,
      successors: this.successors,
    };
  }

  private pass(): Writer {
    this.startPass();
    this.address = this.source.start;
    this.ended = false;
    this.page = pageOf(this.source.start);
    this.calls = [];
    this.visited = new Set();
    this.branchType = undefined;
    this.addresses = [];
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
    this.addresses.push(this.address);
    this.visited.add(this.placeOf(this.address));
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

  /** An address and the calls within which it is. */
  private placeOf(address: bigint): string {
    return [...this.calls.map(({ returnsTo }) => returnsTo), address].join();
  }

  /** Whether the trace can go on at an address: not where it has been, and in another page only if that is known. */
  private canGoTo(target: bigint): boolean {
    if (this.index > 0 && (target === this.source.start || this.visited.has(this.placeOf(target)))) return false;
    return pageOf(target) === this.page || this.source.addendOf?.(target) !== undefined;
  }

  /** Goes into a call, or not: where there are too many, or it is one of itself. */
  private call(target: bigint): boolean {
    const before = this.calls;
    if (before.length === maxCalls || before.some(({ callee }) => callee === target)) return false;
    this.calls = [...before, { callee: target, returnsTo: this.address + 4n }];
    if (this.canGoTo(target)) return true;
    this.calls = before;
    return false;
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

  /** Goes on where it can, and leaves for where it cannot. */
  private goToOrLeave(target: bigint): void {
    if (this.canGoTo(target)) {
      this.goTo(target);
      return;
    }
    this.leaveTo(target, this.index);
    this.ended = true;
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

  /** Follows a return from a call that has been followed. */
  private returnTo(target: Node): boolean {
    const expected = this.calls.at(-1)?.returnsTo;
    this.calls = this.calls.slice(0, -1);
    if (expected === undefined || (target.isConstant && target.bits !== expected)) return false;
    if (!target.isConstant) this.leaveUnless(target, expected);
    this.goToOrLeave(expected);
    return true;
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
    const { isTaken, isSteady } = this.source.usualWays?.directionOf(this.address) ?? noDirection;
    const isFollowed = isTaken && this.canGoTo(target);
    const other = isFollowed ? this.next : target;
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
    if (target.isConstant && kind === 'direct') {
      this.goToOrLeave(target.bits);
      return;
    }
    if (kind === 'call' && target.isConstant && this.call(target.bits)) {
      this.goTo(target.bits);
      return;
    }
    if (kind === 'return' && this.returnTo(target)) return;
    if (!target.isConstant && this.followVeneer(target, kind)) return;
    this.ended = true;
    if (kind === 'call') this.successors.push(this.next);
    if (target.isConstant) {
      this.leaveTo(target.bits, this.index);
      return;
    }
    this.writeBack();
    this.leaveBy(target);
  }

  protected override systemService(operation: number, immediate?: Value, value?: Value): void {
    super.systemService(operation, immediate, value);
    this.knownPages = new Set([this.page]);
    if (!endingOperations.has(operation)) return;
    // Resident software has answered the call: the record, which it may have changed, is the state from here.
    if (returningOperations.has(operation)) this.successors.push(this.next);
    this.leaveBy(constant(64, this.next), this.index + 1);
    this.ended = true;
  }
}

/** Makes traces of the instructions that `decode` knows; others are UNDEFINED. */
export function makeTranslator(decode: Decoder, company: Company = alone): (source: TraceSource) => Trace {
  const generator = new TraceGenerator(decode, company);
  return (source) => generator.trace(source);
}
