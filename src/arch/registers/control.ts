// Registers that control the PE at each exception level: SCTLR, ACTLR, CPACR, HCR, SCR, CPTR and their kind.
// Fields of features that are not implemented are RES0 or RES1, as the Arm ARM says of each.

import { bits, field, register, type RegisterRow } from '../register-row.ts';

/** EnIA, EnIB, EnDA and EnDB of FEAT_PAuth. */
const pointerKeys = bits(13, 27, 30, 31);
/** BT0 and BT1 of FEAT_BTI; for a regime of one Exception level BT has the place of the latter. */
const branchTypes = bits(35, 36);
/** M, A, C, SA, SA0, UMA, I, DZE, UCT, nTWI, nTWE, WXN, SPAN, UCI. EE and E0E are RES0: little-endian only. */
const sctlrEl1Writable = bits(0, 1, 2, 3, 4, 9, 12, 14, 15, 16, 18, 19, 23, 26) | pointerKeys | branchTypes;
/** ITD and SED without AArch32; EOS, TSCXT, EIS, nTLSMD, LSMAOE without their features. */
const sctlrEl1Ones = bits(7, 8, 11, 20, 22, 28, 29);
/**
 * Fields that are RES0 or RES1 for one value of HCR_EL2.{E2H, TGE} and not for the other keep what is written (Arm ARM, glossary).
 * For a host: SA0, DZE, UCT, nTWI, nTWE, SPAN, UCI; CP15BEN, ITD, SED and TSCXT are without effect.
 */
const sctlrEl2Writable = bits(0, 1, 2, 3, 12, 19, 4, 14, 15, 16, 18, 23, 26, 5, 7, 8, 20) | pointerKeys | branchTypes;
/** EOS, EIS, nTLSMD, LSMAOE. */
const sctlrEl2Ones = bits(11, 22, 28, 29);
/** M, A, C, SA, I, WXN. */
const sctlrWritable = bits(0, 1, 2, 3, 12, 19) | pointerKeys | bits(36);
const sctlrOnes = bits(4, 5, 11, 16, 18, 22, 23, 28, 29);

/**
 * Every field of Armv8.2-A but those of FEAT_RAS, API and APK, and TID4, TICAB and TOCU; RW is RAO/WI without AArch32. SWIO, BSU, TID0, CD, ID and
 * MIOCNCE have nothing to change: there are no caches, barriers are for the whole system, there is no AArch32.
 */
const hcrWritable = field(30, 0) | bits(32, 33, 34, 35, 38, 40, 41, 49, 50, 52);
const hcrOnes = bits(31);

/** The keys of FEAT_PAuth, each in two registers. */
const keyRegisters: readonly RegisterRow[] = ['APIA', 'APIB', 'APDA', 'APDB', 'APGA'].flatMap((key, n) =>
  ['Lo', 'Hi'].map((half, isHigh) =>
    register(`${key}Key${half}_EL1`, [3, 0, 2, 1 + (n >> 1), 2 * (n & 1) + isHigh], {
      traps: ['HCR_EL2.APK', 'SCR_EL3.APK'],
    }),
  ),
);

export const controlRegisters: readonly RegisterRow[] = [
  register('SCTLR_EL1', [3, 0, 1, 0, 0], {
    // What is UNKNOWN at reset is as permissive as a PE that has just left its boot ROM: no trap of WFI and WFE, SPAN set.
    reset: bits(3, 4, 16, 18, 23),
    writable: sctlrEl1Writable,
    ones: sctlrEl1Ones,
    traps: ['HCR_EL2.TVM', 'HCR_EL2.TRVM'],
    affects: 'EL1&0',
  }),
  ...keyRegisters,
  register('ACTLR_EL1', [3, 0, 1, 0, 1], { writable: 0n, traps: ['HCR_EL2.TACR'] }),
  register('CPACR_EL1', [3, 0, 1, 0, 2], {
    writable: field(21, 20),
    traps: ['CPTR_EL2.TCPAC', 'CPTR_EL3.TCPAC'],
    affects: 'controls',
  }),
  register('SCTLR_EL2', [3, 4, 1, 0, 0], {
    reset: bits(3, 4, 5, 16, 18, 23),
    writable: sctlrEl2Writable,
    ones: sctlrEl2Ones,
    needs: 'EL2',
    affects: 'EL2',
  }),
  register('ACTLR_EL2', [3, 4, 1, 0, 1], { writable: 0n, needs: 'EL2' }),
  register('HCR_EL2', [3, 4, 1, 1, 0], { writable: hcrWritable, ones: hcrOnes, needs: 'EL2', affects: 'HCR_EL2' }),
  register('MDCR_EL2', [3, 4, 1, 1, 1], {
    // HPMN is the number of event counters that EL1 sees: PMCR_EL0.N, which is 0.
    writable: field(11, 0) | bits(17),
    needs: 'EL2',
  }),
  register('CPTR_EL2', [3, 4, 1, 1, 2], {
    // TFP and TCPAC; FPEN where HCR_EL2.E2H is 1. What is RES1 where it is 0 alone keeps what is written.
    reset: field(9, 0) | bits(12, 13),
    writable: field(10, 0) | bits(12, 13, 20, 21, 31),
    needs: 'EL2',
    traps: ['CPTR_EL3.TCPAC'],
    affects: 'controls',
  }),
  register('HSTR_EL2', [3, 4, 1, 1, 3], { writable: field(15, 0) & ~bits(4, 14), needs: 'EL2' }),
  register('HACR_EL2', [3, 4, 1, 1, 7], { writable: 0n, needs: 'EL2' }),
  register('SCTLR_EL3', [3, 6, 1, 0, 0], {
    reset: bits(3),
    writable: sctlrWritable,
    ones: sctlrOnes,
    needs: 'EL3',
    affects: 'EL3',
  }),
  register('ACTLR_EL3', [3, 6, 1, 0, 1], { writable: 0n, needs: 'EL3' }),
  register('SCR_EL3', [3, 6, 1, 1, 0], {
    // NS, IRQ, FIQ, EA, SMD, HCE, SIF, ST, TWI, TWE, TLOR, APK, API; RW is RAO/WI without AArch32.
    writable: bits(0, 1, 2, 3, 7, 8, 9, 11, 12, 13, 14, 16, 17),
    ones: bits(4, 5, 10),
    needs: 'EL3',
    affects: 'SCR_EL3',
  }),
  register('CPTR_EL3', [3, 6, 1, 1, 2], { writable: bits(10, 31), needs: 'EL3', affects: 'controls' }),
  register('MDCR_EL3', [3, 6, 1, 3, 1], { writable: bits(6, 9, 10, 16, 17, 20, 21) | field(15, 14), needs: 'EL3' }),
];
