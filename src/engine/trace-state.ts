// What the trace reading runs on: the registers of a PE, its memory and its system side, as small interfaces over plain objects.

import { noPointerKeys } from '../isa/pointer-authentication/pointer.ts';
import type { Access, AccessBytes, AtomicOperation, BarrierKind, BranchKind, FlagName } from '../isa/semantics.ts';
import { independent, traceValue, type Dependencies, type TraceValue } from './trace-values.ts';

/** Registers and flags remember the dependencies of what was written to them. */
export interface TraceState {
  /** X0..X30: 64 bits. */
  readX(n: number): TraceValue;
  writeX(n: number, value: TraceValue): void;
  /** The stack pointer in use. */
  readSP(): TraceValue;
  writeSP(value: TraceValue): void;
  /** V0..V31: 128 bits. */
  readV(n: number): TraceValue;
  writeV(n: number, value: TraceValue): void;
  /** 32-bit 0 or 1. */
  readFlag(name: FlagName): TraceValue;
  writeFlag(name: FlagName, value: TraceValue): void;
  pc: bigint;
  /** What the branches so far depended on: every later instruction has a control dependency on these reads. */
  control: Dependencies;
  /** SCTLR_ELx.SA(0) of the current EL. */
  readonly checksSPAlignment: boolean;
  /** An access to SIMD&FP registers traps at the current EL. */
  readonly trapsFP: boolean;
  /** The pointer control (isa/pointer-authentication/pointer.ts): `noPointerKeys` where none is enabled. */
  readonly pointerControl: number;
}

/** A synchronous exception that ended an instruction; nothing of it was written. */
export type TraceException =
  | { readonly exception: 'UNDEFINED' | 'FP trap' | 'SP alignment' }
  | { readonly exception: 'SVC' | 'HVC' | 'SMC' | 'BRK' | 'HLT'; readonly imm16: number }
  | {
      readonly exception: 'Data Abort';
      readonly address: bigint;
      readonly fault: 'translation' | 'access flag' | 'permission' | 'alignment';
      /** The MMU has raised it, by a descriptor that memory holds; otherwise there is nothing at the address that could be accessed. */
      readonly byDescriptor?: boolean;
    }
  /** No exception of the architecture: the memory translates no access that crosses from one page into another. */
  | { readonly exception: 'page crossing'; readonly address: bigint }
  /** A Guarded Control Stack Data Check exception. */
  | { readonly exception: 'GCS data check'; readonly check: 'PRET' | 'POPM' | 'SS1' | 'SS2' }
  /** No exception of the architecture: the instruction needs a value that is open, and can be run again when it is known. */
  | { readonly exception: 'open value'; readonly value: TraceValue };

/** What every access to memory tells of itself; the address carries the address dependencies. */
export interface TraceAccess {
  readonly address: TraceValue;
  /** Of one element. */
  readonly bytes: AccessBytes;
  readonly access: Access;
  /** Control dependencies. */
  readonly control: Dependencies;
  /** What an atomic instruction reads goes to the zero register. */
  readonly isDiscarded?: boolean;
  /** An access to a Guarded Control Stack. */
  readonly isControlStack?: boolean;
}

/** An element as it was read: its number as a read event, and what else is known of it. */
export interface TraceElement extends Dependencies {
  readonly open?: string | undefined;
}

/** The bits that were read, one for each element, and the number of the read event. */
export interface TraceRead {
  readonly bits: readonly bigint[];
  readonly read: number;
  /** For each element, where its value depends on more, or something else, than `read`, or is open. */
  readonly elements?: readonly TraceElement[];
}

/** Values that are stored carry the data dependencies. */
export interface TraceMemory {
  load(access: TraceAccess): TraceRead | TraceException;
  store(access: TraceAccess, value: TraceValue): TraceException | undefined;
  /** One element, or two of a pair. */
  loadExclusive(access: TraceAccess, elements: 1 | 2): TraceRead | TraceException;
  /** Whether the store was done. */
  storeExclusive(access: TraceAccess, values: readonly TraceValue[]): boolean | TraceException;
  clearExclusive(): void;
  atomic(access: TraceAccess, operation: AtomicOperation, operand: TraceValue): TraceRead | TraceException;
  compareAndSwap(
    access: TraceAccess,
    expected: readonly TraceValue[],
    replacement: readonly TraceValue[],
  ): TraceRead | TraceException;
}

/** What an instruction does apart from registers and memory. */
export type TraceEvent =
  | {
      readonly event: 'branch';
      readonly kind: BranchKind | 'conditional';
      readonly taken: boolean;
      readonly target: TraceValue;
      /** On which the branch depends: every later instruction has control dependencies on them. */
      readonly depends: Dependencies;
    }
  | { readonly event: 'barrier'; readonly kind: BarrierKind; readonly CRm: number }
  | { readonly event: 'PSTATE'; readonly op1: number; readonly op2: number; readonly CRm: number }
  | { readonly event: 'ISB' | 'ERET' | 'WFI' | 'WFE' | 'SEV' | 'SEVL' | 'YIELD' };

/** `key` is op0:op1:CRn:CRm:op2. NZCV is not asked for here: the trace reading knows the flags. */
export interface TraceHooks {
  report(event: TraceEvent): void;
  readSystemRegister(key: number): TraceValue | TraceException;
  writeSystemRegister(key: number, value: TraceValue): TraceException | undefined;
  systemInstruction(key: number, value: TraceValue): TraceException | undefined;
  systemInstructionWithResult(key: number): TraceValue | TraceException;
}

/** A state of plain values: all registers 0, flags clear, nothing checked, unless given. */
export function traceState(initial: {
  readonly x?: readonly bigint[];
  readonly sp?: bigint;
  readonly v?: readonly bigint[];
  readonly flags?: Partial<Record<FlagName, boolean>>;
  readonly pc?: bigint;
  readonly checksSPAlignment?: boolean;
  readonly trapsFP?: boolean;
  readonly pointerControl?: number;
}): TraceState {
  const x = Array.from({ length: 31 }, (_, n) => traceValue(64, initial.x?.[n] ?? 0n));
  const v = Array.from({ length: 32 }, (_, n) => traceValue(128, initial.v?.[n] ?? 0n));
  let sp = traceValue(64, initial.sp ?? 0n);
  const flag = (name: FlagName): TraceValue => traceValue(32, initial.flags?.[name] ? 1n : 0n);
  const flags = { N: flag('N'), Z: flag('Z'), C: flag('C'), V: flag('V') };
  return {
    readX: (n) => x[n]!,
    writeX: (n, value) => {
      x[n] = value;
    },
    readSP: () => sp,
    writeSP: (value) => {
      sp = value;
    },
    readV: (n) => v[n]!,
    writeV: (n, value) => {
      v[n] = value;
    },
    readFlag: (name) => flags[name],
    writeFlag: (name, value) => {
      flags[name] = value;
    },
    pc: initial.pc ?? 0n,
    control: independent,
    checksSPAlignment: initial.checksSPAlignment ?? false,
    trapsFP: initial.trapsFP ?? false,
    pointerControl: initial.pointerControl ?? noPointerKeys,
  };
}
