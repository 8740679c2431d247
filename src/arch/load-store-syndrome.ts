// The syndrome of a load or store that stage 2 has stopped: ISS[24:14] of a Data Abort (Arm ARM, "ISS encoding for an exception from
// a Data Abort"; pseudocode LSInstructionSyndrome), from which a hypervisor emulates the access without looking at the instruction.
//
// It describes loads and stores of one general-purpose register without writeback, acquire and release included. Of all others,
// such as pairs, exclusives, atomics and SIMD&FP registers, ISV and the fields with it are 0.

/** ISS[24:14]. */
const syndrome = (size: number, isSigned: boolean, Rt: number, is64Bit: boolean, isOrdered: boolean): number =>
  (1 << 24) |
  (size << 22) |
  (isSigned ? 1 << 21 : 0) |
  (Rt << 16) |
  (is64Bit ? 1 << 15 : 0) |
  (isOrdered ? 1 << 14 : 0);

/** Of the forms with a size and an opc field: 0 is a store, 1 a load, 2 and 3 loads with sign extension to 64 and 32 bits. */
function ofSizeAndOpc(word: number, isOrdered: boolean): number {
  const size = word >>> 30;
  const opc = (word >>> 22) & 3;
  const isPrefetch = size === 3 && opc >= 2;
  if (isPrefetch) return 0;
  return syndrome(size, opc >= 2, word & 31, opc === 2 || (opc < 2 && size === 3), isOrdered);
}

/** LDR (literal), LDRSW (literal). */
function ofLiteral(word: number): number {
  const opc = word >>> 30;
  if (opc === 3) return 0;
  return syndrome(opc === 0 ? 2 : opc === 1 ? 3 : 2, opc === 2, word & 31, opc !== 0, false);
}

/** The forms of "Load/store register": without writeback all but those with op2 01 and 11, and the atomics. */
function ofRegister(word: number): number {
  const isUnsignedOffset = (word & (1 << 24)) !== 0;
  if (isUnsignedOffset) return ofSizeAndOpc(word, false);
  const op2 = (word >>> 10) & 3;
  if ((word & (1 << 21)) === 0) return op2 === 0 || op2 === 2 ? ofSizeAndOpc(word, false) : 0;
  if (op2 === 2) return ofSizeAndOpc(word, false);
  // LDAPR stands among the atomics.
  const isLdapr = (word & 0x3fff_fc00) === 0x38bf_c000;
  return isLdapr ? syndrome(word >>> 30, false, word & 31, word >>> 30 === 3, true) : 0;
}

/** LDAR, STLR; LDLAR and STLLR, which order less than acquire and release. */
function ofOrdered(word: number): number {
  const isSingle = (word & (1 << 23)) !== 0 && (word & (1 << 21)) === 0;
  if (!isSingle) return 0;
  return syndrome(word >>> 30, false, word & 31, word >>> 30 === 3, (word & (1 << 15)) !== 0);
}

export function loadStoreSyndrome(word: number): number {
  if ((word & 0x3f00_0000) === 0x1800_0000) return ofLiteral(word);
  if ((word & 0x3e00_0000) === 0x3800_0000) return ofRegister(word);
  if ((word & 0x3f00_0000) === 0x0800_0000) return ofOrdered(word);
  // LDAPUR, STLUR and their kind.
  if ((word & 0x3f20_0c00) === 0x1900_0000) return ofSizeAndOpc(word, true);
  return 0;
}
