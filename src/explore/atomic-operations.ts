// What the atomic memory operations write (Arm DDI 0487, "Atomic memory operations").

import type { AtomicOperation } from '../isa/semantics.ts';

/** The low `bits` bits that memory holds after the operation. */
export function atomicResult(operation: AtomicOperation, old: bigint, operand: bigint, bits: number): bigint {
  const signed = (value: bigint): bigint => BigInt.asIntN(bits, value);
  const result = ((): bigint => {
    switch (operation) {
      case 'ADD':
        return old + operand;
      case 'BIC':
        return old & ~operand;
      case 'EOR':
        return old ^ operand;
      case 'ORR':
        return old | operand;
      case 'SMAX':
        return signed(old) > signed(operand) ? old : operand;
      case 'SMIN':
        return signed(old) < signed(operand) ? old : operand;
      case 'UMAX':
        return old > operand ? old : operand;
      case 'UMIN':
        return old < operand ? old : operand;
      case 'SWP':
        return operand;
    }
  })();
  return BigInt.asUintN(bits, result);
}
