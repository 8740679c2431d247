// What a system of virtual machines has done, read from the hypervisor's records when the run has ended.

import { exitCauses, ipiKinds, type SystemState, type Vcpu } from '../hypervisor/state.ts';

export interface VcpuReport {
  readonly vcpu: number;
  /** The physical core. */
  readonly core: number;
  /** Entries to EL2 by cause; those that never happened are left out. */
  readonly exits: Readonly<Record<string, number>>;
  readonly guestNs: number;
  readonly injectedInterrupts: number;
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

export interface HypervisorCoreReport {
  readonly core: number;
  readonly idleNs: number;
  readonly hypervisorNs: number;
  readonly ticks: number;
  readonly schedules: number;
  readonly foreignInterrupts: number;
  /** Messages between cores by kind; those that never were are left out. */
  readonly ipisSent: Readonly<Record<string, number>>;
  readonly ipisReceived: Readonly<Record<string, number>>;
}

export interface VmSystemReport {
  readonly vms: readonly VmReport[];
  readonly cores: readonly HypervisorCoreReport[];
}

const stateNames = ['inactive', 'pending', 'active'] as const;

const countsOf = (names: readonly string[], counts: BigUint64Array): Record<string, number> =>
  Object.fromEntries(names.map((name, n) => [name, Number(counts[n] ?? 0n)] as const).filter(([, count]) => count > 0));

const vcpuReport = (vcpu: Vcpu): VcpuReport => ({
  vcpu: vcpu.id,
  core: vcpu.core,
  exits: countsOf(exitCauses, vcpu.exits),
  guestNs: vcpu.guestTicks,
  injectedInterrupts: vcpu.injectedInterrupts,
  directInterrupts: vcpu.directInterrupts,
  switches: vcpu.switches,
});

export function reportSystem(state: SystemState): VmSystemReport {
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
    cores: state.cores.slice(0, state.coreCount).map((core, n) => ({
      core: n,
      idleNs: core.idleTicks,
      hypervisorNs: core.hypervisorTicks,
      ticks: core.ticks,
      schedules: core.schedules,
      foreignInterrupts: core.foreignInterrupts,
      ipisSent: countsOf(ipiKinds, core.ipisSent),
      ipisReceived: countsOf(ipiKinds, core.ipisReceived),
    })),
  };
}
