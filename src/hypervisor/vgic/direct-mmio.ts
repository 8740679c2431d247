// Accesses of a VM with partial passthrough to its GICD and GICR (GPPT, section 7.6 of the ancestor's description): they enter EL2, and
// go on to the physical registers. Only what is the VM's goes on: its SPIs and PPIs, and all SGIs but the hypervisor's own. The rest of
// the map, routes and identification, is that of any VM (mmio.ts). With the quirk every access goes on unchanged.

import { type Activity, readDevice, writeDevice } from '../../arch/resident.ts';
import { hasQuirk, type Rhyper, vmAt } from '../context.ts';
import { ownInterrupts } from '../limits.ts';
import type { Vcpu, Vm } from '../state.ts';
import { firstPpi, targetOf } from './interrupt.ts';
import { physicalBits, redistributorBase, registerOffset, route } from './physical.ts';

const bitKinds = ['ISENABLER', 'ICENABLER', 'ISPENDR', 'ICPENDR', 'ISACTIVER', 'ICACTIVER'] as const;
const kindBytes = 0x80;
const priorityBytes = 0x400;
const ownSgis = ((1 << firstPpi) - 1) & ~(1 << ownInterrupts.ipi);

const permitted = (vm: Vm, word: number): number => ((word === 0 ? ownSgis : 0) | physicalBits(vm, word)) >>> 0;

function* forwardRaw(pa: number, sizeBytes: number, isWrite: boolean, value: bigint): Activity<bigint | undefined> {
  const partBytes = Math.min(sizeBytes, 4);
  let result = 0n;
  for (let at = 0; at < sizeBytes; at += partBytes) {
    const shift = BigInt(8 * at);
    if (isWrite) yield* writeDevice(pa + at, partBytes, Number((value >> shift) & 0xffff_ffffn));
    else result |= BigInt((yield* readDevice(pa + at, partBytes)) ?? 0) << shift;
  }
  return result;
}

/** The registers of one frame with a field for each interrupt; undefined where it is not one of them. */
function* forwardFields(
  frame: { readonly rhyper: Rhyper; readonly vm: Vm; readonly pa: number; readonly words: number },
  offset: number,
  sizeBytes: number,
  isWrite: boolean,
  value: bigint,
): Activity<bigint | undefined> {
  const { rhyper, vm, pa, words } = frame;
  const data = Number(value & 0xffff_ffffn);
  const kind = bitKinds.find((name) => {
    const at = offset - registerOffset[name];
    return at >= 0 && at < Math.min(4 * words, kindBytes);
  });
  if (kind !== undefined && sizeBytes === 4 && offset % 4 === 0) {
    const word = (offset - registerOffset[kind]) / 4;
    const mask = permitted(vm, word);
    if (mask === 0 || (words > 1 && word === 0)) return 0n;
    if (!isWrite) return BigInt((((yield* readDevice(pa + offset, 4)) ?? 0) & mask) >>> 0);
    if (kind === 'ISENABLER' && word > 0) {
      for (let n = 0; n < 32; n += 1) {
        if (((data & mask) >>> n) % 2 === 0) continue;
        const target = targetOf(rhyper, vm, 32 * word + n);
        if (target) yield* route(rhyper, 32 * word + n, target.core);
      }
    }
    yield* writeDevice(pa + offset, 4, (data & mask) >>> 0);
    return 0n;
  }
  const first = offset - registerOffset.IPRIORITYR;
  if (first < 0 || first >= Math.min(32 * words, priorityBytes) || offset % sizeBytes !== 0 || sizeBytes > 4)
    return undefined;
  let result = 0n;
  for (let n = 0; n < sizeBytes; n += 1) {
    const intid = first + n;
    const isPermitted = ((permitted(vm, intid >>> 5) >>> (intid & 31)) & 1) === 1;
    if (!isPermitted || (words > 1 && intid < 32)) continue;
    if (isWrite) yield* writeDevice(pa + offset + n, 1, (data >>> (8 * n)) & 0xff);
    else result |= BigInt((yield* readDevice(pa + offset + n, 1)) ?? 0) << BigInt(8 * n);
  }
  return result;
}

export function* forwardDistributor(
  rhyper: Rhyper,
  vcpu: Vcpu,
  offset: number,
  sizeBytes: number,
  isWrite: boolean,
  value: bigint,
): Activity<bigint | undefined> {
  const pa = rhyper.platform.distributorBase;
  if (hasQuirk(rhyper, 'gppt-unfiltered')) return yield* forwardRaw(pa + offset, sizeBytes, isWrite, value);
  const frame = { rhyper, vm: vmAt(rhyper, vcpu.vm), pa, words: 32 };
  return yield* forwardFields(frame, offset, sizeBytes, isWrite, value);
}

const sgiFrame = 0x1_0000;

export function* forwardRedistributor(
  rhyper: Rhyper,
  vcpu: Vcpu,
  offset: number,
  sizeBytes: number,
  isWrite: boolean,
  value: bigint,
): Activity<bigint | undefined> {
  const base = redistributorBase(rhyper, vcpu.core);
  if (hasQuirk(rhyper, 'gppt-unfiltered')) return yield* forwardRaw(base + offset, sizeBytes, isWrite, value);
  if (offset < sgiFrame) return undefined;
  const frame = { rhyper, vm: vmAt(rhyper, vcpu.vm), pa: base + sgiFrame, words: 1 };
  return yield* forwardFields(frame, offset - sgiFrame, sizeBytes, isWrite, value);
}
