// Syntax that the loads and stores share: the transferred register, and the immediate offsets.

import { type AccessSize, bytesOf, type Transfer } from './loads-stores-transfer.ts';
import type { Fields, Form, Operand } from './syntax.ts';
import type { Offset } from './syntax/addresses.ts';
import { Rof, V } from './syntax/registers.ts';

/** The transfer of a row for its known fields; undefined where the row leaves them unallocated. */
export type TransferOf = (k: Fields) => Transfer | undefined;

const generalWidth = (t: Transfer | undefined): 32 | 64 => ((t?.signedTo ?? 8 * (t?.bytes ?? 4)) === 64 ? 64 : 32);

/** A register of the transfer; `vector` is known from the page. */
export function transferRegister(field: string, transferOf: TransferOf, vector: boolean): Operand {
  return vector ? V(field, (f) => transferOf(f)?.bytes ?? 1) : Rof(field, (f) => generalWidth(transferOf(f)));
}

/** `mnemonic Rt, address`, where the transfer is allocated. */
export function transferForm(mnemonic: string, transferOf: TransferOf, vector: boolean, address: Operand): Form {
  return {
    mnemonic: (k) => (transferOf(k) === undefined ? undefined : mnemonic.toLowerCase()),
    operands: [transferRegister('Rt', transferOf, vector), address],
  };
}

export const unscaledOffset: Offset = { field: 'imm9', bits: 9, signed: true, scale: () => 1 };

/** imm12 or imm7 in units of the transfer. */
export const scaledOffset = (field: 'imm7' | 'imm12', transferOf: TransferOf): Offset => ({
  field,
  bits: field === 'imm7' ? 7 : 12,
  signed: field === 'imm7',
  scale: (f) => transferOf(f)?.bytes ?? 1,
  // LDR and STR of other offsets are LDUR and STUR.
  ...(field === 'imm12' && { others: '-256 to 255' }),
});

/** A register of the exclusives, ordered accesses and atomics: X for doublewords. */
export const sizedRegister = (field: string, size: AccessSize['size']): Operand =>
  Rof(field, (f) => sizedWidth(size, f));

export const sizedWidth = (size: AccessSize['size'], f: Fields): 32 | 64 =>
  bytesOf(size, f.size ?? 0) === 8 ? 64 : 32;
