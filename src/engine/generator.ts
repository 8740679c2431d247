// The generator of wasm: one implementation of the semantics interface under two binding times. What step.ts and translate.ts
// add is where operands, registers and the program counter come from, and what must be written back before a service is called.

import { pe } from '../arch/state-layout.ts';
import { placeReadByAll } from '../arch/system-registers.ts';
import type { PointerOperation } from '../isa/pointer-authentication/names.ts';
import { keyOf, pointerControl } from '../isa/pointer-authentication/pointer.ts';
import type {
  BarrierKind,
  BranchKind,
  FlagName,
  Flags,
  FlagSource,
  Semantics,
  Value,
  Width,
} from '../isa/semantics.ts';
import { node } from './arithmetic.ts';
import { cpuLocal } from './emitting.ts';
import { constant, constant32, intOf, localValue, type Node, stateLoad } from './expression.ts';
import { AtomicGenerator } from './atomic-generator.ts';
import { pointerFunctionIndex } from './pointer-functions.ts';
import { functionIndex, scratchSlot, systemImmediateShift, systemOperation } from './services.ts';
import { exitTo } from './trace-links.ts';
import { codeSignature, floatSignature, ownTable } from './wasm/module.ts';
import { op, simd, type } from './wasm/opcodes.ts';

interface RegisterWrite {
  readonly n: Node;
  readonly value: Node;
  readonly isStackPointer: boolean;
}

export abstract class Generator extends AtomicGenerator implements Semantics {
  /** YIELD may end the run. */
  protected abstract readonly yields: boolean;
  protected registerWrites: RegisterWrite[] = [];
  protected vectorWrites: { n: Node; value: Node }[] = [];
  protected flagWrites: Partial<Flags> | undefined;
  protected flagWriteSource: FlagSource | undefined;

  /** The value of a general-purpose register; register 31 is the zero register, or the stack pointer. */
  protected abstract readSlot(n: Node, isStackPointer: boolean): Node;
  protected abstract vectorAddress(n: Node): { base: Node; offset: number };

  abstract pc(): Value;
  abstract readFlag(name: FlagName): Value;
  abstract inGuardedPage(): Value;
  abstract branch(target: Value, kind: BranchKind): void;
  abstract branchIf(condition: Value, target: Value): void;

  // Registers.

  readX(n: Value, width: 32 | 64): Value {
    const value = this.readSlot(node(n), false);
    return width === 64 ? value : this.low32(value);
  }

  readXSP(n: Value, width: 32 | 64): Value {
    const value = this.readSlot(node(n), true);
    return width === 64 ? value : this.low32(value);
  }

  readBase(n: Value): Value {
    const base = this.readSlot(node(n), true);
    const register = node(n);
    if (!register.isConstant || intOf(register) === 31) this.checkStackAlignment(base, register);
    return base;
  }

  /** CheckSPAlignment(), where `n` is 31. */
  protected checkStackAlignment(base: Node, n: Node): void {
    // The record holds the mask that SCTLR_ELx.SA asks for at this Exception level.
    const misaligned = this.and(this.low32(base), this.loadState(32, pe.spAlignmentMask));
    const isStackPointer = this.eq(n, constant32(31));
    this.emit(node(this.select(isStackPointer, misaligned, constant32(0))));
    this.ifSeldom(() => {
      this.arm(() => {
        this.synchronise();
        this.callService(functionIndex.system, constant32(systemOperation.spAlignment));
      });
    });
  }

  writeX(n: Value, value: Value): void {
    this.registerWrites.push({ n: node(n), value: this.extended(value), isStackPointer: false });
  }

  writeXSP(n: Value, value: Value): void {
    this.registerWrites.push({ n: node(n), value: this.extended(value), isStackPointer: true });
  }

  private extended(value: Value): Node {
    const wide = node(value.width === 64 ? value : this.zeroExtend(value, 32, 64));
    wide.uses += 1;
    return wide;
  }

  readV(n: Value, width: Width): Value {
    const { base, offset } = this.vectorAddress(node(n));
    return stateLoad(width === 64 ? op.i64_load : op.i32_load, width, base, offset);
  }

  writeV(n: Value, value: Value): void {
    node(value).uses += 1;
    this.vectorWrites.push({ n: node(n), value: node(value) });
  }

  checkFPEnabled(): void {
    this.emit(this.loadState(32, pe.fpTrapped));
    this.ifSeldom(() => {
      this.arm(() => {
        this.synchronise();
        this.callService(functionIndex.system, constant32(systemOperation.fpTrap));
      });
    });
  }

  writeFlags(flags: Partial<Flags>, source?: FlagSource): void {
    for (const value of Object.values(flags)) node(value).uses += 1;
    this.flagWriteSource = source;
    this.flagWrites = { ...this.flagWrites, ...flags };
  }

  /** Writes V registers; called when the meaning has run to its end. */
  protected commitVectorWrites(): void {
    for (const { n, value } of this.vectorWrites) {
      const { base, offset } = this.vectorAddress(n);
      const store = (part: Node, at: number): void => {
        this.emit(base);
        this.emit(part);
        if (part.width === 128) this.vectorOperation(simd.v128_store, at);
        else this.memoryOperation(op.i64_store, at);
      };
      if (value.width === 128) {
        store(value, offset);
      } else {
        store(node(value.width === 64 ? value : this.zeroExtend(value, 32, 64)), offset);
        store(constant(64, 0n), offset + 8);
      }
    }
    this.vectorWrites = [];
  }

  // Exceptions and the system.

  protected systemService(operation: number, immediate?: Value, value?: Value): void {
    const descriptor =
      immediate === undefined
        ? constant32(operation)
        : this.or(this.lsl(immediate, constant32(systemImmediateShift)), constant32(operation));
    this.startService(value === undefined ? [] : [[scratchSlot.system, value]]);
    this.callService(functionIndex.system, node(descriptor));
  }

  clearExclusive(): void {
    this.systemService(systemOperation.clearExclusive);
  }
  undefined(): void {
    this.systemService(systemOperation.undefined);
  }
  svc(imm16: Value): void {
    this.systemService(systemOperation.svc, imm16);
  }
  hvc(imm16: Value): void {
    this.systemService(systemOperation.hvc, imm16);
  }
  smc(imm16: Value): void {
    this.systemService(systemOperation.smc, imm16);
  }
  brk(imm16: Value): void {
    this.systemService(systemOperation.brk, imm16);
  }
  hlt(imm16: Value): void {
    this.systemService(systemOperation.hlt, imm16);
  }
  eret(target?: Value): void {
    if (target === undefined) this.systemService(systemOperation.eret);
    else this.systemService(systemOperation.eretTo, undefined, target);
  }
  exceptionLink(): Value {
    this.systemService(systemOperation.exceptionLink);
    return this.scratchResult(scratchSlot.system, 8);
  }

  authenticatePointer(operation: PointerOperation, pointer: Value, modifier: Value): Value {
    const [x, y] = [pointer, modifier].map((value) => localValue(64, this.settle(node(value)), true)) as [Node, Node];
    const key = keyOf(operation);
    const result = this.allocate(type.i64);
    this.emit(x);
    this.set(result);
    const body = (): void => {
      if (key !== undefined) {
        this.emit(this.loadState(32, pe.pointerTrapped));
        this.ifSeldom(() => {
          this.synchronise();
          this.callService(functionIndex.system, constant32(systemOperation.pointerTrap));
        });
      }
      this.get(cpuLocal);
      this.emit(x);
      this.emit(y);
      this.emit(constant(64, 0n));
      this.callFunction(pointerFunctionIndex(operation), floatSignature);
      this.set(result);
    };
    if (key === undefined || key === 'GA') {
      this.arm(body);
    } else {
      this.emit(node(this.and(this.loadState(32, pe.pointerControl), constant32(1 << pointerControl.enabled[key]))));
      this.block(op.if, () => {
        this.arm(body);
      });
    }
    return localValue(64, result, true);
  }
  readSystemRegister(key: Value): Value {
    const place = (key as Node).isConstant ? placeReadByAll(Number((key as Node).bits)) : undefined;
    if (place !== undefined) return localValue(64, this.settle(this.loadState(64, place)), true);
    this.systemService(systemOperation.readSystemRegister, key);
    return this.scratchResult(scratchSlot.system, 8);
  }
  writeSystemRegister(key: Value, value: Value): void {
    this.systemService(systemOperation.writeSystemRegister, key, value);
  }
  writePstateField(op1: Value, op2: Value, CRm: Value): void {
    const packed = this.or(this.or(this.lsl(op1, constant32(8)), this.lsl(op2, constant32(4))), CRm);
    this.systemService(systemOperation.writePstateField, packed);
  }
  systemInstruction(key: Value, value: Value): void {
    this.systemService(systemOperation.systemInstruction, key, value);
  }
  systemInstructionWithResult(key: Value): Value {
    this.systemService(systemOperation.systemInstructionWithResult, key);
    return this.scratchResult(scratchSlot.system, 8);
  }
  barrier(kindOfBarrier: BarrierKind, CRm: Value): void {
    // Where PEs take turns, a PE's accesses are performed in program order and seen by all at once: a DMB has nothing to add.
    if (kindOfBarrier === 'DSB') this.systemService(systemOperation.dsb, CRm);
    else if (this.isConcurrent) this.fence();
  }
  instructionSynchronizationBarrier(): void {
    this.systemService(systemOperation.isb);
  }
  wfi(): void {
    this.systemService(systemOperation.wfi);
  }
  wfe(): void {
    this.systemService(systemOperation.wfe);
  }
  sev(): void {
    this.systemService(systemOperation.sev);
  }
  sevl(): void {
    this.systemService(systemOperation.sevl);
  }
  yield(): void {
    // A hint without effect where simulated time decides who runs.
    if (this.yields) this.systemService(systemOperation.yield);
  }

  setBType(btype: Value): void {
    this.storeState(pe.btype, node(btype));
  }

  // Leaving.

  /** Goes on at the PC in the record, by tail call where the jump cache knows the code, with `budget` instructions left; else exit.lookup. */
  protected chain(budget: Node): void {
    this.get(cpuLocal);
    this.emit(budget);
    this.callFunction(functionIndex.chain, codeSignature, op.return_call_indirect);
  }

  /** Goes on at the code of a place in the table of the module (trace-links.ts), which needs no PC in the record. */
  protected followLink(place: number, budget: Node): void {
    this.get(cpuLocal);
    this.emit(budget);
    exitTo(this.w, place);
  }

  /** The same, but always by the table. */
  protected followTable(place: number, budget: Node): void {
    this.get(cpuLocal);
    this.emit(budget);
    this.callFunction(place, codeSignature, op.return_call_indirect, ownTable);
  }
}
