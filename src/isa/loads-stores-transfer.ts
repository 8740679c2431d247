// The transfer of one register between memory and the register file: what the size, V and opc fields of the load/store
// classes say, and the access itself.
//
// CONSTRAINED UNPREDICTABLE choices of the loads and stores (Arm DDI 0487, K1.2), made here once:
// - A load with write-back whose Rt or Rt2 is the base: the write-back is suppressed (Constraint_WBSUPPRESS), because the
//   register is written after the base.
// - A store with write-back whose Rt or Rt2 is the base: the original value is stored (Constraint_NONE), because an
//   instruction reads the state from before it.
// - A load of a pair into one register: it takes the second value (Constraint_UNKNOWN).
// - A store-exclusive whose status register is also the base or a data register: the original values are used
//   (Constraint_NONE).
// - A should-be-one field (Rs or Rt2 of the exclusives and ordered accesses) that is not all ones: UNDEFINED. The patterns
//   hold the ones, so that a word and its assembler text stay one to one.

import { assert } from '../report/assert.ts';
import type { Access, AccessBytes, Semantics, Value, Width } from './semantics.ts';

export interface Transfer {
  readonly load: boolean;
  readonly bytes: AccessBytes;
  /** A SIMD&FP register; otherwise a general-purpose one. */
  readonly vector: boolean;
  /** The width that a loaded value is sign-extended to; undefined where it is zero-extended. */
  readonly signedTo?: 32 | 64;
}

/** The tail of a mnemonic after LDR, LDUR, STR…: size and sign of a general-purpose transfer. */
export type Tail = '' | 'B' | 'H' | 'SB' | 'SH' | 'SW';

/** One page of the manual for the single-register classes: the bits of size, V and opc that it fixes, and those it leaves. */
export interface Page {
  readonly op: 'LD' | 'ST';
  readonly tail: Tail;
  readonly V: '0' | '1';
  readonly size: '00' | '01' | '10' | 'size';
  readonly opc: '00' | '01' | '10' | 'opc';
}

export const generalPages: readonly Page[] = [
  { op: 'ST', tail: 'B', V: '0', size: '00', opc: '00' },
  { op: 'LD', tail: 'B', V: '0', size: '00', opc: '01' },
  { op: 'LD', tail: 'SB', V: '0', size: '00', opc: 'opc' },
  { op: 'ST', tail: 'H', V: '0', size: '01', opc: '00' },
  { op: 'LD', tail: 'H', V: '0', size: '01', opc: '01' },
  { op: 'LD', tail: 'SH', V: '0', size: '01', opc: 'opc' },
  { op: 'ST', tail: '', V: '0', size: 'size', opc: '00' },
  { op: 'LD', tail: '', V: '0', size: 'size', opc: '01' },
  { op: 'LD', tail: 'SW', V: '0', size: '10', opc: '10' },
];

export const vectorPages: readonly Page[] = [
  { op: 'ST', tail: '', V: '1', size: 'size', opc: 'opc' },
  { op: 'LD', tail: '', V: '1', size: 'size', opc: 'opc' },
];

/** The fields that a page may leave open. */
interface OpenFields {
  readonly size?: number;
  readonly opc?: number;
}

/** The page's transfer for these field values; undefined where the page leaves them unallocated. */
export function transferOf(page: Page, k: OpenFields): Transfer | undefined {
  const size = page.size === 'size' ? (k.size ?? 0) : Number.parseInt(page.size, 2);
  const opc = page.opc === 'opc' ? (k.opc ?? 0) : Number.parseInt(page.opc, 2);
  const load = page.op === 'LD';
  if (page.V === '1') {
    if ((opc & 1) !== Number(load)) return undefined;
    if (opc < 2) return { load, vector: true, bytes: powerOfTwo(size) };
    return size === 0 ? { load, vector: true, bytes: 16 } : undefined;
  }
  if (page.tail.startsWith('S')) {
    return opc < 2 ? undefined : { load, vector: false, bytes: powerOfTwo(size), signedTo: opc === 2 ? 64 : 32 };
  }
  return page.tail === '' && size < 2 ? undefined : { load, vector: false, bytes: powerOfTwo(size) };
}

function powerOfTwo(scale: number): AccessBytes {
  return (1 << scale) as AccessBytes;
}

/** The transfer of an allocated encoding. */
export function allocatedTransfer(page: Page, k: OpenFields): Transfer {
  const t = transferOf(page, k);
  assert(t !== undefined, `${page.op}R${page.tail}: the encoding is not allocated`);
  return t;
}

/** The pages of the exclusives, ordered accesses and atomics: one for bytes, one for halfwords, one for words and doublewords. */
export interface AccessSize {
  readonly tail: '' | 'B' | 'H';
  readonly size: '00' | '01' | 'size';
}

export const accessSizes: readonly AccessSize[] = [
  { tail: 'B', size: '00' },
  { tail: 'H', size: '01' },
  { tail: '', size: 'size' },
];

/** The access of such a page: the bits that its pattern fixes, or else the known field. */
export function bytesOf(size: AccessSize['size'], field: number): 1 | 2 | 4 | 8 {
  return (1 << (size === 'size' ? field : Number.parseInt(size, 2))) as 1 | 2 | 4 | 8;
}

/** The register in an encoding's name: 32, 64, or B, H, S, D, Q. */
export function registerOf(t: Transfer): string {
  if (t.vector) return 'BHSDQ'.charAt(Math.log2(t.bytes));
  return String(t.signedTo ?? (t.bytes === 8 ? 64 : 32));
}

/** The title of a page: `LDR (register, SIMD&FP)`. */
export function pageName(mnemonic: string, V: '0' | '1', form?: string): string {
  const qualifiers = [...(form === undefined ? [] : [form]), ...(V === '1' ? ['SIMD&FP'] : [])];
  return qualifiers.length === 0 ? mnemonic : `${mnemonic} (${qualifiers.join(', ')})`;
}

/** The value of the transfer's register, as a store takes it. */
export function readRegister(s: Semantics, t: Transfer, n: Value): Value {
  if (t.vector) return s.readV(n, Math.max(32, 8 * t.bytes) as Width);
  return s.readX(n, t.bytes === 8 ? 64 : 32);
}

/** The value that a load gives its register. */
function loadValue(s: Semantics, t: Transfer, address: Value, access: Access): Value {
  return extended(s, t, s.load(address, t.bytes, access));
}

/** What a load makes of the value that it has read. */
export function extended(s: Semantics, t: Transfer, value: Value): Value {
  return t.signedTo === undefined ? value : s.signExtend(value, (8 * t.bytes) as 8 | 16 | 32, t.signedTo);
}

export function writeRegister(s: Semantics, t: Transfer, n: Value, value: Value): void {
  if (t.vector) s.writeV(n, value);
  else s.writeX(n, value);
}

/** Transfers Rt at the address; the pre- and post-indexed forms write the base register back. */
export function transfer(
  s: Semantics,
  t: Transfer,
  address: Value,
  Rt: Value,
  access: Access,
  writeBack?: { readonly Rn: Value; readonly address: Value },
): void {
  if (t.load) {
    const value = loadValue(s, t, address, access);
    if (writeBack) s.writeXSP(writeBack.Rn, writeBack.address);
    writeRegister(s, t, Rt, value);
  } else {
    s.store(address, readRegister(s, t, Rt), t.bytes, access);
    if (writeBack) s.writeXSP(writeBack.Rn, writeBack.address);
  }
}
