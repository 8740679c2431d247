import { describe, expect, it } from 'vitest';
import { ringFeature } from '../../../actors/virtio/features.ts';
import { Bench } from './bench.ts';
import { driverQueue } from './driver.ts';
import { MirrorDevice } from './mirror-device.ts';

const { VERSION_1, INDIRECT_DESC, EVENT_IDX, RING_PACKED, RING_RESET } = ringFeature;
const makeBench = (): Bench<MirrorDevice> => new Bench((host) => new MirrorDevice(host));

/** A driver with one ready queue. */
function live(features: readonly number[] = [VERSION_1], size = 8) {
  const bench = makeBench();
  expect(bench.negotiate(features)).toBe(11);
  const queue = driverQueue(bench, 0, size, features);
  bench.goLive();
  return { bench, queue };
}

describe('the registers of virtio over MMIO', () => {
  it('identify the device, and offer its features beside those of the rings', () => {
    const bench = makeBench();
    expect(bench.read('MagicValue')).toBe(0x74726976);
    expect(bench.read('Version')).toBe(2);
    expect(bench.read('DeviceID')).toBe(42);
    expect(bench.offered).toEqual([3, INDIRECT_DESC, EVENT_IDX, VERSION_1, RING_PACKED, RING_RESET]);
    bench.write('DeviceFeaturesSel', 2);
    expect(bench.read('DeviceFeatures')).toBe(0);
  });

  it('tell the largest size of each queue, and 0 where there is none', () => {
    const bench = makeBench();
    const sizes = [0, 1, 2, 0xffff_ffff].map((index) => {
      bench.write('QueueSel', index);
      return bench.read('QueueNumMax');
    });
    expect(sizes).toEqual([64, 64, 0, 0]);
  });

  it('say -1 for the length and the base of a shared memory region that is not there', () => {
    const bench = makeBench();
    bench.write('SHMSel', 0);
    for (const name of ['SHMLenLow', 'SHMLenHigh', 'SHMBaseLow', 'SHMBaseHigh'] as const)
      expect(bench.read(name)).toBe(0xffff_ffff);
  });

  it('count accesses of another size than 32 bits, reads of WO and writes of RO registers, and do nothing', () => {
    const bench = makeBench();
    expect(bench.transport.read(0x000, 1)).toBe(0);
    bench.transport.write(0x070, 2, 1);
    expect(bench.read('QueueNotify')).toBe(0);
    bench.write('MagicValue', 1);
    expect(bench.transport.read(0x0d0, 4)).toBe(0);
    expect(bench.transport.guestErrors).toMatchObject({
      unsupportedSize: 2,
      readOfWriteOnly: 1,
      writeOfReadOnly: 1,
      unknownOffset: 1,
    });
    expect(bench.read('Status')).toBe(0);
  });

  it('show the configuration with any size', () => {
    const bench = makeBench();
    expect([bench.config(5, 1), bench.config(4, 2), bench.config(8, 4)]).toEqual([5, 4, 8]);
  });
});

describe('the negotiation of features', () => {
  it('ends with FEATURES_OK where the driver has accepted VERSION_1 and nothing that was not offered', () => {
    expect(makeBench().negotiate([VERSION_1, 3, EVENT_IDX])).toBe(11);
  });

  it.each([
    ['VERSION_1 is missing', [3]],
    ['a bit of the low word was not offered', [VERSION_1, 4]],
    ['a bit of the high word was not offered', [VERSION_1, 33]],
  ])('leaves FEATURES_OK clear where %s', (_why, features) => {
    const bench = makeBench();
    expect(bench.negotiate(features)).toBe(3);
    bench.write('Status', 15);
    expect(bench.read('Status')).toBe(3);
  });

  it('cannot be changed after FEATURES_OK', () => {
    const { bench } = live([VERSION_1]);
    bench.write('DriverFeaturesSel', 1);
    bench.write('DriverFeatures', 0);
    expect(bench.device.host.features()).toEqual([0, 1]);
    expect(bench.transport.guestErrors.misuse).toBe(0);
    bench.write('DriverFeatures', 4);
    expect(bench.device.host.features()).toEqual([0, 1]);
    expect(bench.transport.guestErrors.misuse).toBe(1);
  });
});

describe('the device status', () => {
  it('takes the steps of initialization in their order only', () => {
    const bench = makeBench();
    bench.write('Status', 2);
    expect(bench.read('Status')).toBe(0);
    bench.write('Status', 1);
    bench.write('Status', 5);
    expect(bench.read('Status')).toBe(1);
    expect(bench.transport.guestErrors.misuse).toBe(2);
  });

  it('takes several steps of one write', () => {
    const bench = makeBench();
    bench.write('DriverFeaturesSel', 1);
    bench.write('DriverFeatures', 1);
    bench.write('Status', 15);
    expect(bench.read('Status')).toBe(15);
  });

  it('holds FAILED until the driver resets the device', () => {
    const { bench, queue } = live();
    bench.write('Status', 0x80 | 15);
    queue.add([Uint8Array.of(1)]);
    queue.notify();
    expect(bench.device.notified).toEqual([]);
    expect(bench.read('Status')).toBe(0x8f);
    bench.write('Status', 0);
    expect(bench.read('Status')).toBe(0);
  });

  it('of 0 resets everything: queues, features, interrupts and the device', () => {
    const { bench, queue } = live();
    queue.add([Uint8Array.of(1), 1]);
    queue.add([Uint8Array.of(2), 1]);
    queue.notify();
    bench.device.answer(0);
    expect(bench.port.level).toBe(true);
    bench.write('Status', 0);
    expect(bench.port.level).toBe(false);
    expect(bench.read('InterruptStatus')).toBe(0);
    bench.write('QueueSel', 0);
    expect(bench.read('QueueReady')).toBe(0);
    expect(bench.device.held).toEqual([]);
    expect(bench.device.host.features()).toEqual([0, 0]);
  });
});

describe('a queue', () => {
  it('that is ready takes no other size and no other address', () => {
    const { bench, queue } = live([VERSION_1], 8);
    bench.write('QueueSel', 0);
    bench.write('QueueNum', 4);
    bench.write('QueueDescLow', 0);
    expect(bench.transport.guestErrors.misuse).toBe(2);
    queue.add([Uint8Array.of(7), 1]);
    queue.notify();
    bench.device.answer(0);
    expect(queue.collect()).toMatchObject([{ writtenBytes: 1, bytes: Uint8Array.of(0xf8) }]);
  });

  it('has at least one entry and at most as many as the device offers', () => {
    const bench = makeBench();
    bench.negotiate([VERSION_1]);
    bench.write('QueueSel', 0);
    bench.write('QueueNum', 0);
    bench.write('QueueNum', 65);
    expect(bench.transport.guestErrors.misuse).toBe(2);
  });

  it('is not read before DRIVER_OK, and a notification that came before is served then', () => {
    const bench = makeBench();
    bench.negotiate([VERSION_1]);
    const queue = driverQueue(bench, 0, 8, [VERSION_1]);
    queue.add([Uint8Array.of(1)]);
    queue.notify();
    expect(bench.device.notified).toEqual([]);
    bench.goLive();
    expect(bench.device.held.length).toBe(1);
  });

  it('is not read while QueueReady is 0', () => {
    const { bench, queue } = live();
    bench.write('QueueSel', 0);
    bench.write('QueueReady', 0);
    expect(bench.read('QueueReady')).toBe(0);
    queue.add([Uint8Array.of(1)]);
    queue.notify();
    expect(bench.device.held).toEqual([]);
  });

  it('that is reset alone forgets its buffers and leaves the others as they are', () => {
    const features = [VERSION_1, RING_RESET];
    const bench = makeBench();
    bench.negotiate(features);
    const [first, second] = [driverQueue(bench, 0, 8, features), driverQueue(bench, 1, 8, features)];
    bench.goLive();
    for (const queue of [first, second]) {
      queue.add([Uint8Array.of(1), 1]);
      queue.notify();
    }
    bench.write('QueueSel', 0);
    bench.write('QueueReset', 1);
    expect([bench.read('QueueReset'), bench.read('QueueReady')]).toEqual([0, 0]);
    expect(bench.device.held.map(({ queue }) => queue)).toEqual([1]);
    const again = driverQueue(bench, 0, 4, features);
    again.add([Uint8Array.of(5), 1]);
    again.notify();
    bench.device.answer(1);
    expect(again.collect()).toMatchObject([{ bytes: Uint8Array.of(0xfa) }]);
  });

  it('cannot be reset alone where RING_RESET was not negotiated', () => {
    const { bench } = live();
    bench.write('QueueSel', 0);
    bench.write('QueueReset', 1);
    expect(bench.read('QueueReady')).toBe(1);
    expect(bench.transport.guestErrors.misuse).toBe(1);
  });
});

describe('the interrupt line', () => {
  it('is high from the first event until the driver has acknowledged every one', () => {
    const { bench, queue } = live();
    queue.add([Uint8Array.of(1), 1]);
    queue.notify();
    bench.device.answer(0);
    bench.device.host.configChanged();
    expect(bench.read('InterruptStatus')).toBe(3);
    bench.write('InterruptACK', 1);
    expect([bench.read('InterruptStatus'), bench.port.level]).toEqual([2, true]);
    bench.write('InterruptACK', 2);
    expect([bench.read('InterruptStatus'), bench.port.level]).toEqual([0, false]);
  });

  it('tells of a change of the configuration with another generation', () => {
    const { bench } = live();
    const before = bench.read('ConfigGeneration');
    bench.device.host.configChanged();
    expect(bench.read('ConfigGeneration')).not.toBe(before);
    expect(bench.read('InterruptStatus')).toBe(2);
  });
});

describe('a transport that was saved', () => {
  it.each([
    ['split', [VERSION_1]],
    ['packed', [VERSION_1, RING_PACKED]],
  ])('goes on where it was, on a %s ring', (_kind, features) => {
    const { bench, queue } = live(features, 16);
    for (let n = 0; n < 5; n += 1) {
      queue.add([Uint8Array.of(n), 1]);
      queue.notify();
      if (n < 3) bench.device.answer(0);
    }
    queue.collect();
    const saved = structuredClone(bench.transport.save());
    bench.write('Status', 0);
    bench.transport.restore(saved);
    queue.add([Uint8Array.of(9), 1]);
    queue.notify();
    for (let n = 0; n < 3; n += 1) bench.device.answer(0);
    expect(queue.collect().map(({ bytes }) => bytes[0])).toEqual([0xfc, 0xfb, 0xf6]);
    expect(bench.transport.save().counters).toMatchObject({ buffersTaken: 6, buffersUsed: 6 });
  });
});
