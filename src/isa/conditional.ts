// Conditional compare and conditional select: Arm DDI 0487, C4.1 "Data Processing -- Register".

import { row, type Row } from './encoding.ts';
import { addition, bitOf, conditionHolds, subtraction, widen } from './pseudocode.ts';
import type { Semantics, Value } from './semantics.ts';
import type { Fields, Form } from './syntax.ts';
import { cond, invertedCond, isInvertible } from './syntax/conditions.ts';
import { immediate } from './syntax/immediates.ts';
import { R } from './syntax/registers.ts';

/** PSTATE.<N,Z,C,V> of the comparison where the condition holds, else the field nzcv. */
function compare(
  s: Semantics,
  mnemonic: 'CCMN' | 'CCMP',
  operands: readonly [Value, Value],
  cond: number,
  nzcv: Value,
): void {
  const { flags } = mnemonic === 'CCMP' ? subtraction(s, ...operands) : addition(s, ...operands);
  const holds = conditionHolds(s, cond);
  s.writeFlags({
    N: s.select(holds, flags.N, bitOf(s, nzcv, 3)),
    Z: s.select(holds, flags.Z, bitOf(s, nzcv, 2)),
    C: s.select(holds, flags.C, bitOf(s, nzcv, 1)),
    V: s.select(holds, flags.V, bitOf(s, nzcv, 0)),
  });
}

const conditionalCompare = (['CCMN', 'CCMP'] as const).flatMap((mnemonic) => {
  const op = mnemonic === 'CCMP' ? '1' : '0';
  return [
    row({
      name: `${mnemonic} (register)`,
      pattern: `sf ${op} 1 11010010 Rm cond 00 Rn 0 nzcv`,
      encoding: (f) => `${mnemonic}_${f.sf ? 64 : 32}_condcmp_reg`,
      meaning: (s, k, f) => {
        const width = k.sf ? 64 : 32;
        compare(s, mnemonic, [s.readX(f.Rn, width), s.readX(f.Rm, width)], k.cond, f.nzcv);
      },
      syntax: [{ mnemonic: mnemonic.toLowerCase(), operands: [R('Rn'), R('Rm'), immediate('nzcv', 4), cond] }],
    }),
    row({
      name: `${mnemonic} (immediate)`,
      pattern: `sf ${op} 1 11010010 imm5 cond 10 Rn 0 nzcv`,
      encoding: (f) => `${mnemonic}_${f.sf ? 64 : 32}_condcmp_imm`,
      meaning: (s, k, f) => {
        const width = k.sf ? 64 : 32;
        compare(s, mnemonic, [s.readX(f.Rn, width), widen(s, f.imm5, width)], k.cond, f.nzcv);
      },
      syntax: [
        { mnemonic: mnemonic.toLowerCase(), operands: [R('Rn'), immediate('imm5', 5), immediate('nzcv', 4), cond] },
      ],
    }),
  ];
});

type Select = 'CSEL' | 'CSINC' | 'CSINV' | 'CSNEG';

const setAliases: Readonly<Partial<Record<Select, string>>> = { CSINC: 'cset', CSINV: 'csetm' };
const sameAliases: Readonly<Partial<Record<Select, string>>> = { CSINC: 'cinc', CSINV: 'cinv', CSNEG: 'cneg' };

function selectSyntax(mnemonic: Select): Form[] {
  const set = setAliases[mnemonic];
  const same = sameAliases[mnemonic];
  const invertible = (f: Fields): boolean => isInvertible({ cond: f.cond! });
  return [
    ...(set === undefined
      ? []
      : [{ mnemonic: set, operands: [R('Rd'), invertedCond], where: { Rn: 31, Rm: 31 }, when: invertible }]),
    ...(same === undefined
      ? []
      : [
          {
            mnemonic: same,
            operands: [R('Rd'), R('Rn', 'Rm'), invertedCond],
            when: (f: Fields) => f.Rn === f.Rm && invertible(f),
          },
        ]),
    { mnemonic: mnemonic.toLowerCase(), operands: [R('Rd'), R('Rn'), R('Rm'), cond] },
  ];
}

const conditionalSelect = (
  [
    { mnemonic: 'CSEL', op: '0', op2: '00' },
    { mnemonic: 'CSINC', op: '0', op2: '01' },
    { mnemonic: 'CSINV', op: '1', op2: '00' },
    { mnemonic: 'CSNEG', op: '1', op2: '01' },
  ] as const
).map(({ mnemonic, op, op2 }) =>
  row({
    name: mnemonic,
    pattern: `sf ${op} 0 11010100 Rm cond ${op2} Rn Rd`,
    encoding: (f) => `${mnemonic}_${f.sf ? 64 : 32}_condsel`,
    meaning: (s, k, f) => {
      const width = k.sf ? 64 : 32;
      const operand1 = s.readX(f.Rn, width);
      const operand2 = s.readX(f.Rm, width);
      const otherwise = ((): Value => {
        switch (mnemonic) {
          case 'CSEL':
            return operand2;
          case 'CSINC':
            return s.add(operand2, s.constant(width, 1));
          case 'CSINV':
            return s.not(operand2);
          case 'CSNEG':
            return s.sub(s.constant(width, 0), operand2);
        }
      })();
      s.writeX(f.Rd, s.select(conditionHolds(s, k.cond), operand1, otherwise));
    },
    syntax: selectSyntax(mnemonic),
  }),
);

export const conditional: readonly Row[] = [...conditionalCompare, ...conditionalSelect];
