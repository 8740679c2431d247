// The TLB of a PE: translations of stage 1, of both stages together, and of stage 2, kept until a TLBI, or the replacement,
// removes them, whatever happens to the tables in memory meanwhile. Four-way set-associative, replaced in rotation, pages before
// blocks. It has 1,024 entries, and more, up to 32,768, where a program has replaced many. All this hangs on the program alone, so that the
// same program always finds the same entries.
//
// An entry covers a page, a block, or a contiguous group of either, and is tagged with its translation context (regime,
// Security state, stages, VMID) and its ASID. Addresses are numbers below 2^49: bits [47:0] of the virtual address, and 2^48 for
// the range of TTBR1; of an entry of stage 2, intermediate physical addresses. CONSTRAINED UNPREDICTABLE: where entries of several
// sizes match, the smallest is used.
//
// An entry of both stages is as small as the smaller of the two mappings it was made from, and remembers both sizes: maintenance by
// an address concerns every entry that was made from the mapping of that address.

const leastSets = 256;
const mostSets = 8192;
const ways = 4;

/** The ASID tag of a global entry. */
export const globalAsid = -1;

/** log2 of the sizes: page, 16 pages, 2 MiB block, 16 of them, 1 GiB block, 16 of them. */
const shifts = [12, 16, 21, 25, 30, 34] as const;

/** Of each entry, by its index. */
interface Entries {
  /** log2 of the size; 0 where the entry is invalid. */
  shift: Uint8Array;
  /** Virtual address divided by the size. */
  page: Float64Array;
  context: Int32Array;
  asid: Int32Array;
  /** First physical address. */
  output: Float64Array;
  /** First intermediate physical address, or -1 where stage 2 had no part. */
  ipa: Float64Array;
  /** log2 of the size of the mapping of each stage; 0 of a stage that had no part. */
  stage1Shift: Uint8Array;
  stage2Shift: Uint8Array;
  /** As translation.ts packs them. */
  attributes: Uint32Array;
  /** Of each set: the way that is replaced next. */
  turn: Uint8Array;
}

export interface Tlb extends Entries {
  /** A power of two. */
  sets: number;
  /** How many entries have been replaced since it was made so large. */
  replacements: number;
  /** How many entries there are of each shift. */
  readonly population: Int32Array;
  /** How many entries are smaller than their mapping of stage 1. */
  readonly split: { count: number };
}

export const entriesOf = (tlb: Tlb): number => tlb.sets * ways;

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

function emptyEntries(sets: number): Entries {
  const count = sets * ways;
  return {
    shift: new Uint8Array(count),
    page: new Float64Array(count),
    context: new Int32Array(count),
    asid: new Int32Array(count),
    output: new Float64Array(count),
    ipa: new Float64Array(count),
    stage1Shift: new Uint8Array(count),
    stage2Shift: new Uint8Array(count),
    attributes: new Uint32Array(count),
    turn: new Uint8Array(sets),
  };
}

export const createTlb = (): Tlb => ({
  ...emptyEntries(leastSets),
  sets: leastSets,
  replacements: 0,
  population: new Int32Array(64),
  split: { count: 0 },
});

const powers = Float64Array.from({ length: 64 }, (_, n) => 2 ** n);
const pageOf = (address: number, shift: number): number => Math.floor(address / powers[shift]!);
// A bitwise operation takes a number modulo 2^32, which is all that the low bits need, and is far quicker than a remainder.
const firstOfSet = (tlb: Tlb, page: number): number => (page & (tlb.sets - 1)) * ways;

/** The index of the entry that translates the address, or -1. */
export function lookUpTlb(tlb: Tlb, address: number, context: number, asid: number): number {
  for (const shift of shifts) {
    if (tlb.population[shift] === 0) continue;
    const page = pageOf(address, shift);
    const first = firstOfSet(tlb, page);
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
  const free = freeEntry(tlb, address, shift);
  if (free >= 0) return free;
  tlb.replacements++;
  if (tlb.replacements > entriesOf(tlb) / 4 && tlb.sets < mostSets) {
    enlarge(tlb);
    return replacedEntry(tlb, address, shift);
  }
  const first = firstOfSet(tlb, pageOf(address, shift));
  const set = first / ways;
  const turn = tlb.turn[set]!;
  // A page goes before a block, with which many pages would go from the soft TLBs.
  let replaced = first + turn;
  for (let n = 1; n < ways; n++) {
    const index = first + ((turn + n) % ways);
    if (tlb.shift[index]! < tlb.shift[replaced]!) replaced = index;
  }
  tlb.turn[set] = (replaced - first + 1) % ways;
  return replaced;
}

/** An entry that is invalid, where an address may have its own; or -1. */
function freeEntry(tlb: Tlb, address: number, shift: number): number {
  const first = firstOfSet(tlb, pageOf(address, shift));
  for (let index = first; index < first + ways; index++) if (tlb.shift[index] === 0) return index;
  return -1;
}

/** Twice as many sets: the entries of one go to two, each to the way that it had. */
function enlarge(tlb: Tlb): void {
  const { shift, page, context, asid, output, ipa, stage1Shift, stage2Shift, attributes } = tlb;
  const sets = tlb.sets * 2;
  Object.assign(tlb, emptyEntries(sets), { sets, replacements: 0 });
  for (let from = 0; from < shift.length; from++) {
    if (shift[from] === 0) continue;
    const to = firstOfSet(tlb, page[from]!) + (from % ways);
    tlb.shift[to] = shift[from]!;
    tlb.page[to] = page[from]!;
    tlb.context[to] = context[from]!;
    tlb.asid[to] = asid[from]!;
    tlb.output[to] = output[from]!;
    tlb.ipa[to] = ipa[from]!;
    tlb.stage1Shift[to] = stage1Shift[from]!;
    tlb.stage2Shift[to] = stage2Shift[from]!;
    tlb.attributes[to] = attributes[from]!;
  }
}

/** Where nothing is left, it is as large as it was at first. */
export function becomeSmall(tlb: Tlb): void {
  if (tlb.sets === leastSets || tlb.population.some((count) => count > 0)) return;
  Object.assign(tlb, emptyEntries(leastSets), { sets: leastSets, replacements: 0 });
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
    const first = firstOfSet(tlb, page);
    for (let index = first; index < first + ways; index++) {
      if (tlb.shift[index] === shift && tlb.page[index] === page) visit(index);
    }
  }
}

/** The entries that do not translate the address, and were made from the mapping that does. */
function forEachBeside(tlb: Tlb, address: number, visit: (index: number) => void): void {
  for (let index = 0; index < entriesOf(tlb); index++) {
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
  readonly replacements: number;
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
  replacements: tlb.replacements,
});

export function restoreTlb(tlb: Tlb, saved: SavedTlb): void {
  const sets = saved.turn.length;
  if (tlb.sets !== sets) Object.assign(tlb, emptyEntries(sets), { sets });
  tlb.replacements = saved.replacements;
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
  for (let index = 0; index < entriesOf(tlb); index++) {
    if (tlb.shift[index] === 0) continue;
    tlb.population[tlb.shift[index]!]!++;
    if (isSplit(tlb, index)) tlb.split.count++;
  }
}
