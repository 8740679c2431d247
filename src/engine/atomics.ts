// What the atomic instructions of FEAT_LSE store (Arm DDI 0487, shared/functions/memory/MemAtomic), on values of 8 to 128 bits.

import type { AtomicOperation } from '../isa/semantics.ts';

/** The new value of memory, given its value before; `bytes` is the size of the access. */
export function atomicResult(
  operation: AtomicOperation | 'CAS',
  before: bigint,
  operandBits: bigint,
  expectedBits: bigint,
  bytes: number,
): bigint {
  const bits = 8 * bytes;
  const operand = BigInt.asUintN(bits, operandBits);
  const isLess = BigInt.asIntN(bits, before) < BigInt.asIntN(bits, operand);
  switch (operation) {
    case 'ADD':
      return BigInt.asUintN(bits, before + operand);
    case 'BIC':
      return before & BigInt.asUintN(bits, ~operand);
    case 'EOR':
      return before ^ operand;
    case 'ORR':
      return before | operand;
    case 'SMAX':
      return isLess ? operand : before;
    case 'SMIN':
      return isLess ? before : operand;
    case 'UMAX':
      return before < operand ? operand : before;
    case 'UMIN':
      return before < operand ? before : operand;
    case 'SWP':
      return operand;
    case 'CAS':
      return before === BigInt.asUintN(bits, expectedBits) ? operand : before;
  }
}
