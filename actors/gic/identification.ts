// Identification registers of the distributor and the redistributors: Arm's component identification, GICv3.

import type { GicRegister } from './interrupt-registers.ts';

/** GICD_IIDR and GICR_IIDR: implementer Arm (JEP106 0x43b), product 0, as QEMU's `virt` has it. */
export const iidr = 0x43b;

const ids = [0x44, 0x00, 0x00, 0x00, 0, 0xb4, 0x3b, 0x00, 0x0d, 0xf0, 0x05, 0xb1];
const idNames = [
  'PIDR4',
  'PIDR5',
  'PIDR6',
  'PIDR7',
  'PIDR0',
  'PIDR1',
  'PIDR2',
  'PIDR3',
  'CIDR0',
  'CIDR1',
  'CIDR2',
  'CIDR3',
];

/** The rows from offset 0xffd0; PIDR0 tells the parts of the GIC apart, PIDR2 says GICv3. */
export const identificationRows = (prefix: 'GICD' | 'GICR', pidr0: number): GicRegister[] =>
  idNames.map((name, i) => ({
    name: `${prefix}_${name}`,
    offset: 0xffd0 + 4 * i,
    reset: name === 'PIDR0' ? pidr0 : (ids[i] ?? 0),
    access: 'RO',
    mask: 0,
  }));
