// Advanced SIMD load/store structures: multiple, single, replicate, each also post-indexed. In the order of the Arm ARM's encoding index.

import { type Access, type Encoding, type Fields, encoding } from '../pattern.ts';

const both =
  (...conditions: ((f: Fields) => boolean)[]) =>
  (f: Fields) =>
    conditions.every((condition) => condition(f));

/** Post-indexed by a register that is neither the base (whose value decides the address) nor 31. */
const movesByRegister = (f: Fields): boolean => f('Rm') !== 31 && f('Rm') !== f('Rn');

const MULTIPLE = [
  ['0000', 4, 4],
  ['0010', 1, 4],
  ['0100', 3, 3],
  ['0110', 1, 3],
  ['0111', 1, 1],
  ['1000', 2, 2],
  ['1010', 1, 2],
] as const;

const access = (bytes: number): Access => ({ bytes, alignment: 1, addressing: { kind: 'base' } });

function multiple(L: 0 | 1): Encoding[] {
  return MULTIPLE.flatMap(([opcode, elements, registers]) => {
    const stem = `${L ? 'LD' : 'ST'}${elements}`;
    const count = elements === 1 ? String(registers) : '';
    const legal = (f: Fields): boolean => elements === 1 || f('size') !== 3 || f('Q') === 1;
    const rest = `${opcode} size:2 Rn:5 Rt:5`;
    return [
      encoding(
        'memory',
        `${stem}_asisdlse_R${registers}${elements === 1 ? `_${registers}v` : ''}`,
        `0 Q:1 0011000 ${L} 000000 ${rest}`,
        { legal, access: access(16 * registers) },
      ),
      encoding('memory', `${stem}_asisdlsep_I${registers}_i${count}`, `0 Q:1 0011001 ${L} 0 11111 ${rest}`, {
        legal,
        access: access(16 * registers),
      }),
      encoding('memory', `${stem}_asisdlsep_R${registers}_r${count}`, `0 Q:1 0011001 ${L} 0 Rm:5 ${rest}`, {
        legal: both(legal, movesByRegister),
        access: access(16 * registers),
      }),
    ];
  });
}

/** [letter, opcode<2:1>, the bits of S and size, bytes]. */
const SINGLE = [
  ['b', '00', 'S:1 size:2', 1],
  ['h', '01', 'S:1 size:x0', 2],
  ['s', '10', 'S:1 00', 4],
  ['d', '10', '0 01', 8],
] as const;

/** opcode<0> and R tell the number of elements. */
const COUNTS = [
  [1, '0', '0'],
  [2, '0', '1'],
  [3, '1', '0'],
  [4, '1', '1'],
] as const;

function single(L: 0 | 1): Encoding[] {
  return COUNTS.flatMap(([elements, low, R]) =>
    SINGLE.flatMap(([letter, opcode, tail, bytes]) => {
      const stem = `${L ? 'LD' : 'ST'}${elements}`;
      const size = letter.toUpperCase();
      const rest = `${opcode}${low} ${tail} Rn:5 Rt:5`;
      return [
        encoding(
          'memory',
          `${stem}_asisdlso_${size}${elements}_${elements}${letter}`,
          `0 Q:1 0011010 ${L} ${R} 00000 ${rest}`,
          { access: access(bytes * elements) },
        ),
        encoding(
          'memory',
          `${stem}_asisdlsop_${size}${elements}_i${elements}${letter}`,
          `0 Q:1 0011011 ${L} ${R} 11111 ${rest}`,
          { access: access(bytes * elements) },
        ),
        encoding(
          'memory',
          `${stem}_asisdlsop_${size}X${elements}_r${elements}${letter}`,
          `0 Q:1 0011011 ${L} ${R} Rm:5 ${rest}`,
          { legal: movesByRegister, access: access(bytes * elements) },
        ),
      ];
    }),
  );
}

function replicate(): Encoding[] {
  return COUNTS.flatMap(([elements, low, R]) => {
    const stem = `LD${elements}R`;
    const rest = `11${low} 0 size:2 Rn:5 Rt:5`;
    return [
      encoding('memory', `${stem}_asisdlso_R${elements}`, `0 Q:1 00110101 ${R} 00000 ${rest}`, {
        access: access(8 * elements),
      }),
      encoding('memory', `${stem}_asisdlsop_R${elements}_i`, `0 Q:1 00110111 ${R} 11111 ${rest}`, {
        access: access(8 * elements),
      }),
      encoding('memory', `${stem}_asisdlsop_RX${elements}_r`, `0 Q:1 00110111 ${R} Rm:5 ${rest}`, {
        legal: movesByRegister,
        access: access(8 * elements),
      }),
    ];
  });
}

export const STRUCTURES: readonly Encoding[] = [
  ...multiple(0),
  ...multiple(1),
  ...single(0),
  ...single(1),
  ...replicate(),
];
