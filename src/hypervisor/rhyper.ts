// Rhyper: the hypervisor of one core, from reset on (section 1.3 of the ancestor's description). Core 0 makes the common state, turns the
// other cores on through the firmware, and builds and boots the VMs that exist from power-on; every core then runs what its queue
// holds, or sleeps.

import type { Pe } from '../arch/pe.ts';
import {
  type Activity,
  callFirmware,
  type EntryEnd,
  type ResidentLevelSoftware,
  systemAccess,
  work,
} from '../arch/resident.ts';
import { touchedPageOffset } from '../arch/state-layout.ts';
import type { MemoryViews } from '../arch/resident.ts';
import { assert } from '../report/assert.ts';
import { enterHypervisor, turnOff } from './accounting.ts';
import { coreAt, type Rhyper, type RhyperPlatform, type RhyperPort } from './context.ts';
import type { SystemDescription, VmDescription } from './description.ts';
import { begin, enter, serveIpis } from './entry.ts';
import { initInterrupts } from './interrupts.ts';
import { boot, build, claimVm, configure, load, loadTree, refuseBuild } from './lifecycle.ts';
import { limits } from './limits.ts';
import { pageBytes } from './memory.ts';
import { costs } from './options.ts';
import { initSmmu } from './smmu/streams.ts';
import { vtcr } from './stage2.ts';
import { coreState, stateAt, stateBytes, stateMagic, type Vm, vmKind } from './state.ts';

export interface RhyperParts {
  readonly index: number;
  readonly pe: Pe;
  readonly memory: MemoryViews;
  readonly platform: RhyperPlatform;
  readonly port: RhyperPort;
  readonly description: SystemDescription;
}

/** SMC64 CPU_ON. */
const CPU_ON = 0xc400_0003n;
const psciSuccess = 0n;
/** CNTHCTL_EL2: EL1 and EL0 reach the physical counter and timer. */
const cnthctl = 3n;

/** Pages that the record of everything takes; the rest of the hypervisor's memory is its heap. */
const statePages = Math.ceil(stateBytes / pageBytes);

export function createRhyper(parts: RhyperParts): ResidentLevelSoftware {
  const { index, pe, memory, platform, port, description } = parts;
  const { ownMemory, vmMemory } = platform;
  const state = stateAt(memory, ownMemory.pa);
  const rhyper: Rhyper = {
    index,
    pe,
    memory,
    system: systemAccess(pe, memory.doublewords),
    state,
    core: state.cores[index] as Rhyper['core'],
    options: description.options,
    platform,
    port: {
      ...port,
      stop: (exitCode) => {
        turnOff(rhyper);
        port.stop(exitCode);
      },
    },
    description,
    serveIpis: () => serveIpis(rhyper),
  };

  /** What every core does before anything else. */
  function* initCore(): Activity {
    rhyper.system.write('VBAR_EL2', 0n);
    rhyper.system.write('VTCR_EL2', vtcr);
    rhyper.system.write('CPTR_EL2', 0n);
    rhyper.system.write('CNTHCTL_EL2', cnthctl);
    rhyper.core.mpidr = rhyper.system.read('MPIDR_EL1') & 0xff_00ff_ffffn;
    rhyper.core.state = coreState.idle;
    yield* initInterrupts(rhyper);
    state.coresReady += 1;
  }

  function initState(): void {
    assert(ownMemory.bytes / pageBytes - statePages > 0, 'the hypervisor has memory of its own');
    memory.bytes.fill(0, ownMemory.pa, ownMemory.pa + statePages * pageBytes);
    memory.bytes.fill(
      1,
      touchedPageOffset + ownMemory.pa / pageBytes,
      touchedPageOffset + ownMemory.pa / pageBytes + statePages,
    );
    state.magic = stateMagic;
    state.coreCount = platform.coreCount;
    state.heapStart = ownMemory.pa + statePages * pageBytes;
    state.heapPages = Math.min(ownMemory.bytes / pageBytes - statePages, state.heapBitmap.length * 32);
    state.freeCount = 1;
    Object.assign(state.free[0] ?? {}, { pa: vmMemory.pa, bytes: vmMemory.bytes });
  }

  function* startCores(): Activity {
    for (let n = 1; n < platform.coreCount; n += 1) {
      coreAt(rhyper, n).state = coreState.invalid;
      const mpidr = BigInt(platform.mpidrs[n] ?? 0) & 0xff_00ff_ffffn;
      const result = yield* callFirmware(pe, CPU_ON, mpidr, BigInt(ownMemory.pa), 0n);
      assert(result === psciSuccess, `core ${n} starts`);
    }
    while (state.coresReady < platform.coreCount) yield* work(costs.ipi);
  }

  /** A VM that exists from power-on; its images are the description's. */
  function* createVm(vmDescription: VmDescription): Activity<Vm | undefined> {
    const kind = vmDescription.kind === 'app' ? vmKind.bareMetalApp : vmKind.operatingSystem;
    const vm = claimVm(rhyper, vmDescription.name, kind);
    if (!vm) {
      port.log(`there are ${limits.vms} VMs already: ${vmDescription.name} is not made`);
      return undefined;
    }
    configure(vm, vmDescription);
    const refusal = yield* build(rhyper, vm);
    if (refusal !== undefined) {
      refuseBuild(rhyper, vm, refusal);
      return undefined;
    }
    const { kernel, ramdisk, tree } = vmDescription;
    const isLoaded =
      load(rhyper, vm, kernel.loadIpa, kernel.bytes) &&
      (ramdisk === undefined || load(rhyper, vm, ramdisk.loadIpa, ramdisk.bytes)) &&
      (tree?.bytes === undefined ? loadTree(rhyper, vm) : load(rhyper, vm, tree.loadIpa, tree.bytes));
    if (!isLoaded) port.log(`VM ${vm.id} (${vm.name}): an image does not fit into its memory`);
    return isLoaded ? vm : undefined;
  }

  function* powerOn(): Activity {
    yield* initCore();
    port.log(`Welcome to virt Rhyper Hypervisor!`);
    yield* initSmmu(rhyper);
    yield* startCores();
    port.log(`Bring up ${platform.coreCount} cores`);
    const made: Vm[] = [];
    for (const vmDescription of description.vms) {
      if (vmDescription.boot !== 'power-on') continue;
      const vm = yield* createVm(vmDescription);
      if (vm) made.push(vm);
    }
    for (const vm of made) yield* boot(rhyper, vm);
  }

  return {
    *reset(): Activity<EntryEnd> {
      if (index === 0) initState();
      enterHypervisor(rhyper);
      if (index === 0) yield* powerOn();
      else yield* initCore();
      return yield* begin(rhyper);
    },
    exception: (vectorOffset) => enter(rhyper, vectorOffset),
  };
}
