// What the System instructions do. There are no data caches to maintain: cache maintenance by address checks its address, and
// instruction cache maintenance is told to the environment, which keeps translated code.

import { abortIss } from './exceptions.ts';
import { exit, type Exit } from './exits.ts';
import { dvm, type DvmOperation } from './environment.ts';
import { zeroLine } from './memory-access.ts';
import { currentEl, hasTwoRanges, hcr, HCR, high, isHost, low, type PeContext, PSTATE, setPair } from './pe-context.ts';
import { lineShift, pe, ramBase } from './state-layout.ts';
import { slotOf } from './system-registers.ts';
import type { SystemOperation } from './system-instructions.ts';
import { applyTlbi } from './tlb-maintenance.ts';
import { attribute, isExternalAbort, mairOf, need, noFault, shareabilityOf } from './translation-attributes.ts';
import { dataFault } from './translation-faults.ts';
import { asidMask, isStage2Enabled, maintenanceContextOf } from './translation-regime.ts';
import { checkAccess, translateAccess, translateStage1 } from './translation.ts';

const PAR_EL1 = slotOf('PAR_EL1');
const ofMaintenance = abortIss.CM | abortIss.WnR;

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
  translateAccess(cx, vaLow, vaHigh, currentEl(cx), needed, false, true, false);
  if (cx.translation.fault === noFault) return true;
  dataFault(cx, ofMaintenance, vaLow, vaHigh);
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

/**
 * AT: PAR_EL1 says where the address goes, or why it does not. An external abort on the walk is taken; so is, from EL1, a fault of
 * stage 2 on the walk, which EL1 must not see.
 */
function translateAddress(
  cx: PeContext,
  operation: Extract<SystemOperation, { kind: 'translate' }>,
  vaLow: number,
  vaHigh: number,
): Exit {
  const { isWrite, usesPan, isBothStages } = operation;
  const out = cx.translation;
  // A host at EL2 means its own addresses by those of EL1.
  const el = operation.el === 1 && !isBothStages && isHost(cx) ? 2 : operation.el;
  const needed = isWrite ? need.write : need.read;
  const isPan = usesPan && (low(cx, pe.pstate) & PSTATE.PAN) !== 0;
  if (el <= 1 && !isBothStages && isStage2Enabled(cx)) {
    translateStage1(cx, vaLow, vaHigh, el);
    checkAccess(cx, el, needed, true, isPan);
  } else {
    translateAccess(cx, vaLow, vaHigh, el, needed, false, true, isPan);
  }
  const RES1 = 1 << 11;
  if (out.fault !== noFault) {
    if (isExternalAbort(out.fault) || (out.isWalk && currentEl(cx) === 1)) {
      return dataFault(cx, ofMaintenance, vaLow, vaHigh);
    }
    const PTW = out.isWalk ? 1 << 8 : 0;
    const S = out.isStage2 ? 1 << 9 : 0;
    setPair(cx, PAR_EL1, RES1 | S | PTW | (out.fault << 1) | 1, 0);
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
  const regime = maintainedRegime(cx, operation);
  const hasAddress = operation.by === 'VA' || operation.by === 'VAA' || operation.by === 'IPA';
  const request: DvmOperation = {
    code: codeOf[operation.by],
    // Bits [43:0] of the operand are bits [55:12] of the address; of an IPA, bits [35:0] are bits [47:12].
    vaLow: hasAddress ? (operandLow << 12) >>> 0 : 0,
    vaHigh: hasAddress ? ((operandHigh << 12) | (operandLow >>> 20)) & 0x00ff_ffff : 0,
    asid: hasTwoRanges(cx, regime) ? (operandHigh >>> 16) & asidMask(cx, regime) : 0,
    context: maintenanceContextOf(cx, regime),
  };
  applyTlbi(cx, request);
  const isForced = operation.regime === 1 && currentEl(cx) === 1 && (hcr(cx) & HCR.FB) !== 0;
  if (operation.isBroadcast || isForced) cx.environment.broadcast(request);
  return exit.none;
}

/** A host at EL2 maintains its own regime by the names of EL1; what names VMIDs or stage 2 is for its guests. */
function maintainedRegime(cx: PeContext, { regime, by }: Extract<SystemOperation, { kind: 'TLBI' }>): number {
  const isOfStage1 = by === 'all' || by === 'VA' || by === 'VAA' || by === 'ASID';
  return regime === 1 && isOfStage1 && isHost(cx) ? 2 : regime;
}

const codeOf = {
  all: dvm.tlbiAll,
  VA: dvm.tlbiVa,
  VAA: dvm.tlbiVaa,
  ASID: dvm.tlbiAsid,
  'all VMIDs': dvm.tlbiAllVmids,
  'all stages': dvm.tlbiAllStages,
  IPA: dvm.tlbiIpa,
} as const;
