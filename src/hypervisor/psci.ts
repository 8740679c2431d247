// PSCI as the hypervisor answers it for its VMs (section 9 of the ancestor's description): a VM sees its own vCPUs as the PEs of its
// machine, and reaches no other.

import type { Activity } from '../arch/resident.ts';
import { hasQuirk, type Rhyper, vcpuOf, vmAt, writeVcpuX } from './context.ts';
import { sendIpi } from './ipi.ts';
import { powerOff, resetVm, shutDown, startVcpu, stopVcpu } from './lifecycle.ts';
import { sendMessage } from './messages.ts';
import { isHere, schedule } from './scheduler.ts';
import { hearFaults } from './smmu/events.ts';
import { type Vcpu, type Vm } from './state.ts';

const functionId = {
  VERSION: 0x8400_0000,
  CPU_SUSPEND: 0x8400_0001,
  CPU_OFF: 0x8400_0002,
  CPU_ON: 0x8400_0003,
  AFFINITY_INFO: 0x8400_0004,
  MIGRATE_INFO_TYPE: 0x8400_0006,
  SYSTEM_OFF: 0x8400_0008,
  SYSTEM_RESET: 0x8400_0009,
  FEATURES: 0x8400_000a,
  SMCCC_VERSION: 0x8000_0000,
} as const;
const smc64 = 0x4000_0000;
const known: ReadonlySet<number> = new Set(Object.values(functionId));

const version = 0x1_0001n;
const success = 0n;
const result = { notSupported: -1n, invalidParameters: -2n, denied: -3n, alreadyOn: -4n, invalidAddress: -9n } as const;
const migrationNotRequired = 2n;
const affinityMask = 0xff_00ff_ffffn;

const powerEvent = { on: 0, off: 1, reset: 2 } as const;

/** The HVC function and event by which the MVM is asked to load a VM's image again. */
const uploadImage = { fid: 0x11, event: 9 } as const;

/** The vCPU whose virtual affinity this is. */
const targetOf = (rhyper: Rhyper, vm: Vm, affinity: bigint): Vcpu | undefined =>
  (affinity & ~affinityMask) === 0n && affinity <= 0xffn ? vcpuOf(rhyper, vm, Number(affinity)) : undefined;

const isInMemory = (vm: Vm, ipa: bigint): boolean =>
  vm.regions.some(
    (region, n) => n < vm.regionCount && ipa >= BigInt(region.ipa) && ipa < BigInt(region.ipa + region.bytes),
  );

function* cpuOn(rhyper: Rhyper, vm: Vm, affinity: bigint, entry: bigint, context: bigint): Activity<bigint> {
  const target = targetOf(rhyper, vm, affinity);
  if (!target) return result.invalidParameters;
  if (target.isOn !== 0) {
    if (!hasQuirk(rhyper, 'psci-already-on')) return result.alreadyOn;
    rhyper.port.log(`vCPU ${target.id} of VM ${vm.id} is on already`);
    return success;
  }
  if (!isInMemory(vm, entry) || (entry & 3n) !== 0n) return result.invalidAddress;
  target.isOn = 1;
  if (isHere(rhyper, target)) yield* startVcpu(rhyper, target, entry, context);
  else
    yield* sendIpi(rhyper, target.core, {
      kind: 'Power',
      vm: vm.id,
      a: powerEvent.on,
      b: target.id,
      low: entry,
      high: context,
    });
  return success;
}

/** A message of this kind from another core. */
export function* handlePowerIpi(
  rhyper: Rhyper,
  vmId: number,
  event: number,
  vcpuId: number,
  entry: bigint,
  context: bigint,
): Activity {
  const vcpu = vcpuOf(rhyper, vmAt(rhyper, vmId), vcpuId);
  if (!vcpu || !isHere(rhyper, vcpu)) return;
  if (event === powerEvent.on) yield* startVcpu(rhyper, vcpu, entry, context);
  else yield* stopVcpu(rhyper, vcpu);
}

/** VM 0 is the machine; another VM is reset, and the MVM is asked for its image. */
function* systemReset(rhyper: Rhyper, vm: Vm): Activity {
  if (vm.isManager !== 0) {
    yield* powerOff(rhyper);
    return;
  }
  if (!(yield* resetVm(rhyper, vm))) return;
  yield* sendMessage(rhyper, vmAt(rhyper, 0), { ...uploadImage, arguments: [vm.id] });
}

function* systemOff(rhyper: Rhyper, vm: Vm): Activity {
  if (vm.hearsFaults !== 0) yield* hearFaults(rhyper);
  rhyper.port.log(`VM ${vm.id} (${vm.name}) is off`);
  yield* shutDown(rhyper, vm);
  if (rhyper.state.vms.every(({ isConfigured, isBuilt, state }) => isConfigured === 0 || isBuilt === 0 || state !== 2))
    yield* powerOff(rhyper);
}

/** Answers SMC #0 of a vCPU by its registers; the result is in X0. */
export function* callPsci(rhyper: Rhyper, vcpu: Vcpu): Activity {
  const vm = vmAt(rhyper, vcpu.vm);
  const [id, ...args] = [0, 1, 2, 3].map((n) => rhyper.pe.readX(n)) as [bigint, bigint, bigint, bigint];
  const fid = Number(id & 0xffff_ffffn);
  const base = (fid & ~smc64) >>> 0;
  const is64Bit = (fid & smc64) !== 0;
  const [first, second, third] = is64Bit
    ? args
    : (args.map((value) => value & 0xffff_ffffn) as [bigint, bigint, bigint]);
  const answer = (value: bigint): void => {
    writeVcpuX(rhyper, vcpu, 0, value);
  };
  switch (base) {
    case functionId.VERSION:
    case functionId.SMCCC_VERSION:
      answer(version);
      break;
    case functionId.FEATURES:
      answer(known.has(Number(first & 0xffff_ffffn & ~BigInt(smc64))) ? success : result.notSupported);
      break;
    case functionId.CPU_ON:
      answer(yield* cpuOn(rhyper, vm, first, second, third));
      break;
    case functionId.AFFINITY_INFO: {
      const target = targetOf(rhyper, vm, first);
      answer(target ? (target.isOn !== 0 ? 0n : 1n) : result.invalidParameters);
      break;
    }
    case functionId.MIGRATE_INFO_TYPE:
      answer(migrationNotRequired);
      break;
    case functionId.CPU_OFF:
      yield* stopVcpu(rhyper, vcpu);
      break;
    case functionId.CPU_SUSPEND:
      // A standby state that is left at once: the caller has to expect it.
      answer(success);
      yield* schedule(rhyper);
      break;
    case functionId.SYSTEM_OFF:
      yield* systemOff(rhyper, vm);
      break;
    case functionId.SYSTEM_RESET:
      yield* systemReset(rhyper, vm);
      break;
    default:
      answer(result.notSupported);
  }
}
