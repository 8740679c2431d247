// Address spaces as a whole: made, copied for a child, given up; and what mmap, munmap, mprotect, mremap and brk do to them.

import { addReference, allocateFrame, referencesOf, releaseFrame } from './frames.ts';
import { type Core, noteStale } from './kernel.ts';
import { mappings as mappingLimit, pageBytes, stackBytes, taskBytes } from './limits.ts';
import { cutOut, insertMapping, mappingsIn, PROT, protectMappings, removeMappings } from './mappings.ts';
import { clearPage, forEachPage, pageOf, setPage } from './page-tables.ts';
import type { AddressSpace, Mapping } from './state.ts';

const firstAsid = 1;
const asids = 1 << 16;

/** A space without mappings, or undefined where there is no frame or no ASID for it. */
export function makeSpace(core: Core): AddressSpace | undefined {
  const { state } = core;
  const asid = state.freeAsids.pop() ?? state.nextAsid;
  if (asid >= asids) return undefined;
  const root = allocateFrame(core);
  if (root === undefined) return undefined;
  if (asid === state.nextAsid) state.nextAsid = Math.max(firstAsid, asid) + 1;
  return {
    root,
    asid,
    mappings: [],
    tables: [],
    cores: new Set(),
    stackBytes,
    breakStart: 0,
    breakEnd: 0,
    users: 1,
    flushes: 0,
  };
}

/** Takes the pages of a range away; their frames go back when no core can reach them any more. */
function dropPages(core: Core, space: AddressSpace, start: number, end: number): void {
  const pages: number[] = [];
  const frames: number[] = [];
  forEachPage(core, space, start, end, (va, { pa }) => {
    clearPage(core, space, va);
    pages.push(va);
    frames.push(pa);
    return true;
  });
  if (pages.length > 0) noteStale(core, { space, pages, frames });
}

/** The mappings of files that can be executed, less those that are known: what a program forks and starts again adds nothing. */
export const codeAmong = (mappings: readonly Mapping[], known: readonly Mapping[]): Mapping[] =>
  mappings.filter(
    ({ protection, inode, start }) =>
      (protection & PROT.EXEC) !== 0 &&
      inode !== undefined &&
      !known.some((other) => other.inode === inode && other.start === start),
  );

/** The last user has gone: everything goes back, and the ASID with it. */
export function releaseSpace(core: Core, space: AddressSpace): void {
  space.users -= 1;
  if (space.users > 0) return;
  const frames: number[] = [...space.tables, space.root];
  forEachPage(core, space, 0, taskBytes, (_va, { pa }) => frames.push(pa) > 0);
  const removed = space.mappings.splice(0);
  core.state.formerCode.push(...codeAmong(removed, core.state.formerCode));
  dropObjects(core, space, removed);
  noteStale(core, { space, pages: 'all', frames });
}

/** Frames of shared anonymous memory that no mapping is left of: the object has had a reference of its own. */
function dropObjects(core: Core, space: AddressSpace, removed: readonly Mapping[]): void {
  const objects = new Set(removed.flatMap(({ object }) => (object ? [object] : [])));
  if (objects.size === 0) return;
  for (const other of new Set([...core.state.processes.values()].map((process) => process.space)))
    for (const { object } of other.mappings) if (object) objects.delete(object);
  const frames = [...objects].flatMap(({ frames: own }) => [...own.values()]);
  if (frames.length > 0) noteStale(core, { space, pages: [], frames });
}

/** munmap(): whatever is in the range is gone. */
export function unmapRange(core: Core, space: AddressSpace, start: number, end: number): void {
  const removed = cutOut(space, start, end);
  removeMappings(space, removed);
  dropPages(core, space, start, end);
  dropObjects(core, space, removed);
}

export const hasRoomForMapping = (space: AddressSpace): boolean => space.mappings.length < mappingLimit;

export function mapRange(core: Core, space: AddressSpace, mapping: Mapping): void {
  unmapRange(core, space, mapping.start, mapping.end);
  insertMapping(space, mapping);
}

/** mprotect() of a range that is mapped. */
export function protectRange(core: Core, space: AddressSpace, start: number, end: number, protection: number): void {
  const changed = cutOut(space, start, end);
  const pages: number[] = [];
  for (const mapping of changed) {
    forEachPage(core, space, mapping.start, mapping.end, (va, { pa }) => {
      const isOwn = mapping.isShared || referencesOf(core, pa) === 1;
      setPage(core, space, va, {
        pa,
        isAccessible: protection !== 0,
        isWritable: isOwn && (protection & PROT.WRITE) !== 0,
        isExecutable: (protection & PROT.EXEC) !== 0,
      });
      pages.push(va);
      return true;
    });
    if (mapping.isShared && mapping.inode && (protection & PROT.WRITE) !== 0) mapping.inode.isChanged = true;
  }
  protectMappings(space, changed, protection);
  if (pages.length > 0) noteStale(core, { space, pages, frames: [] });
}

/** MADV_DONTNEED: private pages are as at first when they are next needed, shared ones still there. */
export function forgetPages(core: Core, space: AddressSpace, start: number, end: number): void {
  dropPages(core, space, start, end);
}

/** Moves the pages of a range to another address. */
export function movePages(core: Core, space: AddressSpace, from: number, to: number, sizeBytes: number): boolean {
  const moved: number[] = [];
  const isComplete = forEachPage(core, space, from, from + sizeBytes, (va, page) => {
    if (!setPage(core, space, to + (va - from), page)) return false;
    clearPage(core, space, va);
    return moved.push(va) > 0;
  });
  if (moved.length > 0) noteStale(core, { space, pages: moved, frames: [] });
  return isComplete;
}

/** The child's copy of a space: pages of private mappings are read-only in both until one of them writes. */
export function copySpace(core: Core, parent: AddressSpace): AddressSpace | undefined {
  const child = makeSpace(core);
  if (!child) return undefined;
  Object.assign(child, { stackBytes: parent.stackBytes, breakStart: parent.breakStart, breakEnd: parent.breakEnd });
  const protectedPages: number[] = [];
  const isComplete = parent.mappings.every((mapping) => {
    child.mappings.push({ ...mapping });
    return forEachPage(core, parent, mapping.start, mapping.end, (va, page) => {
      const shared = mapping.isShared ? page : { ...page, isWritable: false };
      if (!setPage(core, child, va, shared)) return false;
      addReference(core, page.pa);
      if (page.isWritable && !shared.isWritable) {
        setPage(core, parent, va, shared);
        protectedPages.push(va);
      }
      return true;
    });
  });
  if (protectedPages.length > 0) noteStale(core, { space: parent, pages: protectedPages, frames: [], copy: child });
  if (isComplete) return child;
  releaseSpace(core, child);
  return undefined;
}

/** brk(): where the heap ends afterwards, which is where it was where there is no room. */
export function setBreak(core: Core, space: AddressSpace, wanted: number): number {
  const oldEnd = Math.ceil(space.breakEnd / pageBytes) * pageBytes;
  const newEnd = Math.ceil(wanted / pageBytes) * pageBytes;
  if (!(wanted >= space.breakStart && newEnd <= taskBytes)) return space.breakEnd;
  if (newEnd < oldEnd) unmapRange(core, space, newEnd, oldEnd);
  else if (newEnd > oldEnd) {
    const isTaken = mappingsIn(space, oldEnd, newEnd + pageBytes).length > 0;
    if (isTaken || isTooMuch(core, newEnd - oldEnd)) return space.breakEnd;
    insertMapping(space, anonymous(oldEnd, newEnd, PROT.READ | PROT.WRITE, '[heap]'));
  }
  space.breakEnd = wanted;
  return wanted;
}

export const anonymous = (start: number, end: number, protection: number, name = ''): Mapping => ({
  start,
  end,
  protection,
  isShared: false,
  growsDown: false,
  name,
  offset: 0,
});

/** What the heuristic of vm.overcommit_memory = 0 refuses: more than all RAM at once. */
export const isTooMuch = ({ platform }: Core, sizeBytes: number): boolean => sizeBytes > platform.ramBytes;

/** Whether a page has a frame, for mincore. */
export const isResident = (core: Core, space: AddressSpace, va: number): boolean =>
  pageOf(core, space, va) !== undefined;

/** Gives frames back whose translations are gone. */
export function releaseFrames(core: Core, frames: readonly number[]): void {
  for (const pa of frames) releaseFrame(core, pa);
}
