// What the System instructions do. There are no data caches to maintain: cache maintenance by address checks its address, and
// instruction cache maintenance is told to the environment, which keeps translated code.

import { dataAbort, abortIss } from './exceptions.ts';
import { exit, type Exit } from './exits.ts';
import { dvm, type DvmOperation } from './environment.ts';
import { zeroLine } from './memory-access.ts';
import { currentEl, hcr, HCR, high, low, type PeContext, PSTATE, setPair } from './pe-context.ts';
import { lineShift, pe, ramBase } from './state-layout.ts';
import { slotOf } from './system-registers.ts';
import type { SystemOperation } from './system-instructions.ts';
import { applyTlbi } from './tlb-maintenance.ts';
import { attribute, FSC, levelOf, mairOf, need, noFault, shareabilityOf } from './translation-attributes.ts';
import { contextOf, permissions, translate } from './translation.ts';

const PAR_EL1 = slotOf('PAR_EL1');
const TCR_EL1 = slotOf('TCR_EL1');

/** The operand is in scratch[0]. */
export function performSystemOperation(cx: PeContext, operation: SystemOperation): Exit {
  const operandLow = low(cx, pe.scratch);
  const operandHigh = high(cx, pe.scratch);
  switch (operation.kind) {
    case 'cache':
      return maintainCache(cx, operation.needs, operandLow, operandHigh);
    case 'zero':
      return zeroLine(cx, operandLow, operandHigh);
    case 'instruction cache':
      return maintainInstructionCache(cx, operation, operandLow, operandHigh);
    case 'translate':
      return translateAddress(cx, operation, operandLow, operandHigh);
    case 'TLBI':
      return invalidateTlb(cx, operation, operandLow, operandHigh);
  }
}

/** Translates the address of a maintenance instruction; false after its abort has been taken. */
function checkAddress(cx: PeContext, needed: number, vaLow: number, vaHigh: number): boolean {
  const el = currentEl(cx);
  const out = cx.translation;
  translate(cx, vaLow, vaHigh, el, false);
  let fsc = out.fault;
  if (fsc === noFault && (permissions(cx, out.attributes, out.entry, el, false) & needed) !== needed) {
    fsc = FSC.permission + levelOf(out.attributes);
  }
  if (fsc === noFault) return true;
  dataAbort(cx, fsc | abortIss.CM | abortIss.WnR, vaLow, vaHigh);
  return false;
}

function maintainCache(
  cx: PeContext,
  needs: Extract<SystemOperation, { kind: 'cache' }>['needs'],
  vaLow: number,
  vaHigh: number,
): Exit {
  if (needs === 'nothing') return exit.none;
  const isRead = needs === 'EL0 read' && currentEl(cx) === 0;
  const needed = needs === 'write' ? need.write : isRead ? need.read : 0;
  return checkAddress(cx, needed, vaLow, vaHigh) ? exit.none : exit.redirect;
}

function maintainInstructionCache(
  cx: PeContext,
  operation: Extract<SystemOperation, { kind: 'instruction cache' }>,
  vaLow: number,
  vaHigh: number,
): Exit {
  if (!operation.byAddress) {
    const isBroadcast = operation.isBroadcast || (currentEl(cx) === 1 && (hcr(cx) & HCR.FB) !== 0);
    cx.environment.instructionCache(-1, isBroadcast);
    return exit.none;
  }
  if (!checkAddress(cx, currentEl(cx) === 0 ? need.read : 0, vaLow, vaHigh)) return exit.redirect;
  const { pa } = cx.translation;
  if (pa >= ramBase && pa < cx.ramEnd) cx.environment.instructionCache(pa - (pa % (1 << lineShift)), true);
  return exit.none;
}

/** AT: PAR_EL1 says where the address goes, or why it does not. An external abort on the walk is taken. */
function translateAddress(
  cx: PeContext,
  operation: Extract<SystemOperation, { kind: 'translate' }>,
  vaLow: number,
  vaHigh: number,
): Exit {
  const { el, isWrite, usesPan } = operation;
  const out = cx.translation;
  translate(cx, vaLow, vaHigh, el, false);
  let fsc = out.fault;
  if (fsc >= FSC.externalAbort && fsc < FSC.externalAbort + 8) {
    return dataAbort(cx, fsc | abortIss.CM | abortIss.WnR, vaLow, vaHigh);
  }
  const needed = isWrite ? need.write : need.read;
  const isPan = usesPan && (low(cx, pe.pstate) & PSTATE.PAN) !== 0;
  if (fsc === noFault && (permissions(cx, out.attributes, out.entry, el, isPan) & needed) === 0) {
    fsc = FSC.permission + levelOf(out.attributes);
  }
  const RES1 = 1 << 11;
  if (fsc !== noFault) {
    setPair(cx, PAR_EL1, RES1 | (fsc << 1) | 1, 0);
    return exit.none;
  }
  const pageLow = ((out.pa % 2 ** 32) & ~0xfff) >>> 0;
  const pageHigh = Math.floor(out.pa / 2 ** 32);
  const memory = mairOf(out.attributes);
  // Device memory, and Normal memory that is not cacheable, are Outer Shareable.
  const isOuter = (out.attributes & attribute.device) !== 0 || memory === 0x44;
  const SH = isOuter ? 2 : shareabilityOf(out.attributes);
  const NS = (out.attributes & attribute.nonSecure) !== 0 ? 1 << 9 : 0;
  setPair(cx, PAR_EL1, pageLow | RES1 | NS | (SH << 7), (pageHigh | (memory << 24)) >>> 0);
  return exit.none;
}

function invalidateTlb(
  cx: PeContext,
  operation: Extract<SystemOperation, { kind: 'TLBI' }>,
  operandLow: number,
  operandHigh: number,
): Exit {
  if (operation.by === 'stage 2') return exit.none;
  const hasAddress = operation.by === 'VA' || operation.by === 'VAA';
  const is16BitAsid = ((high(cx, TCR_EL1) >>> 4) & 1) !== 0;
  const asid = operandHigh >>> 16;
  const request: DvmOperation = {
    code: codeOf[operation.by],
    // Bits [43:0] of the operand are bits [55:12] of the address.
    vaLow: hasAddress ? (operandLow << 12) >>> 0 : 0,
    vaHigh: hasAddress ? ((operandHigh << 12) | (operandLow >>> 20)) & 0x00ff_ffff : 0,
    asid: operation.regime !== 1 ? 0 : is16BitAsid ? asid : asid & 0xff,
    context: contextOf(cx, operation.regime),
  };
  applyTlbi(cx, request);
  const isForced = operation.regime === 1 && currentEl(cx) === 1 && (hcr(cx) & HCR.FB) !== 0;
  if (operation.isBroadcast || isForced) cx.environment.broadcast(request);
  return exit.none;
}

const codeOf = {
  all: dvm.tlbiAll,
  VA: dvm.tlbiVa,
  VAA: dvm.tlbiVaa,
  ASID: dvm.tlbiAsid,
  'all VMIDs': dvm.tlbiAllVmids,
} as const;
