import { describe, expect, it } from 'vitest';
import { accessBit, substreamValid } from '../../../actors/smmu/lti.ts';
import { leaf, Tables, writeCd, writeSte } from './ram.ts';
import { config, nestedSystem, stage1System, stage2System, stream } from './streams.ts';
import { intids, SmmuSystem } from './system.ts';

const write = { access: accessBit.write };

describe('the SMMU that is off', () => {
  it('lets everything pass, or aborts it as SMMU_GBPA says', () => {
    const system = new SmmuSystem([stream]);
    system.write('CR0', 0);
    system.run();
    expect(system.read('CR0ACK')).toBe(0);
    expect(system.translate(0x1234_5678)).toBe(0x1234_5678);
    expect(system.translate(1n << 48n)).toBeUndefined();
    system.write('GBPA', 0x8010_1000);
    expect(system.read('GBPA') >>> 31).toBe(1);
    system.run();
    expect(system.read('GBPA')).toBe(0x10_1000);
    expect(system.translate(0x1234_5678)).toBeUndefined();
    expect(system.takeEvents()).toEqual([]);
  });

  it('ignores GBPA without UPDATE', () => {
    const system = new SmmuSystem([stream]);
    system.write('GBPA', 0x10_0000);
    expect(system.read('GBPA')).toBe(0x1000);
  });

  it('uses no translation any more when CR0ACK says so', () => {
    const { system, page } = stage1System();
    expect(system.translate(0x8000)).toBe(page);
    system.write('CR0', 0b1100);
    expect(system.read('CR0ACK')).toBe(0b1101);
    system.run();
    expect(system.read('CR0ACK')).toBe(0b1100);
    expect(system.translate(0x8000)).toBe(0x8000);
  });
});

describe('a stream', () => {
  it('passes untranslated with Config bypass, up to the output address size', () => {
    const system = new SmmuSystem([stream]);
    writeSte(system.ram, system.ste(stream), { config: config.bypass });
    expect(system.translate(0xabc_def0)).toBe(0xabc_def0);
    expect(system.translate(1n << 50n)).toBeUndefined();
    expect(system.takeEvents()).toEqual([[0x11, stream, 0, (2 << 8) | (1 << 3), 0, 1 << 18, 0, 0]]);
  });

  it('ends silently with Config abort', () => {
    const system = new SmmuSystem([stream]);
    writeSte(system.ram, system.ste(stream), { config: config.abort });
    expect(system.translate(0x1000)).toBeUndefined();
    expect(system.takeEvents()).toEqual([]);
  });

  it('is bad beyond the table, which is recorded if RECINVSID says so', () => {
    const system = new SmmuSystem([16]);
    expect(system.translate(0x1000)).toBeUndefined();
    expect(system.takeEvents()).toEqual([[0x02, 16, 0, 0, 0, 0, 0, 0]]);
    system.write('CR0', 0b1100);
    system.write('CR2', 0);
    system.write('CR0', 0b1101);
    expect(system.translate(0x1000)).toBeUndefined();
    expect(system.takeEvents()).toEqual([]);
  });

  it('has an invalid entry where V is clear or a field is ILLEGAL', () => {
    const system = new SmmuSystem([stream]);
    const { ram, pages } = system;
    const good = { config: config.nested, contexts: pages.take(), stage2Table: pages.take() };
    const bad: (readonly [string, object])[] = [
      ['V', { more: [[0, 1]] }],
      ['S2AA64', { more: [[5, 1 << 19]] }],
      ['S2ENDI', { more: [[5, 1 << 20]] }],
      ['S2HA', { more: [[5, 1 << 24]] }],
      ['S2S', { more: [[5, 1 << 25]] }],
      ['S2TG', { more: [[5, 1 << 14]] }],
      ['S1STALLD', { more: [[2, 1 << 27]] }],
      ['S1CDMax', { s1cdMax: 9 }],
      ['S2SL0 for S2T0SZ', { sl0: 2 }],
      ['S2T0SZ', { t0sz: 40 }],
      ['S2TTB beyond S2PS', { ps: 0, stage2Table: 2 ** 32 }],
    ];
    for (const [what, fields] of bad) {
      writeSte(ram, system.ste(stream), { ...good, ...fields });
      expect(system.translate(0), what).toBeUndefined();
      expect(system.takeEvents(), what).toEqual([[0x04, stream, 0, 0, 0, 0, 0, 0]]);
    }
    writeSte(ram, system.ste(stream), { config: config.stage1, strw: 1 });
    system.translate(0);
    expect(system.takeEvents()[0]?.[0]).toBe(0x04);
  });

  it('whose entry cannot be read is F_STE_FETCH, with the address', () => {
    const system = new SmmuSystem([stream]);
    system.write('CR0', 0b1100);
    system.write('STRTAB_BASE', 0x8000_0000);
    system.write('CR0', 0b1101);
    expect(system.translate(0)).toBeUndefined();
    expect(system.takeEvents()).toEqual([[0x03, stream, 0, 0, 0, 0, 0x8000_00c0, 0]]);
  });

  it('is found in a 2-level table, within the span of its descriptor', () => {
    const system = new SmmuSystem([0x145, 0x181, 0x241, 0x2c0]);
    const { ram, pages } = system;
    system.write('CR0', 0b1100);
    system.write('STRTAB_BASE_CFG', 16 | (6 << 6) | (1 << 16));
    const level1 = pages.take(4, 0x4000);
    system.write('STRTAB_BASE', level1);
    system.write('CR0', 0b1101);
    const level2 = pages.take();
    ram.writeDoubleword(level1 + 8 * (0x145 >> 6), BigInt(level2) | 7n);
    ram.writeDoubleword(level1 + 8 * (0x181 >> 6), BigInt(level2) | 1n);
    ram.writeDoubleword(level1 + 8 * (0x241 >> 6), BigInt(level2) | 8n);
    writeSte(ram, level2 + 64 * (0x145 & 63), { config: config.bypass });
    expect(system.translate(0x1000, { device: 0 })).toBe(0x1000);
    // Out of the span; a span longer than SPLIT allows; no span at all.
    for (const device of [1, 2, 3]) expect(system.translate(0x1000, { device })).toBeUndefined();
    expect(system.takeEvents().map(([word, streamId]) => [word, streamId])).toEqual([
      [2, 0x181],
      [2, 0x241],
      [2, 0x2c0],
    ]);
  });
});

describe('stage 1', () => {
  it('maps pages and blocks', () => {
    const { system, page } = stage1System();
    expect(system.translate(0x8000)).toBe(page);
    expect(system.translate(0x8abc, write)).toBe(page + 0xabc);
    expect(system.translate(0x4012_3456)).toBe(0x32_3456);
    expect(system.takeEvents()).toEqual([]);
  });

  it('translates the upper half of the VA space by TTB1, and checks the sign extension', () => {
    const { system, ram, pages, tables, cd } = stage1System();
    const upper = new Tables(ram, pages, 1);
    const page = pages.take();
    upper.map(0x3000, page, leaf.userWritable);
    writeCd(ram, cd, { table: tables.root, upperTable: upper.root });
    const inUpper = 0xffff_ff80_0000_3000n;
    expect(system.translate(inUpper)).toBe(page);
    expect(system.translate(inUpper & ~(1n << 63n))).toBeUndefined();
    expect(system.translate(inUpper & ~(1n << 40n))).toBeUndefined();
    expect(system.translate(0x80_0000_8000n)).toBeUndefined();
    expect(system.takeEvents().map(([word]) => word)).toEqual([0x10, 0x10, 0x10]);
    // TBI1.
    writeCd(ram, cd, { table: tables.root, upperTable: upper.root, more: [[1, 1 << 7]] });
    system.command([0x05, stream]);
    expect(system.translate(inUpper & ~(1n << 63n))).toBe(page);
    expect(system.translate(inUpper)).toBe(page);
  });

  it.each([
    ['F_TRANSLATION where nothing is mapped', 0x10, 0n],
    ['F_ACCESS where AF is clear', 0x12, leaf.notAccessed],
    ['F_PERMISSION for a write to what is read-only', 0x13, leaf.userReadable],
    ['F_PERMISSION for unprivileged access to what is not for EL0', 0x13, leaf.privilegedWritable],
    ['F_ADDR_SIZE for an output beyond IPS', 0x11, leaf.userWritable | (1n << 47n)],
  ])('records %s', (_what, number, attributes) => {
    const { system, tables, ram, pages, cd } = stage1System();
    writeCd(ram, cd, { table: tables.root, ips: 4 });
    tables.map(0x9000, attributes === 0n ? 0 : pages.take(), attributes);
    expect(system.translate(0x9123, write)).toBeUndefined();
    expect(system.takeEvents()).toEqual([[number, stream, 0, 2 << 8, 0x9123, 0, 0, 0]]);
    expect(system.interrupts).toEqual([intids.eventq]);
  });

  it('lets a privileged access use what is not for EL0, unless PAN forbids what is', () => {
    const { system, tables, ram, cd } = stage1System();
    const privileged = { access: accessBit.read | accessBit.privileged };
    tables.map(0x9000, 0x20_0000, leaf.privilegedWritable);
    expect(system.translate(0x9000, privileged)).toBe(0x20_0000);
    expect(system.translate(0x8000, privileged)).toBeDefined();
    writeCd(ram, cd, { table: tables.root, more: [[1, 1 << 8]] });
    system.command([0x05, stream], [0x10, 9]);
    expect(system.translate(0x9000, privileged)).toBe(0x20_0000);
    expect(system.translate(0x8000, privileged)).toBeUndefined();
    // RnW and PnU.
    expect(system.takeEvents()[0]?.[3]).toBe((2 << 8) | (1 << 3) | (1 << 1));
  });

  it('obeys APTable of the tables on the way, unless HAD0 is set', () => {
    const { system, tables, ram, cd } = stage1System();
    const table = tables.descriptor(0x8000, 2);
    ram.writeDoubleword(table, (ram.readDoubleword(table) ?? 0n) | (1n << 62n));
    expect(system.translate(0x8000)).toBeDefined();
    expect(system.translate(0x8000, write)).toBeUndefined();
    writeCd(ram, cd, { table: tables.root, more: [[2, 2]] });
    system.command([0x05, stream], [0x10, 9]);
    expect(system.translate(0x8000, write)).toBeDefined();
  });

  it('faults without a record where CD.R is clear', () => {
    const { system, tables, ram, cd } = stage1System();
    writeCd(ram, cd, { table: tables.root, records: false });
    expect(system.translate(0x9000)).toBeUndefined();
    expect(system.takeEvents()).toEqual([]);
  });

  it('aborts on a table outside memory: F_WALK_EABT of class TT', () => {
    const { system, tables, ram } = stage1System();
    ram.writeDoubleword(tables.descriptor(0x8000_0000, 1), 0x8000_0003n);
    expect(system.translate(0x8020_0000)).toBeUndefined();
    expect(system.takeEvents()).toEqual([[0x0b, stream, 0, (1 << 8) | (1 << 3), 0x8020_0000, 0, 0x8000_0008, 0]]);
  });

  it('has an invalid context where V is clear or a field is ILLEGAL, and one that cannot be read', () => {
    const { system, ram, tables, cd } = stage1System();
    const bad: (readonly [string, object])[] = [
      ['V', { more: [[0, 1 << 31]] }],
      ['AA64', { more: [[1, 1 << 9]] }],
      ['A', { more: [[1, 1 << 14]] }],
      ['S', { more: [[1, 1 << 12]] }],
      ['HA', { more: [[1, 1 << 11]] }],
      ['ENDI', { more: [[0, 1 << 15]] }],
      ['TG0', { more: [[0, 1 << 6]] }],
      ['T0SZ', { t0sz: 15 }],
      ['TTB0 beyond IPS', { ips: 0, table: 2 ** 32 }],
    ];
    for (const [what, fields] of bad) {
      writeCd(ram, cd, { table: tables.root, ...fields });
      expect(system.translate(0x8000), what).toBeUndefined();
      expect(system.takeEvents(), what).toEqual([[0x0a, stream, 0, 0, 0, 0, 0, 0]]);
    }
    writeSte(ram, system.ste(stream), { config: config.stage1, contexts: 0x8000_0040 });
    system.command([0x03, stream, 1]);
    expect(system.translate(0x8000)).toBeUndefined();
    expect(system.takeEvents()).toEqual([[0x09, stream, 0, 0, 0, 0, 0x8000_0040, 0]]);
  });

  it('of an EL2 stream has no ASIDs and no privileges', () => {
    const { system, tables, ram, cd } = stage1System();
    writeSte(ram, system.ste(stream), { config: config.stage1, contexts: cd, strw: 2 });
    tables.map(0x9000, 0x20_0000, leaf.privilegedWritable);
    expect(system.translate(0x9000, write)).toBe(0x20_0000);
    expect(system.translate(0xffff_ffff_ffff_0000n)).toBeUndefined();
    tables.map(0x9000, 0x20_1000, leaf.privilegedWritable);
    system.command([0x12, 1 << 16, 0x9000]);
    expect(system.translate(0x9000)).toBe(0x20_0000);
    system.command([0x22, 0, 0x9000]);
    expect(system.translate(0x9000)).toBe(0x20_1000);
  });
});

describe('substreams', () => {
  const substream = (n: number) => ({ substream: substreamValid | n });

  function substreamSystem(s1dss: number, s1Format = 0, s1cdMax = 7) {
    const { system, ram, pages, tables } = stage1System();
    const contexts = pages.take(8, 0x8000);
    const other = new Tables(ram, pages, 1);
    other.map(0x8000, 0x30_0000, leaf.userWritable);
    let second = contexts;
    if (s1Format !== 0) {
      second = pages.take();
      ram.writeDoubleword(contexts, BigInt(second) | 1n);
    }
    writeCd(ram, second, { table: tables.root, asid: 10 });
    writeCd(ram, second + 64 * 5, { table: other.root, asid: 11 });
    const ste = { config: config.stage1, contexts, s1cdMax, s1dss, s1Format };
    writeSte(ram, system.ste(stream), ste);
    return { system, ram };
  }

  it.each([
    ['linear', 0],
    ['2-level', 1],
  ])('choose a context in a %s table', (_kind, format) => {
    const { system } = substreamSystem(2, format);
    expect(system.translate(0x8000, substream(5))).toBe(0x30_0000);
    expect(system.translate(0x8000)).not.toBe(0x30_0000);
    expect(system.translate(0x8000, substream(6))).toBeUndefined();
    expect(system.translate(0x8000, substream(128))).toBeUndefined();
    const last = format === 0 ? [] : [system.translate(0x8000, substream(64))];
    expect(system.takeEvents().map(([word]) => word)).toEqual([
      0x80a | (6 << 12),
      0x808 | (128 << 12),
      ...last.map(() => 0x808 | (64 << 12)),
    ]);
  });

  it('are told by S1DSS what happens without one', () => {
    const none = substreamSystem(0).system;
    expect(none.translate(0x8000)).toBeUndefined();
    expect(none.takeEvents().map(([word]) => word)).toEqual([0x06]);
    const bypass = substreamSystem(1).system;
    expect(bypass.translate(0x8000)).toBe(0x8000);
    const zero = substreamSystem(2).system;
    expect(zero.translate(0x8000, substream(0))).toBeUndefined();
    expect(zero.takeEvents().map(([word]) => word)).toEqual([0x806]);
  });

  it('are an error where stage 1 has none, or is off', () => {
    const { system } = stage1System();
    expect(system.translate(0x8000, substream(0))).toBeUndefined();
    const second = stage2System().system;
    expect(second.translate(0x5000, substream(0))).toBeUndefined();
    expect([...system.takeEvents(), ...second.takeEvents()].map(([word]) => word)).toEqual([0x808, 0x808]);
  });
});

describe('stage 2', () => {
  it('maps IPAs, and records its faults with S2 and the IPA', () => {
    const { system, tables, page } = stage2System();
    expect(system.translate(0x5678)).toBe(page + 0x678);
    tables.map(0x6000, page, leaf.stage2ReadOnly);
    expect(system.translate(0x6010)).toBe(page + 0x10);
    expect(system.translate(0x6010, write)).toBeUndefined();
    expect(system.translate(0x7010)).toBeUndefined();
    expect(system.translate(2 ** 39)).toBeUndefined();
    const S2 = (2 << 8) | (1 << 7);
    expect(system.takeEvents()).toEqual([
      [0x13, stream, 0, S2, 0x6010, 0, 0x6000, 0],
      [0x10, stream, 0, S2 | 8, 0x7010, 0, 0x7000, 0],
      [0x10, stream, 0, S2 | 8, 0, 0x80, 0, 0x80],
    ]);
  });

  it('starts with concatenated tables where S2SL0 and S2T0SZ say so', () => {
    const { system, ram, pages } = stage2System();
    // 34 bits of IPA from level 2 on: 16 tables side by side.
    const root = pages.take(16, 0x1_0000);
    ram.writeDoubleword(root + 8 * (0x3_0020_0000 / 0x20_0000), 0x40_0000n | (leaf.stage2 & ~2n));
    const fields = { config: config.stage2, stage2Table: root, sl0: 0, t0sz: 30 };
    writeSte(ram, system.ste(stream), fields);
    expect(system.translate(0x3_0020_1234)).toBe(0x40_1234);
    expect(system.translate(0x4_0000_0000)).toBeUndefined();
  });

  it('faults without a record where STE.S2R is clear', () => {
    const { system, ram, tables } = stage2System();
    writeSte(ram, system.ste(stream), { config: config.stage2, stage2Table: tables.root, records: false });
    expect(system.translate(0x7000)).toBeUndefined();
    expect(system.takeEvents()).toEqual([]);
  });

  it('answers an address beyond the IPAs with a fault of stage 1, which is bypassed', () => {
    const { system } = stage2System();
    expect(system.translate(1n << 48n)).toBeUndefined();
    expect(system.takeEvents()).toEqual([[0x11, stream, 0, (2 << 8) | 8, 0, 1 << 16, 0, 0]]);
  });
});

describe('both stages', () => {
  it('translate the context, the tables of stage 1, and the output', () => {
    const { system, page } = nestedSystem();
    expect(system.translate(0x8004, write)).toBe(page + 4);
    expect(system.takeEvents()).toEqual([]);
  });

  it('tell what stage 2 did not translate: the context, a table, or the output', () => {
    const S2 = (1 << 7) | (1 << 3);
    const { system, ram, first, second, cd, ste } = nestedSystem();
    writeSte(ram, system.ste(stream), { ...ste, contexts: 2 ** 38 + 64 });
    expect(system.translate(0x8000)).toBeUndefined();
    writeSte(ram, system.ste(stream), ste);
    system.command([0x03, stream, 1]);
    writeCd(ram, cd, { table: 2 ** 38 });
    expect(system.translate(0x8000)).toBeUndefined();
    writeCd(ram, cd, { table: 2 ** 32 + first.root });
    system.command([0x06, stream]);
    first.map(0x9000, 0xa000, leaf.userWritable);
    expect(system.translate(0x9123)).toBeUndefined();
    expect(system.takeEvents()).toEqual([
      [0x10, stream, 0, S2, 0x8000, 0, 0, 1 << 6],
      [0x10, stream, 0, S2 | (1 << 8), 0x8000, 0, 0, 1 << 6],
      [0x10, stream, 0, S2 | (2 << 8), 0x9123, 0, 0xa000, 0],
    ]);
    second.map(0xa000, 0x20_0000, leaf.stage2ReadOnly);
    expect(system.translate(0x9123)).toBe(0x20_0123);
    // From the TLB too, the fault is of stage 2 and has its IPA.
    expect(system.translate(0x9123, write)).toBeUndefined();
    expect(system.takeEvents()).toEqual([[0x13, stream, 0, (1 << 7) | (2 << 8), 0x9123, 0, 0xa000, 0]]);
  });

  it('end in a Permission fault where S2PTW is set and a table is in Device memory', () => {
    const { system, ram, first, second, ste } = nestedSystem();
    const S2PTW = 1 << 22;
    writeSte(ram, system.ste(stream), { ...ste, more: [[5, S2PTW]] });
    const ipa = 2 ** 32 + first.root;
    const block = ipa - (ipa % 0x20_0000);
    expect(system.translate(0x8000)).toBeDefined();
    second.map(block, block - 2 ** 32, leaf.stage2ReadOnly & ~0x3cn, 2);
    system.command([0x30], [0x06, stream]);
    expect(system.translate(0x8000)).toBeUndefined();
    // The context lies in the same block.
    expect(system.takeEvents()[0]?.slice(0, 4)).toEqual([0x13, stream, 0, (1 << 7) | (1 << 3)]);
  });
});
