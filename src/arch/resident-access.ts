// Memory as resident software and debuggers see it: by virtual address, with the permissions of the current exception level,
// without exceptions, and only RAM.

import { currentEl, type PeContext } from './pe-context.ts';
import { endsTranslations, reportStore } from './memory-access.ts';
import { isPanInEffect } from './permissions.ts';
import { pageShift, ramBase } from './state-layout.ts';
import { need, noFault } from './translation-attributes.ts';
import { translateAccess } from './translation.ts';

const pageBytes = 1 << pageShift;

/** Physical address of an access that is permitted and goes to RAM; -1 otherwise. */
function ramAddress(cx: PeContext, va: bigint, needed: number): number {
  const el = currentEl(cx);
  const out = cx.translation;
  const vaLow = Number(va & 0xffff_ffffn);
  const vaHigh = Number((va >> 32n) & 0xffff_ffffn);
  translateAccess(cx, vaLow, vaHigh, el, needed, false, true, isPanInEffect(cx, el));
  return out.fault !== noFault || out.pa < ramBase || out.pa >= cx.ramEnd ? -1 : out.pa;
}

/** Calls `visit` for each part of a range that lies in one page; false where one of them cannot be accessed. */
function forEachPart(
  cx: PeContext,
  va: bigint,
  sizeBytes: number,
  needed: number,
  visit: (pa: number, offset: number, partBytes: number) => void,
): boolean {
  for (let offset = 0; offset < sizeBytes;) {
    const at = va + BigInt(offset);
    const partBytes = Math.min(sizeBytes - offset, pageBytes - Number(at & BigInt(pageBytes - 1)));
    const pa = ramAddress(cx, at, needed);
    if (pa < 0) return false;
    visit(pa, offset, partBytes);
    offset += partBytes;
  }
  return true;
}

/** What a caller may ask for in one go: no guest length makes the host allocate more. */
const sizeLimitBytes = 1 << 20;

export function readMemory(cx: PeContext, va: bigint, sizeBytes: number): Uint8Array | undefined {
  if (sizeBytes > sizeLimitBytes) return undefined;
  const result = new Uint8Array(sizeBytes);
  const isComplete = forEachPart(cx, va, sizeBytes, need.read, (pa, offset, partBytes) => {
    result.set(cx.memory.bytes.subarray(pa, pa + partBytes), offset);
  });
  return isComplete ? result : undefined;
}

/** Writes nothing where a part of the range cannot be written. */
export function writeMemory(cx: PeContext, va: bigint, bytes: Uint8Array): boolean {
  if (!forEachPart(cx, va, bytes.length, need.write, () => {})) return false;
  return forEachPart(cx, va, bytes.length, need.write, (pa, offset, partBytes) => {
    cx.memory.bytes.set(bytes.subarray(offset, offset + partBytes), pa);
    endsTranslations(cx, pa, partBytes);
    reportStore(cx, pa, partBytes);
  });
}
