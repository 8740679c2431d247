// Scalar floating point, in the order of the Arm ARM's encoding index.

import { type Encoding, type Options, encoding } from '../pattern.ts';

/** The formats: their letter in encoding names, ftype, width. */
const FORMATS = [
  ['H', '11', 16],
  ['S', '00', 32],
  ['D', '01', 64],
] as const;
type Format = (typeof FORMATS)[number];

const optionsOf = ([letter, , bits]: Format): Options => ({
  floats: bits,
  ...(letter === 'H' ? { feature: 'FEAT_FP16' } : {}),
});

function forFormats(make: (letter: string, ftype: string, format: Format) => readonly [string, string]): Encoding[] {
  return FORMATS.map((format) => {
    const [name, pattern] = make(format[0], format[1], format);
    return encoding('data', name, pattern, optionsOf(format));
  });
}

const INTEGERS = [
  ['32', '0'],
  ['64', '1'],
] as const;

function conversions(): Encoding[] {
  const to = [
    ['FCVTNS', '00', '000'],
    ['FCVTNU', '00', '001'],
    ['FCVTAS', '00', '100'],
    ['FCVTAU', '00', '101'],
    ['FCVTPS', '01', '000'],
    ['FCVTPU', '01', '001'],
    ['FCVTMS', '10', '000'],
    ['FCVTMU', '10', '001'],
    ['FCVTZS', '11', '000'],
    ['FCVTZU', '11', '001'],
  ] as const;
  const from = [
    ['SCVTF', '00', '010'],
    ['UCVTF', '00', '011'],
  ] as const;
  return INTEGERS.flatMap(([width, sf]) => [
    ...to.flatMap(([name, rmode, opcode]) =>
      forFormats((letter, ftype) => [
        `${name}_${width}${letter}_float2int`,
        `${sf} 0 0 11110 ${ftype} 1 ${rmode} ${opcode} 000000 Rn:5 Rd:5`,
      ]),
    ),
    ...from.flatMap(([name, rmode, opcode]) =>
      forFormats((letter, ftype) => [
        `${name}_${letter}${width}_float2int`,
        `${sf} 0 0 11110 ${ftype} 1 ${rmode} ${opcode} 000000 Rn:5 Rd:5`,
      ]),
    ),
    ...from.flatMap(([name, rmode, opcode]) =>
      forFormats((letter, ftype) => [
        `${name}_${letter}${width}_float2fix`,
        `${sf} 0 0 11110 ${ftype} 0 ${rmode} ${opcode} scale:${sf === '1' ? '6' : '1xxxxx'} Rn:5 Rd:5`,
      ]),
    ),
    ...to
      .filter(([name]) => name.startsWith('FCVTZ'))
      .flatMap(([name, rmode, opcode]) =>
        forFormats((letter, ftype) => [
          `${name}_${width}${letter}_float2fix`,
          `${sf} 0 0 11110 ${ftype} 0 ${rmode} ${opcode} scale:${sf === '1' ? '6' : '1xxxxx'} Rn:5 Rd:5`,
        ]),
      ),
  ]);
}

function moves(): Encoding[] {
  const rows = [
    ['FMOV_32H_float2int', '0 0 0 11110 11 1 00 110', 16],
    ['FMOV_64H_float2int', '1 0 0 11110 11 1 00 110', 16],
    ['FMOV_H32_float2int', '0 0 0 11110 11 1 00 111', 16],
    ['FMOV_H64_float2int', '1 0 0 11110 11 1 00 111', 16],
    ['FMOV_32S_float2int', '0 0 0 11110 00 1 00 110', 32],
    ['FMOV_S32_float2int', '0 0 0 11110 00 1 00 111', 32],
    ['FMOV_64D_float2int', '1 0 0 11110 01 1 00 110', 64],
    ['FMOV_D64_float2int', '1 0 0 11110 01 1 00 111', 64],
    ['FMOV_64VX_float2int', '1 0 0 11110 10 1 01 110', 64],
    ['FMOV_V64I_float2int', '1 0 0 11110 10 1 01 111', 64],
  ] as const;
  return rows.map(([name, head, floats]) =>
    encoding('data', name, `${head} 000000 Rn:5 Rd:5`, {
      floats,
      ...(floats === 16 ? { feature: 'FEAT_FP16' } : {}),
    }),
  );
}

function oneSource(): Encoding[] {
  const operations = [
    ['FMOV', '000000'],
    ['FABS', '000001'],
    ['FNEG', '000010'],
    ['FSQRT', '000011'],
    ['FRINTN', '001000'],
    ['FRINTP', '001001'],
    ['FRINTM', '001010'],
    ['FRINTZ', '001011'],
    ['FRINTA', '001100'],
    ['FRINTX', '001110'],
    ['FRINTI', '001111'],
  ] as const;
  const plain = operations.flatMap(([name, opcode]) =>
    forFormats((letter, ftype) => [`${name}_${letter}_floatdp1`, `0 0 0 11110 ${ftype} 1 ${opcode} 10000 Rn:5 Rd:5`]),
  );
  const between = FORMATS.flatMap(([to, opc]) =>
    FORMATS.filter(([from]) => from !== to).map(([from, ftype, floats]) =>
      encoding('data', `FCVT_${to}${from}_floatdp1`, `0 0 0 11110 ${ftype} 1 0001 ${opc} 10000 Rn:5 Rd:5`, { floats }),
    ),
  );
  return [...plain, ...between];
}

function compares(): Encoding[] {
  return (
    [
      ['FCMP', '0'],
      ['FCMPE', '1'],
    ] as const
  ).flatMap(([name, op]) => [
    ...forFormats((letter, ftype) => [
      `${name}_${letter}_floatcmp`,
      `0 0 0 11110 ${ftype} 1 Rm:5 00 1000 Rn:5 ${op} 0 000`,
    ]),
    ...forFormats((letter, ftype) => [
      `${name}_${letter}Z_floatcmp`,
      `0 0 0 11110 ${ftype} 1 00000 00 1000 Rn:5 ${op} 1 000`,
    ]),
    ...forFormats((letter, ftype) => [
      `FC${name.slice(1)}_${letter}_floatccmp`,
      `0 0 0 11110 ${ftype} 1 Rm:5 cond:4 01 Rn:5 ${op} nzcv:4`,
    ]),
  ]);
}

function twoSource(): Encoding[] {
  const operations = [
    ['FMUL', '0000'],
    ['FDIV', '0001'],
    ['FADD', '0010'],
    ['FSUB', '0011'],
    ['FMAX', '0100'],
    ['FMIN', '0101'],
    ['FMAXNM', '0110'],
    ['FMINNM', '0111'],
    ['FNMUL', '1000'],
  ] as const;
  return operations.flatMap(([name, opcode]) =>
    forFormats((letter, ftype) => [`${name}_${letter}_floatdp2`, `0 0 0 11110 ${ftype} 1 Rm:5 ${opcode} 10 Rn:5 Rd:5`]),
  );
}

function threeSource(): Encoding[] {
  const operations = [
    ['FMADD', '0', '0'],
    ['FMSUB', '0', '1'],
    ['FNMADD', '1', '0'],
    ['FNMSUB', '1', '1'],
  ] as const;
  return operations.flatMap(([name, o1, o0]) =>
    forFormats((letter, ftype) => [
      `${name}_${letter}_floatdp3`,
      `0 0 0 11111 ${ftype} ${o1} Rm:5 ${o0} Ra:5 Rn:5 Rd:5`,
    ]),
  );
}

export const FLOAT: readonly Encoding[] = [
  ...conversions(),
  ...moves(),
  ...oneSource(),
  ...compares(),
  ...forFormats((letter, ftype) => [`FMOV_${letter}_floatimm`, `0 0 0 11110 ${ftype} 1 imm8:8 100 00000 Rd:5`]),
  ...twoSource(),
  ...forFormats((letter, ftype) => [`FCSEL_${letter}_floatsel`, `0 0 0 11110 ${ftype} 1 Rm:5 cond:4 11 Rn:5 Rd:5`]),
  ...threeSource(),
];
