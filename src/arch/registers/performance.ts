// The Performance Monitors Extension: PMUv3 with the cycle counter and no event counter (PMCR_EL0.N is 0). A cycle is a tick.

import { bits, field, register, type RegisterDetails, type RegisterRow } from '../register-row.ts';

const tpm = ['MDCR_EL2.TPM', 'MDCR_EL3.TPM'] as const;
const user: RegisterDetails = { traps: ['PMUSERENR_EL0.EN', ...tpm], storage: 'computed' };
const supervisor: RegisterDetails = { traps: tpm, storage: 'computed' };

/** PMCR_EL0: E, D, DP are kept; P and C act; LC is RES1 without AArch32; N is 0. */
export const pmcrLongCycle = bits(6);
/** The cycle counter in the enable, interrupt and overflow bitmaps. */
export const cycleCounterBit = bits(31);
/** PMCEID0_EL0: CPU_CYCLES (0x11). */
const cyclesEvent = bits(0x11);

export const performanceRegisters: readonly RegisterRow[] = [
  register('PMCR_EL0', [3, 3, 9, 12, 0], {
    ...user,
    backed: true,
    reset: pmcrLongCycle,
    writable: bits(0, 1, 2, 3, 5),
    traps: ['PMUSERENR_EL0.EN', 'MDCR_EL2.TPMCR', ...tpm],
  }),
  register('PMCNTENSET_EL0', [3, 3, 9, 12, 1], { ...user, backed: true, writable: cycleCounterBit }),
  register('PMCNTENCLR_EL0', [3, 3, 9, 12, 2], user),
  register('PMOVSCLR_EL0', [3, 3, 9, 12, 3], user),
  register('PMSWINC_EL0', [3, 3, 9, 12, 4], { access: 'WO', writable: 0n, traps: ['PMUSERENR_EL0.SW', ...tpm] }),
  register('PMSELR_EL0', [3, 3, 9, 12, 5], { writable: field(4, 0), traps: ['PMUSERENR_EL0.ER', ...tpm] }),
  register('PMCEID0_EL0', [3, 3, 9, 12, 6], { ...user, access: 'RO', storage: 'constant', reset: cyclesEvent }),
  register('PMCEID1_EL0', [3, 3, 9, 12, 7], { ...user, access: 'RO', storage: 'constant' }),
  register('PMCCNTR_EL0', [3, 3, 9, 13, 0], {
    ...user,
    backed: true,
    traps: ['PMUSERENR_EL0.CR', 'PMUSERENR_EL0.EN write', ...tpm],
  }),
  register('PMXEVTYPER_EL0', [3, 3, 9, 13, 1], user),
  // CONSTRAINED UNPREDICTABLE for a counter that does not exist: RAZ/WI.
  register('PMXEVCNTR_EL0', [3, 3, 9, 13, 2], {
    writable: 0n,
    traps: ['PMUSERENR_EL0.ER read', 'PMUSERENR_EL0.EN write', ...tpm],
  }),
  register('PMUSERENR_EL0', [3, 3, 9, 14, 0], { writeEl: 1, writable: field(3, 0), traps: tpm }),
  register('PMINTENSET_EL1', [3, 0, 9, 14, 1], { ...supervisor, backed: true, writable: cycleCounterBit }),
  register('PMINTENCLR_EL1', [3, 0, 9, 14, 2], supervisor),
  register('PMOVSSET_EL0', [3, 3, 9, 14, 3], { ...user, backed: true, writable: cycleCounterBit }),
  // P, U, NSK, NSU, NSH, M.
  register('PMCCFILTR_EL0', [3, 3, 14, 15, 7], { ...user, backed: true, writable: field(31, 26) }),
];
