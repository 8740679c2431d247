// PSTATE.BTYPE after indirect branches (FEAT_BTI): Arm DDI 0487, BR, BLR, and their forms with pointer authentication.

import type { Semantics, Value } from './semantics.ts';

export const btypeOfCall = 0b10;

/** A jump by X16 or X17, which is how a linker's veneer goes on, or from a page that is not guarded, may reach the start of a function. */
export function jumpType(s: Semantics, Rn: Value): void {
  const isVeneer = s.or(s.eq(Rn, s.constant(32, 16)), s.eq(Rn, s.constant(32, 17)));
  const guarded = s.select(s.inGuardedPage(), s.constant(32, 0b11), s.constant(32, 0b01));
  s.setBType(s.select(isVeneer, s.constant(32, 0b01), guarded));
}
