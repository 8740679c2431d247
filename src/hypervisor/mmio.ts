// A guest's access to what stage 2 does not map: an emulated device, or a mistake. The syndrome says what the access was (Arm ARM, "ISS
// encoding for an exception from a Data Abort"); the device's answer goes to the register that it names.

import { type Activity, readDevice, work, writeDevice } from '../arch/resident.ts';
import { systemKey } from '../arch/system-key.ts';
import { hasQuirk, type Rhyper, vmAt, writeVcpuX } from './context.ts';
import { noticeWrite } from './mediated/service.ts';
import { costs } from './options.ts';
import { driverBytes, hasTransport } from './slots.ts';
import { deviceKind, type EmulatedDevice, type Vcpu, type Vm } from './state.ts';
import { accessGicv, gicvWindow } from './vgic/gicv-registers.ts';
import { accessDistributor, accessRedistributor } from './vgic/mmio.ts';

/** Fields of ESR_EL2.ISS of a Data Abort. */
const iss = { ISV: 1 << 24, SSE: 1 << 21, SF: 1 << 15, S1PTW: 1 << 7, WnR: 1 << 6 } as const;
const faultClass = { translation: 1, accessFlag: 2, permission: 3 } as const;

const AT_S1E1R = systemKey(1, 0, 7, 8, 0);
const parFault = 1n;
const parAddress = 0x0000_ffff_ffff_f000n;

/** What an abort says of the access. */
export interface AbortedAccess {
  readonly ipa: number;
  readonly isWrite: boolean;
  readonly sizeBytes: number;
  readonly register: number;
  readonly signExtend: boolean;
  readonly is64Bit: boolean;
  /** Stage 2 maps it, and does not permit this access. */
  readonly isForbidden: boolean;
  /** A stage-1 walk has missed a table, not the access its data. */
  readonly isWalk: boolean;
  readonly isValid: boolean;
}

const isPermissionFault = (esr: number): boolean =>
  (esr & 0x3f) >> 2 === faultClass.permission && (esr & iss.S1PTW) === 0;

/** The IPA of an abort: HPFAR_EL2, or for a permission fault, which does not set it, a walk of stage 1. */
function faultingIpa({ system }: Rhyper, esr: number): number {
  const far = system.read('FAR_EL2');
  const offset = Number(far & 0xfffn);
  if (!isPermissionFault(esr)) return Number((system.read('HPFAR_EL2') >> 4n) & 0xf_ffff_ffffn) * 0x1000 + offset;
  const kept = system.read('PAR_EL1');
  system.execute(AT_S1E1R, far);
  const par = system.read('PAR_EL1');
  system.write('PAR_EL1', kept);
  return (par & parFault) !== 0n ? Number.NaN : Number(par & parAddress) + offset;
}

export function abortedAccess(rhyper: Rhyper): AbortedAccess {
  const esr = Number(rhyper.system.read('ESR_EL2') & 0x1ff_ffffn);
  const isValid = (esr & iss.ISV) !== 0;
  const assumesValid = hasQuirk(rhyper, 'isv-ignored');
  return {
    ipa: faultingIpa(rhyper, esr),
    isWrite: (esr & iss.WnR) !== 0,
    sizeBytes: 1 << ((esr >>> 22) & 3),
    register: (esr >>> 16) & 31,
    signExtend: (esr & iss.SSE) !== 0 && !assumesValid,
    is64Bit: (esr & iss.SF) !== 0,
    isForbidden: isPermissionFault(esr),
    isWalk: (esr & iss.S1PTW) !== 0,
    isValid: isValid || assumesValid,
  };
}

function deviceAt(vm: Vm, ipa: number): EmulatedDevice | undefined {
  return vm.config.devices.find(
    (device, n) => n < vm.config.deviceCount && ipa >= device.ipa && ipa < device.ipa + device.bytes,
  );
}

/** GICC of a VM on a board with a GICv2: what stage 2 does not map of it is emulated. */
function cpuInterfaceAt(rhyper: Rhyper, vm: Vm, ipa: number): { ipa: number; name: string } | undefined {
  const window = gicvWindow(rhyper, vm);
  return window && ipa >= window.ipa && ipa < window.ipa + window.bytes ? { ipa: window.ipa, name: 'gicc' } : undefined;
}

/** A 128 KiB pair of frames for each vCPU. */
const redistributorStride = 0x2_0000;

/** The device's answer to a read; undefined where the access is refused. */
function* accessDevice(
  rhyper: Rhyper,
  vcpu: Vcpu,
  device: EmulatedDevice,
  { ipa, isWrite, sizeBytes }: AbortedAccess,
  value: bigint,
): Activity<bigint | undefined> {
  const offset = ipa - device.ipa;
  if (device.kind === deviceKind.gicd || device.kind === deviceKind.gppt)
    return yield* accessDistributor(rhyper, vcpu, offset, sizeBytes, isWrite, value);
  if (device.kind === deviceKind.gicr) {
    const target = Math.floor(offset / redistributorStride);
    return yield* accessRedistributor(rhyper, vcpu, target, offset % redistributorStride, sizeBytes, isWrite, value);
  }
  if (hasTransport(device) && device.slot !== 0) {
    const pa = (rhyper.description.slots[device.slot - 1]?.pa ?? 0) + offset;
    if (sizeBytes === 8 || offset % sizeBytes !== 0 || offset >= driverBytes) return undefined;
    if (!isWrite) {
      const answer = yield* readDevice(pa, sizeBytes);
      return answer === undefined ? undefined : BigInt(answer);
    }
    const isDone = yield* writeDevice(pa, sizeBytes, Number(value & 0xffff_ffffn));
    yield* noticeWrite(rhyper, vmAt(rhyper, vcpu.vm), device, offset);
    return isDone ? 0n : undefined;
  }
  // Registers of a device that has none, such as the shared window of "shyper" where no memory is behind it.
  return 0n;
}

/** What a load of `sizeBytes` leaves in its register. */
function loaded({ sizeBytes, signExtend, is64Bit }: AbortedAccess, value: bigint): bigint {
  const bits = sizeBytes * 8;
  if (!signExtend) return BigInt.asUintN(bits, value);
  return BigInt.asUintN(is64Bit ? 64 : 32, BigInt.asIntN(bits, value));
}

/** Emulates an access of the active vCPU, and steps over it; a refusal in words where that cannot be. */
export function* emulate(rhyper: Rhyper, vcpu: Vcpu, access: AbortedAccess): Activity<string | undefined> {
  const vm = vmAt(rhyper, vcpu.vm);
  const at = `0x${access.ipa.toString(16)}`;
  const what = access.isWrite ? 'write to' : 'read of';
  if (access.isWalk) return `a stage 1 table at IPA ${at}, where it has no memory`;
  const device = deviceAt(vm, access.ipa);
  const found = device ?? cpuInterfaceAt(rhyper, vm, access.ipa);
  if (!found)
    return `a ${what} IPA ${at}, ${access.isForbidden ? 'which it may only read' : 'where it has neither memory nor a device'}`;
  if (!access.isValid) return `a ${what} ${found.name} at IPA ${at} by an instruction that says not which register`;
  yield* work(costs.emulation);
  const elr = rhyper.system.read('ELR_EL2');
  const { isWrite, sizeBytes } = access;
  const value = isWrite ? BigInt.asUintN(sizeBytes * 8, rhyper.pe.readX(access.register)) : 0n;
  const answer = device
    ? yield* accessDevice(rhyper, vcpu, device, access, value)
    : yield* accessGicv(rhyper, vcpu, access.ipa - found.ipa, sizeBytes, isWrite, value);
  if (answer === undefined && hasQuirk(rhyper, 'panic-on-guest-fault'))
    return `a ${what} ${found.name} at IPA ${at} that the device refuses`;
  // What the device does not accept reads as zero and is ignored.
  if (!access.isWrite) writeVcpuX(rhyper, vcpu, access.register, loaded(access, answer ?? 0n));
  rhyper.system.write('ELR_EL2', elr + 4n);
  return undefined;
}
