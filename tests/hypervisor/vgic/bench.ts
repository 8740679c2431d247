// Cores with the hypervisor's state and a GIC, without guests: the virtual interface is the core's own (actors/core), the physical one
// a register file that remembers what has been written to it. Activities run at once; a core takes its interrupts when asked to.

import { type IccName, iccNames } from '../../../actors/gic/cpu-interface-registers.ts';
import { type IchName, ichNames } from '../../../actors/gic/virtual-interface-registers.ts';
import { exit } from '../../../src/arch/exits.ts';
import type { Pe } from '../../../src/arch/pe.ts';
import type { Activity, ResidentWait, SystemAccess } from '../../../src/arch/resident.ts';
import { type Rhyper, setBit } from '../../../src/hypervisor/context.ts';
import { handleInterrupts, handleIntInjectIpi } from '../../../src/hypervisor/interrupts.ts';
import { takeIpi } from '../../../src/hypervisor/ipi.ts';
import { ownInterrupts } from '../../../src/hypervisor/limits.ts';
import type { RhyperOptions } from '../../../src/hypervisor/options.ts';
import { stateAt, stateBytes, type Vcpu, vcpuState, type Vm } from '../../../src/hypervisor/state.ts';
import { handleIntcIpi } from '../../../src/hypervisor/vgic/delivery.ts';
import { resetVgicOfVm } from '../../../src/hypervisor/vgic/reset.ts';
import { restoreVgic, saveVgic } from '../../../src/hypervisor/vgic/switch.ts';
import { memoryViews } from '../../../src/memory/memory-views.ts';
import { assert } from '../../../src/report/assert.ts';
import { type BenchVirtual, virtualInterfaceV2, virtualInterfaceV3 } from './virtual-interface.ts';

export const distributorBase = 0x0800_0000;
/** Frames of a GICv2. */
const gicV2 = {
  cpuInterface: 0x0801_0000,
  virtualControl: 0x0803_0000,
  virtualCpuInterface: 0x0804_0000,
} as const;
const frameBytes = 0x1_0000;
const GICC = { IAR: 0x0c, EOIR: 0x10, DIR: 0x1000 } as const;
const GICD_SGIR = 0xf00;
export const redistributorBases = [0x080a_0000, 0x080c_0000, 0x080e_0000] as const;

/** One core: what its guest sees of its virtual interface, and what reaches its physical one. */
export interface BenchCore {
  readonly rhyper: Rhyper;
  readonly virtual: BenchVirtual;
  readonly registers: Map<string, bigint>;
  /** Physical interrupts that the core can acknowledge, in this order. */
  readonly pending: number[];
  /** Priority drops and deactivations, in the order in which they were made: 'EOI 40', 'DIR 40', 'virtual 40'. */
  readonly ended: string[];
  ticks: number;
}

export interface Bench {
  readonly cores: readonly BenchCore[];
  readonly vms: readonly Vm[];
  readonly log: string[];
  /** Device accesses, in order: 'write 8000100 80'. */
  readonly accesses: string[];
  readonly devices: Map<number, number>;
  vcpu(vm: number, id?: number): Vcpu;
  run<Result>(core: number, activity: (rhyper: Rhyper) => Activity<Result>): Result;
  /** The core takes interrupts until none is pending. */
  takeInterrupts(core: number): void;
  /** Every core does, until nothing happens any more. */
  settle(): void;
  enter(vm: number, id?: number): void;
  leave(core: number): void;
  /** The guest of a core reads or writes its CPU interface. */
  icc(core: number, name: IccName, value?: number): number;
  /** INTID and state of each list register of a core: '40P', '41A', '-'. */
  lists(core: number): string[];
}

const icc: ReadonlySet<string> = new Set(iccNames);
const ich: ReadonlySet<string> = new Set(ichNames);
const listPattern = /^ICH_LR(\d+)_EL2$/;
const stateBase = 0x1000;

/** One for all benches, of which one is in use at a time: the views of so many records take longer to make than a test. */
const memory = memoryViews(new ArrayBuffer(stateBase + stateBytes));
const state = stateAt(memory, stateBase);

interface BenchVm {
  /** Cores of its vCPUs. */
  readonly cores: readonly number[];
  /** INTIDs that pass through. */
  readonly physical?: readonly number[];
  /** Emulated devices: kind and INTID. */
  readonly devices?: readonly (readonly [kind: number, intid: number])[];
}

/** The first pending interrupt of a kind, which is pending no more. */
function take(pending: number[], isWanted: (intid: number) => boolean): number {
  const at = pending.findIndex(isWanted);
  return at < 0 ? 1023 : (pending.splice(at, 1)[0] ?? 1023);
}

function sendSgi(cores: readonly BenchCore[], intid: number, targets: number): void {
  cores.forEach((each, n) => {
    if (((targets >>> n) & 1) !== 0 && !each.pending.includes(intid)) each.pending.push(intid);
  });
}

function makeSystem(core: () => BenchCore, all: () => readonly BenchCore[], lists: number): SystemAccess {
  return {
    read: (name) => {
      const { virtual, registers, pending } = core();
      if (ich.has(name)) return BigInt(virtual.readIch(name as IchName));
      const list = listPattern.exec(name);
      if (list) return virtual.readList(Number(list[1])) ?? 0n;
      if (name === 'ICC_IAR0_EL1') return BigInt(take(pending, (intid) => intid === ownInterrupts.ipi));
      if (name === 'ICC_IAR1_EL1') return BigInt(take(pending, (intid) => intid !== ownInterrupts.ipi));
      if (name === 'CNTFRQ_EL0') return 1_000_000_000n;
      return registers.get(name) ?? 0n;
    },
    write: (name, value) => {
      const { virtual, registers, ended } = core();
      const list = listPattern.exec(name);
      if (ich.has(name)) virtual.writeIch(name as IchName, value);
      else if (list) assert(virtual.writeList(Number(list[1]), value), `one of ${lists} list registers`);
      else if (name === 'ICC_EOIR0_EL1' || name === 'ICC_EOIR1_EL1') ended.push(`EOI ${value}`);
      else if (name === 'ICC_DIR_EL1') ended.push(`DIR ${value}`);
      else if (name === 'ICC_SGI0R_EL1') sendSgi(all(), Number((value >> 24n) & 0xfn), Number(value & 0xffffn));
      else registers.set(name, value);
    },
    execute: () => {},
  };
}

export function makeBench(
  vmsOfBench: readonly BenchVm[],
  options: Partial<RhyperOptions> & { readonly lists?: number; readonly gicVersion?: 2 | 3 } = {},
): Bench {
  const gicVersion = options.gicVersion ?? 3;
  const lists = options.lists ?? 4;
  assert(gicVersion === 3 || lists === 4, 'a GIC-400 has four list registers');
  memory.bytes.fill(0);
  const cores: BenchCore[] = [];
  const log: string[] = [];
  const accesses: string[] = [];
  const devices = new Map<number, number>();
  const rhyperOptions: RhyperOptions = {
    profile: 'rust-shyper-2023',
    quirks: [],
    trapsWaits: false,
    injection: 'list-registers',
    tickTicks: 1_000_000,
    blockPatienceTicks: 1_000_000_000,
    ...options,
  };
  state.coreCount = redistributorBases.length;
  redistributorBases.forEach((_, index) => {
    const core = state.cores[index];
    assert(core !== undefined, 'the state has as many cores');
    core.mpidr = 0x8000_0000n | BigInt(index);
    core.interfaceMask = 1 << index;
    core.listRegisters = lists;
    const port = {
      maintenance: (level: boolean): void => {
        const at = bench.pending.indexOf(ownInterrupts.maintenance);
        if (level && at < 0) bench.pending.push(ownInterrupts.maintenance);
        if (!level && at >= 0) bench.pending.splice(at, 1);
      },
      deactivate: (intid: number): void => {
        bench.ended.push(`virtual ${intid}`);
      },
    };
    const bench: BenchCore = {
      rhyper: {
        index,
        // No DVM message is ever outstanding here.
        pe: { dsb: () => exit.none } as unknown as Pe,
        memory,
        system: makeSystem(
          () => bench,
          () => cores,
          lists,
        ),
        state,
        core,
        options: rhyperOptions,
        platform: {
          coreCount: redistributorBases.length,
          mpidrs: [0, 1, 2],
          ownMemory: { pa: 0, bytes: stateBase + stateBytes },
          vmMemory: { pa: 0, bytes: 0 },
          gicVersion,
          distributorBase,
          redistributorBases,
          gicV2,
        },
        port: {
          counts: () => ({ ticks: 0, asleepTicks: 0, interruptsAtEl1: 0 }),
          log: (line: string) => log.push(line),
          stop: () => {},
          writeRam: () => {},
          buildTree: () => new Uint8Array(),
        },
      } as unknown as Rhyper,
      virtual: gicVersion === 3 ? virtualInterfaceV3(port, lists) : virtualInterfaceV2(port),
      registers: new Map([['ICC_CTLR_EL1', 2n]]),
      pending: [],
      ended: [],
      ticks: 0,
    };
    cores.push(bench);
  });

  /** What a GICv2 has in memory besides fields of interrupts; undefined where it is not that. */
  function accessGicV2(core: BenchCore, isWrite: boolean, pa: number, value: number): number | undefined {
    const { virtual, pending, ended } = core;
    const gich = pa - gicV2.virtualControl;
    if (virtual.gich && gich >= 0 && gich < frameBytes) {
      if (!isWrite) return virtual.gich.read(gich);
      virtual.gich.write(gich, value);
      return 0;
    }
    if (pa === distributorBase + GICD_SGIR && isWrite) {
      sendSgi(cores, value & 0xf, (value >>> 16) & 0xff);
      return 0;
    }
    switch (pa - gicV2.cpuInterface) {
      case GICC.IAR:
        return isWrite ? 0 : take(pending, () => true);
      case GICC.EOIR:
        ended.push(`EOI ${value}`);
        return 0;
      case GICC.DIR:
        ended.push(`DIR ${value}`);
        return 0;
      default:
        return undefined;
    }
  }

  function answer(core: BenchCore, wait: ResidentWait): { isOkay: boolean; valueLow: number; valueHigh: number } {
    if (wait.kind !== 'access') return { isOkay: true, valueLow: 0, valueHigh: 0 };
    if (gicVersion === 2) {
      const value = accessGicV2(core, wait.isWrite, wait.pa, wait.valueLow);
      if (value !== undefined) return { isOkay: true, valueLow: value, valueHigh: 0 };
    }
    const at = wait.pa.toString(16);
    accesses.push(wait.isWrite ? `write ${at} ${wait.valueLow.toString(16)}` : `read ${at}`);
    if (wait.isWrite) devices.set(wait.pa, wait.valueLow);
    return { isOkay: true, valueLow: devices.get(wait.pa) ?? 0, valueHigh: 0 };
  }

  function run<Result>(core: number, activity: (rhyper: Rhyper) => Activity<Result>): Result {
    const steps = activity((cores[core] as BenchCore).rhyper);
    let step = steps.next({ isOkay: true, valueLow: 0, valueHigh: 0 });
    while (!step.done) {
      if (step.value.kind === 'work') (cores[core] as BenchCore).ticks += step.value.ticks;
      step = steps.next(answer(cores[core] as BenchCore, step.value));
    }
    return step.value;
  }

  let positions = 0;
  vmsOfBench.forEach((described, id) => {
    const vm = state.vms[id] as Vm;
    vm.id = id;
    vm.isConfigured = 1;
    vm.isBuilt = 1;
    vm.vcpuCount = described.cores.length;
    described.cores.forEach((core, n) => {
      const vcpu = state.vcpus[positions] as Vcpu;
      vcpu.isAllocated = 1;
      vcpu.id = n;
      vcpu.vm = id;
      vcpu.core = core;
      vcpu.state = vcpuState.pending;
      vcpu.isOn = 1;
      vm.vcpus[n] = positions;
      positions += 1;
    });
    for (const intid of described.physical ?? []) setBit(vm.ownedInterrupts, intid, true);
    (described.devices ?? []).forEach(([kind, intid], n) => {
      const device = vm.config.devices[n];
      assert(device !== undefined, 'a VM has room for its devices');
      device.kind = kind;
      device.intid = intid;
      vm.config.deviceCount = n + 1;
    });
    run(0, (rhyper) => resetVgicOfVm(rhyper, vm));
    for (const at of vm.vcpus.subarray(0, vm.vcpuCount)) (state.vcpus[at] as Vcpu).vgic.waker = 0;
  });
  accesses.length = 0;

  const vcpuNumbered = (vm: number, id = 0): Vcpu => {
    const vcpu = state.vcpus[state.vms[vm]?.vcpus[id] ?? -1];
    assert(vcpu !== undefined, 'the VM has this vCPU');
    return vcpu;
  };

  function* handleIpis(rhyper: Rhyper): Activity {
    for (let ipi = takeIpi(rhyper); ipi !== undefined; ipi = takeIpi(rhyper)) {
      if (ipi.kind === 'Intc') yield* handleIntcIpi(rhyper, ipi);
      else yield* handleIntInjectIpi(rhyper, ipi);
    }
  }

  const takeInterrupts = (core: number): void => {
    run(core, (rhyper) =>
      handleInterrupts(rhyper, {
        ipi: () => handleIpis(rhyper),
        *tick() {
          rhyper.core.ticks += 1;
          yield { kind: 'work', ticks: 1 };
        },
        *device() {
          return undefined;
        },
      }),
    );
  };

  return {
    cores,
    vms: state.vms,
    log,
    accesses,
    devices,
    vcpu: vcpuNumbered,
    run,
    takeInterrupts,
    settle: () => {
      for (let limit = 0; cores.some(({ pending }) => pending.length > 0); limit += 1) {
        assert(limit < 1000, 'interrupts end');
        cores.forEach((_, n) => {
          takeInterrupts(n);
        });
      }
    },
    enter: (vm, id = 0) => {
      const vcpu = vcpuNumbered(vm, id);
      const core = state.cores[vcpu.core];
      assert(core?.active === 0, 'the core is free');
      core.active = state.vcpus.indexOf(vcpu) + 1;
      vcpu.state = vcpuState.active;
      run(vcpu.core, (rhyper) => restoreVgic(rhyper, vcpu));
    },
    leave: (n) => {
      const core = state.cores[n];
      const vcpu = state.vcpus[(core?.active ?? 0) - 1];
      assert(core !== undefined && vcpu !== undefined, 'a vCPU is active there');
      run(n, (rhyper) => saveVgic(rhyper, vcpu));
      vcpu.state = vcpuState.pending;
      core.active = 0;
    },
    icc: (n, name, value) => {
      const { virtual } = cores[n] as BenchCore;
      assert(icc.has(name), 'it is a register of the interface');
      if (value === undefined) return virtual.read(name);
      virtual.write(name, BigInt(value));
      return value;
    },
    lists: (n) =>
      Array.from({ length: lists }, (_, at) => {
        const lr = (cores[n] as BenchCore).virtual.readList(at) ?? 0n;
        return lr >> 62n === 0n ? '-' : `${lr & 0x3ffn}${['', 'P', 'A', 'PA'][Number(lr >> 62n)] ?? ''}`;
      }),
  };
}
