// MRS, MSR and SYS: who may access what (Arm ARM, the access pseudocode of each register), and what an access does.
// The order of the checks is the manual's: UNDEFINED by encoding, by missing exception level, by the current exception level;
// then the traps, those to lower exception levels first.

import { trapTarget } from './access-traps.ts';
import { highestEl } from './core-identity.ts';
import { changeWorld, flushRegime, fpTrapTarget, refreshDerivedState } from './derived-state.ts';
import { EC, fpAccessTrap, takeTrap, undefinedInstruction } from './exceptions.ts';
import { exit, type Exit } from './exits.ts';
import { redirected } from './host-registers.ts';
import { pendingInterrupt } from './interrupts.ts';
import { instructionRt } from './present-instruction.ts';
import {
  advancePc,
  currentEl,
  hcr,
  HCR,
  high,
  isE2h,
  isSecureBelowEl3,
  low,
  type PeContext,
  read64,
  setPair,
  write64,
} from './pe-context.ts';
import { registerBehaviours } from './register-behaviours.ts';
import type { Affects, LeastEl, Needs } from './register-row.ts';
import { gicRegisters } from './registers/gic.ts';
import { pe } from './state-layout.ts';
import { systemInstructionAt } from './system-instructions.ts';
import { encodingOf, systemIss, systemKey } from './system-key.ts';
import { performSystemOperation } from './system-operations.ts';
import { offsetOf, registerAt, registerNamed, type SystemRegister } from './system-registers.ts';

function isAtLeast(cx: PeContext, least: LeastEl): boolean {
  return currentEl(cx) >= (least === 'highest' ? highestEl(cx.core) : least);
}

/** Secure EL1 (op1 7): EL3, and EL1 in Secure state. */
function isSecureEl1Access(cx: PeContext): boolean {
  const el = currentEl(cx);
  return el === 3 || (el === 1 && isSecureBelowEl3(cx));
}

function exists(cx: PeContext, needs: Needs | undefined): boolean {
  switch (needs) {
    case undefined:
      return true;
    case 'EL2':
    case 'EL2 or identity':
      // RES0 at EL3.
      return cx.hasEl2 || currentEl(cx) === 3;
    case 'EL3':
      return cx.hasEl3;
    case 'E2H':
      return isE2h(cx);
    case 'EL1 highest':
      return highestEl(cx.core) === 1;
    case 'EL2 highest':
      return highestEl(cx.core) === 2;
  }
}

/** What registers and System instructions have in common. */
type Protected = Pick<SystemRegister, 'key' | 'needs' | 'traps'>;

/** What an access that is refused ends in, or `exit.none`. */
function refusal(
  cx: PeContext,
  row: Protected,
  least: LeastEl,
  isRead: boolean,
  /** The encoding for the syndrome, where it is not the register's. */
  key = row.key,
): Exit {
  if (!exists(cx, row.needs) || !isAtLeast(cx, least)) return undefinedInstruction(cx);
  if (((key >>> 11) & 7) === 7 && !isSecureEl1Access(cx)) return undefinedInstruction(cx);
  if (row.traps.length === 0) return exit.none;
  if (row.traps[0] === 'SIMD&FP' && fpTrapTarget(cx) !== 0) return fpAccessTrap(cx);
  const target = trapTarget(cx, row.key, isRead);
  if (target === 0) return exit.none;
  return takeTrap(cx, target, EC.systemRegister, systemIss(key, instructionRt(cx), isRead));
}

/** An unallocated encoding. HCR_EL2.TIDCP traps those of the IMPLEMENTATION DEFINED space, of which nothing is implemented. */
function unallocated(cx: PeContext, key: number, isRead: boolean): Exit {
  const [op0, , CRn] = encodingOf(key);
  const isImplementationDefined = (op0 === 3 || op0 === 1) && (CRn === 11 || CRn === 15);
  if (isImplementationDefined && currentEl(cx) <= 1 && (hcr(cx) & HCR.TIDCP) !== 0) {
    return takeTrap(cx, 2, EC.systemRegister, systemIss(key, instructionRt(cx), isRead));
  }
  return undefinedInstruction(cx);
}

const isMissingEl2 = (cx: PeContext, row: SystemRegister): boolean =>
  !cx.hasEl2 && (row.needs === 'EL2' || row.needs === 'EL2 or identity');

const isUndefinedNow = (cx: PeContext, row: SystemRegister): boolean =>
  registerBehaviours[row.name]?.isUndefined?.(cx) === true;

const gicKeys = new Set(gicRegisters.map(({ encoding }) => systemKey(...encoding)));

/** A register of the GIC's system register interface, which a GICv2 does not have. */
const isGicV2 = (cx: PeContext, key: number): boolean => !cx.core.hasGicRegisters && gicKeys.has(key);

/** MRS. */
export function readSystemRegister(cx: PeContext, key: number): Exit {
  const row = registerAt(key);
  if (row === undefined || isGicV2(cx, key)) return unallocated(cx, key, true);
  if (row.access === 'WO') return undefinedInstruction(cx);
  const refused = refusal(cx, row, row.readEl, true);
  return refused !== exit.none ? refused : readPermitted(cx, redirected(cx, row));
}

function readPermitted(cx: PeContext, row: SystemRegister): Exit {
  if (row.storage === 'plain') {
    if (isMissingEl2(cx, row)) write64(cx, pe.scratch, row.needs === 'EL2 or identity' ? row.reset(cx.core) : 0n);
    else setPair(cx, pe.scratch, low(cx, offsetOf(row)), high(cx, offsetOf(row)));
    return exit.none;
  }
  if (isUndefinedNow(cx, row)) return undefinedInstruction(cx);
  const value = isMissingEl2(cx, row) ? 0n : readValue(cx, row);
  if (value === undefined) return undefinedInstruction(cx);
  write64(cx, pe.scratch, value);
  return exit.none;
}

/** The value of a register, without checks; undefined where the CPU interface has no such register. */
export function readValue(cx: PeContext, row: SystemRegister): bigint | undefined {
  switch (row.storage) {
    case 'plain':
      return read64(cx, offsetOf(row));
    case 'constant':
      return row.reset(cx.core);
    case 'gic':
      return cx.environment.gic.read(row.key, currentEl(cx), isSecureBelowEl3(cx) || currentEl(cx) === 3);
    default:
      return registerBehaviours[row.name]?.read?.(cx) ?? 0n;
  }
}

/** MSR (register). */
export function writeSystemRegister(cx: PeContext, key: number): Exit {
  const named = registerAt(key);
  if (named === undefined || isGicV2(cx, key)) return unallocated(cx, key, false);
  if (named.access === 'RO') return undefinedInstruction(cx);
  const refused = refusal(cx, named, named.writeEl, false);
  if (refused !== exit.none) return refused;
  const row = redirected(cx, named);
  if (isMissingEl2(cx, row)) return exit.none;
  if (isUndefinedNow(cx, row)) return undefinedInstruction(cx);
  return writeValue(cx, row, read64(cx, pe.scratch));
}

/** Writes a register without checks. */
export function writeValue(cx: PeContext, row: SystemRegister, value: bigint): Exit {
  const written = (value & row.writable) | row.ones;
  switch (row.storage) {
    case 'constant':
      return exit.none;
    case 'plain': {
      const offset = offsetOf(row);
      const before = read64(cx, offset);
      if (before === written) return exit.none;
      write64(cx, offset, written);
      return row.affects === undefined ? exit.none : applyEffect(cx, row.affects);
    }
    case 'gic':
      if (!cx.environment.gic.write(row.key, value, currentEl(cx), isSecureBelowEl3(cx) || currentEl(cx) === 3)) {
        return undefinedInstruction(cx);
      }
      // The slot of ICH_HCR_EL2 is where its traps are looked up.
      if (row.slot >= 0) write64(cx, offsetOf(row), written);
      return redirectForInterrupt(cx);
    case 'pstate':
      registerBehaviours[row.name]?.write?.(cx, written);
      return redirectForPstate(cx, row.name);
    default:
      registerBehaviours[row.name]?.write?.(cx, written);
      return exit.none;
  }
}

function redirect(cx: PeContext): Exit {
  advancePc(cx);
  return exit.redirect;
}

/** An interrupt that can now be taken is taken before the next instruction. */
const redirectForInterrupt = (cx: PeContext): Exit => (pendingInterrupt(cx) === undefined ? exit.none : redirect(cx));

/** NZCV, SPSel, PAN and UAO change what translated code has read from the record. */
const redirectForPstate = (cx: PeContext, name: string): Exit =>
  name === 'DAIF' ? redirectForInterrupt(cx) : redirect(cx);

/** A change takes effect at once, which the architecture permits before the next context synchronization event. */
function applyEffect(cx: PeContext, affects: Affects): Exit {
  switch (affects) {
    case 'controls':
      refreshDerivedState(cx);
      return exit.none;
    case 'EL1&0':
      cx.isWorldStale = true;
      break;
    case 'EL2':
      flushRegime(cx, 2);
      break;
    case 'EL3':
      flushRegime(cx, 3);
      break;
    case 'HCR_EL2':
      changeWorld(cx);
      break;
    case 'SCR_EL3':
      changeWorld(cx);
      flushRegime(cx, 1);
      flushRegime(cx, 3);
  }
  refreshDerivedState(cx);
  return redirect(cx);
}

/** SYS. */
export function systemInstruction(cx: PeContext, key: number): Exit {
  const instruction = systemInstructionAt(key);
  if (instruction === undefined) return unallocated(cx, key, false);
  // What acts on EL2 is UNDEFINED, even at EL3, where there is no EL2.
  if (instruction.needs === 'EL2' && !cx.hasEl2) return undefinedInstruction(cx);
  const refused = refusal(cx, instruction, instruction.el, false);
  return refused !== exit.none ? refused : performSystemOperation(cx, instruction.operation);
}

/** SYSL: nothing is allocated. */
export const systemInstructionWithResult = (cx: PeContext, key: number): Exit => unallocated(cx, key, true);

/** MSR (immediate): UAO, PAN, SPSel, DAIFSet, DAIFClr. */
export function msrImmediate(cx: PeContext, op1: number, op2: number, CRm: number): Exit {
  const row = registerNamed(pstateFields[(op1 << 3) | op2] ?? '');
  if (row === undefined) return undefinedInstruction(cx);
  const key = (op1 << 11) | (4 << 7) | (CRm << 3) | op2;
  const refused = refusal(cx, row, row.writeEl, false, key);
  if (refused !== exit.none) return refused;
  const isDaif = op1 === 3;
  if (!isDaif) return writeValue(cx, row, CRm & 1 ? row.writable : 0n);
  const DAIF = registerBehaviours.DAIF!.read!(cx);
  const mask = BigInt(CRm << 6);
  return writeValue(cx, row, op2 === 6 ? DAIF | mask : DAIF & ~mask);
}

/** The register of each PSTATE field that op1:op2 of MSR (immediate) names. */
const pstateFields: Readonly<Record<number, string>> = {
  0b000_011: 'UAO',
  0b000_100: 'PAN',
  0b000_101: 'SPSel',
  0b011_110: 'DAIF',
  0b011_111: 'DAIF',
};
