// The bitmask immediates as integers: DecodeBitMasks of the manual's shared pseudocode, and its inverse.

export interface BitMaskFields {
  readonly N: number;
  readonly imms: number;
  readonly immr: number;
}

const ones = (count: number): bigint => (1n << BigInt(count)) - 1n;

/** `element` repeated to 64 bits. */
function replicate(element: bigint, size: number): bigint {
  return element * (ones(64) / ones(size));
}

function rotateRight(value: bigint, amount: number, size: number): bigint {
  return (value >> BigInt(amount)) | ((value & ones(amount)) << BigInt(size - amount));
}

/** The value of N:imms:immr, which are allocated: imms + 1 ones in each element, rotated right by immr. */
export function decodeBitMask(N: number, imms: number, immr: number, width: 32 | 64): bigint {
  const length = 31 - Math.clz32((N << 6) | (~imms & 0x3f));
  const size = 1 << length;
  const levels = size - 1;
  const element = rotateRight(ones((imms & levels) + 1), immr & levels, size);
  return BigInt.asUintN(width, replicate(element, size));
}

/** The fields of a value, the rotation below the element size; undefined where it has no such pattern. */
export function encodeBitMask(value: bigint, width: 32 | 64): BitMaskFields | undefined {
  const whole = width === 32 ? value | (value << 32n) : value;
  if (whole === 0n || whole === ones(64)) return undefined;
  const size = [2, 4, 8, 16, 32, 64].find((n) => replicate(whole & ones(n), n) === whole)!;
  const element = whole & ones(size);
  for (let immr = 0; immr < size; immr += 1) {
    const run = rotateRight(element, size - immr === size ? 0 : size - immr, size);
    const count = run.toString(2).length;
    if (run !== ones(count)) continue;
    // The ones above the element's length in imms say how large the element is.
    const imms = ((~(2 * size - 1) & 0x3f) | (count - 1)) & 0x3f;
    return { N: size === 64 ? 1 : 0, imms, immr };
  }
  return undefined;
}
