// A frame of memory-mapped registers as a table of rows, and what the frames of both versions have in common: a field for each interrupt
// at the same offsets (Arm IHI 0048 and IHI 0069, "The Distributor register map").
//
// An access that is not aligned, or of a size that the register does not have, is refused: nothing happens, and it is counted.

import { type Activity, readDevice } from '../../arch/resident.ts';
import { hasQuirk, type Rhyper, vcpuOf, vmAt } from '../context.ts';
import type { Vcpu } from '../state.ts';
import { operate } from './delivery.ts';
import { forwardBits, forwardPriorities, isDirectAccess } from './direct-registers.ts';
import {
  type Access,
  accessConfiguration,
  accessEnables,
  accessGroups,
  accessPriorities,
  accessStates,
} from './interrupt-registers.ts';
import { distributorAddress, type RegisterKind, registerOffset } from './physical.ts';

/** A register, or an array of them. */
export interface Row {
  readonly name: string;
  readonly offset: number;
  readonly sizeBytes: number;
  readonly widths: readonly number[];
  /** Reads or writes 32 bits, or fewer where the row's widths have it, at an offset in the row. */
  readonly access: (access: Access, at: number, sizeBytes: number) => Activity<number>;
}

export const word = [4] as const;
export const wordOrByte = [1, 4] as const;
export const wordOrDoubleword = [4, 8] as const;

/** Rows of the interrupts from 32 * `first` to before 32 * `end`. The physical ones of a VM that takes them itself are forwarded to. */
export function interruptRows(prefix: string, base: number, first: number, end: number): readonly Row[] {
  const row = (kind: RegisterKind, bitsEach: number, widths: readonly number[], access: Row['access']): Row => {
    const firstByte = 4 * first * bitsEach;
    return {
      name: `${prefix}_${kind}`,
      offset: base + registerOffset[kind] + firstByte,
      sizeBytes: 4 * (end - first) * bitsEach,
      widths,
      access: (each, at, sizeBytes) => access(each, firstByte + at, sizeBytes),
    };
  };
  const bits = (kind: RegisterKind, access: (each: Access, n: number) => Activity<number>): Row =>
    row(kind, 1, word, (each, at) => (isDirectAccess(each) ? forwardBits(each, kind, at / 4) : access(each, at / 4)));
  return [
    bits('IGROUPR', (each, n) => accessGroups(each, n)),
    bits('ISENABLER', (each, n) => accessEnables(each, n, true)),
    bits('ICENABLER', (each, n) => accessEnables(each, n, false)),
    bits('ISPENDR', (each, n) => accessStates(each, n, 'pending', true)),
    bits('ICPENDR', (each, n) => accessStates(each, n, 'pending', false)),
    bits('ISACTIVER', (each, n) => accessStates(each, n, 'active', true)),
    bits('ICACTIVER', (each, n) => accessStates(each, n, 'active', false)),
    row('IPRIORITYR', 8, wordOrByte, (each, at, sizeBytes) =>
      isDirectAccess(each) ? forwardPriorities(each, at, sizeBytes) : accessPriorities(each, at, sizeBytes),
    ),
    row('ICFGR', 2, word, (each, at) => accessConfiguration(each, 4 * at)),
  ];
}

/** What a VM may know of the physical distributor: its kind and identification. */
export function* physicalWord({ rhyper }: Access, offset: number): Activity<number> {
  return (yield* readDevice(distributorAddress(rhyper, offset), 4)) ?? 0;
}

/** A row that shows what the physical distributor has at an offset. */
export const physicalRow = (name: string, offset: number, sizeBytes: number, physicalOffset = offset): Row => ({
  name,
  offset,
  sizeBytes,
  widths: word,
  access: (access, at) => physicalWord(access, physicalOffset + at),
});

/** Tells the vCPUs of a VM that what is forwarded to them at all has changed. */
function* tellAll(rhyper: Rhyper, { vm: id }: Vcpu): Activity {
  const vm = vmAt(rhyper, id);
  for (let n = 0; n < vm.vcpuCount; n += 1) {
    const each = vcpuOf(rhyper, vm, n);
    if (each) yield* operate(rhyper, each, 'GichEn', 0);
  }
}

/** GICD_CTLR: EnableGrp0 and EnableGrp1, beside bits that are fixed. */
const groupEnables = 0b11;
export const controlRow = (fixed: number): Row => ({
  name: 'GICD_CTLR',
  offset: 0x0000,
  sizeBytes: 4,
  widths: word,
  access: function* ({ rhyper, vcpu, isWrite, value }) {
    const vm = vmAt(rhyper, vcpu.vm);
    if (!isWrite) return vm.vgic.ctlr | fixed;
    const before = vm.vgic.ctlr;
    vm.vgic.ctlr = value & groupEnables;
    if (vm.vgic.ctlr !== before) yield* tellAll(rhyper, vcpu);
    return 0;
  },
});

const wordMask = 0xffff_ffffn;

/** One access of a guest. The value of a read; undefined where it is refused. What has no row is reserved: RES0. */
export function* accessRows(
  rows: readonly Row[],
  access: Omit<Access, 'value'> & { readonly value: bigint },
  offset: number,
  sizeBytes: number,
): Activity<bigint | undefined> {
  const row = rows.find((each) => offset >= each.offset && offset < each.offset + each.sizeBytes);
  if (offset % sizeBytes !== 0 || !(row?.widths ?? word).includes(sizeBytes)) return undefined;
  if (!row) return 0n;
  const at = offset - row.offset;
  const { value } = access;
  const low = BigInt(yield* row.access({ ...access, value: Number(value & wordMask) }, at, Math.min(sizeBytes, 4)));
  if (sizeBytes < 8) return low;
  const high = BigInt(yield* row.access({ ...access, value: Number((value >> 32n) & wordMask) }, at + 4, 4));
  return (high << 32n) | low;
}

/** A refused access: the caller hears of it where it is to bring the hypervisor down, else it reads as zero. */
export function answerTo(rhyper: Rhyper, vcpu: Vcpu, answer: bigint | undefined): bigint | undefined {
  if (answer !== undefined) return answer;
  vcpu.vgic.refusedAccesses += 1;
  return hasQuirk(rhyper, 'panic-on-guest-fault') ? undefined : 0n;
}
