// Hypercalls of the management VM's disk service (function 3 of the ancestor): it offers a disk, and it says that a request is done.

import type { Activity } from '../../arch/resident.ts';
import type { Rhyper } from '../context.ts';
import { diskOfPage, offerDisk } from '../mediated/disks.ts';
import { diskState } from '../mediated/state.ts';
import { noticeAnswer, noticeManager } from '../mediated/service.ts';
import type { Hypercall, HypercallRow } from './hypercall.ts';

const fid = 3;
/** Class of a device: there are block devices only. */
const blockClass = 0n;

/** DEV_APPEND: X0 class, X1 IPA of the MediatedBlk page. */
function* append(rhyper: Rhyper, { caller, args }: Hypercall): Activity<bigint | undefined> {
  if (args[0] !== blockClass || !offerDisk(rhyper, caller, args[1] ?? 0n)) return undefined;
  yield* noticeManager(rhyper);
  return 0n;
}

/** DEV_NOTIFY: X0 IPA of the page whose request is done. */
function* notify(rhyper: Rhyper, { caller, args }: Hypercall): Activity<bigint | undefined> {
  const disk = diskOfPage(rhyper, caller, args[0] ?? 0n);
  if (!disk || disk.state === diskState.free) return undefined;
  yield* noticeAnswer(rhyper, disk);
  return 0n;
}

export const mediatedCalls: readonly HypercallRow[] = [
  { fid, event: 0x30, name: 'MEDIATED DEV_APPEND', manager: true, handle: append },
  { fid, event: 0x31, name: 'MEDIATED DEV_NOTIFY', manager: true, handle: notify },
];
