// Advanced SIMD on integers, in the order of the Arm ARM's encoding index.

import { type Encoding, type Fields, encoding } from '../pattern.ts';

const legalSizes =
  (sizes: readonly number[], scalar = false) =>
  (f: Fields): boolean =>
    sizes.includes(f('size')) && (scalar || f('size') < 3 || f('Q') === 1);

const ANY = [0, 1, 2, 3];
const SMALL = [0, 1, 2];

function tables(): Encoding[] {
  return ['TBL', 'TBX'].flatMap((name, op) =>
    [0, 1, 2, 3].map((len) =>
      encoding(
        'data',
        `${name}_asimdtbl_L${len + 1}_${len + 1}`,
        `0 Q:1 001110000 Rm:5 0 ${len.toString(2).padStart(2, '0')} ${op} 00 Rn:5 Rd:5`,
      ),
    ),
  );
}

function permutes(): Encoding[] {
  const names = [
    ['UZP1', '001'],
    ['TRN1', '010'],
    ['ZIP1', '011'],
    ['UZP2', '101'],
    ['TRN2', '110'],
    ['ZIP2', '111'],
  ] as const;
  return [
    ...names.map(([name, opcode]) =>
      encoding('data', `${name}_asimdperm_only`, `0 Q:1 001110 size:2 0 Rm:5 0 ${opcode} 10 Rn:5 Rd:5`, {
        legal: legalSizes(ANY),
      }),
    ),
    encoding('data', 'EXT_asimdext_only', '0 Q:1 101110000 Rm:5 0 imm4:4 0 Rn:5 Rd:5', {
      legal: (f) => f('Q') === 1 || f('imm4') < 8,
    }),
  ];
}

/** The size that the lowest bit of imm5 names; 4 for none. */
const sizeOfImm5 = (f: Fields): number => {
  const at = [1, 2, 4, 8].findIndex((bit) => (f('imm5') & bit) !== 0);
  return at < 0 ? 4 : at;
};

function copies(): Encoding[] {
  const arranged = (f: Fields): boolean => sizeOfImm5(f) < 3 || (sizeOfImm5(f) === 3 && f('Q') === 1);
  const some = (f: Fields): boolean => sizeOfImm5(f) < 4;
  return [
    encoding('data', 'DUP_asisdone_only', '01 0 11110000 imm5:5 0 0000 1 Rn:5 Rd:5', { legal: some }),
    encoding('data', 'DUP_asimdins_DV_v', '0 Q:1 0 01110000 imm5:5 0 0000 1 Rn:5 Rd:5', { legal: arranged }),
    encoding('data', 'DUP_asimdins_DR_r', '0 Q:1 0 01110000 imm5:5 0 0001 1 Rn:5 Rd:5', { legal: arranged }),
    encoding('data', 'SMOV_asimdins_W_w', '0 0 0 01110000 imm5:5 0 0101 1 Rn:5 Rd:5', {
      legal: (f) => sizeOfImm5(f) < 2,
    }),
    encoding('data', 'SMOV_asimdins_X_x', '0 1 0 01110000 imm5:5 0 0101 1 Rn:5 Rd:5', {
      legal: (f) => sizeOfImm5(f) < 3,
    }),
    encoding('data', 'UMOV_asimdins_W_w', '0 0 0 01110000 imm5:5 0 0111 1 Rn:5 Rd:5', {
      legal: (f) => sizeOfImm5(f) < 3,
    }),
    encoding('data', 'UMOV_asimdins_X_x', '0 1 0 01110000 imm5:x1000 0 0111 1 Rn:5 Rd:5'),
    encoding('data', 'INS_asimdins_IR_r', '0 1 0 01110000 imm5:5 0 0011 1 Rn:5 Rd:5', { legal: some }),
    encoding('data', 'INS_asimdins_IV_v', '0 1 1 01110000 imm5:5 0 imm4:4 1 Rn:5 Rd:5', { legal: some }),
  ];
}

/** [opcode, name for U = 0, name for U = 1, sizes, sizes of the scalar form]. */
const THREE_SAME = [
  ['00000', 'SHADD', 'UHADD', SMALL, []],
  ['00001', 'SQADD', 'UQADD', ANY, ANY],
  ['00010', 'SRHADD', 'URHADD', SMALL, []],
  ['00100', 'SHSUB', 'UHSUB', SMALL, []],
  ['00101', 'SQSUB', 'UQSUB', ANY, ANY],
  ['00110', 'CMGT', 'CMHI', ANY, [3]],
  ['00111', 'CMGE', 'CMHS', ANY, [3]],
  ['01000', 'SSHL', 'USHL', ANY, [3]],
  ['01001', 'SQSHL', 'UQSHL', ANY, ANY],
  ['01010', 'SRSHL', 'URSHL', ANY, [3]],
  ['01011', 'SQRSHL', 'UQRSHL', ANY, ANY],
  ['01100', 'SMAX', 'UMAX', SMALL, []],
  ['01101', 'SMIN', 'UMIN', SMALL, []],
  ['01110', 'SABD', 'UABD', SMALL, []],
  ['01111', 'SABA', 'UABA', SMALL, []],
  ['10000', 'ADD', 'SUB', ANY, [3]],
  ['10001', 'CMTST', 'CMEQ', ANY, [3]],
  ['10010', 'MLA', 'MLS', SMALL, []],
  ['10011', 'MUL', undefined, SMALL, []],
  ['10011', undefined, 'PMUL', [0], []],
  ['10100', 'SMAXP', 'UMAXP', SMALL, []],
  ['10101', 'SMINP', 'UMINP', SMALL, []],
  ['10110', 'SQDMULH', 'SQRDMULH', [1, 2], [1, 2]],
  ['10111', 'ADDP', undefined, ANY, []],
] as const;

function threeSame(): Encoding[] {
  const logical = [
    ['AND', 0, '00'],
    ['BIC', 0, '01'],
    ['ORR', 0, '10'],
    ['ORN', 0, '11'],
    ['EOR', 1, '00'],
    ['BSL', 1, '01'],
    ['BIT', 1, '10'],
    ['BIF', 1, '11'],
  ] as const;
  return [
    ...logical.map(([name, U, size]) =>
      encoding('data', `${name}_asimdsame_only`, `0 Q:1 ${U} 01110 ${size} 1 Rm:5 00011 1 Rn:5 Rd:5`),
    ),
    ...THREE_SAME.flatMap(([opcode, signed, unsigned, sizes, scalarSizes]) =>
      [signed, unsigned].flatMap((name, U) => {
        if (name === undefined) return [];
        const vector = encoding(
          'data',
          `${name}_asimdsame_only`,
          `0 Q:1 ${U} 01110 size:2 1 Rm:5 ${opcode} 1 Rn:5 Rd:5`,
          { legal: legalSizes(sizes) },
        );
        if (scalarSizes.length === 0) return [vector];
        const scalar = encoding('data', `${name}_asisdsame_only`, `01 ${U} 11110 size:2 1 Rm:5 ${opcode} 1 Rn:5 Rd:5`, {
          legal: legalSizes(scalarSizes, true),
        });
        return [vector, scalar];
      }),
    ),
  ];
}

/** [name, U, opcode, sizes, sizes of the scalar form, suffix]. */
const TWO_REGISTER = [
  ['REV64', 0, '00000', SMALL, [], 'R'],
  ['REV32', 1, '00000', [0, 1], [], 'R'],
  ['REV16', 0, '00001', [0], [], 'R'],
  ['SADDLP', 0, '00010', SMALL, [], 'P'],
  ['UADDLP', 1, '00010', SMALL, [], 'P'],
  ['SUQADD', 0, '00011', ANY, ANY, 'R'],
  ['USQADD', 1, '00011', ANY, ANY, 'R'],
  ['CLS', 0, '00100', SMALL, [], 'R'],
  ['CLZ', 1, '00100', SMALL, [], 'R'],
  ['CNT', 0, '00101', [0], [], 'R'],
  ['NOT', 1, '00101', [0], [], 'R'],
  ['RBIT', 1, '00101', [1], [], 'R'],
  ['SADALP', 0, '00110', SMALL, [], 'P'],
  ['UADALP', 1, '00110', SMALL, [], 'P'],
  ['SQABS', 0, '00111', ANY, ANY, 'R'],
  ['SQNEG', 1, '00111', ANY, ANY, 'R'],
  ['CMGT', 0, '01000', ANY, [3], 'Z'],
  ['CMGE', 1, '01000', ANY, [3], 'Z'],
  ['CMEQ', 0, '01001', ANY, [3], 'Z'],
  ['CMLE', 1, '01001', ANY, [3], 'Z'],
  ['CMLT', 0, '01010', ANY, [3], 'Z'],
  ['ABS', 0, '01011', ANY, [3], 'R'],
  ['NEG', 1, '01011', ANY, [3], 'R'],
  ['XTN', 0, '10010', SMALL, [], 'N'],
  ['SQXTUN', 1, '10010', SMALL, SMALL, 'N'],
  ['SHLL', 1, '10011', SMALL, [], 'S'],
  ['SQXTN', 0, '10100', SMALL, SMALL, 'N'],
  ['UQXTN', 1, '10100', SMALL, SMALL, 'N'],
] as const;

function twoRegister(): Encoding[] {
  return TWO_REGISTER.flatMap(([name, U, opcode, sizes, scalarSizes, suffix]) => {
    const vector = encoding(
      'data',
      `${name}_asimdmisc_${suffix}`,
      `0 Q:1 ${U} 01110 size:2 10000 ${opcode} 10 Rn:5 Rd:5`,
      { legal: legalSizes(sizes) },
    );
    if (scalarSizes.length === 0) return [vector];
    const scalar = encoding(
      'data',
      `${name}_asisdmisc_${suffix}`,
      `01 ${U} 11110 size:2 10000 ${opcode} 10 Rn:5 Rd:5`,
      { legal: legalSizes(scalarSizes, true) },
    );
    return [vector, scalar];
  });
}

function acrossLanes(): Encoding[] {
  const names = [
    ['SADDLV', 0, '00011'],
    ['UADDLV', 1, '00011'],
    ['SMAXV', 0, '01010'],
    ['UMAXV', 1, '01010'],
    ['SMINV', 0, '11010'],
    ['UMINV', 1, '11010'],
    ['ADDV', 0, '11011'],
  ] as const;
  return [
    ...names.map(([name, U, opcode]) =>
      encoding('data', `${name}_asimdall_only`, `0 Q:1 ${U} 01110 size:2 11000 ${opcode} 10 Rn:5 Rd:5`, {
        legal: (f) => f('size') < 2 || (f('size') === 2 && f('Q') === 1),
      }),
    ),
    encoding('data', 'ADDP_asisdpair_only', '01 0 11110 11 11000 11011 10 Rn:5 Rd:5'),
  ];
}

function modifiedImmediates(): Encoding[] {
  const rows = [
    ['MOVI_asimdimm_L_sl', 'Q:1', '0', '0xx0', '0'],
    ['ORR_asimdimm_L_sl', 'Q:1', '0', '0xx1', '0'],
    ['MOVI_asimdimm_L_hl', 'Q:1', '0', '10x0', '0'],
    ['ORR_asimdimm_L_hl', 'Q:1', '0', '10x1', '0'],
    ['MOVI_asimdimm_M_sm', 'Q:1', '0', '110x', '0'],
    ['MOVI_asimdimm_N_b', 'Q:1', '0', '1110', '0'],
    ['FMOV_asimdimm_S_s', 'Q:1', '0', '1111', '0'],
    ['FMOV_asimdimm_H_h', 'Q:1', '0', '1111', '1'],
    ['MVNI_asimdimm_L_sl', 'Q:1', '1', '0xx0', '0'],
    ['BIC_asimdimm_L_sl', 'Q:1', '1', '0xx1', '0'],
    ['MVNI_asimdimm_L_hl', 'Q:1', '1', '10x0', '0'],
    ['BIC_asimdimm_L_hl', 'Q:1', '1', '10x1', '0'],
    ['MVNI_asimdimm_M_sm', 'Q:1', '1', '110x', '0'],
    ['MOVI_asimdimm_D_ds', '0', '1', '1110', '0'],
    ['MOVI_asimdimm_D2_d', '1', '1', '1110', '0'],
    ['FMOV_asimdimm_D2_d', '1', '1', '1111', '0'],
  ] as const;
  return rows.map(([name, Q, op, cmode, o2]) =>
    encoding(
      'data',
      name,
      `0 ${Q} ${op} 0111100000 abc:3 ${/x/.test(cmode) ? `cmode:${cmode}` : cmode} ${o2} 1 defgh:5 Rd:5`,
      name.endsWith('H_h') ? { feature: 'FEAT_FP16' } : {},
    ),
  );
}

/** The size that the highest bit of immh names; -1 for none. */
const sizeOfImmh = (f: Fields): number => 31 - Math.clz32(f('immhb') >> 3);

/** [opcode, names, sizes of the scalar form]. */
const SHIFTS = [
  ['00000', 'SSHR', 'USHR', [3]],
  ['00010', 'SSRA', 'USRA', [3]],
  ['00100', 'SRSHR', 'URSHR', [3]],
  ['00110', 'SRSRA', 'URSRA', [3]],
  ['01000', undefined, 'SRI', [3]],
  ['01010', 'SHL', 'SLI', [3]],
  ['01100', undefined, 'SQSHLU', ANY],
  ['01110', 'SQSHL', 'UQSHL', ANY],
] as const;

const NARROW_SHIFTS = [
  ['10000', 'SHRN', 'SQSHRUN'],
  ['10001', 'RSHRN', 'SQRSHRUN'],
  ['10010', 'SQSHRN', 'UQSHRN'],
  ['10011', 'SQRSHRN', 'UQRSHRN'],
] as const;

function shifts(): Encoding[] {
  const arranged = (f: Fields): boolean => sizeOfImmh(f) >= 0 && (sizeOfImmh(f) < 3 || f('Q') === 1);
  const narrow = (f: Fields): boolean => sizeOfImmh(f) >= 0 && sizeOfImmh(f) < 3;
  return [
    ...SHIFTS.flatMap(([opcode, signed, unsigned, scalarSizes]) =>
      [signed, unsigned].flatMap((name, U) =>
        name === undefined
          ? []
          : [
              encoding('data', `${name}_asimdshf_R`, `0 Q:1 ${U} 011110 immhb:7 ${opcode} 1 Rn:5 Rd:5`, {
                legal: arranged,
              }),
              encoding('data', `${name}_asisdshf_R`, `01 ${U} 111110 immhb:7 ${opcode} 1 Rn:5 Rd:5`, {
                legal: (f) => (scalarSizes as readonly number[]).includes(sizeOfImmh(f)),
              }),
            ],
      ),
    ),
    ...NARROW_SHIFTS.flatMap(([opcode, signed, unsigned]) =>
      [signed, unsigned].flatMap((name, U) => [
        encoding('data', `${name}_asimdshf_N`, `0 Q:1 ${U} 011110 immhb:7 ${opcode} 1 Rn:5 Rd:5`, { legal: narrow }),
        ...(name === 'SHRN' || name === 'RSHRN'
          ? []
          : [
              encoding('data', `${name}_asisdshf_N`, `01 ${U} 111110 immhb:7 ${opcode} 1 Rn:5 Rd:5`, { legal: narrow }),
            ]),
      ]),
    ),
    ...['SSHLL', 'USHLL'].map((name, U) =>
      encoding('data', `${name}_asimdshf_L`, `0 Q:1 ${U} 011110 immhb:7 10100 1 Rn:5 Rd:5`, { legal: narrow }),
    ),
  ];
}

export const SIMD: readonly Encoding[] = [
  ...tables(),
  ...permutes(),
  ...copies(),
  ...threeSame(),
  ...twoRegister(),
  ...acrossLanes(),
  ...modifiedImmediates(),
  ...shifts(),
];
