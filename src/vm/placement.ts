// Which cores the VMs of a system use. What a file says stands; the others get cores in the order of the file: VMs that want cores for
// themselves from the last core down, the rest wherever the fewest vCPUs are. The MVM is on core 0.

import { limits } from '../hypervisor/limits.ts';
import type { VmCpus } from '../hypervisor/description.ts';
import type { VmDraft } from './draft.ts';

export function placeCpus(vms: readonly VmDraft[], coreCount: number): VmCpus[] {
  const load = Array.from({ length: coreCount }, () => 0);
  const taken = new Set<number>();
  const chosen = vms.map(({ cpus, kind, refuse }) => {
    const { count, cores = kind === 'mvm' && count === undefined ? [0] : undefined } = cpus;
    if (cores === undefined) return undefined;
    if (cores.length === 0) refuse('cpus', undefined, 'a VM has a core');
    for (const core of cores)
      if (core >= coreCount) refuse('cpus', undefined, `there is no core ${core}: the board has ${coreCount}`);
    return cores;
  });
  const note = (cores: readonly number[], isExclusive: boolean): readonly number[] => {
    for (const core of cores) {
      load[core] = (load[core] ?? 0) + 1;
      if (isExclusive) taken.add(core);
    }
    return cores;
  };
  const choose = (vm: VmDraft, n: number): void => {
    if (chosen[n]) return;
    const wanted = vm.cpus.count ?? 1;
    const all = Array.from({ length: coreCount }, (_, core) => core).filter((core) => !taken.has(core));
    const free = vm.cpus.exclusive
      ? all.filter((core) => load[core] === 0).reverse()
      : all.sort((a, b) => (load[a] as number) - (load[b] as number) || a - b);
    if (free.length < wanted)
      vm.refuse(
        'cpus',
        undefined,
        `${wanted} ${vm.cpus.exclusive ? 'unused ' : ''}cores are wanted, ${free.length} are left`,
      );
    chosen[n] = note(
      free.slice(0, wanted).sort((a, b) => a - b),
      vm.cpus.exclusive,
    );
  };
  vms.forEach((vm, n) => chosen[n] && note(chosen[n], vm.cpus.exclusive));
  vms.forEach((vm, n) => vm.cpus.exclusive && choose(vm, n));
  vms.forEach(choose);

  const placed = vms.map(({ cpus: { count, master, exclusive }, refuse }, n): VmCpus => {
    const cores = [...new Set(chosen[n])];
    if (cores.length > limits.vcpusPerVm)
      refuse('cpus', undefined, `a VM has at most ${limits.vcpusPerVm} vCPUs, not ${cores.length}`);
    if (master !== undefined && !cores.includes(master))
      refuse('cpus', undefined, `its master, core ${master}, is not one of its cores`);
    if (count === 0) refuse('cpus', undefined, 'a VM has a vCPU');
    const mask = cores.reduce((bits, core) => bits | (1 << core), 0);
    return {
      count: Math.min(count ?? cores.length, cores.length),
      mask,
      ...(master !== undefined && { master }),
      exclusive,
    };
  });
  refuseSharing(vms, placed);
  return placed;
}

/** Why a VM cannot share its cores, in words. With direct interrupts not even the scheduler's tick enters the hypervisor. */
function claimOf({ name, devices }: VmDraft, { exclusive }: VmCpus): string | undefined {
  if (exclusive) return `"${name}" wants it for itself`;
  return devices.some(({ kind }) => kind === 'gppt') ? `"${name}" takes the interrupts of its core itself` : undefined;
}

/** A core of an exclusive VM is nobody else's. */
function refuseSharing(vms: readonly VmDraft[], placed: readonly VmCpus[]): void {
  vms.forEach((vm, n) => {
    for (const [at, other] of vms.slice(0, n).entries()) {
      const [ours, theirs] = [placed[n] as VmCpus, placed[at] as VmCpus];
      const shared = ours.mask & theirs.mask;
      const claim = claimOf(vm, ours) ?? claimOf(other, theirs);
      if (shared === 0 || claim === undefined) continue;
      const core = 31 - Math.clz32(shared);
      vm.refuse('cpus', undefined, `core ${core} is also used by "${other.name}", and ${claim}`);
    }
  });
}
