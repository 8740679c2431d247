// Numbers as users type them. Each refusal names the option and shows a value that would do.

import { UserError } from '../report/user-error.ts';

/** A whole number from `min` to `max`. */
export function parseCount(option: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text)) throw new UserError(`${option} ${text}: not a whole number`);
  if (value < min || value > max) throw new UserError(`${option} ${text}: it must be from ${min} to ${max}`);
  return value;
}

function parseWithUnit(option: string, text: string, units: Readonly<Record<string, number>>, example: string): number {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)([a-z]*)$/i.exec(text) ?? [];
  const scale = units[unit ?? ''];
  if (digits === undefined || scale === undefined) throw new UserError(`${option} ${text}: write it like ${example}`);
  const value = Number(digits) * scale;
  if (!Number.isSafeInteger(value)) throw new UserError(`${option} ${text}: not a whole number, or too large`);
  return value;
}

const sizeUnits = { k: 2 ** 10, K: 2 ** 10, m: 2 ** 20, M: 2 ** 20, g: 2 ** 30, G: 2 ** 30 };

/** A size in bytes; it has a unit, because people differ on what a bare number means. */
export const parseSize = (option: string, text: string): number => parseWithUnit(option, text, sizeUnits, '512M or 3G');

/** Simulated time in nanoseconds. */
export const parseTime = (option: string, text: string): number =>
  parseWithUnit(option, text, { s: 1e9, ms: 1e6, us: 1e3, ns: 1 }, '5s, 200ms or 10us');

/** A count that may be large: 5000000, 5M. */
export const parseLargeCount = (option: string, text: string): number =>
  parseWithUnit(option, text, { '': 1, k: 1e3, K: 1e3, M: 1e6, G: 1e9 }, '1000000 or 5M');

export function parseOnOff(option: string, text: string): boolean {
  if (text !== 'on' && text !== 'off') throw new UserError(`${option} ${text}: it must be on or off`);
  return text === 'on';
}

/** An address of 64 bits. */
export function parseAddress(option: string, text: string): bigint {
  if (!/^(0x[0-9a-f]{1,16}|\d{1,20})$/i.test(text)) throw new UserError(`${option} ${text}: write it like 0x40000000`);
  const address = BigInt(text);
  if (BigInt.asUintN(64, address) !== address) throw new UserError(`${option} ${text}: an address has 64 bits`);
  return address;
}
