// The virtual CPU interface of one core of a bench, of either version (actors/core, actors/gic-v2), by the names of GICv3: the guest's
// accesses, and what the hypervisor has put there.

import { GicVirtualInterface } from '../../../actors/core/gic-virtual-interface.ts';
import { GicV2VirtualFrames } from '../../../actors/gic-v2/virtual-frames.ts';
import { noGuestErrors } from '../../../actors/device.ts';
import type { IccName } from '../../../actors/gic/cpu-interface-registers.ts';
import type { IchName } from '../../../actors/gic/virtual-interface-registers.ts';
import { fromGichList } from '../../../src/hypervisor/vgic/list-register.ts';
import { assert } from '../../../src/report/assert.ts';

export interface VirtualPort {
  readonly maintenance: (level: boolean) => void;
  readonly deactivate: (physicalIntid: number) => void;
}

export interface BenchVirtual {
  readIch(name: IchName): number;
  writeIch(name: IchName, value: bigint): void;
  readList(n: number): bigint | undefined;
  writeList(n: number, value: bigint): boolean;
  read(name: IccName): number;
  write(name: IccName, value: bigint): void;
  /** An access of the hypervisor to GICH, where there is one. */
  readonly gich?: { read(offset: number): number; write(offset: number, value: number): void };
}

const ignore = (): void => {};

export const virtualInterfaceV3 = (port: VirtualPort, lists: number): BenchVirtual =>
  new GicVirtualInterface({ ...port, signal: ignore }, lists);

const gichOffsets: Partial<Record<IchName, number>> = {
  ICH_HCR_EL2: 0x00,
  ICH_VTR_EL2: 0x04,
  ICH_VMCR_EL2: 0x08,
  ICH_MISR_EL2: 0x10,
  ICH_EISR_EL2: 0x20,
  ICH_ELRSR_EL2: 0x30,
  ICH_AP0R0_EL2: 0xf0,
};
const gicvOffsets: Partial<Record<IccName, number>> = {
  ICC_PMR_EL1: 0x04,
  ICC_BPR0_EL1: 0x08,
  ICC_IAR0_EL1: 0x0c,
  ICC_IAR1_EL1: 0x0c,
  ICC_EOIR0_EL1: 0x10,
  ICC_EOIR1_EL1: 0x10,
  ICC_RPR_EL1: 0x14,
  ICC_HPPIR1_EL1: 0x18,
  ICC_DIR_EL1: 0x1000,
};
/** Fields of GICV_CTLR that are registers of their own in GICv3: interrupts that no guest has put into a group are in Group 0. */
const controlFields: Partial<Record<IccName, { mask: number; shift: number }>> = {
  ICC_IGRPEN0_EL1: { mask: 1, shift: 0 },
  ICC_IGRPEN1_EL1: { mask: 1, shift: 0 },
  // EOImode is bit 1 of ICC_CTLR_EL1 and bit 9 of GICV_CTLR.
  ICC_CTLR_EL1: { mask: 0x200, shift: 8 },
};
const firstList = 0x100;

export function virtualInterfaceV2(port: VirtualPort): BenchVirtual {
  const frames = new GicV2VirtualFrames({ ...port, signal: ignore }, noGuestErrors());
  const offsetOf = <Name extends string>(offsets: Partial<Record<Name, number>>, name: Name): number => {
    const offset = offsets[name];
    assert(offset !== undefined, `a GICv2 has what ${name} is`);
    return offset;
  };
  return {
    gich: {
      read: (offset) => frames.readGich(offset),
      write: (offset, value) => {
        frames.writeGich(offset, value);
      },
    },
    readIch: (name) => frames.readGich(offsetOf(gichOffsets, name)),
    writeIch: (name, value) => {
      frames.writeGich(offsetOf(gichOffsets, name), Number(value));
    },
    readList: (n) => fromGichList(frames.readGich(firstList + 4 * n)),
    writeList: () => {
      throw new Error('the hypervisor writes GICH_LR<n>');
    },
    read: (name) => {
      const field = controlFields[name];
      if (field) return (frames.readGicv(0) & field.mask) >> field.shift;
      return frames.readGicv(offsetOf(gicvOffsets, name));
    },
    write: (name, value) => {
      const field = controlFields[name];
      if (field)
        frames.writeGicv(0, (frames.readGicv(0) & ~field.mask) | (Number(value << BigInt(field.shift)) & field.mask));
      else frames.writeGicv(offsetOf(gicvOffsets, name), Number(value));
    },
  };
}
