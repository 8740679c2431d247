// Translation tables of stage 1 for EL0 (Arm ARM, "VMSAv8-64 translation table format descriptors"): 4 KB granule, 48 bits of address,
// four levels, only pages. A page that the program may not access at all (PROT_NONE) keeps its frame in a descriptor that is not valid.

import type { Core } from './kernel.ts';
import { allocateFrame } from './frames.ts';
import { pageBytes, pageShift } from './limits.ts';
import type { AddressSpace } from './state.ts';

const entryBits = 9;
const entryMask = (1 << entryBits) - 1;
const lastLevel = 3;

const descriptor = {
  valid: 1,
  /** Of levels 0 to 2: a table; of level 3: a page. */
  type: 2,
  /** AP[1]: EL0 may access. */
  user: 1 << 6,
  /** AP[2]. */
  readOnly: 1 << 7,
  innerShareable: 3 << 8,
  accessFlag: 1 << 10,
  notGlobal: 1 << 11,
} as const;
/** Bits [63:32]. */
const upper = {
  PXN: 1 << 21,
  UXN: 1 << 22,
  /** For software: there is a frame. */
  held: 1 << 23,
} as const;
const addressMask = ~(pageBytes - 1);

export interface Page {
  readonly pa: number;
  readonly isAccessible: boolean;
  readonly isWritable: boolean;
  readonly isExecutable: boolean;
}

/** Bits of an address from 12 + 9 * (3 - level). */
const indexAt = (va: number, level: number): number =>
  Math.floor(va / 2 ** (pageShift + entryBits * (lastLevel - level))) & entryMask;

/** Physical address of the descriptor of level 3; undefined where a table is missing, or cannot be made. */
function descriptorAddress(core: Core, space: AddressSpace, va: number, makesTables: boolean): number | undefined {
  const { words } = core.memory;
  let table = space.root;
  for (let level = 0; level < lastLevel; level += 1) {
    const at = table + indexAt(va, level) * 8;
    const low = words[at >>> 2] as number;
    if ((low & descriptor.valid) === 0) {
      if (!makesTables) return undefined;
      const next = allocateFrame(core);
      if (next === undefined) return undefined;
      space.tables.push(next);
      core.port.ram.writeDoubleword(at, BigInt(next) | BigInt(descriptor.valid | descriptor.type));
      table = next;
    } else table = (low & addressMask) >>> 0;
  }
  return table + indexAt(va, lastLevel) * 8;
}

function pageAt(core: Core, at: number): Page | undefined {
  const low = core.memory.words[at >>> 2] as number;
  const high = core.memory.words[(at >>> 2) + 1] as number;
  if ((high & upper.held) === 0) return undefined;
  return {
    pa: (low & addressMask) >>> 0,
    isAccessible: (low & descriptor.valid) !== 0,
    isWritable: (low & descriptor.readOnly) === 0,
    isExecutable: (high & upper.UXN) === 0,
  };
}

export function pageOf(core: Core, space: AddressSpace, va: number): Page | undefined {
  const at = descriptorAddress(core, space, va, false);
  return at === undefined ? undefined : pageAt(core, at);
}

/** Maps a page; false where there is no memory for a table. */
export function setPage(core: Core, space: AddressSpace, va: number, page: Page): boolean {
  const at = descriptorAddress(core, space, va, true);
  if (at === undefined) return false;
  const low =
    (page.pa |
      descriptor.type |
      descriptor.user |
      descriptor.innerShareable |
      descriptor.accessFlag |
      descriptor.notGlobal |
      (page.isAccessible ? descriptor.valid : 0) |
      (page.isWritable ? 0 : descriptor.readOnly)) >>>
    0;
  const high = upper.held | upper.PXN | (page.isExecutable ? 0 : upper.UXN);
  core.port.ram.writeDoubleword(at, (BigInt(high) << 32n) | BigInt(low));
  return true;
}

export function clearPage(core: Core, space: AddressSpace, va: number): void {
  const at = descriptorAddress(core, space, va, false);
  if (at !== undefined) core.port.ram.writeDoubleword(at, 0n);
}

/** Bytes that a table of this level translates with one descriptor. */
const spanOf = (level: number): number => 2 ** (pageShift + entryBits * (lastLevel - level));

/**
 * Calls `visit` for every page of a range that has a frame, in the order of addresses, until one answers false: then that is the result.
 * Ranges without tables cost nothing.
 */
export function forEachPage(
  core: Core,
  space: AddressSpace,
  start: number,
  end: number,
  visit: (va: number, page: Page) => boolean,
): boolean {
  const { words } = core.memory;
  let va = start;
  while (va < end) {
    let table = space.root;
    let level = 0;
    for (; level < lastLevel; level += 1) {
      const low = words[(table + indexAt(va, level) * 8) >>> 2] as number;
      if ((low & descriptor.valid) === 0) break;
      table = (low & addressMask) >>> 0;
    }
    if (level < lastLevel) {
      const span = spanOf(level);
      va = (Math.floor(va / span) + 1) * span;
      continue;
    }
    const page = pageAt(core, table + indexAt(va, lastLevel) * 8);
    if (page && !visit(va, page)) return false;
    va += pageBytes;
  }
  return true;
}
