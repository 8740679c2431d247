// The register map of the distributor (Arm IHI 0069, "The Distributor register map").
// Registers without a row here and in that map (the SPIs of messages: TYPER.MBIS is 0; the extended SPI range) are RES0.

import { registerTable } from '../device.ts';
import { identificationRows, iidr } from './identification.ts';
import type { GicRegister, InterruptRegister } from './interrupt-registers.ts';

/** Interrupts of the distributor: SGIs and PPIs, which live elsewhere, and 256 SPIs, as on QEMU's `virt`. */
export const interruptCount = 288;
export const interruptWords = interruptCount / 32;

/** GICD_CTLR, Secure view with two Security states; bits 2:0 are the group enables. */
export const ctlr = {
  groupEnables: 0b111,
  areSecure: 1 << 4,
  areNonSecure: 1 << 5,
  disableSecurity: 1 << 6,
  rwp: 0x8000_0000,
};

/**
 * GICD_TYPER: A3V (non-zero Aff3), IDbits for 16-bit INTIDs, ITLinesNumber for INTIDs below 288; SecurityExtn is added where
 * there are two Security states. No LPIs, no message-based SPIs, no extended SPIs; 1 of N is supported (No1N 0).
 */
export const typer = { value: (1 << 24) | (0xf << 19) | (interruptWords - 1), securityExtn: 1 << 10 };

/** GICD_IROUTER, low word: Interrupt_Routing_Mode, Aff2, Aff1, Aff0; high word: Aff3. */
export const irouter = { routingMode: 0x8000_0000, affinityLow: 0x00ff_ffff, affinityHigh: 0xff };

const perInterrupt = (register: InterruptRegister, offset: number, count: number): GicRegister => ({
  name: `GICD_${register}`,
  offset,
  reset: 0,
  access: 'RW',
  mask: 0xffff_ffff,
  count,
  interrupts: register,
});

export const distributorTable = registerTable<GicRegister>(
  [
    { name: 'GICD_CTLR', offset: 0x0000, reset: 0, access: 'RW', mask: 0xffff_ffff },
    { name: 'GICD_TYPER', offset: 0x0004, reset: typer.value, access: 'RO', mask: 0 },
    { name: 'GICD_IIDR', offset: 0x0008, reset: iidr, access: 'RO', mask: 0 },
    { name: 'GICD_TYPER2', offset: 0x000c, reset: 0, access: 'RO', mask: 0 },
    { name: 'GICD_STATUSR', offset: 0x0010, reset: 0, access: 'RW', mask: 0 },
    { name: 'GICD_SETSPI_NSR', offset: 0x0040, reset: 0, access: 'RW', mask: 0 },
    { name: 'GICD_CLRSPI_NSR', offset: 0x0048, reset: 0, access: 'RW', mask: 0 },
    { name: 'GICD_SETSPI_SR', offset: 0x0050, reset: 0, access: 'RW', mask: 0 },
    { name: 'GICD_CLRSPI_SR', offset: 0x0058, reset: 0, access: 'RW', mask: 0 },
    perInterrupt('IGROUPR', 0x0080, 32),
    perInterrupt('ISENABLER', 0x0100, 32),
    perInterrupt('ICENABLER', 0x0180, 32),
    perInterrupt('ISPENDR', 0x0200, 32),
    perInterrupt('ICPENDR', 0x0280, 32),
    perInterrupt('ISACTIVER', 0x0300, 32),
    perInterrupt('ICACTIVER', 0x0380, 32),
    perInterrupt('IPRIORITYR', 0x0400, 255),
    // RES0 with affinity routing, which is always on; likewise GICD_SGIR and the pending bits of SGIs.
    { name: 'GICD_ITARGETSR', offset: 0x0800, reset: 0, access: 'RW', mask: 0, count: 255 },
    perInterrupt('ICFGR', 0x0c00, 64),
    perInterrupt('IGRPMODR', 0x0d00, 32),
    perInterrupt('NSACR', 0x0e00, 64),
    { name: 'GICD_SGIR', offset: 0x0f00, reset: 0, access: 'WO', mask: 0 },
    { name: 'GICD_CPENDSGIR', offset: 0x0f10, reset: 0, access: 'RW', mask: 0, count: 4 },
    { name: 'GICD_SPENDSGIR', offset: 0x0f20, reset: 0, access: 'RW', mask: 0, count: 4 },
    { name: 'GICD_IROUTER', offset: 0x6000, reset: 0, access: 'RW', mask: 0xffff_ffff, count: 2 * 1020 },
    ...identificationRows('GICD', 0x92),
  ],
  0x1_0000,
);
