// The registers of the virtual CPU interface (Arm IHI 0069, "AArch64 System register descriptions" and "AArch64 virtualization
// control System registers"): which accesses of ICC_* registers are those of ICV_* registers, and the layout of a list register.

import type { IccName } from './cpu-interface-registers.ts';
import { eoiMaintenance, type ListRegister } from './virtual-interface.ts';

export const ichNames = [
  'ICH_AP0R0_EL2',
  'ICH_AP1R0_EL2',
  'ICH_HCR_EL2',
  'ICH_VTR_EL2',
  'ICH_MISR_EL2',
  'ICH_EISR_EL2',
  'ICH_ELRSR_EL2',
  'ICH_VMCR_EL2',
] as const;
export type IchName = (typeof ichNames)[number];

/** The routing of physical interrupts to EL2 that makes an access from EL1 an access of the virtual interface. */
export type VirtualBy = 'FMO' | 'IMO' | 'either';

/** Absent are ICC_SRE_EL1, and the SGI registers, which are trapped instead. */
export const virtualBy: Readonly<Partial<Record<IccName, VirtualBy>>> = {
  ICC_PMR_EL1: 'either',
  ICC_CTLR_EL1: 'either',
  ICC_DIR_EL1: 'either',
  ICC_RPR_EL1: 'either',
  ICC_IAR0_EL1: 'FMO',
  ICC_EOIR0_EL1: 'FMO',
  ICC_HPPIR0_EL1: 'FMO',
  ICC_BPR0_EL1: 'FMO',
  ICC_AP0R0_EL1: 'FMO',
  ICC_IGRPEN0_EL1: 'FMO',
  ICC_IAR1_EL1: 'IMO',
  ICC_EOIR1_EL1: 'IMO',
  ICC_HPPIR1_EL1: 'IMO',
  ICC_BPR1_EL1: 'IMO',
  ICC_AP1R0_EL1: 'IMO',
  ICC_IGRPEN1_EL1: 'IMO',
};

/** ICH_VTR_EL2 beside priorities and list registers: IDbits for 24-bit INTIDs, A3V, nV4, TDS. No SEIS, no DVIM. */
export const vtrFeatures = (1 << 23) | (1 << 21) | (1 << 20) | (1 << 19);

const intidMask = 0xff_ffff;

/** ICH_LR<n>_EL2, bits [63:32]: State, HW, Group, Priority, pINTID; vINTID is in the low word. */
export function readList(list: ListRegister): { readonly low: number; readonly high: number } {
  const { state, hw, group, priority, physical, intid } = list;
  const high = (state << 30) | (hw ? 1 << 29 : 0) | (group << 28) | (priority << 16) | physical;
  return { low: intid, high: high >>> 0 };
}

export function listOf(low: number, high: number): ListRegister {
  const hw = ((high >>> 29) & 1) === 1;
  return {
    state: high >>> 30,
    hw,
    group: ((high >>> 28) & 1) as 0 | 1,
    priority: (high >>> 16) & 0xff,
    physical: high & (hw ? 0x1fff : eoiMaintenance),
    intid: low & intidMask,
  };
}
