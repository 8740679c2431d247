// CRC32 and CRC32C: Arm DDI 0487, C4.1 "Data-processing (2 source)".

import { row, type Row } from './encoding.ts';
import { W, X } from './syntax/registers.ts';

const sizes = [
  { letter: 'B', sf: '0', sz: '00', bytes: 1 },
  { letter: 'H', sf: '0', sz: '01', bytes: 2 },
  { letter: 'W', sf: '0', sz: '10', bytes: 4 },
  { letter: 'X', sf: '1', sz: '11', bytes: 8 },
] as const;

const polynomials = [
  { mnemonic: 'CRC32', C: '0', castagnoli: false },
  { mnemonic: 'CRC32C', C: '1', castagnoli: true },
] as const;

export const crc32: readonly Row[] = polynomials.flatMap(({ mnemonic, C, castagnoli }) =>
  sizes.map(({ letter, sf, sz, bytes }) =>
    row({
      name: `${mnemonic}${letter}`,
      pattern: `${sf} 0 0 11010110 Rm 010 ${C} ${sz} Rn Rd`,
      encoding: `${mnemonic}${letter}_${bytes === 8 ? 64 : 32}C_dp_2src`,
      feature: 'FEAT_CRC32',
      meaning: (s, _k, f) => {
        const acc = s.readX(f.Rn, 32);
        const value = s.readX(f.Rm, bytes === 8 ? 64 : 32);
        s.writeX(f.Rd, s.crc32(acc, value, bytes, castagnoli));
      },
      syntax: [
        {
          mnemonic: `${mnemonic}${letter}`.toLowerCase(),
          operands: [W('Rd'), W('Rn'), bytes === 8 ? X('Rm') : W('Rm')],
        },
      ],
    }),
  ),
);
