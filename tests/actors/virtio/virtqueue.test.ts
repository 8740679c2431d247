import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ringFeature } from '../../../actors/virtio/features.ts';
import { Bench } from './bench.ts';
import { type DriverQueue, driverQueue, type Part } from './driver.ts';
import { MirrorDevice } from './mirror-device.ts';

const { VERSION_1, INDIRECT_DESC, EVENT_IDX, RING_PACKED } = ringFeature;

const kinds = [
  ['split', [VERSION_1, INDIRECT_DESC]],
  ['split with event index', [VERSION_1, INDIRECT_DESC, EVENT_IDX]],
  ['packed', [VERSION_1, INDIRECT_DESC, RING_PACKED]],
  ['packed with event index', [VERSION_1, INDIRECT_DESC, RING_PACKED, EVENT_IDX]],
] as const;

function live(features: readonly number[], size: number): { bench: Bench<MirrorDevice>; queue: DriverQueue } {
  const bench = new Bench((host) => new MirrorDevice(host));
  bench.negotiate(features);
  const queue = driverQueue(bench, 0, size, features);
  bench.goLive();
  return { bench, queue };
}

const readable = fc.array(fc.uint8Array({ minLength: 1, maxLength: 24 }), { minLength: 0, maxLength: 3 });
const writable = fc.array(fc.integer({ min: 1, max: 24 }), { minLength: 0, maxLength: 3 });
const buffer = fc
  .record({ readable, writable, indirect: fc.boolean() })
  .filter((parts) => parts.readable.length + parts.writable.length > 0);
/** Supply a buffer, or let the device answer one of those that it has. */
const step = fc.oneof(
  fc.record({ supply: buffer }),
  fc.record({ answer: fc.nat() }),
  fc.constant({ collect: true as const }),
);

describe.each(kinds)('a %s ring', (_name, features) => {
  it('completes every valid chain exactly once, with the right bytes, in whatever order the device answers', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), fc.constantFrom(4, 8, 16), (steps, size) => {
        const { bench, queue } = live(features, size);
        const expected = new Map<number, number[]>();
        const collect = (): void => {
          for (const { id, bytes, writtenBytes } of queue.collect()) {
            expect([...bytes.subarray(0, writtenBytes)]).toEqual(expected.get(id));
            expected.delete(id);
          }
        };
        const supply = (parts: readonly Part[], indirect: boolean): void => {
          const id = queue.add(parts, indirect);
          if (id === undefined) return;
          const bytes = parts.flatMap((part) => (typeof part === 'number' ? [] : [...part]));
          const room = parts.reduce<number>((sum, part) => sum + (typeof part === 'number' ? part : 0), 0);
          expected.set(
            id,
            bytes.slice(0, room).map((byte) => byte ^ 0xff),
          );
          if (queue.mustNotify()) queue.notify();
        };
        for (const one of steps) {
          if ('supply' in one) supply([...one.supply.readable, ...one.supply.writable], one.supply.indirect);
          else if ('collect' in one) collect();
          else if (bench.device.held.length > 0) bench.device.answer(one.answer % bench.device.held.length);
        }
        while (bench.device.held.length > 0) bench.device.answer(0);
        collect();
        expect(expected.size).toBe(0);
        expect(bench.transport.fault).toBeUndefined();
        expect(bench.memory.fencesStand).toBe(true);
      }),
      { seed: 11, numRuns: 150 },
    );
  });

  it('interrupts nobody who has asked for silence, and is heard again afterwards', () => {
    const { bench, queue } = live(features, 8);
    const roundTrip = (): boolean => {
      queue.add([Uint8Array.of(1), 1]);
      queue.notify();
      bench.device.answer(0);
      queue.collect();
      const wasRaised = bench.port.level;
      bench.write('InterruptACK', 1);
      return wasRaised;
    };
    const hasEventIndex = features.some((bit) => bit === EVENT_IDX);
    const isPacked = features.some((bit) => bit === RING_PACKED);
    if (hasEventIndex && !isPacked) {
      // Event index takes the place of the flag.
      queue.setEvent(3);
      expect([roundTrip(), roundTrip(), roundTrip(), roundTrip()]).toEqual([false, false, true, false]);
    } else {
      queue.setInterrupts(false);
      expect([roundTrip(), roundTrip()]).toEqual([false, false]);
      queue.setInterrupts(true);
      expect(roundTrip()).toBe(true);
    }
    expect(bench.transport.counters.suppressedInterrupts).toBeGreaterThan(0);
  });
});

describe.each([
  ['split', [VERSION_1, EVENT_IDX], 1],
  ['packed', [VERSION_1, EVENT_IDX, RING_PACKED], 2],
] as const)('the event index of a %s ring', (_name, features, entriesOfABuffer) => {
  it.each([1, 2, 5])('interrupts once when %i buffers have been used, wherever in the ring that is', (count) => {
    const { bench, queue } = live(features, 16);
    for (let round = 0; round < 40; round += 1) {
      queue.setEvent(count * entriesOfABuffer);
      const raised: boolean[] = [];
      for (let n = 0; n < count + 1; n += 1) {
        queue.add([Uint8Array.of(n), 1]);
        queue.notify();
        bench.device.answer(0);
        raised.push(bench.port.level);
        bench.write('InterruptACK', 1);
      }
      queue.collect();
      expect(raised).toEqual([...Array.from({ length: count - 1 }, () => false), true, false]);
    }
  });

  it('spares the device notifications of a batch but for the first of it', () => {
    const { bench, queue } = live(features, 16);
    const wanted: boolean[] = [];
    for (let round = 0; round < 12; round += 1) {
      for (let n = 0; n < 3; n += 1) {
        queue.add([Uint8Array.of(n), 1]);
        wanted.push(queue.mustNotify());
      }
      queue.notify();
      while (bench.device.held.length > 0) bench.device.answer(0);
      queue.collect();
    }
    // Before it has looked at a ring the device has asked for nothing.
    expect(wanted.slice(3)).toEqual(Array.from({ length: 33 }, (_, n) => n % 3 === 0));
  });
});

it('several buffers given back at once interrupt once, and a packed ring shows the first of them last', () => {
  const features = [VERSION_1, RING_PACKED];
  const { bench, queue } = live(features, 8);
  for (let n = 0; n < 3; n += 1) queue.add([1]);
  queue.notify();
  const held = bench.device.held.splice(0);
  const firstFlags: number[] = [];
  const { memory } = bench;
  const write = memory.writeWord.bind(memory);
  memory.writeWord = (address, size, value) => {
    if (size === 2 && address % 16 === 14) firstFlags.push((address - memory.base) / 16);
    return write(address, size, value);
  };
  bench.device.host.use(0, ...held.map(({ chain }) => ({ chain, writtenBytes: 1 })));
  expect(firstFlags.map(Math.floor)).toEqual([2, 1, 0]);
  expect(queue.collect().length).toBe(3);
  expect(bench.transport.counters.interrupts).toBe(1);
});
