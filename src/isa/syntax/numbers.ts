// Numbers in assembler text: how they are printed, and how they are checked against the range of a field.

import type { OperandReader } from '../syntax.ts';

export const hex = (value: number | bigint): string =>
  value < 0 ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`;

/** The low bits as a signed number. */
export const signExtend = (value: number, bits: number): number => (value << (32 - bits)) >> (32 - bits);

/** Modulo 2^64. */
export const unsigned64 = (value: bigint): bigint => BigInt.asUintN(64, value);

/** Reads a number from `least` to `most` that is a multiple of `step`; undefined with the refusal recorded. */
export function readNumber(
  reader: OperandReader,
  { what, least, most, step = 1 }: { what: string; least: number; most: number; step?: number },
): number | undefined {
  const value = reader.expression();
  if (value === undefined) return undefined;
  if (value < BigInt(least) || value > BigInt(most)) {
    reader.refused(`${what} ${value} is out of range: ${least} to ${most}${step > 1 ? ` in steps of ${step}` : ''}`);
    return undefined;
  }
  if (value % BigInt(step) !== 0n) {
    reader.refused(`${what} ${value} is not a multiple of ${step}`);
    return undefined;
  }
  return Number(value);
}
