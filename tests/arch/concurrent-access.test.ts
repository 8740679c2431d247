// Exclusives and atomics where PEs of several threads use RAM at the same time: here two PEs of one thread, in turns that the tests choose.

import { describe, expect, it } from 'vitest';
import { exit } from '../../src/arch/exits.ts';
import { lineHoldsPair, lineMapOffset, pe as record, ramBase } from '../../src/arch/state-layout.ts';
import { machine, type TestPe } from './fixture.ts';

const a = BigInt(ramBase) + 0x10_0000n;
const value = record.scratch + 8;

function pair(): { test: TestPe; other: TestPe; waits: () => number } {
  let waits = 0;
  const concurrency = {
    awaitOthers: () => {
      waits += 1;
    },
  };
  const [test, other] = machine({ count: 2, concurrency }) as [TestPe, TestPe];
  return { test, other, waits: () => waits };
}

/** CAS of `sizeBytes` bytes; what memory held. */
function compareAndSwap(
  test: TestPe,
  address: bigint,
  sizeBytes: number,
  expected: bigint,
  replacement: bigint,
): bigint {
  const { doublewords } = test.memory;
  const slot = (n: number): number => (test.pe.base + record.scratch) / 8 + n;
  [address, replacement, replacement >> 64n, expected, expected >> 64n].forEach((word, n) => {
    doublewords[slot(n)] = BigInt.asUintN(64, word);
  });
  expect(test.pe.compareAndSwap(sizeBytes, 0)).toBe(exit.none);
  return doublewords[slot(1)]! | (doublewords[slot(2)]! << 64n);
}

describe('a Store-Exclusive among PEs that run at the same time', () => {
  it('passes where memory holds what the Load-Exclusive has read, once', () => {
    const { test } = pair();
    test.loadExclusive(a);
    expect(test.storeExclusive(a, 5n)).toBe(0);
    expect(test.load(a, 8)).toBe(5n);
    expect(test.storeExclusive(a, 6n)).toBe(1);
    expect(test.load(a, 8)).toBe(5n);
  });

  it('fails after another PE has changed the value, and at another address', () => {
    const { test, other } = pair();
    test.loadExclusive(a);
    other.store(a, 1n, 1);
    expect(test.storeExclusive(a, 9n)).toBe(1);
    expect(test.load(a, 8)).toBe(1n);
    test.loadExclusive(a);
    expect(test.storeExclusive(a + 8n, 9n)).toBe(1);
    test.loadExclusive(a);
    expect(test.pe.clrex()).toBe(exit.none);
    expect(test.storeExclusive(a, 9n)).toBe(1);
  });

  it('of one PE makes that of another one fail', () => {
    const { test, other } = pair();
    test.loadExclusive(a);
    other.loadExclusive(a);
    expect(other.storeExclusive(a, 2n)).toBe(0);
    expect(test.storeExclusive(a, 3n)).toBe(1);
    expect(test.load(a, 8)).toBe(2n);
  });
});

describe('a lost monitor', () => {
  it('is found by its value, once, and ends WFE', () => {
    const { test, other } = pair();
    test.loadExclusive(a);
    expect(test.pe.hasLostMonitor()).toBe(false);
    other.store(a, 7n, 8);
    expect(test.pe.hasLostMonitor()).toBe(true);
    expect(test.pe.hasLostMonitor()).toBe(false);
    test.loadExclusive(a);
    other.store(a, 8n, 8);
    expect(test.pe.wfe()).toBe(exit.none);
    expect(test.pe.wfe()).toBe(exit.waitForEvent);
  });

  it('is an event for a PE that watches, also where the value is the same, and for no other', () => {
    const { test, other } = pair();
    expect(test.pe.watchMonitor()).toBe(false);
    test.loadExclusive(a);
    other.store(a, 0n, 8);
    expect(other.core.events).toEqual([]);
    expect(test.pe.watchMonitor()).toBe(true);
    test.store(a + 16n, 1n, 8);
    expect(test.core.events).toEqual([]);
    other.store(a + 8n, 0n, 8);
    expect(other.core.events).toEqual([0]);
    other.store(a, 0n, 8);
    expect(other.core.events).toEqual([0]);
  });
});

describe('compareAndSwap', () => {
  it.each([1, 2, 4, 8, 16])('of %i bytes stores where memory is as expected, and tells what it was', (sizeBytes) => {
    const { test } = pair();
    const [before, after] = [0x11n, 0xf1n << BigInt(8 * sizeBytes - 8)];
    test.store(a, before, 8);
    expect(compareAndSwap(test, a, sizeBytes, after, 0x99n)).toBe(before);
    expect(compareAndSwap(test, a, sizeBytes, before, after)).toBe(before);
    expect(compareAndSwap(test, a, sizeBytes, 0n, 0n)).toBe(after);
  });

  it('of 16 bytes waits for the others on its first access to a line, and stores to it take the slow path from then on', () => {
    const { test, other, waits } = pair();
    compareAndSwap(test, a, 16, 0n, (1n << 64n) | 2n);
    expect(waits()).toBe(1);
    const mark = (address: bigint): number => other.memory.bytes[lineMapOffset + (Number(address) >>> 6)]!;
    expect(mark(a) & lineHoldsPair).toBe(lineHoldsPair);
    expect(mark(a - 1n) & lineHoldsPair).toBe(lineHoldsPair);
    other.store(a + 8n, 5n, 8);
    expect(compareAndSwap(other, a, 16, (5n << 64n) | 2n, 0n)).toBe((5n << 64n) | 2n);
    expect(waits()).toBe(1);
  });

  it('of a misaligned address is an Alignment fault', () => {
    const { test } = pair();
    const { doublewords } = test.memory;
    doublewords[(test.pe.base + record.scratch) / 8] = a + 4n;
    doublewords[(test.pe.base + value) / 8] = 1n;
    expect(test.pe.compareAndSwap(8, 0)).toBe(exit.redirect);
  });
});
