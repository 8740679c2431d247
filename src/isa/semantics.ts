// The semantics interface: the only words in which the meaning of an instruction is written.
//
// A meaning is a function over this interface. Every engine implements it over its own kind of value: the wasm generators over
// expressions (constants where the operand fields are known, code where they are taken from the instruction word), the trace
// reading over concrete values that carry the reads which they depend on. A meaning therefore never inspects a value; it decides
// on the *known* fields of its encoding only (encoding.ts).
//
// An instruction reads the state from before it: register and flag writes take effect together when the meaning has run to its
// end, so that an instruction whose memory access faults has written nothing (Arm DDI 0487, precise exceptions). Memory
// accesses happen in the order in which they are called.

import type { AesBox } from './crypto/aes-box.ts';
import type { FormatBits } from './floating-point/format.ts';
import type { FloatOperation } from './floating-point/names.ts';
import type { PointerOperation } from './pointer-authentication/names.ts';

/** Width in bits. A 1-bit result (`eq`, `flag`) is a 32-bit value that is 0 or 1. */
export type Width = 32 | 64 | 128;

/** Width in bits of an element of a vector. */
export type ElementBits = 8 | 16 | 32 | 64;

/** What an engine computes with; opaque to a meaning. */
export interface Value {
  readonly width: Width;
}

export type FlagName = 'N' | 'Z' | 'C' | 'V';
export interface Flags {
  readonly N: Value;
  readonly Z: Value;
  readonly C: Value;
  readonly V: Value;
}

/** Size of a memory access in bytes. */
export type AccessBytes = 1 | 2 | 4 | 8 | 16;

/** The ordering that an access brings with it (Arm DDI 0487, B2.3: Load-Acquire, Load-AcquirePC, Store-Release). */
export interface Ordering {
  readonly acquire?: boolean;
  readonly acquirePC?: boolean;
  readonly release?: boolean;
}

export interface Access extends Ordering {
  /** As if at EL0 (LDTR, STTR), where the architecture says so. */
  readonly unprivileged?: boolean;
  /** Comes after the access before it of the same instruction (LDIAPP, STILP), for every observer. */
  readonly inOrder?: boolean;
  /** Made of elements of this many bytes, in ascending order of address: each is an access of its own, and aligned by itself. */
  readonly elementBytes?: 1 | 2 | 4 | 8;
  /** Alignment to the size of the access is checked whatever SCTLR_ELx.A says. */
  readonly aligned?: boolean;
}

export type AtomicOperation = 'ADD' | 'BIC' | 'EOR' | 'ORR' | 'SMAX' | 'SMIN' | 'UMAX' | 'UMIN' | 'SWP';

/** Operations element by element; a comparison gives all ones or all zeros. */
export type LaneOperation =
  | 'add'
  | 'sub'
  | 'mul'
  | 'eq'
  | 'gtS'
  | 'gtU'
  | 'geS'
  | 'geU'
  | 'minS'
  | 'minU'
  | 'maxS'
  | 'maxU'
  | 'addSaturatingS'
  | 'addSaturatingU'
  | 'subSaturatingS'
  | 'subSaturatingU';

/** Shifts of all elements by the same amount: left, right with copies of the sign, right with zeros. */
export type LaneShift = 'left' | 'rightS' | 'rightU';

export type BranchKind = 'direct' | 'call' | 'indirect' | 'indirect call' | 'return';

/** Domain and types of a DMB or DSB; `CRm` of the encoding is a run-time operand, so the engine decodes it. */
export type BarrierKind = 'DMB' | 'DSB';

/**
 * What gives all four flags: AddWithCarry(x, y, '0'), AddWithCarry(x, NOT(y), '1'), or N and Z of a result x, with C and V and `y` 0. Who
 * reads flags seldom may keep this in their place.
 */
export interface FlagSource {
  readonly operation: 'addition' | 'subtraction' | 'result';
  readonly x: Value;
  readonly y: Value;
}

export interface Semantics {
  // Values. Both operands of a binary operation have the same width, which is also the width of the result.

  /** A constant, taken modulo 2^width. */
  constant(width: 32 | 64, value: number | bigint): Value;
  add(a: Value, b: Value): Value;
  sub(a: Value, b: Value): Value;
  mul(a: Value, b: Value): Value;
  /** High half of the 128-bit product of 64-bit operands. */
  umulh(a: Value, b: Value): Value;
  smulh(a: Value, b: Value): Value;
  /** Quotient rounded towards zero; 0 when the divisor is 0; the minimum when the minimum is divided by -1. */
  udiv(a: Value, b: Value): Value;
  sdiv(a: Value, b: Value): Value;
  and(a: Value, b: Value): Value;
  or(a: Value, b: Value): Value;
  xor(a: Value, b: Value): Value;
  not(a: Value): Value;
  /** Shifts and rotates take the amount (same width as `a`) modulo the width. */
  lsl(a: Value, amount: Value): Value;
  lsr(a: Value, amount: Value): Value;
  asr(a: Value, amount: Value): Value;
  ror(a: Value, amount: Value): Value;
  /** Number of leading zeros; the width for 0. */
  clz(a: Value): Value;
  /** Reverses the bits. */
  rbit(a: Value): Value;
  /** Reverses the bytes inside each container of 16, 32 or 64 bits. */
  rev(a: Value, containerBits: 16 | 32 | 64): Value;
  /** 32-bit 0 or 1. */
  eq(a: Value, b: Value): Value;
  ne(a: Value, b: Value): Value;
  /** Unsigned and signed less-than. */
  ltU(a: Value, b: Value): Value;
  ltS(a: Value, b: Value): Value;
  /** `a` where the 32-bit condition is not zero, else `b`. */
  select(condition: Value, a: Value, b: Value): Value;
  /** The low `fromBits` bits, extended to `width`. */
  zeroExtend(a: Value, fromBits: 8 | 16 | 32, width: 32 | 64): Value;
  signExtend(a: Value, fromBits: 8 | 16 | 32, width: 32 | 64): Value;
  /** The low 32 bits of a 64-bit value; a 32-bit value unchanged. */
  low32(a: Value): Value;
  /** CRC32 step (polynomial 0x04C11DB7, or 0x1EDC6F41 for Castagnoli) of the low `bytes` bytes of `data` into the 32-bit `acc`. */
  crc32(acc: Value, data: Value, bytes: 1 | 2 | 4 | 8, castagnoli: boolean): Value;

  // Floating point: numbers in the low bits of 64-bit words.

  /**
   * An operation of floating-point arithmetic under FPCR, on up to three operands (floating-point/operations.ts); its exceptions are
   * added to FPSR. `bits` is the format of the operands, for conversions from integers that of the result.
   */
  float(operation: FloatOperation, bits: FormatBits, operands: readonly Value[]): Value;
  /**
   * The operation on each of the lowest `lanes` elements of vectors, which fill a half of them or the whole; bits above them are 0. An operand
   * that is a word is the same for all lanes.
   */
  floatLanes(operation: FloatOperation, bits: FormatBits, lanes: number, operands: readonly Value[]): Value;
  /** FPCR.RMode as a 64-bit word (floating-point/format.ts). */
  roundingMode(): Value;
  /** Adds the bits of a 64-bit word to FPSR: QC where something has saturated. */
  raiseFPSR(flags: Value): void;

  // Vectors: 128-bit values as elements of `bits` each, element 0 lowest.

  /** Element `lane`, zero-extended to a word. */
  laneOf(vector: Value, bits: ElementBits, lane: number): Value;
  /** The vector with its element `lane` replaced by the low bits of a word. */
  withLane(vector: Value, bits: ElementBits, lane: number, word: Value): Value;
  /** The vector whose elements are all the low bits of a word. */
  splat(bits: ElementBits, word: Value): Value;
  /** The vector whose byte n is byte `bytes[n]` of two vectors, one after the other: 0 to 15 of `a`, 16 to 31 of `b`. */
  shuffle(a: Value, b: Value, bytes: readonly number[]): Value;
  /** The elements of two vectors with each other; there are no extremes of 64 bits, and nothing saturates to more than 16. */
  lanes(operation: LaneOperation, bits: ElementBits, a: Value, b: Value): Value;
  /** The elements shifted by an amount from 0 to their width. */
  shiftLanes(shift: LaneShift, bits: ElementBits, vector: Value, amount: number): Value;
  /** The vector whose byte n is the byte of `table` at the index that byte n of `indices` is; 0 where that is beyond the table. */
  lookUp(table: Value, indices: Value): Value;
  /** Each byte replaced by the one that a substitution box of AES has for it. */
  substituteBytes(vector: Value, box: AesBox): Value;

  // Registers. Register numbers are 32-bit values 0..31.

  /** X[n] or W[n]; register 31 is the zero register. */
  readX(n: Value, width: 32 | 64): Value;
  /** As readX with register 31 as the current stack pointer. */
  readXSP(n: Value, width: 32 | 64): Value;
  /** The base of an address: as readXSP at 64 bits, and the stack pointer's alignment is checked (CheckSPAlignment). */
  readBase(n: Value): Value;
  /** A 32-bit value clears the upper half. */
  writeX(n: Value, value: Value): void;
  writeXSP(n: Value, value: Value): void;
  /** The low 32, 64 or 128 bits of V[n]. */
  readV(n: Value, width: Width): Value;
  /** Clears the bits above the value's width. */
  writeV(n: Value, value: Value): void;
  /** CheckFPEnabled64: comes first in every meaning that uses SIMD&FP registers. */
  checkFPEnabled(): void;
  readFlag(name: FlagName): Value;
  /** What the present flags are those of, if that is known. */
  flagSource?(): FlagSource | undefined;
  /** Flags that are left out keep their value. With `source`, all four are those of its operation. */
  writeFlags(flags: Partial<Flags>, source?: FlagSource): void;
  /** Address of this instruction, 64 bits. */
  pc(): Value;

  // Memory. An address is a 64-bit value.

  /** Zero-extended to 32 bits for 1, 2 and 4 bytes; 64 bits for 8; 128 for 16. */
  load(address: Value, bytes: AccessBytes, access: Access): Value;
  /** Stores the low `bytes` bytes of the value. */
  store(address: Value, value: Value, bytes: AccessBytes, access: Access): void;
  /** Two values at consecutive addresses: accesses of their own, each as `load` and `store` make them, but of one fault at most. */
  loadPair(address: Value, bytes: 4 | 8 | 16): readonly [Value, Value];
  storePair(address: Value, first: Value, second: Value, bytes: 4 | 8 | 16): void;
  /** Elements of consecutive addresses, zero-extended to words; together they have a multiple of 8 bytes. */
  loadElements(address: Value, bits: ElementBits, count: number): readonly Value[];
  /** Stores the low bits of words as such elements. */
  storeElements(address: Value, bits: ElementBits, words: readonly Value[]): void;
  /** Loads and sets the exclusive monitors for `bytes` at the address, which must be aligned to it. */
  loadExclusive(address: Value, bytes: 1 | 2 | 4 | 8, order: Ordering): Value;
  /** Two registers of `bytes` each, as one exclusive access of twice the size. */
  loadExclusivePair(address: Value, bytes: 4 | 8, order: Ordering): readonly [Value, Value];
  /** 32-bit status: 0 when the store was done, 1 when the monitors had been lost. */
  storeExclusive(address: Value, value: Value, bytes: 1 | 2 | 4 | 8, order: Ordering): Value;
  storeExclusivePair(address: Value, first: Value, second: Value, bytes: 4 | 8, order: Ordering): Value;
  clearExclusive(): void;
  /** Read-modify-write; the value before it, as `load` gives it. The operand's low `bytes` bytes count. */
  atomic(operation: AtomicOperation, address: Value, operand: Value, bytes: 1 | 2 | 4 | 8, order: Ordering): Value;
  /** Stores `replacement` if memory equals `expected`; the value before it, as `load` gives it. */
  compareAndSwap(address: Value, expected: Value, replacement: Value, bytes: 1 | 2 | 4 | 8, order: Ordering): Value;
  compareAndSwapPair(
    address: Value,
    expected: readonly [Value, Value],
    replacement: readonly [Value, Value],
    bytes: 4 | 8,
    order: Ordering,
  ): readonly [Value, Value];

  // Pointer authentication.

  /** The result of an operation on a pointer; the pointer itself where the key is not enabled. Traps where it is to. PACGA is always enabled. */
  authenticatePointer(operation: PointerOperation, pointer: Value, modifier: Value): Value;
  /** ELR_ELx of the current Exception level; UNDEFINED at EL0. */
  exceptionLink(): Value;

  // Branch target identification.

  /** 32-bit 1 where this instruction is in a guarded page. */
  inGuardedPage(): Value;
  /** PSTATE.BTYPE for the next instruction, which a branch leads to. */
  setBType(btype: Value): void;

  // Control flow: at most one of these, and last.

  branch(target: Value, kind: BranchKind): void;
  /** Branches when the 32-bit condition is not zero, else goes on in sequence. */
  branchIf(condition: Value, target: Value): void;

  // Exceptions and the system. Immediates and keys are 32-bit values; `key` is op0:op1:CRn:CRm:op2 (system-registers.ts).

  undefined(): void;
  svc(imm16: Value): void;
  hvc(imm16: Value): void;
  smc(imm16: Value): void;
  brk(imm16: Value): void;
  hlt(imm16: Value): void;
  /** To ELR_ELx, or to the address that has been made of it. */
  eret(target?: Value): void;
  readSystemRegister(key: Value): Value;
  writeSystemRegister(key: Value, value: Value): void;
  /** MSR (immediate): the PSTATE field that op1:op2 names, and CRm. */
  writePstateField(op1: Value, op2: Value, CRm: Value): void;
  /** SYS: IC, DC, AT, TLBI and their kind. */
  systemInstruction(key: Value, value: Value): void;
  systemInstructionWithResult(key: Value): Value;
  barrier(kind: BarrierKind, CRm: Value): void;
  instructionSynchronizationBarrier(): void;
  wfi(): void;
  wfe(): void;
  sev(): void;
  sevl(): void;
  yield(): void;
}
