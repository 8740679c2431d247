// From the fault of a translation, which is in `cx.translation`, to its abort: what stage 2 adds to the syndrome, and HPFAR_EL2
// (Arm ARM, "ISS encoding for an exception from a Data Abort", "HPFAR_EL2"; pseudocode AArch64.FaultSyndrome, IPAValid).

import { abortIss, dataAbort, instructionAbort, stage2DataAbort, stage2InstructionAbort } from './exceptions.ts';
import type { Exit } from './exits.ts';
import { loadStoreSyndrome } from './load-store-syndrome.ts';
import { type PeContext, setPair } from './pe-context.ts';
import { presentInstruction } from './present-instruction.ts';
import { slotOf } from './system-registers.ts';
import { FSC, isExternalAbort } from './translation-attributes.ts';

const HPFAR_EL2 = slotOf('HPFAR_EL2');
const S1PTW = 1 << 7;

/** IPAValid(): a Permission fault has an address only where a walk of stage 1 ran into it. */
function isIpaValid(fsc: number, isWalk: boolean): boolean {
  const isPermission = fsc >= FSC.permission && fsc < FSC.permission + 4;
  return fsc < FSC.externalAbort && (isWalk || !isPermission);
}

/** HPFAR_EL2.FIPA, which is in bits [43:4], has bits [51:12] of the address. */
function reportIpa(cx: PeContext): void {
  const { fault, isWalk, ipa } = cx.translation;
  if (!isIpaValid(fault, isWalk)) return;
  const FIPA = Math.floor(ipa / 4096) * 16;
  setPair(cx, HPFAR_EL2, FIPA % 2 ** 32, Math.floor(FIPA / 2 ** 32));
}

/** Takes the Data Abort. `iss`: bits of `abortIss` that the access adds. */
export function dataFault(cx: PeContext, iss: number, vaLow: number, vaHigh: number): Exit {
  const { fault, isStage2, isWalk } = cx.translation;
  if (!isStage2) return dataAbort(cx, fault | iss, vaLow, vaHigh);
  reportIpa(cx);
  const isDescribed = !isWalk && (iss & abortIss.CM) === 0 && !isExternalAbort(fault);
  const description = isDescribed ? loadStoreSyndrome(presentInstruction(cx) ?? 0) : 0;
  return stage2DataAbort(cx, fault | iss | description | (isWalk ? S1PTW : 0), vaLow, vaHigh);
}

/** Takes the Instruction Abort of a fetch at PC. */
export function instructionFault(cx: PeContext): Exit {
  const { fault, isStage2, isWalk } = cx.translation;
  if (!isStage2) return instructionAbort(cx, fault);
  reportIpa(cx);
  return stage2InstructionAbort(cx, fault | (isWalk ? S1PTW : 0));
}
