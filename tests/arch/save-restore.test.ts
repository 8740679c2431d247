import { describe, expect, it } from 'vitest';
import { exit } from '../../src/arch/exits.ts';
import { ramBase } from '../../src/arch/state-layout.ts';
import { codeAddress, onePe, type TestPe } from './fixture.ts';
import { D, enableEl1, tablesFor } from './page-tables.ts';

const ram = BigInt(ramBase);
const va = 0x1234_5000n;

/** A PE in the middle of things. */
function busy(): { test: TestPe; change: () => void } {
  const test = onePe();
  const tables = tablesFor(test);
  test.enter(1, 0x6000_0000n);
  tables.map(va, ram + 0x10_0000n, D.AF);
  enableEl1(test, tables);
  test.setRam64(ramBase + 0x10_0000, 1n);
  test.setRam64(ramBase + 0x11_0000, 2n);
  test.load(va, 8);
  // The entry is stale from here on.
  tables.map(va, ram + 0x11_0000n, D.AF);
  test.msr('CNTP_CVAL_EL0', 1000n);
  test.msr('CNTP_CTL_EL0', 1n);
  test.pe.setLine('irq', true);
  test.loadExclusive(va);
  test.pe.writeX(5, 55n);
  test.pc = va;
  return {
    test,
    change: () => {
      test.sys('TLBI VMALLE1');
      test.pe.clrex();
      test.pe.setLine('irq', false);
      test.pe.writeX(5, 0n);
      test.msr('CNTP_CTL_EL0', 0n);
      test.msr('TTBR0_EL1', 0n);
      test.pe.smc(0);
    },
  };
}

describe('save and restore', () => {
  it('bring back registers, stale TLB entries, monitors, lines and timers', () => {
    const { test, change } = busy();
    const saved = structuredClone(test.pe.save());
    change();
    test.pe.restore(saved);
    expect(test.pe.save()).toEqual(saved);
    expect(test.pe.currentEl()).toBe(1);
    expect(test.mrs('NZCV')).toBe(0x6000_0000n);
    expect(test.pe.readX(5)).toBe(55n);
    expect(test.load(va, 8)).toBe(1n);
    expect(test.pe.pendingInterrupt()).toBe('irq');
    expect(test.storeExclusive(va, 3n)).toBe(0);
    expect(test.mrs('CNTP_CTL_EL0')).toBe(1n);
  });

  it('bring back a device access whose response has come', () => {
    const test = onePe();
    test.load(0x0900_0000n, 4);
    test.pe.busResponse(true, 77, 0);
    const saved = test.pe.save();
    expect(test.load(0x0900_0000n, 4)).toBe(77n);
    test.pe.restore(saved);
    expect(test.load(0x0900_0000n, 4)).toBe(77n);
    expect(test.core.requests).toHaveLength(1);
  });
});

describe('reset', () => {
  it('leaves PSTATE masked at ELx with SP_ELx, stage 1 off, and the entry in PC and X0', () => {
    const { test } = busy();
    test.pe.reset({ el: 2, pc: codeAddress + 0x100n, x0: 0x4800_0000n });
    expect(test.pc).toBe(codeAddress + 0x100n);
    expect(test.pe.readX(0)).toBe(0x4800_0000n);
    expect(test.pe.readX(5)).toBe(0n);
    expect(test.pstate).toBe(0x3c0 | 9);
    expect(test.register('SCTLR_EL1') & 1n).toBe(0n);
    expect(test.register('SCR_EL3') & 0x101n).toBe(0x101n);
    expect(test.core.timers.get('CNTP')?.level).toBe(false);
    expect(test.pe.hvc(0)).toBe(exit.redirect);
  });

  it('is the same whatever was before', () => {
    const { test } = busy();
    test.reset(3);
    const after = test.pe.save();
    test.pe.setLine('irq', false);
    const fresh = onePe().pe.save();
    expect(after.record).toEqual(fresh.record);
    expect(after.tlb).toEqual(fresh.tlb);
    expect(after.monitor).toEqual(fresh.monitor);
  });
});
