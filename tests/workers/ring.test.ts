import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Message } from '../../actors/actor.ts';
import { maxPayloadWords } from '../../actors/protocol.ts';
import { openRing, type Ring, ringBuffer } from '../../workers/ring.ts';

const word = fc.integer({ min: 0, max: 0xffff_ffff });
const messages: fc.Arbitrary<Message> = fc.record({
  code: word,
  source: word,
  target: word,
  sequence: word,
  dueTicks: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
  payload: fc.array(word, { maxLength: maxPayloadWords }),
});
const plain = (sequence: number): Message => ({ code: 1, source: 2, target: 3, sequence, dueTicks: 4, payload: [] });

const drained = (ring: Ring): Message[] => {
  const out: Message[] = [];
  ring.drain((message) => out.push(message));
  return out;
};

describe('a ring', () => {
  it('hands over every message unchanged, first in, first out, once it is published', () => {
    const operations = fc.array(
      fc.oneof(
        { weight: 4, arbitrary: fc.record({ do: fc.constant('write' as const), message: messages }) },
        { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('publish' as const, 'drain' as const) }) },
      ),
      { maxLength: 120 },
    );
    fc.assert(
      fc.property(operations, fc.constantFrom(1, 2, 8, 16), (script, capacity) => {
        const buffer = ringBuffer(capacity);
        const [writer, reader] = [openRing(buffer), openRing(buffer)];
        const written: Message[] = [];
        const read: Message[] = [];
        let published = 0;
        let waits = 0;
        for (const step of script) {
          if (step.do === 'write') {
            const inside = written.length - read.length;
            const waitsBefore = waits;
            writer.write(step.message, () => {
              waits += 1;
              read.push(...drained(reader));
            });
            // A full ring publishes what it holds, and waits; one that has space does not.
            expect(waits - waitsBefore).toBe(inside === capacity ? 1 : 0);
            if (inside === capacity) published = written.length;
            written.push(step.message);
          } else if (step.do === 'publish') {
            writer.publish();
            published = written.length;
          } else {
            read.push(...drained(reader));
            expect(read).toHaveLength(published);
          }
        }
        writer.publish();
        read.push(...drained(reader));
        expect(read).toEqual(written);
      }),
      { numRuns: 500 },
    );
  });

  it('goes on when its counters pass 2^31 and 2^32', () => {
    for (const start of [0x7fff_fffc, -4]) {
      const buffer = ringBuffer(4);
      new Int32Array(buffer).fill(start, 0, 2);
      const [writer, reader] = [openRing(buffer), openRing(buffer)];
      for (let n = 0; n < 20; n += 1) {
        writer.write(plain(n), () => {
          throw new Error('the ring is not full');
        });
        writer.publish();
        if (n % 3 === 2) expect(drained(reader).map(({ sequence }) => sequence)).toEqual([n - 2, n - 1, n]);
      }
    }
  });

  it('asks for space as often as there is none', () => {
    const ring = openRing(ringBuffer(2));
    const reader = ring;
    ring.write(plain(0), () => undefined);
    ring.write(plain(1), () => undefined);
    let asked = 0;
    ring.write(plain(2), () => {
      asked += 1;
      if (asked === 5) drained(reader);
    });
    expect(asked).toBe(5);
  });

  it('has a capacity that is a power of two, and takes no payload that is too long', () => {
    expect(() => ringBuffer(12)).toThrow('ring capacity 12');
    const ring = openRing(ringBuffer(2));
    expect(() => {
      ring.write({ ...plain(0), payload: Array.from({ length: maxPayloadWords + 1 }, () => 0) }, () => undefined);
    }).toThrow('payload of message 0x1');
  });

  it('carries a million messages in order between two threads, though it holds only 64', async () => {
    const count = 1_000_000;
    const buffer = ringBuffer(64);
    const worker = new Worker(new URL('./ring-reader.mjs', import.meta.url), { workerData: { buffer, count } });
    const result = new Promise<unknown>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    const ring = openRing(buffer);
    let waits = 0;
    for (let n = 0; n < count; n += 1) {
      ring.write(
        { code: n % 7, source: 1, target: 2, sequence: n, dueTicks: n * 2 ** 20, payload: [n, ~n >>> 0] },
        (full) => {
          waits += 1;
          full.waitUntilDrained(1000);
        },
      );
    }
    ring.publish();
    expect(await result).toEqual({ read: count, wrong: undefined });
    expect(waits).toBeGreaterThan(0);
    await worker.terminate();
  });
});
