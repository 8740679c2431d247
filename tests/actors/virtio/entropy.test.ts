import { describe, expect, it } from 'vitest';
import { entropyDevice } from '../../../actors/virtio/entropy.ts';
import { ringFeature } from '../../../actors/virtio/features.ts';
import { Bench } from './bench.ts';
import { driverQueue } from './driver.ts';

const features = [ringFeature.VERSION_1];

function source(seed: number) {
  const bench = new Bench(entropyDevice(seed));
  bench.negotiate(features);
  const queue = driverQueue(bench, 0, 8, features);
  bench.goLive();
  const draw = (...sizes: number[]): number[] => {
    queue.add(sizes);
    queue.notify();
    return queue.collect().flatMap(({ bytes, writtenBytes }) => [...bytes.subarray(0, writtenBytes)]);
  };
  return { bench, queue, draw };
}

describe('the entropy device', () => {
  it('fills buffers with bytes that follow from the seed', () => {
    const bytes = source(1).draw(20, 44);
    expect(bytes.length).toBe(64);
    expect(new Set(bytes).size).toBeGreaterThan(40);
    expect(source(1).draw(64)).toEqual(bytes);
    expect(source(2).draw(64)).not.toEqual(bytes);
  });

  it('goes on with other bytes, over a reset too', () => {
    const { bench, draw } = source(1);
    const first = draw(32);
    expect(draw(32)).not.toEqual(first);
    bench.write('Status', 0);
    expect(bench.device.bytes).toBe(64);
  });

  it('gives at most 64 KiB at a time, and says how much', () => {
    const { queue } = source(1);
    queue.add([0x1_8000]);
    queue.notify();
    expect(queue.collect()[0]?.writtenBytes).toBe(0x1_0000);
  });

  it('writes nothing where there is no room', () => {
    const { queue } = source(1);
    queue.add([Uint8Array.of(1, 2)]);
    queue.notify();
    expect(queue.collect()[0]?.writtenBytes).toBe(0);
  });

  it('draws the same bytes again from a saved state', () => {
    const { bench, draw } = source(3);
    draw(16);
    const saved = structuredClone(bench.transport.device.save());
    const bytes = draw(16);
    bench.device.restore(saved);
    expect(draw(16)).toEqual(bytes);
  });
});
