// The substitution boxes of AES (FIPS 197, 5.1.1 and 5.3.2): the inverse in GF(2^8), then an affine map; and back.

export type AesBox = 'AES' | 'inverse AES';

/** The product in GF(2^8), modulo x^8 + x^4 + x^3 + x + 1. */
function multiply(a: number, b: number): number {
  let product = 0;
  for (let bit = 0, x = a; bit < 8; bit += 1) {
    if ((b >> bit) & 1) product ^= x;
    x = (x << 1) ^ (x & 0x80 ? 0x11b : 0);
  }
  return product;
}

/** x^254, which is 1/x, and 0 for 0: the product of x^2, x^4, … x^128. */
function inverse(x: number): number {
  let result = 1;
  for (let n = 1, power = x; n < 8; n += 1) {
    power = multiply(power, power);
    result = multiply(result, power);
  }
  return result;
}

const rotate = (byte: number, by: number): number => ((byte << by) | (byte >> (8 - by))) & 0xff;

const forwards = Array.from({ length: 256 }, (_, byte) => {
  const x = inverse(byte);
  return x ^ rotate(x, 1) ^ rotate(x, 2) ^ rotate(x, 3) ^ rotate(x, 4) ^ 0x63;
});

/** By byte. */
export const aesBoxes: Readonly<Record<AesBox, readonly number[]>> = {
  AES: forwards,
  'inverse AES': forwards.map((_, byte) => forwards.indexOf(byte)),
};
