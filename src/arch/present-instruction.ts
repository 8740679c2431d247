// The instruction at PC, for the syndromes that describe it. It has just been fetched from there.

import { currentEl, high, low, type PeContext } from './pe-context.ts';
import { pe, ramBase } from './state-layout.ts';
import { noFault } from './translation-attributes.ts';
import { translate } from './translation.ts';

/** The instruction word, or undefined where it is not there any more. Changes `cx.translation`. */
export function presentInstruction(cx: PeContext): number | undefined {
  const out = cx.translation;
  translate(cx, low(cx, pe.pc), high(cx, pe.pc), currentEl(cx), true);
  const isReadable = out.fault === noFault && out.pa >= ramBase && out.pa < cx.ramEnd && out.pa % 4 === 0;
  return isReadable ? cx.words[out.pa / 4]! : undefined;
}

/** The Rt field of the System instruction at PC. */
export const instructionRt = (cx: PeContext): number => (presentInstruction(cx) ?? 31) & 31;
