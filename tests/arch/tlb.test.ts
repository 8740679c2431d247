import { describe, expect, it } from 'vitest';
import { dvm } from '../../src/arch/environment.ts';
import { exit } from '../../src/arch/exits.ts';
import {
  jumpCacheEntries,
  jumpCacheEntryBytes,
  jumpCacheFold,
  pe as record,
  ramBase,
} from '../../src/arch/state-layout.ts';
import { machine, onePe, type TestPe } from './fixture.ts';
import { D, enableEl1, mair, type Tables, tablesFor } from './page-tables.ts';

const ram = BigInt(ramBase);
const first = ram + 0x10_0000n;
const second = ram + 0x11_0000n;
const va = 0x1234_5000n;
const normal = D.AF | D.innerShareable;

/** EL1 with `va` mapped to `first`; the two pages tell themselves apart. */
function mapped(test: TestPe, fields = normal, level: 2 | 3 = 3): Tables {
  const tables = tablesFor(test);
  test.enter(1);
  if (level === 3) tables.map(va, first, fields);
  else tables.map(va & ~0x1f_ffffn, ram, fields, 2);
  enableEl1(test, tables);
  test.setRam64(Number(first), 1n);
  test.setRam64(Number(second), 2n);
  return tables;
}

const operand = (address: bigint, asid = 0n): bigint => ((address >> 12n) & 0xfff_ffff_ffffn) | (asid << 48n);

describe('the TLB', () => {
  it('holds a stale entry until a TLBI removes it', () => {
    const test = onePe();
    const tables = mapped(test);
    expect(test.load(va, 8)).toBe(1n);
    tables.map(va, second, normal);
    expect(test.load(va, 8)).toBe(1n);
    expect(test.sys('TLBI VAE1', operand(va))).toBe(exit.none);
    expect(test.load(va, 8)).toBe(2n);
  });

  it('does not hold faults', () => {
    const test = onePe();
    const tables = mapped(test);
    expect(test.load(va + 0x1000n, 8)).toBeUndefined();
    tables.map(va + 0x1000n, second, normal);
    expect(test.load(va + 0x1000n, 8)).toBe(2n);
  });

  it('keeps its entries while stage 1 is off', () => {
    const test = onePe();
    const tables = mapped(test);
    test.load(va, 8);
    const sctlr = test.register('SCTLR_EL1');
    test.msr('SCTLR_EL1', sctlr & ~1n);
    expect(test.load(first, 8)).toBe(1n);
    tables.map(va, second, normal);
    test.msr('SCTLR_EL1', sctlr);
    expect(test.load(va, 8)).toBe(1n);
  });

  it.each([
    { name: 'TLBI VMALLE1', isRemoved: true },
    { name: 'TLBI VAE1', isRemoved: true },
    { name: 'TLBI VALE1', isRemoved: true },
    { name: 'TLBI VAAE1', isRemoved: true },
    { name: 'TLBI VAALE1', isRemoved: true },
    { name: 'TLBI ASIDE1', isRemoved: false },
  ])('of a global entry: $name removes it: $isRemoved', ({ name, isRemoved }) => {
    const test = onePe();
    const tables = mapped(test);
    test.load(va, 8);
    tables.map(va, second, normal);
    test.sys(name, operand(va, 0n));
    expect(test.load(va, 8)).toBe(isRemoved ? 2n : 1n);
  });

  it('removes by address only what covers the address', () => {
    const test = onePe();
    const tables = mapped(test);
    test.load(va, 8);
    tables.map(va, second, normal);
    test.sys('TLBI VAE1', operand(va + 0x1000n));
    test.sys('TLBI VAE1', operand(va | (0xffffn << 48n)));
    expect(test.load(va, 8)).toBe(1n);
  });

  it('removes a block by any address in it', () => {
    const test = onePe();
    const tables = mapped(test, normal, 2);
    const at = (va & ~0x1f_ffffn) + 0x10_0000n;
    expect(test.load(at, 8)).toBe(1n);
    tables.poke(va, 2, 0n);
    expect(test.load(at, 8)).toBe(1n);
    test.sys('TLBI VAE1', operand(va & ~0x1f_ffffn));
    expect(test.load(at, 8)).toBeUndefined();
  });

  it('tells address spaces apart by ASID', () => {
    const test = onePe();
    const tables = mapped(test, normal | D.nG);
    const root = tables.root;
    test.msr('TTBR0_EL1', root | (7n << 48n));
    expect(test.load(va, 8)).toBe(1n);
    tables.map(va, second, normal | D.nG);
    test.msr('TTBR0_EL1', root | (8n << 48n));
    expect(test.load(va, 8)).toBe(2n);
    test.msr('TTBR0_EL1', root | (7n << 48n));
    expect(test.load(va, 8)).toBe(1n);
    test.sys('TLBI ASIDE1', 8n << 48n);
    expect(test.load(va, 8)).toBe(1n);
    test.sys('TLBI VAE1', operand(va, 8n));
    expect(test.load(va, 8)).toBe(1n);
    test.sys('TLBI ASIDE1', 7n << 48n);
    expect(test.load(va, 8)).toBe(2n);
  });

  it('takes the ASID from TTBR1_EL1 with TCR_EL1.A1, and 8 bits of it with TCR_EL1.AS 0', () => {
    const test = onePe();
    const tables = mapped(test, normal | D.nG);
    test.msr('TCR_EL1', (test.register('TCR_EL1') | (1n << 22n)) & ~(1n << 36n));
    test.msr('TTBR1_EL1', tables.root | (0x107n << 48n));
    expect(test.load(va, 8)).toBe(1n);
    tables.map(va, second, normal | D.nG);
    test.msr('TTBR0_EL1', tables.root | (9n << 48n));
    test.msr('TTBR1_EL1', tables.root | (0x207n << 48n));
    expect(test.load(va, 8)).toBe(1n);
    test.msr('TTBR1_EL1', tables.root | (0x208n << 48n));
    expect(test.load(va, 8)).toBe(2n);
  });

  it('tells virtual machines apart by VMID; TLBI ALLE1 removes the entries of all, VMALLE1 those of one', () => {
    const test = onePe({ hasEl3: false });
    const tables = mapped(test);
    const inVm = (vmid: bigint, act: () => void): void => {
      test.pe.hvc(0);
      test.setRegister('VTTBR_EL2', vmid << 48n);
      test.enter(1);
      act();
    };
    test.load(va, 8);
    tables.map(va, second, normal);
    inVm(5n, () => expect(test.load(va, 8)).toBe(2n));
    inVm(0n, () => expect(test.load(va, 8)).toBe(1n));
    inVm(5n, () => test.sys('TLBI VMALLE1'));
    inVm(0n, () => expect(test.load(va, 8)).toBe(1n));
    test.pe.hvc(0);
    expect(test.sys('TLBI ALLE1')).toBe(exit.none);
    test.enter(1);
    expect(test.load(va, 8)).toBe(2n);
  });

  it('keeps the regimes of EL2 and EL3 to themselves', () => {
    const test = onePe();
    const tables = mapped(test);
    test.load(va, 8);
    test.pe.smc(0);
    for (const el of [2, 3]) {
      test.setRegister(`MAIR_EL${el}`, mair);
      test.setRegister(`TCR_EL${el}`, 16n | (5n << 16n));
      test.setRegister(`TTBR0_EL${el}`, tables.root);
    }
    test.setRegister('SCTLR_EL3', 1n);
    expect(test.load(va, 8)).toBe(1n);
    tables.map(va, second, normal);
    test.sys('TLBI ALLE1');
    test.sys('TLBI ALLE2');
    expect(test.load(va, 8)).toBe(1n);
    test.sys('TLBI VAE3', operand(va));
    expect(test.load(va, 8)).toBe(2n);
  });

  it('replaces entries when it is full, always the same ones', () => {
    const run = (): string => {
      const test = onePe();
      const tables = tablesFor(test);
      test.enter(1);
      const pages = 1100n;
      for (let page = 0n; page < pages; page++) tables.map(va + page * 0x1000n, first, normal);
      enableEl1(test, tables);
      test.setRam64(Number(first), 1n);
      for (let page = 0n; page < pages; page++) test.load(va + page * 0x1000n, 8);
      for (let page = 0n; page < pages; page++) tables.map(va + page * 0x1000n, second, normal);
      let seen = '';
      for (let page = 0n; page < pages; page++) seen += test.load(va + page * 0x1000n, 8) === 1n ? 'o' : 'n';
      return seen;
    };
    const seen = run();
    expect(seen).toMatch(/n/);
    expect(seen).toMatch(/o/);
    expect(run()).toBe(seen);
  });

  it('becomes larger where a program replaces many entries, and a TLBI finds each of them', () => {
    const test = onePe();
    const tables = tablesFor(test);
    test.enter(1);
    const pages = Array.from({ length: 1500 }, (_, n) => va + BigInt(n) * 0x1000n);
    for (const page of pages) tables.map(page, first, normal);
    enableEl1(test, tables);
    test.setRam64(Number(first), 1n);
    test.setRam64(Number(second), 2n);
    for (let round = 0; round < 2; round++) for (const page of pages) test.load(page, 8);
    for (const page of pages) tables.map(page, second, normal);
    expect(pages.filter((page) => test.load(page, 8) !== 1n)).toEqual([]);
    const removed = pages.filter((_, n) => n % 3 === 0);
    for (const page of removed) test.sys('TLBI VAE1', operand(page));
    expect(pages.filter((page) => test.load(page, 8) === 2n)).toEqual(removed);
    test.sys('TLBI VMALLE1');
    expect(pages.filter((page) => test.load(page, 8) !== 2n)).toEqual([]);
  });

  it('replaces a page rather than a block', () => {
    const test = onePe();
    const tables = tablesFor(test);
    test.enter(1);
    const block = 0x4000_0000n;
    tables.map(block, ram, normal, 2);
    // Six pages of the set of the block.
    const pages = Array.from({ length: 6 }, (_, n) => va + ((block >> 21n) << 12n) + BigInt(n) * 0x10_0000n - 0x45000n);
    for (const page of pages) tables.map(page, first, normal);
    enableEl1(test, tables);
    expect(test.load(block + 0x10_0000n, 8)).toBeDefined();
    for (const page of pages) test.load(page, 8);
    tables.poke(block, 2, 0n);
    for (const page of pages) tables.map(page, second, normal);
    expect(test.load(block + 0x10_0000n, 8)).toBeDefined();
  });
});

describe('broadcast', () => {
  it('of an Inner Shareable TLBI reaches other PEs as a DVM operation, and a local TLBI does not', () => {
    const [issuer, other] = machine({ count: 2 }) as [TestPe, TestPe];
    const tables = mapped(issuer);
    other.enter(1);
    enableEl1(other, tables);
    expect(other.load(va, 8)).toBe(1n);
    tables.map(va, second, normal);
    issuer.sys('TLBI VAE1', operand(va));
    expect(issuer.core.broadcasts).toEqual([]);
    issuer.sys('TLBI VAE1IS', operand(va, 3n));
    expect(issuer.core.broadcasts).toEqual([{ code: dvm.tlbiVa, vaLow: Number(va), vaHigh: 0, asid: 3, context: 0 }]);
    expect(other.load(va, 8)).toBe(1n);
    other.pe.receiveDvm(issuer.core.broadcasts[0]!);
    expect(other.load(va, 8)).toBe(2n);
  });

  it('of a local TLBI is forced by HCR_EL2.FB', () => {
    const test = onePe();
    test.setRegister('HCR_EL2', 1n << 9n);
    test.enter(1).sys('TLBI VMALLE1');
    expect(test.core.broadcasts.map(({ code }) => code)).toEqual([dvm.tlbiAll]);
  });

  it('keeps a DSB waiting until it is complete', () => {
    const test = onePe();
    test.core.isDvmComplete = false;
    expect(test.pe.dsb()).toBe(exit.barrier);
    test.core.isDvmComplete = true;
    expect(test.pe.dsb()).toBe(exit.none);
  });

  it('of IC IVAU names the line by its physical address', () => {
    const test = onePe();
    mapped(test);
    expect(test.sys('IC IVAU', va + 0x47n)).toBe(exit.none);
    test.sys('IC IALLU');
    test.sys('IC IALLUIS');
    expect(test.core.instructionCacheOperations).toEqual([
      [Number(first) + 0x40, true],
      [-1, false],
      [-1, true],
    ]);
  });
});

describe('the jump cache', () => {
  /** The entry of an address: these are small, so that no others share it. */
  const placeOf = (address: number): number => ((address ^ (address >>> jumpCacheFold)) >>> 2) & (jumpCacheEntries - 1);
  const word = (test: TestPe, entry: number): number =>
    (test.pe.base + record.jumpCache + entry * jumpCacheEntryBytes) / 4;
  const fill = (test: TestPe): void => {
    for (let n = 0; n < jumpCacheEntries; n++) test.memory.words[word(test, placeOf(4 * n))] = 4 * n;
    test.memory.words[(test.pe.base + record.jumpCachePieces) / 4] = 0xffff;
  };
  const isEmpty = (test: TestPe): boolean => {
    for (let entry = 0; entry < jumpCacheEntries; entry++) {
      // An address of another entry is not looked for in this one.
      if (placeOf(test.memory.words[word(test, entry)]!) === entry) return false;
    }
    return true;
  };

  it('is empty from the start, and filled by code of every place', () => {
    const test = onePe();
    expect(isEmpty(test)).toBe(true);
    fill(test);
    for (let entry = 0; entry < jumpCacheEntries; entry++) {
      expect(placeOf(test.memory.words[word(test, entry)]!)).toBe(entry);
    }
  });

  it('survives exceptions and returns', () => {
    const test = onePe();
    mapped(test);
    fill(test);
    test.pe.svc(0);
    test.enter(0);
    expect(isEmpty(test)).toBe(false);
  });

  it('is emptied where what it depends on changes', () => {
    const test = onePe();
    mapped(test);
    fill(test);
    test.msr('TTBR0_EL1', test.register('TTBR0_EL1') | (1n << 48n));
    expect(isEmpty(test)).toBe(true);
    fill(test);
    test.pc = va;
    test.pe.translateFetch();
    test.sys('TLBI VAE1', operand(va));
    expect(isEmpty(test)).toBe(true);
  });

  it('stays where a TLBI removes only data', () => {
    const test = onePe();
    const tables = mapped(test);
    tables.map(va + 0x1000n, first, normal | D.PXN);
    test.load(va + 0x1000n, 8);
    fill(test);
    test.sys('TLBI VAE1', operand(va + 0x1000n));
    expect(isEmpty(test)).toBe(false);
  });
});
