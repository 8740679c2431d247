import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accessFlag } from '../../src/arch/pe.ts';
import { ramBase } from '../../src/arch/state-layout.ts';
import { onePe, ramBytes, type TestPe } from './fixture.ts';
import { D, device, enableEl1, mair, type Tables, tablesFor, tcrEl1 } from './page-tables.ts';
import { enableStage2, identityStage2 } from './stage2-tables.ts';

const ram = BigInt(ramBase);
/** A page of data, below the tables. */
const dataPage = ram + 0x10_0000n;
const va = 0x7654_3210_0000n;
const normal = D.AF | D.innerShareable;

/** EL1 with stage 1 on. */
function el1(
  prepare: (tables: Tables, test: TestPe) => void,
  options: { TxSZ?: number; tcr?: bigint; startLevel?: 0 | 1 | 2 } = {},
): TestPe {
  const test = onePe();
  const tables = tablesFor(test, options.startLevel ?? 0);
  test.enter(1);
  prepare(tables, test);
  enableEl1(test, tables, options);
  return test;
}

/** The fault status code of an abort that has been taken to EL1. */
const fsc = (test: TestPe): number => test.syndrome(1).ISS & 0x3f;

describe('a translation table walk', () => {
  it('finds pages and blocks wherever they are mapped, and nothing else', () => {
    const level = fc.constantFrom(1 as const, 2 as const, 3 as const);
    const mapping = fc.record({
      level,
      slot: fc.nat(0x3fff),
      upper: fc.boolean(),
      output: fc.nat(0xff),
      offset: fc.nat(0x3fff_ffff),
    });
    fc.assert(
      fc.property(fc.array(mapping, { minLength: 1, maxLength: 8 }), (mappings) => {
        const test = onePe();
        const lower = tablesFor(test, 0);
        const upper = tablesFor(test, 0, ramBase + ramBytes - 0x10_0000);
        test.enter(1);
        enableEl1(test, lower, { upper });
        // One mapping for each 512 GiB, so that they do not overlap.
        const used = new Set<string>();
        const expected: { va: bigint; pa: bigint }[] = [];
        for (const { level: at, slot, upper: isUpper, output, offset } of mappings) {
          const top = BigInt(slot % 512);
          const place = `${isUpper} ${top}`;
          if (used.has(place)) continue;
          used.add(place);
          const size = 1n << BigInt(12 + 9 * (3 - at));
          const inside = BigInt(slot) % ((1n << 39n) / size);
          const base = (isUpper ? 0xffff_0000_0000_0000n : 0n) | (top << 39n) | (inside * size);
          const pa = (BigInt(output) * size) & 0x7fff_ffff_ffffn;
          (isUpper ? upper : lower).map(base, pa, normal | device, at);
          const delta = BigInt(offset) % size;
          expected.push({ va: base + delta, pa: pa + delta });
        }
        for (const { va: address, pa } of expected) {
          test.sys('AT S1E1R', address);
          const par = test.register('PAR_EL1');
          expect(par & 1n).toBe(0n);
          expect(par & 0xffff_ffff_f000n).toBe(pa & ~0xfffn);
          // The next 512 GiB are not mapped by this mapping.
          const elsewhere = address ^ (1n << 38n) ^ (1n << 33n);
          test.sys('AT S1E1R', elsewhere);
          expect(test.register('PAR_EL1') & 1n).toBe(1n);
        }
      }),
      { numRuns: 60, seed: 2 },
    );
  });

  it.each([
    { TxSZ: 16, startLevel: 0 as const, first: 0n, last: 0xffff_ffff_f000n },
    { TxSZ: 25, startLevel: 1 as const, first: 0n, last: 0x7f_ffff_f000n },
    { TxSZ: 30, startLevel: 1 as const, first: 0n, last: 0x3_ffff_f000n },
    { TxSZ: 34, startLevel: 2 as const, first: 0n, last: 0x3fff_f000n },
    { TxSZ: 39, startLevel: 2 as const, first: 0n, last: 0x1ff_f000n },
  ])(
    'with TxSZ $TxSZ begins at level $startLevel and covers the range exactly',
    ({ TxSZ, startLevel, first, last }) => {
      const test = el1(
        (tables) => {
          tables.map(first, dataPage, normal);
          tables.map(last, dataPage + 0x1000n, normal);
        },
        { TxSZ, startLevel },
      );
      test.setRam64(Number(dataPage) + 8, 0x1111n);
      test.setRam64(Number(dataPage) + 0x1008, 0x2222n);
      expect(test.load(first + 8n, 8)).toBe(0x1111n);
      expect(test.load(last + 8n, 8)).toBe(0x2222n);
      // TTBR1 has the same tables: its range ends at the top of the address space.
      const top = 0xffff_ffff_ffff_f000n;
      expect(test.load(top + 8n, 8)).toBe(0x2222n);
      expect(test.load(last + 0x1000n, 8)).toBeUndefined();
      expect(fsc(test)).toBe(0x04);
      expect(test.register('FAR_EL1')).toBe(last + 0x1000n);
    },
  );

  it.each([
    { what: 'an invalid descriptor', descriptor: 0n, level: 0 as const, FSC: 0x04 },
    { what: 'an invalid descriptor', descriptor: 2n, level: 1 as const, FSC: 0x05 },
    { what: 'an invalid descriptor', descriptor: 0n, level: 2 as const, FSC: 0x06 },
    { what: 'an invalid descriptor', descriptor: 0n, level: 3 as const, FSC: 0x07 },
    { what: 'a block', descriptor: dataPage | normal | 1n, level: 0 as const, FSC: 0x04 },
    { what: 'the reserved encoding', descriptor: dataPage | normal | 1n, level: 3 as const, FSC: 0x07 },
    { what: 'AF 0', descriptor: 0x4000_0001n, level: 1 as const, FSC: 0x09 },
    { what: 'AF 0', descriptor: dataPage | 3n, level: 3 as const, FSC: 0x0b },
    { what: 'a table outside RAM', descriptor: 0x0900_0003n, level: 1 as const, FSC: 0x16 },
  ])('reports $what at level $level', ({ descriptor, level, FSC }) => {
    const test = el1((tables) => tables.poke(va, level, descriptor));
    expect(test.load(va, 8)).toBeUndefined();
    expect(test.syndrome(1)).toEqual({ EC: 0x25, ISS: FSC });
    expect(test.store(va + 1n, 0n, 1)).not.toBe(0);
    expect(test.syndrome(1)).toEqual({ EC: 0x25, ISS: FSC | (1 << 6) });
    expect(test.register('FAR_EL1')).toBe(va + 1n);
  });

  it.each([
    { IPS: 0n, ok: 0xffff_f000n, far: 0x1_0000_0000n },
    { IPS: 1n, ok: 0xf_ffff_f000n, far: 0x10_0000_0000n },
    { IPS: 2n, ok: 0xff_ffff_f000n, far: 0x100_0000_0000n },
    { IPS: 3n, ok: 0x3ff_ffff_f000n, far: 0x400_0000_0000n },
    { IPS: 4n, ok: 0xfff_ffff_f000n, far: 0x1000_0000_0000n },
  ])('limits output addresses by TCR_EL1.IPS $IPS', ({ IPS, ok, far }) => {
    const test = el1((tables) => {
      tables.map(va, ok, normal);
      tables.map(va + 0x1000n, far, normal);
      tables.poke(va + 0x20_0000n, 2, far | 3n);
    });
    test.setRegister('TCR_EL1', (tcrEl1(16) & ~(7n << 32n)) | (IPS << 32n));
    test.sys('AT S1E1R', va);
    expect(test.register('PAR_EL1') & 0xffff_ffff_f001n).toBe(ok);
    expect(test.load(va + 0x1000n, 8)).toBeUndefined();
    expect(fsc(test)).toBe(0x03);
    expect(test.load(va + 0x20_0000n, 8)).toBeUndefined();
    expect(fsc(test)).toBe(0x02);
    test.setRegister('TTBR0_EL1', far);
    expect(test.load(va + 0x40_0000n, 8)).toBeUndefined();
    expect(fsc(test)).toBe(0x00);
  });

  it('is disabled by EPD0 and EPD1', () => {
    const test = el1((tables) => tables.map(0xffff_0000_0000n, dataPage, normal), { tcr: (1n << 7n) | (1n << 23n) });
    expect(test.load(0xffff_0000_0000n, 8)).toBeUndefined();
    expect(fsc(test)).toBe(0x04);
    expect(test.load(0xffff_ffff_0000_0000n, 8)).toBeUndefined();
    expect(fsc(test)).toBe(0x04);
  });

  it('refuses addresses that are in neither range', () => {
    const test = el1((tables) => tables.map(va, dataPage, normal));
    for (const tag of [1n << 48n, 1n << 55n, 0xa5n << 56n, 0xfffe_0000_0000_0000n]) {
      expect(test.load(va | tag, 8)).toBeUndefined();
      expect(fsc(test)).toBe(0x04);
    }
  });

  it('ignores the tag of an address where TBI0 or TBI1 says so', () => {
    const test = el1(
      (tables) => {
        tables.map(va, dataPage, normal);
        tables.map(0xffff_8000_0000_0000n, dataPage, normal);
      },
      { tcr: (1n << 37n) | (1n << 38n) },
    );
    test.setRam64(Number(dataPage), 0x1234n);
    expect(test.load(va | (0xa5n << 56n), 8)).toBe(0x1234n);
    expect(test.load(0x12ff_8000_0000_0000n, 8)).toBe(0x1234n);
    expect(test.load(va | (1n << 48n), 8)).toBeUndefined();
    test.setRegister('TCR_EL1', tcrEl1(16, 1n << 38n));
    expect(test.load(va | (0xa5n << 56n), 8)).toBeUndefined();
  });

  it('removes the tag of PC', () => {
    const test = el1((tables) => tables.map(va, dataPage, normal), { tcr: 1n << 37n });
    test.pc = va | (0x5an << 56n);
    expect(test.pe.translateFetch()).toBe(Number(dataPage));
    expect(test.pc).toBe(va);
  });

  it('takes a contiguous group as one entry', () => {
    const test = el1((tables) => {
      for (let page = 0n; page < 16n; page++)
        tables.map(va + page * 0x1000n, dataPage + page * 0x1000n, normal | D.contiguous);
      tables.poke(va + 0x5000n, 3, 0n);
    });
    test.setRam64(Number(dataPage) + 0x5000, 0x55n);
    expect(test.load(va + 0x5000n, 8)).toBeUndefined();
    expect(test.load(va + 0x2000n, 8)).toBe(0n);
    // The entry of any page of the group translates all of them.
    expect(test.load(va + 0x5000n, 8)).toBe(0x55n);
  });
});

describe('permissions', () => {
  const can = (test: TestPe, address: bigint, flags = 0): string => {
    const el = test.pe.currentEl();
    const back = (): void => {
      if (test.pe.currentEl() !== el) test.enter(el as 0 | 1);
    };
    let result = '';
    if (test.load(address, 8, flags) !== undefined) result += 'r';
    back();
    const before = test.pe.exceptionsTaken.join();
    test.store(address, 0n, 8, flags);
    if (before === test.pe.exceptionsTaken.join()) result += 'w';
    back();
    test.pc = address;
    if (test.pe.translateFetch() >= 0) result += 'x';
    back();
    return result;
  };

  // The access permissions of stage 1 with one descriptor, by AP[2:1] and XN bits: EL1, then EL0.
  it.each([
    { AP: 'rw, none', fields: 0n, el1: 'rwx', el0: 'x' },
    { AP: 'rw, rw', fields: D.user, el1: 'rw', el0: 'rwx' },
    { AP: 'ro, none', fields: D.readOnly, el1: 'rx', el0: 'x' },
    { AP: 'ro, ro', fields: D.readOnly | D.user, el1: 'rx', el0: 'rx' },
    { AP: 'rw, none, UXN', fields: D.UXN, el1: 'rwx', el0: '' },
    { AP: 'rw, none, PXN', fields: D.PXN, el1: 'rw', el0: 'x' },
    { AP: 'rw, rw, UXN, PXN', fields: D.user | D.UXN | D.PXN, el1: 'rw', el0: 'rw' },
    { AP: 'rw, none, Device', fields: device, el1: 'rw', el0: '' },
  ])('AP $AP: EL1 $el1, EL0 $el0', ({ fields, el1: privileged, el0 }) => {
    const test = el1((tables) => tables.map(va, dataPage, normal | fields));
    expect(can(test, va)).toBe(privileged);
    test.enter(0);
    expect(can(test, va)).toBe(el0);
  });

  it.each([
    { by: 'APTable: no EL0', fields: D.user, table: D.APTableNoUser, el1: 'rwx', el0: 'x' },
    { by: 'APTable: read-only', fields: D.user, table: D.APTableReadOnly, el1: 'rx', el0: 'rx' },
    { by: 'UXNTable', fields: D.user, table: D.UXNTable, el1: 'rw', el0: 'rw' },
    { by: 'PXNTable', fields: D.readOnly | D.user, table: D.PXNTable, el1: 'r', el0: 'rx' },
  ])('are limited by $by, unless TCR_EL1.HPD0 says otherwise', ({ fields, table, el1: privileged, el0 }) => {
    const map = (tables: Tables): void => tables.map(va, dataPage, normal | fields, 3, table);
    const test = el1(map);
    expect(can(test, va)).toBe(privileged);
    test.enter(0);
    expect(can(test, va)).toBe(el0);
    const without = el1(map, { tcr: 1n << 41n });
    const plain = el1((tables) => tables.map(va, dataPage, normal | fields));
    expect(can(without, va)).toBe(can(plain, va));
  });

  it('with SCTLR_EL1.WXN make what is writable not executable', () => {
    const test = el1((tables) => {
      tables.map(va, dataPage, normal);
      tables.map(va + 0x1000n, dataPage, normal | D.readOnly);
    });
    test.setRegister('SCTLR_EL1', test.register('SCTLR_EL1') | (1n << 19n));
    expect(can(test, va)).toBe('rw');
    expect(can(test, va + 0x1000n)).toBe('rx');
  });

  it('with PSTATE.PAN keep EL1 from what EL0 may access, except by LDTR and STTR', () => {
    const test = el1((tables) => {
      tables.map(va, dataPage, normal | D.user | D.PXN);
      tables.map(va + 0x1000n, dataPage, normal | D.PXN);
    });
    expect(can(test, va)).toBe('rw');
    test.pe.msrImmediate(0, 4, 1);
    expect(can(test, va)).toBe('');
    expect(fsc(test)).toBe(0x0f);
    expect(can(test, va, accessFlag.unprivileged)).toBe('rw');
    expect(can(test, va + 0x1000n)).toBe('rw');
    test.pe.msrImmediate(0, 4, 0);
    expect(can(test, va)).toBe('rw');
  });

  it('of LDTR and STTR at EL1 are those of EL0, unless PSTATE.UAO is set', () => {
    const test = el1((tables) => tables.map(va, dataPage, normal | D.PXN));
    expect(can(test, va, accessFlag.unprivileged)).toBe('');
    expect(fsc(test)).toBe(0x0f);
    test.pe.msrImmediate(0, 3, 1);
    expect(can(test, va, accessFlag.unprivileged)).toBe('rw');
  });

  it('of an atomic are both; WnR tells which one is missing', () => {
    const test = el1((tables) => {
      tables.map(va, dataPage, normal | D.readOnly);
    });
    expect(test.load(va, 8, accessFlag.atomic | accessFlag.aligned)).toBeUndefined();
    expect(test.syndrome(1).ISS).toBe(0x0f | (1 << 6));
    expect(test.load(va + 0x1000n, 8, accessFlag.atomic | accessFlag.aligned)).toBeUndefined();
    expect(test.syndrome(1).ISS).toBe(0x07);
  });

  it('of EL2 and EL3 know no EL0: AP[1] and PXN do not count', () => {
    for (const el of [2, 3] as const) {
      const test = onePe();
      const tables = tablesFor(test);
      tables.map(va, dataPage, normal | D.user);
      tables.map(va + 0x1000n, dataPage, normal | D.user | D.readOnly | D.UXN);
      tables.map(va + 0x2000n, dataPage, normal | D.PXN);
      test.enter(el);
      test.setRegister(`MAIR_EL${el}`, mair);
      test.setRegister(`TCR_EL${el}`, 16n | (5n << 16n));
      test.setRegister(`TTBR0_EL${el}`, tables.root);
      test.setRegister(`SCTLR_EL${el}`, 1n);
      expect(can(test, va)).toBe('rwx');
      expect(can(test, va + 0x1000n)).toBe('r');
      expect(can(test, va + 0x2000n)).toBe('rwx');
      // There is one range only.
      expect(test.load(0xffff_8000_0000_0000n, 8)).toBeUndefined();
      expect(test.syndrome(el).ISS).toBe(0x04);
    }
  });

  it('keep Secure state from executing Non-secure memory where SCR_EL3.SIF is set', () => {
    const test = onePe();
    const tables = tablesFor(test);
    tables.map(va, dataPage, normal | D.NS);
    test.setRegister('MAIR_EL3', mair);
    test.setRegister('TCR_EL3', 16n | (5n << 16n));
    test.setRegister('TTBR0_EL3', tables.root);
    test.setRegister('SCTLR_EL3', 1n);
    test.pc = va;
    expect(test.pe.translateFetch()).toBe(Number(dataPage));
    test.setRegister('SCR_EL3', 1n << 9n);
    expect(test.pe.translateFetch()).toBe(-1);
    expect(test.syndrome(3)).toEqual({ EC: 0x21, ISS: 0x0f });
  });
});

describe('with stage 1 off', () => {
  it('an address is its own physical address, and data is Device-nGnRnE', () => {
    const test = onePe().enter(1);
    test.setRam64(Number(dataPage), 0xabcdn);
    expect(test.load(dataPage, 8)).toBe(0xabcdn);
    expect(test.load(dataPage + 1n, 2)).toBeUndefined();
    expect(test.syndrome(1)).toEqual({ EC: 0x25, ISS: 0x21 });
    test.sys('AT S1E1R', dataPage);
    expect(test.register('PAR_EL1')).toBe(dataPage | 0x900n);
  });

  it('an address beyond the physical ones is an Address size fault', () => {
    const test = onePe().enter(1);
    expect(test.load(1n << 48n, 8)).toBeUndefined();
    expect(test.syndrome(1)).toEqual({ EC: 0x25, ISS: 0x00 });
    test.pc = 0xffff_0000_4000_0000n;
    expect(test.pe.translateFetch()).toBe(-1);
    expect(test.syndrome(1)).toEqual({ EC: 0x21, ISS: 0x00 });
  });

  it('by HCR_EL2.DC, data is Normal and needs no alignment', () => {
    const test = onePe();
    enableStage2(test, identityStage2(test).root, { hcr: 1n << 12n });
    test.enter(1);
    test.setRam64(Number(dataPage), 0x1122_3344n);
    expect(test.load(dataPage + 1n, 2)).toBe(0x2233n);
  });

  it('by HCR_EL2.TGE, EL0 is not translated', () => {
    const test = onePe();
    test.setRegister('SCTLR_EL1', 1n);
    test.setRegister('HCR_EL2', 1n << 27n);
    test.enter(0);
    expect(test.load(dataPage, 8)).toBe(0n);
  });
});

describe('AT', () => {
  it('reports address, attributes and shareability in PAR_EL1', () => {
    const test = el1((tables) => {
      tables.map(va, dataPage, normal);
      tables.map(va + 0x1000n, 0x0900_0000n, D.AF | device);
      tables.map(va + 0x2000n, dataPage, normal | D.AttrIndx(2));
    });
    const par = (address: bigint): bigint => {
      test.sys('AT S1E1R', address);
      return test.register('PAR_EL1');
    };
    expect(par(va + 0x123n)).toBe((0xffn << 56n) | dataPage | (1n << 11n) | (3n << 7n));
    expect(par(va + 0x1000n)).toBe(0x0900_0000n | (1n << 11n) | (2n << 7n));
    expect(par(va + 0x2000n)).toBe((0x44n << 56n) | dataPage | (1n << 11n) | (2n << 7n));
    expect(par(va + 0x3000n)).toBe((1n << 11n) | (0x07n << 1n) | 1n);
  });

  it('asks with the permissions that it names', () => {
    const test = el1((tables) => tables.map(va, dataPage, normal | D.readOnly));
    const isFault = (operation: string): boolean => {
      test.sys(operation, va);
      return (test.register('PAR_EL1') & 1n) !== 0n;
    };
    expect(isFault('AT S1E1R')).toBe(false);
    expect(isFault('AT S1E1W')).toBe(true);
    expect(isFault('AT S1E0R')).toBe(true);
    expect((test.register('PAR_EL1') >> 1n) & 0x3fn).toBe(0x0fn);
    expect(test.pe.exceptionsTaken[1]).toBe(0);
  });

  it('S1E1RP obeys PSTATE.PAN, S1E1R does not', () => {
    const test = el1((tables) => tables.map(va, dataPage, normal | D.user));
    test.pe.msrImmediate(0, 4, 1);
    test.sys('AT S1E1R', va);
    expect(test.register('PAR_EL1') & 1n).toBe(0n);
    test.sys('AT S1E1RP', va);
    expect(test.register('PAR_EL1') & 1n).toBe(1n);
  });

  it('takes an external abort on its walk as an exception', () => {
    const test = el1((tables) => tables.poke(va, 1, 0x0900_0003n));
    test.sys('AT S1E1R', va);
    expect(test.syndrome(1)).toEqual({ EC: 0x25, ISS: 0x16 | (1 << 8) | (1 << 6) });
  });
});
