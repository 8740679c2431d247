// Registers of exception handling: ESR, FAR, ELR, SPSR, VBAR and the banked stack pointers.

import { field, lowWord, register, type RegisterDetails, type RegisterRow } from '../register-row.ts';

const vm: RegisterDetails = { traps: ['HCR_EL2.TVM', 'HCR_EL2.TRVM'] };

/** NZCV, UAO, PAN, SS, IL, BTYPE, DAIF, M. */
export const spsrWritable = field(31, 28) | field(23, 20) | field(11, 6) | field(4, 0);
const spsr: RegisterDetails = { writable: spsrWritable };
const vector: RegisterDetails = { writable: ~field(10, 0) & field(63, 0) };
/** SPSRs of AArch32 modes, which do not exist here. */
const aarch32Spsr: RegisterDetails = { writable: 0n, needs: 'EL2' };

export const exceptionRegisters: readonly RegisterRow[] = [
  register('SPSR_EL1', [3, 0, 4, 0, 0], spsr),
  register('ELR_EL1', [3, 0, 4, 0, 1]),
  // UNDEFINED while it is the stack pointer in use.
  register('SP_EL0', [3, 0, 4, 1, 0], { storage: 'computed', backed: true }),
  register('AFSR0_EL1', [3, 0, 5, 1, 0], { ...vm, writable: 0n }),
  register('AFSR1_EL1', [3, 0, 5, 1, 1], { ...vm, writable: 0n }),
  register('ESR_EL1', [3, 0, 5, 2, 0], { ...vm, writable: lowWord }),
  register('FAR_EL1', [3, 0, 6, 0, 0], vm),
  register('VBAR_EL1', [3, 0, 12, 0, 0], vector),
  register('RVBAR_EL1', [3, 0, 12, 0, 1], { access: 'RO', backed: true, needs: 'EL1 highest' }),
  register('ISR_EL1', [3, 0, 12, 1, 0], { access: 'RO', storage: 'computed' }),

  register('SPSR_EL2', [3, 4, 4, 0, 0], { ...spsr, needs: 'EL2' }),
  register('ELR_EL2', [3, 4, 4, 0, 1], { needs: 'EL2' }),
  register('SP_EL1', [3, 4, 4, 1, 0], { needs: 'EL2' }),
  register('SPSR_irq', [3, 4, 4, 3, 0], aarch32Spsr),
  register('SPSR_abt', [3, 4, 4, 3, 1], aarch32Spsr),
  register('SPSR_und', [3, 4, 4, 3, 2], aarch32Spsr),
  register('SPSR_fiq', [3, 4, 4, 3, 3], aarch32Spsr),
  register('AFSR0_EL2', [3, 4, 5, 1, 0], { writable: 0n, needs: 'EL2' }),
  register('AFSR1_EL2', [3, 4, 5, 1, 1], { writable: 0n, needs: 'EL2' }),
  register('ESR_EL2', [3, 4, 5, 2, 0], { writable: lowWord, needs: 'EL2' }),
  register('FAR_EL2', [3, 4, 6, 0, 0], { needs: 'EL2' }),
  register('HPFAR_EL2', [3, 4, 6, 0, 4], { writable: field(39, 4), needs: 'EL2' }),
  register('VBAR_EL2', [3, 4, 12, 0, 0], { ...vector, needs: 'EL2' }),
  register('RVBAR_EL2', [3, 4, 12, 0, 1], { access: 'RO', backed: true, needs: 'EL2 highest' }),

  register('SPSR_EL3', [3, 6, 4, 0, 0], { ...spsr, needs: 'EL3' }),
  register('ELR_EL3', [3, 6, 4, 0, 1], { needs: 'EL3' }),
  register('SP_EL2', [3, 6, 4, 1, 0], { needs: 'EL3' }),
  register('AFSR0_EL3', [3, 6, 5, 1, 0], { writable: 0n, needs: 'EL3' }),
  register('AFSR1_EL3', [3, 6, 5, 1, 1], { writable: 0n, needs: 'EL3' }),
  register('ESR_EL3', [3, 6, 5, 2, 0], { writable: lowWord, needs: 'EL3' }),
  register('FAR_EL3', [3, 6, 6, 0, 0], { needs: 'EL3' }),
  register('VBAR_EL3', [3, 6, 12, 0, 0], { ...vector, needs: 'EL3' }),
  register('RVBAR_EL3', [3, 6, 12, 0, 1], { access: 'RO', backed: true, needs: 'EL3' }),
];
