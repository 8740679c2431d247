// All step functions as one module, and with them those of floating-point arithmetic and of pointer authentication. The build writes it beside the program, since making 1,100 functions takes longer than most guests
// run; V8 compiles each of them when it is first called.

import { fieldsOf, knownCombinations, type Row } from '../isa/encoding.ts';
import { instructionSet } from '../isa/instruction-set.ts';
import { floatFunctions } from './float-functions.ts';
import { pointerFunctions } from './pointer-functions.ts';
import { makeStepGenerator } from './step.ts';
import { encodeModule } from './wasm/module.ts';

/** Name, in the module, of the step function of a row for known field values. */
export function stepFunctionName(row: Row, known: Readonly<Record<string, number>>): string {
  const values = row.fields.filter((field) => field.known).map(({ name }) => known[name]);
  return `${instructionSet.indexOf(row)}:${values.join()}`;
}

/** Words in which a combination of known fields is looked for; one that is in none of them is made when it is needed. */
const samples = 256;

/** True where some operands make these known field values an allocated instruction. */
function isAllocated(row: Row, known: Readonly<Record<string, number>>): boolean {
  for (let n = 0; n < samples; n += 1) {
    // Fibonacci hashing spreads the samples over the bits of the word; the first one has no bit set.
    const operands = fieldsOf(row, Math.imul(n, 0x9e3779b1));
    if (row.allocated({ ...operands, ...known })) return true;
  }
  return false;
}

/** The binary of the module. */
export function encodeStepModule(): Uint8Array<ArrayBuffer> {
  const generate = makeStepGenerator();
  const functions = instructionSet.flatMap((row) =>
    knownCombinations(row)
      .filter((known) => isAllocated(row, known))
      .map((known) => ({ ...generate(row, known), exportName: stepFunctionName(row, known) })),
  );
  return encodeModule([...floatFunctions(), ...pointerFunctions(), ...functions]);
}
