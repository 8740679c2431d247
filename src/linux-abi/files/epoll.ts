// Epoll (fs/eventpoll.c): files that are watched, and those of them that something has happened to since somebody has looked.

import type { Core } from '../kernel.ts';
import type { Epoll, EpollItem, Inode, OpenFile } from './inode.ts';
import { readyEvents } from './readiness.ts';
import { epollFlags, markReady } from './wake.ts';

const EPOLLONESHOT = 0x4000_0000;
const EPOLLET = 0x8000_0000;
/** Descriptors of epoll may watch each other to this depth: EP_MAX_NESTS. */
export const nestingLimit = 4;

export const epollOf = ({ anonymous }: Inode): Epoll | undefined =>
  anonymous?.kind === 'epoll' ? anonymous.epoll : undefined;

/** How deep epoll descriptors are watched below this one. */
export function depthBelow(inode: Inode): number {
  const below = epollOf(inode)?.items.map(({ file }) => (epollOf(file.inode) ? 1 + depthBelow(file.inode) : 0)) ?? [];
  return Math.max(0, ...below);
}

/** How deep this one is watched by others. */
export const depthAbove = (inode: Inode): number =>
  Math.max(0, ...(inode.watchers ?? []).map(({ owner }) => 1 + depthAbove(owner)));

/** Whether an epoll descriptor is this one, or watches it by way of others. */
export const reaches = (from: Inode, to: Inode): boolean =>
  from === to || (epollOf(from)?.items.some(({ file }) => reaches(file.inode, to)) ?? false);

export function addItem(core: Core, item: EpollItem): void {
  epollOf(item.owner)?.items.push(item);
  const { inode } = item.file;
  inode.watchers = [...(inode.watchers ?? []), item];
  lookAgain(core, item);
}

/** What an item asks for has changed, or is new: it is ready at once where its file is. */
export function lookAgain(core: Core, item: EpollItem): void {
  if (readyEvents(core, item) !== 0) markReady(core, item, 0);
}

const without = <T>(list: readonly T[], gone: T): T[] => list.filter((one) => one !== gone);

export function removeItem(item: EpollItem): void {
  const epoll = epollOf(item.owner);
  if (epoll) {
    epoll.items.splice(epoll.items.indexOf(item), 1);
    epoll.ready = without(epoll.ready, item);
  }
  item.file.inode.watchers = without(item.file.inode.watchers ?? [], item);
}

/** The last descriptor of an open file has been closed: nobody watches it any more, and it watches nothing. */
export function forgetWatches(file: OpenFile): void {
  for (const item of file.inode.watchers ?? []) if (item.file === file) removeItem(item);
  for (const item of [...(epollOf(file.inode)?.items ?? [])]) removeItem(item);
}

export interface ReadyEvent {
  readonly events: number;
  readonly data: bigint;
}

/** Up to so many events. What is level-triggered stays among the ready ones, behind the others. */
export function takeEvents(core: Core, epoll: Epoll, limit: number): ReadyEvent[] {
  const looked = epoll.ready;
  const again: EpollItem[] = [];
  const taken: ReadyEvent[] = [];
  let at = 0;
  for (; at < looked.length && taken.length < limit; at += 1) {
    const item = looked[at] as EpollItem;
    const events = readyEvents(core, item);
    if (events === 0) continue;
    taken.push({ events, data: item.data });
    if ((item.events & EPOLLONESHOT) !== 0) item.events &= epollFlags;
    else if ((item.events & EPOLLET) === 0) again.push(item);
  }
  epoll.ready = [...looked.slice(at), ...again];
  return taken;
}
