// The physical GIC as the hypervisor uses it: the CPU interface of this core, and the registers of the distributor and of the
// redistributors. GICv3: System registers, and one bit of each register for an SPI in the distributor, for a private interrupt in its
// core's redistributor.

import { type Activity, readDevice, writeDevice } from '../../arch/resident.ts';
import type { Rhyper } from '../context.ts';
import type { Vcpu, Vm } from '../state.ts';

/** Offsets of the first register of each kind: of the distributor, and of the SGI frame of a redistributor. */
export const registerOffset = {
  IGROUPR: 0x0080,
  ISENABLER: 0x0100,
  ICENABLER: 0x0180,
  ISPENDR: 0x0200,
  ICPENDR: 0x0280,
  ISACTIVER: 0x0300,
  ICACTIVER: 0x0380,
  IPRIORITYR: 0x0400,
  ICFGR: 0x0c00,
  IROUTER: 0x6000,
} as const;
export type RegisterKind = keyof typeof registerOffset;

const sgiFrame = 0x1_0000;

export const redistributorBase = (rhyper: Rhyper, core: number): number =>
  rhyper.platform.redistributorBases[core] as number;

/** Where a register of the interrupts from 32 * `word` is; `core` matters where they are private to one. */
function addressOf(rhyper: Rhyper, core: number, kind: RegisterKind, word: number, offset: number): number {
  const isBanked = word === 0 && rhyper.platform.gicVersion === 3;
  const frame = isBanked ? redistributorBase(rhyper, core) + sgiFrame : rhyper.platform.distributorBase;
  return frame + registerOffset[kind] + offset;
}

/** A register of one bit for each interrupt. */
export function* readBits(rhyper: Rhyper, core: number, kind: RegisterKind, word: number): Activity<number> {
  return (yield* readDevice(addressOf(rhyper, core, kind, word, 4 * word), 4)) ?? 0;
}

export function* writeBits(rhyper: Rhyper, core: number, kind: RegisterKind, word: number, bits: number): Activity {
  yield* writeDevice(addressOf(rhyper, core, kind, word, 4 * word), 4, bits >>> 0);
}

export function* writePriority(rhyper: Rhyper, core: number, intid: number, priority: number): Activity {
  yield* writeDevice(addressOf(rhyper, core, 'IPRIORITYR', intid >>> 5, intid), 1, priority);
}

export function* writeConfiguration(rhyper: Rhyper, core: number, firstIntid: number, bits: number): Activity {
  yield* writeDevice(addressOf(rhyper, core, 'ICFGR', firstIntid >>> 5, firstIntid / 4), 4, bits);
}

/** Bits of GICD_ICFGR for one interrupt: the upper one says that it is edge-triggered. */
const configurationBits = 2;
const interruptsPerConfiguration = 32 / configurationBits;

/** Enables an edge-triggered SPI of the hypervisor's own use, for a core. */
export function* enableEdge(rhyper: Rhyper, intid: number, core: number): Activity {
  const first = intid - (intid % interruptsPerConfiguration);
  const at = addressOf(rhyper, core, 'ICFGR', first >>> 5, first / 4);
  const edge = 2 << (configurationBits * (intid - first));
  yield* writeDevice(at, 4, (((yield* readDevice(at, 4)) ?? 0) | edge) >>> 0);
  yield* route(rhyper, intid, core);
  yield* writeBits(rhyper, core, 'ISENABLER', intid >>> 5, 1 << (intid & 31));
}

/** Routes an SPI to a core: GICD_IROUTER<n>, Aff3 in the high word. */
export function* route(rhyper: Rhyper, intid: number, core: number): Activity {
  const mpidr = rhyper.state.cores[core]?.mpidr ?? 0n;
  const at = rhyper.platform.distributorBase + registerOffset.IROUTER + 8 * intid;
  yield* writeDevice(at + 4, 4, Number((mpidr >> 32n) & 0xffn));
  yield* writeDevice(at, 4, Number(mpidr & 0xff_ffffn));
}

/** Bits of the interrupts from 32 * `word` that a VM has physically. */
export const physicalBits = (vm: Vm, word: number): number => vm.ownedInterrupts[word] as number;

/** Of the PPIs of a core those that some vCPU of it has enabled. */
export function enabledPpis(rhyper: Rhyper, core: number): number {
  let bits = 0;
  for (const vm of rhyper.state.vms) {
    for (let n = 0; n < vm.vcpuCount; n += 1) {
      const vcpu = rhyper.state.vcpus[vm.vcpus[n] as number] as Vcpu;
      if (vcpu.core === core) bits |= (vcpu.vgic.enabled[0] as number) & physicalBits(vm, 0);
    }
  }
  return bits >>> 0;
}

// The CPU interface of this core.

export function acknowledge({ system }: Rhyper): number {
  return Number(system.read('ICC_IAR1_EL1') & 0xff_ffffn);
}

/** Drops the priority; EOImode is 1. */
export function dropPriority({ system }: Rhyper, intid: number): void {
  system.write('ICC_EOIR1_EL1', BigInt(intid));
}

export function deactivatePhysical({ system }: Rhyper, intid: number): void {
  system.write('ICC_DIR_EL1', BigInt(intid));
}
