import { describe, expect, it } from 'vitest';
import { MediatedRequests, type MediatedBlockOptions } from '../../../actors/virtio/mediated-requests.ts';
import type { BlockDevice } from '../../../actors/virtio/block.ts';
import { ringFeature } from '../../../actors/virtio/features.ts';
import { Bench } from './bench.ts';
import { blockHeader } from './block-header.ts';
import { driverQueue } from './driver.ts';

const { VERSION_1 } = ringFeature;
const type = { IN: 0, OUT: 1, FLUSH: 4, GET_ID: 8, DISCARD: 11 };
const [OK, IOERR, UNSUPP] = [0, 1, 2];
const register = { TAG: 0, TYPE: 4, SECTOR: 8, SIZE: 0x10, BUFFER: 0x14, OFFSET: 0x1c, COPY: 0x20, FINISH: 0x24 };

/** A device, its driver's queue, and the hypervisor's side of it, whose buffer is in the same memory here. */
function disk(options: Partial<MediatedBlockOptions> = {}) {
  const behind: { memory?: Bench<BlockDevice>['memory'] } = {};
  const memoryOf = () => behind.memory as Bench<BlockDevice>['memory'];
  const requests = new MediatedRequests(
    {
      holds: (address, size) => memoryOf().holds(address, size),
      readBytes: (address, size) => memoryOf().readBytes(address, size),
      writeBytes: (address, bytes) => memoryOf().writeBytes(address, bytes),
      readWord: (address, size) => memoryOf().readWord(address, size),
      writeWord: (address, size, value) => memoryOf().writeWord(address, size, value),
    },
    { sizeBytes: 16 * 512, readOnly: false, flushes: true, answersEarly: false, ...options },
  );
  const bench = new Bench(requests.makeDevice);
  behind.memory = bench.memory;
  bench.negotiate([VERSION_1]);
  const queue = driverQueue(bench, 0, 16, [VERSION_1]);
  bench.goLive();
  const buffer = bench.allocate(4096);
  const read = (offset: number): number => requests.read(offset, 4);
  const write = (offset: number, value: number): void => requests.write(offset, 4, value);
  const copy = (offset: number, bytes: number): number => {
    write(register.BUFFER, buffer);
    write(register.OFFSET, offset);
    write(register.COPY, bytes);
    return read(register.COPY);
  };
  return { requests, bench, queue, buffer, read, write, copy };
}

describe('the requests of a mediated block device', () => {
  it('are shown one at a time, each with a tag of its own, and end with the status that they are given', () => {
    const { queue, read, write, copy, bench, buffer } = disk();
    expect(read(register.TAG)).toBe(0);
    queue.add([blockHeader(type.OUT, 3), Uint8Array.from({ length: 1024 }, (_, n) => n >> 2), 1]);
    queue.add([blockHeader(type.IN, 2 ** 33 + 1), 512, 1]);
    queue.notify();
    const first = read(register.TAG);
    expect([read(register.TYPE), read(register.SECTOR), read(register.SIZE)]).toEqual([type.OUT, 3, 1024]);
    write(register.TAG, first);
    expect(copy(512, 512)).toBe(1);
    expect(bench.memory.readBytes(buffer, 512)?.[4]).toBe(129);
    write(register.FINISH, IOERR);
    const second = read(register.TAG);
    expect(second).not.toBe(first);
    expect([read(register.TYPE), read(register.SECTOR), read(register.SECTOR + 4)]).toEqual([type.IN, 1, 2]);
    write(register.TAG, second);
    bench.memory.writeBytes(buffer, new Uint8Array(512).fill(9));
    expect(copy(0, 512)).toBe(1);
    write(register.FINISH, OK);
    expect(read(register.TAG)).toBe(0);
    const [out, back] = queue.collect();
    expect(out?.bytes).toEqual(Uint8Array.of(IOERR));
    expect([...(back?.bytes ?? [])]).toEqual([...Array<number>(512).fill(9), OK]);
    expect(bench.device.counters).toMatchObject({ requests: 2, sectorsRead: 1, sectorsWritten: 0, errors: 1 });
  });

  it('move no byte beyond the data of the request, nor to where the buffer is not', () => {
    const { queue, read, write, copy } = disk();
    queue.add([blockHeader(type.IN, 0), 512, 1]);
    queue.notify();
    write(register.TAG, read(register.TAG));
    expect(copy(512, 1)).toBe(0);
    expect(copy(0, 513)).toBe(0);
    expect(copy(0, 512)).toBe(1);
    write(register.BUFFER + 4, 1);
    expect(copy(0, 512)).toBe(0);
    write(register.FINISH, OK);
    // The last byte of the buffer is the status, whoever has said what.
    expect(queue.collect()[0]?.bytes.at(-1)).toBe(OK);
  });

  it('are left alone by what is said about a request that the driver has forgotten', () => {
    const { queue, read, write, copy, bench } = disk();
    queue.add([blockHeader(type.IN, 0), 512, 1]);
    queue.notify();
    write(register.TAG, read(register.TAG));
    bench.negotiate([VERSION_1]);
    const again = driverQueue(bench, 0, 16, [VERSION_1]);
    bench.goLive();
    again.add([blockHeader(type.IN, 1), 512, 1]);
    again.notify();
    expect(copy(0, 512)).toBe(0);
    write(register.FINISH, OK);
    expect(again.collect()).toEqual([]);
    expect(read(register.SECTOR)).toBe(1);
  });

  it.each([
    [
      'GET_ID',
      blockHeader(type.GET_ID, 0),
      [20, 1],
      [...new TextEncoder().encode('virtio-blk'), ...Array<number>(10).fill(0), OK],
      {},
    ],
    ['DISCARD', blockHeader(type.DISCARD, 0), [new Uint8Array(16), 1], [UNSUPP], {}],
    ['FLUSH of a device that does not offer it', blockHeader(type.FLUSH, 0), [1], [UNSUPP], { flushes: false }],
    [
      'a write to a device that is read-only',
      blockHeader(type.OUT, 0),
      [new Uint8Array(512), 1],
      [IOERR],
      { readOnly: true },
    ],
  ])('do not have %s among them: it is answered at once', (_what, header, parts, expected, options) => {
    const { queue, read } = disk(options);
    queue.add([header, ...parts]);
    queue.notify();
    expect(read(register.TAG)).toBe(0);
    expect([...(queue.collect()[0]?.bytes ?? [])]).toEqual(expected);
  });

  it('offer what a mediated device can do, and no more', () => {
    const own = (options: Partial<MediatedBlockOptions>): number[] =>
      disk(options).bench.offered.filter((bit) => bit < 24);
    const [SIZE_MAX, SEG_MAX, RO, BLK_SIZE, FLUSH] = [1, 2, 5, 6, 9];
    expect(own({})).toEqual([SIZE_MAX, SEG_MAX, BLK_SIZE, FLUSH]);
    expect(own({ readOnly: true, flushes: false })).toEqual([SIZE_MAX, SEG_MAX, RO, BLK_SIZE]);
  });

  it('count accesses that no register has', () => {
    const { requests } = disk();
    requests.write(register.SIZE, 4, 1);
    requests.write(register.OFFSET, 2, 1);
    expect([requests.read(0x28, 4), requests.read(register.FINISH, 4)]).toEqual([0, 0]);
    expect(requests.guestErrors).toMatchObject({
      writeOfReadOnly: 1,
      unsupportedSize: 1,
      unknownOffset: 1,
      readOfWriteOnly: 1,
    });
  });

  it('go on from a saved state', () => {
    const { queue, read, write, copy, bench, requests } = disk();
    queue.add([blockHeader(type.IN, 0), 512, 1]);
    queue.notify();
    write(register.TAG, read(register.TAG));
    expect(copy(0, 512)).toBe(1);
    const saved = structuredClone([bench.transport.save(), requests.save()] as const);
    bench.write('Status', 0);
    write(register.TAG, 77);
    bench.transport.restore(saved[0]);
    requests.restore(saved[1]);
    expect(read(register.COPY)).toBe(1);
    write(register.FINISH, OK);
    expect(queue.collect().length).toBe(1);
  });
});
