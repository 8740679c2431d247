// The Generic Timer (Arm ARM, "The Generic Timer in AArch64 state"): counters, the five timers, and who may use them.

import { allBits, field, lowWord, register, type RegisterDetails, type RegisterRow } from '../register-row.ts';
import type { TrapName } from '../traps.ts';

/** The system counter of the board: 62.5 MHz, one count for 16 ticks of 1 ns. */
const counterFrequencyHz = 62_500_000;
export const ticksPerCount = 16;

const physical: readonly TrapName[] = ['CNTKCTL_EL1.EL0PTEN', 'CNTHCTL_EL2.EL1PCEN'];
const virtual: readonly TrapName[] = ['CNTKCTL_EL1.EL0VTEN'];

/** TVAL, CTL and CVAL of a timer, at CRm 2 or 3. CTL: ENABLE and IMASK; ISTATUS is read-only. */
function timer(name: string, op1: number, CRm: number, el: string, details: RegisterDetails): RegisterRow[] {
  const timerRow: RegisterDetails = { storage: 'timer', ...details };
  return [
    register(`${name}_TVAL_${el}`, [3, op1, 14, CRm, 0], { ...timerRow, writable: lowWord }),
    register(`${name}_CTL_${el}`, [3, op1, 14, CRm, 1], { ...timerRow, backed: true, writable: 3n }),
    register(`${name}_CVAL_${el}`, [3, op1, 14, CRm, 2], { ...timerRow, backed: true, writable: allBits }),
  ];
}

export const timerRegisters: readonly RegisterRow[] = [
  register('CNTFRQ_EL0', [3, 3, 14, 0, 0], {
    writeEl: 'highest',
    reset: BigInt(counterFrequencyHz),
    writable: lowWord,
    traps: ['CNTKCTL_EL1.EL0xCTEN'],
  }),
  register('CNTPCT_EL0', [3, 3, 14, 0, 1], {
    access: 'RO',
    storage: 'timer',
    traps: ['CNTKCTL_EL1.EL0PCTEN', 'CNTHCTL_EL2.EL1PCTEN'],
  }),
  register('CNTVCT_EL0', [3, 3, 14, 0, 2], { access: 'RO', storage: 'timer', traps: ['CNTKCTL_EL1.EL0VCTEN'] }),
  // EVNTI, EVNTDIR, EVNTEN and the enables of EL0; the physical timer is open to EL1 until EL2 says otherwise.
  register('CNTKCTL_EL1', [3, 0, 14, 1, 0], { storage: 'timer', backed: true, writable: field(9, 0) }),
  // Where HCR_EL2.E2H is 1, bits [9:0] are as in CNTKCTL_EL1, and EL1PCTEN and EL1PTEN bits 10 and 11.
  register('CNTHCTL_EL2', [3, 4, 14, 1, 0], { reset: 3n, writable: field(11, 0), needs: 'EL2' }),
  register('CNTVOFF_EL2', [3, 4, 14, 0, 3], { storage: 'timer', backed: true, needs: 'EL2' }),
  ...timer('CNTP', 3, 2, 'EL0', { traps: physical }),
  ...timer('CNTV', 3, 3, 'EL0', { traps: virtual }),
  ...timer('CNTHP', 4, 2, 'EL2', { needs: 'EL2' }),
  ...timer('CNTHV', 4, 3, 'EL2', { needs: 'EL2' }),
  ...timer('CNTPS', 7, 2, 'EL1', { needs: 'EL3', traps: ['SCR_EL3.ST'] }),
];
