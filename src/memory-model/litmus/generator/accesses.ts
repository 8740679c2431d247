// How the events of a cycle access memory, as diy7 annotates the ends of its edges: a letter for the kind of access, and for accesses of
// mixed sizes which part of the location it is. `L.w4` is a release of the upper word of a doubleword.

export type Direction = 'R' | 'W';

/** Plain, acquire, acquirePC, release, or an exclusive pair, whose halves may acquire and release. */
export type Annotation = 'P' | 'A' | 'Q' | 'L' | 'X' | 'XA' | 'XL' | 'XAL';

/** Some bytes of a location. */
export interface Part {
  readonly bytes: 1 | 2 | 4 | 8;
  readonly offset: number;
}

export interface Access {
  readonly annotation: Annotation;
  /** Left out where the whole location is accessed. */
  readonly part?: Part;
}

const plain: Access = { annotation: 'P' };

const bytesOfLetter = { b: 1, h: 2, w: 4, q: 8 } as const;
type SizeLetter = keyof typeof bytesOfLetter;
const letterOfBytes = { 1: 'b', 2: 'h', 4: 'w', 8: 'q' } as const;

/** Of a doubleword. */
export const everyPart: readonly Part[] = Object.values(bytesOfLetter).flatMap((bytes) =>
  Array.from({ length: 8 / bytes }, (_, n) => ({ bytes, offset: n * bytes })),
);

const annotationsOf: Readonly<Record<Direction, readonly string[]>> = {
  R: ['P', 'A', 'Q', 'X', 'XA', 'XL', 'XAL'],
  W: ['P', 'L', 'X', 'XA', 'XL', 'XAL'],
};

const onePart = '[bhwq][0-7]';
const oneAccess = `(?:(?:XAL|XA|XL|X|A|Q|L|P)(?:\\.${onePart})?|${onePart})`;
const bothAccesses = new RegExp(`^(${oneAccess})(${oneAccess})$`);

/** Reads what annotates the two ends of an edge; undefined where it does not. */
export function readAccesses(text: string, from: Direction, to: Direction): readonly [Access, Access] | undefined {
  if (text === '') return [plain, plain];
  const [, before, after] = bothAccesses.exec(text) ?? [];
  const accesses = [readAccess(before, from), readAccess(after, to)] as const;
  const [a, b] = accesses;
  return a && b && [a, b];
}

function readAccess(text: string | undefined, direction: Direction): Access | undefined {
  if (text === undefined) return undefined;
  const [, letters, size, digit] = /^([A-Z]*)\.?(?:([bhwq])(\d))?$/.exec(text)!;
  const annotation = letters === '' ? 'P' : letters!;
  if (!annotationsOf[direction].includes(annotation)) return undefined;
  if (size === undefined) return { annotation: annotation as Annotation };
  const part = { bytes: bytesOfLetter[size as SizeLetter], offset: Number(digit) };
  return part.offset % part.bytes === 0 ? { annotation: annotation as Annotation, part } : undefined;
}

/** `P`, `A`, `w4`, `L.w4`. */
export function accessText({ annotation, part }: Access): string {
  if (part === undefined) return annotation;
  const place = `${letterOfBytes[part.bytes]}${part.offset}`;
  return annotation === 'P' ? place : `${annotation}.${place}`;
}

/** What annotates the ends of an edge: nothing where both are plain. */
export function accessesText(from: Access, to: Access): string {
  const text = `${accessText(from)}${accessText(to)}`;
  return text === 'PP' ? '' : text;
}

/** Plain, and a whole location, agree with anything; undefined where the two do not agree. */
export function mergedAccess(a: Access, b: Access): Access | undefined {
  if (a.annotation !== b.annotation && a.annotation !== 'P' && b.annotation !== 'P') return undefined;
  if (a.part && b.part && (a.part.bytes !== b.part.bytes || a.part.offset !== b.part.offset)) return undefined;
  const part = a.part ?? b.part;
  return { annotation: a.annotation === 'P' ? b.annotation : a.annotation, ...(part && { part }) };
}

export const overlap = (a: Part, b: Part): boolean => a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes;

// Values of locations that are accessed in parts.

const bitsOf = (bytes: number): bigint => (1n << BigInt(8 * bytes)) - 1n;

/** The n-th write has n in each of its bytes, so that every part of it can be told. */
export const inEveryByte = (n: number, bytes: number): bigint => (bitsOf(bytes) / 0xffn) * BigInt(n);

export const extract = (cell: bigint, { bytes, offset }: Part): bigint => (cell >> BigInt(8 * offset)) & bitsOf(bytes);

export const overwrite = (cell: bigint, { bytes, offset }: Part, value: bigint): bigint => {
  const shift = BigInt(8 * offset);
  return (cell & ~(bitsOf(bytes) << shift)) | ((value & bitsOf(bytes)) << shift);
};

/** The operations of atomics, by diy7's names: what is written where `desired` is asked for, and the operand that writes it. */
export interface AtomicWrite {
  readonly value: bigint;
  readonly operand: bigint;
}

export function atomicWrite(operation: string, old: bigint, desired: bigint, bytes: number): AtomicWrite {
  const mask = bitsOf(bytes);
  switch (operation) {
    case 'Add':
      return { value: desired, operand: (desired - old) & mask };
    case 'Eor':
      return { value: desired, operand: desired ^ old };
    case 'Set':
      return { value: old | desired, operand: desired };
    case 'Clr':
      return { value: old & desired, operand: ~desired & mask };
    default:
      return { value: desired, operand: desired };
  }
}
