// Where the state of the simulated machine lies in the one shared WebAssembly.Memory.
//
// Guest RAM is mapped at its own physical address (RAM begins at 1 GiB on the `virt` board), so that a physical address of RAM
// is a wasm address. The gibibyte below, where the board has only devices, holds what the engines need: the line map and, for
// each PE, one fixed-size record of architectural state with its jump cache and soft TLBs. Translated code receives the address
// of the record as its first parameter, so that one module serves every PE.

/** Physical address, and wasm address, of the first byte of RAM. */
export const ramBase = 0x4000_0000;

/** log2 of the line that the line map watches: 64 bytes, the cache line of CTR_EL0 and the exclusives reservation granule. */
export const lineShift = 6;

/** The tables of isa/crc-tables.ts, which generated code reads. */
export const crcTablesOffset = 0x000f_0000;

/**
 * The line map: one byte for each 64-byte line of RAM; the byte of physical address `a` is at `lineMapOffset + (a >>> lineShift)`.
 * A store to a line whose byte is not zero leaves the fast path. Bits: `lineHoldsCode`, `lineIsMonitored`,
 * `lineIsBeforeMonitored`, `lineHoldsPair`, `linePairIsReady`.
 */
export const lineMapOffset = 0x0f00_0000;
/** The line, or the one after it, holds the source of translated code. */
export const lineHoldsCode = 1;
/** Some PE's exclusive monitor, or a watch of a tool, covers the line. */
export const lineIsMonitored = 2;
/** The line after this one is monitored: a store may begin here and reach into it. */
export const lineIsBeforeMonitored = 4;
/** The line, or the one after it, is accessed by 16 bytes at once (src/memory/pairs.ts): stores take the lock; and all of them do by now. */
export const lineHoldsPair = 8;
export const linePairIsReady = 16;

/**
 * The exclusive monitors, two words for each PE: the physical address that it has marked, 0 where it is in the Open Access state,
 * and how many bytes.
 */
export const monitorTableOffset = 0x1f00_0000;

/** The lock of src/memory/pairs.ts: 32 bits, after the tags of 1,024 PEs. */
export const pairLockOffset = 0x1f00_2000;

/**
 * One byte for each page of RAM, not 0 where the page may have been written to: the byte of page `a >>> pageShift` is at
 * `touchedPageOffset + (a >>> pageShift)`. Fingerprints and snapshots look at these pages only.
 */
export const touchedPageOffset = 0x1400_0000;

/** Address of the record of PE 0. */
export const peStateBase = 0x2000_0000;
/** Bytes from the record of one PE to the next. */
export const peStateStride = 0x8_0000;

/** Byte offsets inside the record of a PE. */
export const pe = {
  /** X0..X30, 8 bytes each. */
  x: 0x000,
  /** The zero register: always 0. */
  xzr: 0x0f8,
  /** The stack pointer in use (SP_EL0 or SP_ELx as PSTATE.SP says); the others are banked in the system registers. */
  sp: 0x100,
  /** Address of the next instruction. */
  pc: 0x108,
  /** PSTATE.N, Z, C, V: 32-bit, 0 or 1 each. */
  n: 0x110,
  z: 0x114,
  c: 0x118,
  v: 0x11c,
  /** Instructions left in the present run: 32-bit signed. */
  budget: 0x120,
  /** 15 where SCTLR_ELx.SA(0) checks the alignment of SP for the current EL, else 0. */
  spAlignmentMask: 0x124,
  /** Not zero where an access to SIMD&FP registers traps at the current EL. */
  fpTrapped: 0x128,
  /** Address of the soft TLB of the current EL. */
  tlb: 0x12c,
  /** Address of the soft TLB that LDTR, STTR and their kind use. */
  tlbUnprivileged: 0x130,
  /** -1 where every access must be aligned to its size (SCTLR_ELx.A, or stage 1 is off and memory is Device-nGnRnE), else 0. */
  strictAlignment: 0x134,
  /** PSTATE without NZCV, in the layout of SPSR_ELx. */
  pstate: 0x138,
  /** 0 or 1: the event register of WFE and SEV. */
  eventRegister: 0x13c,
  /** Eight 64-bit slots through which 64-bit values pass between translated code and TypeScript. */
  scratch: 0x140,
  /**
   * The exception level, 0..3: 32 bits. Bits [1:0] of the virtual address in a jump cache entry hold the level for which the
   * fetch was permitted, so that EL0 never runs what only EL1 may execute and a change of level flushes nothing.
   */
  jumpTag: 0x1c0,
  /** SP_EL3: the one banked stack pointer that no instruction names. */
  spEl3: 0x1c8,
  /** What decides on pointer authentication at the current EL: the pointer control of isa/pointer-authentication/pointer.ts. */
  pointerControl: 0x1d0,
  /** Not zero where instructions of pointer authentication trap at the current EL. */
  pointerTrapped: 0x1d4,
  /** PSTATE.BTYPE: not 0 only between a branch and the end of the instruction that it leads to. */
  btype: 0x1d8,
  /**
   * Of the exclusive monitor where PEs run at the same time: the physical address of the last Load-Exclusive, or 0; what it has read, 16
   * bytes; and how many bytes.
   */
  exclusiveAddress: 0x1dc,
  exclusiveValue: 0x1e0,
  exclusiveBytes: 0x1f0,
  /** V0..V31, 16 bytes each. */
  vector: 0x200,
  /** System registers: 8 bytes each, `systemRegisterSlots` of them; the table in system-registers.ts numbers them. */
  systemRegisters: 0x400,
  /** Jump cache: `jumpCacheEntries` entries of 16 bytes: virtual address | `jumpTag` (8), function index (4), not used (4). */
  jumpCache: 0x1000,
  /** A bit for each piece of `jumpCachePieceBytes` of the jump cache: 1 where entries have been made since it was emptied. */
  jumpCachePieces: 0x1_1000,
  /** Four soft TLBs, one after the other: EL0, EL1, EL2, EL3. */
  softTlb: 0x1_2000,
} as const;

/** With BTYPE: the instruction has been let through; when it is over, BTYPE is 0, whatever the record says. */
export const btypeChecked = 4;

export const systemRegisterSlots = 384;

/** A program of a few MB keeps some thousand traces in use. */
export const jumpCacheEntries = 4096;
/** Code at the same offset of many pages is spread: the place of an address is (VA ^ VA >> jumpCacheFold) >> 2. */
export const jumpCacheFold = 9;
/** What is emptied together: of 1,024 PEs most run little code. */
export const jumpCachePieceBytes = 4096;
/** Bits [31:0] of an entry that holds nothing: those of an address that has its place elsewhere. Memory that was never used is such but for the first entry. */
export const emptyJumpKey = { first: 4, other: 0 } as const;
export const jumpCacheEntryBytes = 16;

/** Entries of a soft TLB: 4 MiB of each kind of access before two pages must share an entry. */
export const softTlbEntries = 1024;
/** Page size of the soft TLB: the smallest granule. */
export const pageShift = 12;

/**
 * A soft TLB entry: a part for each kind of access, which is filled and replaced by itself, so that a copy between pages that share
 * an index, or code that works on data of its own index, keeps both. Each part is a tag, which is a page-aligned virtual address
 * or one that no access has, and 8 bytes after it the addend. An access of `n` bytes at `va` hits when the tag equals the page of `va`, and of
 * its last byte.
 */
export const softTlbEntry = {
  bytes: 64,
  readTag: 0,
  writeTag: 16,
  fetchTag: 32,
} as const;
/** Bits [31:0] of a tag that no access has: those of an access keep none of bits [11:4]. */
export const noTag = 0x800;
/** From the tag of fetches to 1 where the page is guarded (FEAT_BTI), else 0. */
export const guardedAfterFetchTag = 12;
/** From a tag to its addend, 32 bits: wasm address minus virtual address, modulo 2^32. */
export const addendAfterTag = 8;
export const softTlbBytes = softTlbEntries * softTlbEntry.bytes;
/** In the first entry, which has room after its parts: the epoch, 32 bits, of what the second level holds for this soft TLB. */
export const softTlbEpoch = 48;
/**
 * After the parts of an entry, for TypeScript alone: a page outside RAM. The virtual address, with `need.read` and `need.write` in its low
 * bits as they are permitted (0: there is none), and the number of the physical page.
 */
export const softTlbDevicePage = { address: 52, pa: 60 } as const;

/**
 * The second level of the soft TLBs (second-tlb.ts): one for all PEs of a worker, direct-mapped by page and PE. It holds data accesses
 * to 128 MiB; that of worker `n` is n times its size after `secondTlbBase`.
 */
export const secondTlbBase = 0x1500_0000;
export const secondTlbEntries = 1 << 15;
export const secondTlbEntry = {
  bytes: 16,
  /** Page of the virtual address, number of the PE (bits [11:2]) and exception level (bits [1:0]): 64 bits. */
  tag: 0,
  /** Wasm address minus virtual address, with `need.read` and `need.write` in its low bits as they are permitted. */
  addend: 8,
  /** The entry holds while this is the epoch of its soft TLB. */
  epoch: 12,
} as const;
export const secondTlbBytes = secondTlbEntries * secondTlbEntry.bytes;
/** PEs use the same addresses: the pages of PE `n` are n times as many entries further on. */
export const secondTlbDistance = 40_503;

/** Address of the record of PE `index`. */
export const peState = (index: number): number => peStateBase + index * peStateStride;
