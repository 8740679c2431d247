// What the hypervisor keeps of mediated block devices (section 8.2 of the ancestor's description): the disks that the management VM has
// offered, and the request of each device that is its turn.

import { record } from '../records.ts';

/** What a disk is doing: nothing, a request, or one that has been given up, whose answer may still come. */
export const diskState = { free: 0, busy: 1, silent: 2 } as const;

/** A disk of the management VM, by its MediatedBlk page. */
export const mediatedDisk = record({
  isOffered: 'u32',
  /** The VM that has offered it: the page and the cache are its memory. */
  owner: 'u32',
  page: 'address',
  cache: 'address',
  cacheBytes: 'address',
  /** Requests that were put into the page. */
  requests: 'u64',
  /** One is there now, of this device of this VM (`diskState`); `bytes` of it are in this piece. */
  state: 'u32',
  vm: 'u32',
  device: 'u32',
  slot: 'u32',
  tag: 'u32',
  bytes: 'address',
  /** The count of CNTPCT_EL0 at which its answer is given up. */
  deadline: 'u64',
  /** The VM whose request was begun last. */
  turn: 'u32',
});

/** What a device asks for: as much of it as the device has been asked about. */
export const mediatedRequest = record({
  /** The core that serves has been told, and has not yet looked. */
  isAnnounced: 'u32',
  /** The device's own name of the request; 0 without. */
  tag: 'u32',
  type: 'u32',
  /** It is in the page of its disk. */
  isUnderWay: 'u32',
  sector: 'address',
  bytes: 'address',
  done: 'address',
});
