// The types of variables and registers: what they occupy, and how their values are read and printed.

import type { TypeText } from './test.ts';
import { refuse } from './text.ts';
import type { Spot } from './test.ts';

export interface ScalarType {
  readonly bytes: 1 | 2 | 4 | 8 | 16;
  readonly isSigned: boolean;
  /** How a value is printed that is no address. */
  readonly kind: 'integer' | 'instruction' | 'descriptor';
}

const integer = (bytes: ScalarType['bytes'], isSigned: boolean): ScalarType => ({ bytes, isSigned, kind: 'integer' });

/** What has no type is an int. */
export const int: ScalarType = integer(4, true);
export const pointer: ScalarType = integer(8, false);
export const descriptor: ScalarType = { bytes: 8, isSigned: false, kind: 'descriptor' };
const instruction: ScalarType = { bytes: 4, isSigned: false, kind: 'instruction' };

const types: ReadonlyMap<string, ScalarType> = new Map([
  ['int', int],
  ['void', integer(1, false)],
  ['unsigned', integer(4, false)],
  ['char', integer(1, false)],
  ['short', integer(2, true)],
  ['long', integer(8, true)],
  ['intptr_t', integer(8, true)],
  ['uintptr_t', integer(8, false)],
  ['ins_t', instruction],
  ['pteval_t', descriptor],
  ['parel1_t', descriptor],
  ['ssval_t', integer(8, false)],
  ...[8, 16, 32, 64, 128].flatMap((bits): [string, ScalarType][] => [
    [`int${bits}_t`, integer((bits / 8) as ScalarType['bytes'], true)],
    [`uint${bits}_t`, integer((bits / 8) as ScalarType['bytes'], false)],
  ]),
  ['__int128', integer(16, true)],
  ['__uint128', integer(16, false)],
  ['__uint128_t', integer(16, false)],
]);

export function typeOf(text: TypeText, at: Spot): ScalarType {
  const type = types.get(text.name);
  if (type === undefined) throw refuse(at, `no type "${text.name}"`, `known are ${[...types.keys()].join(', ')}`);
  return text.isPointer ? pointer : type;
}

/** The bits as a number of the type. */
export function asType({ bytes, isSigned }: ScalarType, bits: bigint): bigint {
  return isSigned ? BigInt.asIntN(8 * bytes, bits) : BigInt.asUintN(8 * bytes, bits);
}
