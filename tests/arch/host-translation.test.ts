import { describe, expect, it } from 'vitest';
import { accessFlag } from '../../src/arch/pe.ts';
import { ramBase } from '../../src/arch/state-layout.ts';
import { onePe, type TestPe } from './fixture.ts';
import { D, mair, type Tables, tablesFor, tcrEl1 } from './page-tables.ts';

const ram = BigInt(ramBase);
const first = ram + 0x10_0000n;
const second = ram + 0x11_0000n;
const va = 0x1234_5000n;
const upper = 0xffff_0000_0000_0000n;
const normal = D.AF | D.innerShareable;
const E2H = 1n << 34n;
const TGE = 1n << 27n;

/** A host at EL2, with both ranges of EL2&0 in one set of tables. */
function host(hcr = E2H | TGE): { test: TestPe; tables: Tables } {
  const test = onePe();
  const tables = tablesFor(test);
  test.setRegister('HCR_EL2', hcr);
  test.enter(2);
  test.setRegister('MAIR_EL2', mair);
  test.setRegister('TCR_EL2', tcrEl1(16));
  test.setRegister('TTBR0_EL2', tables.root);
  test.setRegister('TTBR1_EL2', tables.root);
  test.setRegister('SCTLR_EL2', test.register('SCTLR_EL2') | 1n);
  test.setRam64(Number(first), 1n);
  test.setRam64(Number(second), 2n);
  return { test, tables };
}
const operand = (address: bigint, asid = 0n): bigint => ((address >> 12n) & 0xfff_ffff_ffffn) | (asid << 48n);

describe('the EL2&0 regime', () => {
  it('has two ranges', () => {
    const { test, tables } = host();
    tables.map(va, first, normal);
    expect(test.load(va, 8)).toBe(1n);
    expect(test.load(upper | va, 8)).toBe(1n);
    test.setRegister('HCR_EL2', 0n);
    expect(test.load(upper | va, 8)).toBeUndefined();
  });

  it('is that of EL0 with TGE, and keeps EL0 from what is not its own', () => {
    const { test, tables } = host();
    tables.map(va, first, normal | D.user);
    tables.map(va + 0x1000n, first, normal);
    test.enter(0);
    expect(test.load(va, 8)).toBe(1n);
    expect(test.load(va + 0x1000n, 8)).toBeUndefined();
    expect(test.syndrome(2)).toEqual({ EC: 0x24, ISS: 0x0f });
  });

  it('without TGE leaves EL0 in EL1&0', () => {
    const { test, tables } = host(E2H);
    tables.map(va, first, normal | D.user);
    test.enter(0);
    expect(test.load(first, 8)).toBe(1n);
  });

  it('obeys PSTATE.PAN, and LDTR has the permissions of EL0', () => {
    const { test, tables } = host();
    tables.map(va, first, normal | D.user);
    tables.map(va + 0x1000n, first, normal);
    expect(test.load(va, 8)).toBe(1n);
    test.pe.msrImmediate(0, 4, 1);
    expect(test.load(va, 8, accessFlag.unprivileged)).toBe(1n);
    expect(test.load(va, 8)).toBeUndefined();
    expect(test.syndrome(2)).toEqual({ EC: 0x25, ISS: 0x0f });
    test.enter(2);
    expect(test.load(va + 0x1000n, 8, accessFlag.unprivileged)).toBeUndefined();
  });

  it('has ASIDs, which TLBI VAE1 and VAE2 name alike in a host', () => {
    for (const name of ['TLBI VAE1', 'TLBI VAE2', 'TLBI ASIDE1', 'TLBI VMALLE1', 'TLBI ALLE2']) {
      const { test, tables } = host();
      tables.map(va, first, normal | D.nG);
      test.setRegister('TTBR0_EL2', tables.root | (5n << 48n));
      expect(test.load(va, 8)).toBe(1n);
      tables.map(va, second, normal | D.nG);
      if (name.includes('VAE')) test.sys(name, operand(va, 6n));
      expect(test.load(va, 8)).toBe(1n);
      test.sys(name, operand(va, 5n));
      expect(test.load(va, 8)).toBe(2n);
      test.setRegister('TTBR0_EL2', tables.root | (6n << 48n));
      tables.map(va, first, normal | D.nG);
      expect(test.load(va, 8)).toBe(1n);
    }
  });

  it('is not that of the guest: TLBI VMALLE1 with TGE 0 leaves it alone', () => {
    const { test, tables } = host(E2H);
    tables.map(va, first, normal);
    test.load(va, 8);
    tables.map(va, second, normal);
    test.sys('TLBI VMALLE1');
    expect(test.load(va, 8)).toBe(1n);
  });

  it('is what AT S1E1R means in a host', () => {
    const { test, tables } = host();
    tables.map(va, first, normal);
    test.sys('AT S1E1R', va);
    expect(test.register('PAR_EL1') & 0xffff_ffff_f001n).toBe(first);
    test.sys('AT S1E0R', va);
    expect(test.register('PAR_EL1') & 1n).toBe(1n);
  });

  it('begins and ends with E2H at once', () => {
    const { test, tables } = host();
    tables.map(va, first, normal | D.user | D.UXN);
    expect(test.load(va, 8)).toBe(1n);
    test.msr('HCR_EL2', 0n);
    expect(test.load(upper | va, 8)).toBeUndefined();
    test.enter(2);
    test.setRegister('HCR_EL2', E2H | TGE);
    expect(test.load(upper | va, 8)).toBe(1n);
  });
});
