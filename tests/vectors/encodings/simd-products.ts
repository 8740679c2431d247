// Advanced SIMD on integers of three widths, by element, and of the three-register extension, in the order of the Arm ARM's encoding index.

import { type Encoding, type Options, encoding } from '../pattern.ts';

const sizes = (...allowed: readonly number[]): Options => ({ legal: (f) => allowed.includes(f('size')) });

/** [opcode, names for U = 0 and U = 1, suffix, sizes]. */
const THREE_DIFFERENT = [
  ['0000', ['SADDL', 'UADDL'], 'L', [0, 1, 2]],
  ['0001', ['SADDW', 'UADDW'], 'W', [0, 1, 2]],
  ['0010', ['SSUBL', 'USUBL'], 'L', [0, 1, 2]],
  ['0011', ['SSUBW', 'USUBW'], 'W', [0, 1, 2]],
  ['0100', ['ADDHN', 'RADDHN'], 'N', [0, 1, 2]],
  ['0101', ['SABAL', 'UABAL'], 'L', [0, 1, 2]],
  ['0110', ['SUBHN', 'RSUBHN'], 'N', [0, 1, 2]],
  ['0111', ['SABDL', 'UABDL'], 'L', [0, 1, 2]],
  ['1000', ['SMLAL', 'UMLAL'], 'L', [0, 1, 2]],
  ['1001', ['SQDMLAL'], 'L', [1, 2]],
  ['1010', ['SMLSL', 'UMLSL'], 'L', [0, 1, 2]],
  ['1011', ['SQDMLSL'], 'L', [1, 2]],
  ['1100', ['SMULL', 'UMULL'], 'L', [0, 1, 2]],
  ['1101', ['SQDMULL'], 'L', [1, 2]],
  ['1110', ['PMULL'], 'L', [0]],
] as const;

function threeDifferent(): Encoding[] {
  return THREE_DIFFERENT.flatMap(([opcode, names, suffix, allowed]) =>
    names.flatMap((name, U) => {
      const fields = `11110 size:2 1 Rm:5 ${opcode} 00 Rn:5 Rd:5`;
      const vector = encoding(
        'data',
        `${name}_asimddiff_${suffix}`,
        `0 Q:1 ${U} 0${fields.slice(1)}`,
        sizes(...allowed),
      );
      if (!name.startsWith('SQDM')) return [vector];
      return [vector, encoding('data', `${name}_asisddiff_only`, `01 ${U} ${fields}`, sizes(...allowed))];
    }),
  );
}

function extension(): Encoding[] {
  return [
    ...['SQRDMLAH', 'SQRDMLSH'].flatMap((name, op) => {
      const options = { ...sizes(1, 2), feature: 'FEAT_RDM' };
      return [
        encoding('data', `${name}_asimdsame2_only`, `0 Q:1 1 01110 size:2 0 Rm:5 1 000${op} 1 Rn:5 Rd:5`, options),
        encoding('data', `${name}_asisdsame2_only`, `01 1 11110 size:2 0 Rm:5 1 000${op} 1 Rn:5 Rd:5`, options),
      ];
    }),
    ...['SDOT', 'UDOT'].flatMap((name, U) => {
      const options = { feature: 'FEAT_DotProd' };
      return [
        encoding('data', `${name}_asimdsame2_D`, `0 Q:1 ${U} 01110 10 0 Rm:5 1 0010 1 Rn:5 Rd:5`, options),
        encoding('data', `${name}_asimdelem_D`, `0 Q:1 ${U} 01111 10 L:1 Rm:5 1110 H:1 0 Rn:5 Rd:5`, options),
      ];
    }),
  ];
}

/** [name, U, opcode, suffix, whether there is a scalar form]. */
const BY_ELEMENT = [
  ['MLA', 1, '0000', 'R', false],
  ['MLS', 1, '0100', 'R', false],
  ['MUL', 0, '1000', 'R', false],
  ['SMLAL', 0, '0010', 'L', false],
  ['UMLAL', 1, '0010', 'L', false],
  ['SQDMLAL', 0, '0011', 'L', true],
  ['SMLSL', 0, '0110', 'L', false],
  ['UMLSL', 1, '0110', 'L', false],
  ['SQDMLSL', 0, '0111', 'L', true],
  ['SMULL', 0, '1010', 'L', false],
  ['UMULL', 1, '1010', 'L', false],
  ['SQDMULL', 0, '1011', 'L', true],
  ['SQDMULH', 0, '1100', 'R', true],
  ['SQRDMULH', 0, '1101', 'R', true],
  ['SQRDMLAH', 1, '1101', 'R', true],
  ['SQRDMLSH', 1, '1111', 'R', true],
] as const;

function byElement(): Encoding[] {
  return BY_ELEMENT.flatMap(([name, U, opcode, suffix, hasScalar]) => {
    const options = { ...sizes(1, 2), ...(name.startsWith('SQRDML') ? { feature: 'FEAT_RDM' } : {}) };
    const fields = `size:2 L:1 Rm:5 ${opcode} H:1 0 Rn:5 Rd:5`;
    const vector = encoding('data', `${name}_asimdelem_${suffix}`, `0 Q:1 ${U} 01111 ${fields}`, options);
    if (!hasScalar) return [vector];
    return [vector, encoding('data', `${name}_asisdelem_${suffix}`, `01 ${U} 11111 ${fields}`, options)];
  });
}

export const SIMD_PRODUCTS: readonly Encoding[] = [...threeDifferent(), ...extension(), ...byElement()];
