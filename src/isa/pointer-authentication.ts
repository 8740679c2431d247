// FEAT_PAuth: Arm DDI 0487, C4.1 "Data-processing (1 source)", "Data-processing (2 source)", "Unconditional branch (register)",
// "Load/store register (pac)" and the hints. The meaning of the codes is in pointer-authentication/pointer.ts.

import { btypeOfCall, jumpType } from './branch-types.ts';
import { row, type Row } from './encoding.ts';
import { type PointerKey, pointerKeys } from './pointer-authentication/names.ts';
import { signedOffset } from './pseudocode.ts';
import type { Semantics, Value } from './semantics.ts';
import type { Operand } from './syntax.ts';
import { offsetAddress, preIndexed, unmovedBase } from './syntax/addresses.ts';
import { X, XorSP } from './syntax/registers.ts';

const feature = 'FEAT_PAuth';
const register = (s: Semantics, n: number): Value => s.readX(s.constant(32, n), 64);
const stackPointer = (s: Semantics): Value => s.readXSP(s.constant(32, 31), 64);
const zero = (s: Semantics): Value => s.constant(64, 0);
const binary = (value: number, width: number): string => value.toString(2).padStart(width, '0');

/** PACIA and its kind, with Xn or the stack pointer as the modifier, and PACIZA and its kind with zero. */
const ofOneRegister = (['PAC', 'AUT'] as const).flatMap((verb, v) =>
  pointerKeys.flatMap((key, n) => [
    row({
      name: `${verb}${key}`,
      pattern: `1 1 0 11010110 00001 ${binary(4 * v + n, 6)} Rn Rd`,
      encoding: `${verb}${key}_64P_dp_1src`,
      feature,
      meaning: (s, _k, f) => {
        s.writeX(f.Rd, s.authenticatePointer(`${verb}${key}`, s.readX(f.Rd, 64), s.readXSP(f.Rn, 64)));
      },
      syntax: [{ mnemonic: `${verb}${key}`.toLowerCase(), operands: [X('Rd'), XorSP('Rn')] }],
    }),
    row({
      name: `${verb}${key.charAt(0)}Z${key.charAt(1)}`,
      pattern: `1 1 0 11010110 00001 ${binary(8 + 4 * v + n, 6)} 11111 Rd`,
      encoding: `${verb}${key.charAt(0)}Z${key.charAt(1)}_64Z_dp_1src`,
      feature,
      meaning: (s, _k, f) => {
        s.writeX(f.Rd, s.authenticatePointer(`${verb}${key}`, s.readX(f.Rd, 64), zero(s)));
      },
      syntax: [{ mnemonic: `${verb}${key.charAt(0)}Z${key.charAt(1)}`.toLowerCase(), operands: [X('Rd')] }],
    }),
  ]),
);

const strip = (['XPACI', 'XPACD'] as const).map((name, D) =>
  row({
    name,
    pattern: `1 1 0 11010110 00001 ${binary(16 + D, 6)} 11111 Rd`,
    encoding: `${name}_64Z_dp_1src`,
    feature,
    meaning: (s, _k, f) => {
      s.writeX(f.Rd, s.authenticatePointer(name, s.readX(f.Rd, 64), zero(s)));
    },
    syntax: [{ mnemonic: name.toLowerCase(), operands: [X('Rd')] }],
  }),
);

const generic = row({
  name: 'PACGA',
  pattern: '1 0 0 11010110 Rm 001100 Rn Rd',
  encoding: 'PACGA_64C_dp_2src',
  feature,
  meaning: (s, _k, f) => {
    s.writeX(f.Rd, s.authenticatePointer('PACGA', s.readX(f.Rn, 64), s.readXSP(f.Rm, 64)));
  },
  syntax: [{ mnemonic: 'pacga', operands: [X('Rd'), X('Rn'), XorSP('Rm')] }],
});

/** M: key A or B. */
const keysOfBranches = [
  { letter: 'A', M: '0' },
  { letter: 'B', M: '1' },
] as const;

const branches = keysOfBranches.flatMap(({ letter, M }) =>
  (
    [
      { stem: 'BR', op: '00', kind: 'indirect' },
      { stem: 'BLR', op: '01', kind: 'indirect call' },
    ] as const
  ).flatMap(({ stem, op, kind }) => {
    const branch = (s: Semantics, Rn: Value, modifier: Value): void => {
      const target = s.authenticatePointer(`AUTI${letter}`, s.readX(Rn, 64), modifier);
      if (stem === 'BR') jumpType(s, Rn);
      else s.setBType(s.constant(32, btypeOfCall));
      if (stem === 'BLR') s.writeX(s.constant(32, 30), s.add(s.pc(), s.constant(64, 4)));
      s.branch(target, kind);
    };
    return [
      row({
        name: `${stem}A${letter}`,
        pattern: `1101011 1 0 ${op} 11111 0000 1 ${M} Rn Rm`,
        encoding: `${stem}A${letter}_64P_branch_reg`,
        feature,
        meaning: (s, _k, f) => {
          branch(s, f.Rn, s.readXSP(f.Rm, 64));
        },
        syntax: [{ mnemonic: `${stem}A${letter}`.toLowerCase(), operands: [X('Rn'), XorSP('Rm')] }],
      }),
      row({
        name: `${stem}A${letter}Z`,
        pattern: `1101011 0 0 ${op} 11111 0000 1 ${M} Rn 11111`,
        encoding: `${stem}A${letter}Z_64_branch_reg`,
        feature,
        meaning: (s, _k, f) => {
          branch(s, f.Rn, zero(s));
        },
        syntax: [{ mnemonic: `${stem}A${letter}Z`.toLowerCase(), operands: [X('Rn')] }],
      }),
    ];
  }),
);

const returns = keysOfBranches.flatMap(({ letter, M }) => [
  row({
    name: `RETA${letter}`,
    pattern: `1101011 0 0 10 11111 0000 1 ${M} 11111 11111`,
    encoding: `RETA${letter}_64E_branch_reg`,
    feature,
    meaning: (s) => {
      s.branch(s.authenticatePointer(`AUTI${letter}`, register(s, 30), stackPointer(s)), 'return');
    },
    syntax: [{ mnemonic: `reta${letter}`.toLowerCase(), operands: [] }],
  }),
  row({
    name: `ERETA${letter}`,
    pattern: `1101011 0 100 11111 0000 1 ${M} 11111 11111`,
    encoding: `ERETA${letter}_64E_branch_reg`,
    feature,
    meaning: (s) => {
      s.eret(s.authenticatePointer(`AUTI${letter}`, s.exceptionLink(), stackPointer(s)));
    },
    syntax: [{ mnemonic: `ereta${letter}`.toLowerCase(), operands: [] }],
  }),
]);

/** S:imm9 as one offset in doublewords. */
function authenticatedAddress(isMoved: boolean): Operand {
  const offset = { field: 'imm10', bits: 10, signed: true, scale: () => 8 } as const;
  const whole = (isMoved ? preIndexed : offsetAddress)(offset);
  return {
    print: (f, context) => whole.print({ ...f, imm10: (f.S! << 9) | f.imm9! }, context),
    read: (reader) => {
      const set = (field: string, value: number): boolean =>
        field === 'imm10' ? reader.set('S', value >> 9) && reader.set('imm9', value & 511) : reader.set(field, value);
      return whole.read({ ...reader, set });
    },
  };
}

/** LDRAA and LDRAB: the base is authenticated with a data key and modifier 0. */
const loads = keysOfBranches.flatMap(({ letter, M }) =>
  (['0', '1'] as const).map((W) =>
    row({
      name: `LDRA${letter}`,
      pattern: `11 111 0 00 ${M} S 1 imm9 ${W} 1 Rn Rt`,
      encoding: `LDRA${letter}_64${W === '1' ? 'W' : ''}_ldst_pac`,
      feature,
      meaning: (s, k, f) => {
        const base = s.authenticatePointer(`AUTD${letter}`, s.readBase(f.Rn), zero(s));
        const imm10 = s.or(f.imm9, s.constant(32, k.S << 9));
        const address = s.add(base, signedOffset(s, imm10, 10, 3));
        const value = s.load(address, 8, {});
        if (W === '1') s.writeXSP(f.Rn, address);
        s.writeX(f.Rt, value);
      },
      syntax: [
        ...(W === '1'
          ? [{ mnemonic: `ldra${letter}`.toLowerCase(), operands: [X('Rt'), unmovedBase], where: { S: 0, imm9: 0 } }]
          : []),
        { mnemonic: `ldra${letter}`.toLowerCase(), operands: [X('Rt'), authenticatedAddress(W === '1')] },
      ],
    }),
  ),
);

export const pointerAuthentication: readonly Row[] = [...ofOneRegister, ...strip, generic];
export const pointerBranches: readonly Row[] = [...branches, ...returns];
export const pointerLoads: readonly Row[] = loads;

/** What a hint of pointer authentication does to X17 or X30, as its name says. */
export function pointerHint(name: string): ((s: Semantics) => void) | undefined {
  if (name === 'XPACLRI') return (s) => writeLink(s, 30, s.authenticatePointer('XPACI', register(s, 30), zero(s)));
  const [, operation, modifier] = /^((?:PAC|AUT)I[AB])(1716|Z|SP)$/.exec(name) ?? [];
  if (operation === undefined) return undefined;
  const n = modifier === '1716' ? 17 : 30;
  return (s) => {
    const y = modifier === '1716' ? register(s, 16) : modifier === 'Z' ? zero(s) : stackPointer(s);
    writeLink(s, n, s.authenticatePointer(operation as `${'PAC' | 'AUT'}${PointerKey}`, register(s, n), y));
  };
}

const writeLink = (s: Semantics, n: number, value: Value): void => s.writeX(s.constant(32, n), value);
