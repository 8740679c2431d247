// Rhyper on the cores of a machine: what the board tells it, and how what it does reaches the world.

import type { ActorId } from '../actors/actor.ts';
import type { CoreControl } from '../actors/core/options.ts';
import type { Pe } from '../src/arch/pe.ts';
import type { ResidentLevelSoftware } from '../src/arch/resident.ts';
import { dmaEngine, memoryMap } from '../src/board/memory-map.ts';
import type { Board } from '../src/board/virt.ts';
import type { Engine } from '../src/engine/engine.ts';
import type { RhyperPlatform } from '../src/hypervisor/context.ts';
import type { SystemDescription } from '../src/hypervisor/description.ts';
import { createRhyper } from '../src/hypervisor/rhyper.ts';
import type { BuildVmTree } from '../src/hypervisor/tree-description.ts';
import type { MemoryViews } from '../src/memory/memory-views.ts';
import type { Backend, GuestUart, NetworkDescription } from '../src/vm/system.ts';
import { deviceRam } from './device-ram.ts';
import { smmuIntids } from './smmu.ts';

interface PhysicalRange {
  readonly pa: number;
  readonly bytes: number;
}

/** A hypervisor that is resident at EL2 from power-on, and its share of RAM. */
export interface ResidentSystem {
  readonly description: SystemDescription;
  readonly ownMemory: PhysicalRange;
  readonly vmMemory: PhysicalRange;
  readonly uarts: readonly GuestUart[];
  readonly backends: readonly Backend[];
  readonly network: NetworkDescription;
}

export interface RhyperHost {
  readonly board: Board;
  readonly views: MemoryViews;
  readonly engine: Engine;
  readonly cores: readonly ActorId[];
  /** Where a frame of the transports' windows lies, and the distance to the next. */
  readonly slotControl: { readonly pa: number; readonly stride: number };
  readonly buildTree: BuildVmTree;
  /** A line of the hypervisor's console. */
  readonly log: (line: string) => void;
}

function platformOf({ board, slotControl }: RhyperHost, { ownMemory, vmMemory }: ResidentSystem): RhyperPlatform {
  return {
    coreCount: board.cores.length,
    mpidrs: board.cores.map(({ mpidr }) => mpidr),
    ownMemory,
    vmMemory,
    gicVersion: board.gicVersion,
    distributorBase: memoryMap.gicDistributor.base,
    redistributorBases: board.cores.map(({ redistributorBase }) => redistributorBase),
    ...(board.iommu === 'smmuv3' && { smmu: { pa: memoryMap.smmu.base, gerrorIntid: smmuIntids.gerror } }),
    dmaEngines: Array.from({ length: board.dmaEngines }, (_, n) => dmaEngine(n).base),
    gicV2: {
      cpuInterface: memoryMap.gicCpuInterface.base,
      virtualControl: memoryMap.gicVirtualControl.base,
      virtualCpuInterface: memoryMap.gicVirtualCpuInterface.base,
    },
    slotControl,
  };
}

/** The hypervisor of one core. */
export function rhyperOfCore(
  host: RhyperHost,
  system: ResidentSystem,
  index: number,
  pe: Pe,
  control: CoreControl,
): ResidentLevelSoftware {
  const { board, views, engine, cores, buildTree, log } = host;
  const ram = deviceRam({ views, ramBytes: board.memoryBytes, engine, cores }, control.port);
  return createRhyper({
    index,
    pe,
    memory: views,
    description: system.description,
    platform: platformOf(host, system),
    port: {
      counts: control.counts,
      log,
      stop: control.exit,
      writeRam: (pa, bytes) => {
        ram.writeBytes(pa, bytes);
      },
      buildTree,
    },
  });
}
