// The register map of a redistributor: the RD frame and, 64 KiB above, the SGI frame (Arm IHI 0069, "The Redistributor register
// map"). Registers of LPIs have no row: GICR_TYPER.PLPIS is 0 and they are RES0.

import { registerTable } from '../device.ts';
import { identificationRows, iidr } from './identification.ts';
import type { GicRegister, InterruptRegister } from './interrupt-registers.ts';

const sgiFrame = 0x1_0000;

/** GICR_CTLR.RWP: a write to GICR_ICENABLER0 is not yet visible to the PE. */
export const redistributorRwp = 1 << 3;

/** GICR_WAKER. */
export const waker = { processorSleep: 1 << 1, childrenAsleep: 1 << 2 } as const;

/** GICR_TYPER, low word: Last, and where Processor_Number begins; the high word is the affinity. */
export const redistributorTyper = { last: 1 << 4, processorNumberShift: 8 } as const;

const perInterrupt = (name: string, interrupts: InterruptRegister, offset: number, count = 1): GicRegister => ({
  name,
  offset: sgiFrame + offset,
  reset: 0,
  access: 'RW',
  mask: 0xffff_ffff,
  count,
  interrupts,
});

export const redistributorTable = registerTable<GicRegister>(
  [
    { name: 'GICR_CTLR', offset: 0x0000, reset: 0, access: 'RW', mask: 0 },
    { name: 'GICR_IIDR', offset: 0x0004, reset: iidr, access: 'RO', mask: 0 },
    { name: 'GICR_TYPER', offset: 0x0008, reset: 0, access: 'RO', mask: 0, count: 2 },
    { name: 'GICR_STATUSR', offset: 0x0010, reset: 0, access: 'RW', mask: 0 },
    { name: 'GICR_WAKER', offset: 0x0014, reset: 0x6, access: 'RW', mask: 0x2 },
    ...identificationRows('GICR', 0x93),
    perInterrupt('GICR_IGROUPR0', 'IGROUPR', 0x0080),
    perInterrupt('GICR_ISENABLER0', 'ISENABLER', 0x0100),
    perInterrupt('GICR_ICENABLER0', 'ICENABLER', 0x0180),
    perInterrupt('GICR_ISPENDR0', 'ISPENDR', 0x0200),
    perInterrupt('GICR_ICPENDR0', 'ICPENDR', 0x0280),
    perInterrupt('GICR_ISACTIVER0', 'ISACTIVER', 0x0300),
    perInterrupt('GICR_ICACTIVER0', 'ICACTIVER', 0x0380),
    perInterrupt('GICR_IPRIORITYR', 'IPRIORITYR', 0x0400, 8),
    perInterrupt('GICR_ICFGR', 'ICFGR', 0x0c00, 2),
    perInterrupt('GICR_IGRPMODR0', 'IGRPMODR', 0x0d00),
    perInterrupt('GICR_NSACR', 'NSACR', 0x0e00, 2),
  ],
  0x2_0000,
);
