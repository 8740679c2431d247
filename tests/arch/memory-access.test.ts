import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exit } from '../../src/arch/exits.ts';
import { accessFlag, elementsShift } from '../../src/arch/pe.ts';
import {
  addendAfterTag,
  lineHoldsCode,
  lineMapOffset,
  pe as record,
  ramBase,
  softTlbEntries,
  softTlbEntry,
} from '../../src/arch/state-layout.ts';
import { onePe, ramEnd, type TestPe } from './fixture.ts';
import { D, device, enableEl1, tablesFor } from './page-tables.ts';

const ram = BigInt(ramBase);
const page = ram + 0x10_0000n;
const uart = 0x0900_0000n;
const va = 0x20_0000n;
const normal = D.AF | D.innerShareable;

/** Two adjacent pages of Normal memory whose physical pages are not adjacent, one of Device, then nothing. */
function el1(): TestPe {
  const test = onePe();
  const tables = tablesFor(test);
  test.enter(1);
  tables.map(va, page, normal);
  tables.map(va + 0x1000n, page + 0x8000n, normal);
  tables.map(va + 0x2000n, uart, normal | device);
  tables.map(va + 0x4000n, page, normal | D.readOnly);
  tables.map(va + 0x5000n, page, normal | device);
  tables.map(va + 0x6000n, uart, normal);
  enableEl1(test, tables);
  return test;
}

const bytesOf = (value: bigint, count: number): number[] =>
  Array.from({ length: count }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));

describe('an access to RAM', () => {
  it('writes and reads little-endian values of every size at every offset, across a page as well', () => {
    const test = el1();
    const size = fc.constantFrom(1, 2, 4, 8, 16);
    fc.assert(
      fc.property(
        fc.integer({ min: 0x1000 - 40, max: 0x1000 + 24 }),
        size,
        fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }),
        (offset, bytes, value) => {
          const stored = BigInt.asUintN(8 * bytes, value);
          expect(test.store(va + BigInt(offset), stored, bytes)).toBe(exit.none);
          expect(test.load(va + BigInt(offset), bytes)).toBe(stored);
          bytesOf(stored, bytes).forEach((byte, i) => {
            const at = offset + i;
            const pa = at < 0x1000 ? Number(page) + at : Number(page) + 0x8000 + at - 0x1000;
            expect(test.memory.bytes[pa]).toBe(byte);
          });
        },
      ),
      { seed: 3 },
    );
  });

  it('that crosses into a page with a fault writes nothing, and FAR_EL1 is the first byte that faults', () => {
    const test = onePe();
    const tables = tablesFor(test);
    test.enter(1);
    tables.map(va, page, normal);
    tables.map(va + 0x1000n, page + 0x1000n, normal | D.readOnly);
    enableEl1(test, tables);
    test.setRam64(Number(page) + 0xff8, 0n);
    expect(test.store(va + 0xffcn, ~0n, 8)).toBe(exit.redirect);
    expect(test.syndrome(1)).toEqual({ EC: 0x25, ISS: 0x0f | (1 << 6) });
    expect(test.register('FAR_EL1')).toBe(va + 0x1000n);
    expect(test.ram64(Number(page) + 0xff8)).toBe(0n);
  });

  it('is checked for alignment where SCTLR_EL1.A, or the access itself, asks for it', () => {
    const test = el1();
    expect(test.load(va + 1n, 4)).toBe(0n);
    expect(test.load(va + 2n, 4, accessFlag.aligned)).toBeUndefined();
    expect(test.syndrome(1)).toEqual({ EC: 0x25, ISS: 0x21 });
    expect(test.register('FAR_EL1')).toBe(va + 2n);
    test.setRegister('SCTLR_EL1', test.register('SCTLR_EL1') | 2n);
    expect(test.load(va + 1n, 4)).toBeUndefined();
    expect(test.load(va + 8n, 16, 1 << elementsShift)).toBe(0n);
    expect(test.load(va + 8n, 16)).toBeUndefined();
  });

  it('mapped as Device is checked for alignment and does not enter the soft TLB', () => {
    const test = el1();
    test.setRam64(Number(page), 5n);
    expect(test.load(va + 0x5000n, 8)).toBe(5n);
    expect(test.load(va + 0x5002n, 4)).toBeUndefined();
    expect(test.syndrome(1).ISS).toBe(0x21);
    expect(softTlb(test, va + 0x5000n).read).toBe(false);
  });

  it('tells the environment of stores to lines that are marked, and only of those', () => {
    const test = el1();
    test.memory.bytes[lineMapOffset + (Number(page) >>> 6) + 1] = lineHoldsCode;
    test.store(va, 1n, 8);
    expect(test.core.linesWritten).toEqual([]);
    test.store(va + 0x3cn, 1n, 8);
    test.store(va + 0x40n, 1n, 1);
    test.load(va + 0x40n, 8);
    expect(test.core.linesWritten).toEqual([
      [Number(page) + 0x3c, 8],
      [Number(page) + 0x40, 1],
    ]);
  });
});

/** Which accesses to a virtual address hit the soft TLB of the current level, and where they go. */
function softTlb(test: TestPe, address: bigint): { read: boolean; write: boolean; fetch: boolean; pa: number } {
  const at = test.word(record.tlb) + (Number(address >> 12n) & (softTlbEntries - 1)) * softTlbEntry.bytes;
  const tag = (offset: number): bigint => test.memory.doublewords[(at + offset) / 8]!;
  const pageOf = address & ~0xfffn;
  return {
    read: tag(softTlbEntry.readTag) === pageOf,
    write: tag(softTlbEntry.writeTag) === pageOf,
    fetch: tag(softTlbEntry.fetchTag) === pageOf,
    pa:
      (Number(address & 0xffff_ffffn) + test.memory.words[(at + softTlbEntry.readTag + addendAfterTag) / 4]!) % 2 ** 32,
  };
}

describe('the soft TLB', () => {
  it('receives where a page is, for the kind of access that asked for it', () => {
    const test = el1();
    test.load(va + 0x123n, 1);
    expect(softTlb(test, va)).toEqual({ read: true, write: false, fetch: false, pa: Number(page) });
    test.store(va + 0x123n, 1n, 1);
    expect(softTlb(test, va)).toEqual({ read: true, write: true, fetch: false, pa: Number(page) });
  });

  it('does not permit a store to a read-only page that has been read', () => {
    const test = el1();
    test.load(va + 0x4000n, 8);
    test.store(va + 0x4000n, 1n, 8);
    expect(softTlb(test, va + 0x4000n)).toMatchObject({ read: true, write: false });
  });

  it('never holds a device', () => {
    const test = el1();
    test.load(va + 0x6000n, 4);
    expect(softTlb(test, va + 0x6000n).read).toBe(false);
  });

  it('holds RAM while stage 1 is off, with strict alignment', () => {
    const test = onePe();
    test.load(page, 8);
    expect(softTlb(test, page)).toMatchObject({ read: true, pa: Number(page) });
    expect(test.word(record.strictAlignment)).toBe(0xffff_ffff);
  });

  it('loses the pages of EL0 at EL1 when PSTATE.PAN is set', () => {
    const test = onePe();
    const tables = tablesFor(test);
    test.enter(1);
    tables.map(va, page, normal | D.user);
    enableEl1(test, tables);
    test.load(va, 8);
    expect(softTlb(test, va).read).toBe(true);
    test.pe.msrImmediate(0, 4, 1);
    expect(softTlb(test, va).read).toBe(false);
  });

  it('keeps the tag of an address that carries one', () => {
    const test = onePe();
    const tables = tablesFor(test);
    test.enter(1);
    tables.map(va, page, normal);
    enableEl1(test, tables, { tcr: 1n << 37n });
    const tagged = va | (0x42n << 56n);
    test.load(tagged, 8);
    expect(softTlb(test, tagged)).toMatchObject({ read: true, pa: Number(page) });
    expect(softTlb(test, va).read).toBe(false);
  });
});

describe('an access to a device', () => {
  it('waits for the response at the instruction, and then has it', () => {
    const test = el1();
    expect(test.load(va + 0x2018n, 4)).toBeUndefined();
    expect(test.core.requests).toEqual([{ isWrite: false, pa: 0x0900_0018, sizeBytes: 4, valueLow: 0, valueHigh: 0 }]);
    const { pc } = test;
    test.pe.busResponse(true, 0x90, 0);
    expect(test.pc).toBe(pc);
    expect(test.load(va + 0x2018n, 4)).toBe(0x90n);
    expect(test.core.requests).toHaveLength(1);
  });

  it('is made again when the same instruction runs again later', () => {
    const test = el1();
    test.load(va + 0x2018n, 4);
    test.pe.busResponse(true, 1, 0);
    test.load(va + 0x2018n, 4);
    test.core.ticks++;
    expect(test.load(va + 0x2018n, 4)).toBeUndefined();
    expect(test.core.requests).toHaveLength(2);
    test.pe.busResponse(true, 2, 0);
    expect(test.load(va + 0x2018n, 4)).toBe(2n);
  });

  it('of 16 bytes is two accesses, each made once', () => {
    const test = el1();
    const value = 0x1111_2222_3333_4444_5555_6666_7777_8888n;
    expect(test.store(va + 0x2000n, value, 16)).toBe(exit.bus);
    test.pe.busResponse(true, 0, 0);
    expect(test.store(va + 0x2000n, value, 16)).toBe(exit.bus);
    test.pe.busResponse(true, 0, 0);
    expect(test.store(va + 0x2000n, value, 16)).toBe(exit.none);
    expect(test.core.requests).toEqual([
      { isWrite: true, pa: 0x0900_0000, sizeBytes: 8, valueLow: 0x7777_8888, valueHigh: 0x5555_6666 },
      { isWrite: true, pa: 0x0900_0008, sizeBytes: 8, valueLow: 0x3333_4444, valueHigh: 0x1111_2222 },
    ]);
  });

  it('by an instruction with two accesses makes each of them once', () => {
    const test = el1();
    const run = (): boolean => test.load(va + 0x2000n, 4) !== undefined && test.load(va + 0x2004n, 4) !== undefined;
    expect(run()).toBe(false);
    test.pe.busResponse(true, 1, 0);
    test.core.ticks = 50;
    expect(run()).toBe(false);
    test.pe.busResponse(true, 2, 0);
    test.core.ticks = 90;
    expect(run()).toBe(true);
    expect(test.core.requests.map(({ pa }) => pa)).toEqual([0x0900_0000, 0x0900_0004]);
  });

  it('that is not aligned is split where the memory is Normal, and faults where it is Device', () => {
    const test = el1();
    expect(test.load(va + 0x6003n, 4)).toBeUndefined();
    expect(test.core.requests).toEqual([{ isWrite: false, pa: 0x0900_0003, sizeBytes: 1, valueLow: 0, valueHigh: 0 }]);
    const other = el1();
    expect(other.load(va + 0x2002n, 4)).toBeUndefined();
    expect(other.syndrome(1)).toEqual({ EC: 0x25, ISS: 0x21 });
  });

  it('that answers with an error is a synchronous External abort', () => {
    const test = el1();
    test.store(va + 0x2000n, 1n, 4);
    test.pe.busResponse(false, 0, 0);
    expect(test.store(va + 0x2000n, 1n, 4)).toBe(exit.redirect);
    expect(test.syndrome(1)).toEqual({ EC: 0x25, ISS: 0x10 | (1 << 6) });
    expect(test.register('FAR_EL1')).toBe(va + 0x2000n);
  });

  it('goes where the last access to its page has gone, until a TLBI', () => {
    const test = onePe();
    const tables = tablesFor(test);
    const rtc = uart + 0x1_0000n;
    // They share an entry of the soft TLB.
    const other = va + 0x2000n + BigInt(softTlbEntries) * 0x1000n;
    test.enter(1);
    tables.map(va + 0x2000n, uart, normal | device);
    tables.map(other, rtc, normal | device);
    enableEl1(test, tables);
    const pas = (): (number | undefined)[] =>
      [va + 0x2004n, other + 8n, va + 0x2004n].map((address) => {
        test.core.ticks++;
        test.load(address, 4);
        return test.core.requests.at(-1)?.pa;
      });
    expect(pas()).toEqual([0x0900_0004, 0x0901_0008, 0x0900_0004]);
    tables.map(va + 0x2000n, rtc, normal | device);
    expect(pas()).toEqual([0x0900_0004, 0x0901_0008, 0x0900_0004]);
    test.sys('TLBI VAE1', (va + 0x2000n) >> 12n);
    expect(pas()).toEqual([0x0901_0004, 0x0901_0008, 0x0901_0004]);
  });

  it('has the permissions of its page each time, and its alignment', () => {
    const test = onePe();
    const tables = tablesFor(test);
    test.enter(1);
    tables.map(va, uart, normal | device | D.readOnly);
    tables.map(va + 0x1000n, uart, normal | device | D.user);
    enableEl1(test, tables);
    const syndromes = [0, 1].map(() => {
      test.load(va, 4);
      test.store(va, 0n, 4);
      return test.syndrome(1);
    });
    expect(syndromes).toEqual([0, 1].map(() => ({ EC: 0x25, ISS: 0xf | (1 << 6) })));
    expect(test.core.requests).toHaveLength(2);
    test.load(va + 2n, 4);
    expect(test.syndrome(1)).toEqual({ EC: 0x25, ISS: 0x21 });
    test.pe.msrImmediate(0, 4, 0);
    test.store(va + 0x1000n, 0n, 4);
    test.load(va + 0x1000n, 4);
    expect(test.core.requests).toHaveLength(4);
    test.pe.msrImmediate(0, 4, 1);
    test.load(va + 0x1000n, 4);
    expect(test.syndrome(1)).toEqual({ EC: 0x25, ISS: 0xf });
    expect(test.core.requests).toHaveLength(4);
  });

  it('holds interrupts back until the instruction has its answer', () => {
    const test = el1();
    test.load(va + 0x2000n, 4);
    test.pe.setLine('irq', true);
    test.pe.busResponse(true, 0, 0);
    expect(test.pe.pendingInterrupt()).toBeUndefined();
    test.load(va + 0x2000n, 4);
    expect(test.pe.pendingInterrupt()).toBe('irq');
  });

  it('by an exclusive or an atomic is not supported', () => {
    const test = el1();
    expect(test.loadExclusive(va + 0x2000n, 4)).toBe(exit.redirect);
    expect(test.syndrome(1).ISS).toBe(0x35);
    expect(test.load(va + 0x2000n, 4, accessFlag.atomic | accessFlag.aligned)).toBeUndefined();
    expect(test.syndrome(1).ISS).toBe(0x35);
    expect(test.storeExclusive(va + 0x2000n, 0n, 4)).toBeUndefined();
    expect(test.syndrome(1).ISS).toBe(0x35 | (1 << 6));
    expect(test.core.requests).toEqual([]);
  });

  it('includes everything outside RAM', () => {
    const test = onePe();
    test.load(BigInt(ramEnd), 4);
    test.load(0x8000_0000_0000n, 1);
    expect(test.core.requests.map(({ pa }) => pa)).toEqual([ramEnd, 0x8000_0000_0000]);
    test.pc = BigInt(ramEnd);
    expect(test.pe.translateFetch()).toBe(-1);
    expect(test.syndrome(3)).toEqual({ EC: 0x21, ISS: 0x10 });
  });
});

describe('cache maintenance by address', () => {
  it('DC ZVA clears the 64 bytes around the address, by the same rules as a store', () => {
    const test = el1();
    const at = Number(page);
    for (let i = 0; i < 192; i++) test.memory.bytes[at + i] = 0xff;
    test.memory.bytes[lineMapOffset + ((at + 64) >>> 6)] = lineHoldsCode;
    expect(test.sys('DC ZVA', va + 0x55n)).toBe(exit.none);
    const cleared = Array.from({ length: 192 }, (_, i) => test.memory.bytes[at + i] === 0);
    expect(cleared).toEqual(Array.from({ length: 192 }, (_, i) => i >= 64 && i < 128));
    expect(test.core.linesWritten).toEqual([[at + 64, 64]]);
    expect(test.sys('DC ZVA', va + 0x4000n)).toBe(exit.redirect);
    expect(test.syndrome(1)).toEqual({ EC: 0x25, ISS: 0x0f | (1 << 6) });
    test.sys('DC ZVA', va + 0x2000n);
    expect(test.syndrome(1)).toEqual({ EC: 0x25, ISS: 0x21 | (1 << 6) });
  });

  it('reports a translation fault with CM and WnR', () => {
    const test = el1();
    expect(test.sys('DC CIVAC', va + 0x3000n)).toBe(exit.redirect);
    expect(test.syndrome(1)).toEqual({ EC: 0x25, ISS: 0x07 | (1 << 8) | (1 << 6) });
    expect(test.sys('DC CVAC', va + 0x4000n)).toBe(exit.none);
    expect(test.sys('DC IVAC', va + 0x4000n)).toBe(exit.redirect);
    expect(test.syndrome(1).ISS & 0x3f).toBe(0x0f);
  });
});

describe('memory for resident software', () => {
  it('is read and written by virtual address, all or nothing', () => {
    const test = el1();
    expect(test.pe.writeMemory(va + 0xffen, Uint8Array.of(1, 2, 3, 4))).toBe(true);
    expect(test.memory.bytes[Number(page) + 0xfff]).toBe(2);
    expect(test.memory.bytes[Number(page) + 0x8000]).toBe(3);
    expect(test.pe.readMemory(va + 0xffen, 4)).toEqual(Uint8Array.of(1, 2, 3, 4));
    expect(test.pe.writeMemory(va + 0x1ffen, Uint8Array.of(9, 9, 9, 9))).toBe(false);
    expect(test.memory.bytes[Number(page) + 0x8ffe]).toBe(0);
    expect(test.pe.readMemory(va + 0x2000n, 4)).toBeUndefined();
    expect(test.pe.readMemory(va, 2 ** 40)).toBeUndefined();
    expect(test.pe.exceptionsTaken).toEqual([0, 0, 0, 0]);
  });
});
