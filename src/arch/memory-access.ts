// Memory accesses that the engines do not do inline (Arm ARM, pseudocode AArch64.MemSingle): alignment, translation, permission,
// then RAM or the bus. Both parts of an access that crosses a page are translated before anything is read or written. Value in
// scratch[1] and scratch[2], virtual address in scratch[0].
//
// IMPLEMENTATION DEFINED and CONSTRAINED UNPREDICTABLE choices: exclusives and atomics need RAM (Unsupported Exclusive or Atomic
// access otherwise); an access that crosses from Device memory, or to it, faults if it is not aligned; a Store-Exclusive
// reports faults whether the monitors pass or not.

import { copyWhole } from '../memory/single-copy.ts';
import { busAccess } from './bus-accesses.ts';
import {
  clearExclusive,
  exchangeScratch,
  isRemembered,
  rememberExclusive,
  storeIfRemembered,
} from './concurrent-access.ts';
import { abortIss, dataAbort } from './exceptions.ts';
import { exit, type Exit } from './exits.ts';
import { currentEl, high, isHost, low, type PeContext, PSTATE, setPair } from './pe-context.ts';
import { isPanInEffect } from './permissions.ts';
import { accessFlag, type AccessKind, accessKind, elementsMask, elementsShift } from './pe.ts';
import { fillSoftTlb, lookUpDevicePage, lookUpSoftTlb } from './soft-tlb.ts';
import { lineHoldsCode, lineMapOffset, lineShift, pageShift, pe, ramBase, touchedPageOffset } from './state-layout.ts';
import { FSC, need, noFault } from './translation-attributes.ts';
import { dataFault } from './translation-faults.ts';
import { translateAccess } from './translation.ts';

const pageBytes = 1 << pageShift;
const lineBytes = 1 << lineShift;
const value = pe.scratch + 8;

/** Of this file: the access of an exclusive. */
const exclusive = 1 << 8;

/** The exception level whose permissions an access has. */
function accessEl(cx: PeContext, flags: number): number {
  const el = currentEl(cx);
  if ((flags & accessFlag.unprivileged) === 0 || (low(cx, pe.pstate) & PSTATE.UAO) !== 0) return el;
  return el === 1 || (el === 2 && isHost(cx)) ? 0 : el;
}

const needOf = (kind: AccessKind, flags: number): number => {
  if ((flags & accessFlag.atomic) !== 0) return need.read | need.write;
  return kind === accessKind.write ? need.write : need.read;
};

/** ISS.WnR: of an atomic, 1 only where reading alone would not have faulted. */
const writeNotRead = (needed: number, granted: number): number =>
  (needed & need.write) !== 0 && ((needed & need.read) === 0 || (granted & need.read) !== 0) ? abortIss.WnR : 0;

/** Translates one page's part of an access. The physical address is in `cx.translation`; else the abort has been taken. */
function translatePart(
  cx: PeContext,
  vaLow: number,
  vaHigh: number,
  el: number,
  needed: number,
  isMisaligned: boolean,
): boolean {
  const out = cx.translation;
  let hit = lookUpSoftTlb(cx, vaLow, vaHigh, el, needed);
  if (hit < 0 && !isMisaligned) hit = lookUpDevicePage(cx, vaLow, vaHigh, el, needed);
  if (hit >= 0) {
    out.pa = hit;
    return true;
  }
  return translateMiss(cx, vaLow, vaHigh, el, needed, isMisaligned);
}

/** The same without a look into the soft TLB. */
function translateMiss(
  cx: PeContext,
  vaLow: number,
  vaHigh: number,
  el: number,
  needed: number,
  isMisaligned: boolean,
): boolean {
  const out = cx.translation;
  translateAccess(cx, vaLow, vaHigh, el, needed, false, !isMisaligned, isPanInEffect(cx, el));
  if (out.fault !== noFault) {
    dataFault(cx, writeNotRead(needed, out.fault === FSC.alignment ? 0 : out.granted), vaLow, vaHigh);
    return false;
  }
  fillSoftTlb(cx, vaLow, vaHigh, el, needed);
  return true;
}

/** Bytes of each element of an access. */
const elementBytesOf = (sizeBytes: number, flags: number): number =>
  sizeBytes >>> ((flags >>> elementsShift) & elementsMask);

const isRam = (cx: PeContext, pa: number): boolean => pa >= ramBase && pa < cx.ramEnd;

export function accessMemory(cx: PeContext, kind: AccessKind, sizeBytes: number, flags: number): Exit {
  const vaLow = low(cx, pe.scratch);
  const vaHigh = high(cx, pe.scratch);
  const el = accessEl(cx, flags);
  const needed = needOf(kind, flags);
  const elementBytes = elementBytesOf(sizeBytes, flags);
  const isMisaligned = (vaLow & (elementBytes - 1)) !== 0;
  if (isMisaligned && ((flags & accessFlag.aligned) !== 0 || low(cx, pe.strictAlignment) !== 0)) {
    return dataAbort(cx, FSC.alignment | writeNotRead(needed, 0), vaLow, vaHigh);
  }
  if (!translatePart(cx, vaLow, vaHigh, el, needed, isMisaligned)) return exit.redirect;
  const pa = cx.translation.pa;
  const firstBytes = Math.min(sizeBytes, pageBytes - (vaLow & (pageBytes - 1)));
  const isWrite = kind === accessKind.write;
  if (firstBytes === sizeBytes) {
    if (isWrite && endsTranslations(cx, pa, sizeBytes, flags)) return exit.step;
    return accessPhysical(cx, kind, pa, sizeBytes, 0, flags, sizeBytes);
  }

  const secondLow = (vaLow + firstBytes) >>> 0;
  const secondHigh = secondLow < vaLow ? (vaHigh + 1) >>> 0 : vaHigh;
  if (!translatePart(cx, secondLow, secondHigh, el, needed, isMisaligned)) return exit.redirect;
  const secondPa = cx.translation.pa;
  const secondBytes = sizeBytes - firstBytes;
  if (isWrite && (endsTranslations(cx, pa, firstBytes, flags) || endsTranslations(cx, secondPa, secondBytes, flags))) {
    return exit.step;
  }
  const first = accessPhysical(cx, kind, pa, firstBytes, 0, flags, sizeBytes);
  if (first !== exit.none) return first;
  return accessPhysical(cx, kind, secondPa, secondBytes, firstBytes, flags, sizeBytes);
}

/** Accesses `partBytes` bytes at a physical address; they are the bytes of the value from `offset` on. */
function accessPhysical(
  cx: PeContext,
  kind: AccessKind,
  pa: number,
  partBytes: number,
  offset: number,
  flags: number,
  sizeBytes: number,
): Exit {
  if (kind === accessKind.read && offset === 0 && sizeBytes < 16) setPair(cx, value, 0, 0);
  if (!isRam(cx, pa)) return accessBus(cx, kind, pa, partBytes, offset, flags, elementBytesOf(sizeBytes, flags));
  const at = cx.base + value + offset;
  if (kind === accessKind.read) {
    copyWhole(cx.memory, at, pa, partBytes);
    return exit.none;
  }
  if (cx.pairs?.concerns(pa, partBytes)) cx.pairs.locked(() => copyWhole(cx.memory, pa, at, partBytes));
  else copyWhole(cx.memory, pa, at, partBytes);
  reportStore(cx, pa, partBytes);
  return exit.none;
}

/**
 * True when a store to these bytes of RAM, which has not happened yet, has ended translations that may be what runs. The stepper runs none, and
 * goes on: an earlier part of the store may lie over the instruction, which must not be read again.
 */
export function endsTranslations(cx: PeContext, pa: number, sizeBytes: number, flags = 0): boolean {
  if (!isRam(cx, pa)) return false;
  for (let line = pa >>> lineShift; line <= (pa + sizeBytes - 1) >>> lineShift; line++) {
    if ((cx.memory.bytes[lineMapOffset + line]! & lineHoldsCode) !== 0)
      return cx.environment.codeWritten(pa, sizeBytes) && (flags & accessFlag.stepped) === 0;
  }
  return false;
}

/** RAM has been written: exclusive monitors hear of it where the line map says so. */
export function reportStore(cx: PeContext, pa: number, sizeBytes: number): void {
  const { bytes } = cx.memory;
  // A part of an access never crosses a page.
  bytes[touchedPageOffset + (pa >>> pageShift)] = 1;
  for (let line = pa >>> lineShift; line <= (pa + sizeBytes - 1) >>> lineShift; line++) {
    if (bytes[lineMapOffset + line] !== 0) cx.monitors.stored(cx.index, line * lineBytes, cx.monitorCleared);
  }
}

/** The largest aligned access of a bus, up to 8 bytes and an element, that begins at `pa` and stays inside what is left. */
function beatBytes(pa: number, bytesLeft: number, elementBytes: number): number {
  let beat = Math.min(8, elementBytes);
  while (beat > bytesLeft || (pa & (beat - 1)) !== 0) beat /= 2;
  return beat;
}

function accessBus(
  cx: PeContext,
  kind: AccessKind,
  pa: number,
  partBytes: number,
  offset: number,
  flags: number,
  elementBytes: number,
): Exit {
  const isWrite = kind === accessKind.write;
  const vaLow = low(cx, pe.scratch);
  const vaHigh = high(cx, pe.scratch);
  const WnR = isWrite ? abortIss.WnR : 0;
  if ((flags & (accessFlag.atomic | exclusive)) !== 0) {
    return dataAbort(cx, FSC.unsupportedAtomic | WnR, vaLow, vaHigh);
  }
  const { view } = cx.memory;
  const at = cx.base + value + offset;
  for (let done = 0; done < partBytes;) {
    const beat = beatBytes(pa + done, partBytes - done, elementBytes);
    const valueLow = isWrite ? readBeat(view, at + done, Math.min(beat, 4)) : 0;
    const valueHigh = isWrite && beat === 8 ? readBeat(view, at + done + 4, 4) : 0;
    const answer = busAccess(
      cx.bus,
      cx.environment,
      low(cx, pe.pc),
      high(cx, pe.pc),
      isWrite,
      pa + done,
      beat,
      valueLow,
      valueHigh,
    );
    if (answer === undefined) return exit.bus;
    if (!answer.isOkay) return dataAbort(cx, FSC.externalAbort | WnR, vaLow, vaHigh);
    if (!isWrite) {
      writeBeat(view, at + done, Math.min(beat, 4), answer.valueLow);
      if (beat === 8) writeBeat(view, at + done + 4, 4, answer.valueHigh);
    }
    done += beat;
  }
  return exit.none;
}

function readBeat(view: DataView, at: number, sizeBytes: number): number {
  if (sizeBytes === 1) return view.getUint8(at);
  return sizeBytes === 2 ? view.getUint16(at, true) : view.getUint32(at, true);
}

function writeBeat(view: DataView, at: number, sizeBytes: number, data: number): void {
  if (sizeBytes === 1) view.setUint8(at, data);
  else if (sizeBytes === 2) view.setUint16(at, data, true);
  else view.setUint32(at, data, true);
}

/** Load-Exclusive: an aligned load from RAM that marks its granule for these bytes. */
export function loadExclusive(cx: PeContext, sizeBytes: number, flags: number): Exit {
  const taken = accessMemory(cx, accessKind.read, sizeBytes, flags | accessFlag.aligned | exclusive);
  if (taken !== exit.none) return taken;
  const { pa } = cx.translation;
  if (cx.pairs) rememberExclusive(cx, pa, sizeBytes);
  else cx.monitors.mark(cx.index, pa, sizeBytes);
  return taken;
}

/** Store-Exclusive: AArch64.ExclusiveMonitorsPass() checks the address as a store would, then the monitors. */
export function storeExclusive(cx: PeContext, sizeBytes: number, flags: number): Exit {
  const vaLow = low(cx, pe.scratch);
  const vaHigh = high(cx, pe.scratch);
  if ((vaLow & (sizeBytes - 1)) !== 0) return dataAbort(cx, FSC.alignment | abortIss.WnR, vaLow, vaHigh);
  if (!translatePart(cx, vaLow, vaHigh, accessEl(cx, flags), need.write, false)) return exit.redirect;
  const pa = cx.translation.pa;
  if (!isRam(cx, pa)) return dataAbort(cx, FSC.unsupportedAtomic | abortIss.WnR, vaLow, vaHigh);
  let isPassed = cx.pairs ? isRemembered(cx, pa, sizeBytes) : cx.monitors.isMarked(cx.index, pa, sizeBytes);
  if (isPassed && endsTranslations(cx, pa, sizeBytes, flags)) return exit.step;
  if (isPassed && cx.pairs) {
    isPassed = storeIfRemembered(cx, pa, sizeBytes);
    if (isPassed) reportStore(cx, pa, sizeBytes);
  } else if (isPassed) {
    accessPhysical(cx, accessKind.write, pa, sizeBytes, 0, 0, sizeBytes);
  }
  clearExclusive(cx);
  setPair(cx, pe.scratch + 24, isPassed ? 0 : 1, 0);
  return exit.none;
}

/** CAS where PEs run at the same time; what the other atomics are made of. */
export function compareAndSwap(cx: PeContext, sizeBytes: number, flags: number): Exit {
  const vaLow = low(cx, pe.scratch);
  const vaHigh = high(cx, pe.scratch);
  const needed = needOf(accessKind.write, flags | accessFlag.atomic);
  if ((vaLow & (sizeBytes - 1)) !== 0) return dataAbort(cx, FSC.alignment | writeNotRead(needed, 0), vaLow, vaHigh);
  if (!translatePart(cx, vaLow, vaHigh, accessEl(cx, flags), needed, false)) return exit.redirect;
  const { pa } = cx.translation;
  if (!isRam(cx, pa)) return dataAbort(cx, FSC.unsupportedAtomic | abortIss.WnR, vaLow, vaHigh);
  if (endsTranslations(cx, pa, sizeBytes, flags)) return exit.step;
  if (exchangeScratch(cx, pa, sizeBytes)) reportStore(cx, pa, sizeBytes);
  return exit.none;
}

/** DC ZVA: the 64 bytes around the address become 0. Device memory has no block to clear: an Alignment fault. */
export function zeroLine(cx: PeContext, vaLow: number, vaHigh: number): Exit {
  const start = (vaLow & -lineBytes) >>> 0;
  if (!translateMiss(cx, vaLow, vaHigh, currentEl(cx), need.write, true)) return exit.redirect;
  const pa = cx.translation.pa - (vaLow - start);
  if (!isRam(cx, pa)) return dataAbort(cx, FSC.externalAbort | abortIss.WnR, vaLow, vaHigh);
  if (endsTranslations(cx, pa, lineBytes)) return exit.step;
  const clear = (): unknown => cx.memory.doublewords.fill(0n, pa / 8, (pa + lineBytes) / 8);
  if (cx.pairs?.concerns(pa, lineBytes)) cx.pairs.locked(clear);
  else clear();
  reportStore(cx, pa, lineBytes);
  return exit.none;
}
