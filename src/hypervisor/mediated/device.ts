// The requests of a mediated block device as the board's transport shows them (actors/virtio/mediated-requests.ts), beside the registers
// that its driver reaches.

import { type Activity, readDevice, writeDevice } from '../../arch/resident.ts';
import type { Rhyper } from '../context.ts';
import type { EmulatedDevice } from '../state.ts';

/** Types of requests and the status of an answer (virtio 1.2, "Block Device"). */
export const blockType = { IN: 0, OUT: 1, FLUSH: 4 } as const;
export const blockStatus = { OK: 0, IOERR: 1 } as const;

const offsets = {
  TAG: 0x00,
  TYPE: 0x04,
  SECTOR_LOW: 0x08,
  SECTOR_HIGH: 0x0c,
  SIZE: 0x10,
  BUFFER_LOW: 0x14,
  BUFFER_HIGH: 0x18,
  OFFSET: 0x1c,
  COPY: 0x20,
  FINISH: 0x24,
} as const;
type RegisterName = keyof typeof offsets;

const twoTo32 = 2 ** 32;

function addressOf({ platform: { slotControl } }: Rhyper, slot: number, name: RegisterName): number {
  return slotControl.pa + (slot - 1) * slotControl.stride + offsets[name];
}

function* read(rhyper: Rhyper, slot: number, name: RegisterName): Activity<number> {
  return (yield* readDevice(addressOf(rhyper, slot, name), 4)) ?? 0;
}

function* write(rhyper: Rhyper, slot: number, name: RegisterName, value: number): Activity {
  yield* writeDevice(addressOf(rhyper, slot, name), 4, value);
}

/** Asks the device what it has to be served now; the tag is 0 where there is nothing. */
export function* fetchRequest(rhyper: Rhyper, { slot, request }: EmulatedDevice): Activity {
  const tag = slot === 0 ? 0 : yield* read(rhyper, slot, 'TAG');
  if (tag === request.tag) return;
  request.tag = tag;
  request.isUnderWay = 0;
  request.done = 0;
  if (tag === 0) return;
  request.type = yield* read(rhyper, slot, 'TYPE');
  request.sector = (yield* read(rhyper, slot, 'SECTOR_LOW')) + (yield* read(rhyper, slot, 'SECTOR_HIGH')) * twoTo32;
  request.bytes = yield* read(rhyper, slot, 'SIZE');
}

/** Moves data of the request between the driver's buffer and a buffer in one piece; false where that is not possible. */
export function* copyData(
  rhyper: Rhyper,
  { slot, request }: EmulatedDevice,
  { pa, offset, bytes }: { readonly pa: number; readonly offset: number; readonly bytes: number },
): Activity<boolean> {
  yield* write(rhyper, slot, 'TAG', request.tag);
  yield* write(rhyper, slot, 'BUFFER_LOW', pa % twoTo32);
  yield* write(rhyper, slot, 'BUFFER_HIGH', Math.floor(pa / twoTo32));
  yield* write(rhyper, slot, 'OFFSET', offset);
  yield* write(rhyper, slot, 'COPY', bytes);
  return (yield* read(rhyper, slot, 'COPY')) === 1;
}

/** Ends the request: the driver gets its buffer back. The tag keeps a request that has come meanwhile from being taken for it. */
export function* finishRequest(rhyper: Rhyper, { slot, request }: EmulatedDevice, status: number): Activity {
  yield* write(rhyper, slot, 'TAG', request.tag);
  yield* write(rhyper, slot, 'FINISH', status);
  request.isUnderWay = 0;
}
