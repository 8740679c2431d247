// PSTATE and the floating-point control and status registers as special-purpose registers.

import { bits, field, register, type RegisterRow } from '../register-row.ts';

export const processStateRegisters: readonly RegisterRow[] = [
  register('SPSel', [3, 0, 4, 2, 0], { storage: 'pstate', writable: 1n }),
  register('CurrentEL', [3, 0, 4, 2, 2], { storage: 'pstate', access: 'RO' }),
  register('PAN', [3, 0, 4, 2, 3], { storage: 'pstate', writable: bits(22) }),
  register('UAO', [3, 0, 4, 2, 4], { storage: 'pstate', writable: bits(23) }),
  register('NZCV', [3, 3, 4, 2, 0], { storage: 'pstate', writable: field(31, 28) }),
  register('DAIF', [3, 3, 4, 2, 1], { storage: 'pstate', writable: field(9, 6), traps: ['SCTLR_EL1.UMA'] }),
  // AHP, DN, FZ, RMode, FZ16; the trap enables are RES0: floating-point exceptions are not trapped.
  register('FPCR', [3, 3, 4, 4, 0], { writable: field(26, 22) | bits(19), traps: ['SIMD&FP'] }),
  // QC, IDC, IXC, UFC, OFC, DZC, IOC.
  register('FPSR', [3, 3, 4, 4, 1], { writable: bits(27, 7) | field(4, 0), traps: ['SIMD&FP'] }),
];
