// Pieces of small A64 kernels that drive virtio devices: the transport, split queues that lie where a test puts them, words of memory.

import { note } from './kernels.ts';
import { kernelIpa } from './system.ts';

export const poke = (address: number, value: number | bigint, width: 'b' | 'h' | 'w' | 'x' = 'w'): string => {
  const [source, suffix] = width === 'x' ? ['x10', ''] : ['w10', width === 'w' ? '' : width];
  return `ldr x9, =${address}\nldr x10, =${value}\nstr${suffix} ${source}, [x9]`;
};

/** Loads X0. */
export const peek = (address: number, width: 'b' | 'h' | 'w' | 'x' = 'w'): string =>
  `ldr x9, =${address}\nldr${width === 'b' || width === 'h' ? width : ''} ${width === 'x' ? 'x0' : 'w0'}, [x9]`;

export const pokeBytes = (address: number, bytes: readonly number[]): string =>
  bytes.map((byte, n) => poke(address + n, byte, 'b')).join('\n');

let labels = 0;
/** Waits until a word is not less than a value. */
export const awaitAtLeast = (load: string, value: number): string => {
  labels += 1;
  return `wait${labels}: ${load}\ncmp w0, #${value}\nb.lo wait${labels}`;
};

export const transport = {
  deviceFeatures: 0x10,
  deviceFeaturesSelect: 0x14,
  queueNotify: 0x50,
  interruptAck: 0x64,
  status: 0x70,
} as const;
export const flag = { NEXT: 1, WRITE: 2 } as const;
const queueSize = 16;

/** A queue of a device whose registers are at `device`; everything of it is within 1 KiB from `ring` on. */
export interface KernelQueue {
  readonly device: number;
  readonly index: number;
  readonly ring: number;
}

export interface Descriptor {
  readonly address: number | bigint;
  readonly bytes: number;
  readonly flags: number;
  readonly next?: number;
}

const available = ({ ring }: KernelQueue): number => ring + 0x100;
export const usedOf = ({ ring }: KernelQueue): number => ring + 0x200;

export const writeRegister = (device: number, offset: number, value: number): string => poke(device + offset, value);
export const noteRegister = (device: number, offset: number): string => `${peek(device + offset)}\n${note()}`;

/** A device initialized, with these queues of 16 entries. */
export const openDevice = (device: number, features: number, queues: readonly KernelQueue[]): string =>
  [
    ...[0, 1, 3].map((status) => writeRegister(device, transport.status, status)),
    writeRegister(device, 0x24, 0),
    writeRegister(device, 0x20, features),
    writeRegister(device, 0x24, 1),
    writeRegister(device, 0x20, 1),
    writeRegister(device, transport.status, 11),
    ...queues.flatMap((queue) => [
      writeRegister(device, 0x30, queue.index),
      writeRegister(device, 0x38, queueSize),
      ...[queue.ring, available(queue), usedOf(queue)].map((address, n) =>
        writeRegister(device, 0x80 + 0x10 * n, address),
      ),
      writeRegister(device, 0x44, 1),
    ]),
    writeRegister(device, transport.status, 15),
  ].join('\n');

export const describeEntry = (
  { ring }: KernelQueue,
  n: number,
  { address, bytes, flags, next = n + 1 }: Descriptor,
): string =>
  [
    poke(ring + 16 * n, address, 'x'),
    poke(ring + 16 * n + 8, bytes),
    poke(ring + 16 * n + 12, flags, 'h'),
    poke(ring + 16 * n + 14, next, 'h'),
  ].join('\n');

export const offerHead = (queue: KernelQueue, entry: number, head: number): string =>
  poke(available(queue) + 4 + 2 * entry, head, 'h');

/** So many entries are available since the device was opened; the device is told. */
export const makeAvailable = (queue: KernelQueue, count: number): string =>
  [
    'dmb sy',
    poke(available(queue) + 2, count, 'h'),
    'dmb sy',
    writeRegister(queue.device, transport.queueNotify, queue.index),
  ].join('\n');

/** Buffers of one part each, from the start of the ring on: entry n is descriptor n. */
export const offer = (queue: KernelQueue, parts: readonly Descriptor[]): string =>
  [
    ...parts.flatMap((part, n) => [describeEntry(queue, n, part), offerHead(queue, n, n)]),
    makeAvailable(queue, parts.length),
  ].join('\n');

export const awaitUsed = (queue: KernelQueue, count: number): string =>
  awaitAtLeast(peek(usedOf(queue) + 2, 'h'), count);

/** The first device of a VM, with a queue for what it receives and one for what it sends, as network devices and consoles have them. */
const firstDevice = 0xa00_0000;
export const receive: KernelQueue = { device: firstDevice, index: 0, ring: kernelIpa + 0x4_0000 };
export const transmit: KernelQueue = { device: firstDevice, index: 1, ring: kernelIpa + 0x4_1000 };
export const receivedIpa = kernelIpa + 0x5_0000;
export const sentIpa = kernelIpa + 0x6_0000;
export const openPair = openDevice(firstDevice, 0, [receive, transmit]);

/** Offers so many buffers of a size, one behind the other, for what comes. */
export const listen = (buffers: number, bytes: number): string =>
  offer(
    receive,
    Array.from({ length: buffers }, (_, n) => ({ address: receivedIpa + bytes * n, bytes, flags: flag.WRITE })),
  );

/** The status of the first device, among the notes. */
export const noteDeviceStatus = noteRegister(firstDevice, transport.status);
