import { describe, expect, it } from 'vitest';
import { exit } from '../../src/arch/exits.ts';
import { allBits } from '../../src/arch/register-row.ts';
import { systemRegisterSlots } from '../../src/arch/state-layout.ts';
import { systemInstructions } from '../../src/arch/system-instructions.ts';
import { encodingOf, systemKey, systemKeys } from '../../src/arch/system-key.ts';
import { placeReadByAll, registerAt, registerNamed, systemRegisters } from '../../src/arch/system-registers.ts';
import { type Trap, traps } from '../../src/arch/traps.ts';
import { onePe } from './fixture.ts';

const core = { midr: 0x410f_d0f0n, mpidr: 0x8000_0003n, hasEl2: true, hasEl3: true, hasGicRegisters: true };

describe('the table of system registers', () => {
  it('has one register for each name and each encoding', () => {
    expect(new Set(systemRegisters.map((row) => row.name)).size).toBe(systemRegisters.length);
    expect(new Set(systemRegisters.map((row) => row.key)).size).toBe(systemRegisters.length);
  });

  it('finds each register by its encoding and by its name, and nothing else', () => {
    for (const row of systemRegisters) {
      expect(registerAt(row.key)).toBe(row);
      expect(registerNamed(row.name)).toBe(row);
    }
    const found = Array.from({ length: systemKeys }, (_, key) => registerAt(key)).filter((row) => row !== undefined);
    expect(found).toHaveLength(systemRegisters.length);
  });

  it('has only op0 2 and 3, and System instructions op0 1', () => {
    for (const row of systemRegisters) expect([2, 3]).toContain(encodingOf(row.key)[0]);
    for (const row of systemInstructions) expect(encodingOf(row.key)[0]).toBe(1);
  });

  it('gives each kept register a slot of its own inside the record', () => {
    const slots = systemRegisters.filter((row) => row.slot >= 0).map((row) => row.slot);
    expect(new Set(slots).size).toBe(slots.length);
    expect(Math.max(...slots)).toBeLessThan(systemRegisterSlots);
    for (const row of systemRegisters.filter(({ storage }) => storage === 'plain')) {
      expect(row.slot, row.name).toBeGreaterThanOrEqual(0);
    }
  });

  it.each(systemRegisters.filter((row) => row.storage === 'plain' && row.access === 'RW'))(
    '$name resets to a value that software could have written',
    (row) => {
      expect(row.writable & ~allBits).toBe(0n);
      expect(row.ones & row.writable).toBe(0n);
      const reset = row.reset(core);
      expect(reset & ~(row.writable | row.ones)).toBe(0n);
      expect(reset & row.ones).toBe(row.ones);
    },
  );

  it.each(systemRegisters.filter((row) => row.storage === 'plain' && row.access === 'RW'))(
    '$name keeps its writable bits, and RES0 and RES1',
    (row) => {
      const test = onePe();
      const needsOther = row.needs === 'EL1 highest' || row.needs === 'EL2 highest';
      if (needsOther) return;
      for (const value of [allBits, 0n, 0x5555_5555_5555_5555n]) {
        expect([exit.none, exit.redirect]).toContain(test.msr(row.name, value));
        expect(test.mrs(row.name)).toBe((value & row.writable) | row.ones);
      }
    },
  );

  it.each(systemRegisters.filter((row) => row.access === 'RO'))('$name cannot be written', (row) => {
    const test = onePe();
    expect(test.msr(row.name, 0n)).toBe(exit.redirect);
    expect(test.syndrome(3)).toEqual({ EC: 0, ISS: 0 });
  });

  it.each(systemRegisters.filter((row) => row.access === 'WO'))('$name cannot be read', (row) => {
    const test = onePe();
    expect(test.mrs(row.name)).toBeUndefined();
    expect(test.syndrome(3)).toEqual({ EC: 0, ISS: 0 });
  });

  it.each(systemRegisters.filter((row) => row.readEl !== 0 && row.readEl !== 'highest'))(
    '$name is UNDEFINED below EL$readEl',
    (row) => {
      const below = Number(row.readEl) - 1;
      const target = Math.max(below, 1);
      const test = onePe().enter(below as 0 | 1 | 2);
      const access = row.access === 'WO' ? test.msr(row.name, 0n) : test.pe.readSystemRegister(row.key);
      expect(access).toBe(exit.redirect);
      expect(test.pe.currentEl()).toBe(target);
      expect(test.syndrome(target)).toEqual({ EC: 0, ISS: 0 });
    },
  );

  it('leaves every other encoding UNDEFINED', () => {
    const test = onePe();
    for (let key = systemKey(2, 0, 0, 0, 0); key < systemKeys; key += 7) {
      if (registerAt(key) !== undefined) continue;
      test.reset(3);
      expect(test.pe.readSystemRegister(key)).toBe(exit.redirect);
      expect(test.syndrome(3)).toEqual({ EC: 0, ISS: 0 });
    }
  });

  it('names traps by registers that exist and bits that can be set', () => {
    for (const [name, trap] of Object.entries(traps)) {
      const row = registerNamed(trap.register);
      expect(row, name).toBeDefined();
      const mask = BigInt(trap.mask) << ('high' in trap ? 32n : 0n);
      expect((row!.writable | row!.ones) & mask, name).toBe(mask);
    }
  });
});

describe('identification', () => {
  it('says which exception levels exist', () => {
    expect(onePe({ hasEl2: false, hasEl3: false }).mrs('ID_AA64PFR0_EL1')! & 0xffffn).toBe(0x0011n);
    expect(onePe({ hasEl2: true, hasEl3: false }).mrs('ID_AA64PFR0_EL1')! & 0xffffn).toBe(0x0111n);
    expect(onePe().mrs('ID_AA64PFR0_EL1')! & 0xffffn).toBe(0x1111n);
  });

  it('reports the features of instructions, VHE with EL2, and the 4KB granule alone', () => {
    const test = onePe();
    const field = (name: string, low: bigint): bigint => (test.mrs(name)! >> low) & 15n;
    expect([4n, 8n, 12n, 32n].map((low) => field('ID_AA64ISAR0_EL1', low))).toEqual([2n, 1n, 2n, 1n]);
    expect(field('ID_AA64ISAR0_EL1', 16n)).toBe(1n);
    expect(field('ID_AA64ISAR0_EL1', 20n)).toBe(2n);
    expect(field('ID_AA64ISAR0_EL1', 28n)).toBe(1n);
    expect(field('ID_AA64ISAR0_EL1', 44n)).toBe(1n);
    expect(field('ID_AA64ISAR0_EL1', 48n)).toBe(1n);
    expect(field('ID_AA64ISAR0_EL1', 52n)).toBe(1n);
    expect(field('ID_AA64ISAR1_EL1', 16n)).toBe(1n);
    expect(field('ID_AA64PFR0_EL1', 16n)).toBe(1n);
    expect(field('ID_AA64PFR0_EL1', 20n)).toBe(1n);
    expect(field('ID_AA64ISAR1_EL1', 20n)).toBe(2n);
    expect(field('ID_AA64ISAR1_EL1', 36n)).toBe(1n);
    expect(field('ID_AA64MMFR1_EL1', 8n)).toBe(1n);
    expect(onePe({ hasEl2: false }).mrs('ID_AA64MMFR1_EL1')! & 0xf00n).toBe(0n);
    expect(field('ID_AA64MMFR0_EL1', 28n)).toBe(0n);
    expect(field('ID_AA64MMFR0_EL1', 24n)).toBe(15n);
    expect(field('ID_AA64MMFR0_EL1', 20n)).toBe(0n);
  });

  it('shows EL1 the virtual identity that EL2 has written, and EL2 the real one', () => {
    const test = onePe({ hasEl3: false });
    test.msr('VPIDR_EL2', 0x1234n);
    test.msr('VMPIDR_EL2', 0x8000_0042n);
    expect(test.mrs('MPIDR_EL1')).toBe(0x8000_0000n);
    test.enter(1);
    expect(test.mrs('MIDR_EL1')).toBe(0x1234n);
    expect(test.mrs('MPIDR_EL1')).toBe(0x8000_0042n);
  });

  it('describes the cache that CSSELR_EL1 selects', () => {
    const test = onePe();
    const size = (selector: bigint): number => {
      test.msr('CSSELR_EL1', selector);
      const value = Number(test.mrs('CCSIDR_EL1'));
      return ((value >>> 13) + 1) * (((value >>> 3) & 0x3ff) + 1) * 2 ** ((value & 7) + 4);
    };
    expect(size(0n)).toBe(32 << 10);
    expect(size(1n)).toBe(32 << 10);
    expect(size(2n)).toBe(1 << 20);
  });

  it('prohibits DC ZVA at EL0 in DCZID_EL0.DZP until SCTLR_EL1.DZE permits it', () => {
    const test = onePe();
    expect(test.mrs('DCZID_EL0')).toBe(4n);
    test.enter(0);
    expect(test.mrs('DCZID_EL0')).toBe(0x14n);
    test.setRegister('SCTLR_EL1', test.register('SCTLR_EL1') | (1n << 14n));
    expect(test.mrs('DCZID_EL0')).toBe(4n);
  });

  it('reads reserved ID registers as zero', () => {
    const test = onePe().enter(1);
    expect(test.pe.readSystemRegister(systemKey(3, 0, 0, 4, 7))).toBe(exit.none);
    expect(test.scratch(0)).toBe(0n);
  });

  it.each([0, 1, 2, 3] as const)('has a place for registers that EL%i too reads without being asked', (el) => {
    const read = systemRegisters.filter(({ key }) => placeReadByAll(key) !== undefined);
    expect(read.map(({ name }) => name)).toContain('TPIDR_EL0');
    for (const { name, key } of read) {
      const test = onePe();
      // Everything is trapped that can be by setting a bit.
      for (const { register, mask, when, high } of Object.values<Trap>(traps)) {
        if (when === 'allClear') continue;
        test.setRegister(register, test.register(register) | (BigInt(mask >>> 0) << (high === true ? 32n : 0n)));
      }
      test.setRegister(name, 0x1234_5678_9abc_def0n);
      test.enter(el);
      expect(test.pe.readSystemRegister(key)).toBe(exit.none);
      expect(test.scratch(0)).toBe(test.memory.doublewords[(test.pe.base + (placeReadByAll(key) ?? 0)) / 8]);
    }
  });
});
