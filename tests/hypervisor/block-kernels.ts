// Kernels around a mediated block device, assembled: a guest whose driver puts requests into its ring as they are given, good or bad, and a
// management VM that offers disks and answers when it is told to.

import { hvc, note, notesIpa } from './kernels.ts';
import { kernelIpa } from './system.ts';
import * as virtio from './virtio-kernels.ts';
import { awaitAtLeast, type Descriptor, flag, type KernelQueue, peek, poke, usedOf } from './virtio-kernels.ts';

export const deviceIpa = 0xa00_0000;

/** Where the driver has its queue and its buffers. */
const ringIpa = kernelIpa + 0x4_0000;
const queue: KernelQueue = { device: deviceIpa, index: 0, ring: ringIpa };
export const usedIpa = usedOf(queue);
const headerIpa = ringIpa + 0x400;
/** One status byte for each request. */
export const statusIpa = ringIpa + 0x800;
export const dataIpa = kernelIpa + 0x5_0000;
export const dataStride = 0x2000;
const feature = { FLUSH: 9 } as const;

/** The device initialized, with its queue. */
export const openDevice = (features = 1 << feature.FLUSH): string => virtio.openDevice(deviceIpa, features, [queue]);
export const describe = (n: number, descriptor: Descriptor): string => virtio.describeEntry(queue, n, descriptor);

export interface GuestRequest {
  readonly type: number;
  readonly sector: number;
  readonly bytes: number;
}
export const IN = 0;
export const OUT = 1;
export const FLUSH = 4;

/** Puts requests into the ring, from entry `first` of the ring on, and notifies the device once. The status of each is 0xff before. */
export const ask = (requests: readonly GuestRequest[], first = 0): string =>
  [
    ...requests.flatMap(({ type, sector, bytes }, n) => {
      const at = first + n;
      const head = 3 * at;
      const data: Descriptor = {
        address: dataIpa + dataStride * at,
        bytes,
        flags: type === IN ? flag.NEXT | flag.WRITE : flag.NEXT,
      };
      return [
        poke(headerIpa + 16 * at, type),
        poke(headerIpa + 16 * at + 8, sector, 'x'),
        poke(statusIpa + at, 0xff, 'b'),
        describe(head, {
          address: headerIpa + 16 * at,
          bytes: 16,
          flags: flag.NEXT,
          ...(bytes === 0 && { next: head + 2 }),
        }),
        describe(head + 1, data),
        describe(head + 2, { address: statusIpa + at, bytes: 1, flags: flag.WRITE }),
        offerHead(at, head),
      ];
    }),
    makeAvailable(first + requests.length),
  ].join('\n');

export const makeAvailable = (count: number): string => virtio.makeAvailable(queue, count);
export const offerHead = (entry: number, head: number): string => virtio.offerHead(queue, entry, head);
export const awaitUsed = (count: number): string => virtio.awaitUsed(queue, count);
export const noteStatuses = (count: number): string =>
  Array.from({ length: count }, (_, n) => `${peek(statusIpa + n, 'b')}\n${note()}`).join('\n');
export const noteRegister = (offset: number): string => virtio.noteRegister(deviceIpa, offset);
export const noteDeviceStatus = noteRegister(virtio.transport.status);
export const writeRegister = (offset: number, value: number): string => virtio.writeRegister(deviceIpa, offset, value);

// The management VM.

export const messagePageIpa = kernelIpa + 0x2_0000;
export const pageIpa = (disk: number): number => kernelIpa + 0x2_1000 + 0x1000 * disk;
export const cacheIpa = (disk: number): number => kernelIpa + 0x3_0000 + 0x4000 * disk;
const fid = { ivc: 2, mediated: 3 } as const;

export const listen = hvc(fid.ivc, 0, messagePageIpa, messagePageIpa);
export const offerDisk = (disk: number, cacheBytes = 0x4000): string =>
  [
    poke(pageIpa(disk) + 80, 0x1_0000, 'x'),
    poke(pageIpa(disk) + 88, cacheBytes, 'x'),
    poke(pageIpa(disk) + 112, cacheIpa(disk), 'x'),
    hvc(fid.mediated, 0x30, 0, pageIpa(disk)),
  ].join('\n');

export const awaitRequest = (disk: number, number: number): string => awaitAtLeast(peek(pageIpa(disk), 'x'), number);
/** Type, sector and number of sectors of the request in the page. */
export const noteRequest = (disk: number): string =>
  [128, 136, 144].map((offset) => `${peek(pageIpa(disk) + offset, offset === 128 ? 'w' : 'x')}\n${note()}`).join('\n');
export const fail = (disk: number): string => poke(pageIpa(disk) + 152, 1);
export const answer = (disk: number): string => hvc(fid.mediated, 0x31, pageIpa(disk));
/** Takes requests as they come, and notes the sector of each. */
export const serve = (disk: number, from: number, count: number): string =>
  Array.from({ length: count }, (_, n) =>
    [awaitRequest(disk, from + n), peek(pageIpa(disk) + 136, 'x'), note(), answer(disk)].join('\n'),
  ).join('\n');

/** Doublewords that a kernel has noted. */
export const notesOf = (
  bytes: (name: string, ipa: number, count: number) => Uint8Array,
  name: string,
  count: number,
): number[] => [...new BigUint64Array(bytes(name, notesIpa, 8 * count).buffer)].map(Number);
