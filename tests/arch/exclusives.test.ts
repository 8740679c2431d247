import { describe, expect, it } from 'vitest';
import { exit } from '../../src/arch/exits.ts';
import { lineIsMonitored, lineMapOffset, ramBase } from '../../src/arch/state-layout.ts';
import { machine, onePe, type TestPe } from './fixture.ts';
import { enableStage2, identityStage2 } from './stage2-tables.ts';

const a = BigInt(ramBase) + 0x10_0000n;
const b = a + 0x1000n;
const pair = (): [TestPe, TestPe] => machine({ count: 2 }) as [TestPe, TestPe];
const isMonitored = (test: TestPe, address: bigint): boolean =>
  (test.memory.bytes[lineMapOffset + (Number(address) >>> 6)]! & lineIsMonitored) !== 0;

describe('a Store-Exclusive', () => {
  it('passes after a Load-Exclusive of the same location, once', () => {
    const test = onePe();
    test.loadExclusive(a);
    expect(test.storeExclusive(a, 5n)).toBe(0);
    expect(test.load(a, 8)).toBe(5n);
    expect(test.storeExclusive(a, 6n)).toBe(1);
    expect(test.load(a, 8)).toBe(5n);
  });

  it('fails without a Load-Exclusive, after CLREX, and elsewhere', () => {
    const test = onePe();
    expect(test.storeExclusive(a, 1n)).toBe(1);
    test.loadExclusive(a);
    expect(test.pe.clrex()).toBe(exit.none);
    expect(test.storeExclusive(a, 1n)).toBe(1);
    test.loadExclusive(a);
    expect(test.storeExclusive(b, 1n)).toBe(1);
    expect(test.storeExclusive(a, 1n)).toBe(1);
  });

  it.each([
    ['another size', a, 4],
    ['a larger size', a, 16],
    ['another address in the granule', a + 8n, 8],
  ])('fails for %s than that of the Load-Exclusive, and clears the monitor', (_what, address, sizeBytes) => {
    const test = onePe();
    test.loadExclusive(a);
    expect(test.storeExclusive(address, 5n, sizeBytes)).toBe(1);
    expect(test.load(a, 8)).toBe(0n);
    expect(test.storeExclusive(a, 5n)).toBe(1);
  });

  it('fails for the size of a Load-Exclusive that another one to the granule has followed', () => {
    const test = onePe();
    test.loadExclusive(a);
    test.loadExclusive(a + 8n, 4);
    expect(test.storeExclusive(a, 5n)).toBe(1);
    test.loadExclusive(a);
    test.loadExclusive(a + 8n, 4);
    expect(test.storeExclusive(a + 8n, 5n, 4)).toBe(0);
  });

  it.each([
    { by: 'a store', write: (other: TestPe) => other.store(a + 8n, 1n, 1) },
    { by: 'a store of the same value', write: (other: TestPe) => other.store(a, 0n, 8) },
    {
      by: 'DC ZVA',
      write: (other: TestPe) => {
        // Memory is Device where stage 1 is off, except with HCR_EL2.DC.
        enableStage2(other, identityStage2(other).root, { hcr: 1n << 12n });
        return other.enter(1).sys('DC ZVA', a);
      },
    },
    {
      by: 'a Store-Exclusive',
      write: (other: TestPe) => {
        other.loadExclusive(a);
        return other.storeExclusive(a, 3n);
      },
    },
    { by: 'resident software', write: (other: TestPe) => other.pe.writeMemory(a, Uint8Array.of(1)) },
  ])('fails after $by of another PE to the granule, which then gets an event', ({ write }) => {
    const [test, other] = pair();
    test.loadExclusive(a);
    expect(isMonitored(test, a)).toBe(true);
    write(other);
    expect(other.core.events).toEqual([0]);
    expect(test.storeExclusive(a, 9n)).toBe(1);
    expect(isMonitored(test, a)).toBe(false);
  });

  it('fails after another PE has changed the value and changed it back', () => {
    const [test, other] = pair();
    test.loadExclusive(a);
    other.store(a, 1n, 8);
    other.store(a, 0n, 8);
    expect(test.storeExclusive(a, 9n)).toBe(1);
  });

  it('passes after stores of others to another granule, loads of others, and stores of its own', () => {
    const [test, other] = pair();
    test.loadExclusive(a);
    other.store(a + 64n, 1n, 8);
    other.load(a, 8);
    other.loadExclusive(a);
    test.store(a, 4n, 8);
    expect(test.storeExclusive(a, 9n)).toBe(0);
  });

  it('of one PE makes that of every other PE fail', () => {
    const pes = machine({ count: 8 });
    for (const test of pes) test.loadExclusive(a);
    expect(pes.map((test) => test.storeExclusive(a, 1n))).toEqual([0, 1, 1, 1, 1, 1, 1, 1]);
  });

  it('checks alignment and permission whether the monitor passes or not', () => {
    const test = onePe().enter(1);
    expect(test.storeExclusive(a + 4n, 0n)).toBeUndefined();
    expect(test.syndrome(1)).toEqual({ EC: 0x25, ISS: 0x21 | (1 << 6) });
    expect(test.loadExclusive(a + 4n)).toBe(exit.redirect);
    expect(test.syndrome(1)).toEqual({ EC: 0x25, ISS: 0x21 });
  });
});

describe('the line map', () => {
  it('marks a line while some PE monitors it, and no longer', () => {
    const [test, other] = pair();
    test.loadExclusive(a);
    other.loadExclusive(a);
    test.loadExclusive(b);
    expect([isMonitored(test, a), isMonitored(test, b)]).toEqual([true, true]);
    other.pe.clrex();
    expect([isMonitored(test, a), isMonitored(test, b)]).toEqual([false, true]);
    test.storeExclusive(b, 0n);
    expect(isMonitored(test, b)).toBe(false);
  });

  it('keeps the bits of others', () => {
    const test = onePe();
    const at = lineMapOffset + (Number(a) >>> 6);
    test.memory.bytes[at] = 1;
    test.loadExclusive(a);
    expect(test.memory.bytes[at]).toBe(3);
    test.pe.clrex();
    expect(test.memory.bytes[at]).toBe(1);
  });
});
