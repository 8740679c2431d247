// The registers of the CPU interface (Arm IHI 0069, "AArch64 System register descriptions"): their names, their fixed fields,
// and the state behind them, with what follows from that state alone.

import { group, idlePriority, intid as special, priorityBits } from './groups.ts';

export const iccNames = [
  'ICC_PMR_EL1',
  'ICC_IAR0_EL1',
  'ICC_EOIR0_EL1',
  'ICC_HPPIR0_EL1',
  'ICC_BPR0_EL1',
  'ICC_AP0R0_EL1',
  'ICC_AP1R0_EL1',
  'ICC_DIR_EL1',
  'ICC_RPR_EL1',
  'ICC_SGI1R_EL1',
  'ICC_ASGI1R_EL1',
  'ICC_SGI0R_EL1',
  'ICC_IAR1_EL1',
  'ICC_EOIR1_EL1',
  'ICC_HPPIR1_EL1',
  'ICC_BPR1_EL1',
  'ICC_CTLR_EL1',
  'ICC_SRE_EL1',
  'ICC_IGRPEN0_EL1',
  'ICC_IGRPEN1_EL1',
  'ICC_SRE_EL2',
  'ICC_CTLR_EL3',
  'ICC_SRE_EL3',
  'ICC_IGRPEN1_EL3',
] as const;
export type IccName = (typeof iccNames)[number];

/** ICC_CTLR_EL1 and, shifted as its fields are, ICC_CTLR_EL3. */
export const ctlrEl1 = {
  cbpr: 1 << 0,
  eoiMode: 1 << 1,
  /** A3V, IDbits for 16-bit INTIDs, PRIbits. */
  fixed: (1 << 15) | (1 << 11) | ((priorityBits - 1) << 8),
} as const;
export const eoiModeEl3 = 1 << 2;
const ctlrEl3 = {
  cbprEl1Secure: 1 << 0,
  cbprEl1NonSecure: 1 << 1,
  eoiModeEl1Secure: 1 << 3,
  eoiModeEl1NonSecure: 1 << 4,
} as const;
/** PMHE is stored and changes nothing here: the redistributor does not depend on the priority mask. */
export const pmhe = 1 << 6;

/** SRE, DFB and DIB; at EL2 and EL3 Enable too. */
export const sre = { el1: 0x7, higher: 0xf } as const;

/** As many bits of group priority as of priority, so that the smallest binary point is 2; of the Non-secure copy, 3. */
export const smallestBinaryPoint = 7 - priorityBits;

export interface CpuInterfaceState {
  version: 1;
  pmr: number;
  /** ICC_BPR0, the Non-secure and the Secure copy of ICC_BPR1: by group number, as are the next two. */
  binaryPoints: number[];
  groupEnables: number;
  /** Active priorities: ICC_AP0R0 and both copies of ICC_AP1R0; a bit for each of the 32 group priorities. */
  activePriorities: number[];
  /** CBPR and EOImode of both copies of ICC_CTLR_EL1, by the number of their Group 1; ICC_CTLR_EL3.EOImode_EL3 and PMHE. */
  control: number[];
  controlEl3: number;
  disableSecurity: boolean;
  /** The interrupt that the redistributor has set: none where `heldPriority` is idle. */
  heldIntid: number;
  heldPriority: number;
  heldGroup: number;
  /** Commands whose acknowledge has not come. */
  unacknowledged: number;
}

export const resetState = (disableSecurity: boolean): CpuInterfaceState => ({
  version: 1,
  pmr: 0,
  binaryPoints: [smallestBinaryPoint, smallestBinaryPoint + 1, smallestBinaryPoint],
  groupEnables: 0,
  activePriorities: [0, 0, 0],
  control: [0, 0, 0],
  controlEl3: 0,
  disableSecurity,
  heldIntid: special.spurious,
  heldPriority: idlePriority,
  heldGroup: group.group0,
  unacknowledged: 0,
});

/** Bits of a priority that decide on preemption in a group. */
export function groupPriorityMask(state: CpuInterfaceState, of: number): number {
  const isCommon = of !== group.group0 && (state.control[of]! & ctlrEl1.cbpr) !== 0;
  const using = isCommon ? group.group0 : of;
  const binaryPoint = state.binaryPoints[using]!;
  // The Non-secure copy of ICC_BPR1 counts from one bit higher.
  return (0xff << (using === group.group1NonSecure ? binaryPoint : binaryPoint + 1)) & 0xff;
}

const lowestSet = (bits: number): number => 31 - Math.clz32(bits & -bits);

/** ICC_RPR_EL1 without regard to who reads it. */
export function runningPriority(state: CpuInterfaceState): number {
  const active = state.activePriorities[0]! | state.activePriorities[1]! | state.activePriorities[2]!;
  return active === 0 ? idlePriority : lowestSet(active) << (8 - priorityBits);
}

/** The group of the highest active priority, if there is one. */
export function highestActiveGroup(state: CpuInterfaceState): number | undefined {
  const [group0 = 0, group1NonSecure = 0, group1Secure = 0] = state.activePriorities;
  const active = group0 | group1NonSecure | group1Secure;
  if (active === 0) return undefined;
  const top = active & -active;
  if ((group0 & top) !== 0) return group.group0;
  return (group1Secure & top) !== 0 ? group.group1Secure : group.group1NonSecure;
}

/** The held interrupt has sufficient priority: above the mask, and above what is running. */
export function heldCanPreempt(state: CpuInterfaceState): boolean {
  if (state.heldPriority >= state.pmr) return false;
  const running = runningPriority(state);
  if (running === idlePriority) return true;
  const mask = groupPriorityMask(state, state.heldGroup);
  return (state.heldPriority & mask) < (running & mask);
}

/** ICC_CTLR_EL3 shows the fields of both copies of ICC_CTLR_EL1. NDS is 0: GICD_CTLR.DS may be set. */
export function readControlEl3(state: CpuInterfaceState): number {
  const secure = state.control[group.group1Secure]!;
  const nonSecure = state.control[group.group1NonSecure]!;
  return (
    ctlrEl1.fixed |
    state.controlEl3 |
    (secure & ctlrEl1.cbpr ? ctlrEl3.cbprEl1Secure : 0) |
    (nonSecure & ctlrEl1.cbpr ? ctlrEl3.cbprEl1NonSecure : 0) |
    (secure & ctlrEl1.eoiMode ? ctlrEl3.eoiModeEl1Secure : 0) |
    (nonSecure & ctlrEl1.eoiMode ? ctlrEl3.eoiModeEl1NonSecure : 0)
  );
}

export function writeControlEl3(state: CpuInterfaceState, value: number): void {
  state.controlEl3 = value & (eoiModeEl3 | pmhe);
  state.control[group.group1Secure] =
    (value & ctlrEl3.cbprEl1Secure ? ctlrEl1.cbpr : 0) | (value & ctlrEl3.eoiModeEl1Secure ? ctlrEl1.eoiMode : 0);
  state.control[group.group1NonSecure] =
    (value & ctlrEl3.cbprEl1NonSecure ? ctlrEl1.cbpr : 0) | (value & ctlrEl3.eoiModeEl1NonSecure ? ctlrEl1.eoiMode : 0);
}
