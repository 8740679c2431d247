// The register map of the SMMU (Arm IHI 0070, "Memory map and registers"): the Non-secure registers of pages 0 and 1. What the ID
// registers say: stage 1, stage 2 and both; tables of AArch64, little-endian, 4 KB granule, 48 bits of address; ASID and VMID of 16
// bits; StreamWorld EL2; linear and 2-level stream and context tables; 2^16 streams of 2^8 substreams; terminate model only, by
// abort only. Not there: a Secure or Realm interface, ATS, PRI, stalls, MSIs (interrupts are wires), SEV, HTTU, broadcast TLB
// maintenance, VATOS, range invalidation.
//
// Registers whose rule is "write only while the feature is off" ignore a write at another time, and count it as misuse.

import { type Register, registerTable } from '../device.ts';
import { substreamBits } from './structures.ts';

export const cr0 = { SMMUEN: 1 << 0, EVENTQEN: 1 << 2, CMDQEN: 1 << 3 } as const;
export const cr2 = { E2H: 1 << 0, RECINVSID: 1 << 1 } as const;
export const gbpa = { ABORT: 1 << 20, UPDATE: 2 ** 31 } as const;
export const irqCtrl = { GERROR_IRQEN: 1 << 0, EVENTQ_IRQEN: 1 << 2 } as const;
export const gerror = { CMDQ_ERR: 1 << 0, EVENTQ_ABT_ERR: 1 << 2 } as const;
/** SMMU_CMDQ_CONS.ERR. */
export const commandError = { none: 0, ILL: 1, ABT: 2 } as const;

/** SMMU_IDR1.SIDSIZE. */
export const streamBits = 16;
/** log2 of the longest queue. */
export const maxQueueBits = 19;

const IDR0 =
  (1 << 0) | // S2P
  (1 << 1) | // S1P
  (2 << 2) | // TTF: AArch64
  (1 << 4) | // COHACC
  (1 << 9) | // Hyp
  (1 << 12) | // ASID16
  (1 << 18) | // VMID16
  (1 << 19) | // CD2L
  (2 << 21) | // TTENDIAN: little
  (1 << 24) | // STALL_MODEL: none
  (1 << 26) | // TERM_MODEL: abort
  (1 << 27); // ST_LEVEL: 2-level

const IDR1 = streamBits | (substreamBits << 6) | (maxQueueBits << 16) | (maxQueueBits << 21);
const IDR3 = 1 << 2; // HAD
/** OAS of 48 bits, and the 4 KB granule. */
const IDR5 = 5 | (1 << 4);
/** SMMUv3.1. */
const AIDR = 1;

export type SmmuRegister =
  | `SMMU_IDR${0 | 1 | 2 | 3 | 4 | 5}`
  | 'SMMU_IIDR'
  | 'SMMU_AIDR'
  | 'SMMU_CR0'
  | 'SMMU_CR0ACK'
  | 'SMMU_CR1'
  | 'SMMU_CR2'
  | 'SMMU_STATUSR'
  | 'SMMU_GBPA'
  | 'SMMU_IRQ_CTRL'
  | 'SMMU_IRQ_CTRLACK'
  | 'SMMU_GERROR'
  | 'SMMU_GERRORN'
  | 'SMMU_GERROR_IRQ_CFG'
  | 'SMMU_STRTAB_BASE'
  | 'SMMU_STRTAB_BASE (high)'
  | 'SMMU_STRTAB_BASE_CFG'
  | 'SMMU_CMDQ_BASE'
  | 'SMMU_CMDQ_BASE (high)'
  | 'SMMU_CMDQ_PROD'
  | 'SMMU_CMDQ_CONS'
  | 'SMMU_EVENTQ_BASE'
  | 'SMMU_EVENTQ_BASE (high)'
  | 'SMMU_EVENTQ_PROD'
  | 'SMMU_EVENTQ_CONS'
  | 'SMMU_EVENTQ_IRQ_CFG'
  | `SMMU_PIDR${0 | 1 | 2 | 3 | 4 | 5 | 6 | 7}`
  | `SMMU_CIDR${0 | 1 | 2 | 3}`;

interface SmmuRow extends Register<SmmuRegister> {
  /** The bit of SMMU_CR0 that must be clear where the register is written. */
  readonly guard?: number;
}

const readOnly = (name: SmmuRegister, offset: number, reset: number): SmmuRow => ({
  name,
  offset,
  reset,
  access: 'RO',
  mask: 0,
});
const peripheralId = ([4, 5, 6, 7, 0, 1, 2, 3] as const).map((n, i) =>
  readOnly(`SMMU_PIDR${n}`, 0xfd0 + 4 * i, [0x84, 0xb4, 0xf0, 0x10, 0x04, 0, 0, 0][n]!),
);
const componentId = ([0, 1, 2, 3] as const).map((n) =>
  readOnly(`SMMU_CIDR${n}`, 0xff0 + 4 * n, [0x0d, 0xf0, 0x05, 0xb1][n]!),
);

/** Bits [63:32] of a base: an address up to 2^52, and the allocation hint. */
const highMask = 0x400f_ffff;
const indexMask = 0xf_ffff;
const page1 = 0x1_0000;

export const smmuTable = registerTable<SmmuRow>(
  [
    readOnly('SMMU_IDR0', 0x000, IDR0),
    readOnly('SMMU_IDR1', 0x004, IDR1),
    readOnly('SMMU_IDR2', 0x008, 0),
    readOnly('SMMU_IDR3', 0x00c, IDR3),
    readOnly('SMMU_IDR4', 0x010, 0),
    readOnly('SMMU_IDR5', 0x014, IDR5),
    readOnly('SMMU_IIDR', 0x018, 0),
    readOnly('SMMU_AIDR', 0x01c, AIDR),
    { name: 'SMMU_CR0', offset: 0x020, reset: 0, access: 'RW', mask: cr0.SMMUEN | cr0.EVENTQEN | cr0.CMDQEN },
    readOnly('SMMU_CR0ACK', 0x024, 0),
    { name: 'SMMU_CR1', offset: 0x028, reset: 0, access: 'RW', mask: 0xfff },
    { name: 'SMMU_CR2', offset: 0x02c, reset: 0, access: 'RW', mask: cr2.E2H | cr2.RECINVSID, guard: cr0.SMMUEN },
    readOnly('SMMU_STATUSR', 0x040, 0),
    // SHCFG resets to "use incoming".
    { name: 'SMMU_GBPA', offset: 0x044, reset: 0x1000, access: 'RW', mask: 0x801f_3f1f },
    { name: 'SMMU_IRQ_CTRL', offset: 0x050, reset: 0, access: 'RW', mask: irqCtrl.GERROR_IRQEN | irqCtrl.EVENTQ_IRQEN },
    readOnly('SMMU_IRQ_CTRLACK', 0x054, 0),
    readOnly('SMMU_GERROR', 0x060, 0),
    { name: 'SMMU_GERRORN', offset: 0x064, reset: 0, access: 'RW', mask: gerror.CMDQ_ERR | gerror.EVENTQ_ABT_ERR },
    // RES0 without MSIs.
    { name: 'SMMU_GERROR_IRQ_CFG', offset: 0x068, reset: 0, access: 'RW', mask: 0, count: 4 },
    { name: 'SMMU_STRTAB_BASE', offset: 0x080, reset: 0, access: 'RW', mask: 0xffff_ffc0, guard: cr0.SMMUEN },
    { name: 'SMMU_STRTAB_BASE (high)', offset: 0x084, reset: 0, access: 'RW', mask: highMask, guard: cr0.SMMUEN },
    { name: 'SMMU_STRTAB_BASE_CFG', offset: 0x088, reset: 0, access: 'RW', mask: 0x3_07ff, guard: cr0.SMMUEN },
    { name: 'SMMU_CMDQ_BASE', offset: 0x090, reset: 0, access: 'RW', mask: 0xffff_ffff, guard: cr0.CMDQEN },
    { name: 'SMMU_CMDQ_BASE (high)', offset: 0x094, reset: 0, access: 'RW', mask: highMask, guard: cr0.CMDQEN },
    { name: 'SMMU_CMDQ_PROD', offset: 0x098, reset: 0, access: 'RW', mask: indexMask },
    { name: 'SMMU_CMDQ_CONS', offset: 0x09c, reset: 0, access: 'RW', mask: 0x7f0f_ffff, guard: cr0.CMDQEN },
    { name: 'SMMU_EVENTQ_BASE', offset: 0x0a0, reset: 0, access: 'RW', mask: 0xffff_ffff, guard: cr0.EVENTQEN },
    { name: 'SMMU_EVENTQ_BASE (high)', offset: 0x0a4, reset: 0, access: 'RW', mask: highMask, guard: cr0.EVENTQEN },
    { name: 'SMMU_EVENTQ_IRQ_CFG', offset: 0x0b0, reset: 0, access: 'RW', mask: 0, count: 4 },
    ...peripheralId,
    ...componentId,
    {
      name: 'SMMU_EVENTQ_PROD',
      offset: page1 + 0x0a8,
      reset: 0,
      access: 'RW',
      mask: 0x800f_ffff,
      guard: cr0.EVENTQEN,
    },
    { name: 'SMMU_EVENTQ_CONS', offset: page1 + 0x0ac, reset: 0, access: 'RW', mask: 0x800f_ffff },
  ],
  2 * page1,
);
