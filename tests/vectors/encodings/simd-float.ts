// Advanced SIMD on numbers, in the order of the Arm ARM's encoding index. Names that several formats share have a variant for each.

import { type Encoding, type Erratum, type Fields, type Options, encoding } from '../pattern.ts';

const FP16 = { feature: 'FEAT_FP16' } as const;

/** The forms of one name: half precision has a name of its own, single and double precision share one. */
interface Forms {
  readonly half: readonly [name: string, pattern: string];
  /** With SZ where the pattern has the field. */
  readonly others: readonly [name: string, pattern: string];
  /** A vector, of which there is none of one double. */
  readonly isVector: boolean;
}

function forFormats({ half, others, isVector }: Forms): Encoding[] {
  const wide = (sz: string, Q: string) => others[1].replace('SZ', sz).replace('Q:1', Q);
  return [
    encoding('data', half[0], half[1], { ...FP16, floats: 16 }),
    encoding('data', `${others[0]}(single)`, wide('0', 'Q:1'), { floats: 32 }),
    encoding('data', `${others[0]}(double)`, wide('1', isVector ? '1' : 'Q:1'), { floats: 64 }),
  ];
}

/** [name, U, a, opcode, whether there is a scalar form]. */
const THREE_SAME = [
  ['FMAXNM', 0, 0, '000', false],
  ['FMLA', 0, 0, '001', false],
  ['FADD', 0, 0, '010', false],
  ['FMULX', 0, 0, '011', true],
  ['FCMEQ', 0, 0, '100', true],
  ['FMAX', 0, 0, '110', false],
  ['FRECPS', 0, 0, '111', true],
  ['FMINNM', 0, 1, '000', false],
  ['FMLS', 0, 1, '001', false],
  ['FSUB', 0, 1, '010', false],
  ['FMIN', 0, 1, '110', false],
  ['FRSQRTS', 0, 1, '111', true],
  ['FMAXNMP', 1, 0, '000', false],
  ['FADDP', 1, 0, '010', false],
  ['FMUL', 1, 0, '011', false],
  ['FCMGE', 1, 0, '100', true],
  ['FACGE', 1, 0, '101', true],
  ['FMAXP', 1, 0, '110', false],
  ['FDIV', 1, 0, '111', false],
  ['FMINNMP', 1, 1, '000', false],
  ['FABD', 1, 1, '010', true],
  ['FCMGT', 1, 1, '100', true],
  ['FACGT', 1, 1, '101', true],
  ['FMINP', 1, 1, '110', false],
] as const;

function threeSame(): Encoding[] {
  return THREE_SAME.flatMap(([name, U, a, opcode, hasScalar]) => {
    const half = `11110 ${a} 10 Rm:5 00${opcode} 1 Rn:5 Rd:5`;
    const others = `11110 ${a} SZ 1 Rm:5 11${opcode} 1 Rn:5 Rd:5`;
    const vector = forFormats({
      half: [`${name}_asimdsamefp16_only`, `0 Q:1 ${U} 0${half.slice(1)}`],
      others: [`${name}_asimdsame_only`, `0 Q:1 ${U} 0${others.slice(1)}`],
      isVector: true,
    });
    if (!hasScalar) return vector;
    const scalar = forFormats({
      half: [`${name}_asisdsamefp16_only`, `01 ${U} ${half}`],
      others: [`${name}_asisdsame_only`, `01 ${U} ${others}`],
      isVector: false,
    });
    return [...vector, ...scalar];
  });
}

/** [name, U, a, opcode, suffix, whether there is a vector form, and a scalar one]. */
const TWO_REGISTER = [
  ['FRINTN', 0, 0, '11000', 'R', true, false],
  ['FRINTM', 0, 0, '11001', 'R', true, false],
  ['FCVTNS', 0, 0, '11010', 'R', true, true],
  ['FCVTMS', 0, 0, '11011', 'R', true, true],
  ['FCVTAS', 0, 0, '11100', 'R', true, true],
  ['SCVTF', 0, 0, '11101', 'R', true, true],
  ['FCMGT', 0, 1, '01100', 'FZ', true, true],
  ['FCMEQ', 0, 1, '01101', 'FZ', true, true],
  ['FCMLT', 0, 1, '01110', 'FZ', true, true],
  ['FABS', 0, 1, '01111', 'R', true, false],
  ['FRINTP', 0, 1, '11000', 'R', true, false],
  ['FRINTZ', 0, 1, '11001', 'R', true, false],
  ['FCVTPS', 0, 1, '11010', 'R', true, true],
  ['FCVTZS', 0, 1, '11011', 'R', true, true],
  ['FRECPE', 0, 1, '11101', 'R', true, true],
  ['FRECPX', 0, 1, '11111', 'R', false, true],
  ['FRINTA', 1, 0, '11000', 'R', true, false],
  ['FRINTX', 1, 0, '11001', 'R', true, false],
  ['FCVTNU', 1, 0, '11010', 'R', true, true],
  ['FCVTMU', 1, 0, '11011', 'R', true, true],
  ['FCVTAU', 1, 0, '11100', 'R', true, true],
  ['UCVTF', 1, 0, '11101', 'R', true, true],
  ['FCMGE', 1, 1, '01100', 'FZ', true, true],
  ['FCMLE', 1, 1, '01101', 'FZ', true, true],
  ['FNEG', 1, 1, '01111', 'R', true, false],
  ['FRINTI', 1, 1, '11001', 'R', true, false],
  ['FCVTPU', 1, 1, '11010', 'R', true, true],
  ['FCVTZU', 1, 1, '11011', 'R', true, true],
  ['FRSQRTE', 1, 1, '11101', 'R', true, true],
  ['FSQRT', 1, 1, '11111', 'R', true, false],
] as const;

function twoRegister(): Encoding[] {
  return TWO_REGISTER.flatMap(([name, U, a, opcode, suffix, hasVector, hasScalar]) => {
    const half = `11110 ${a} 1 11100 ${opcode} 10 Rn:5 Rd:5`;
    const others = `11110 ${a} SZ 10000 ${opcode} 10 Rn:5 Rd:5`;
    const vector = forFormats({
      half: [`${name}_asimdmiscfp16_${suffix}`, `0 Q:1 ${U} 0${half.slice(1)}`],
      others: [`${name}_asimdmisc_${suffix}`, `0 Q:1 ${U} 0${others.slice(1)}`],
      isVector: true,
    });
    const scalar = forFormats({
      half: [`${name}_asisdmiscfp16_${suffix}`, `01 ${U} ${half}`],
      others: [`${name}_asisdmisc_${suffix}`, `01 ${U} ${others}`],
      isVector: false,
    });
    return [...(hasVector ? vector : []), ...(hasScalar ? scalar : [])];
  });
}

/** Between two formats: operands are of the one that is read. */
function widths(): Encoding[] {
  return [
    encoding('data', 'FCVTN_asimdmisc_N(half)', '0 Q:1 0 01110 0 0 10000 10110 10 Rn:5 Rd:5', { floats: 32 }),
    encoding('data', 'FCVTN_asimdmisc_N(single)', '0 Q:1 0 01110 0 1 10000 10110 10 Rn:5 Rd:5', { floats: 64 }),
    encoding('data', 'FCVTXN_asimdmisc_N', '0 Q:1 1 01110 0 1 10000 10110 10 Rn:5 Rd:5', { floats: 64 }),
    encoding('data', 'FCVTXN_asisdmisc_N', '01 1 11110 0 1 10000 10110 10 Rn:5 Rd:5', { floats: 64 }),
    encoding('data', 'FCVTL_asimdmisc_L(single)', '0 Q:1 0 01110 0 0 10000 10111 10 Rn:5 Rd:5', { floats: 16 }),
    encoding('data', 'FCVTL_asimdmisc_L(double)', '0 Q:1 0 01110 0 1 10000 10111 10 Rn:5 Rd:5', { floats: 32 }),
    encoding('data', 'URECPE_asimdmisc_R', '0 Q:1 0 01110 1 0 10000 11100 10 Rn:5 Rd:5'),
    encoding('data', 'URSQRTE_asimdmisc_R', '0 Q:1 1 01110 1 0 10000 11100 10 Rn:5 Rd:5'),
  ];
}

function reductions(): Encoding[] {
  const rows = [
    ['FMAXNM', 0, '01100'],
    ['FMINNM', 1, '01100'],
    ['FMAX', 0, '01111'],
    ['FMIN', 1, '01111'],
    ['FADD', 0, '01101'],
  ] as const;
  return rows.flatMap(([name, a, opcode]) => [
    ...(name === 'FADD'
      ? []
      : [
          encoding('data', `${name}V_asimdall_only_H`, `0 Q:1 0 01110 ${a} 0 11000 ${opcode} 10 Rn:5 Rd:5`, {
            ...FP16,
            floats: 16,
          }),
          encoding('data', `${name}V_asimdall_only_SD`, `0 1 1 01110 ${a} 0 11000 ${opcode} 10 Rn:5 Rd:5`, {
            floats: 32,
          }),
        ]),
    ...forFormats({
      half: [`${name}P_asisdpair_only_H`, `01 0 11110 ${a} 0 11000 ${opcode} 10 Rn:5 Rd:5`],
      others: [`${name}P_asisdpair_only_SD`, `01 1 11110 ${a} SZ 11000 ${opcode} 10 Rn:5 Rd:5`],
      isVector: false,
    }),
  ]);
}

/** QEMU 7.2 extends the sign of the 16-bit result over 32 bits of V[d]. The Arm ARM clears all bits above a scalar result. */
const SIGN_EXTENDED: Erratum = {
  reason: 'qemu-aarch64 7.2 leaves the sign of a halfword in bits 31 to 16 of V[d], which the manual clears',
  correct: (f, state) => {
    state.v.fill(0, 16 * f('Rd') + 2, 16 * f('Rd') + 16);
  },
};

/** immh of the formats. */
const FIXED_POINT = [
  ['half', '001xxxx', 16],
  ['single', '01xxxxx', 32],
  ['double', '1xxxxxx', 64],
] as const;

function fixedPoint(): Encoding[] {
  const rows = [
    ['SCVTF', 0, '11100'],
    ['UCVTF', 1, '11100'],
    ['FCVTZS', 0, '11111'],
    ['FCVTZU', 1, '11111'],
  ] as const;
  return rows.flatMap(([name, U, opcode]) =>
    FIXED_POINT.flatMap(([format, immh, floats]) => {
      const options: Options = { floats, ...(floats === 16 ? FP16 : {}) };
      const tail = `immhb:${immh} ${opcode} 1 Rn:5 Rd:5`;
      const Q = floats === 64 ? '1' : 'Q:1';
      return [
        encoding('data', `${name}_asimdshf_C(${format})`, `0 ${Q} ${U} 011110 ${tail}`, options),
        encoding('data', `${name}_asisdshf_C(${format})`, `01 ${U} 111110 ${tail}`, {
          ...options,
          ...(name === 'FCVTZS' && floats === 16 ? { erratum: SIGN_EXTENDED } : {}),
        }),
      ];
    }),
  );
}

function byElement(): Encoding[] {
  const rows = [
    ['FMLA', 0, '0001'],
    ['FMLS', 0, '0101'],
    ['FMUL', 0, '1001'],
    ['FMULX', 1, '1001'],
  ] as const;
  return rows.flatMap(([name, U, opcode]) => {
    const tail = `Rm:5 ${opcode} H:1 0 Rn:5 Rd:5`;
    return [
      ['asimdelem', `0 Q:1 ${U} 01111`, `0 1 ${U} 01111`] as const,
      ['asisdelem', `01 ${U} 11111`, `01 ${U} 11111`] as const,
    ].flatMap(([kind, head, ofDoubles]) => [
      encoding('data', `${name}_${kind}_RH_H`, `${head} 00 L:1 ${tail}`, { ...FP16, floats: 16 }),
      encoding('data', `${name}_${kind}_R_SD(single)`, `${head} 1 0 L:1 ${tail}`, { floats: 32 }),
      encoding('data', `${name}_${kind}_R_SD(double)`, `${ofDoubles} 1 1 0 ${tail}`, { floats: 64 }),
    ]);
  });
}

/** FEAT_FHM: the factors are halves, the addends singles. Each format is drawn for one of the two arrangements. */
function halfProducts(): Encoding[] {
  const rows = [
    ['FMLAL', 0, 0, '11101', '0000'],
    ['FMLSL', 0, 1, '11101', '0100'],
    ['FMLAL2', 1, 0, '11001', '1000'],
    ['FMLSL2', 1, 1, '11001', '1100'],
  ] as const;
  const arrangements = [
    ['2s', 0, 32],
    ['4s', 1, 16],
  ] as const;
  return rows.flatMap(([name, U, S, opcode, elementOpcode]) =>
    arrangements.flatMap(([arrangement, Q, floats]) => {
      const options: Options = { feature: 'FEAT_FHM', floats };
      const vector = `0 ${Q} ${U} 01110 ${S} 0 1 Rm:5 ${opcode} 1 Rn:5 Rd:5`;
      const element = `0 ${Q} ${U} 01111 10 L:1 Rm:5 ${elementOpcode} H:1 0 Rn:5 Rd:5`;
      return [
        encoding('data', `${name}_asimdsame_F(${arrangement})`, vector, options),
        encoding('data', `${name}_asimdelem_LH(${arrangement})`, element, options),
      ];
    }),
  );
}

const COMPLEX = [
  ['half', '01', 16],
  ['single', '10', 32],
  ['double', '11', 64],
] as const;

function complexNumbers(): Encoding[] {
  const feature = 'FEAT_FCMA';
  return [
    ...COMPLEX.flatMap(([format, size, floats]) => {
      const Q = floats === 64 ? '1' : 'Q:1';
      return [
        ...['0', '1'].map((rot) =>
          encoding(
            'data',
            `FCADD_asimdsame2_C(${format}, ${rot === '0' ? 90 : 270})`,
            `0 ${Q} 1 01110 ${size} 0 Rm:5 111 ${rot} 01 Rn:5 Rd:5`,
            { feature, floats },
          ),
        ),
        encoding('data', `FCMLA_asimdsame2_C(${format})`, `0 ${Q} 1 01110 ${size} 0 Rm:5 110 rot:2 1 Rn:5 Rd:5`, {
          feature,
          floats,
        }),
      ];
    }),
    encoding('data', 'FCMLA_asimdelem_C_H', '0 Q:1 1 01111 01 L:1 Rm:5 0 rot:2 1 H:1 0 Rn:5 Rd:5', {
      feature,
      floats: 16,
      legal: (f: Fields) => f('Q') === 1 || f('H') === 0,
    }),
    encoding('data', 'FCMLA_asimdelem_C_S', '0 1 1 01111 10 0 Rm:5 0 rot:2 1 H:1 0 Rn:5 Rd:5', { feature, floats: 32 }),
  ];
}

export const SIMD_FLOAT: readonly Encoding[] = [
  ...threeSame(),
  ...twoRegister(),
  ...widths(),
  ...reductions(),
  ...fixedPoint(),
  ...byElement(),
  ...halfProducts(),
  ...complexNumbers(),
];
