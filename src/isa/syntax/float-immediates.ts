// Floating-point numbers as operands: the immediates of FMOV, and the zero of a comparison.

import type { Operand } from '../syntax.ts';

/** VFPExpandImm as a number: it is the same in every format. */
function valueOf(imm8: number): number {
  const sign = imm8 & 0x80 ? -1 : 1;
  const exponent = ((imm8 >> 4) & 3) - (imm8 & 0x40 ? 3 : -1);
  return sign * (1 + (imm8 & 15) / 16) * 2 ** exponent;
}

const immediates: ReadonlyMap<number, number> = new Map(
  Array.from({ length: 256 }, (_, imm8) => [valueOf(imm8), imm8]),
);

/** As GNU objdump prints it: 18 digits after the point, and an exponent of at least two. */
function printed(value: number): string {
  const [digits, exponent] = value.toExponential(18).split('e');
  return `${digits}e${exponent!.startsWith('-') ? '-' : '+'}${exponent!.slice(1).padStart(2, '0')}`;
}

/** imm8 of FMOV. */
export const floatImmediate: Operand = {
  print: (f) => `#${printed(valueOf(f.imm8!))}`,
  read: (reader) => {
    const value = reader.decimal();
    if (value === undefined) return false;
    const imm8 = immediates.get(value);
    if (imm8 === undefined)
      return reader.refused(`${value} is not n/16 * 2^r with n from 16 to 31 and r from -3 to 4, or its negative`);
    return reader.set('imm8', imm8);
  },
};

/** #0.0, which is in no field. */
export const floatZero: Operand = {
  print: () => '#0.0',
  read: (reader) => {
    const value = reader.decimal();
    if (value === undefined) return false;
    return Object.is(value, 0) || reader.refused('a comparison is with 0.0 only');
  },
};
