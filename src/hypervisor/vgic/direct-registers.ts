// Registers with a field for each interrupt, of a VM that takes its interrupts itself (GPPT, section 7.6 of the ancestor's description):
// accesses enter EL2 and go on to the physical ones. Only what is the VM's goes on: its SPIs and PPIs, and all SGIs but the
// hypervisor's own. The rest of the map is that of any VM. With the quirk every access goes on unchanged.

import { type Activity, readDevice, writeDevice } from '../../arch/resident.ts';
import { coreAt, hasQuirk, type Rhyper, vmAt } from '../context.ts';
import { isDirect, lowestDirectMask, permitted } from './direct.ts';
import { gicOf } from './gic.ts';
import { putBit, targetOf } from './interrupt.ts';
import type { Access } from './interrupt-registers.ts';
import { enabledPpis, readBits, readPriority, type RegisterKind, writeBits, writePriority } from './physical.ts';

export const isDirectAccess = ({ rhyper, vcpu }: Access): boolean => isDirect(vmAt(rhyper, vcpu.vm));
export const isUnfiltered = (rhyper: Rhyper): boolean => hasQuirk(rhyper, 'gppt-unfiltered');

const bitsOf = (word: number): number[] =>
  Array.from({ length: 32 }, (_, n) => n).filter((n) => ((word >>> n) & 1) !== 0);

/** One bit for each of 32 interrupts. */
export function* forwardBits(access: Access, kind: RegisterKind, word: number): Activity<number> {
  const { rhyper, vcpu, isWrite, value } = access;
  const vm = vmAt(rhyper, vcpu.vm);
  const mask = permitted(vm, word);
  if (mask === 0) return 0;
  if (!isWrite) return ((yield* readBits(rhyper, vcpu.core, kind, word)) & mask) >>> 0;
  let bits = (value & mask) >>> 0;
  switch (kind) {
    case 'IGROUPR':
      // That its interrupts are IRQs is what it is for.
      return 0;
    case 'ISENABLER':
    case 'ICENABLER':
      for (const n of bitsOf(bits)) {
        putBit(vm, vcpu, 32 * word + n, 'enabled', kind === 'ISENABLER');
        const target = word > 0 && kind === 'ISENABLER' ? targetOf(rhyper, vm, 32 * word + n) : undefined;
        if (target) yield* gicOf(rhyper).route(rhyper, 32 * word + n, coreAt(rhyper, target.core));
      }
      // A PPI is its core's: it stays enabled while another vCPU of the core wants it.
      if (word === 0 && kind === 'ICENABLER') bits = (bits & ~enabledPpis(rhyper, vcpu.core)) >>> 0;
      break;
    default:
  }
  yield* writeBits(rhyper, vcpu.core, kind, word, bits);
  return 0;
}

/** The priorities of the interrupts from `firstIntid`, one or four. */
export function* forwardPriorities(access: Access, firstIntid: number, count: number): Activity<number> {
  const { rhyper, vcpu, isWrite, value } = access;
  const vm = vmAt(rhyper, vcpu.vm);
  let result = 0;
  for (let n = 0; n < count; n += 1) {
    const intid = firstIntid + n;
    if (((permitted(vm, intid >>> 5) >>> (intid & 31)) & 1) === 0) continue;
    const priority = (value >>> (8 * n)) & 0xff;
    if (isWrite) yield* writePriority(rhyper, vcpu.core, intid, Math.max(priority, Number(lowestDirectMask)));
    else result |= (yield* readPriority(rhyper, vcpu.core, intid)) << (8 * n);
  }
  return result >>> 0;
}

/** The access as it is, at a physical address. */
export function* forwardRaw(
  pa: number,
  sizeBytes: number,
  isWrite: boolean,
  value: bigint,
): Activity<bigint | undefined> {
  const partBytes = Math.min(sizeBytes, 4);
  let result = 0n;
  for (let at = 0; at < sizeBytes; at += partBytes) {
    const shift = BigInt(8 * at);
    if (isWrite) yield* writeDevice(pa + at, partBytes, Number((value >> shift) & 0xffff_ffffn));
    else result |= BigInt((yield* readDevice(pa + at, partBytes)) ?? 0) << shift;
  }
  return result;
}
