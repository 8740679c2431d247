// Pages on demand: what an access to an address of a process finds, or what is wrong with it. The page is made when it is first needed:
// of zeros, of a file, shared, or copied because another process has it too (do_user_addr_fault(), handle_mm_fault()).

import { addReference, allocateFrame, referencesOf, releaseFrame } from './frames.ts';
import { fileBytes } from './files/content.ts';
import type { SharedPages } from './files/shared-pages.ts';
import { type Core, noteStale } from './kernel.ts';
import { pageBytes } from './limits.ts';
import { mappingAbove, mappingAt, PROT, roundDown } from './mappings.ts';
import { type Page, pageOf, setPage } from './page-tables.ts';
import type { AddressSpace, Mapping } from './state.ts';

export type Access = 'read' | 'write' | 'execute';

/** A fault, as siginfo says it. */
export interface Fault {
  readonly signal: number;
  readonly code: number;
}

const SIGBUS = 7;
const SIGKILL = 9;
const SIGSEGV = 11;
const faults = {
  /** SEGV_MAPERR. */
  unmapped: { signal: SIGSEGV, code: 1 },
  /** SEGV_ACCERR. */
  denied: { signal: SIGSEGV, code: 2 },
  /** BUS_ADRERR: past the end of the file. */
  pastEnd: { signal: SIGBUS, code: 2 },
  /** All RAM is in use: what the out-of-memory killer does. */
  noMemory: { signal: SIGKILL, code: 0x80 },
} as const satisfies Readonly<Record<string, Fault>>;

const needed: Readonly<Record<Access, number>> = {
  read: PROT.READ | PROT.WRITE | PROT.EXEC,
  write: PROT.WRITE,
  execute: PROT.EXEC,
};

/** The mapping of an address; the stack grows down to it. */
function mappingFor(space: AddressSpace, va: number): Mapping | undefined {
  const mapping = mappingAt(space, va);
  if (mapping) return mapping;
  const above = mappingAbove(space, va);
  if (!above?.growsDown || va < above.end - space.stackBytes) return undefined;
  above.start = roundDown(va);
  return above;
}

const pageFor = ({ protection }: Mapping, pa: number, isWritable: boolean): Page => ({
  pa,
  isAccessible: protection !== 0,
  isWritable: isWritable && (protection & PROT.WRITE) !== 0,
  isExecutable: (protection & PROT.EXEC) !== 0,
});

/** A frame with the bytes of the file from this offset; past its end there is nothing to map. */
function frameOfFile(core: Core, { inode }: Mapping, offset: number): number | Fault {
  if (!inode || offset >= inode.sizeBytes) return faults.pastEnd;
  const pa = allocateFrame(core);
  if (pa === undefined) return faults.noMemory;
  core.port.ram.writeBytes(pa, fileBytes(core, inode, offset, pageBytes));
  return pa;
}

/** The frame of a shared object's page, which holds one reference for itself. */
function sharedFrame(core: Core, mapping: Mapping, pages: SharedPages, offset: number): number | Fault {
  const index = offset / pageBytes;
  const present = pages.frames.get(index);
  if (present !== undefined) return present;
  const made = mapping.inode ? frameOfFile(core, mapping, offset) : (allocateFrame(core) ?? faults.noMemory);
  if (typeof made === 'number') pages.frames.set(index, made);
  return made;
}

function sharedPagesOf(mapping: Mapping): SharedPages | undefined {
  if (!mapping.isShared) return undefined;
  if (!mapping.inode) return mapping.object;
  mapping.inode.pages ??= { frames: new Map() };
  return mapping.inode.pages;
}

function populate(core: Core, space: AddressSpace, mapping: Mapping, va: number): number | Fault {
  const offset = mapping.offset + (va - mapping.start);
  const pages = sharedPagesOf(mapping);
  let pa: number | Fault;
  if (pages) {
    pa = sharedFrame(core, mapping, pages, offset);
    if (typeof pa === 'number') addReference(core, pa);
    if (mapping.inode && (mapping.protection & PROT.WRITE) !== 0) mapping.inode.isChanged = true;
  } else pa = mapping.inode ? frameOfFile(core, mapping, offset) : (allocateFrame(core) ?? faults.noMemory);
  if (typeof pa !== 'number') return pa;
  if (setPage(core, space, va, pageFor(mapping, pa, true))) return pa;
  releaseFrame(core, pa);
  return faults.noMemory;
}

/** A write to a page that is mapped read-only although the mapping is writable: it is copied unless nobody else has it. */
function unshare(core: Core, space: AddressSpace, mapping: Mapping, va: number, page: Page): number | Fault {
  const isAlone = mapping.isShared || referencesOf(core, page.pa) === 1;
  const pa = isAlone ? page.pa : allocateFrame(core);
  if (pa === undefined) return faults.noMemory;
  if (!isAlone) core.port.ram.writeBytes(pa, core.memory.bytes.slice(page.pa, page.pa + pageBytes));
  setPage(core, space, va, pageFor(mapping, pa, true));
  noteStale(core, { space, pages: [va], frames: isAlone ? [] : [page.pa] });
  return pa;
}

/**
 * The physical address of a byte that is mapped, whatever its protection. A private page is written as the process's own, a shared one only
 * where the process may.
 */
export function reach(core: Core, space: AddressSpace, va: number, writes: boolean): number | Fault {
  const mapping = mappingAt(space, va);
  if (!mapping) return faults.unmapped;
  if (writes && mapping.isShared && (mapping.protection & PROT.WRITE) === 0) return faults.denied;
  const at = roundDown(va);
  const page = pageOf(core, space, at);
  const isOthers = writes && page !== undefined && !mapping.isShared && referencesOf(core, page.pa) > 1;
  const pa = isOthers ? unshare(core, space, mapping, at, page) : (page?.pa ?? populate(core, space, mapping, at));
  return typeof pa === 'number' ? pa + (va - at) : pa;
}

/** The physical address of a byte that an access of this kind reaches, or its fault. */
export function resolve(core: Core, space: AddressSpace, va: number, access: Access): number | Fault {
  const mapping = mappingFor(space, va);
  if (!mapping) return faults.unmapped;
  if ((mapping.protection & needed[access]) === 0) return faults.denied;
  const at = roundDown(va);
  const page = pageOf(core, space, at);
  let pa: number | Fault;
  if (!page) pa = populate(core, space, mapping, at);
  else if (access === 'write' && !page.isWritable) pa = unshare(core, space, mapping, at, page);
  else pa = page.pa;
  return typeof pa === 'number' ? pa + (va - at) : pa;
}
