// The debug registers. Self-hosted breakpoints, watchpoints and software step hold their values but raise no debug exceptions;
// there is no external debugger, so the Debug Communications Channel is always empty.

import { bits, field, lowWord, register, type RegisterDetails, type RegisterRow } from '../register-row.ts';

const tda: RegisterDetails = { traps: ['MDCR_EL2.TDA', 'MDCR_EL3.TDA'] };
const tdosa: RegisterDetails = { traps: ['MDCR_EL2.TDOSA', 'MDCR_EL3.TDOSA'] };
const dcc: RegisterDetails = { traps: ['MDSCR_EL1.TDCC', 'MDCR_EL2.TDA', 'HCR_EL2.TGE', 'MDCR_EL3.TDA'] };

/** ID_AA64DFR0_EL1.BRPs and WRPs, plus one. */
const breakpoints = 2;
const watchpoints = 2;

const numbered = (count: number, rowsOf: (n: number) => readonly RegisterRow[]): RegisterRow[] =>
  Array.from({ length: count }, (_, n) => rowsOf(n)).flat();

/** A virtual address of a doubleword; the PE has 49 significant bits, sign-extended. */
const wordAddress = field(63, 2);

export const debugRegisters: readonly RegisterRow[] = [
  register('OSDTRRX_EL1', [2, 0, 0, 0, 2], { ...tda, writable: lowWord }),
  register('MDCCINT_EL1', [2, 0, 0, 2, 0], { ...tda, writable: bits(29, 30) }),
  register('MDSCR_EL1', [2, 0, 0, 2, 2], { ...tda, writable: bits(0, 12, 13, 15) }),
  register('OSDTRTX_EL1', [2, 0, 0, 3, 2], { ...tda, writable: lowWord }),
  register('OSECCR_EL1', [2, 0, 0, 6, 2], { ...tda, writable: 0n }),
  ...numbered(breakpoints, (n) => [
    register(`DBGBVR${n}_EL1`, [2, 0, 0, n, 4], { ...tda, writable: wordAddress }),
    register(`DBGBCR${n}_EL1`, [2, 0, 0, n, 5], { ...tda, writable: field(23, 13) | field(8, 5) | field(2, 0) }),
  ]),
  ...numbered(watchpoints, (n) => [
    register(`DBGWVR${n}_EL1`, [2, 0, 0, n, 6], { ...tda, writable: wordAddress }),
    register(`DBGWCR${n}_EL1`, [2, 0, 0, n, 7], { ...tda, writable: field(28, 24) | field(20, 0) }),
  ]),
  register('MDRAR_EL1', [2, 0, 1, 0, 0], {
    access: 'RO',
    storage: 'constant',
    traps: ['MDCR_EL2.TDRA', 'MDCR_EL3.TDA'],
  }),
  register('OSLAR_EL1', [2, 0, 1, 0, 4], { ...tdosa, access: 'WO', storage: 'computed' }),
  // OSLM: the OS Lock is implemented; it is locked by a cold reset.
  register('OSLSR_EL1', [2, 0, 1, 1, 4], { ...tdosa, access: 'RO', reset: 2n, ones: bits(3), writable: bits(1) }),
  register('OSDLR_EL1', [2, 0, 1, 3, 4], { ...tdosa, writable: 1n }),
  register('DBGPRCR_EL1', [2, 0, 1, 4, 4], { ...tdosa, writable: 1n }),
  register('DBGCLAIMSET_EL1', [2, 0, 7, 8, 6], { ...tda, storage: 'computed' }),
  register('DBGCLAIMCLR_EL1', [2, 0, 7, 9, 6], { ...tda, storage: 'computed', backed: true, writable: 0xffn }),
  // Non-secure invasive and non-invasive debug are implemented and enabled: there is no authentication interface.
  register('DBGAUTHSTATUS_EL1', [2, 0, 7, 14, 6], { ...tda, access: 'RO', storage: 'constant', reset: 0xffn }),

  register('MDCCSR_EL0', [2, 3, 0, 1, 0], { ...dcc, access: 'RO', storage: 'constant' }),
  register('DBGDTR_EL0', [2, 3, 0, 4, 0], { ...dcc, writable: 0n }),
  register('DBGDTRRX_EL0', [2, 3, 0, 5, 0], { ...dcc, writable: 0n }),
];
