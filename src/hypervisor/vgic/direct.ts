// A VM that takes its interrupts itself (partial passthrough, section 7.6 of the ancestor's description). Its CPU interface is the
// physical one, which changes hands with the vCPU (gic-v3.ts, gic-v2.ts); in its record it has the layout of ICH_VMCR_EL2. EOImode is 0
// for the VM until it says otherwise, 1 for the hypervisor. An interrupt that is active when the vCPU leaves stays active; its
// priority is carried over.
//
// With GICv3 the hypervisor's message comes as an FIQ, and HCR_EL2.FMO makes trapped ones of the registers that are common to both
// groups. Here they are done to the physical ones. The highest priority is the hypervisor's: the VM's begin one level lower, so that no
// mask of the VM holds back a message.

import { type Activity, immediately } from '../../arch/resident.ts';
import { type Rhyper, vmAt } from '../context.ts';
import { ownInterrupts } from '../limits.ts';
import { deviceKind, type Vcpu, type Vm } from '../state.ts';
import { maskOf, setFlags, setMask } from './cpu-interface.ts';
import { iccCtlr } from './icv-registers.ts';
import { firstPpi, firstSpecialIntid } from './interrupt.ts';
import { vmcr } from './list-register.ts';
import { physicalBits } from './physical.ts';

const sgis = (1 << firstPpi) - 1;

/** The VM takes its interrupts at EL1, from the physical GIC. */
export function isDirect({ config }: Vm): boolean {
  for (let n = 0; n < config.deviceCount; n += 1) if (config.devices[n]?.kind === deviceKind.gppt) return true;
  return false;
}

/** The least mask that lets a message through, and the highest priority of the VM. */
export const lowestDirectMask = 8n;

/** The physical mask for a mask of the VM. */
export const directMask = (vcpu: Vcpu): bigint => {
  const mask = BigInt(maskOf(vcpu));
  return mask > lowestDirectMask ? mask : lowestDirectMask;
};

/** The VM's physical interrupts: what passes through to it, and SGIs but for the hypervisor's. */
export const permitted = (vm: Vm, word: number): number =>
  ((word === 0 ? sgis & ~(1 << ownInterrupts.ipi) : 0) | physicalBits(vm, word)) >>> 0;
const isOwn = (vm: Vm, intid: number): boolean =>
  intid < firstSpecialIntid && ((permitted(vm, intid >>> 5) >>> (intid & 31)) & 1) === 1;

/** A trapped access of a common register. Undefined where it is none. CBPR is RAZ/WI: the binary point of Group 0 is not the VM's. */
export const accessDirect = (
  rhyper: Rhyper,
  vcpu: Vcpu,
  name: string,
  isWrite: boolean,
  value: bigint,
): Activity<bigint | undefined> =>
  immediately(() => {
    const { system } = rhyper;
    switch (name) {
      case 'ICC_PMR_EL1':
        if (!isWrite) return BigInt(maskOf(vcpu));
        setMask(vcpu, Number(value & 0xffn));
        system.write(name, directMask(vcpu));
        return 0n;
      case 'ICC_CTLR_EL1': {
        const eoiMode = BigInt(iccCtlr.EOImode);
        if (!isWrite) return BigInt(iccCtlr.fixed) | (system.read(name) & eoiMode);
        setFlags(vcpu, vmcr.VEOIM, (value & eoiMode) !== 0n ? vmcr.VEOIM : 0n);
        system.write(name, value & eoiMode);
        return 0n;
      }
      case 'ICC_RPR_EL1':
        return isWrite ? 0n : system.read(name);
      case 'ICC_DIR_EL1':
        if (isWrite && isOwn(vmAt(rhyper, vcpu.vm), Number(value & 0xff_ffffn))) system.write(name, value);
        return 0n;
      default:
        return undefined;
    }
  });
