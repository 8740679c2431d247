// The GIC CPU interface (IHI 0069, "AArch64 System register descriptions"). The values live behind PeEnvironment.gic; here are
// the encodings and the traps of SCR_EL3, HCR_EL2 and ICH_HCR_EL2. The system register interface cannot be disabled: ICC_SRE_ELx is
// RAO/WI with its Enable bits, so that the traps of ICC_SRE_ELx.Enable never apply.

import { bits, field, register, type RegisterDetails, type RegisterRow } from '../register-row.ts';
import type { TrapName } from '../traps.ts';

const group0: readonly TrapName[] = ['ICH_HCR_EL2.TALL0', 'SCR_EL3.FIQ of EL1', 'SCR_EL3.FIQ'];
const group1: readonly TrapName[] = ['ICH_HCR_EL2.TALL1', 'SCR_EL3.IRQ of EL1', 'SCR_EL3.IRQ'];
const common: readonly TrapName[] = ['ICH_HCR_EL2.TC', 'SCR_EL3.FIQ&IRQ of EL1', 'SCR_EL3.FIQ&IRQ'];

const icc = (
  name: string,
  CRm: number,
  op2: number,
  traps: readonly TrapName[],
  access: 'RW' | 'RO' | 'WO' = 'RW',
): RegisterRow => register(name, [3, 0, 12, CRm, op2], { storage: 'gic', traps, access });

const ich = (name: string, CRm: number, op2: number, details: RegisterDetails = {}): RegisterRow =>
  register(name, [3, 4, 12, CRm, op2], { storage: 'gic', needs: 'EL2', ...details });
const readOnly: RegisterDetails = { access: 'RO' };

const numbered = (count: number, rowOf: (n: number) => RegisterRow): RegisterRow[] =>
  Array.from({ length: count }, (_, n) => rowOf(n));

/** SRE, DFB, DIB are RAO/WI; so is Enable at EL3, and at EL2 it is what software has written. */
const sre: RegisterDetails = { storage: 'constant', reset: field(2, 0), traps: ['ICC_SRE_EL2.Enable'] };
const sreEnable: RegisterDetails = { reset: field(3, 0), ones: field(2, 0), writable: bits(3) };

export const gicRegisters: readonly RegisterRow[] = [
  register('ICC_PMR_EL1', [3, 0, 4, 6, 0], { storage: 'gic', traps: common }),
  icc('ICC_IAR0_EL1', 8, 0, group0, 'RO'),
  icc('ICC_EOIR0_EL1', 8, 1, group0, 'WO'),
  icc('ICC_HPPIR0_EL1', 8, 2, group0, 'RO'),
  icc('ICC_BPR0_EL1', 8, 3, group0),
  ...numbered(4, (n) => icc(`ICC_AP0R${n}_EL1`, 8, 4 + n, group0)),
  ...numbered(4, (n) => icc(`ICC_AP1R${n}_EL1`, 9, n, group1)),
  icc('ICC_DIR_EL1', 11, 1, ['ICH_HCR_EL2.TDIR', ...common], 'WO'),
  icc('ICC_RPR_EL1', 11, 3, common, 'RO'),
  icc('ICC_SGI1R_EL1', 11, 5, ['HCR_EL2.FMO|IMO', ...common], 'WO'),
  icc('ICC_ASGI1R_EL1', 11, 6, ['HCR_EL2.FMO|IMO', ...common], 'WO'),
  icc('ICC_SGI0R_EL1', 11, 7, ['HCR_EL2.FMO|IMO', ...common], 'WO'),
  icc('ICC_IAR1_EL1', 12, 0, group1, 'RO'),
  icc('ICC_EOIR1_EL1', 12, 1, group1, 'WO'),
  icc('ICC_HPPIR1_EL1', 12, 2, group1, 'RO'),
  icc('ICC_BPR1_EL1', 12, 3, group1),
  icc('ICC_CTLR_EL1', 12, 4, common),
  register('ICC_SRE_EL1', [3, 0, 12, 12, 5], sre),
  icc('ICC_IGRPEN0_EL1', 12, 6, group0),
  icc('ICC_IGRPEN1_EL1', 12, 7, group1),
  register('ICC_SRE_EL2', [3, 4, 12, 9, 5], { ...sreEnable, needs: 'EL2' }),
  register('ICC_CTLR_EL3', [3, 6, 12, 12, 4], { storage: 'gic', needs: 'EL3' }),
  register('ICC_SRE_EL3', [3, 6, 12, 12, 5], { storage: 'constant', reset: field(3, 0), needs: 'EL3' }),
  register('ICC_IGRPEN1_EL3', [3, 6, 12, 12, 7], { storage: 'gic', needs: 'EL3' }),

  ...numbered(4, (n) => ich(`ICH_AP0R${n}_EL2`, 8, n)),
  ...numbered(4, (n) => ich(`ICH_AP1R${n}_EL2`, 9, n)),
  ich('ICH_HCR_EL2', 11, 0, { backed: true }),
  ich('ICH_VTR_EL2', 11, 1, readOnly),
  ich('ICH_MISR_EL2', 11, 2, readOnly),
  ich('ICH_EISR_EL2', 11, 3, readOnly),
  ich('ICH_ELRSR_EL2', 11, 5, readOnly),
  ich('ICH_VMCR_EL2', 11, 7),
  ...numbered(16, (n) => ich(`ICH_LR${n}_EL2`, 12 + (n >> 3), n & 7)),
];
