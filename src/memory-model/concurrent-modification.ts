// Which instructions may be written, or be overwritten, while another PE executes them (Arm DDI 0487, B2.2.5 "Concurrent modification and
// execution of instructions"): with all others the PE that executes them has to be synchronized with the change.

import { decodeAny } from '../isa/instruction-set.ts';

const wordNOP = 0xd503_201f;

const unrestricted: ReadonlySet<string> = new Set([
  ...['B', 'B.cond', 'BL', 'CBZ', 'CBNZ', 'TBZ', 'TBNZ', 'ISB', 'SVC', 'HVC', 'SMC', 'BRK'],
]);

/** Cat's Restricted-CMODX, for a word of code. */
export function isRestrictedToModify(word: number): boolean {
  const row = decodeAny(word)?.row;
  return word !== wordNOP && (row === undefined || !unrestricted.has(row.name));
}
