// The `virt` board: what its user may choose, and the plain description that the machine builder, the firmware and the device tree
// are made from. Where QEMU 7.2 has a rule (affinities, redistributor regions, who answers PSCI), it is that rule.

import { UserError } from '../report/user-error.ts';
import { dmaEngineCount, maxMemoryBytes, memoryMap, redistributorStride, virtioSlotCount } from './memory-map.ts';
import type { Region } from './memory-map.ts';

export interface BoardOptions {
  readonly cores: number;
  readonly memoryBytes: number;
  readonly gicVersion: number;
  /** EL2 is implemented. */
  readonly virtualization: boolean;
  /** EL3 is implemented. */
  readonly secure: boolean;
  /** As `-cpu` names it. */
  readonly cpu?: string;
  /** The virtio-mmio slots that the device tree tells of; all unless given. */
  readonly virtioSlots?: readonly number[];
  /** What stands between the devices that access memory and memory: nothing unless given. */
  readonly iommu?: 'none' | 'smmuv3';
  /** Number of DMA engines; none unless given. */
  readonly dmaEngines?: number;
}

/** Private peripheral interrupts as the Base System Architecture numbers them; the INTID is 16 more. */
export const ppi = {
  gicMaintenance: 9,
  hypervisorTimer: 10,
  virtualTimer: 11,
  hypervisorVirtualTimer: 12,
  secureTimer: 13,
  physicalTimer: 14,
} as const;

export interface CoreDescription {
  readonly index: number;
  /** The value of MPIDR_EL1. */
  readonly mpidr: number;
  readonly redistributorBase: number;
}

export interface Board {
  readonly cores: readonly CoreDescription[];
  readonly cpu: string;
  readonly memoryBytes: number;
  readonly gicVersion: 2 | 3;
  readonly virtualization: boolean;
  readonly secure: boolean;
  /** The regions that hold this board's redistributors, one or two; none of a GICv2. */
  readonly redistributorRegions: readonly Region[];
  readonly virtioSlots: readonly number[];
  readonly iommu: 'none' | 'smmuv3';
  readonly dmaEngines: number;
}

/** How the machine comes out of reset with an image of a kind. */
export interface Reset {
  readonly el: 1 | 2 | 3;
  /** The instruction that firmware answers as PSCI; none where the image itself is entered at EL3. */
  readonly psciConduit: 'hvc' | 'smc' | undefined;
  /** Without firmware nobody could turn a core on, so that all of them start at the entry point. */
  readonly allCoresStart: boolean;
}

export const maxCores = 1024;
/** Each has a bit in GICD_ITARGETSR. */
const maxCoresOfGicV2 = 8;
const everySlot = Array.from({ length: virtioSlotCount }, (_, slot) => slot);
const stepBytes = 0x10_0000;

const mpidrRes1 = 0x8000_0000;
/** ICC_SGI1R_EL1.TargetList reaches 16 PEs, so `virt` puts 16 of them under one Aff1. */
const coresPerAff1 = 16;

const lowRedistributors = memoryMap.gicRedistributors.sizeBytes / redistributorStride;

/** MPIDR_EL1 of core n: Aff0 counts to 16, then Aff1. */
export function mpidrOf(core: number): number {
  return mpidrRes1 + Math.floor(core / coresPerAff1) * 0x100 + (core % coresPerAff1);
}

function redistributorBase(core: number): number {
  return core < lowRedistributors
    ? memoryMap.gicRedistributors.base + core * redistributorStride
    : memoryMap.gicHighRedistributors.base + (core - lowRedistributors) * redistributorStride;
}

/** One region up to 123 cores; from there a second one, which grows beyond QEMU's 64 MiB in steps of 64 MiB. */
function redistributorRegions(cores: number): Region[] {
  const { gicRedistributors: low, gicHighRedistributors: high } = memoryMap;
  if (cores <= lowRedistributors) return [low];
  const steps = Math.ceil(((cores - lowRedistributors) * redistributorStride) / high.sizeBytes);
  return [low, { base: high.base, sizeBytes: steps * high.sizeBytes }];
}

/** Checks the user's choices and derives what follows from them. */
export function resolveBoard(options: BoardOptions): Board {
  const { cores, memoryBytes, gicVersion, virtualization, secure, cpu = 'max', virtioSlots = everySlot } = options;
  const { iommu = 'none', dmaEngines = 0 } = options;
  if (!Number.isInteger(cores) || cores < 1 || cores > maxCores)
    throw new UserError(`the board has from 1 to ${maxCores} cores, not ${cores}`);
  if (!Number.isInteger(memoryBytes) || memoryBytes < stepBytes || memoryBytes > maxMemoryBytes)
    throw new UserError(`the board has from 1M to 3G of RAM, not ${memoryBytes} bytes`);
  if (memoryBytes % stepBytes !== 0)
    throw new UserError(`the board's RAM is a whole number of MiB, which ${memoryBytes} bytes are not`);
  if (gicVersion !== 2 && gicVersion !== 3)
    throw new UserError(`there is no GIC version ${gicVersion} on this board`, 'use GIC version 2 or 3');
  if (gicVersion === 2 && cores > maxCoresOfGicV2)
    throw new UserError(
      `a GIC of version 2 serves at most ${maxCoresOfGicV2} cores, not ${cores}`,
      'use GIC version 3 for more',
    );
  if (cpu !== 'max') throw new UserError(`the core "${cpu}" is not supported yet`, 'use "max"');
  for (const slot of virtioSlots)
    if (!Number.isInteger(slot) || slot < 0 || slot >= virtioSlotCount)
      throw new UserError(`the board has virtio slots 0 to ${virtioSlotCount - 1}, not ${slot}`);
  if (!Number.isInteger(dmaEngines) || dmaEngines < 0 || dmaEngines > dmaEngineCount)
    throw new UserError(`the board has from 0 to ${dmaEngineCount} DMA engines, not ${dmaEngines}`);
  return {
    cores: Array.from({ length: cores }, (_, index) => ({
      index,
      mpidr: mpidrOf(index),
      redistributorBase: redistributorBase(index),
    })),
    cpu,
    memoryBytes,
    gicVersion,
    virtualization,
    secure,
    redistributorRegions: gicVersion === 2 ? [] : redistributorRegions(cores),
    virtioSlots,
    iommu,
    dmaEngines,
  };
}

/**
 * A bare ELF is entered at the highest exception level that the board implements; an arm64 Image always in Non-secure state, at EL2
 * or else EL1, as its boot protocol asks. PSCI is answered one level above: by SMC where EL2 is the guest's, else by HVC.
 */
export function resetOf(board: Pick<Board, 'virtualization' | 'secure'>, imageKind: 'elf' | 'image'): Reset {
  if (board.secure && imageKind === 'elf') return { el: 3, psciConduit: undefined, allCoresStart: true };
  return board.virtualization
    ? { el: 2, psciConduit: 'smc', allCoresStart: false }
    : { el: 1, psciConduit: 'hvc', allCoresStart: false };
}
