// Branches: Arm DDI 0487, C4.1 "Branches, Exception Generating and System instructions".

import { row, type Row } from './encoding.ts';
import { pointerBranches } from './pointer-authentication.ts';
import { btypeOfCall, jumpType } from './branch-types.ts';
import { conditionHolds, signedOffset } from './pseudocode.ts';
import type { Semantics, Value } from './semantics.ts';
import { never, type Operand } from './syntax.ts';
import { label } from './syntax/addresses.ts';
import { conditionNames, conditionSynonyms } from './syntax/conditions.ts';
import { readNumber } from './syntax/numbers.ts';
import { R, registerNamed, Rof, X } from './syntax/registers.ts';

/** Address of the instruction plus SignExtend(imm:'00'). */
const target = (s: Semantics, imm: Value, bits: number): Value => s.add(s.pc(), signedOffset(s, imm, bits, 2));

/** X[30] = PC + 4. */
function link(s: Semantics): void {
  s.writeX(s.constant(32, 30), s.add(s.pc(), s.constant(64, 4)));
}

/** X30 may be left out of RET. */
const returnRegister: Operand = {
  print: (f, context) => (f.Rn === 30 ? undefined : X('Rn').print(f, context)),
  read: X('Rn').read,
  omit: (reader) => reader.set('Rn', 30),
};

const conditionMnemonics = (stem: string, cond: number): string[] => {
  const name = conditionNames[cond]!;
  const synonyms = Object.keys(conditionSynonyms).filter((other) => conditionSynonyms[other] === name);
  return [name, ...synonyms].map((condition) => `${stem}${condition}`);
};

/** B.cs is also B.hs and B.nlast, BCS, BHS: at most three names for a condition. */
const otherSpellings = ['b.', 'b'].flatMap((stem) =>
  [0, 1, 2].map((n) => ({
    mnemonic: (k: { readonly cond: number }) => conditionMnemonics(stem, k.cond)[n],
    operands: [label('imm19', 19)],
    preferred: never,
  })),
);

const widthByB5 = (f: { readonly b5?: number }): 32 | 64 => (f.b5 === 0 ? 32 : 64);

/** Rt of TBZ and TBNZ: W where b5 is 0. An X register may be written with a low bit, too. */
const testedRegister: Operand = {
  print: (f, context) => Rof('Rt', widthByB5).print(f, context),
  read: (reader) => {
    const register = registerNamed(reader.word() ?? '');
    if (register?.kind !== 'general' || register.number31 === 'SP')
      return reader.expected('a general-purpose register');
    reader.next();
    return reader.set('Rt', register.number) && (register.width === 64 || reader.set('b5', 0));
  },
};

/** b5:b40. */
const testedBit: Operand = {
  print: (f) => `#${(f.b5! << 5) | f.b40!}`,
  read: (reader) => {
    const bit = readNumber(reader, { what: 'bit position', least: 0, most: widthByB5(reader.fields) - 1 });
    return bit !== undefined && reader.set('b5', bit >> 5) && reader.set('b40', bit & 31);
  },
};

const conditionalBranch = row({
  name: 'B.cond',
  pattern: '0101010 0 imm19 0 cond',
  encoding: 'B_only_condbranch',
  meaning: (s, k, f) => {
    s.branchIf(conditionHolds(s, k.cond), target(s, f.imm19, 19));
  },
  syntax: [{ mnemonic: (k) => `b.${conditionNames[k.cond]!}`, operands: [label('imm19', 19)] }, ...otherSpellings],
});

const B = row({
  name: 'B',
  pattern: '0 00101 imm26',
  encoding: 'B_only_branch_imm',
  meaning: (s, _k, f) => {
    s.branch(target(s, f.imm26, 26), 'direct');
  },
  syntax: [{ mnemonic: 'b', operands: [label('imm26', 26)] }],
});

const BL = row({
  name: 'BL',
  pattern: '1 00101 imm26',
  encoding: 'BL_only_branch_imm',
  meaning: (s, _k, f) => {
    link(s);
    s.branch(target(s, f.imm26, 26), 'call');
  },
  syntax: [{ mnemonic: 'bl', operands: [label('imm26', 26)] }],
});

const compareAndBranch = (
  [
    { mnemonic: 'CBZ', op: '0' },
    { mnemonic: 'CBNZ', op: '1' },
  ] as const
).map(({ mnemonic, op }) =>
  row({
    name: mnemonic,
    pattern: `sf 011010 ${op} imm19 Rt`,
    encoding: (f) => `${mnemonic}_${f.sf ? 64 : 32}_compbranch`,
    meaning: (s, k, f) => {
      const width = k.sf ? 64 : 32;
      const operand1 = s.readX(f.Rt, width);
      const zero = s.constant(width, 0);
      s.branchIf(mnemonic === 'CBZ' ? s.eq(operand1, zero) : s.ne(operand1, zero), target(s, f.imm19, 19));
    },
    syntax: [{ mnemonic: mnemonic.toLowerCase(), operands: [R('Rt'), label('imm19', 19)] }],
  }),
);

const testAndBranch = (
  [
    { mnemonic: 'TBZ', op: '0' },
    { mnemonic: 'TBNZ', op: '1' },
  ] as const
).map(({ mnemonic, op }) =>
  row({
    name: mnemonic,
    pattern: `b5 011011 ${op} b40 imm14 Rt`,
    encoding: `${mnemonic}_only_testbranch`,
    meaning: (s, _k, f) => {
      const bitPosition = s.zeroExtend(s.or(s.lsl(f.b5, s.constant(32, 5)), f.b40), 32, 64);
      const bit = s.and(s.low32(s.lsr(s.readX(f.Rt, 64), bitPosition)), s.constant(32, 1));
      s.branchIf(mnemonic === 'TBZ' ? s.eq(bit, s.constant(32, 0)) : bit, target(s, f.imm14, 14));
    },
    syntax: [{ mnemonic: mnemonic.toLowerCase(), operands: [testedRegister, testedBit, label('imm14', 14)] }],
  }),
);

const BR = row({
  name: 'BR',
  pattern: '1101011 0 0 00 11111 0000 0 0 Rn 00000',
  encoding: 'BR_64_branch_reg',
  meaning: (s, _k, f) => {
    jumpType(s, f.Rn);
    s.branch(s.readX(f.Rn, 64), 'indirect');
  },
  syntax: [{ mnemonic: 'br', operands: [X('Rn')] }],
});

const BLR = row({
  name: 'BLR',
  pattern: '1101011 0 0 01 11111 0000 0 0 Rn 00000',
  encoding: 'BLR_64_branch_reg',
  meaning: (s, _k, f) => {
    const destination = s.readX(f.Rn, 64);
    s.setBType(s.constant(32, btypeOfCall));
    link(s);
    s.branch(destination, 'indirect call');
  },
  syntax: [{ mnemonic: 'blr', operands: [X('Rn')] }],
});

const RET = row({
  name: 'RET',
  pattern: '1101011 0 0 10 11111 0000 0 0 Rn 00000',
  encoding: 'RET_64R_branch_reg',
  meaning: (s, _k, f) => {
    s.branch(s.readX(f.Rn, 64), 'return');
  },
  syntax: [{ mnemonic: 'ret', operands: [returnRegister] }],
});

const ERET = row({
  name: 'ERET',
  pattern: '1101011 0 100 11111 0000 0 0 11111 00000',
  encoding: 'ERET_64E_branch_reg',
  meaning: (s) => {
    s.eret();
  },
  syntax: [{ mnemonic: 'eret', operands: [] }],
});

// UNDEFINED outside Debug state, which is not modelled.
const DRPS = row({
  name: 'DRPS',
  pattern: '1101011 0 101 11111 0000 0 0 11111 00000',
  encoding: 'DRPS_64E_branch_reg',
  meaning: (s) => {
    s.undefined();
  },
  syntax: [{ mnemonic: 'drps', operands: [] }],
});

export const branches: readonly Row[] = [
  conditionalBranch,
  BR,
  BLR,
  RET,
  ERET,
  DRPS,
  ...pointerBranches,
  B,
  BL,
  ...compareAndBranch,
  ...testAndBranch,
];
