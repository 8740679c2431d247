// What generated code asks of TypeScript: the slow paths of memory, exclusives and atomics, and everything that is not computing.
//
// A service receives the address of the PE's record and a descriptor; 64-bit values pass through the record's scratch slots. It
// returns an exit code (arch/exits.ts): 0 goes on with the instruction; anything else leaves the generated code at once, with
// the record complete. When a service is called the record holds the state before the instruction, `pc` at the instruction, and
// in `budget` what was left before it.

import type { AccessBytes, AtomicOperation } from '../isa/semantics.ts';
import {
  codeSignature,
  flagsSignature,
  i64BinarySignature,
  i64UnarySignature,
  vectorUnarySignature,
} from './wasm/module.ts';

/**
 * The services, in the order of the table of functions that every generated module imports. They are no imports of their own: for each
 * signature of an imported function V8 compiles a wrapper, in every module. After them stand the exact functions of arithmetic.
 */
export const services = [
  { name: 'access', signature: codeSignature },
  { name: 'exclusive', signature: codeSignature },
  { name: 'atomic', signature: codeSignature },
  { name: 'system', signature: codeSignature },
  { name: 'rbit', signature: i64UnarySignature },
  { name: 'umulh', signature: i64BinarySignature },
  { name: 'smulh', signature: i64BinarySignature },
  { name: 'chain', signature: codeSignature },
  { name: 'aesBox', signature: vectorUnarySignature },
  { name: 'inverseAesBox', signature: vectorUnarySignature },
  { name: 'storeFlags', signature: flagsSignature },
] as const;

/** Their places in the table. */
export const functionIndex = {
  access: 0,
  exclusive: 1,
  atomic: 2,
  system: 3,
  rbit: 4,
  umulh: 5,
  smulh: 6,
  /** (cpu, budget): goes on at the record's PC, by tail call where the jump cache knows the code; else exit.lookup. */
  chain: 7,
  /** Each byte of a vector through a substitution box. */
  aesBox: 8,
  inverseAesBox: 9,
  /** (cpu, kind, x, y): the record's flags become those of an operation. */
  storeFlags: 10,
} as const;

/** Kinds of `storeFlags`: an operation on 32 bits, zero-extended, or on 64 bits if wide. 0: the record has them already. */
export const flagKind = { inRecord: 0, addition: 1, subtraction: 2, wide: 4 } as const;

/** Bits of the descriptor of `access`. VA in scratch 0; the value in scratch 1 (and 2 for 16 bytes). */
export const memoryDescriptor = {
  store: 1,
  /** log2 of the bytes, shifted by 1. */
  sizeShift: 1,
  sizeMask: 7,
  aligned: 1 << 4,
  unprivileged: 1 << 5,
  acquire: 1 << 6,
  acquirePC: 1 << 7,
  release: 1 << 8,
  /** Any of the three. */
  ordered: 7 << 6,
  /** exclusive: two elements of this size. */
  pair: 1 << 9,
  /** The stepper asks, which need not leave an instruction that writes to code (accessFlag.stepped). */
  stepped: 1 << 10,
  /** access: log2 of the number of elements of which it is made. */
  elementsShift: 11,
} as const;

/** Scratch slots (8 bytes each) of the services. */
export const scratchSlot = {
  address: 0,
  /** Loaded or stored value; second element of a pair in the next one. */
  value: 1,
  valueHigh: 2,
  /** compareAndSwap: the expected value(s). */
  expected: 3,
  expectedHigh: 4,
  /** storeExclusive: 0 or 1. */
  status: 3,
  /** Operand or result of a system register access or system instruction. */
  system: 0,
} as const;

/** Codes of `atomic`: descriptor = size, order and stepped bits as above, operation << 12. */
export const atomicOperations: readonly (AtomicOperation | 'CAS')[] = [
  'ADD',
  'BIC',
  'EOR',
  'ORR',
  'SMAX',
  'SMIN',
  'UMAX',
  'UMIN',
  'SWP',
  'CAS',
];
export const atomicShift = 12;

/** Codes of `system`: descriptor = operation, its 16-bit immediate or key << 8. */
export const systemOperation = {
  undefined: 0,
  svc: 1,
  hvc: 2,
  smc: 3,
  brk: 4,
  hlt: 5,
  eret: 6,
  readSystemRegister: 7,
  writeSystemRegister: 8,
  /** Immediate: op1 << 8 | op2 << 4 | CRm. */
  writePstateField: 9,
  systemInstruction: 10,
  systemInstructionWithResult: 11,
  /** Immediate: CRm. */
  dsb: 12,
  isb: 13,
  wfi: 14,
  wfe: 15,
  sev: 16,
  sevl: 17,
  clearExclusive: 18,
  fpTrap: 19,
  spAlignment: 20,
  /** ELR_ELx of the current level. */
  exceptionLink: 21,
  eretTo: 22,
  pointerTrap: 23,
  /** Before an instruction while PSTATE.BTYPE is not 0. */
  branchTarget: 24,
  yield: 25,
} as const;
export const systemImmediateShift = 8;

export const log2Bytes = (bytes: AccessBytes): number => Math.log2(bytes);
