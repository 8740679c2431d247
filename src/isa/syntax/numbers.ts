// Numbers in assembler text: how they are printed, and how they are checked against the range of a field.

import type { OperandReader } from '../syntax.ts';

export const hex = (value: number | bigint): string =>
  value < 0 ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`;

/** The low bits as a signed number. */
export const signExtend = (value: number, bits: number): number => (value << (32 - bits)) >> (32 - bits);

/** Modulo 2^64. */
export const unsigned64 = (value: bigint): bigint => BigInt.asUintN(64, value);

export interface Range {
  /** What the number is, for messages. */
  readonly what: string;
  readonly least: number;
  readonly most: number;
  readonly step?: number;
  /** Further numbers that are possible, for messages. */
  readonly others?: string;
}

/** A number that lies in a range, as a number; undefined with the refusal recorded. */
export function inRange(
  reader: OperandReader,
  value: bigint,
  { what, least, most, step = 1, others }: Range,
): number | undefined {
  if (value < BigInt(least) || value > BigInt(most)) {
    const steps = step > 1 ? ` in steps of ${step}` : '';
    const more = others === undefined ? '' : `, or ${others}`;
    reader.refused(`${what} ${value} is out of range: ${least} to ${most}${steps}${more}`);
    return undefined;
  }
  if (value % BigInt(step) !== 0n) {
    reader.refused(`${what} ${value} is not a multiple of ${step}`);
    return undefined;
  }
  return Number(value);
}

/** Reads a number in a range; undefined with the refusal recorded. */
export function readNumber(reader: OperandReader, range: Range): number | undefined {
  const value = reader.expression();
  return value === undefined ? undefined : inRange(reader, value, range);
}
