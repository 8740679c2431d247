// Memory: mm/mmap.c, mm/mprotect.c, mm/mremap.c, mm/madvise.c as a program sees them.

import {
  anonymous,
  forgetPages,
  hasRoomForMapping,
  isResident,
  isTooMuch,
  mapRange,
  movePages,
  protectRange,
  setBreak,
  unmapRange,
} from '../address-space.ts';
import { fail } from '../errno.ts';
import { resolve } from '../faults.ts';
import { fileOf } from '../files/descriptors.ts';
import { isReadable, isWritable } from '../files/open-file.ts';
import { loadContent } from '../files/content.ts';
import { lowestMapping, pageBytes, taskBytes } from '../limits.ts';
import { cutOut, findRoom, isFree, isMapped, mappingAt, mappingsIn, PROT, roundUp } from '../mappings.ts';
import type { AddressSpace, Mapping } from '../state.ts';
import { writeUser } from '../user-memory.ts';
import { type Call, type Family, int, type Result, uint, unsigned } from './call.ts';

const MAP = {
  SHARED: 1,
  PRIVATE: 2,
  SHARED_VALIDATE: 3,
  type: 0xf,
  FIXED: 0x10,
  ANONYMOUS: 0x20,
  GROWSDOWN: 0x100,
  NORESERVE: 0x4000,
  POPULATE: 0x8000,
  FIXED_NOREPLACE: 0x10_0000,
} as const;
const allProtections = PROT.READ | PROT.WRITE | PROT.EXEC;
/** Of arm64: BTI; the pages of such code are as others where there is no FEAT_BTI. */
const PROT_BTI = 0x10;

const isAligned = (address: number): boolean => address % pageBytes === 0;

/** Where a mapping of so many bytes goes, or an error. */
function placeOf(space: AddressSpace, hint: number, sizeBytes: number, flags: number): number {
  const isFixed = (flags & (MAP.FIXED | MAP.FIXED_NOREPLACE)) !== 0;
  if (isFixed) {
    if (!isAligned(hint)) return fail('EINVAL');
    if (hint + sizeBytes > taskBytes) return fail('ENOMEM');
    if (hint < lowestMapping) return fail('EPERM');
    if ((flags & MAP.FIXED_NOREPLACE) !== 0 && !isFree(space, hint, hint + sizeBytes)) return fail('EEXIST');
    return hint;
  }
  const wanted = roundUp(hint);
  const canHaveIt =
    wanted >= lowestMapping && wanted + sizeBytes <= taskBytes && isFree(space, wanted, wanted + sizeBytes);
  return canHaveIt ? wanted : (findRoom(space, sizeBytes) ?? fail('ENOMEM'));
}

/** The part of a mapping that is a file's, or an error. */
function backing(call: Call, flags: number, protection: number): Partial<Mapping> | number {
  const isShared = (flags & MAP.type) !== MAP.PRIVATE;
  if ((flags & MAP.ANONYMOUS) !== 0) return isShared ? { isShared, object: { frames: new Map() } } : {};
  const offset = unsigned(call, 5);
  const file = fileOf(call.process, int(call, 4));
  if (!file) return fail('EBADF');
  if (!isAligned(offset)) return fail('EINVAL');
  if (offset + unsigned(call, 1) > Number.MAX_SAFE_INTEGER) return fail('EOVERFLOW');
  if (!isReadable(file)) return fail('EACCES');
  if (isShared && (protection & PROT.WRITE) !== 0 && !isWritable(file)) return fail('EACCES');
  const { inode } = file;
  if (inode.character === 'zero') return isShared ? { isShared, object: { frames: new Map() } } : {};
  if (inode.kind !== 'file' || inode.synthetic || !loadContent(call.core, inode)) return fail('ENODEV');
  return { inode, offset, isShared, name: file.path };
}

function mmap(call: Call): Result {
  const { core, space } = call;
  const sizeBytes = roundUp(unsigned(call, 1));
  const protection = uint(call, 2) & (allProtections | PROT_BTI);
  const flags = uint(call, 3);
  const kind = flags & MAP.type;
  if (sizeBytes === 0) return fail('EINVAL');
  if (sizeBytes > taskBytes) return fail('ENOMEM');
  if (kind !== MAP.SHARED && kind !== MAP.PRIVATE && kind !== MAP.SHARED_VALIDATE) return fail('EINVAL');
  const part = backing(call, flags, protection);
  if (typeof part === 'number') return part;
  const counts = (protection & PROT.WRITE) !== 0 && (flags & MAP.NORESERVE) === 0;
  if (!hasRoomForMapping(space) || (counts && isTooMuch(core, sizeBytes))) return fail('ENOMEM');
  const start = placeOf(space, unsigned(call, 0), sizeBytes, flags);
  if (start < 0) return start;
  const mapping = { ...anonymous(start, start + sizeBytes, protection & allProtections), ...part };
  mapRange(core, space, { ...mapping, growsDown: (flags & MAP.GROWSDOWN) !== 0 });
  if ((flags & MAP.POPULATE) !== 0) populateRange(call, start, start + sizeBytes);
  return start;
}

function populateRange({ core, space }: Call, start: number, end: number): boolean {
  for (let va = start; va < end; va += pageBytes) {
    const writes = ((mappingAt(space, va)?.protection ?? 0) & PROT.WRITE) !== 0;
    if (typeof resolve(core, space, va, writes ? 'write' : 'read') !== 'number') return false;
  }
  return true;
}

/** The range of a call's first two arguments; undefined where it is none. */
function rangeOf(call: Call): { readonly start: number; readonly end: number } | undefined {
  const start = unsigned(call, 0);
  const end = start + roundUp(unsigned(call, 1));
  return isAligned(start) && end <= taskBytes ? { start, end } : undefined;
}

function munmap(call: Call): Result {
  const range = rangeOf(call);
  if (!range || range.end === range.start) return fail('EINVAL');
  unmapRange(call.core, call.space, range.start, range.end);
  return 0;
}

const PROT_GROWSDOWN = 0x0100_0000;
const PROT_GROWSUP = 0x0200_0000;

function mprotect(call: Call): Result {
  const { core, space } = call;
  const range = rangeOf(call);
  const wanted = uint(call, 2);
  const protection = wanted & allProtections;
  if ((wanted & ~(allProtections | PROT_BTI | PROT_GROWSDOWN | PROT_GROWSUP)) !== 0) return fail('EINVAL');
  if (!range) return isAligned(unsigned(call, 0)) ? fail('ENOMEM') : fail('EINVAL');
  if (range.start === range.end) return 0;
  const first = mappingAt(space, range.start);
  const start = (wanted & PROT_GROWSDOWN) !== 0 && first?.growsDown === true ? first.start : range.start;
  if (!isMapped(space, start, range.end)) return fail('ENOMEM');
  const isRefused = mappingsIn(space, start, range.end).some(
    ({ isShared, inode }) => isShared && inode?.isReadOnly === true && (protection & PROT.WRITE) !== 0,
  );
  if (isRefused) return fail('EACCES');
  protectRange(core, space, start, range.end, protection);
  return 0;
}

const MREMAP = { MAYMOVE: 1, FIXED: 2, DONTUNMAP: 4 } as const;

function mremap(call: Call): Result {
  const { core, space } = call;
  const oldAt = unsigned(call, 0);
  const oldBytes = roundUp(unsigned(call, 1));
  const newBytes = roundUp(unsigned(call, 2));
  const flags = uint(call, 3);
  const isFixed = (flags & MREMAP.FIXED) !== 0;
  const mayMove = (flags & MREMAP.MAYMOVE) !== 0;
  if (!isAligned(oldAt) || newBytes === 0 || oldBytes === 0 || (isFixed && !mayMove)) return fail('EINVAL');
  if ((flags & ~(MREMAP.MAYMOVE | MREMAP.FIXED)) !== 0 || newBytes > taskBytes) return fail('EINVAL');
  const mapping = mappingAt(space, oldAt);
  if (!mapping || mapping.end < oldAt + oldBytes) return fail('EFAULT');
  if (!isFixed && newBytes <= oldBytes) {
    if (newBytes < oldBytes) unmapRange(core, space, oldAt + newBytes, oldAt + oldBytes);
    return oldAt;
  }
  if (isTooMuch(core, newBytes)) return fail('ENOMEM');
  const grows = mapping.end === oldAt + oldBytes && isFree(space, mapping.end, oldAt + newBytes);
  if (!isFixed && grows && oldAt + newBytes <= taskBytes) {
    mapping.end = oldAt + newBytes;
    return oldAt;
  }
  if (!mayMove) return fail('ENOMEM');
  const wanted = unsigned(call, 4);
  const overlaps = wanted < oldAt + oldBytes && oldAt < wanted + newBytes;
  if (isFixed && (!isAligned(wanted) || overlaps || wanted + newBytes > taskBytes)) return fail('EINVAL');
  const target = isFixed ? wanted : findRoom(space, newBytes);
  if (target === undefined) return fail('ENOMEM');
  return move(call, oldAt, oldBytes, target, newBytes);
}

function move({ core, space }: Call, oldAt: number, oldBytes: number, newAt: number, newBytes: number): Result {
  const [old] = cutOut(space, oldAt, oldAt + oldBytes);
  if (!old) return fail('EFAULT');
  mapRange(core, space, { ...old, start: newAt, end: newAt + newBytes, growsDown: false });
  if (!movePages(core, space, oldAt, newAt, Math.min(oldBytes, newBytes))) return fail('ENOMEM');
  unmapRange(core, space, oldAt, oldAt + oldBytes);
  return newAt;
}

const MADV = { DONTNEED: 4, FREE: 8, REMOVE: 9, POPULATE_READ: 22, POPULATE_WRITE: 23, DONTNEED_LOCKED: 24 } as const;
/** Advice that changes nothing here: how a range will be used, whether it is dumped, merged, inherited as huge pages. */
const harmlessAdvice: ReadonlySet<number> = new Set([0, 1, 2, 3, 12, 13, 14, 15, 16, 17, 20, 21, 25]);

function madvise(call: Call): Result {
  const { core, space } = call;
  const range = rangeOf(call);
  const advice = int(call, 2);
  const isKnown = harmlessAdvice.has(advice) || Object.values<number>(MADV).includes(advice);
  if (!range || !isKnown || advice === MADV.REMOVE) return fail('EINVAL');
  const isComplete = isMapped(space, range.start, range.end);
  switch (advice) {
    case MADV.DONTNEED:
    case MADV.DONTNEED_LOCKED:
    case MADV.FREE:
      // MADV_FREE may drop the pages at any time: it does so at once.
      forgetPages(core, space, range.start, range.end);
      break;
    case MADV.POPULATE_READ:
    case MADV.POPULATE_WRITE:
      if (isComplete && !populateRange(call, range.start, range.end)) return fail('EFAULT');
      break;
    default:
  }
  return isComplete || range.start === range.end ? 0 : fail('ENOMEM');
}

function mincore(call: Call): Result {
  const range = rangeOf(call);
  if (!range) return fail('EINVAL');
  if (!isMapped(call.space, range.start, range.end)) return fail('ENOMEM');
  const count = (range.end - range.start) / pageBytes;
  if (count > pageBytes * pageBytes) return fail('ENOMEM');
  const pages = Uint8Array.from({ length: count }, (_, n) =>
    isResident(call.core, call.space, range.start + n * pageBytes) ? 1 : 0,
  );
  return writeUser(call.core, call.space, unsigned(call, 2), pages) ? 0 : fail('EFAULT');
}

const checkMapped = (call: Call): Result => {
  const start = unsigned(call, 0) - (unsigned(call, 0) % pageBytes);
  const end = roundUp(unsigned(call, 0) + unsigned(call, 1));
  return isMapped(call.space, start, end) ? 0 : fail('ENOMEM');
};

export const memoryCalls: Family = {
  brk: (call) => setBreak(call.core, call.space, unsigned(call, 0)),
  mmap,
  munmap,
  mprotect,
  mremap,
  madvise,
  mincore,
  msync: (call) => {
    const range = rangeOf(call);
    if (!range) return fail('EINVAL');
    return isMapped(call.space, range.start, range.end) ? 0 : fail('ENOMEM');
  },
  // There is no swap: all memory is locked that is there.
  mlock: checkMapped,
  mlock2: checkMapped,
  munlock: checkMapped,
  mlockall: () => 0,
  munlockall: () => 0,
};
