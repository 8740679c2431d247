// Kernels around a mediated block device, assembled: a guest whose driver puts requests into its ring as they are given, good or bad, and a
// management VM that offers disks and answers when it is told to.

import { hvc, note, notesIpa } from './kernels.ts';
import { kernelIpa } from './system.ts';

const deviceIpa = 0xa00_0000;
const register = { queueNotify: 0x50, interruptAck: 0x64, status: 0x70 } as const;

/** Where the driver has its queue and its buffers. */
const ringIpa = kernelIpa + 0x4_0000;
const availableIpa = ringIpa + 0x100;
export const usedIpa = ringIpa + 0x200;
const headerIpa = ringIpa + 0x400;
/** One status byte for each request. */
export const statusIpa = ringIpa + 0x800;
export const dataIpa = kernelIpa + 0x5_0000;
export const dataStride = 0x2000;
const queueSize = 16;

export const poke = (address: number, value: number | bigint, width: 'b' | 'h' | 'w' | 'x' = 'w'): string => {
  const [source, suffix] = width === 'x' ? ['x10', ''] : ['w10', width === 'w' ? '' : width];
  return `ldr x9, =${address}\nldr x10, =${value}\nstr${suffix} ${source}, [x9]`;
};
const peek = (address: number, width: 'b' | 'h' | 'w' | 'x' = 'w'): string =>
  `ldr x9, =${address}\nldr${width === 'b' || width === 'h' ? width : ''} ${width === 'x' ? 'x0' : 'w0'}, [x9]`;

const device = (offset: number, value: number): string => poke(deviceIpa + offset, value);

const feature = { FLUSH: 9 } as const;

/** The device initialized, with one queue of 16 entries. */
export const openDevice = (features = 1 << feature.FLUSH): string =>
  [
    ...[0, 1, 3].map((status) => device(register.status, status)),
    device(0x24, 0),
    device(0x20, features),
    device(0x24, 1),
    device(0x20, 1),
    device(register.status, 11),
    device(0x30, 0),
    device(0x38, queueSize),
    ...[ringIpa, availableIpa, usedIpa].map((address, n) => device(0x80 + 0x10 * n, address)),
    device(0x44, 1),
    device(register.status, 15),
  ].join('\n');

const flag = { NEXT: 1, WRITE: 2 } as const;

export interface Descriptor {
  readonly address: number | bigint;
  readonly bytes: number;
  readonly flags: number;
  readonly next?: number;
}

export const describe = (n: number, { address, bytes, flags, next = n + 1 }: Descriptor): string =>
  [
    poke(ringIpa + 16 * n, address, 'x'),
    poke(ringIpa + 16 * n + 8, bytes),
    poke(ringIpa + 16 * n + 12, flags, 'h'),
    poke(ringIpa + 16 * n + 14, next, 'h'),
  ].join('\n');

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
        poke(availableIpa + 4 + 2 * at, head, 'h'),
      ];
    }),
    makeAvailable(first + requests.length),
  ].join('\n');

/** So many entries of the ring are available; entry n is the chain whose head is written there. */
export const makeAvailable = (count: number): string =>
  ['dmb sy', poke(availableIpa + 2, count, 'h'), 'dmb sy', device(register.queueNotify, 0)].join('\n');
export const offerHead = (entry: number, head: number): string => poke(availableIpa + 4 + 2 * entry, head, 'h');

let labels = 0;
/** Waits until a word is not less than a value. */
const awaitAtLeast = (load: string, value: number): string => {
  labels += 1;
  return `wait${labels}: ${load}\ncmp w0, #${value}\nb.lo wait${labels}`;
};
export const awaitUsed = (count: number): string => awaitAtLeast(peek(usedIpa + 2, 'h'), count);
export const noteStatuses = (count: number): string =>
  Array.from({ length: count }, (_, n) => `${peek(statusIpa + n, 'b')}\n${note()}`).join('\n');
export const noteDeviceStatus = `${peek(deviceIpa + register.status)}\n${note()}`;
export const noteRegister = (offset: number): string => `${peek(deviceIpa + offset)}\n${note()}`;
export const writeRegister = device;

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
