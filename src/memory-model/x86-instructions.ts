// The instructions of x86 that litmus tests are made of (Intel SDM volume 2), in the words of the A64 semantics: MOV, XCHG, the fences,
// arithmetic and logic of registers and memory, CMPXCHG and XADD, with LOCK or without, CMP, and jumps.
//
// A locked instruction, and XCHG with memory always, is one atomic read-modify-write; without LOCK it is a load and a store. Left out:
// PF and AF, and the flags of operands of 8 and 16 bits.

import type { Decoded } from '../isa/decoder.ts';
import type { Row } from '../isa/encoding.ts';
import type { AtomicOperation, Semantics, Value } from '../isa/semantics.ts';

export type X86Bytes = 1 | 2 | 4 | 8;

export type X86Operand =
  | { readonly kind: 'register'; readonly number: number }
  | { readonly kind: 'immediate'; readonly value: bigint }
  | MemoryOperand;

/** `base` is the number of a register. */
interface MemoryOperand {
  readonly kind: 'memory';
  readonly base: number | undefined;
  readonly displacement: bigint;
}

/** An instruction with its operands in Intel's order, the destination first; those that it does not have are `noOperand`. */
export interface X86Instruction {
  readonly mnemonic: string;
  readonly isLocked: boolean;
  readonly bytes: X86Bytes;
  readonly first: X86Operand;
  readonly second: X86Operand;
  /** Of a jump. */
  readonly target: bigint | undefined;
}

export const noOperand: X86Operand = { kind: 'immediate', value: 0n };

type Meaning = (s: Semantics, instruction: X86Instruction) => void;

const rax = 0;
const widthOf = (bytes: X86Bytes): 32 | 64 => (bytes === 8 ? 64 : 32);

/** Zero-extended to 32 bits where it is shorter. */
function read(s: Semantics, operand: X86Operand, bytes: X86Bytes): Value {
  switch (operand.kind) {
    case 'immediate':
      return s.constant(widthOf(bytes), BigInt.asUintN(8 * bytes, operand.value));
    case 'register': {
      const value = s.readX(s.constant(32, operand.number), widthOf(bytes));
      return bytes >= 4 ? value : s.zeroExtend(value, (8 * bytes) as 8 | 16, 32);
    }
    case 'memory':
      return s.load(addressOf(s, operand), bytes, {});
  }
}

function addressOf(s: Semantics, operand: MemoryOperand): Value {
  const displacement = s.constant(64, BigInt.asUintN(64, operand.displacement));
  return operand.base === undefined ? displacement : s.add(s.readX(s.constant(32, operand.base), 64), displacement);
}

/** 32 bits clear the upper half of a register; fewer leave the rest of it as it is. */
function write(s: Semantics, operand: X86Operand, bytes: X86Bytes, value: Value): void {
  if (operand.kind === 'memory') {
    s.store(addressOf(s, operand), value, bytes, {});
    return;
  }
  const register = s.constant(32, (operand as X86Operand & { kind: 'register' }).number);
  if (bytes >= 4) {
    s.writeX(register, value);
    return;
  }
  const mask = (1n << BigInt(8 * bytes)) - 1n;
  const kept = s.and(s.readX(register, 64), s.constant(64, BigInt.asUintN(64, ~mask)));
  s.writeX(register, s.or(kept, s.and(s.zeroExtend(value, 32, 64), s.constant(64, mask))));
}

const isNegative = (s: Semantics, value: Value): Value => s.ltS(value, s.constant(value.width as 32 | 64, 0));
const isZero = (s: Semantics, value: Value): Value => s.eq(value, s.constant(value.width as 32 | 64, 0));

function setFlags(s: Semantics, result: Value, carry: Value, overflow: Value): void {
  s.writeFlags({ N: isNegative(s, result), Z: isZero(s, result), C: carry, V: overflow });
}

function setFlagsOfSubtraction(s: Semantics, a: Value, b: Value): void {
  const difference = s.sub(a, b);
  setFlags(s, difference, s.ltU(a, b), s.xor(isNegative(s, difference), s.ltS(a, b)));
}

interface Operation {
  readonly result: (s: Semantics, a: Value, b: Value) => Value;
  readonly flags: (s: Semantics, a: Value, b: Value, result: Value) => void;
  /** The atomic of A64 that does it to memory, and what its operand is. */
  readonly atomic: AtomicOperation;
  readonly atomicOperand: (s: Semantics, b: Value) => Value;
}

const same = (_s: Semantics, b: Value): Value => b;
const negated = (s: Semantics, b: Value): Value => s.sub(s.constant(b.width as 32 | 64, 0), b);
const flagsOfLogic = (s: Semantics, _a: Value, _b: Value, result: Value): void => {
  setFlags(s, result, s.constant(32, 0), s.constant(32, 0));
};

const operations: Readonly<Record<string, Operation>> = {
  ADD: {
    result: (s, a, b) => s.add(a, b),
    flags: (s, a, b, sum) => setFlags(s, sum, s.ltU(sum, a), isNegative(s, s.and(s.xor(a, sum), s.xor(b, sum)))),
    atomic: 'ADD',
    atomicOperand: same,
  },
  SUB: { result: (s, a, b) => s.sub(a, b), flags: setFlagsOfSubtraction, atomic: 'ADD', atomicOperand: negated },
  AND: { result: (s, a, b) => s.and(a, b), flags: flagsOfLogic, atomic: 'BIC', atomicOperand: (s, b) => s.not(b) },
  OR: { result: (s, a, b) => s.or(a, b), flags: flagsOfLogic, atomic: 'ORR', atomicOperand: same },
  XOR: { result: (s, a, b) => s.xor(a, b), flags: flagsOfLogic, atomic: 'EOR', atomicOperand: same },
};

/** `destination = destination op source`. */
function modify(operation: Operation, source: X86Operand, keepsCarry = false): Meaning {
  return (s, { first: destination, bytes, isLocked }) => {
    const b = read(s, source, bytes);
    const carry = keepsCarry ? s.readFlag('C') : undefined;
    const isAtomic = isLocked && destination.kind === 'memory';
    const a = isAtomic
      ? s.atomic(operation.atomic, addressOf(s, destination), operation.atomicOperand(s, b), bytes, {})
      : read(s, destination, bytes);
    const result = operation.result(s, a, b);
    if (!isAtomic) write(s, destination, bytes, result);
    if (bytes >= 4) operation.flags(s, a, b, result);
    if (carry !== undefined) s.writeFlags({ C: carry });
  };
}

const exchange: Meaning = (s, { first, second, bytes }) => {
  const [memory, other] = second.kind === 'memory' ? [second, first] : [first, second];
  const value = read(s, other, bytes);
  if (memory.kind === 'memory') {
    write(s, other, bytes, s.atomic('SWP', addressOf(s, memory), value, bytes, {}));
    return;
  }
  const before = read(s, memory, bytes);
  write(s, memory, bytes, value);
  write(s, other, bytes, before);
};

const exchangeAndAdd: Meaning = (s, { first: destination, second: source, bytes, isLocked }) => {
  const b = read(s, source, bytes);
  const isAtomic = isLocked && destination.kind === 'memory';
  const a = isAtomic ? s.atomic('ADD', addressOf(s, destination), b, bytes, {}) : read(s, destination, bytes);
  const sum = s.add(a, b);
  if (!isAtomic) write(s, destination, bytes, sum);
  write(s, source, bytes, a);
  if (bytes >= 4) operations.ADD!.flags(s, a, b, sum);
};

/** Without LOCK, and where the comparison fails, the old value is stored. */
const compareAndExchange: Meaning = (s, { first: destination, second: source, bytes, isLocked }) => {
  const accumulator: X86Operand = { kind: 'register', number: rax };
  const [expected, replacement] = [read(s, accumulator, bytes), read(s, source, bytes)];
  const isAtomic = isLocked && destination.kind === 'memory';
  const found = isAtomic
    ? s.compareAndSwap(addressOf(s, destination), expected, replacement, bytes, {})
    : read(s, destination, bytes);
  const isEqual = s.eq(found, expected);
  if (!isAtomic) write(s, destination, bytes, s.select(isEqual, replacement, found));
  write(s, accumulator, bytes, s.select(isEqual, expected, found));
  if (bytes >= 4) setFlagsOfSubtraction(s, expected, found);
  else s.writeFlags({ Z: isEqual });
};

/** Conditions of jumps, by the mnemonic. */
const conditions: Readonly<Record<string, (s: Semantics) => Value>> = (() => {
  const flag = (name: 'N' | 'Z' | 'C' | 'V') => (s: Semantics) => s.readFlag(name);
  const not = (condition: (s: Semantics) => Value) => (s: Semantics) => s.xor(condition(s), s.constant(32, 1));
  const less = (s: Semantics) => s.xor(s.readFlag('N'), s.readFlag('V'));
  const lessOrEqual = (s: Semantics) => s.or(less(s), s.readFlag('Z'));
  const belowOrEqual = (s: Semantics) => s.or(s.readFlag('C'), s.readFlag('Z'));
  return {
    ...{ JE: flag('Z'), JZ: flag('Z'), JNE: not(flag('Z')), JNZ: not(flag('Z')) },
    ...{ JS: flag('N'), JNS: not(flag('N')), JC: flag('C'), JNC: not(flag('C')) },
    ...{ JB: flag('C'), JAE: not(flag('C')), JBE: belowOrEqual, JA: not(belowOrEqual) },
    ...{ JL: less, JGE: not(less), JLE: lessOrEqual, JG: not(lessOrEqual) },
  };
})();

/** The types of A64's DMB that stand for the fences (x86-thread.ts). */
const fenceTypes: Readonly<Record<string, number>> = { MFENCE: 0b1111, SFENCE: 0b1110, LFENCE: 0b1101 };

const one: X86Operand = { kind: 'immediate', value: 1n };

/** How many operands an instruction has, and what it does. */
export const x86Meanings: ReadonlyMap<string, { readonly operands: number; readonly meaning: Meaning }> = new Map([
  ['NOP', { operands: 0, meaning: () => {} }],
  ['MOV', { operands: 2, meaning: (s, { first, second, bytes }) => write(s, first, bytes, read(s, second, bytes)) }],
  ['XCHG', { operands: 2, meaning: exchange }],
  ['XADD', { operands: 2, meaning: exchangeAndAdd }],
  ['CMPXCHG', { operands: 2, meaning: compareAndExchange }],
  [
    'CMP',
    {
      operands: 2,
      meaning: (s, { first, second, bytes }) => setFlagsOfSubtraction(s, read(s, first, bytes), read(s, second, bytes)),
    },
  ],
  ['INC', { operands: 1, meaning: modify(operations.ADD!, one, true) }],
  ['DEC', { operands: 1, meaning: modify(operations.SUB!, one, true) }],
  ...Object.entries(operations).map(([mnemonic, operation]): [string, { operands: number; meaning: Meaning }] => [
    mnemonic,
    {
      operands: 2,
      meaning: (s, instruction) => modify(operation, instruction.second)(s, instruction),
    },
  ]),
  ...Object.entries(fenceTypes).map(([mnemonic, CRm]): [string, { operands: number; meaning: Meaning }] => [
    mnemonic,
    { operands: 0, meaning: (s) => s.barrier('DMB', s.constant(32, CRm)) },
  ]),
  ['JMP', { operands: 0, meaning: (s, { target }) => s.branch(s.constant(64, target!), 'direct') }],
  ...Object.entries(conditions).map(([mnemonic, holds]): [string, { operands: number; meaning: Meaning }] => [
    mnemonic,
    { operands: 0, meaning: (s, { target }) => s.branchIf(holds(s), s.constant(64, target!)) },
  ]),
]);

/** An instruction as the trace reading takes it. */
export function decodedX86(instruction: X86Instruction): Decoded {
  const { meaning } = x86Meanings.get(instruction.mnemonic)!;
  const row: Row = {
    name: instruction.mnemonic,
    pattern: '',
    mask: 0,
    value: 0,
    fields: [],
    feature: undefined,
    encoding: () => instruction.mnemonic,
    allocated: () => true,
    meaning: (s) => meaning(s, instruction),
    syntax: [],
  };
  return { row, fields: {} };
}
