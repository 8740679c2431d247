import { describe, expect, it } from 'vitest';
import { injectInterrupt } from '../../../src/hypervisor/interrupts.ts';
import { deviceKind } from '../../../src/hypervisor/state.ts';
import { resetVgicOfVcpu, resetVgicOfVm } from '../../../src/hypervisor/vgic/reset.ts';
import { accessCpuInterface } from '../../../src/hypervisor/vgic/trapped-registers.ts';
import { type Bench, distributorBase, makeBench, redistributorBases } from './bench.ts';
import { enable, handleAll, readGicd, readGicr, sgiFrame, unmask, writeGicd, writeGicr } from './guest.ts';

const GICD = { ISENABLER: 0x100, ICENABLER: 0x180, ISPENDR: 0x200, ICPENDR: 0x280, ISACTIVER: 0x300 } as const;
const IGROUPR = 0x080;
const ICACTIVER = 0x380;
const IPRIORITYR = 0x400;
const ICFGR = 0xc00;
const IROUTER = 0x6000;
const gicd = (offset: number): string => (distributorBase + offset).toString(16);

/** VM 0 has SPIs 40 and 70, a device with 48, and two vCPUs; SPI 41 is VM 1's. */
function twoVms(options: Parameters<typeof makeBench>[1] = {}): Bench {
  const bench = makeBench(
    [
      { cores: [1, 2], physical: [27, 40, 70], devices: [[deviceKind.virtioNet, 48]] },
      { cores: [0], physical: [41] },
    ],
    options,
  );
  bench.enter(0, 0);
  bench.enter(0, 1);
  return bench;
}

describe('the distributor of a VM', () => {
  it('has fields only for the interrupts that are the VM’s: the others read as zero and ignore writes', () => {
    const bench = twoVms();
    for (const offset of [GICD.ISENABLER, GICD.ISPENDR, GICD.ISACTIVER, IGROUPR])
      writeGicd(bench, offset + 4, 0xffff_ffff);
    writeGicd(bench, IPRIORITYR + 40, 0xa5a5_a5a5);
    expect(readGicd(bench, GICD.ISENABLER + 4)).toBe(0x0001_0100n);
    expect(readGicd(bench, GICD.ICENABLER + 8)).toBe(0n);
    expect(readGicd(bench, IPRIORITYR + 40)).toBe(0xa0n);
    expect(readGicd(bench, IGROUPR + 4)).toBe(0x0001_0100n);
    const { enabled } = bench.vms[1]!.vgic;
    expect([...enabled].every((bits) => bits === 0)).toBe(true);
  });

  it('does to the physical one what concerns physical interrupts, and nothing else', () => {
    const bench = twoVms();
    bench.accesses.length = 0;
    writeGicd(bench, GICD.ISENABLER + 4, 0xffff_ffff);
    writeGicd(bench, IPRIORITYR + 40, 0x4040_4040);
    writeGicd(bench, ICFGR + 8, 0xaaaa_aaaa);
    writeGicd(bench, IROUTER + 8 * 40, 1n, { sizeBytes: 8 });
    writeGicd(bench, GICD.ISPENDR + 4, 1 << 8);
    writeGicd(bench, GICD.ICENABLER + 4, 0xffff_ffff);
    expect(bench.accesses).toEqual([
      `write ${gicd(IROUTER + 8 * 40 + 4)} 0`,
      `write ${gicd(IROUTER + 8 * 40)} 1`,
      `write ${gicd(GICD.ISENABLER + 4)} 100`,
      `write ${gicd(IPRIORITYR + 40)} 40`,
      `write ${gicd(ICFGR + 8)} 20000`,
      `write ${gicd(IROUTER + 8 * 40 + 4)} 0`,
      `write ${gicd(IROUTER + 8 * 40)} 2`,
      `write ${gicd(GICD.ISPENDR + 4)} 100`,
      `write ${gicd(GICD.ICENABLER + 4)} 100`,
    ]);
    expect(readGicd(bench, IROUTER + 8 * 40, { sizeBytes: 8 })).toBe(1n);
    expect(readGicd(bench, ICFGR + 8)).toBe(0x0002_0000n);
  });

  it('shows and changes the state of an interrupt that is in a list register, on whichever core', () => {
    const bench = twoVms();
    enable(bench, [48]);
    writeGicd(bench, IROUTER + 8 * 48, 1);
    bench.run(1, (rhyper) => injectInterrupt(rhyper, bench.vcpu(0), 48));
    bench.settle();
    expect([bench.lists(1)[0], bench.lists(2)[0]]).toEqual(['-', '48P']);
    expect(readGicd(bench, GICD.ISPENDR + 4)).toBe(1n << 16n);
    writeGicd(bench, GICD.ISACTIVER + 4, 1 << 16);
    bench.settle();
    expect(bench.lists(2)[0]).toBe('48PA');
    writeGicd(bench, GICD.ICPENDR + 4, 1 << 16, { id: 1 });
    expect(bench.lists(2)[0]).toBe('48A');
    expect(readGicd(bench, GICD.ISACTIVER + 4, { id: 1 })).toBe(1n << 16n);
    writeGicd(bench, ICACTIVER + 4, 1 << 16);
    bench.settle();
    expect(bench.lists(2)[0]).toBe('-');
    expect(readGicd(bench, GICD.ISACTIVER + 4)).toBe(0n);
  });

  it('learns, when it asks twice, that another core’s guest has ended an interrupt', () => {
    const bench = twoVms();
    enable(bench, [40]);
    unmask(bench, 1);
    bench.cores[1]!.pending.push(40);
    bench.settle();
    bench.icc(1, 'ICC_IAR1_EL1');
    expect(readGicd(bench, GICD.ISACTIVER + 4)).toBe(1n << 8n);
    bench.icc(1, 'ICC_EOIR1_EL1', 40);
    expect(readGicd(bench, GICD.ISACTIVER + 4, { id: 1 })).toBe(1n << 8n);
    bench.settle();
    expect(readGicd(bench, GICD.ISACTIVER + 4, { id: 1 })).toBe(0n);
  });

  it('takes a pending interrupt back when it is disabled, and offers it again', () => {
    const bench = twoVms();
    enable(bench, [48]);
    unmask(bench, 1);
    bench.run(1, (rhyper) => injectInterrupt(rhyper, bench.vcpu(0), 48));
    writeGicd(bench, GICD.ICENABLER + 4, 1 << 16);
    expect([bench.lists(1)[0], readGicd(bench, GICD.ISPENDR + 4)]).toEqual(['-', 1n << 16n]);
    writeGicd(bench, GICD.ISENABLER + 4, 1 << 16);
    expect(handleAll(bench, 1)).toEqual([48]);
  });

  it('ends a physical interrupt whose pending state is cleared', () => {
    const bench = twoVms();
    enable(bench, [40]);
    bench.cores[1]!.pending.push(40);
    bench.settle();
    writeGicd(bench, GICD.ICPENDR + 4, 1 << 8);
    expect(bench.lists(1)[0]).toBe('-');
    expect(bench.cores[1]!.ended).toEqual(['EOI 40', 'DIR 40']);
  });

  it('forwards nothing while GICD_CTLR has no group enabled', () => {
    const bench = twoVms();
    enable(bench, [48]);
    unmask(bench, 1);
    writeGicd(bench, 0, 0, { id: 1 });
    bench.run(1, (rhyper) => injectInterrupt(rhyper, bench.vcpu(0), 48));
    bench.settle();
    expect(bench.cores[1]!.virtual.readIch('ICH_HCR_EL2') & 1).toBe(0);
    writeGicd(bench, 0, 0x12, { id: 1 });
    expect(handleAll(bench, 1)).toEqual([48]);
    // ARE and DS; EnableGrp1.
    expect(readGicd(bench, 0)).toBe(0x52n);
  });

  it('forwards an interrupt with the group that the VM has put it into, and not the other', () => {
    const bench = twoVms();
    enable(bench, [48]);
    writeGicd(bench, 0, 2);
    writeGicd(bench, IGROUPR + 4, 0);
    bench.run(1, (rhyper) => injectInterrupt(rhyper, bench.vcpu(0), 48));
    const group1 = 1n << 60n;
    expect(bench.lists(1)[0]).toBe('-');
    writeGicd(bench, 0, 1);
    expect([bench.lists(1)[0], bench.cores[1]!.virtual.readList(0)! & group1]).toEqual(['48P', 0n]);
    bench.icc(1, 'ICC_PMR_EL1', 0xf8);
    bench.icc(1, 'ICC_IGRPEN0_EL1', 1);
    expect([bench.icc(1, 'ICC_IAR1_EL1'), bench.icc(1, 'ICC_IAR0_EL1')]).toEqual([1023, 48]);
    bench.icc(1, 'ICC_EOIR0_EL1', 48);
    writeGicd(bench, IGROUPR + 4, 1 << 16);
    writeGicd(bench, 0, 3);
    bench.run(1, (rhyper) => injectInterrupt(rhyper, bench.vcpu(0), 48));
    expect(bench.cores[1]!.virtual.readList(0)! & group1).toBe(group1);
  });

  it('discards ends that the guest makes up: none of them is that of an interrupt without a list register', () => {
    const six = [40, 41, 42, 43, 44, 45].map((intid) => [deviceKind.virtioNet, intid] as const);
    const bench = makeBench([{ cores: [1], devices: six }]);
    bench.enter(0);
    unmask(bench, 1);
    six.forEach(([, intid], n) => {
      enable(bench, [intid], 0xe0 - 0x20 * n);
      bench.run(1, (rhyper) => injectInterrupt(rhyper, bench.vcpu(0), intid));
      expect(bench.icc(1, 'ICC_IAR1_EL1')).toBe(intid);
      // With EOImode 1 it counts, and drops no priority.
      if (n !== 0) return;
      bench.icc(1, 'ICC_CTLR_EL1', 2);
      bench.icc(1, 'ICC_DIR_EL1', 99);
      bench.icc(1, 'ICC_CTLR_EL1', 0);
    });
    bench.settle();
    expect([...bench.vcpu(0).vgic.spilledActive.subarray(0, 2)]).toEqual([40, 41]);
    expect(bench.vcpu(0).vgic.spilledActiveCount).toBe(2);
  });

  it('refuses what is not aligned or has another size: as zero, and counted; as-is the caller hears of it', () => {
    const bench = twoVms();
    expect(readGicd(bench, 0x102)).toBe(0n);
    expect(readGicd(bench, 0x104, { sizeBytes: 1 })).toBe(0n);
    expect(readGicd(bench, 0x000, { sizeBytes: 8 })).toBe(0n);
    expect(readGicd(bench, IPRIORITYR + 40, { sizeBytes: 2 })).toBe(0n);
    expect(bench.vcpu(0).vgic.refusedAccesses).toBe(4);
    const asIs = twoVms({ quirks: ['panic-on-guest-fault'] });
    expect(readGicd(asIs, 0x102)).toBe(undefined);
    expect(readGicd(asIs, 0x104)).toBe(0n);
  });
});

describe('the redistributors of a VM', () => {
  it('are those of its vCPUs: affinity, number, and Last', () => {
    const bench = twoVms();
    expect(readGicr(bench, 0, 0x8, { sizeBytes: 8 })).toBe(0n);
    expect(readGicr(bench, 1, 0x8, { sizeBytes: 8 })).toBe(0x1_0000_0110n);
    expect(readGicr(bench, 2, 0x8, { sizeBytes: 8 })).toBe(0n);
    expect(bench.vcpu(0).vgic.refusedAccesses).toBe(1);
  });

  it('sleep until they are woken', () => {
    const bench = twoVms();
    enable(bench, [48]);
    unmask(bench, 1);
    bench.leave(1);
    bench.run(1, (rhyper) => resetVgicOfVcpu(rhyper, bench.vcpu(0)));
    bench.enter(0, 0);
    unmask(bench, 1);
    expect(readGicr(bench, 0, 0x14)).toBe(6n);
    bench.run(1, (rhyper) => injectInterrupt(rhyper, bench.vcpu(0), 48));
    expect(bench.lists(1)[0]).toBe('-');
    writeGicr(bench, 0, 0x14, 0);
    expect(readGicr(bench, 0, 0x14)).toBe(0n);
    expect(bench.lists(1)[0]).toBe('48P');
    writeGicr(bench, 0, 0x14, 2);
    expect([bench.lists(1)[0], readGicd(bench, GICD.ISPENDR + 4)]).toEqual(['-', 1n << 16n]);
    writeGicr(bench, 0, 0x14, 0);
    expect(handleAll(bench, 1)).toEqual([48]);
  });

  it('enable a PPI of the core while any vCPU of it wants it', () => {
    const bench = makeBench([
      { cores: [0], physical: [27] },
      { cores: [0], physical: [27] },
    ]);
    bench.enter(0);
    const enables = sgiFrame + 0x100;
    const at = (redistributorBases[0] + enables).toString(16);
    const disables = (redistributorBases[0] + sgiFrame + 0x180).toString(16);
    writeGicr(bench, 0, enables, 0xffff_ffff);
    writeGicr(bench, 0, enables, 1 << 27, { vm: 1 });
    writeGicr(bench, 0, sgiFrame + 0x180, 1 << 27);
    writeGicr(bench, 0, sgiFrame + 0x180, 1 << 27, { vm: 1 });
    expect(bench.accesses).toEqual([`write ${at} 8000000`, `write ${at} 8000000`, `write ${disables} 8000000`]);
    expect(readGicr(bench, 0, enables)).toBe(0xf7ff_ffffn);
  });
});

describe('a VM with partial passthrough', () => {
  const direct = (options: Parameters<typeof makeBench>[1] = {}): Bench => {
    const vms = [
      { cores: [1], physical: [27, 40], devices: [[deviceKind.gppt, 0]] as const },
      { cores: [0], physical: [41] },
    ];
    const bench = makeBench(vms, options);
    bench.enter(0);
    bench.accesses.length = 0;
    return bench;
  };

  it('reaches the physical registers of its own interrupts, and of no other', () => {
    const bench = direct();
    writeGicd(bench, GICD.ISENABLER + 4, 0xffff_ffff);
    writeGicd(bench, IPRIORITYR + 40, 0x2020_2020);
    writeGicr(bench, 0, sgiFrame + 0x100, 0xffff_ffff);
    writeGicd(bench, GICD.ISENABLER + 8, 0xffff_ffff);
    expect(bench.accesses).toEqual([
      `write ${gicd(IROUTER + 8 * 40 + 4)} 0`,
      `write ${gicd(IROUTER + 8 * 40)} 1`,
      `write ${gicd(GICD.ISENABLER + 4)} 100`,
      `write ${gicd(IPRIORITYR + 40)} 20`,
      `write ${(redistributorBases[1] + sgiFrame + 0x100).toString(16)} 800fffd`,
    ]);
  });

  it('reaches all of them as-is', () => {
    const bench = direct({ quirks: ['gppt-unfiltered'] });
    writeGicd(bench, GICD.ISENABLER + 4, 0xffff_ffff);
    expect(readGicd(bench, GICD.ISENABLER + 4)).toBe(0xffff_ffffn);
    expect(bench.accesses[0]).toBe(`write ${gicd(GICD.ISENABLER + 4)} ffffffff`);
  });

  it('has the physical CPU interface with EOImode 0 while it runs, and the hypervisor has its own again after', () => {
    const bench = direct();
    const { registers } = bench.cores[1]!;
    expect(registers.get('ICC_CTLR_EL1')).toBe(0n);
    // The mask is trapped, for it is common to both groups.
    bench.run(1, (rhyper) => accessCpuInterface(rhyper, bench.vcpu(0), 'ICC_PMR_EL1', true, 0xf0n));
    registers.set('ICC_IGRPEN1_EL1', 1n);
    bench.leave(1);
    expect([registers.get('ICC_CTLR_EL1'), registers.get('ICC_PMR_EL1')]).toEqual([2n, 0xffn]);
    bench.enter(0);
    expect([registers.get('ICC_CTLR_EL1'), registers.get('ICC_PMR_EL1')]).toEqual([0n, 0xf0n]);
  });

  it('finds pending again what EL2 has taken while it did not run', () => {
    const bench = direct();
    bench.leave(1);
    bench.cores[1]!.pending.push(40);
    bench.settle();
    expect(bench.cores[1]!.ended).toEqual(['EOI 40']);
    bench.accesses.length = 0;
    bench.enter(0);
    expect(bench.accesses).toEqual([`write ${gicd(GICD.ISPENDR + 4)} 100`, `write ${gicd(ICACTIVER + 4)} 100`]);
  });
});

describe('a reset', () => {
  it('of a vCPU leaves to its VM the SPIs that were pending for it, and ends the active ones', () => {
    const bench = twoVms();
    enable(bench, [40, 48, 70]);
    unmask(bench, 1);
    bench.cores[1]!.pending.push(40);
    bench.settle();
    bench.icc(1, 'ICC_IAR1_EL1');
    bench.run(1, (rhyper) => injectInterrupt(rhyper, bench.vcpu(0), 48));
    bench.leave(1);
    bench.run(1, (rhyper) => resetVgicOfVcpu(rhyper, bench.vcpu(0)));
    bench.vcpu(0).vgic.waker = 0;
    expect(bench.cores[1]!.ended).toEqual(['EOI 40', 'DIR 40']);
    bench.enter(0, 0);
    expect(bench.lists(1)).toEqual(['48P', '-', '-', '-']);
  });

  it('of a VM quiets its physical interrupts', () => {
    const bench = twoVms();
    enable(bench, [40, 48]);
    bench.leave(1);
    bench.leave(2);
    bench.accesses.length = 0;
    bench.run(0, (rhyper) => resetVgicOfVm(rhyper, bench.vms[0]!));
    const quieted = (word: number, bits: string): string[] =>
      [GICD.ICENABLER, GICD.ICPENDR, ICACTIVER].map((offset) => `write ${gicd(offset + 4 * word)} ${bits}`);
    expect(bench.accesses.slice(0, 6)).toEqual([...quieted(1, '100'), ...quieted(2, '40')]);
    expect(readGicd(bench, GICD.ISENABLER + 4)).toBe(0n);
  });
});
