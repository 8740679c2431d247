// The SMMUv3 as the hypervisor programs it (Arm IHI 0070): the registers, commands and structures that it uses.

/** Offsets of registers. */
export const register = {
  CR0: 0x20,
  CR0ACK: 0x24,
  CR1: 0x28,
  CR2: 0x2c,
  GBPA: 0x44,
  IRQ_CTRL: 0x50,
  IRQ_CTRLACK: 0x54,
  GERROR: 0x60,
  GERRORN: 0x64,
  STRTAB_BASE: 0x80,
  STRTAB_BASE_CFG: 0x88,
  CMDQ_BASE: 0x90,
  CMDQ_PROD: 0x98,
  CMDQ_CONS: 0x9c,
  EVENTQ_BASE: 0xa0,
  EVENTQ_PROD: 0x1_00a8,
  EVENTQ_CONS: 0x1_00ac,
} as const;
export type SmmuRegister = keyof typeof register;

export const cr0 = { SMMUEN: 1 << 0, EVENTQEN: 1 << 2, CMDQEN: 1 << 3 } as const;
/** Tables and queues: Inner Shareable, Write-Back. */
export const cr1 = (3 << 10) | (1 << 8) | (1 << 6) | (3 << 4) | (1 << 2) | (1 << 0);
/** RECINVSID: a StreamID outside the table is recorded, too. */
export const cr2 = { RECINVSID: 1 << 1 } as const;
export const gbpa = { ABORT: 1 << 20, UPDATE: 2 ** 31 } as const;
export const irqCtrl = { GERROR_IRQEN: 1 << 0 } as const;
/** SMMU_CMDQ_CONS.ERR. */
export const commandErrorMask = 0x7f00_0000;
/** OVFLG of SMMU_EVENTQ_PROD, OVACKFLG of SMMU_EVENTQ_CONS. */
export const overflowFlag = 0x8000_0000;

/** A command, as its four words. */
export type Command = readonly [number, number, number, number];

const all = 31;
export const command = {
  /** Range 31: every StreamID. */
  CFGI_ALL: [0x04, 0, all, 0],
  CFGI_STE: (streamId: number): Command => [0x03, streamId, 1, 0],
  TLBI_EL2_ALL: [0x20, 0, 0, 0],
  TLBI_S12_VMALL: (vmid: number): Command => [0x28, vmid, 0, 0],
  TLBI_NSNH_ALL: [0x30, 0, 0, 0],
  SYNC: [0x46, 0, 0, 0],
} as const satisfies Readonly<Record<string, Command | ((value: number) => Command)>>;

export const commandBytes = 16;
export const eventBytes = 32;
export const steBytes = 64;

/** STE.V and STE.Config. */
export const steValid = 1;
export const steConfig = { abort: 0 << 1, stage2: 6 << 1 } as const;
/** Bits of the STE's sixth word above what VTCR_EL2[18:0] says in the same places. */
export const stage2Bits = { S2AA64: 1 << 19, S2R: 1 << 26 } as const;

/** Names of the events that a stream of stage 2 can have. */
export const eventNames: Readonly<Record<number, string>> = {
  0x02: 'C_BAD_STREAMID',
  0x03: 'F_STE_FETCH',
  0x04: 'C_BAD_STE',
  0x06: 'F_STREAM_DISABLED',
  0x08: 'C_BAD_SUBSTREAMID',
  0x0b: 'F_WALK_EABT',
  0x10: 'F_TRANSLATION',
  0x11: 'F_ADDR_SIZE',
  0x12: 'F_ACCESS',
  0x13: 'F_PERMISSION',
};
