// What every memory-mapped device shares: the adapter from bus messages to `read` and `write`, the table that describes its
// registers, and the counters of what a guest did wrong. A guest's error is counted and answered with the architected value;
// it is never logged and never thrown.

import type { Message, Port } from './actor.ts';
import { busMessages, busResponse } from './bus/messages.ts';

/** What software may do with a register. RES0 bits are those outside `mask`. */
export type RegisterAccess = 'RO' | 'WO' | 'RW' | 'W1C';

export interface Register<Name extends string = string> {
  readonly name: Name;
  /** From the device's base. */
  readonly offset: number;
  readonly reset: number;
  readonly access: RegisterAccess;
  /** The bits that a write changes; of a W1C register, those that a write of 1 clears. */
  readonly mask: number;
  /** Number of consecutive words that the row stands for; 1 unless told. */
  readonly count?: number;
}

export interface GuestErrors {
  /** Accesses to an offset that has no register. */
  unknownOffset: number;
  readOfWriteOnly: number;
  writeOfReadOnly: number;
  /** Accesses of a size, or with an alignment, that the register does not have. */
  unsupportedSize: number;
  /** Accesses that the device's own rules call a programming error. */
  misuse: number;
}

export const noGuestErrors = (): GuestErrors => ({
  unknownOffset: 0,
  readOfWriteOnly: 0,
  writeOfReadOnly: 0,
  unsupportedSize: 0,
  misuse: 0,
});

/** A device with registers of 32 bits: total, synchronous functions of its state. */
export interface Device {
  readonly guestErrors: GuestErrors;
  /** `sizeBytes` is 1, 2 or 4 and `offset` is aligned to it; `nonSecure` is AxPROT[1]. */
  read(offset: number, sizeBytes: number, nonSecure: boolean): number;
  write(offset: number, sizeBytes: number, value: number, nonSecure: boolean): void;
}

/** A table of registers with its decoder; one per kind of device, shared by all its instances. */
export interface RegisterTable<Row extends Register = Register> {
  readonly rows: readonly Row[];
  /** Position in `rows` of the register at this offset, or -1. */
  indexAt(offset: number): number;
}

const noRow = -1;

/** Builds the decoder of a table whose registers lie in `sizeBytes` bytes. */
export function registerTable<Row extends Register>(rows: readonly Row[], sizeBytes: number): RegisterTable<Row> {
  const rowOfWord = new Int16Array(sizeBytes >> 2).fill(noRow);
  rows.forEach((row, index) => rowOfWord.fill(index, row.offset >> 2, (row.offset >> 2) + (row.count ?? 1)));
  return { rows, indexAt: (offset) => rowOfWord[offset >> 2] ?? noRow };
}

/**
 * The values of a device whose registers are plain words: what the table says happens here; what a register means is the
 * device's own.
 */
export class RegisterFile<Row extends Register> {
  readonly table: RegisterTable<Row>;
  /** One word for each row. */
  readonly values: Uint32Array;
  readonly guestErrors: GuestErrors = noGuestErrors();

  constructor(table: RegisterTable<Row>) {
    this.table = table;
    this.values = Uint32Array.from(table.rows, (row) => row.reset);
  }

  reset(): void {
    this.table.rows.forEach((row, index) => {
      this.values[index] = row.reset;
    });
  }

  /** The row that a read addresses; undefined, and counted, where there is nothing to read. */
  rowToRead(offset: number): Row | undefined {
    const row = this.rowAt(offset);
    if (row?.access !== 'WO') return row;
    this.guestErrors.readOfWriteOnly++;
    return undefined;
  }

  /** The row that a write addresses; undefined, and counted, where there is nothing to write. */
  rowToWrite(offset: number): Row | undefined {
    const row = this.rowAt(offset);
    if (row?.access !== 'RO') return row;
    this.guestErrors.writeOfReadOnly++;
    return undefined;
  }

  /** Stores a value as the row's access and mask allow. */
  store(row: Row, value: number): void {
    const index = this.table.indexAt(row.offset);
    const old = this.values[index]!;
    this.values[index] = row.access === 'W1C' ? old & ~(value & row.mask) : (old & ~row.mask) | (value & row.mask);
  }

  private rowAt(offset: number): Row | undefined {
    const row = this.table.rows[this.table.indexAt(offset)];
    if (row === undefined) this.guestErrors.unknownOffset++;
    return row;
  }
}

/** The part of a 32-bit register that an access of `sizeBytes` at `offset` sees. */
export function narrow(value: number, offset: number, sizeBytes: number): number {
  if (sizeBytes === 4) return value >>> 0;
  return (value >>> ((offset & 3) * 8)) & (sizeBytes === 1 ? 0xff : 0xffff);
}

const requestWords = { offset: 0, sizeBytes: 1, tag: 2 } as const;
const readWords = { nonSecure: 3 } as const;
const writeWords = { valueLow: 3, valueHigh: 4, nonSecure: 5 } as const;

/**
 * Serves a bus request: calls the device and sends the response. An access of 8 bytes becomes two of 4, the lower address
 * first; one of another size, or not aligned to its size, is answered with SLVERR. Returns false where the message is none of
 * the bus protocol's.
 */
export function serveBusRequest(port: Port, device: Device, message: Message): boolean {
  const { code, payload, source } = message;
  const isRead = code === busMessages.ReadRequest.code;
  if (!isRead && code !== busMessages.WriteRequest.code) return false;
  const offset = payload[requestWords.offset] ?? 0;
  const sizeBytes = payload[requestWords.sizeBytes] ?? 0;
  const tag = payload[requestWords.tag] ?? 0;
  const supported =
    (sizeBytes === 1 || sizeBytes === 2 || sizeBytes === 4 || sizeBytes === 8) && offset % sizeBytes === 0;
  if (!supported) device.guestErrors.unsupportedSize++;
  const response = supported ? busResponse.OKAY : busResponse.SLVERR;
  const wordBytes = Math.min(sizeBytes, 4);
  if (isRead) {
    const nonSecure = payload[readWords.nonSecure] === 1;
    const low = supported ? device.read(offset, wordBytes, nonSecure) : 0;
    const high = supported && sizeBytes === 8 ? device.read(offset + 4, 4, nonSecure) : 0;
    port.send(source, busMessages.ReadResponse.code, [response, tag, low >>> 0, high >>> 0]);
  } else {
    const nonSecure = payload[writeWords.nonSecure] === 1;
    const low = payload[writeWords.valueLow] ?? 0;
    if (supported) device.write(offset, wordBytes, narrow(low, 0, wordBytes), nonSecure);
    if (supported && sizeBytes === 8) device.write(offset + 4, 4, payload[writeWords.valueHigh] ?? 0, nonSecure);
    port.send(source, busMessages.WriteResponse.code, [response, tag]);
  }
  return true;
}
