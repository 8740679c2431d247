// What the runtime module asks of TypeScript.

import { codeSignature, unarySignature } from './wasm/module.ts';

export const imports = [
  /** (cpu, budget) → function index for the code at PC, or 0 after an exception. */
  { name: 'resolve', signature: codeSignature },
  /** (cpu, word) → function index of the step function. */
  { name: 'decode', signature: codeSignature },
  /** cpu → 0 when the soft TLB now translates PC, else an exception has been taken. */
  { name: 'fetchMiss', signature: unarySignature },
  /** cpu → 0 when the instruction at PC may follow the branch that has led to it, else an exception has been taken. */
  { name: 'branchTarget', signature: unarySignature },
  /** (cpu, descriptor) → exit: of services.ts, for accesses that neither level of the soft TLB can make. */
  { name: 'access', signature: codeSignature },
  // The services that are TypeScript: as exports they can stand in the table of functions that generated code calls.
  ...(['exclusive', 'atomic', 'system'] as const).map((name) => ({
    name,
    signature: codeSignature,
    isExported: true,
  })),
] as const;
export const importIndex = { resolve: 0, decode: 1, fetchMiss: 2, branchTarget: 3, access: 4 } as const;
/** Its own first function: the stepper that stops after a branch. */
export const stepBlockIndex = imports.length;
