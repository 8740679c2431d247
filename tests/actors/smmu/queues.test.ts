import { describe, expect, it } from 'vitest';
import { leaf, smallRam, Tables, writeCd, writeSte } from './ram.ts';
import { config, stage1System, stage2System, stream } from './streams.ts';
import { intids, offset, SmmuBoard, SmmuSystem } from './system.ts';

describe('the Event queue', () => {
  it('drops what does not fit, and toggles OVFLG until software has acknowledged it', () => {
    const { system } = stage1System();
    for (let n = 0; n < 6; n += 1) system.translate(0x10_0000 + n * 0x1000);
    expect(system.read('EVENTQ_PROD') >>> 0).toBe(0x8000_0004);
    expect(system.interrupts).toEqual([intids.eventq]);
    expect(system.takeEvents().map((record) => record[4])).toEqual([0x10_0000, 0x10_1000, 0x10_2000, 0x10_3000]);
    system.translate(0x20_0000);
    expect(system.read('EVENTQ_PROD') >>> 0).toBe(0x8000_0005);
    expect(system.takeEvents().length).toBe(1);
    for (let n = 0; n < 5; n += 1) system.translate(0x30_0000 + n * 0x1000);
    expect(system.read('EVENTQ_PROD') >>> 31).toBe(0);
  });

  it('outside memory is a global error, once until it is acknowledged', () => {
    const { system } = stage1System();
    system.write('CR0', 0b1001);
    system.write('EVENTQ_BASE', 0x8000_0000);
    system.write('CR0', 0b1101);
    system.translate(0x10_0000);
    system.translate(0x10_1000);
    expect(system.read('GERROR')).toBe(4);
    expect(system.interrupts).toEqual([intids.gerror]);
    system.write('GERRORN', 4);
    system.translate(0x10_0000);
    expect(system.read('GERROR')).toBe(0);
  });

  it('takes nothing while it is off', () => {
    const { system } = stage1System();
    system.write('CR0', 0b1001);
    system.translate(0x10_0000);
    expect(system.read('EVENTQ_PROD')).toBe(0);
  });
});

describe('the Command queue', () => {
  it('signals the end of CMD_SYNC by an interrupt where it is asked to', () => {
    const system = new SmmuSystem([stream]);
    system.command();
    expect(system.interrupts).toEqual([]);
    system.enqueue([0x46 | (1 << 12)]);
    system.run();
    expect(system.interrupts).toEqual([intids.cmdqSync]);
    expect(system.read('CMDQ_CONS')).toBe(2);
  });

  it('wraps', () => {
    const system = new SmmuSystem([stream]);
    for (let n = 0; n < 5; n += 1) system.command([0x01, stream], [0x30], [0x04, 0, 31]);
    expect(system.read('CMDQ_CONS')).toBe(20 & 15);
  });

  it.each([
    ['an opcode that is not there', [0xff]],
    ['ATC_INV without ATS', [0x40]],
    ['PRI_RESP without PRI', [0x41]],
    ['RESUME without stalls', [0x44]],
    ['TLBI_EL3_ALL', [0x18]],
    ['CFGI of a Secure stream', [0x03 | (1 << 10)]],
    ['a reserved CS', [0x46 | (3 << 12)]],
  ])('stops at %s with CERROR_ILL, and goes on when it is corrected and acknowledged', (_what, command) => {
    const system = new SmmuSystem([stream]);
    system.enqueue([0x30], command, [0x30]);
    system.run();
    expect(system.read('CMDQ_CONS')).toBe(1 | (1 << 24));
    expect(system.read('GERROR')).toBe(1);
    expect(system.interrupts).toEqual([intids.gerror]);
    system.ram.writeWord(system.commands + 16, 4, 0x46);
    system.run();
    expect(system.read('CMDQ_CONS') & 0xff).toBe(1);
    system.write('GERRORN', 1);
    system.run();
    expect(system.read('CMDQ_CONS') & 0xff).toBe(3);
  });

  it('outside memory is CERROR_ABT', () => {
    const system = new SmmuSystem([stream]);
    system.write('CR0', 0b0101);
    system.write('CMDQ_BASE', 0x8000_0003);
    system.write('CMDQ_PROD', 1);
    system.write('CR0', 0b1101);
    system.run();
    expect(system.read('CMDQ_CONS')).toBe(2 << 24);
  });

  it('waits, at CMD_SYNC, for the accesses that were granted before', () => {
    const { system, tables, page } = stage1System();
    system.holdsCompletions = true;
    const tag = system.begin(0x8000n);
    system.run();
    expect(system.answers.get(tag)).toEqual({ ok: true, pa: page });
    tables.map(0x8000, 0, 0n);
    system.enqueue([0x12, 9 | (1 << 16), 0x8000], [0x46]);
    system.run();
    expect(system.read('CMDQ_CONS')).toBe(1);
    // What is asked for meanwhile sees the invalidation, and holds nothing up.
    expect(system.translate(0x8000)).toBeUndefined();
    system.releaseCompletions();
    system.run();
    expect(system.read('CMDQ_CONS')).toBe(2);
  });
});

describe('the TLBs', () => {
  it('keep a translation until it is invalidated', () => {
    const { system, tables, page } = stage1System();
    expect(system.translate(0x8000)).toBe(page);
    tables.map(0x8000, 0x20_0000, leaf.userWritable);
    expect(system.translate(0x8000)).toBe(page);
    expect(system.tbus[0]?.counters).toMatchObject({ requests: 2, hits: 1 });
    system.command([0x12, 9 | (1 << 16), 0x8000]);
    expect(system.translate(0x8000)).toBe(0x20_0000);
  });

  const vmid = 9;
  const other = 8;
  it.each<[string, number[], boolean]>([
    ['NH_ALL', [0x10, vmid], true],
    ['NH_ALL of another VMID', [0x10, other], false],
    ['NH_ASID', [0x11, vmid | (1 << 16)], true],
    ['NH_ASID of another ASID', [0x11, vmid | (2 << 16)], false],
    ['NH_VA', [0x12, vmid | (1 << 16), 0x8000], true],
    ['NH_VA of another ASID', [0x12, vmid | (2 << 16), 0x8000], false],
    ['NH_VA of another page', [0x12, vmid | (1 << 16), 0x9000], false],
    ['NH_VAA', [0x13, vmid, 0x8000], true],
    ['NH_VAA of another VMID', [0x13, other, 0x8000], false],
    ['EL2_ALL', [0x20], false],
    ['EL2_VA', [0x22, 1 << 16, 0x8000], false],
    ['S12_VMALL', [0x28, vmid], true],
    ['S12_VMALL of another VMID', [0x28, other], false],
    ['S2_IPA', [0x2a, vmid, 0x8000], false],
    ['NSNH_ALL', [0x30], true],
    ['CFGI_STE, in the TBU alone', [0x03, stream], false],
  ])('of stage 1: %s', (_name, command, isRemoved) => {
    const { system, tables, page } = stage1System();
    system.translate(0x8000);
    tables.map(0x8000, 0x20_0000, leaf.userWritable);
    system.command(command);
    expect(system.translate(0x8000)).toBe(isRemoved ? 0x20_0000 : page);
  });

  it.each<[string, number[], boolean]>([
    ['S2_IPA', [0x2a, 7, 0x5000], true],
    ['S2_IPA of another IPA', [0x2a, 7, 0x6000], false],
    ['S2_IPA of another VMID', [0x2a, 8, 0x5000], false],
    ['S12_VMALL', [0x28, 7], true],
    ['NH_ALL', [0x10, 7], false],
    ['NH_VAA', [0x13, 7, 0x5000], false],
  ])('of stage 2: %s', (_name, command, isRemoved) => {
    const { system, tables, page } = stage2System();
    system.translate(0x5000);
    tables.map(0x5000, 0x20_0000, leaf.stage2);
    system.command(command);
    expect(system.translate(0x5000)).toBe(isRemoved ? 0x20_0000 : page);
  });

  it('match global entries for every ASID, by address alone', () => {
    const { system, tables } = stage1System();
    const global = leaf.userWritable & ~(1n << 11n);
    tables.map(0x8000, 0x20_0000, global);
    system.translate(0x8000);
    tables.map(0x8000, 0x20_1000, global);
    system.command([0x11, vmid | (1 << 16)]);
    expect(system.translate(0x8000)).toBe(0x20_0000);
    system.command([0x12, vmid | (77 << 16), 0x8000]);
    expect(system.translate(0x8000)).toBe(0x20_1000);
  });

  it('know the streams apart by their tags, and each TBU only its own', () => {
    const system = new SmmuSystem([2, 3]);
    const { ram, pages } = system;
    for (const [device, streamId] of [2, 3].entries()) {
      const tables = new Tables(ram, pages, 1);
      tables.map(0x5000, 0x20_0000 + device * 0x1000, leaf.stage2);
      writeSte(ram, system.ste(streamId), { config: config.stage2, stage2Table: tables.root, vmid: streamId });
    }
    for (let n = 0; n < 4; n += 1) {
      const device = n % 2;
      expect(system.translate(0x5000, { device })).toBe(0x20_0000 + device * 0x1000);
    }
    expect(system.smmu.counters).toMatchObject({ translations: 2, faults: 0 });
  });
});

describe('the configuration caches', () => {
  it.each<[string, number[], boolean]>([
    ['CFGI_STE', [0x03, stream, 1], true],
    ['CFGI_STE of another stream', [0x03, 2, 1], false],
    ['CFGI_STE_RANGE', [0x04, 0, 1], true],
    ['CFGI_STE_RANGE of other streams', [0x04, 0, 0], false],
    ['CFGI_ALL', [0x04, 0, 31], true],
    ['CFGI_CD', [0x05, stream], false],
  ])('of stream table entries: %s', (_name, command, isRemoved) => {
    const { system, ram } = stage1System();
    const translated = system.translate(0x8000);
    writeSte(ram, system.ste(stream), { config: config.bypass });
    system.command(command);
    expect(system.translate(0x8000)).toBe(isRemoved ? 0x8000 : translated);
  });

  it.each<[string, number[], boolean]>([
    ['CFGI_CD', [0x05, stream], true],
    ['CFGI_CD of another context', [0x05 | (1 << 12), stream], false],
    ['CFGI_CD_ALL', [0x06, stream], true],
    ['CFGI_STE', [0x03, stream], true],
    ['TLBI', [0x30], false],
  ])('of context descriptors: %s', (_name, command, isRemoved) => {
    const { system, ram, pages, cd, page } = stage1System();
    expect(system.translate(0x8000)).toBe(page);
    const tables = new Tables(ram, pages, 1);
    tables.map(0x8000, 0x20_0000, leaf.userWritable);
    // A new ASID, so that the TLB of the TCU does not answer for it.
    writeCd(ram, cd, { table: tables.root, asid: 2 });
    system.command(command);
    expect(system.translate(0x8000)).toBe(isRemoved ? 0x20_0000 : page);
  });
});

describe('the registers', () => {
  it('that are written while their feature is off keep their value while it is on', () => {
    const system = new SmmuSystem([stream]);
    for (const name of [
      'STRTAB_BASE',
      'STRTAB_BASE_CFG',
      'CMDQ_BASE',
      'CMDQ_CONS',
      'EVENTQ_BASE',
      'EVENTQ_PROD',
    ] as const) {
      const before = system.read(name);
      system.write(name, 0xffff_ffff);
      expect(system.read(name), name).toBe(before);
    }
    expect(system.smmu.guestErrors.misuse).toBe(6);
  });

  it('of identification tell what there is', () => {
    const system = new SmmuSystem([stream]);
    const IDR0 = system.read('IDR0');
    // S1P, S2P; no ATS, MSI, PRI, HTTU.
    expect(IDR0 & 3).toBe(3);
    expect(IDR0 & ((1 << 10) | (1 << 13) | (1 << 16) | (3 << 6))).toBe(0);
    expect(system.smmu.read(0x14, 4)).toBe(0x15);
    expect(offset.IDR0).toBe(0);
    const bytes = (first: number, count: number): number[] =>
      Array.from({ length: count }, (_, n) => system.smmu.read(first + 4 * n, 4));
    // PIDR4 to PIDR7, PIDR0 to PIDR3, CIDR0 to CIDR3.
    expect(bytes(0xfd0, 8)).toEqual([0x04, 0, 0, 0, 0x84, 0xb4, 0xf0, 0x10]);
    expect(bytes(0xff0, 4)).toEqual([0x0d, 0xf0, 0x05, 0xb1]);
  });

  it.each([
    ['CR1', 0x28, 0xfff],
    ['CR2', 0x2c, 3],
    ['STRTAB_BASE', 0x80, 0xffff_ffc0],
    ['STRTAB_BASE_CFG', 0x88, 0x3_07ff],
    ['CMDQ_PROD', 0x98, 0xf_ffff],
    ['CMDQ_CONS', 0x9c, 0x7f0f_ffff],
    ['IRQ_CTRL', 0x50, 5],
    ['EVENTQ_CONS', 0x1_00ac, 0x800f_ffff],
  ] as const)('have no bits but those of their fields: SMMU_%s', (_name, at, fields) => {
    const { smmu } = new SmmuBoard([], smallRam());
    smmu.write(at, 4, 0xffff_ffff);
    expect(smmu.read(at, 4)).toBe(fields);
  });

  it('change SMMU_GBPA by a handshake only', () => {
    const board = new SmmuBoard([stream], smallRam());
    const reset = 0x1000;
    const abort = 0x10_1000;
    board.smmu.write(offset.GBPA, 4, abort);
    expect(board.smmu.read(offset.GBPA, 4)).toBe(reset);
    board.smmu.write(offset.GBPA, 4, 0x8000_0000 + abort);
    expect(board.smmu.read(offset.GBPA, 4)).toBe(0x8000_0000 + abort);
    board.run();
    expect(board.smmu.read(offset.GBPA, 4)).toBe(abort);
  });
});

describe('an SMMU that is saved in the middle of its work', () => {
  it('goes on elsewhere as it would have', () => {
    const act = (interrupt: boolean): unknown => {
      const { system, page } = stage1System();
      system.holdsCompletions = true;
      const tags = [system.begin(0x8000n), system.begin(0x4000_0000n), system.begin(0x9000n)];
      system.run(system.ticks + 1700);
      system.enqueue([0x10, 9], [0x46 | (1 << 12)]);
      system.run(system.ticks + 100);
      if (interrupt) {
        const saved = structuredClone([system.smmu.save(), system.tbus[0]?.save()] as const);
        system.smmu.write(offset.CR0, 4, 0);
        system.smmu.restore(saved[0]);
        if (saved[1]) system.tbus[0]?.restore(saved[1]);
      }
      system.run();
      system.releaseCompletions();
      system.run();
      return [page, tags.map((tag) => system.answers.get(tag)), system.takeEvents(), system.interrupts];
    };
    expect(act(false)).toEqual(act(false));
    expect(act(true)).toEqual(act(false));
  });
});
