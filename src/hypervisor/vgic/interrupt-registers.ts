// Registers with a field for each interrupt, as a VM sees them (sections 7.2 and 7.7 of the ancestor's description; Arm IHI 0069, "The
// Distributor register map"). What is not the VM's has no fields: it reads as zero and ignores writes. What stands for a physical
// interrupt is done to that too.

import type { Activity } from '../../arch/resident.ts';
import { activeVcpu, bitAt, coreAt, type Rhyper, vcpuOf, vmAt } from '../context.ts';
import type { Vcpu, Vm } from '../state.ts';
import { change, clear, isActiveElsewhere, operate, operateOnHolder, set } from './delivery.ts';
import { gicOf } from './gic.ts';
import {
  existing,
  exists,
  firstPpi,
  firstSpi,
  hasBit,
  type InterruptBits,
  isPhysical,
  priorityOf,
  putBit,
  setPriority,
  targetOf,
} from './interrupt.ts';
import { decodeList, listState } from './list-register.ts';
import {
  enabledPpis,
  physicalBits,
  readBits,
  type RegisterKind,
  writeBits,
  writeConfiguration,
  writePriority,
} from './physical.ts';

/** An access of 32 bits or, of priorities, 8; `vcpu` is the one that private interrupts are those of. */
export interface Access {
  readonly rhyper: Rhyper;
  readonly vcpu: Vcpu;
  readonly isWrite: boolean;
  readonly value: number;
}

function* forEachBit(bits: number, firstIntid: number, visit: (intid: number) => Activity): Activity {
  for (let rest = bits; rest !== 0; rest &= rest - 1) yield* visit(firstIntid + 31 - Math.clz32(rest & -rest));
}

const softBits = (vm: Vm, vcpu: Vcpu, word: number, bits: InterruptBits): number =>
  (word === 0 ? vcpu.vgic[bits][0] : vm.vgic[bits][word]) as number;

const fixedSgis = ({ platform }: Rhyper, word: number): number =>
  word === 0 && platform.gicVersion === 2 ? (1 << firstPpi) - 1 : 0;

// Enables.

function* mirrorEnable(rhyper: Rhyper, vm: Vm, vcpu: Vcpu, word: number, bits: number, isEnabled: boolean): Activity {
  const owned = (bits & physicalBits(vm, word)) >>> 0;
  if (owned === 0) return;
  if (word > 0 && isEnabled) {
    yield* forEachBit(owned, 32 * word, function* (intid) {
      const target = targetOf(rhyper, vm, intid);
      if (target) yield* gicOf(rhyper).route(rhyper, intid, coreAt(rhyper, target.core));
    });
  }
  // A PPI is its core's: it stays enabled while another vCPU of the core wants it.
  const wanted = word === 0 && !isEnabled ? (owned & ~enabledPpis(rhyper, vcpu.core)) >>> 0 : owned;
  if (wanted !== 0) yield* writeBits(rhyper, vcpu.core, isEnabled ? 'ISENABLER' : 'ICENABLER', word, wanted);
}

export function* accessEnables(access: Access, word: number, isEnabled: boolean): Activity<number> {
  const { rhyper, vcpu, isWrite, value } = access;
  const vm = vmAt(rhyper, vcpu.vm);
  const mask = existing(vm, word);
  const before = softBits(vm, vcpu, word, 'enabled');
  if (!isWrite) return (before & mask) >>> 0;
  // GICv2: SGIs are always enabled.
  const changed = value & mask & ~fixedSgis(rhyper, word) & (isEnabled ? ~before : before);
  for (let n = 0; n < 32; n += 1) if ((changed >>> n) & 1) putBit(vm, vcpu, 32 * word + n, 'enabled', isEnabled);
  yield* mirrorEnable(rhyper, vm, vcpu, word, changed, isEnabled);
  yield* forEachBit(changed, 32 * word, (intid) => operateOnHolder(rhyper, vcpu, 'SetEn', intid));
  return 0;
}

// Pending and active states: in the record, in list registers, and of what stands for physical interrupts in the physical GIC.

function* statesOf(rhyper: Rhyper, vcpu: Vcpu, word: number, what: 'pending' | 'active'): Activity<number> {
  const vm = vmAt(rhyper, vcpu.vm);
  const active = activeVcpu(rhyper);
  if (active) yield* change(rhyper, active, () => {});
  let states = softBits(vm, vcpu, word, what);
  for (let id = 0; id < vm.vcpuCount; id += 1) {
    const holder = vcpuOf(rhyper, vm, id);
    if (!holder || (word === 0 && holder !== vcpu)) continue;
    for (let n = 0; n < holder.vgic.listCount; n += 1) {
      const { intid, state } = decodeList(holder.vgic.lr[n] as bigint);
      if (intid >>> 5 !== word || (state & listState[what]) === 0) continue;
      states |= 1 << (intid & 31);
      // What is known of it may be old: the next read knows better.
      if (isActiveElsewhere(rhyper, holder)) yield* operate(rhyper, holder, 'Route', intid);
    }
  }
  const owned = physicalBits(vm, word);
  if (what === 'pending' && owned !== 0) states |= (yield* readBits(rhyper, vcpu.core, 'ISPENDR', word)) & owned;
  return (states & existing(vm, word)) >>> 0;
}

const stateRegisters = {
  pending: { event: 'SetPend', set: 'ISPENDR', clear: 'ICPENDR' },
  active: { event: 'SetAct', set: 'ISACTIVER', clear: 'ICACTIVER' },
} as const;

export function* accessStates(
  access: Access,
  word: number,
  what: 'pending' | 'active',
  isSet: boolean,
): Activity<number> {
  const { rhyper, vcpu, isWrite, value } = access;
  if (!isWrite) return yield* statesOf(rhyper, vcpu, word, what);
  const vm = vmAt(rhyper, vcpu.vm);
  const registers = stateRegisters[what];
  // GICv2: SGIs become pending by their senders only.
  const fixed = what === 'pending' ? fixedSgis(rhyper, word) : 0;
  let bits = (value & existing(vm, word) & ~fixed) >>> 0;
  const owned = (bits & physicalBits(vm, word)) >>> 0;
  // The end of a physical interrupt's activity is its deactivation below; a write would end one that is on its way to the guest.
  const kind: RegisterKind = isSet ? registers.set : registers.clear;
  if (owned !== 0 && kind !== 'ICACTIVER') yield* writeBits(rhyper, vcpu.core, kind, word, owned);
  // What becomes pending physically arrives as any other.
  if (kind === 'ISPENDR') bits &= ~owned;
  yield* forEachBit(bits, 32 * word, (intid) =>
    operateOnHolder(rhyper, vcpu, registers.event, intid, isSet ? set : clear),
  );
  return 0;
}

// Groups, priorities, trigger modes.

/** GICD_IGROUPR: the group is the VM's affair, physically its interrupts are all in one. */
export function* accessGroups(access: Access, word: number): Activity<number> {
  const { rhyper, vcpu, isWrite, value } = access;
  const vm = vmAt(rhyper, vcpu.vm);
  const mask = existing(vm, word);
  const before = softBits(vm, vcpu, word, 'group');
  if (!isWrite) return (before & mask) >>> 0;
  const changed = (value ^ before) & mask;
  for (let n = 0; n < 32; n += 1)
    if ((changed >>> n) & 1) putBit(vm, vcpu, 32 * word + n, 'group', ((value >>> n) & 1) === 1);
  yield* forEachBit(changed, 32 * word, (intid) => operateOnHolder(rhyper, vcpu, 'SetEn', intid));
  return 0;
}

/** The priorities of the interrupts from `firstIntid`, one or four. */
export function* accessPriorities(access: Access, firstIntid: number, count: number): Activity<number> {
  const { rhyper, vcpu, isWrite, value } = access;
  const vm = vmAt(rhyper, vcpu.vm);
  let result = 0;
  for (let n = 0; n < count; n += 1) {
    const intid = firstIntid + n;
    if (!exists(vm, intid)) continue;
    if (!isWrite) {
      result |= priorityOf(vm, vcpu, intid) << (8 * n);
      continue;
    }
    const before = priorityOf(vm, vcpu, intid);
    setPriority(vm, vcpu, intid, (value >>> (8 * n)) & 0xff);
    const now = priorityOf(vm, vcpu, intid);
    if (now === before) continue;
    if (isPhysical(vm, intid)) yield* writePriority(rhyper, vcpu.core, intid, now);
    yield* operateOnHolder(rhyper, vcpu, 'SetPrio', intid);
  }
  return result >>> 0;
}

const perConfiguration = 16;

/** GICD_ICFGR of physical SPIs, of whichever VM they are. */
function physicalConfiguration(rhyper: Rhyper, firstIntid: number): number {
  let bits = 0;
  for (const vm of rhyper.state.vms) {
    for (let n = 0; n < perConfiguration; n += 1) {
      const intid = firstIntid + n;
      if (isPhysical(vm, intid) && bitAt(vm.vgic.edge, intid)) bits |= 2 << (2 * n);
    }
  }
  return bits >>> 0;
}

/** The trigger modes of 16 interrupts. Those of SGIs are fixed; those of PPIs are the hardware's. */
export function* accessConfiguration(access: Access, firstIntid: number): Activity<number> {
  const { rhyper, vcpu, isWrite, value } = access;
  const vm = vmAt(rhyper, vcpu.vm);
  let result = 0;
  let isMirrored = false;
  for (let n = 0; n < perConfiguration; n += 1) {
    const intid = firstIntid + n;
    if (!exists(vm, intid)) continue;
    if (!isWrite) {
      if (hasBit(vm, vcpu, intid, 'edge')) result |= 2 << (2 * n);
    } else if (intid >= firstSpi) {
      putBit(vm, vcpu, intid, 'edge', ((value >>> (2 * n + 1)) & 1) === 1);
      isMirrored ||= isPhysical(vm, intid);
    }
  }
  if (isMirrored) {
    yield* writeConfiguration(rhyper, vcpu.core, firstIntid, physicalConfiguration(rhyper, firstIntid));
  }
  return result >>> 0;
}
