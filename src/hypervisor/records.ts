// The hypervisor keeps what it knows in its own part of RAM, as records of fixed layout, and nowhere else: whoever copies that
// memory has copied the hypervisor. All cores see the same records.
//
// A layout is a list of fields; `at` gives an object whose properties read and write memory. Fields are aligned to their size.

import type { MemoryViews } from '../arch/resident.ts';

/** `address` is a physical or intermediate physical address, or a size: 64 bits in memory, an exact number below 2^53 here. */
export type Scalar = 'u8' | 'u16' | 'u32' | 'u64' | 'address';

interface TextField {
  readonly text: number;
}
interface ArrayField<S extends Scalar = Scalar> {
  readonly array: S;
  readonly length: number;
}
interface RecordField<F extends Fields = Fields> {
  readonly record: RecordLayout<F>;
}
interface RecordsField<F extends Fields = Fields> {
  readonly records: RecordLayout<F>;
  readonly length: number;
}
/** What a layout must know of one that it nests, whatever its fields. */
interface NestedLayout {
  readonly sizeBytes: number;
  at(memory: MemoryViews, address: number): object;
}
type Field =
  | Scalar
  | TextField
  | ArrayField
  | { readonly record: NestedLayout }
  | { readonly records: NestedLayout; readonly length: number };
export type Fields = Readonly<Record<string, Field>>;

interface TypedArrays {
  u8: Uint8Array;
  u16: Uint16Array;
  u32: Uint32Array;
  u64: BigUint64Array;
  address: BigUint64Array;
}

type ValueOf<F> = F extends 'u64'
  ? bigint
  : F extends Scalar
    ? number
    : F extends TextField
      ? string
      : F extends RecordsField<infer G>
        ? readonly RecordOf<G>[]
        : F extends RecordField<infer G>
          ? RecordOf<G>
          : F extends ArrayField<infer S>
            ? TypedArrays[S]
            : never;

type Assignable<F> = F extends Scalar | TextField ? true : false;

/** A record in memory. Scalars and texts can be assigned; arrays are views, and nested records are records. */
export type RecordOf<F extends Fields> = {
  -readonly [K in keyof F as Assignable<F[K]> extends true ? K : never]: ValueOf<F[K]>;
} & {
  readonly [K in keyof F as Assignable<F[K]> extends true ? never : K]: ValueOf<F[K]>;
};

export interface RecordLayout<F extends Fields> {
  readonly sizeBytes: number;
  readonly offsets: Readonly<Record<keyof F, number>>;
  /** The record at an address that is a multiple of 8. */
  at(memory: MemoryViews, address: number): RecordOf<F>;
}

const scalarBytes: Readonly<Record<Scalar, number>> = { u8: 1, u16: 2, u32: 4, u64: 8, address: 8 };
const recordAlignment = 8;
const twoTo32 = 2 ** 32;

const alignUp = (value: number, alignment: number): number => Math.ceil(value / alignment) * alignment;

function shapeOf(field: Field): { sizeBytes: number; alignment: number } {
  if (typeof field === 'string') return { sizeBytes: scalarBytes[field], alignment: scalarBytes[field] };
  if ('text' in field) return { sizeBytes: field.text, alignment: 1 };
  if ('array' in field) {
    const bytes = scalarBytes[field.array];
    return { sizeBytes: bytes * field.length, alignment: bytes };
  }
  if ('records' in field) return { sizeBytes: field.records.sizeBytes * field.length, alignment: recordAlignment };
  return { sizeBytes: field.record.sizeBytes, alignment: recordAlignment };
}

function scalarProperty(memory: MemoryViews, at: number, scalar: Scalar): PropertyDescriptor {
  const { bytes, view, words, doublewords } = memory;
  switch (scalar) {
    case 'u8':
      return { get: () => bytes[at], set: (value: number) => (bytes[at] = value) };
    case 'u16':
      return {
        get: () => view.getUint16(at, true),
        set: (value: number) => {
          view.setUint16(at, value, true);
        },
      };
    case 'u32':
      return { get: () => words[at / 4], set: (value: number) => (words[at / 4] = value) };
    case 'u64':
      return { get: () => doublewords[at / 8], set: (value: bigint) => (doublewords[at / 8] = value) };
    case 'address':
      return {
        get: () => (words[at / 4 + 1] as number) * twoTo32 + (words[at / 4] as number),
        set: (value: number) => {
          words[at / 4] = value % twoTo32;
          words[at / 4 + 1] = Math.floor(value / twoTo32);
        },
      };
  }
}

function textProperty({ bytes }: MemoryViews, at: number, length: number): PropertyDescriptor {
  return {
    get: () => {
      const field = bytes.slice(at, at + length);
      const end = field.indexOf(0);
      return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end));
    },
    set: (value: string) => {
      bytes.fill(0, at, at + length);
      bytes.set(new TextEncoder().encode(value).subarray(0, length), at);
    },
  };
}

function arrayOf(memory: MemoryViews, at: number, { array, length }: ArrayField): TypedArrays[Scalar] {
  const { buffer } = memory.bytes;
  switch (array) {
    case 'u8':
      return new Uint8Array(buffer, at, length);
    case 'u16':
      return new Uint16Array(buffer, at, length);
    case 'u32':
      return new Uint32Array(buffer, at, length);
    case 'u64':
    case 'address':
      return new BigUint64Array(buffer, at, length);
  }
}

function property(memory: MemoryViews, at: number, field: Field): PropertyDescriptor {
  if (typeof field === 'string') return scalarProperty(memory, at, field);
  if ('text' in field) return textProperty(memory, at, field.text);
  if ('array' in field) return { value: arrayOf(memory, at, field) };
  if ('record' in field) return { value: field.record.at(memory, at) as unknown };
  const { records, length } = field;
  return { value: Array.from({ length }, (_, n) => records.at(memory, at + n * records.sizeBytes) as unknown) };
}

export function record<const F extends Fields>(fields: F): RecordLayout<F> {
  const offsets: Record<string, number> = {};
  let end = 0;
  for (const [name, field] of Object.entries(fields)) {
    const { sizeBytes, alignment } = shapeOf(field);
    const at = alignUp(end, alignment);
    offsets[name] = at;
    end = at + sizeBytes;
  }
  return {
    sizeBytes: alignUp(end, recordAlignment),
    offsets: offsets as Record<keyof F, number>,
    at: (memory, address) => {
      const result = {};
      for (const [name, field] of Object.entries(fields)) {
        const descriptor = property(memory, address + (offsets[name] as number), field);
        Object.defineProperty(result, name, { ...descriptor, enumerable: true });
      }
      return result as RecordOf<F>;
    },
  };
}

/** An array of scalars. */
export const array = <const S extends Scalar>(scalar: S, length: number): ArrayField<S> => ({ array: scalar, length });
/** UTF-8, cut off at so many bytes, padded with zeros. */
export const text = (length: number): TextField => ({ text: length });
export const nested = <const F extends Fields>(layout: RecordLayout<F>): RecordField<F> => ({ record: layout });
export const several = <const F extends Fields>(layout: RecordLayout<F>, length: number): RecordsField<F> => ({
  records: layout,
  length,
});
