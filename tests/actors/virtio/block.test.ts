import { describe, expect, it } from 'vitest';
import { type BlockDevice, type BlockRequest, type BlockService, blockDevice } from '../../../actors/virtio/block.ts';
import { imageStore } from '../../../actors/virtio/block-store.ts';
import { ringFeature } from '../../../actors/virtio/features.ts';
import { Bench } from './bench.ts';
import { blockHeader as header } from './block-header.ts';
import { type DriverQueue, driverQueue, type Part } from './driver.ts';

const { VERSION_1, INDIRECT_DESC } = ringFeature;
const feature = {
  SIZE_MAX: 1,
  SEG_MAX: 2,
  RO: 5,
  BLK_SIZE: 6,
  FLUSH: 9,
  CONFIG_WCE: 11,
  DISCARD: 13,
  WRITE_ZEROES: 14,
};
const type = { IN: 0, OUT: 1, FLUSH: 4, GET_ID: 8, DISCARD: 11, WRITE_ZEROES: 13, SECURE_ERASE: 14 };
const [OK, IOERR, UNSUPP] = [0, 1, 2];

function range(sector: number, sectors: number, flags = 0): Uint8Array {
  const bytes = header(sector % 2 ** 32, 0);
  const view = new DataView(bytes.buffer);
  view.setUint32(8, sectors, true);
  view.setUint32(12, flags, true);
  return bytes;
}

interface Disk {
  readonly bench: Bench<BlockDevice>;
  readonly queue: DriverQueue;
  readonly image: Uint8Array;
  readonly changes: () => number;
  /** Bytes that were written, the status among them as the last. */
  readonly request: (...parts: Part[]) => number[];
}

function disk(options: { readOnly?: boolean; service?: BlockService; features?: readonly number[] } = {}): Disk {
  const { readOnly = false, service = { baseTicks: 100, ticksPerSector: 10 }, features = [VERSION_1] } = options;
  const image = Uint8Array.from({ length: 16 * 512 }, (_, n) => (n >> 9) + 1);
  let changes = 0;
  const store = imageStore(image, readOnly, () => (changes += 1));
  const bench = new Bench(blockDevice({ store, serial: 'spindle', service }));
  bench.negotiate(features);
  const queue = driverQueue(bench, 0, 16, features);
  bench.goLive();
  const request = (...parts: Part[]): number[] => {
    queue.add(parts, features.includes(INDIRECT_DESC));
    queue.notify();
    bench.settle();
    return [...(queue.collect()[0]?.bytes ?? [])];
  };
  return { bench, queue, image, request, changes: () => changes };
}

describe('the block device', () => {
  it('offers what it can do, and of a read-only store only what a reader needs', () => {
    const { SIZE_MAX, SEG_MAX, RO, BLK_SIZE, FLUSH, CONFIG_WCE, DISCARD, WRITE_ZEROES } = feature;
    const own = (bits: number[]): number[] => bits.filter((bit) => bit < 24);
    expect(own(disk().bench.offered)).toEqual([SIZE_MAX, SEG_MAX, BLK_SIZE, FLUSH, CONFIG_WCE, DISCARD, WRITE_ZEROES]);
    expect(own(disk({ readOnly: true }).bench.offered)).toEqual([SIZE_MAX, SEG_MAX, RO, BLK_SIZE, FLUSH, CONFIG_WCE]);
  });

  it('tells its capacity, its block size and its limits', () => {
    const { bench } = disk();
    expect([bench.config(0), bench.config(4)]).toEqual([16, 0]);
    expect([bench.config(8), bench.config(12), bench.config(20)]).toEqual([0x10_0000, 254, 512]);
    expect([bench.config(36), bench.config(40), bench.config(44)]).toEqual([0x40_0000, 16, 1]);
    expect([bench.config(48), bench.config(52), bench.config(56, 1)]).toEqual([0x40_0000, 16, 1]);
    expect(bench.config(60)).toBe(0);
  });

  it('reads sectors into parts of any size', () => {
    const bytes = disk().request(header(type.IN, 3), 100, 900, 24, 1);
    expect(bytes).toEqual([...Array<number>(512).fill(4), ...Array<number>(512).fill(5), OK]);
  });

  it('writes sectors from parts of any size, the header among them', () => {
    const { request, image, bench } = disk({ features: [VERSION_1, INDIRECT_DESC] });
    const whole = Uint8Array.from([...header(type.OUT, 2), ...Array<number>(512).fill(0x77)]);
    expect(request(whole.subarray(0, 5), whole.subarray(5, 200), whole.subarray(200), 1)).toEqual([OK]);
    expect([image[1023], image[1024], image[1535], image[1536]]).toEqual([2, 0x77, 0x77, 4]);
    expect(bench.device.counters).toMatchObject({ sectorsWritten: 1, sectorsRead: 0 });
  });

  it.each([
    ['begins behind the end', header(type.IN, 16), 512],
    ['ends behind the end', header(type.IN, 15), 1024],
    ['is no whole number of sectors', header(type.IN, 0), 100],
    ['begins at a sector beyond 2^32', header(type.IN, 2 ** 40), 512],
    ['begins at the last sector there could be', header(type.IN, 2 ** 64 - 2048), 512],
  ])('answers IOERR to a read that %s', (_what, head, size) => {
    const { request } = disk();
    expect(request(head, size, 1).at(-1)).toBe(IOERR);
    expect(request(header(type.IN, 0), 512, 1).at(-1)).toBe(OK);
  });

  it('answers IOERR to a write that leaves the store, and changes nothing', () => {
    const { request, image, changes } = disk();
    const before = image.slice();
    expect(request(header(type.OUT, 15), new Uint8Array(1024), 1)).toEqual([IOERR]);
    expect(image).toEqual(before);
    expect(changes()).toBe(0);
  });

  it('answers IOERR to every change of a read-only store', () => {
    const { request, image } = disk({ readOnly: true });
    const before = image.slice();
    expect(request(header(type.OUT, 0), new Uint8Array(512), 1)).toEqual([IOERR]);
    expect(request(header(type.WRITE_ZEROES, 0), range(0, 1), 1)).toEqual([IOERR]);
    expect(request(header(type.DISCARD, 0), range(0, 1), 1)).toEqual([UNSUPP]);
    expect(image).toEqual(before);
  });

  it('answers UNSUPP to a request that it does not know', () => {
    const { request, bench } = disk();
    expect(request(header(type.SECURE_ERASE, 0), range(0, 1), 1)).toEqual([UNSUPP]);
    expect(request(header(0x1234, 0), 1)).toEqual([UNSUPP]);
    expect(bench.device.counters.unsupported).toBe(2);
  });

  it('zeroes the ranges of DISCARD and WRITE_ZEROES, all or none', () => {
    const { request, image } = disk();
    const sectors = (): number[] => Array.from({ length: 16 }, (_, n) => image[512 * n] as number);
    expect(request(header(type.WRITE_ZEROES, 0), range(1, 2, 1), range(5, 1), 1)).toEqual([OK]);
    expect(request(header(type.DISCARD, 0), range(15, 1), 1)).toEqual([OK]);
    expect(sectors()).toEqual([1, 0, 0, 4, 5, 0, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0]);
    expect(request(header(type.DISCARD, 0), range(0, 1), range(16, 1), 1)).toEqual([IOERR]);
    expect(request(header(type.DISCARD, 0), range(0, 1, 1), 1)).toEqual([UNSUPP]);
    expect(request(header(type.WRITE_ZEROES, 0), range(0, 1, 2), 1)).toEqual([UNSUPP]);
    expect(request(header(type.WRITE_ZEROES, 0), range(0, 1).subarray(0, 9), 1)).toEqual([IOERR]);
    expect(sectors()[0]).toBe(1);
  });

  it('tells its serial number in 20 bytes, or in as many as there is room for', () => {
    const { request } = disk();
    const text = (bytes: number[]): string => String.fromCharCode(...bytes);
    expect(text(request(header(type.GET_ID, 0), 20, 1))).toBe('spindle'.padEnd(20, '\0') + '\0');
    expect(text(request(header(type.GET_ID, 0), 4, 1))).toBe('spin\0');
  });

  it('has a write-back cache where the driver can flush it, and the driver may choose with CONFIG_WCE', () => {
    const { FLUSH, CONFIG_WCE } = feature;
    expect(disk({ features: [VERSION_1] }).bench.config(32, 1)).toBe(0);
    const { bench, request } = disk({ features: [VERSION_1, FLUSH, CONFIG_WCE] });
    expect(bench.config(32, 1)).toBe(1);
    bench.transport.write(0x100 + 32, 1, 0);
    expect(bench.config(32, 1)).toBe(0);
    bench.transport.write(0x100, 4, 0);
    expect(bench.config(0)).toBe(16);
    expect(request(header(type.FLUSH, 0), 1)).toEqual([OK]);
    expect(bench.device.counters.flushes).toBe(1);
  });

  it('serves requests one after the other, each as long as its size asks', () => {
    const { bench, queue } = disk({ service: { baseTicks: 1000, ticksPerSector: 50 } });
    queue.add([header(type.IN, 0), 512, 1]);
    queue.add([header(type.IN, 0), 1024, 1]);
    queue.notify();
    expect(queue.collect()).toEqual([]);
    bench.settle();
    expect(bench.port.ticks).toBe(1000 + 50 + 1000 + 100);
    expect(queue.collect().map(({ writtenBytes }) => writtenBytes)).toEqual([513, 1025]);
  });

  it('leaves the end of the service to somebody else where it is told to', () => {
    const begun: BlockRequest[] = [];
    const { bench, queue } = disk({ service: { begin: (request) => begun.push(request) } });
    queue.add([header(type.IN, 7), 512, 1]);
    queue.add([header(type.OUT, 1), new Uint8Array(512), 1]);
    queue.notify();
    expect(begun).toMatchObject([{ type: type.IN, sector: 7, sizeBytes: 512 }]);
    bench.device.finish(99);
    bench.device.finish((begun[0] as BlockRequest).tag);
    bench.device.finish((begun[1] as BlockRequest).tag, true);
    expect(queue.collect().map(({ bytes }) => bytes.at(-1))).toEqual([OK, IOERR]);
  });

  it('forgets a request that is being served when the driver resets it', () => {
    const { bench, queue } = disk();
    queue.add([header(type.OUT, 0), new Uint8Array(512), 1]);
    queue.notify();
    bench.write('Status', 0);
    bench.settle();
    expect(bench.port.ticks).toBe(0);
    expect(bench.device.counters.sectorsWritten).toBe(0);
  });

  it('saves a request that is being served, and ends it at the same time', () => {
    const { bench, queue } = disk();
    queue.add([header(type.IN, 0), 512, 1]);
    queue.notify();
    const saved = structuredClone(bench.transport.save());
    bench.write('Status', 0);
    bench.transport.restore(saved);
    bench.settle();
    expect(bench.port.ticks).toBe(110);
    expect(queue.collect().length).toBe(1);
  });
});
