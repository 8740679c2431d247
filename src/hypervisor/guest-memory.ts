// Memory of a VM as the hypervisor reads and writes it for the VM's calls: by IPA, through the VM's own stage 2 tables, so that no
// argument reaches what the VM itself cannot.

import type { Rhyper } from './context.ts';
import { pageBytes } from './memory.ts';
import { walkStage2 } from './stage2.ts';
import type { Vm } from './state.ts';

/** The largest buffer that one call may name. */
const limitBytes = 0x200_0000;

function* parts(ipa: number, bytes: number): Generator<{ ipa: number; offset: number; bytes: number }> {
  for (let offset = 0; offset < bytes;) {
    const at = ipa + offset;
    const size = Math.min(bytes - offset, pageBytes - (at % pageBytes));
    yield { ipa: at, offset, bytes: size };
    offset += size;
  }
}

const isRam = (rhyper: Rhyper, pa: number): boolean => {
  const { ownMemory, vmMemory } = rhyper.platform;
  return pa >= ownMemory.pa && pa < vmMemory.pa + vmMemory.bytes;
};

/** The bytes at an IPA, or undefined where some of them are not RAM of the VM. */
export function readGuest(rhyper: Rhyper, vm: Vm, ipa: bigint, bytes: number): Uint8Array | undefined {
  if (bytes > limitBytes || ipa >= 1n << 48n) return undefined;
  const result = new Uint8Array(bytes);
  for (const part of parts(Number(ipa), bytes)) {
    const walked = walkStage2(rhyper, vm, part.ipa);
    if (!walked || !isRam(rhyper, walked.pa)) return undefined;
    result.set(rhyper.memory.bytes.subarray(walked.pa, walked.pa + part.bytes), part.offset);
  }
  return result;
}

/** Writes all of the bytes, or nothing where some of the range is not RAM that the VM may write. */
export function writeGuest(rhyper: Rhyper, vm: Vm, ipa: bigint, bytes: Uint8Array): boolean {
  if (bytes.length > limitBytes || ipa >= 1n << 48n) return false;
  const targets: { pa: number; from: number; size: number }[] = [];
  for (const part of parts(Number(ipa), bytes.length)) {
    const walked = walkStage2(rhyper, vm, part.ipa);
    if (!walked?.isWritable || !isRam(rhyper, walked.pa)) return false;
    targets.push({ pa: walked.pa, from: part.offset, size: part.bytes });
  }
  for (const { pa, from, size } of targets) rhyper.port.writeRam(pa, bytes.subarray(from, from + size));
  return true;
}

/** `count` doublewords at an IPA. */
export function readGuestWords(rhyper: Rhyper, vm: Vm, ipa: bigint, count: number): readonly bigint[] | undefined {
  const bytes = readGuest(rhyper, vm, ipa, count * 8);
  if (!bytes) return undefined;
  const view = new DataView(bytes.buffer);
  return Array.from({ length: count }, (_, n) => view.getBigUint64(n * 8, true));
}

/** A text of `bytes` bytes at an IPA; it ends at the first zero. */
export function readGuestText(rhyper: Rhyper, vm: Vm, ipa: bigint, bytes: number): string | undefined {
  const read = readGuest(rhyper, vm, ipa, bytes);
  if (!read) return undefined;
  const end = read.indexOf(0);
  return new TextDecoder().decode(end < 0 ? read : read.subarray(0, end));
}
