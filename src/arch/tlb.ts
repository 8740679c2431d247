// The TLB of a PE: translations of stage 1, of both stages together, and of stage 2, kept until a TLBI, or the replacement,
// removes them, whatever happens to the tables in memory meanwhile. Four-way set-associative, replaced in rotation, so that the
// same program always finds the same entries.
//
// An entry covers a page, a block, or a contiguous group of either, and is tagged with its translation context (regime,
// Security state, stages, VMID) and its ASID. Addresses are numbers below 2^49: bits [47:0] of the virtual address, and 2^48 for
// the range of TTBR1; of an entry of stage 2, intermediate physical addresses. CONSTRAINED UNPREDICTABLE: where entries of several
// sizes match, the smallest is used.
//
// An entry of both stages is as small as the smaller of the two mappings it was made from, and remembers both sizes: maintenance by
// an address concerns every entry that was made from the mapping of that address.

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
  /** First intermediate physical address, or -1 where stage 2 had no part. */
  readonly ipa: Float64Array;
  /** log2 of the size of the mapping of each stage; 0 of a stage that had no part. */
  readonly stage1Shift: Uint8Array;
  readonly stage2Shift: Uint8Array;
  /** As translation.ts packs them. */
  readonly attributes: Uint32Array;
  /** The way of each set that is replaced next. */
  readonly turn: Uint8Array;
  /** How many entries there are of each shift. */
  readonly population: Int32Array;
  /** How many entries are smaller than their mapping of stage 1. */
  readonly split: { count: number };
}

/** A new entry. `address` is any that it translates, `output` and `ipa` are its first ones. */
export interface TlbEntry {
  readonly address: number;
  readonly shift: number;
  readonly context: number;
  readonly asid: number;
  readonly output: number;
  readonly attributes: number;
  readonly ipa: number;
  readonly stage1Shift: number;
  readonly stage2Shift: number;
}

export const createTlb = (): Tlb => ({
  shift: new Uint8Array(tlbEntries),
  page: new Float64Array(tlbEntries),
  context: new Int32Array(tlbEntries),
  asid: new Int32Array(tlbEntries),
  output: new Float64Array(tlbEntries),
  ipa: new Float64Array(tlbEntries),
  stage1Shift: new Uint8Array(tlbEntries),
  stage2Shift: new Uint8Array(tlbEntries),
  attributes: new Uint32Array(tlbEntries),
  turn: new Uint8Array(sets),
  population: new Int32Array(64),
  split: { count: 0 },
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

/** An entry that is smaller than its mapping of stage 1 has others beside it. */
const isSplit = (tlb: Tlb, index: number): boolean => tlb.stage1Shift[index]! > tlb.shift[index]!;

export function insertEntry(tlb: Tlb, index: number, entry: TlbEntry): void {
  tlb.shift[index] = entry.shift;
  tlb.page[index] = pageOf(entry.address, entry.shift);
  tlb.context[index] = entry.context;
  tlb.asid[index] = entry.asid;
  tlb.output[index] = entry.output;
  tlb.attributes[index] = entry.attributes;
  tlb.ipa[index] = entry.ipa;
  tlb.stage1Shift[index] = entry.stage1Shift;
  tlb.stage2Shift[index] = entry.stage2Shift;
  tlb.population[entry.shift]!++;
  if (isSplit(tlb, index)) tlb.split.count++;
}

/** Invalidates an entry. */
export function removeEntry(tlb: Tlb, index: number): void {
  if (isSplit(tlb, index)) tlb.split.count--;
  tlb.population[tlb.shift[index]!]!--;
  tlb.shift[index] = 0;
}

/** The physical address, for an address that the entry translates. */
export function outputOf(tlb: Tlb, index: number, address: number): number {
  const shift = tlb.shift[index]!;
  const offset = shift <= 30 ? address & ((1 << shift) - 1) : address % powers[shift]!;
  return tlb.output[index]! + offset;
}

/** Calls `visit` with each entry that was made from the mapping of stage 1 of the address, whatever its context and ASID. */
export function forEachCovering(tlb: Tlb, address: number, visit: (index: number) => void): void {
  if (tlb.split.count > 0) forEachBeside(tlb, address, visit);
  for (const shift of shifts) {
    if (tlb.population[shift] === 0) continue;
    const page = pageOf(address, shift);
    const first = firstOfSet(page);
    for (let index = first; index < first + ways; index++) {
      if (tlb.shift[index] === shift && tlb.page[index] === page) visit(index);
    }
  }
}

/** The entries that do not translate the address, and were made from the mapping that does. */
function forEachBeside(tlb: Tlb, address: number, visit: (index: number) => void): void {
  for (let index = 0; index < tlbEntries; index++) {
    if (tlb.shift[index] === 0 || !isSplit(tlb, index)) continue;
    const own = addressOf(tlb, index);
    const mapping = powers[tlb.stage1Shift[index]!]!;
    const isOfMapping = Math.floor(own / mapping) === Math.floor(address / mapping);
    if (isOfMapping && pageOf(address, tlb.shift[index]!) !== tlb.page[index]) visit(index);
  }
}

/** True where an entry was made from the mapping of stage 2 of an intermediate physical address. */
export function isFromIpa(tlb: Tlb, index: number, ipa: number): boolean {
  const mapping = powers[tlb.stage2Shift[index]!]!;
  return tlb.ipa[index]! >= 0 && Math.floor(tlb.ipa[index]! / mapping) === Math.floor(ipa / mapping);
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
  readonly ipa: Float64Array;
  readonly stage1Shift: Uint8Array;
  readonly stage2Shift: Uint8Array;
  readonly turn: Uint8Array;
}

export const saveTlb = (tlb: Tlb): SavedTlb => ({
  shift: tlb.shift.slice(),
  page: tlb.page.slice(),
  context: tlb.context.slice(),
  asid: tlb.asid.slice(),
  output: tlb.output.slice(),
  attributes: tlb.attributes.slice(),
  ipa: tlb.ipa.slice(),
  stage1Shift: tlb.stage1Shift.slice(),
  stage2Shift: tlb.stage2Shift.slice(),
  turn: tlb.turn.slice(),
});

export function restoreTlb(tlb: Tlb, saved: SavedTlb): void {
  tlb.shift.set(saved.shift);
  tlb.page.set(saved.page);
  tlb.context.set(saved.context);
  tlb.asid.set(saved.asid);
  tlb.output.set(saved.output);
  tlb.attributes.set(saved.attributes);
  tlb.ipa.set(saved.ipa);
  tlb.stage1Shift.set(saved.stage1Shift);
  tlb.stage2Shift.set(saved.stage2Shift);
  tlb.turn.set(saved.turn);
  tlb.population.fill(0);
  tlb.split.count = 0;
  for (let index = 0; index < tlbEntries; index++) {
    if (tlb.shift[index] === 0) continue;
    tlb.population[tlb.shift[index]!]!++;
    if (isSplit(tlb, index)) tlb.split.count++;
  }
}
