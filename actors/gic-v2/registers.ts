// The register maps of a GICv2 (Arm IHI 0048, "Programmers' Model" and "GIC Support for Virtualization"): distributor, CPU interface,
// virtual interface control and virtual CPU interface, each a frame of 64 KiB of the board.

import { type Register, type RegisterAccess, registerTable } from '../device.ts';
import type { GicRegister, InterruptRegister } from '../gic/interrupt-registers.ts';
import { interruptWords } from '../gic/distributor-registers.ts';

export const frameBytes = 0x1_0000;
/** Offsets of the frames in the actor's own addresses, in the order in which the board's regions lead to them. */
export const frames = { GICD: 0, GICC: frameBytes, GICH: 2 * frameBytes, GICV: 3 * frameBytes } as const;

/** GICD_TYPER: ITLinesNumber; CPUNumber and SecurityExtn are the machine's. */
export const typer = { lines: interruptWords - 1, cpuNumberShift: 5, securityExtn: 1 << 10 } as const;

/** A GIC-400, r0p1. */
const gicdIidr = 0x0200_143b;
/** GICC_IIDR and GICV_IIDR: the same product, architecture version 2. */
export const giccIidr = 0x0202_143b;

const row = (name: string, offset: number, access: RegisterAccess = 'RW', reset = 0, count = 1): Register => ({
  name,
  offset,
  reset,
  access,
  mask: 0xffff_ffff,
  count,
});

const perInterrupt = (register: InterruptRegister, offset: number, count: number): GicRegister => ({
  ...row(`GICD_${register}`, offset, 'RW', 0, count),
  interrupts: register,
});

const peripheralIds = [0x04, 0, 0, 0, 0x90, 0xb4, 0x2b, 0, 0x0d, 0xf0, 0x05, 0xb1];

export const distributorTable = registerTable<GicRegister>(
  [
    row('GICD_CTLR', 0x000),
    row('GICD_TYPER', 0x004, 'RO'),
    row('GICD_IIDR', 0x008, 'RO', gicdIidr),
    perInterrupt('IGROUPR', 0x080, 32),
    perInterrupt('ISENABLER', 0x100, 32),
    perInterrupt('ICENABLER', 0x180, 32),
    perInterrupt('ISPENDR', 0x200, 32),
    perInterrupt('ICPENDR', 0x280, 32),
    perInterrupt('ISACTIVER', 0x300, 32),
    perInterrupt('ICACTIVER', 0x380, 32),
    perInterrupt('IPRIORITYR', 0x400, 255),
    row('GICD_ITARGETSR', 0x800, 'RW', 0, 255),
    perInterrupt('ICFGR', 0xc00, 64),
    perInterrupt('NSACR', 0xe00, 64),
    row('GICD_SGIR', 0xf00, 'WO'),
    row('GICD_CPENDSGIR', 0xf10, 'RW', 0, 4),
    row('GICD_SPENDSGIR', 0xf20, 'RW', 0, 4),
    ...peripheralIds.map((id, n) => row(`GICD_ID${n}`, 0xfd0 + 4 * n, 'RO', id)),
  ],
  frameBytes,
);

const cpuInterfaceRows = (prefix: 'GICC' | 'GICV'): Register[] => [
  row(`${prefix}_CTLR`, 0x00),
  row(`${prefix}_PMR`, 0x04),
  row(`${prefix}_BPR`, 0x08),
  row(`${prefix}_IAR`, 0x0c, 'RO'),
  row(`${prefix}_EOIR`, 0x10, 'WO'),
  row(`${prefix}_RPR`, 0x14, 'RO'),
  row(`${prefix}_HPPIR`, 0x18, 'RO'),
  row(`${prefix}_ABPR`, 0x1c),
  row(`${prefix}_AIAR`, 0x20, 'RO'),
  row(`${prefix}_AEOIR`, 0x24, 'WO'),
  row(`${prefix}_AHPPIR`, 0x28, 'RO'),
  row(`${prefix}_APR0`, 0xd0),
  ...(prefix === 'GICC' ? [row('GICC_NSAPR0', 0xe0)] : []),
  row(`${prefix}_IIDR`, 0xfc, 'RO', giccIidr),
  row(`${prefix}_DIR`, 0x1000, 'WO'),
];

export const cpuInterfaceTable = registerTable(cpuInterfaceRows('GICC'), frameBytes);
export const virtualCpuInterfaceTable = registerTable(cpuInterfaceRows('GICV'), frameBytes);

export const virtualControlTable = registerTable(
  [
    row('GICH_HCR', 0x00),
    row('GICH_VTR', 0x04, 'RO'),
    row('GICH_VMCR', 0x08),
    row('GICH_MISR', 0x10, 'RO'),
    row('GICH_EISR', 0x20, 'RO', 0, 2),
    row('GICH_ELRSR', 0x30, 'RO', 0, 2),
    row('GICH_APR', 0xf0),
    row('GICH_LR', 0x100, 'RW', 0, 64),
  ],
  frameBytes,
);
