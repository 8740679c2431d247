// The traps that accesses to system registers and System instructions are subject to, each named by the field that enables it
// (Arm ARM, "Traps to EL1, EL2 and EL3"). A trap applies to accesses from the listed exception levels, when its condition holds:
// `anySet`, `allSet` or `allClear` of the mask in the controlling register.
//
// Left out, because what they trap does not exist here: trace (CPTR_ELx.TTA), SPE, AArch32 (HSTR_EL2, HCR_EL2.TID0), nested
// virtualization, error records. Traps of WFI, WFE, SMC, SIMD&FP and pointer authentication are with these instructions.

type HostControl = 'SCTLR_EL2' | 'CNTHCTL_EL2';

export interface Trap {
  readonly register: string;
  readonly mask: number;
  readonly when: 'anySet' | 'allSet' | 'allClear';
  readonly from: readonly number[];
  readonly to: 1 | 2 | 3;
  readonly on?: 'read' | 'write';
  /** The controlling field is in bits [63:32]; `mask` then counts from bit 32. */
  readonly high?: boolean;
  /** Fields of the effective HCR_EL2, any of which lifts the trap: the access is one of a virtual register then. */
  readonly unlessHcr?: number;
  /** The mask where HCR_EL2.E2H is 1, if the register then has another format. */
  readonly maskWithE2h?: number;
  /**
   * Of an access from EL0 where HCR_EL2.{E2H, TGE} is {1, 1}: the register that holds the field then, or that the access always traps,
   * or never. Default: as without.
   */
  readonly inHost?: HostControl | 'always' | 'never';
}

const toEl1 = (register: string, mask: number, when: Trap['when'] = 'allClear'): Trap => ({
  register,
  mask,
  when,
  from: [0],
  to: 1,
});
/** With fields of the same place in the register of EL2 that a host's EL0 obeys. */
const toEl1OrHost = (register: string, bits: number, inHost: HostControl): Trap => ({
  ...toEl1(register, bits),
  inHost,
});
const toEl2 = (register: string, bit: number, from: readonly number[], on?: 'read' | 'write'): Trap => ({
  register,
  mask: (1 << (bit & 31)) >>> 0,
  when: 'anySet',
  from,
  to: 2,
  ...(on === undefined ? {} : { on }),
  ...(bit > 31 ? { high: true } : {}),
});
/** The fields of HCR_EL2 trap guests alone. */
const ofGuest = (bit: number, from: readonly number[], on?: 'read' | 'write'): Trap => ({
  ...toEl2('HCR_EL2', bit, from, on),
  inHost: 'never',
});
const toEl3 = (register: string, bit: number, from: readonly number[]): Trap => ({
  ...toEl2(register, bit, from),
  to: 3,
});

/** MDCR_EL2.TDE makes the traps of debug registers behave as enabled. */
const TDE = 1 << 8;
const [FMO, IMO] = [1 << 3, 1 << 4];

export const traps = {
  /** SCTLR_EL2 has no such field. */
  'SCTLR_EL1.UMA': { ...toEl1('SCTLR_EL1', 1 << 9), inHost: 'always' },
  'SCTLR_EL1.DZE': toEl1OrHost('SCTLR_EL1', 1 << 14, 'SCTLR_EL2'),
  'SCTLR_EL1.UCT': toEl1OrHost('SCTLR_EL1', 1 << 15, 'SCTLR_EL2'),
  'SCTLR_EL1.UCI': toEl1OrHost('SCTLR_EL1', 1 << 26, 'SCTLR_EL2'),
  'MDSCR_EL1.TDCC': toEl1('MDSCR_EL1', 1 << 12, 'anySet'),
  'PMUSERENR_EL0.EN': toEl1('PMUSERENR_EL0', 1),
  'PMUSERENR_EL0.EN write': { ...toEl1('PMUSERENR_EL0', 1), on: 'write' },
  'PMUSERENR_EL0.SW': toEl1('PMUSERENR_EL0', 3),
  'PMUSERENR_EL0.CR': { ...toEl1('PMUSERENR_EL0', 5), on: 'read' },
  'PMUSERENR_EL0.ER': toEl1('PMUSERENR_EL0', 9),
  'PMUSERENR_EL0.ER read': { ...toEl1('PMUSERENR_EL0', 9), on: 'read' },
  'CNTKCTL_EL1.EL0PCTEN': toEl1OrHost('CNTKCTL_EL1', 1 << 0, 'CNTHCTL_EL2'),
  'CNTKCTL_EL1.EL0VCTEN': toEl1OrHost('CNTKCTL_EL1', 1 << 1, 'CNTHCTL_EL2'),
  'CNTKCTL_EL1.EL0xCTEN': toEl1OrHost('CNTKCTL_EL1', 3, 'CNTHCTL_EL2'),
  'CNTKCTL_EL1.EL0VTEN': toEl1OrHost('CNTKCTL_EL1', 1 << 8, 'CNTHCTL_EL2'),
  'CNTKCTL_EL1.EL0PTEN': toEl1OrHost('CNTKCTL_EL1', 1 << 9, 'CNTHCTL_EL2'),

  'CNTHCTL_EL2.EL1PCTEN': {
    register: 'CNTHCTL_EL2',
    mask: 1,
    maskWithE2h: 1 << 10,
    when: 'allClear',
    from: [0, 1],
    to: 2,
    inHost: 'never',
  },
  /** EL1PTEN where HCR_EL2.E2H is 1. */
  'CNTHCTL_EL2.EL1PCEN': {
    register: 'CNTHCTL_EL2',
    mask: 2,
    maskWithE2h: 1 << 11,
    when: 'allClear',
    from: [0, 1],
    to: 2,
    inHost: 'never',
  },
  'HCR_EL2.TID1': ofGuest(16, [1]),
  'HCR_EL2.TID2': ofGuest(17, [0, 1]),
  'HCR_EL2.TID3': ofGuest(18, [1], 'read'),
  'HCR_EL2.TACR': ofGuest(21, [1]),
  'HCR_EL2.TSW': ofGuest(22, [1]),
  'HCR_EL2.TPC': ofGuest(23, [0, 1]),
  'HCR_EL2.TPU': ofGuest(24, [0, 1]),
  'HCR_EL2.TTLB': ofGuest(25, [1]),
  'HCR_EL2.TVM': ofGuest(26, [1], 'write'),
  'HCR_EL2.TDZ': ofGuest(28, [0, 1]),
  'HCR_EL2.TRVM': ofGuest(30, [1], 'read'),
  'HCR_EL2.TLOR': ofGuest(35, [1]),
  /** Of the key registers of pointer authentication: it lifts the trap. */
  'HCR_EL2.APK': { ...toEl2('HCR_EL2', 40, [1]), when: 'allClear' },
  'HCR_EL2.TID4': ofGuest(49, [1]),
  'HCR_EL2.TICAB': ofGuest(50, [1]),
  'HCR_EL2.TOCU': ofGuest(52, [0, 1]),
  /** SGIs of a virtual machine are the hypervisor's to generate. */
  'HCR_EL2.FMO|IMO': { register: 'HCR_EL2', mask: 0x18, when: 'anySet', from: [1], to: 2 },
  'ICC_SRE_EL2.Enable': { ...toEl2('ICC_SRE_EL2', 3, [1]), when: 'allClear' },
  'ICH_HCR_EL2.TC': toEl2('ICH_HCR_EL2', 10, [1]),
  'ICH_HCR_EL2.TALL0': toEl2('ICH_HCR_EL2', 11, [1]),
  'ICH_HCR_EL2.TALL1': toEl2('ICH_HCR_EL2', 12, [1]),
  'ICH_HCR_EL2.TDIR': toEl2('ICH_HCR_EL2', 14, [1]),
  'CPTR_EL2.TCPAC': toEl2('CPTR_EL2', 31, [1]),
  'MDCR_EL2.TPMCR': toEl2('MDCR_EL2', 5, [0, 1]),
  'MDCR_EL2.TPM': toEl2('MDCR_EL2', 6, [0, 1]),
  'MDCR_EL2.TDA': { register: 'MDCR_EL2', mask: TDE | (1 << 9), when: 'anySet', from: [0, 1], to: 2 },
  /** HCR_EL2.TGE makes MDCR_EL2.TDE behave as 1. */
  'HCR_EL2.TGE': toEl2('HCR_EL2', 27, [0]),
  'MDCR_EL2.TDOSA': { register: 'MDCR_EL2', mask: TDE | (1 << 10), when: 'anySet', from: [1], to: 2 },
  'MDCR_EL2.TDRA': { register: 'MDCR_EL2', mask: TDE | (1 << 11), when: 'anySet', from: [0, 1], to: 2 },

  'CPTR_EL3.TCPAC': toEl3('CPTR_EL3', 31, [1, 2]),
  'MDCR_EL3.TPM': toEl3('MDCR_EL3', 6, [0, 1, 2]),
  'MDCR_EL3.TDA': toEl3('MDCR_EL3', 9, [0, 1, 2]),
  'MDCR_EL3.TDOSA': toEl3('MDCR_EL3', 10, [1, 2]),
  'SCR_EL3.APK': { ...toEl3('SCR_EL3', 16, [1, 2]), when: 'allClear' },
  'SCR_EL3.TLOR': toEl3('SCR_EL3', 14, [1, 2]),
  /** Of the Secure physical timer; accesses from Non-secure state are UNDEFINED before. */
  'SCR_EL3.ST': { register: 'SCR_EL3', mask: 1 << 11, when: 'allClear', from: [1], to: 3 },
  'SCR_EL3.FIQ': toEl3('SCR_EL3', 2, [2]),
  'SCR_EL3.IRQ': toEl3('SCR_EL3', 1, [2]),
  'SCR_EL3.FIQ&IRQ': { register: 'SCR_EL3', mask: 6, when: 'allSet', from: [2], to: 3 },
  /** The same from EL1, where HCR_EL2.FMO and IMO make ICV_* registers of ICC_* registers. */
  'SCR_EL3.FIQ of EL1': { ...toEl3('SCR_EL3', 2, [1]), unlessHcr: FMO },
  'SCR_EL3.IRQ of EL1': { ...toEl3('SCR_EL3', 1, [1]), unlessHcr: IMO },
  'SCR_EL3.FIQ&IRQ of EL1': { register: 'SCR_EL3', mask: 6, when: 'allSet', from: [1], to: 3, unlessHcr: FMO | IMO },
} as const satisfies Readonly<Record<string, Trap>>;

/** `SIMD&FP`: the traps of CPACR_EL1.FPEN, CPTR_EL2.TFP and CPTR_EL3.TFP, which instructions share (EC 0x07). */
export type TrapName = keyof typeof traps | 'SIMD&FP';
