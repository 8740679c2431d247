import { describe, expect, it } from 'vitest';
import { loadStoreSyndrome } from '../../src/arch/load-store-syndrome.ts';
import { accessFlag } from '../../src/arch/pe.ts';
import { ramBase } from '../../src/arch/state-layout.ts';
import { codeAddress, onePe, type TestPe } from './fixture.ts';
import { D, device, enableEl1, type Tables, tablesFor } from './page-tables.ts';
import { deviceS2, enableStage2, identityStage2, normalS2, S2, stage2Tables, vtcr } from './stage2-tables.ts';

const ram = BigInt(ramBase);
const dataPage = ram + 0x10_0000n;
const va = 0x12_3456_7000n;
const ipa = 0x1_0020_3000n;
const normal = D.AF | D.innerShareable;
const SCR_HCE = 1n << 8n;
const HCR = { VM: 1n, PTW: 1n << 2n, DC: 1n << 12n, CD: 1n << 32n } as const;

interface Nested {
  readonly test: TestPe;
  readonly stage1: Tables;
  readonly stage2: Tables;
}

/** EL1 with `va` mapped to `ipa`, and `ipa` to `dataPage`; RAM is mapped to itself, so that stage 1 finds its tables. */
function nested(options: { fields1?: bigint; fields2?: bigint; hcr?: bigint; stage1On?: boolean } = {}): Nested {
  const test = onePe();
  const stage1 = tablesFor(test);
  const stage2 = identityStage2(test);
  stage1.map(va, ipa, options.fields1 ?? normal);
  stage2.map(ipa, dataPage, options.fields2 ?? normalS2);
  test.setRegister('SCR_EL3', test.register('SCR_EL3') | SCR_HCE);
  enableStage2(test, stage2.root, { hcr: options.hcr ?? HCR.VM });
  test.enter(1);
  if (options.stage1On !== false) enableEl1(test, stage1);
  test.setRam64(Number(dataPage), 0x1122_3344_5566_7788n);
  return { test, stage1, stage2 };
}

const hpfar = (address: bigint): bigint => (address >> 12n) << 4n;
/** Without ISV and what goes with it. */
const plainIss = (test: TestPe, el = 2): number => test.syndrome(el).ISS & 0x3ff;

describe('stage 2', () => {
  it('translates what stage 1 has translated, and what it would have', () => {
    expect(nested().test.load(va, 8)).toBe(0x1122_3344_5566_7788n);
    expect(nested({ stage1On: false }).test.load(ipa, 8)).toBe(0x1122_3344_5566_7788n);
  });

  it('is off at EL2 and EL3, and in Secure state', () => {
    const secure = onePe();
    enableStage2(secure, stage2Tables(secure).root);
    secure.enterSecure(1);
    expect(secure.load(dataPage, 8)).toBe(0n);
    const atEl2 = onePe();
    enableStage2(atEl2, stage2Tables(atEl2).root);
    expect(atEl2.load(dataPage, 8)).toBe(0n);
    expect(atEl2.enter(2).load(dataPage, 8)).toBe(0n);
  });

  it('reports the level of its own descriptor on a walk of stage 1, not the level of the walk', () => {
    const { test, stage1, stage2 } = nested();
    // The level 1 table of another VA is in a page that stage 2 does not map, below a table of level 3.
    stage1.poke(1n << 40n, 0, (ipa + 0x5000n) | 3n);
    expect(test.load((1n << 40n) + 8n, 8)).toBeUndefined();
    expect(plainIss(test)).toBe((1 << 7) | 0x07);
    expect(test.register('HPFAR_EL2')).toBe(hpfar(ipa + 0x5000n));
    expect(test.register('FAR_EL2')).toBe((1n << 40n) + 8n);
    stage2.map(ipa + 0x5000n, dataPage, S2.MemAttr(15) | S2.write | S2.AF);
    test.enter(1);
    test.store((1n << 40n) + 8n, 1n, 8);
    expect(plainIss(test)).toBe((1 << 7) | (1 << 6) | 0x0f);
  });

  it('has HPFAR_EL2 for every fault but Permission, and leaves it alone there', () => {
    const { test, stage2 } = nested();
    stage2.map(ipa, dataPage, S2.MemAttr(15) | S2.write | S2.AF);
    test.setRegister('HPFAR_EL2', 0x1230n);
    test.load(va, 8);
    expect(plainIss(test)).toBe(0x0f);
    expect(test.register('HPFAR_EL2')).toBe(0x1230n);
  });

  it.each([
    { what: 'a store', run: (test: TestPe) => test.store(va + 1n, 1n, 4) },
    { what: 'a load', run: (test: TestPe) => test.load(va + 1n, 4) },
  ])('makes memory Device for $what: an unaligned one is an Alignment fault to EL2', ({ what, run }) => {
    const { test } = nested({ fields2: deviceS2 });
    run(test);
    expect(test.syndrome(2).EC).toBe(0x24);
    expect(plainIss(test)).toBe(0x21 | (what === 'a store' ? 1 << 6 : 0));
  });

  it('does not hide the Alignment fault of stage 1', () => {
    const { test } = nested({ fields1: D.AF | device, fields2: deviceS2 });
    test.load(va + 1n, 4);
    expect(test.syndrome(1)).toEqual({ EC: 0x25, ISS: 0x21 });
  });

  it('makes DC ZVA to its Device memory an Alignment fault', () => {
    const { test } = nested({ fields2: deviceS2 });
    test.sys('DC ZVA', va);
    expect(plainIss(test)).toBe(0x21 | (1 << 6));
  });

  it('does not let Device memory be executed', () => {
    const { test } = nested({ fields2: deviceS2 });
    test.pc = va;
    expect(test.pe.translateFetch()).toBe(-1);
    expect(test.syndrome(2)).toEqual({ EC: 0x20, ISS: 0x0f });
  });

  it('checks both permissions of an atomic, and blames the read where it is missing', () => {
    const { test } = nested({ fields2: S2.MemAttr(15) | S2.write | S2.AF });
    test.load(va, 8, accessFlag.atomic);
    expect(plainIss(test)).toBe(0x0f);
    const other = nested({ fields2: S2.MemAttr(15) | S2.read | S2.AF }).test;
    other.load(va, 8, accessFlag.atomic);
    expect(plainIss(other)).toBe(0x0f | (1 << 6));
  });

  it('reports cache maintenance with CM and without ISV', () => {
    const { test, stage2 } = nested();
    stage2.poke(ipa, 3, 0n);
    test.sys('DC CIVAC', va);
    expect(test.syndrome(2)).toEqual({ EC: 0x24, ISS: (1 << 8) | (1 << 6) | 0x07 });
  });

  it('whose table is not in RAM is an external abort to EL2', () => {
    const { test, stage2 } = nested();
    stage2.poke(ipa, 1, 0x0900_0003n);
    test.load(va, 8);
    expect(test.syndrome(2)).toEqual({ EC: 0x24, ISS: 0x16 });
  });

  it('treats tables of stage 1 in its Device memory as Normal, unless HCR_EL2.PTW protects them', () => {
    for (const { hcr, isPermitted } of [
      { hcr: HCR.VM, isPermitted: true },
      { hcr: HCR.VM | HCR.PTW, isPermitted: false },
    ]) {
      const { test, stage2 } = nested({ hcr });
      stage2.map(ram, ram, deviceS2, 1);
      expect(test.load(va, 8) !== undefined).toBe(isPermitted);
      if (!isPermitted) expect(plainIss(test)).toBe((1 << 7) | 0x0d);
    }
  });

  it.each([
    { T0SZ: 16, SL0: 2, address: 0xffff_ffff_f000n, startLevel: 0 as const },
    { T0SZ: 25, SL0: 1, address: 0x7f_ffff_f000n, startLevel: 1 as const },
    { T0SZ: 34, SL0: 0, address: 0x3fff_f000n, startLevel: 2 as const },
  ])('covers the IPAs of T0SZ $T0SZ from SL0 $SL0 exactly', ({ T0SZ, SL0, address, startLevel }) => {
    const test = onePe();
    const tables = tablesFor(test, startLevel);
    tables.map(address, dataPage, normalS2);
    enableStage2(test, tables.root, { vtcr: vtcr(T0SZ, SL0) });
    test.enter(1);
    expect(test.load(address, 8)).toBe(0n);
    if (T0SZ === 16) return;
    test.load(address + 0x1000n, 8);
    expect(plainIss(test)).toBe(0x04);
    expect(test.register('HPFAR_EL2')).toBe(hpfar(address + 0x1000n));
  });

  it.each([
    { T0SZ: 24, SL0: 0 },
    { T0SZ: 16, SL0: 1 },
    { T0SZ: 25, SL0: 2 },
    { T0SZ: 25, SL0: 3 },
  ])('with T0SZ $T0SZ and SL0 $SL0, which do not fit, is a Translation fault of level 0', ({ T0SZ, SL0 }) => {
    const test = onePe();
    enableStage2(test, identityStage2(test).root, { vtcr: vtcr(T0SZ, SL0) });
    test.enter(1);
    test.load(dataPage, 8);
    expect(plainIss(test)).toBe(0x04);
  });

  it('has up to sixteen concatenated tables', () => {
    const test = onePe();
    const root = ram + 0x20_0000n;
    // Entry 512 * 15 + 3 of level 1: the last of 16 tables.
    test.setRam64(Number(root) + 8 * (512 * 15 + 3), ram | normalS2 | 1n);
    enableStage2(test, root | 0x8000n, { vtcr: vtcr(21, 1) });
    test.enter(1);
    test.setRam64(Number(dataPage), 5n);
    expect(test.load((BigInt(512 * 15 + 3) << 30n) + (dataPage - ram), 8)).toBe(5n);
  });

  it('limits its addresses to VTCR_EL2.PS', () => {
    const test = onePe();
    const tables = identityStage2(test);
    tables.map(ipa, 1n << 32n, normalS2);
    enableStage2(test, tables.root, { vtcr: vtcr(25, 1) & ~(7n << 16n) });
    test.enter(1);
    test.load(ipa, 8);
    expect(plainIss(test)).toBe(0x03);
  });
});

describe('attributes of both stages', () => {
  // Of each type what the Arm ARM calls it; of Normal memory, its inner and outer cacheability.
  const stage1Types = { 0x00: 'nGnRnE', 0x04: 'nGnRE', 0x08: 'nGRE', 0x0c: 'GRE' } as const;
  const strictness = ['nGnRnE', 'nGnRE', 'nGRE', 'GRE'];

  it('are the stricter of the two, for every MemAttr', () => {
    const mairs = [0x00, 0x04, 0x08, 0x0c, 0x44, 0xff, 0xbb, 0x4f];
    const { test, stage1, stage2 } = nested();
    test.setRegister(
      'MAIR_EL1',
      mairs.reduce((sum, value, index) => sum | (BigInt(value) << BigInt(8 * index)), 0n),
    );
    test.pe.hvc(0);
    for (const [index, mair] of mairs.entries()) {
      for (const MemAttr of [0, 1, 2, 3, 5, 6, 7, 9, 10, 11, 13, 14, 15]) {
        stage1.map(va, ipa, D.AF | D.AttrIndx(index));
        stage2.map(ipa, dataPage, S2.MemAttr(MemAttr) | S2.readWrite | S2.AF);
        test.sys('TLBI ALLE1');
        test.sys('AT S12E1R', va);
        const par = test.register('PAR_EL1');
        const device1 = (stage1Types as Record<number, string>)[mair];
        const device2 = MemAttr < 4 ? strictness[MemAttr] : undefined;
        let expected: number;
        if (device1 !== undefined || device2 !== undefined) {
          const types = [device1, device2].filter((type) => type !== undefined);
          expected = 4 * Math.min(...types.map((type) => strictness.indexOf(type)));
        } else {
          // 1 Non-cacheable, 2 Write-Through, 3 Write-Back; these MAIRs have all hints set.
          const kind = (nibble: number): number => (nibble === 4 ? 1 : nibble === 0xb ? 2 : 3);
          const nibbleOf = [0, 4, 0xb, 0xf];
          const outer = nibbleOf[Math.min(kind(mair >> 4), MemAttr >> 2)]!;
          expected = (outer << 4) | nibbleOf[Math.min(kind(mair & 15), MemAttr & 3)]!;
        }
        expect([mair, MemAttr, Number(par >> 56n)]).toEqual([mair, MemAttr, expected]);
      }
    }
  });

  it('are Non-cacheable with HCR_EL2.CD', () => {
    const { test } = nested({ hcr: HCR.VM | HCR.CD });
    test.pe.hvc(0);
    test.sys('AT S1E1R', va);
    expect(test.register('PAR_EL1') >> 56n).toBe(0xffn);
    test.sys('AT S12E1R', va);
    expect(test.register('PAR_EL1') >> 56n).toBe(0x44n);
    expect((test.register('PAR_EL1') >> 7n) & 3n).toBe(2n);
  });
});

describe('the syndrome of a load or store', () => {
  it.each([
    { text: 'ldr w3, <literal>', word: 0x18000003, fields: { SAS: 2, SSE: 0, SRT: 3, SF: 0 } },
    { text: 'ldr x3, <literal>', word: 0x58000003, fields: { SAS: 3, SSE: 0, SRT: 3, SF: 1 } },
    { text: 'ldrsw x3, <literal>', word: 0x98000003, fields: { SAS: 2, SSE: 1, SRT: 3, SF: 1 } },
  ])('describes $text', ({ word, fields }) => {
    const { SAS, SSE, SRT, SF } = fields;
    expect(loadStoreSyndrome(word)).toBe((1 << 24) | (SAS << 22) | (SSE << 21) | (SRT << 16) | (SF << 15));
  });

  it.each([
    { text: 'prfm <literal>', word: 0xd8000003 },
    { text: 'ldr d3, <literal>', word: 0x5c000003 },
    { text: 'add x0, x0, x1', word: 0x8b010000 },
  ])('says nothing of $text', ({ word }) => {
    expect(loadStoreSyndrome(word)).toBe(0);
  });

  it('reads the instruction through both stages', () => {
    const { test, stage1, stage2 } = nested();
    stage1.map(codeAddress, codeAddress, normal | D.readOnly);
    stage2.poke(ipa, 3, 0n);
    // LDRB W7, [X1].
    test.memory.words[Number(codeAddress) / 4] = 0x39400027;
    test.load(va, 1);
    expect(test.syndrome(2).ISS).toBe((1 << 24) | (7 << 16) | 0x07);
  });
});
