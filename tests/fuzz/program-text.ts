// Programs that are written as assembler text.

import { registerNames } from '../../src/arch/register-names.ts';
import { assemble } from '../../src/isa/assembler.ts';
import { layout, type Program } from './fuzz-machine.ts';
import type { Random } from './random.ts';
import { everyLevels, randomStart } from './start.ts';

/** A register becomes a value of 32 bits. */
export const load = (register: string, value: bigint | number): string[] => {
  const bits = BigInt(value);
  return [`movz ${register}, #${bits & 0xffffn}`, `movk ${register}, #${(bits >> 16n) & 0xffffn}, lsl #16`];
};

/** What the architecture asks for between a store to the line of X28 and the execution of the result. */
export const synchronisation = ['dc cvau, x28', 'dsb ish', 'ic ivau, x28', 'dsb ish', 'isb'] as const;

/** Where the code of an Exception level is executed. */
export const codeOf = (el: 0 | 1): number => (el === 0 ? layout.codeEl0 : layout.codeEl1);

export interface TimedProgram extends Program {
  /** To be run. */
  readonly instructions: number;
}

/** The text as a program of an Exception level, at an offset in its code. X19 is an index, and interrupts come at times. */
export function programOfText(
  text: string,
  random: Random,
  { el, offset, instructions }: { readonly el: 0 | 1; readonly offset: number; readonly instructions: number },
): TimedProgram {
  const start = randomStart(random, el, random.pick(everyLevels));
  const pc = codeOf(el) + offset;
  const { bytes } = assemble(text, { base: pc, names: registerNames });
  return {
    instructions,
    start: {
      ...start,
      handler: 'return',
      pc: BigInt(pc),
      x: start.x.map((value, n) => (n === 19 ? BigInt(random.below(64)) : value)),
      interruptEvery: random.oneIn(3) ? 0 : 20 + random.below(400),
    },
    words: [...new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)],
    restarts: true,
  };
}
