// Exception entry and return (Arm ARM, "The AArch64 System Level Programmers' Model"; pseudocode AArch64.TakeException,
// AArch64.ExceptionReturn and their kind). AArch32 does not exist, so that every target uses AArch64.

import {
  advancePc,
  copy,
  currentEl,
  el2Enabled,
  hcr,
  HCR,
  high,
  isHost,
  low,
  type PeContext,
  PSTATE,
  scr,
  SCR,
  setLow,
  setPair,
} from './pe-context.ts';
import { clearExclusive } from './concurrent-access.ts';
import { fpTrapTarget, sctlr, setNzcv, setPstate, spsrFromPstate } from './derived-state.ts';
import { exit, type Exit } from './exits.ts';
import { spsrWritable } from './registers/exceptions.ts';
import { pointerTrapTarget } from './pointer-authentication.ts';
import { pe } from './state-layout.ts';
import { slotOf } from './system-registers.ts';
import { isExternalAbort } from './translation-attributes.ts';

const none = -1;
const spsrOfEl = [none, slotOf('SPSR_EL1'), slotOf('SPSR_EL2'), slotOf('SPSR_EL3')] as const;
const elrOfEl = [none, slotOf('ELR_EL1'), slotOf('ELR_EL2'), slotOf('ELR_EL3')] as const;
const esrOfEl = [none, slotOf('ESR_EL1'), slotOf('ESR_EL2'), slotOf('ESR_EL3')] as const;
const farOfEl = [none, slotOf('FAR_EL1'), slotOf('FAR_EL2'), slotOf('FAR_EL3')] as const;
const vbarOfEl = [none, slotOf('VBAR_EL1'), slotOf('VBAR_EL2'), slotOf('VBAR_EL3')] as const;
const MDCR_EL2 = slotOf('MDCR_EL2');

/** Exception classes: ESR_ELx.EC. */
export const EC = {
  unknown: 0x00,
  WFx: 0x01,
  simdFp: 0x07,
  pointerAuthentication: 0x09,
  branchTarget: 0x0d,
  illegalState: 0x0e,
  SVC: 0x15,
  HVC: 0x16,
  SMC: 0x17,
  systemRegister: 0x18,
  instructionAbort: 0x20,
  pcAlignment: 0x22,
  dataAbort: 0x24,
  spAlignment: 0x26,
  SError: 0x2f,
  BRK: 0x3c,
} as const;

/** Offsets in a group of the vector table. */
export const vector = { synchronous: 0x000, IRQ: 0x080, FIQ: 0x100, SError: 0x180 } as const;

const IL = 1 << 25;
/** CV set and COND AL, for the exception classes that instructions of AArch32 share. */
const conditionAlways = (1 << 24) | (0xe << 20);
const SPAN = 1 << 23;

/** Enters the vector of `target`; ELR_ELx is PC. */
export function takeException(cx: PeContext, target: number, vectorOffset: number): void {
  const pstate = low(cx, pe.pstate);
  const el = currentEl(cx);
  cx.exceptionsTaken[target]!++;
  let offset = vectorOffset;
  if (target > el) offset += 0x400;
  else if ((pstate & PSTATE.SP) !== 0) offset += 0x200;

  setPair(cx, spsrOfEl[target]!, spsrFromPstate(cx), 0);
  copy(cx, elrOfEl[target]!, pe.pc);
  setLow(cx, pe.btype, 0);

  let entered = (target << PSTATE.elShift) | PSTATE.SP | PSTATE.D | PSTATE.A | PSTATE.I | PSTATE.F;
  entered |= pstate & PSTATE.PAN;
  const hasSpan = target === 1 || (target === 2 && isHost(cx));
  if (hasSpan && (sctlr(cx, target) & SPAN) === 0) entered |= PSTATE.PAN;
  setPstate(cx, entered);

  const vbar = vbarOfEl[target]!;
  // VBAR_ELx[10:0] are RES0, so that the offset carries nothing.
  setPair(cx, pe.pc, low(cx, vbar) + offset, high(cx, vbar));
}

/** A synchronous exception: the syndrome, then the vector. Every instruction is 32 bits long: IL is set. */
function takeSynchronous(cx: PeContext, target: number, exceptionClass: number, iss: number): Exit {
  setPair(cx, esrOfEl[target]!, ((exceptionClass << 26) | IL | iss) >>> 0, 0);
  takeException(cx, target, vector.synchronous);
  return exit.redirect;
}

const isTge = (cx: PeContext): boolean => (hcr(cx) & HCR.TGE) !== 0;

/** Where exceptions go that have no control of their own: the current level, from EL0 to EL1, or to EL2 with HCR_EL2.TGE. */
function defaultTarget(cx: PeContext): number {
  const el = currentEl(cx);
  return el === 0 ? (isTge(cx) ? 2 : 1) : el;
}

/** A trap by a control of `target`: exception class, and ISS without EC. To EL1 from EL0 it obeys HCR_EL2.TGE. */
export function takeTrap(cx: PeContext, target: number, exceptionClass: number, iss: number): Exit {
  return takeSynchronous(cx, target === 1 && isTge(cx) ? 2 : target, exceptionClass, iss);
}

export const undefinedInstruction = (cx: PeContext): Exit => takeSynchronous(cx, defaultTarget(cx), EC.unknown, 0);
export const illegalState = (cx: PeContext): Exit => takeSynchronous(cx, defaultTarget(cx), EC.illegalState, 0);
/** BranchTargetException(). */
export const branchTarget = (cx: PeContext): Exit =>
  takeSynchronous(cx, defaultTarget(cx), EC.branchTarget, low(cx, pe.btype));
export const spAlignment = (cx: PeContext): Exit => takeSynchronous(cx, defaultTarget(cx), EC.spAlignment, 0);

export function pcAlignment(cx: PeContext): Exit {
  const target = defaultTarget(cx);
  copy(cx, farOfEl[target]!, pe.pc);
  return takeSynchronous(cx, target, EC.pcAlignment, 0);
}

export function svc(cx: PeContext, imm16: number): Exit {
  advancePc(cx);
  return takeSynchronous(cx, defaultTarget(cx), EC.SVC, imm16);
}

export function hvc(cx: PeContext, imm16: number): Exit {
  const el = currentEl(cx);
  const isDisabled = cx.hasEl3 ? (scr(cx) & SCR.HCE) === 0 : (hcr(cx) & HCR.HCD) !== 0;
  if (el === 0 || !cx.hasEl2 || (el === 1 && !el2Enabled(cx)) || isDisabled) return undefinedInstruction(cx);
  advancePc(cx);
  return takeSynchronous(cx, el === 3 ? 3 : 2, EC.HVC, imm16);
}

/** True where SMC is trapped to EL2; the trap has then been taken. */
export function trapSmc(cx: PeContext, imm16: number): boolean {
  if (currentEl(cx) !== 1 || (hcr(cx) & HCR.TSC) === 0) return false;
  takeSynchronous(cx, 2, EC.SMC, imm16);
  return true;
}

export function smc(cx: PeContext, imm16: number): Exit {
  if (currentEl(cx) === 0) return undefinedInstruction(cx);
  if (trapSmc(cx, imm16)) return exit.redirect;
  if (!cx.hasEl3 || (scr(cx) & SCR.SMD) !== 0) return undefinedInstruction(cx);
  advancePc(cx);
  return takeSynchronous(cx, 3, EC.SMC, imm16);
}

/** AArch64.SoftwareBreakpoint(): MDCR_EL2.TDE routes it to EL2. */
export function brk(cx: PeContext, imm16: number): Exit {
  const isTde = el2Enabled(cx) && (low(cx, MDCR_EL2) & (1 << 8)) !== 0;
  const target = currentEl(cx) <= 1 && (isTde || isTge(cx)) ? 2 : defaultTarget(cx);
  return takeSynchronous(cx, target, EC.BRK, imm16);
}

/** AArch64.AdvSIMDFPAccessTrap(). */
export function fpAccessTrap(cx: PeContext): Exit {
  const target = fpTrapTarget(cx);
  if (target === 1 && isTge(cx)) return takeSynchronous(cx, 2, EC.unknown, 0);
  return takeSynchronous(cx, Math.max(target, 1), EC.simdFp, conditionAlways);
}

/** TrapPACUse(). */
export const pointerTrap = (cx: PeContext): Exit =>
  takeSynchronous(cx, pointerTrapTarget(cx), EC.pointerAuthentication, 0);

/** A trapped WFI (`TI` 0) or WFE (`TI` 1). */
export const waitTrap = (cx: PeContext, target: number, TI: 0 | 1): Exit =>
  takeTrap(cx, target, EC.WFx, conditionAlways | TI);

/** ISS of a Data Abort. */
export const abortIss = { CM: 1 << 8, WnR: 1 << 6 } as const;

/** AArch64.Abort(): Instruction and Data Aborts, at the faulting virtual address. Those of stage 2 are EL2's to handle. */
function abort(
  cx: PeContext,
  exceptionClass: number,
  iss: number,
  vaLow: number,
  vaHigh: number,
  isStage2: boolean,
): Exit {
  const el = currentEl(cx);
  let target: number;
  if (el === 3 || (cx.hasEl3 && (scr(cx) & SCR.EA) !== 0 && isExternalAbort(iss & 0x3f))) target = 3;
  else target = Math.max(el, isStage2 || isTge(cx) ? 2 : 1);
  setPair(cx, farOfEl[target]!, vaLow, vaHigh);
  return takeSynchronous(cx, target, target === el ? exceptionClass + 1 : exceptionClass, iss);
}

/** `iss`: the fault status code, and bits of `abortIss`. */
export const dataAbort = (cx: PeContext, iss: number, vaLow: number, vaHigh: number): Exit =>
  abort(cx, EC.dataAbort, iss, vaLow, vaHigh, false);

export const stage2DataAbort = (cx: PeContext, iss: number, vaLow: number, vaHigh: number): Exit =>
  abort(cx, EC.dataAbort, iss, vaLow, vaHigh, true);

export const instructionAbort = (cx: PeContext, fsc: number): Exit =>
  abort(cx, EC.instructionAbort, fsc, low(cx, pe.pc), high(cx, pe.pc), false);

export const stage2InstructionAbort = (cx: PeContext, iss: number): Exit =>
  abort(cx, EC.instructionAbort, iss, low(cx, pe.pc), high(cx, pe.pc), true);

/** An SError interrupt: EC and ISS, then the vector. `iss` 0: no more is known. */
export function takeSError(cx: PeContext, target: number, iss: number): void {
  setPair(cx, esrOfEl[target]!, ((EC.SError << 26) | IL | iss) >>> 0, 0);
  takeException(cx, target, vector.SError);
}

/** ELFromSPSR(), and what makes it illegal: IllegalExceptionReturn(). */
function isIllegalReturn(cx: PeContext, spsr: number): boolean {
  const target = (spsr >>> PSTATE.elShift) & 3;
  const isAArch32 = (spsr & 0x10) !== 0;
  if (isAArch32 || (spsr & 2) !== 0 || (target === 0 && (spsr & 1) !== 0)) return true;
  if (target > currentEl(cx)) return true;
  if (target === 2 && !el2Enabled(cx)) return true;
  return target === 1 && isTge(cx);
}

/** ELR_ELx, at EL1 or above. */
export const elrOf = (cx: PeContext): number => elrOfEl[currentEl(cx)]!;

/** ERET, at EL1 or above: PSTATE from SPSR_ELx and PC from ELR_ELx, or from where the record has it at `from`. An illegal return leaves EL and SP and sets PSTATE.IL. */
export function exceptionReturn(cx: PeContext, from: number = elrOf(cx)): void {
  const el = currentEl(cx);
  const spsr = low(cx, spsrOfEl[el]!) & spsrMask;
  const kept = PSTATE.D | PSTATE.A | PSTATE.I | PSTATE.F | PSTATE.PAN | PSTATE.UAO;
  let pstate: number;
  if (isIllegalReturn(cx, spsr)) pstate = (low(cx, pe.pstate) & 0xf) | PSTATE.IL | (spsr & kept);
  else pstate = spsr & (kept | PSTATE.IL | 0xf);
  copy(cx, pe.pc, from);
  setNzcv(cx, spsr >>> 0);
  setLow(cx, pe.btype, (spsr >>> PSTATE.btypeShift) & 3);
  setPstate(cx, pstate);
  clearExclusive(cx);
  setLow(cx, pe.eventRegister, 1);
}
const spsrMask = Number(spsrWritable);
