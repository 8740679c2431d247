// Data Processing -- Immediate, in the order of the Arm ARM's encoding index.

import { type Encoding, type Fields, encoding } from '../pattern.ts';

const WIDTHS = [
  ['32', '0'],
  ['64', '1'],
] as const;

const ADD_SUB = [
  ['ADD', '00', ''],
  ['ADDS', '01', 'S'],
  ['SUB', '10', ''],
  ['SUBS', '11', 'S'],
] as const;

const LOGICAL = [
  ['AND', '00', ''],
  ['ORR', '01', ''],
  ['EOR', '10', ''],
  ['ANDS', '11', 'S'],
] as const;

/** DecodeBitMasks refuses an element that is all ones, and an N:imms without an element size. */
function isBitMask(n: number, imms: number): boolean {
  const combined = (n << 6) | (~imms & 0x3f);
  if (combined < 2) return false;
  const length = 31 - Math.clz32(combined);
  const levels = 2 ** length - 1;
  return (imms & levels) !== levels;
}

function pcRelative(): Encoding[] {
  return [
    encoding('data', 'ADR_only_pcreladdr', '0 immlo:2 10000 immhi:19 Rd:5'),
    encoding('data', 'ADRP_only_pcreladdr', '1 immlo:2 10000 immhi:19 Rd:5'),
  ];
}

function addSub(): Encoding[] {
  return WIDTHS.flatMap(([width, sf]) =>
    ADD_SUB.map(([name, op, s]) =>
      encoding('data', `${name}_${width}${s}_addsub_imm`, `${sf} ${op} 100010 sh:1 imm12:12 Rn:5 Rd:5`),
    ),
  );
}

function logical(): Encoding[] {
  const legal = (f: Fields) => isBitMask(f('N'), f('imms'));
  const legal32 = (f: Fields) => isBitMask(0, f('imms'));
  return LOGICAL.flatMap(([name, opc, s]) => [
    encoding('data', `${name}_32${s}_log_imm`, `0 ${opc} 100100 0 immr:6 imms:6 Rn:5 Rd:5`, { legal: legal32 }),
    encoding('data', `${name}_64${s}_log_imm`, `1 ${opc} 100100 N:1 immr:6 imms:6 Rn:5 Rd:5`, { legal }),
  ]);
}

function moveWide(): Encoding[] {
  const operations = [
    ['MOVN', '00'],
    ['MOVZ', '10'],
    ['MOVK', '11'],
  ] as const;
  return operations.flatMap(([name, opc]) => [
    encoding('data', `${name}_32_movewide`, `0 ${opc} 100101 hw:0x imm16:16 Rd:5`),
    encoding('data', `${name}_64_movewide`, `1 ${opc} 100101 hw:2 imm16:16 Rd:5`),
  ]);
}

function bitfield(): Encoding[] {
  const operations = [
    ['SBFM', '00'],
    ['BFM', '01'],
    ['UBFM', '10'],
  ] as const;
  return operations.flatMap(([name, opc]) => [
    encoding('data', `${name}_32M_bitfield`, `0 ${opc} 100110 0 immr:0xxxxx imms:0xxxxx Rn:5 Rd:5`),
    encoding('data', `${name}_64M_bitfield`, `1 ${opc} 100110 1 immr:6 imms:6 Rn:5 Rd:5`),
  ]);
}

function extract(): Encoding[] {
  return [
    encoding('data', 'EXTR_32_extract', '0 00 100111 0 0 Rm:5 imms:0xxxxx Rn:5 Rd:5'),
    encoding('data', 'EXTR_64_extract', '1 00 100111 1 0 Rm:5 imms:6 Rn:5 Rd:5'),
  ];
}

export const DATA_PROCESSING_IMMEDIATE: readonly Encoding[] = [
  ...pcRelative(),
  ...addSub(),
  ...logical(),
  ...moveWide(),
  ...bitfield(),
  ...extract(),
];
