// Hypercalls between the hypervisor and a VM's own software: the page for messages, and shared memory (function 2 of the ancestor).

import type { Activity } from '../../arch/resident.ts';
import { type Rhyper } from '../context.ts';
import { allocateRegion, clearPages, pageBytes } from '../memory.ts';
import { noticeManager } from '../mediated/service.ts';
import { mapRange, walkStage2 } from '../stage2.ts';
import { limits } from '../limits.ts';
import type { Hypercall, HypercallRow } from './hypercall.ts';

const fid = 2;
const sharedTypes = 6;
const shareAlignment = 0x20_0000;

const alignUp = (value: number, alignment: number): number => Math.ceil(value / alignment) * alignment;

/** UPDATE_MQ: X0 an IPA inside RAM, X1 the page that will hold messages. */
function* updateMessagePage(rhyper: Rhyper, { caller, args }: Hypercall): Activity<bigint | undefined> {
  const page = args[1] ?? 0n;
  if (page >= 1n << 48n || page % BigInt(pageBytes) !== 0n) return undefined;
  const walked = walkStage2(rhyper, caller, Number(page));
  const isRam = caller.regions.some(
    ({ ipa, bytes }, n) => n < caller.regionCount && Number(page) >= ipa && Number(page) < ipa + bytes,
  );
  if (!walked?.isWritable || !isRam) return undefined;
  caller.messagePage = walked.pa;
  caller.messageSlot = 0;
  if (caller.isManager !== 0) yield* noticeManager(rhyper);
  return 0n;
}

/** SHARE_MEM: X0 type, X1 length; the IPA of a new window. It stays the VM's until the VM is removed. */
function* shareMemory(rhyper: Rhyper, { caller, args }: Hypercall): Activity<bigint | undefined> {
  const length = args[1] ?? 0n;
  const isValid =
    (args[0] ?? 0n) < BigInt(sharedTypes) && length > 0n && length <= BigInt(rhyper.platform.vmMemory.bytes);
  const region = caller.regions[caller.regionCount];
  if (!isValid || !region || caller.regionCount >= limits.memoryRegionsPerVm) return undefined;
  const bytes = alignUp(Number(length), shareAlignment);
  const pa = allocateRegion(rhyper, bytes);
  if (pa === undefined) return undefined;
  const ipa = caller.nextShareIpa;
  clearPages(rhyper, pa, bytes);
  Object.assign(region, { ipa, pa, bytes });
  caller.regionCount += 1;
  caller.nextShareIpa += bytes;
  return mapRange(rhyper, caller, { ipa, pa, bytes }, 'normal', true) ? BigInt(ipa) : undefined;
}

export const interVmCalls: readonly HypercallRow[] = [
  { fid, event: 0, name: 'IVC UPDATE_MQ', manager: false, handle: updateMessagePage },
  { fid, event: 7, name: 'IVC SHARE_MEM', manager: false, handle: shareMemory },
];
