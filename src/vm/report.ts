// What a system of virtual machines has done, read from the hypervisor's records when the run has ended.

import { charge } from '../hypervisor/accounting.ts';
import {
  type CoreState,
  exitCauses,
  interruptKinds,
  ipiKinds,
  type SystemState,
  type Vcpu,
} from '../hypervisor/state.ts';
import type { SmmuActivity } from '../board/smmu-activity.ts';
import { reportSmmu, type VmSmmuReport } from './smmu-report.ts';

/** Counts by name; those that are 0 are left out. */
export type Counts = Readonly<Record<string, number>>;

export interface VcpuReport {
  readonly vcpu: number;
  /** The physical core. */
  readonly core: number;
  /** Entries to EL2 by cause. */
  readonly exits: Counts;
  /** Running, and asleep without an exit. */
  readonly guestNs: number;
  readonly asleepNs: number;
  readonly injectedInterrupts: number;
  /** Physical interrupts that it has taken at EL1 itself. */
  readonly directInterrupts: number;
  /** Times that it was put on its core. */
  readonly switches: number;
}

export interface VmReport {
  readonly id: number;
  readonly name: string;
  readonly state: string;
  /** Why the hypervisor has stopped it, if it has. */
  readonly stopReason?: string;
  readonly vcpus: readonly VcpuReport[];
}

/** The four times add up to the time that the core has reached: to the end of the run where it sleeps. */
export interface HypervisorCoreReport {
  readonly core: number;
  /** All vCPUs that have been on it: running, and asleep without an exit. */
  readonly guestNs: number;
  readonly guestAsleepNs: number;
  readonly hypervisorNs: number;
  readonly idleNs: number;
  readonly ticks: number;
  readonly schedules: number;
  /** Physical interrupts taken at EL2, by kind. */
  readonly interrupts: Counts;
  /** Of these the ones that were neither the hypervisor's own nor of the VM on the core. */
  readonly foreignInterrupts: number;
  /** Messages between cores by kind. */
  readonly ipisSent: Counts;
  readonly ipisReceived: Counts;
}

export interface VmSystemReport {
  readonly vms: readonly VmReport[];
  readonly cores: readonly HypervisorCoreReport[];
  readonly smmu?: VmSmmuReport;
}

const stateNames = ['inactive', 'pending', 'active'] as const;

const countsOf = (names: readonly string[], counts: BigUint64Array): Counts =>
  Object.fromEntries(names.map((name, n) => [name, Number(counts[n] ?? 0n)] as const).filter(([, count]) => count > 0));

const vcpuReport = (vcpu: Vcpu): VcpuReport => ({
  vcpu: vcpu.id,
  core: vcpu.core,
  exits: countsOf(exitCauses, vcpu.exits),
  guestNs: vcpu.guestTicks,
  asleepNs: vcpu.asleepTicks,
  injectedInterrupts: vcpu.injectedInterrupts,
  directInterrupts: vcpu.directInterrupts,
  switches: vcpu.switches,
});

const coreReport = (core: CoreState, n: number): HypervisorCoreReport => ({
  core: n,
  guestNs: core.guestTicks,
  guestAsleepNs: core.guestAsleepTicks,
  hypervisorNs: core.hypervisorTicks,
  idleNs: core.idleTicks,
  ticks: core.ticks,
  schedules: core.schedules,
  interrupts: countsOf(interruptKinds, core.interrupts),
  foreignInterrupts: core.foreignInterrupts,
  ipisSent: countsOf(ipiKinds, core.ipisSent),
  ipisReceived: countsOf(ipiKinds, core.ipisReceived),
});

/** The cores of the board at the end of the run. */
interface EndOfVmRun {
  readonly simulatedTimeNs: number;
  readonly cores: readonly {
    readonly core: number;
    readonly timeNs: number;
    readonly asleepNs: number;
    readonly isAsleep: boolean;
    readonly interruptsAtEl1: number;
  }[];
}

/** Adds to the records what the cores have counted since their last entry to EL2. */
function settle(state: SystemState, { cores, simulatedTimeNs }: EndOfVmRun): void {
  for (const { core, timeNs, asleepNs, isAsleep, interruptsAtEl1 } of cores) {
    const record = state.cores[core];
    const untilEndNs = isAsleep ? simulatedTimeNs - timeNs : 0;
    if (record)
      charge(state, record, { ticks: timeNs + untilEndNs, asleepTicks: asleepNs + untilEndNs, interruptsAtEl1 });
  }
}

export function reportSystem(state: SystemState, end: EndOfVmRun, smmu?: SmmuActivity): VmSystemReport {
  settle(state, end);
  const cores = state.cores.slice(0, state.coreCount);
  return {
    vms: state.vms
      .filter(({ isConfigured }) => isConfigured !== 0)
      .map((vm) => ({
        id: vm.id,
        name: vm.name,
        state: stateNames[vm.state] ?? '',
        ...(vm.stopReason === '' ? {} : { stopReason: vm.stopReason }),
        vcpus: [...vm.vcpus.subarray(0, vm.vcpuCount)].flatMap((position) => {
          const vcpu = state.vcpus[position];
          return vcpu ? [vcpuReport(vcpu)] : [];
        }),
      })),
    cores: cores.map(coreReport),
    ...(smmu && { smmu: reportSmmu(state, smmu) }),
  };
}
