// FEAT_PAuth outside the hint space, in the order of the Arm ARM's encoding index. Codes depend on keys that user mode cannot know: what can be
// run is what takes them away. The guest `pauth` has the others.

import { type Encoding, encoding } from '../pattern.ts';

const feature = 'FEAT_PAuth';
const decoded = { feature, executable: false } as const;
const KEYS = ['IA', 'IB', 'DA', 'DB'] as const;

const binary = (value: number): string => value.toString(2).padStart(6, '0');

const codes = ['PAC', 'AUT'].flatMap((verb, v) =>
  KEYS.flatMap((key, n) => [
    encoding('data', `${verb}${key}_64P_dp_1src`, `110110101100 0001 ${binary(4 * v + n)} Rn:5 Rd:5`, decoded),
    encoding(
      'data',
      `${verb}${key.charAt(0)}Z${key.charAt(1)}_64Z_dp_1src`,
      `110110101100 0001 ${binary(8 + 4 * v + n)} 11111 Rd:5`,
      decoded,
    ),
  ]),
);

const branches = (['A', 'B'] as const).flatMap((key, M) => [
  encoding('branch', `BRA${key}Z_64_branch_reg`, `1101011 0 0 00 11111 0000 1 ${M} Rn:5 11111`, decoded),
  encoding('branch', `BRA${key}_64P_branch_reg`, `1101011 1 0 00 11111 0000 1 ${M} Rn:5 Rm:5`, decoded),
  encoding('branch', `BLRA${key}Z_64_branch_reg`, `1101011 0 0 01 11111 0000 1 ${M} Rn:5 11111`, decoded),
  encoding('branch', `BLRA${key}_64P_branch_reg`, `1101011 1 0 01 11111 0000 1 ${M} Rn:5 Rm:5`, decoded),
  encoding('branch', `RETA${key}_64E_branch_reg`, `1101011 0 0 10 11111 0000 1 ${M} 11111 11111`, decoded),
  encoding('branch', `ERETA${key}_64E_branch_reg`, `1101011 0 1 00 11111 0000 1 ${M} 11111 11111`, decoded),
]);

export const AUTHENTICATED_LOADS: readonly Encoding[] = (['A', 'B'] as const).flatMap((key, M) =>
  [0, 1].map((W) =>
    encoding('memory', `LDRA${key}_64${W ? 'W' : ''}_ldst_pac`, `11 111 0 00 ${M} S:1 1 imm9:9 ${W} 1 Rn:5 Rt:5`, {
      ...decoded,
      legal: (f) => W === 0 || f('Rn') === 31 || f('Rn') !== f('Rt'),
    }),
  ),
);

export const POINTER_AUTHENTICATION: readonly Encoding[] = [
  encoding('data', 'PACGA_64C_dp_2src', '1 0 0 11010110 Rm:5 001100 Rn:5 Rd:5', decoded),
  ...codes,
  ...['XPACI', 'XPACD'].map((name, n) =>
    encoding('data', `${name}_64Z_dp_1src`, `110110101100 0001 ${binary(16 + n)} 11111 Rd:5`, { feature }),
  ),
  ...branches,
  ...AUTHENTICATED_LOADS,
];
