// Identification registers (Arm ARM, "ID registers" and "Cache identification"). The AArch32 ID registers are 0, as in every
// PE without AArch32; the encodings that are reserved for future ID registers read as 0.

import {
  clidrEl1,
  ctrEl0,
  idAa64Dfr0,
  idAa64Isar0,
  idAa64Isar1,
  idAa64Mmfr0,
  idAa64Mmfr1,
  idAa64Mmfr2,
  idAa64Pfr0,
  idAa64Pfr1,
} from '../core-identity.ts';
import { register, type RegisterDetails, type RegisterRow } from '../register-row.ts';

const id3: RegisterDetails = { access: 'RO', storage: 'constant', traps: ['HCR_EL2.TID3'] };
const id2: RegisterDetails = { access: 'RO', storage: 'constant', traps: ['HCR_EL2.TID2'] };
const id4: RegisterDetails = { access: 'RO', storage: 'constant', traps: ['HCR_EL2.TID2', 'HCR_EL2.TID4'] };
const id1: RegisterDetails = { access: 'RO', storage: 'constant', traps: ['HCR_EL2.TID1'] };

/** CRm and op2 of the ID registers of op0 3, op1 0, CRn 0. */
const named: Readonly<Record<string, readonly [number, number]>> = {
  ID_PFR0_EL1: [1, 0],
  ID_PFR1_EL1: [1, 1],
  ID_DFR0_EL1: [1, 2],
  ID_AFR0_EL1: [1, 3],
  ID_MMFR0_EL1: [1, 4],
  ID_MMFR1_EL1: [1, 5],
  ID_MMFR2_EL1: [1, 6],
  ID_MMFR3_EL1: [1, 7],
  ID_ISAR0_EL1: [2, 0],
  ID_ISAR1_EL1: [2, 1],
  ID_ISAR2_EL1: [2, 2],
  ID_ISAR3_EL1: [2, 3],
  ID_ISAR4_EL1: [2, 4],
  ID_ISAR5_EL1: [2, 5],
  ID_MMFR4_EL1: [2, 6],
  ID_ISAR6_EL1: [2, 7],
  MVFR0_EL1: [3, 0],
  MVFR1_EL1: [3, 1],
  MVFR2_EL1: [3, 2],
  ID_PFR2_EL1: [3, 4],
  ID_AA64PFR0_EL1: [4, 0],
  ID_AA64PFR1_EL1: [4, 1],
  ID_AA64ZFR0_EL1: [4, 4],
  ID_AA64DFR0_EL1: [5, 0],
  ID_AA64DFR1_EL1: [5, 1],
  ID_AA64AFR0_EL1: [5, 4],
  ID_AA64AFR1_EL1: [5, 5],
  ID_AA64ISAR0_EL1: [6, 0],
  ID_AA64ISAR1_EL1: [6, 1],
  ID_AA64MMFR0_EL1: [7, 0],
  ID_AA64MMFR1_EL1: [7, 1],
  ID_AA64MMFR2_EL1: [7, 2],
};

const values: Readonly<Record<string, Exclude<RegisterDetails['reset'], undefined>>> = {
  ID_AA64PFR0_EL1: idAa64Pfr0,
  ID_AA64PFR1_EL1: idAa64Pfr1,
  ID_AA64DFR0_EL1: idAa64Dfr0,
  ID_AA64ISAR0_EL1: idAa64Isar0,
  ID_AA64ISAR1_EL1: idAa64Isar1,
  ID_AA64MMFR0_EL1: idAa64Mmfr0,
  ID_AA64MMFR1_EL1: idAa64Mmfr1,
  ID_AA64MMFR2_EL1: idAa64Mmfr2,
};

function idRegisters(): RegisterRow[] {
  const nameOf = new Map(Object.entries(named).map(([name, [CRm, op2]]) => [CRm * 8 + op2, name]));
  const rows: RegisterRow[] = [];
  for (let CRm = 1; CRm <= 7; CRm++) {
    for (let op2 = 0; op2 <= 7; op2++) {
      const name = nameOf.get(CRm * 8 + op2) ?? `S3_0_C0_C${CRm}_${op2}`;
      rows.push(register(name, [3, 0, 0, CRm, op2], { ...id3, reset: values[name] ?? 0n }));
    }
  }
  return rows;
}

export const identificationRegisters: readonly RegisterRow[] = [
  register('MIDR_EL1', [3, 0, 0, 0, 0], { access: 'RO', storage: 'computed' }),
  register('MPIDR_EL1', [3, 0, 0, 0, 5], { access: 'RO', storage: 'computed' }),
  register('REVIDR_EL1', [3, 0, 0, 0, 6], id1),
  ...idRegisters(),
  register('CCSIDR_EL1', [3, 1, 0, 0, 0], { ...id4, storage: 'computed' }),
  register('CLIDR_EL1', [3, 1, 0, 0, 1], { ...id4, reset: clidrEl1 }),
  register('AIDR_EL1', [3, 1, 0, 0, 7], id1),
  register('CSSELR_EL1', [3, 2, 0, 0, 0], { writable: 0xfn, traps: ['HCR_EL2.TID2', 'HCR_EL2.TID4'] }),
  register('CTR_EL0', [3, 3, 0, 0, 1], { ...id2, reset: ctrEl0, traps: ['SCTLR_EL1.UCT', 'HCR_EL2.TID2'] }),
  register('DCZID_EL0', [3, 3, 0, 0, 7], { access: 'RO', storage: 'computed' }),
  register('VPIDR_EL2', [3, 4, 0, 0, 0], {
    reset: (core) => core.midr,
    writable: 0xffff_ffffn,
    needs: 'EL2 or identity',
  }),
  register('VMPIDR_EL2', [3, 4, 0, 0, 5], { reset: (core) => core.mpidr, needs: 'EL2 or identity' }),
];
