// All step functions as one module. The build writes it beside the program, since making 1,100 functions takes longer than most guests
// run; V8 compiles each of them when it is first called.

import { knownCombinations, type Row } from '../isa/encoding.ts';
import { instructionSet } from '../isa/instruction-set.ts';
import { imports } from './services.ts';
import { makeStepGenerator } from './step.ts';
import { encodeModule } from './wasm/module.ts';

/** Name, in the module, of the step function of a row for known field values. */
export function stepFunctionName(row: Row, known: Readonly<Record<string, number>>): string {
  const values = row.fields.filter((field) => field.known).map(({ name }) => known[name]);
  return `${instructionSet.indexOf(row)}:${values.join()}`;
}

/** The binary of the module. Combinations whose allocation depends on operands may be missing: they are made when they are needed. */
export function encodeStepModule(): Uint8Array<ArrayBuffer> {
  const generate = makeStepGenerator();
  const functions = instructionSet.flatMap((row) =>
    knownCombinations(row)
      .filter((known) => row.allocated(known))
      .map((known) => ({ ...generate(row, known), exportName: stepFunctionName(row, known) })),
  );
  return encodeModule(imports, functions);
}
