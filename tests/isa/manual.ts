// The manual's shared pseudocode (Arm DDI 0487, J1) read literally over BigInt: what the rows are checked against.

export const bitsOf = (value: bigint, width: number): bigint => BigInt.asUintN(width, value);
const ones = (n: number): bigint => (1n << BigInt(n)) - 1n;

/** AddWithCarry(x, y, carry_in): the result, and N, Z, C, V in bits 3 to 0. */
export function addWithCarry(x: bigint, y: bigint, carry: bigint, width: number): { result: bigint; nzcv: number } {
  const unsignedSum = bitsOf(x, width) + bitsOf(y, width) + carry;
  const signedSum = BigInt.asIntN(width, x) + BigInt.asIntN(width, y) + carry;
  const result = bitsOf(unsignedSum, width);
  const flags = [
    result >> BigInt(width - 1) === 1n,
    result === 0n,
    result !== unsignedSum,
    BigInt.asIntN(width, result) !== signedSum,
  ];
  return { result, nzcv: flags.reduce((bits, flag) => 2 * bits + Number(flag), 0) };
}

/** ConditionHolds(cond). */
export function conditionHolds(cond: number, nzcv: number): boolean {
  const [N, Z, C, V] = [8, 4, 2, 1].map((flag) => (nzcv & flag) !== 0) as [boolean, boolean, boolean, boolean];
  const result = [Z, C, N, V, C && !Z, N === V, N === V && !Z, true][cond >> 1]!;
  return (cond & 1) === 1 && cond !== 15 ? !result : result;
}

/** ShiftReg's shift: 0 LSL, 1 LSR, 2 ASR, 3 ROR, bit by bit. */
export function shift(value: bigint, type: number, amount: number, width: number): bigint {
  let result = bitsOf(value, width);
  const top = BigInt(width - 1);
  for (let n = 0; n < amount; n += 1) {
    const high = result >> top;
    const low = result & 1n;
    if (type === 0) result = bitsOf(result << 1n, width);
    else result = (result >> 1n) | (((type === 2 && high === 1n) || (type === 3 && low === 1n) ? 1n : 0n) << top);
  }
  return result;
}

/** ExtendReg(reg, type, shift): `option` 0 UXTB to 7 SXTX. */
export function extendReg(value: bigint, option: number, amount: number, width: number): bigint {
  const length = Math.min(8 << (option & 3), width - amount);
  const field = bitsOf(value, length) << BigInt(amount);
  return bitsOf(option & 4 ? BigInt.asIntN(length + amount, field) : field, width);
}

const replicate = (element: bigint, size: number, width: number): bigint => {
  let result = 0n;
  for (let at = 0; at < width; at += size) result |= element << BigInt(at);
  return bitsOf(result, width);
};

/** DecodeBitMasks(immN, imms, immr, immediate); undefined where it is UNDEFINED. */
export function decodeBitMasks(
  immN: number,
  imms: number,
  immr: number,
  immediate: boolean,
  width: number,
): { wmask: bigint; tmask: bigint } | undefined {
  const pattern = (immN << 6) | (~imms & 0x3f);
  let length = -1;
  for (let n = 0; n < 7; n += 1) if ((pattern >> n) & 1) length = n;
  if (length < 1 || width < 1 << length) return undefined;
  const levels = (1 << length) - 1;
  if (immediate && (imms & levels) === levels) return undefined;
  const esize = 1 << length;
  const S = imms & levels;
  const R = immr & levels;
  const d = (S - R) & levels;
  const welem = shift(ones(S + 1), 3, R, esize);
  return { wmask: replicate(welem, esize, width), tmask: replicate(ones(d + 1), esize, width) };
}

/** BitReverse(value). */
export function bitReverse(value: bigint, width: number): bigint {
  let result = 0n;
  for (let n = 0; n < width; n += 1) result |= ((value >> BigInt(n)) & 1n) << BigInt(width - 1 - n);
  return result;
}

/** Poly32Mod2(data, poly). */
function poly32Mod2(data: bigint, length: number, poly: bigint): bigint {
  let rest = data;
  for (let n = length - 1; n >= 32; n -= 1)
    if ((rest >> BigInt(n)) & 1n) rest ^= (poly | (1n << 32n)) << BigInt(n - 32);
  return bitsOf(rest, 32);
}

/** The operation of CRC32B to CRC32CX. */
export function crc32(acc: bigint, value: bigint, size: number, castagnoli: boolean): bigint {
  const poly = castagnoli ? 0x1edc_6f41n : 0x04c1_1db7n;
  const accReversed = bitReverse(bitsOf(acc, 32), 32) << BigInt(size);
  const valueReversed = bitReverse(bitsOf(value, size), size) << 32n;
  return bitReverse(poly32Mod2(accReversed ^ valueReversed, 32 + size, poly), 32);
}
