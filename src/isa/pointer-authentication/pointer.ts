// Pointer authentication codes: AddPAC, Auth and Strip of Arm DDI 0487, without FEAT_EPAC, FEAT_PAuth2 and FEAT_FPAC, over words. What
// of the system registers decides on the layout of a pointer is packed in one word, the pointer control.

import type { Words } from '../floating-point/words.ts';
import type { Value } from '../semantics.ts';
import type { PointerKey, PointerOperation } from './names.ts';
import { computePac } from './qarma.ts';

/** Fields of the pointer control, by their lowest bit. For a regime of one range both ranges are alike. */
export const pointerControl = {
  /** CalculateBottomPACBit(), 6 bits, for bit 55 (or 63) 0 and 1. */
  bottom: [0, 6],
  /** EffectiveTBI() by bit 55: two bits, the lower one for 0. */
  tagsOfInstructions: 12,
  tagsOfData: 14,
  /** The range is chosen by bit 55 when a PAC is added, else by bit 63. */
  bit55OfInstructions: 16,
  bit55OfData: 17,
  /** SCTLR_ELx.EnIA, EnIB, EnDA, EnDB. */
  enabled: { IA: 18, IB: 19, DA: 20, DB: 21 },
} as const;

/** No key is enabled: 48 bits of address in both ranges, and no tags. */
export const noPointerKeys = (48 << pointerControl.bottom[0]) | (48 << pointerControl.bottom[1]);

/** What an operation works with: the control, and the key as the high and the low half of its register. */
export interface PointerContext {
  readonly w: Words;
  readonly control: Value;
  readonly key: readonly [high: Value, low: Value];
}

/** The name in the key registers, and of the enable: of XPAC none. */
export const keyOf = (operation: PointerOperation): PointerKey | 'GA' | undefined =>
  operation === 'PACGA' ? 'GA' : operation.startsWith('XPAC') ? undefined : (operation.slice(3) as PointerKey);

interface Layout {
  /** All bits where the PAC goes, with bit 55. */
  readonly mask: Value;
  /** The pointer with bits of that range there. */
  readonly extended: Value;
  readonly hasTag: Value;
}

/** The layout of a pointer for the range that a bit has chosen. */
function layoutOf({ w, control }: PointerContext, pointer: Value, range: Value, isData: boolean): Layout {
  const bit55 = w.and(w.shr(pointer, 55), 1);
  const tags = w.shr(control, isData ? pointerControl.tagsOfData : pointerControl.tagsOfInstructions);
  const hasTag = w.ne(w.and(w.shrBy(tags, bit55), 1), 0);
  const [lower, upper] = pointerControl.bottom;
  const bottom = w.and(w.choose(w.ne(range, 0), w.shr(control, upper), w.shr(control, lower)), 63);
  const above = w.shlBy(-1n, bottom);
  const mask = w.choose(hasTag, w.and(above, 0x00ff_ffff_ffff_ffffn), above);
  const extended = w.or(w.and(pointer, w.xor(mask, -1)), w.and(w.sub(0, range), mask));
  return { mask, extended, hasTag };
}

const bit55 = 1n << 55n;

function addPac(c: PointerContext, pointer: Value, modifier: Value, isData: boolean): Value {
  const { w, control } = c;
  const selects = w.and(w.shr(control, isData ? pointerControl.bit55OfData : pointerControl.bit55OfInstructions), 1);
  const range = w.and(w.choose(w.ne(selects, 0), w.shr(pointer, 55), w.shr(pointer, 63)), 1);
  const { mask, extended, hasTag } = layoutOf(c, pointer, range, isData);
  const pac = computePac(w, extended, modifier, ...c.key);
  // A pointer that was not canonical gets a PAC that does not authenticate.
  const extension = w.and(pointer, mask);
  const isBad = w.both(w.ne(extension, 0), w.ne(extension, mask));
  const corrupted = w.xor(pac, w.choose(hasTag, 1n << 54n, 1n << 62n));
  const inserted = w.and(w.choose(isBad, corrupted, pac), w.and(mask, ~bit55));
  return w.or(w.or(w.and(pointer, w.xor(mask, -1)), inserted), w.shl(range, 55));
}

/** `errorCode`: two bits that make a pointer that is not authentic no canonical address. */
function authenticate(c: PointerContext, pointer: Value, modifier: Value, isData: boolean, errorCode: number): Value {
  const { w } = c;
  const range = w.and(w.shr(pointer, 55), 1);
  const { mask, extended, hasTag } = layoutOf(c, pointer, range, isData);
  const pac = computePac(w, extended, modifier, ...c.key);
  const isAuthentic = w.eq(w.and(w.xor(pac, pointer), w.and(mask, ~bit55)), 0);
  const lowest = w.choose(hasTag, 53, 61);
  const failed = w.or(w.and(extended, w.xor(w.shlBy(3, lowest), -1)), w.shlBy(errorCode, lowest));
  return w.choose(isAuthentic, extended, failed);
}

/** The result of an operation that is enabled. */
export function pointerResult(operation: PointerOperation, c: PointerContext, pointer: Value, modifier: Value): Value {
  const { w } = c;
  const isData = operation.charAt(operation.startsWith('XPAC') ? 4 : 3) === 'D';
  if (operation === 'PACGA') return w.and(computePac(w, pointer, modifier, ...c.key), 0xffff_ffff_0000_0000n);
  if (operation.startsWith('PAC')) return addPac(c, pointer, modifier, isData);
  if (operation.startsWith('AUT')) {
    return authenticate(c, pointer, modifier, isData, operation.endsWith('A') ? 0b01 : 0b10);
  }
  return layoutOf(c, pointer, w.and(w.shr(pointer, 55), 1), isData).extended;
}
