import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pe as record, ramBase } from '../../src/arch/state-layout.ts';
import { machine, onePe, type TestPe } from './fixture.ts';
import { D, enableEl1, type Tables, tablesFor } from './page-tables.ts';
import { enableStage2, identityStage2, normalS2, S2, stage2Tables, vtcr } from './stage2-tables.ts';

const ram = BigInt(ramBase);
const first = ram + 0x10_0000n;
const second = ram + 0x11_0000n;
const va = 0x1234_5000n;
const ipa = 0x1_0020_3000n;
const normal = D.AF | D.innerShareable;
const operand = (address: bigint): bigint => (address >> 12n) & 0xf_ffff_ffffn;

/** EL1 behind stage 2, with `va` at `ipa` at `first`; EL2 is reached by HVC. */
function nested(test: TestPe, VMID = 1n): { stage1: Tables; stage2: Tables } {
  const stage1 = tablesFor(test);
  const stage2 = identityStage2(test);
  stage1.map(va, ipa, normal);
  stage2.map(ipa, first, normalS2);
  test.setRegister('SCR_EL3', test.register('SCR_EL3') | (1n << 8n));
  enableStage2(test, stage2.root, { VMID });
  test.enter(1);
  enableEl1(test, stage1);
  test.setRam64(Number(first), 1n);
  test.setRam64(Number(second), 2n);
  return { stage1, stage2 };
}

/** Runs at EL2 and returns to EL1. */
function atEl2(test: TestPe, run: () => void): void {
  test.pe.hvc(0);
  run();
  test.enter(1);
}

describe('the TLB with stage 2', () => {
  it.each([
    { name: 'TLBI IPAS2E1', operand: operand(ipa), isRemoved: true },
    { name: 'TLBI IPAS2LE1IS', operand: operand(ipa), isRemoved: true },
    { name: 'TLBI IPAS2E1', operand: operand(ipa + 0x1000n), isRemoved: false },
    { name: 'TLBI VMALLS12E1', operand: 0n, isRemoved: true },
    { name: 'TLBI ALLE1IS', operand: 0n, isRemoved: true },
    { name: 'TLBI ALLE2', operand: 0n, isRemoved: false },
    // Stage 1 alone: what stage 2 has translated may be kept.
    { name: 'TLBI VMALLE1', operand: 0n, isRemoved: false },
    { name: 'TLBI VAE1', operand: operand(va), isRemoved: false },
  ])('keeps a changed leaf of stage 2 until $name removes it: $isRemoved', ({ name, operand: value, isRemoved }) => {
    const test = onePe();
    const { stage2 } = nested(test);
    expect(test.load(va, 8)).toBe(1n);
    stage2.map(ipa, second, normalS2);
    expect(test.load(va, 8)).toBe(1n);
    atEl2(test, () => test.sys(name, value));
    expect(test.load(va, 8)).toBe(isRemoved ? 2n : 1n);
  });

  it('is maintained for the VMID of VTTBR_EL2 alone', () => {
    const test = onePe();
    const { stage2 } = nested(test, 1n);
    test.load(va, 8);
    stage2.map(ipa, second, normalS2);
    for (const name of ['TLBI IPAS2E1', 'TLBI VMALLS12E1', 'TLBI VMALLE1', 'TLBI VAAE1']) {
      atEl2(test, () => {
        test.setRegister('VTTBR_EL2', stage2.root | (2n << 48n));
        test.sys(name, operand(name === 'TLBI VAAE1' ? va : ipa));
        test.setRegister('VTTBR_EL2', stage2.root | (1n << 48n));
      });
      expect(test.load(va, 8)).toBe(1n);
    }
  });

  it.each([
    { VS: 0n, isSame: true },
    { VS: 1n, isSame: false },
  ])('tells VMIDs 0x101 and 0x001 apart only with VTCR_EL2.VS ($VS)', ({ VS, isSame }) => {
    const test = onePe();
    const { stage2 } = nested(test, 0x101n);
    atEl2(test, () => test.setRegister('VTCR_EL2', (vtcr(25, 1) & ~(1n << 19n)) | (VS << 19n)));
    test.load(va, 8);
    stage2.map(ipa, second, normalS2);
    atEl2(test, () => test.setRegister('VTTBR_EL2', stage2.root | (1n << 48n)));
    expect(test.load(va, 8)).toBe(isSame ? 1n : 2n);
  });

  it('does not use what it has found without stage 2 when stage 2 is on, and the other way round', () => {
    const test = onePe();
    const { stage1 } = nested(test);
    stage1.map(va, first, normal);
    expect(test.load(va, 8)).toBe(1n);
    atEl2(test, () => test.setRegister('HCR_EL2', 0n));
    stage1.map(va, second, normal);
    expect(test.load(va, 8)).toBe(2n);
    atEl2(test, () => test.setRegister('HCR_EL2', 1n));
    expect(test.load(va, 8)).toBe(1n);
  });

  it('by one TLBI VAE1 loses all that was made from one block of stage 1 over pages of stage 2', () => {
    const test = onePe();
    const { stage1, stage2 } = nested(test);
    const block = 0x4000_0000_00n;
    const base = 0x2_0000_0000n;
    stage1.map(block, base, normal, 2);
    stage2.map(base, first, normalS2);
    stage2.map(base + 0x1000n, first, normalS2);
    stage2.map(base + 0x20_0000n, second, normalS2);
    expect([test.load(block, 8), test.load(block + 0x1000n, 8)]).toEqual([1n, 1n]);
    stage1.map(block, base + 0x20_0000n, normal, 2);
    expect(test.load(block + 0x1000n, 8)).toBe(1n);
    test.sys('TLBI VAE1', operand(block));
    expect(test.load(block, 8)).toBe(2n);
    expect(test.load(block + 0x1000n, 8)).toBeUndefined();
  });

  it('by one TLBI IPAS2E1 loses all that was made from one block of stage 2', () => {
    const test = onePe();
    const { stage1, stage2 } = nested(test);
    const base = 0x2_0000_0000n;
    stage2.map(base, ram, normalS2, 2);
    stage1.map(va, base + 0x10_0000n, normal);
    expect(test.load(va, 8)).toBe(1n);
    stage2.map(base, ram + 0x20_0000n, normalS2, 2);
    atEl2(test, () => test.sys('TLBI IPAS2E1', operand(base + 0x1f_f000n)));
    expect(test.load(va, 8)).toBe(0n);
  });

  it('of another PE is maintained by the broadcast of an Inner Shareable TLBI by IPA', () => {
    const [one, other] = machine({ count: 2 }) as [TestPe, TestPe];
    const { stage2 } = nested(one);
    const stage1Root = one.register('TTBR0_EL1');
    enableStage2(other, stage2.root, { VMID: 1n });
    other.enter(1);
    for (const name of ['MAIR_EL1', 'TCR_EL1', 'TTBR1_EL1', 'SCTLR_EL1']) other.setRegister(name, one.register(name));
    other.setRegister('TTBR0_EL1', stage1Root);
    expect(other.load(va, 8)).toBe(1n);
    stage2.map(ipa, second, normalS2);
    atEl2(one, () => one.sys('TLBI IPAS2E1', operand(ipa)));
    expect(one.core.broadcasts).toEqual([]);
    atEl2(one, () => one.sys('TLBI IPAS2E1IS', operand(ipa)));
    expect(one.core.broadcasts).toHaveLength(1);
    for (const operation of one.core.broadcasts) other.pe.receiveDvm(operation);
    expect(other.load(va, 8)).toBe(2n);
  });

  it('and the soft TLB survive an exit to EL2 that goes through another world and back', () => {
    const test = onePe();
    const { stage2 } = nested(test);
    test.load(va, 8);
    const tag = (test.pe.base + record.softTlb + 0x1_0000 + Number((va >> 12n) & 1023n) * 64) / 4;
    expect(test.memory.words[tag]).toBe(Number(va));
    atEl2(test, () => {
      test.setRegister('HCR_EL2', 0n);
      test.setRegister('VTTBR_EL2', 0n);
      test.setRegister('VTTBR_EL2', stage2.root | (1n << 48n));
      test.setRegister('HCR_EL2', 1n);
    });
    expect(test.memory.words[tag]).toBe(Number(va));
    atEl2(test, () => test.setRegister('VTTBR_EL2', stage2.root | (2n << 48n)));
    expect(test.memory.words[tag]).not.toBe(Number(va));
  });
});

describe('no walk of a virtual machine', () => {
  it('yields a page outside the set that is mapped for its VMID, whatever its tables of stage 1', () => {
    const pages = 16;
    const mapping = fc.record({ slot: fc.nat(15), page: fc.nat(pages - 1), writable: fc.boolean() });
    const vm = fc.array(mapping, { maxLength: 10 });
    const step = fc.record({ vm: fc.nat(1), slot: fc.nat(19), isStore: fc.boolean(), stage1: fc.boolean() });
    fc.assert(
      fc.property(vm, vm, fc.array(step, { minLength: 10, maxLength: 60 }), (one, two, steps) => {
        const test = onePe();
        test.setRegister('SCR_EL3', test.register('SCR_EL3') | (1n << 8n));
        const pool = ram + 0x4_0000n;
        const window = 0x2_0000_0000n;
        const vms = [one, two].map((mappings, index) => {
          const stage2 = stage2Tables(test, ramBase + 0x30_0000 - index * 0x4_0000);
          const tablePage = ramBase + 0x20_0000 + index * 0x2_0000;
          const stage1 = tablesFor(test, 0, tablePage + 0x1_0000);
          // The guest's own tables of stage 1: its pages, and whatever it likes of the other's.
          stage2.map(BigInt(tablePage), BigInt(tablePage), normalS2);
          for (let offset = 0; offset < 0x1_0000; offset += 0x1000) {
            stage2.map(BigInt(tablePage + offset), BigInt(tablePage + offset), normalS2);
          }
          for (let slot = 0; slot < 20; slot++) {
            stage1.map(window + BigInt(slot) * 0x1000n, window + BigInt(slot) * 0x1000n, normal);
            stage1.map((2n << 34n) + BigInt(slot) * 0x1000n, pool + BigInt(slot) * 0x1000n, normal);
          }
          const expected = new Map<number, { page: number; writable: boolean }>();
          for (const { slot, page, writable } of mappings) {
            // Even pages are the first one's, odd ones the second one's.
            const own = (page & ~1) | index;
            expected.set(slot, { page: own, writable });
            const fields = S2.MemAttr(15) | S2.read | S2.AF | (writable ? S2.write : 0n);
            stage2.map(window + BigInt(slot) * 0x1000n, pool + BigInt(own) * 0x1000n, fields);
          }
          return { stage1, stage2, expected };
        });
        for (let page = 0; page < pages; page++) test.setRam64(Number(pool) + page * 0x1000, BigInt(100 + page));
        for (const { vm: index, slot, isStore, stage1 } of steps) {
          const { stage1: tables, stage2, expected } = vms[index]!;
          test.reset(3);
          test.setRegister('SCR_EL3', test.register('SCR_EL3') | (1n << 8n));
          enableStage2(test, stage2.root, { VMID: BigInt(index + 1) });
          test.enter(1);
          if (stage1) enableEl1(test, tables);
          const address = window + BigInt(slot) * 0x1000n;
          const target = expected.get(slot);
          if (isStore) {
            const isDone = test.store(address, BigInt(100 + (target?.page ?? 0)), 8) === 0;
            expect(isDone).toBe(target?.writable === true);
          } else {
            expect(test.load(address, 8)).toBe(target === undefined ? undefined : BigInt(100 + target.page));
          }
          if (test.pe.currentEl() !== 1) test.enter(1);
          // The pool itself, by the IPAs that are its physical addresses: never mapped for anybody.
          const direct = stage1 ? (2n << 34n) + BigInt(slot) * 0x1000n : pool + BigInt(slot) * 0x1000n;
          expect(test.load(direct, 8)).toBeUndefined();
        }
      }),
      { numRuns: 25, seed: 3 },
    );
  });
});
