// The TLB of a PE: translations of stage 1, kept until a TLBI, or the replacement, removes them, whatever happens to the tables
// in memory meanwhile. Four-way set-associative, replaced in rotation, so that the same program always finds the same entries.
//
// An entry covers a page, a block, or a contiguous group of either, and is tagged with its translation context (regime,
// Security state, VMID) and its ASID. Addresses are numbers below 2^49: bits [47:0] of the virtual address, and 2^48 for the
// range of TTBR1. CONSTRAINED UNPREDICTABLE: where entries of several sizes match, the smallest is used.

const sets = 256;
const ways = 4;
export const tlbEntries = sets * ways;

/** The ASID tag of a global entry. */
export const globalAsid = -1;

/** log2 of the sizes: page, 16 pages, 2 MiB block, 16 of them, 1 GiB block, 16 of them. */
const shifts = [12, 16, 21, 25, 30, 34] as const;

export interface Tlb {
  /** log2 of the size; 0 where the entry is invalid. */
  readonly shift: Uint8Array;
  /** Virtual address divided by the size. */
  readonly page: Float64Array;
  readonly context: Int32Array;
  readonly asid: Int32Array;
  /** First physical address. */
  readonly output: Float64Array;
  /** As translation.ts packs them. */
  readonly attributes: Uint32Array;
  /** The way of each set that is replaced next. */
  readonly turn: Uint8Array;
  /** How many entries there are of each shift. */
  readonly population: Int32Array;
}

export const createTlb = (): Tlb => ({
  shift: new Uint8Array(tlbEntries),
  page: new Float64Array(tlbEntries),
  context: new Int32Array(tlbEntries),
  asid: new Int32Array(tlbEntries),
  output: new Float64Array(tlbEntries),
  attributes: new Uint32Array(tlbEntries),
  turn: new Uint8Array(sets),
  population: new Int32Array(64),
});

const powers = Float64Array.from({ length: 64 }, (_, n) => 2 ** n);
const pageOf = (address: number, shift: number): number => Math.floor(address / powers[shift]!);
// A bitwise operation takes a number modulo 2^32, which is all that the low bits need, and is far quicker than a remainder.
const firstOfSet = (page: number): number => (page & (sets - 1)) * ways;

/** The index of the entry that translates the address, or -1. */
export function lookUpTlb(tlb: Tlb, address: number, context: number, asid: number): number {
  for (const shift of shifts) {
    if (tlb.population[shift] === 0) continue;
    const page = pageOf(address, shift);
    const first = firstOfSet(page);
    for (let index = first; index < first + ways; index++) {
      if (
        tlb.shift[index] === shift &&
        tlb.page[index] === page &&
        tlb.context[index] === context &&
        (tlb.asid[index] === globalAsid || tlb.asid[index] === asid)
      ) {
        return index;
      }
    }
  }
  return -1;
}

/** The entry that a new translation of the address will take; the caller removes what is there. */
export function replacedEntry(tlb: Tlb, address: number, shift: number): number {
  const first = firstOfSet(pageOf(address, shift));
  for (let index = first; index < first + ways; index++) if (tlb.shift[index] === 0) return index;
  const set = first / ways;
  const way = tlb.turn[set]!;
  tlb.turn[set] = (way + 1) % ways;
  return first + way;
}

export function insertEntry(
  tlb: Tlb,
  index: number,
  address: number,
  shift: number,
  context: number,
  asid: number,
  output: number,
  attributes: number,
): void {
  tlb.shift[index] = shift;
  tlb.page[index] = pageOf(address, shift);
  tlb.context[index] = context;
  tlb.asid[index] = asid;
  tlb.output[index] = output;
  tlb.attributes[index] = attributes;
  tlb.population[shift]!++;
}

/** Invalidates an entry; of an invalid one it makes nothing. */
export function removeEntry(tlb: Tlb, index: number): void {
  tlb.population[tlb.shift[index]!]!--;
  tlb.shift[index] = 0;
}

/** The physical address, for an address that the entry translates. */
export function outputOf(tlb: Tlb, index: number, address: number): number {
  const shift = tlb.shift[index]!;
  const offset = shift <= 30 ? address & ((1 << shift) - 1) : address % powers[shift]!;
  return tlb.output[index]! + offset;
}

/** Calls `visit` with each entry that translates the address, whatever its context and ASID. */
export function forEachCovering(tlb: Tlb, address: number, visit: (index: number) => void): void {
  for (const shift of shifts) {
    if (tlb.population[shift] === 0) continue;
    const page = pageOf(address, shift);
    const first = firstOfSet(page);
    for (let index = first; index < first + ways; index++) {
      if (tlb.shift[index] === shift && tlb.page[index] === page) visit(index);
    }
  }
}

/** First virtual address that the entry covers. */
export const addressOf = (tlb: Tlb, index: number): number => tlb.page[index]! * powers[tlb.shift[index]!]!;

/** Every entry: plain data. */
export interface SavedTlb {
  readonly shift: Uint8Array;
  readonly page: Float64Array;
  readonly context: Int32Array;
  readonly asid: Int32Array;
  readonly output: Float64Array;
  readonly attributes: Uint32Array;
  readonly turn: Uint8Array;
}

export const saveTlb = (tlb: Tlb): SavedTlb => ({
  shift: tlb.shift.slice(),
  page: tlb.page.slice(),
  context: tlb.context.slice(),
  asid: tlb.asid.slice(),
  output: tlb.output.slice(),
  attributes: tlb.attributes.slice(),
  turn: tlb.turn.slice(),
});

export function restoreTlb(tlb: Tlb, saved: SavedTlb): void {
  tlb.shift.set(saved.shift);
  tlb.page.set(saved.page);
  tlb.context.set(saved.context);
  tlb.asid.set(saved.asid);
  tlb.output.set(saved.output);
  tlb.attributes.set(saved.attributes);
  tlb.turn.set(saved.turn);
  tlb.population.fill(0);
  for (const shift of tlb.shift) if (shift !== 0) tlb.population[shift]!++;
}
