// Registers of address translation: TTBR, TCR, MAIR, the stage 2 controls, PAR, and the software thread and context IDs.

import { bits, field, lowWord, register, type RegisterDetails, type RegisterRow } from '../register-row.ts';

const vm: RegisterDetails = { traps: ['HCR_EL2.TVM', 'HCR_EL2.TRVM'] };

/** T0SZ, EPD0, attributes and TG0; T1SZ, A1, EPD1, attributes and TG1; IPS, AS, TBI0, TBI1, HPD0, HPD1, TBID0, TBID1. HA and HD are RES0. */
const tcrEl1Writable = field(5, 0) | field(31, 7) | field(34, 32) | bits(36, 37, 38, 41, 42, 51, 52);
/** T0SZ, attributes and TG0, PS, TBI, HPD, TBID. */
const tcrWritable = field(5, 0) | field(15, 8) | field(18, 16) | bits(20, 24, 29);
const tcrOnes = bits(23, 31);
/** In the format of HCR_EL2.E2H 0, and in that of TCR_EL1: what only one of them has keeps what is written. */
const tcrEl2Writable = tcrEl1Writable | tcrWritable | tcrOnes;
/** BADDR and CnP: an output address has 48 bits. */
const baseAddress = field(47, 0);

export const translationRegisters: readonly RegisterRow[] = [
  register('TTBR0_EL1', [3, 0, 2, 0, 0], { ...vm, affects: 'EL1&0' }),
  register('TTBR1_EL1', [3, 0, 2, 0, 1], { ...vm, affects: 'EL1&0' }),
  register('TCR_EL1', [3, 0, 2, 0, 2], { ...vm, writable: tcrEl1Writable, affects: 'EL1&0' }),
  register('MAIR_EL1', [3, 0, 10, 2, 0], { ...vm, affects: 'EL1&0' }),
  register('AMAIR_EL1', [3, 0, 10, 3, 0], { ...vm, writable: 0n }),
  register('CONTEXTIDR_EL1', [3, 0, 13, 0, 1], { ...vm, writable: lowWord }),
  register('PAR_EL1', [3, 0, 7, 4, 0]),

  // An ASID is in bits [63:48] where HCR_EL2.E2H is 1.
  register('TTBR0_EL2', [3, 4, 2, 0, 0], { needs: 'EL2', affects: 'EL2' }),
  register('TTBR1_EL2', [3, 4, 2, 0, 1], { needs: 'EL2', affects: 'EL2' }),
  register('TCR_EL2', [3, 4, 2, 0, 2], { reset: tcrOnes, writable: tcrEl2Writable, needs: 'EL2', affects: 'EL2' }),
  register('CONTEXTIDR_EL2', [3, 4, 13, 0, 1], { writable: lowWord, needs: 'EL2' }),
  register('MAIR_EL2', [3, 4, 10, 2, 0], { needs: 'EL2', affects: 'EL2' }),
  register('AMAIR_EL2', [3, 4, 10, 3, 0], { writable: 0n, needs: 'EL2' }),
  register('VTTBR_EL2', [3, 4, 2, 1, 0], { needs: 'EL2', affects: 'EL1&0' }),
  // T0SZ, SL0, attributes and TG0, PS, VS. HA, HD and the fields of hardware use are RES0.
  register('VTCR_EL2', [3, 4, 2, 1, 2], { writable: field(19, 0), ones: bits(31), needs: 'EL2', affects: 'EL1&0' }),

  register('TTBR0_EL3', [3, 6, 2, 0, 0], { writable: baseAddress, needs: 'EL3', affects: 'EL3' }),
  register('TCR_EL3', [3, 6, 2, 0, 2], { writable: tcrWritable, ones: tcrOnes, needs: 'EL3', affects: 'EL3' }),
  register('MAIR_EL3', [3, 6, 10, 2, 0], { needs: 'EL3', affects: 'EL3' }),
  register('AMAIR_EL3', [3, 6, 10, 3, 0], { writable: 0n, needs: 'EL3' }),

  register('TPIDR_EL0', [3, 3, 13, 0, 2]),
  register('TPIDRRO_EL0', [3, 3, 13, 0, 3], { writeEl: 1 }),
  register('TPIDR_EL1', [3, 0, 13, 0, 4]),
  register('TPIDR_EL2', [3, 4, 13, 0, 2], { needs: 'EL2' }),
  register('TPIDR_EL3', [3, 6, 13, 0, 2], { needs: 'EL3' }),

  // FEAT_LOR with no LORegion: LORID_EL1 is 0, and the registers that describe regions have nothing to describe.
  ...(['LORSA_EL1', 'LOREA_EL1', 'LORN_EL1', 'LORC_EL1'] as const).map((name, op2) =>
    register(name, [3, 0, 10, 4, op2], { writable: 0n, traps: ['HCR_EL2.TLOR', 'SCR_EL3.TLOR'] }),
  ),
  register('LORID_EL1', [3, 0, 10, 4, 7], {
    access: 'RO',
    storage: 'constant',
    traps: ['HCR_EL2.TLOR', 'SCR_EL3.TLOR'],
  }),
];
