// Registers of the physical GIC with a field for each interrupt, at the same offsets in both versions: those of SPIs are in the
// distributor, those of SGIs and PPIs in the SGI frame of a core's redistributor, or with GICv2 in the distributor's bank of the core
// that asks.

import { type Activity, readDevice, writeDevice } from '../../arch/resident.ts';
import { assert } from '../../report/assert.ts';
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
  ITARGETSR: 0x0800,
  ICFGR: 0x0c00,
  SGIR: 0x0f00,
  IROUTER: 0x6000,
} as const;
export type RegisterKind = keyof typeof registerOffset;

/** In the pair of frames of a redistributor. */
export const sgiFrame = 0x1_0000;

export const redistributorBase = (rhyper: Rhyper, core: number): number =>
  rhyper.platform.redistributorBases[core] as number;

export const distributorAddress = ({ platform }: Rhyper, offset: number): number => platform.distributorBase + offset;

/** This core reaches what a core has of its private interrupts. */
export const canReach = ({ platform, index }: Rhyper, core: number): boolean =>
  platform.gicVersion === 3 || core === index;

/** Where a register of the interrupts from 32 * `word` is; `core` matters where they are private to one. */
function addressOf(rhyper: Rhyper, core: number, kind: RegisterKind, word: number, offset: number): number {
  const isBanked = word === 0 && rhyper.platform.gicVersion === 3;
  assert(word > 0 || canReach(rhyper, core), 'a banked register is this core’s');
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

export function* readPriority(rhyper: Rhyper, core: number, intid: number): Activity<number> {
  return (yield* readDevice(addressOf(rhyper, core, 'IPRIORITYR', intid >>> 5, intid), 1)) ?? 0;
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

/** Makes an SPI edge-triggered. */
export function* setEdge(rhyper: Rhyper, intid: number): Activity {
  const first = intid - (intid % interruptsPerConfiguration);
  const at = addressOf(rhyper, rhyper.index, 'ICFGR', first >>> 5, first / 4);
  const edge = 2 << (configurationBits * (intid - first));
  yield* writeDevice(at, 4, (((yield* readDevice(at, 4)) ?? 0) | edge) >>> 0);
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
