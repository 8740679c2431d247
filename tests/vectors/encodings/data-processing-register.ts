// Data Processing -- Register, in the order of the Arm ARM's encoding index.

import { type Encoding, type Fields, encoding } from '../pattern.ts';

const ADD_SUB = [
  ['ADD', '00'],
  ['ADDS', '01'],
  ['SUB', '10'],
  ['SUBS', '11'],
] as const;

function twoSource(): Encoding[] {
  const operations = [
    ['UDIV', '000010'],
    ['SDIV', '000011'],
    ['LSLV', '001000'],
    ['LSRV', '001001'],
    ['ASRV', '001010'],
    ['RORV', '001011'],
  ] as const;
  const plain = operations.flatMap(([name, opcode]) => [
    encoding('data', `${name}_32_dp_2src`, `0 0 0 11010110 Rm:5 ${opcode} Rn:5 Rd:5`),
    encoding('data', `${name}_64_dp_2src`, `1 0 0 11010110 Rm:5 ${opcode} Rn:5 Rd:5`),
  ]);
  const checksums = [
    ['CRC32B_32C', '0', '010000'],
    ['CRC32H_32C', '0', '010001'],
    ['CRC32W_32C', '0', '010010'],
    ['CRC32CB_32C', '0', '010100'],
    ['CRC32CH_32C', '0', '010101'],
    ['CRC32CW_32C', '0', '010110'],
    ['CRC32X_64C', '1', '010011'],
    ['CRC32CX_64C', '1', '010111'],
  ] as const;
  const crc = checksums.map(([name, sf, opcode]) =>
    encoding('data', `${name}_dp_2src`, `${sf} 0 0 11010110 Rm:5 ${opcode} Rn:5 Rd:5`, { feature: 'FEAT_CRC32' }),
  );
  return [...plain, ...crc];
}

function oneSource(): Encoding[] {
  const operations = [
    ['RBIT_32', '0', '000000'],
    ['REV16_32', '0', '000001'],
    ['REV_32', '0', '000010'],
    ['CLZ_32', '0', '000100'],
    ['CLS_32', '0', '000101'],
    ['RBIT_64', '1', '000000'],
    ['REV16_64', '1', '000001'],
    ['REV32_64', '1', '000010'],
    ['REV_64', '1', '000011'],
    ['CLZ_64', '1', '000100'],
    ['CLS_64', '1', '000101'],
  ] as const;
  return operations.map(([name, sf, opcode]) =>
    encoding('data', `${name}_dp_1src`, `${sf} 1 0 11010110 00000 ${opcode} Rn:5 Rd:5`),
  );
}

function logicalShifted(): Encoding[] {
  const operations = [
    ['AND', '00', '0'],
    ['BIC', '00', '1'],
    ['ORR', '01', '0'],
    ['ORN', '01', '1'],
    ['EOR', '10', '0'],
    ['EON', '10', '1'],
    ['ANDS', '11', '0'],
    ['BICS', '11', '1'],
  ] as const;
  return operations.flatMap(([name, opc, n]) => [
    encoding('data', `${name}_32_log_shift`, `0 ${opc} 01010 shift:2 ${n} Rm:5 imm6:0xxxxx Rn:5 Rd:5`),
    encoding('data', `${name}_64_log_shift`, `1 ${opc} 01010 shift:2 ${n} Rm:5 imm6:6 Rn:5 Rd:5`),
  ]);
}

function addSubShifted(): Encoding[] {
  const legal = (f: Fields) => f('shift') !== 3;
  return ADD_SUB.flatMap(([name, op]) => [
    encoding('data', `${name}_32_addsub_shift`, `0 ${op} 01011 shift:2 0 Rm:5 imm6:0xxxxx Rn:5 Rd:5`, { legal }),
    encoding('data', `${name}_64_addsub_shift`, `1 ${op} 01011 shift:2 0 Rm:5 imm6:6 Rn:5 Rd:5`, { legal }),
  ]);
}

function addSubExtended(): Encoding[] {
  const legal = (f: Fields) => f('imm3') <= 4;
  return ADD_SUB.flatMap(([name, op]) => {
    const s = name.endsWith('S') ? 'S' : '';
    return [
      encoding('data', `${name}_32${s}_addsub_ext`, `0 ${op} 01011 00 1 Rm:5 option:3 imm3:3 Rn:5 Rd:5`, { legal }),
      encoding('data', `${name}_64${s}_addsub_ext`, `1 ${op} 01011 00 1 Rm:5 option:3 imm3:3 Rn:5 Rd:5`, { legal }),
    ];
  });
}

function withCarry(): Encoding[] {
  const operations = [
    ['ADC', '00'],
    ['ADCS', '01'],
    ['SBC', '10'],
    ['SBCS', '11'],
  ] as const;
  return operations.flatMap(([name, op]) => [
    encoding('data', `${name}_32_addsub_carry`, `0 ${op} 11010000 Rm:5 000000 Rn:5 Rd:5`),
    encoding('data', `${name}_64_addsub_carry`, `1 ${op} 11010000 Rm:5 000000 Rn:5 Rd:5`),
  ]);
}

function flags(): Encoding[] {
  const feature = 'FEAT_FlagM';
  return [
    encoding('data', 'RMIF_only_rmif', '1 0 1 11010000 imm6:6 00001 Rn:5 0 mask:4', { feature }),
    encoding('data', 'SETF8_only_setf', '0 0 1 11010000 000000 0 0010 Rn:5 0 1101', { feature }),
    encoding('data', 'SETF16_only_setf', '0 0 1 11010000 000000 1 0010 Rn:5 0 1101', { feature }),
  ];
}

function conditional(): Encoding[] {
  const compares = [
    ['CCMN', '0'],
    ['CCMP', '1'],
  ] as const;
  const selects = [
    ['CSEL', '0', '00'],
    ['CSINC', '0', '01'],
    ['CSINV', '1', '00'],
    ['CSNEG', '1', '01'],
  ] as const;
  const widths = [
    ['32', '0'],
    ['64', '1'],
  ] as const;
  return widths.flatMap(([width, sf]) => [
    ...compares.map(([name, op]) =>
      encoding('data', `${name}_${width}_condcmp_reg`, `${sf} ${op} 1 11010010 Rm:5 cond:4 0 0 Rn:5 0 nzcv:4`),
    ),
    ...compares.map(([name, op]) =>
      encoding('data', `${name}_${width}_condcmp_imm`, `${sf} ${op} 1 11010010 imm5:5 cond:4 1 0 Rn:5 0 nzcv:4`),
    ),
    ...selects.map(([name, op, op2]) =>
      encoding('data', `${name}_${width}_condsel`, `${sf} ${op} 0 11010100 Rm:5 cond:4 ${op2} Rn:5 Rd:5`),
    ),
  ]);
}

function threeSource(): Encoding[] {
  const operations = [
    ['MADD_32A', '0', '000', '0'],
    ['MSUB_32A', '0', '000', '1'],
    ['MADD_64A', '1', '000', '0'],
    ['MSUB_64A', '1', '000', '1'],
    ['SMADDL_64WA', '1', '001', '0'],
    ['SMSUBL_64WA', '1', '001', '1'],
    ['UMADDL_64WA', '1', '101', '0'],
    ['UMSUBL_64WA', '1', '101', '1'],
  ] as const;
  return [
    ...operations.map(([name, sf, op31, o0]) =>
      encoding('data', `${name}_dp_3src`, `${sf} 00 11011 ${op31} Rm:5 ${o0} Ra:5 Rn:5 Rd:5`),
    ),
    // Ra is (1)(1)(1)(1)(1).
    encoding('data', 'SMULH_64_dp_3src', '1 00 11011 010 Rm:5 0 11111 Rn:5 Rd:5'),
    encoding('data', 'UMULH_64_dp_3src', '1 00 11011 110 Rm:5 0 11111 Rn:5 Rd:5'),
  ];
}

export const DATA_PROCESSING_REGISTER: readonly Encoding[] = [
  ...twoSource(),
  ...oneSource(),
  ...logicalShifted(),
  ...addSubShifted(),
  ...addSubExtended(),
  ...withCarry(),
  ...flags(),
  ...conditional(),
  ...threeSource(),
];
