// FEAT_BTI (Arm ARM, "Branch Target Identification"): what an instruction in a guarded page must be when PSTATE.BTYPE is not 0. The engines ask
// before the first instruction after an indirect branch, and before no other: BTYPE is 0 everywhere else.

import { sctlrHigh } from './derived-state.ts';
import { branchTarget } from './exceptions.ts';
import { exit, type Exit } from './exits.ts';
import { translateFetch } from './instruction-fetch.ts';
import { currentEl, low, type PeContext, setLow } from './pe-context.ts';
import { btypeChecked, pe } from './state-layout.ts';
import { attribute } from './translation-attributes.ts';

/** BTYPE after a branch by X16 or X17 or from a page that is not guarded, after BLR, and after any other BR. */
const [viaVeneer, call, jump] = [1, 2, 3];

/** SCTLR_ELx.BT0 for EL0, BT1 or BT for the others, counted from bit 32: PACIASP is no target of a jump. */
const isSigningStrict = (cx: PeContext): boolean => {
  const el = currentEl(cx);
  return ((sctlrHigh(cx, el) >>> (el === 0 ? 3 : 4)) & 1) !== 0;
};

/** Whether an instruction may follow a branch of this type in a guarded page: BTypeCompatible of its page. */
function isCompatible(cx: PeContext, word: number, btype: number): boolean {
  switch (word) {
    case 0xd503_245f: // BTI c
      return btype !== jump;
    case 0xd503_249f: // BTI j
      return btype !== call;
    case 0xd503_24df: // BTI jc
      return true;
    case 0xd503_233f: // PACIASP
    case 0xd503_237f: // PACIBSP
      return btype === viaVeneer || btype === call || !isSigningStrict(cx);
    default:
      // BRK and HLT.
      return (word & 0xffe0_001f) >>> 0 === 0xd420_0000 || (word & 0xffe0_001f) >>> 0 === 0xd440_0000;
  }
}

/** Lets the instruction at PC run, whose exceptions still show BTYPE, or takes the exception. What has run already leaves BTYPE 0. */
export function checkBranchTarget(cx: PeContext): Exit {
  const btype = low(cx, pe.btype);
  if ((btype & btypeChecked) !== 0) {
    setLow(cx, pe.btype, 0);
    return exit.none;
  }
  const pa = translateFetch(cx);
  if (pa < 0) return exit.redirect;
  const isGuarded = (cx.translation.attributes & attribute.guarded) !== 0;
  if (isGuarded && !isCompatible(cx, cx.words[pa >>> 2]!, btype)) return branchTarget(cx);
  setLow(cx, pe.btype, btype | btypeChecked);
  return exit.none;
}
