import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GicVirtualInterface } from '../../../actors/core/gic-virtual-interface.ts';

interface Bench {
  readonly gic: GicVirtualInterface;
  signals: string;
  maintenance: boolean;
  /** INTIDs of physical interrupts that have been deactivated. */
  readonly deactivated: number[];
}

const hcr = { en: 1n, uie: 2n, lrenpie: 4n, npie: 8n } as const;
const state = { pending: 1n << 62n, active: 1n << 63n } as const;
const hw = 1n << 61n;
const group1 = 1n << 60n;
const eoi = 1n << 41n;
/** A list register with a pending interrupt of Group 1. */
const pending = (intid: number, priority = 0x80, more = 0n): bigint =>
  state.pending | group1 | (BigInt(priority) << 48n) | BigInt(intid) | more;
const physical = (intid: number): bigint => hw | (BigInt(intid) << 32n);

function bench(lists = 4): Bench {
  const made: Bench = {
    gic: new GicVirtualInterface(
      {
        signal: (virq, vfiq) => {
          made.signals = `${virq ? 'IRQ' : ''}${vfiq ? 'FIQ' : ''}`;
        },
        maintenance: (level) => {
          made.maintenance = level;
        },
        deactivate: (intid) => made.deactivated.push(intid),
      },
      lists,
    ),
    signals: '',
    maintenance: false,
    deactivated: [],
  };
  made.gic.writeIch('ICH_HCR_EL2', hcr.en);
  made.gic.write('ICC_PMR_EL1', 0xf8n);
  made.gic.write('ICC_IGRPEN0_EL1', 1n);
  made.gic.write('ICC_IGRPEN1_EL1', 1n);
  return made;
}

describe('the virtual CPU interface', () => {
  it('has the identification of QEMU 7.2: four list registers, five bits of priority', () => {
    const { gic } = bench();
    expect(gic.readIch('ICH_VTR_EL2')).toBe(0x90b8_0003);
    expect(gic.readIch('ICH_ELRSR_EL2')).toBe(0xf);
    expect([gic.readList(3), gic.readList(4), gic.writeList(4, 0n)]).toEqual([0n, undefined, false]);
    expect(bench(16).gic.readIch('ICH_VTR_EL2') & 0x1f).toBe(15);
  });

  it('shows the state of ICV_* registers in ICH_VMCR_EL2, and takes it from there', () => {
    const { gic } = bench();
    gic.write('ICC_BPR0_EL1', 5n);
    gic.write('ICC_BPR1_EL1', 0n);
    gic.write('ICC_CTLR_EL1', 2n);
    expect(gic.readIch('ICH_VMCR_EL2')).toBe(0xf8ac_020b);
    gic.writeIch('ICH_VMCR_EL2', 0xffff_ffffn);
    expect(gic.readIch('ICH_VMCR_EL2')).toBe(0xf8fc_021b);
    gic.writeIch('ICH_VMCR_EL2', 0n);
    expect(gic.readIch('ICH_VMCR_EL2')).toBe(0x004c_0008);
    expect([gic.read('ICC_PMR_EL1'), gic.read('ICC_CTLR_EL1'), gic.read('ICC_IGRPEN1_EL1')]).toEqual([0, 0x8c00, 0]);
  });

  it('signals Group 1 as virtual IRQ and Group 0 as virtual FIQ, and nothing while ICH_HCR_EL2.En is 0', () => {
    const b = bench();
    b.gic.writeList(0, pending(40));
    expect(b.signals).toBe('IRQ');
    b.gic.writeList(1, pending(41, 0x40) & ~group1);
    expect(b.signals).toBe('FIQ');
    b.gic.writeIch('ICH_HCR_EL2', 0n);
    expect(b.signals).toBe('');
  });

  it('acknowledges the highest priority of its group only, and keeps it active in the list register', () => {
    const { gic } = bench();
    gic.writeList(2, pending(40, 0x80));
    gic.writeList(1, pending(41, 0x40) & ~group1);
    expect([gic.read('ICC_HPPIR1_EL1'), gic.read('ICC_IAR1_EL1')]).toEqual([1023, 1023]);
    expect([gic.read('ICC_HPPIR0_EL1'), gic.read('ICC_IAR0_EL1')]).toEqual([41, 41]);
    expect(gic.readList(1)! >> 62n).toBe(2n);
    expect([gic.read('ICC_RPR_EL1'), gic.readIch('ICH_AP0R0_EL2')]).toEqual([0x40, 1 << 8]);
    expect([gic.read('ICC_HPPIR1_EL1'), gic.read('ICC_IAR1_EL1')]).toEqual([40, 1023]);
    gic.write('ICC_EOIR0_EL1', 41n);
    expect([gic.read('ICC_RPR_EL1'), gic.readList(1)! >> 62n]).toEqual([0xff, 0n]);
    expect(gic.read('ICC_IAR1_EL1')).toBe(40);
  });

  it('takes the lowest list register of equal priorities', () => {
    const { gic } = bench();
    gic.writeList(3, pending(40));
    gic.writeList(1, pending(50));
    expect(gic.read('ICC_IAR1_EL1')).toBe(50);
  });

  it('preempts only by a higher group priority, as the binary points divide the field', () => {
    const b = bench();
    b.gic.write('ICC_BPR1_EL1', 5n);
    b.gic.writeList(0, pending(40, 0xb8));
    b.gic.read('ICC_IAR1_EL1');
    expect(b.gic.read('ICC_RPR_EL1')).toBe(0xa0);
    b.gic.writeList(1, pending(41, 0xa0));
    expect(b.signals).toBe('');
    b.gic.write('ICC_BPR0_EL1', 2n);
    b.gic.write('ICC_CTLR_EL1', 1n);
    expect([b.gic.read('ICC_BPR1_EL1'), b.signals]).toEqual([3, '']);
    b.gic.writeList(1, pending(41, 0x98));
    expect([b.signals, b.gic.read('ICC_IAR1_EL1')]).toEqual(['IRQ', 41]);
    b.gic.write('ICC_BPR1_EL1', 7n);
    expect(b.gic.read('ICC_BPR1_EL1')).toBe(3);
  });

  it('with EOImode 1 drops the priority with ICV_EOIR1_EL1 and deactivates with ICV_DIR_EL1', () => {
    const { gic } = bench();
    gic.write('ICC_CTLR_EL1', 2n);
    gic.writeList(0, pending(40) | state.active);
    gic.writeList(1, pending(41));
    expect(gic.read('ICC_IAR1_EL1')).toBe(41);
    gic.write('ICC_EOIR1_EL1', 41n);
    expect([gic.read('ICC_RPR_EL1'), gic.readList(1)! >> 62n]).toEqual([0xff, 2n]);
    gic.write('ICC_DIR_EL1', 41n);
    gic.write('ICC_DIR_EL1', 40n);
    expect([gic.readList(1)! >> 62n, gic.readList(0)! >> 62n]).toEqual([0n, 1n]);
  });

  it('deactivates the physical interrupt with the virtual one that ICH_LR<n>_EL2.HW links to it', () => {
    const { gic, deactivated } = bench();
    gic.writeList(0, pending(40, 0x80, physical(27)));
    gic.writeList(1, pending(41, 0x80));
    gic.read('ICC_IAR1_EL1');
    expect(deactivated).toEqual([]);
    gic.write('ICC_EOIR1_EL1', 40n);
    gic.read('ICC_IAR1_EL1');
    gic.write('ICC_EOIR1_EL1', 41n);
    expect(deactivated).toEqual([27]);
  });

  it('counts in EOIcount the ends of interrupts that are in no list register, by EOIR or by DIR as EOImode says', () => {
    const { gic } = bench();
    const eoiCount = (): number => gic.readIch('ICH_HCR_EL2') >>> 27;
    gic.writeIch('ICH_AP1R0_EL2', 1n << 20n);
    gic.write('ICC_DIR_EL1', 40n);
    expect(eoiCount()).toBe(0);
    gic.write('ICC_EOIR1_EL1', 40n);
    expect([eoiCount(), gic.readIch('ICH_AP1R0_EL2')]).toEqual([1, 0]);
    gic.write('ICC_EOIR1_EL1', 40n);
    expect(eoiCount()).toBe(1);
    gic.write('ICC_CTLR_EL1', 2n);
    gic.writeIch('ICH_AP1R0_EL2', 1n << 20n);
    gic.write('ICC_EOIR1_EL1', 40n);
    expect(eoiCount()).toBe(1);
    gic.write('ICC_DIR_EL1', 40n);
    expect(eoiCount()).toBe(2);
  });

  it('deactivates an LPI with its EOIR whatever EOImode says, and never counts one', () => {
    const { gic } = bench();
    gic.write('ICC_CTLR_EL1', 2n);
    gic.writeList(0, pending(8200));
    gic.read('ICC_IAR1_EL1');
    gic.write('ICC_EOIR1_EL1', 8200n);
    expect(gic.readList(0)! >> 62n).toBe(0n);
    gic.writeIch('ICH_AP1R0_EL2', 1n << 20n);
    gic.write('ICC_EOIR1_EL1', 8201n);
    gic.write('ICC_DIR_EL1', 8201n);
    expect(gic.readIch('ICH_HCR_EL2') >>> 27).toBe(0);
  });

  it.each([
    ['U with at most one valid list register', hcr.uie, 0x2],
    ['NP with no pending list register', hcr.npie, 0x8],
    ['VGrp0E', 1n << 4n, 0x10],
    ['VGrp0D', 1n << 5n, 0],
    ['VGrp1E', 1n << 6n, 0x40],
    ['VGrp1D', 1n << 7n, 0],
  ])('asks for maintenance: %s', (_, enable, misr) => {
    const b = bench();
    b.gic.writeIch('ICH_HCR_EL2', hcr.en | enable);
    expect([b.gic.readIch('ICH_MISR_EL2'), b.maintenance]).toEqual([misr, misr !== 0]);
    b.gic.writeList(0, pending(40));
    b.gic.writeList(1, pending(41));
    b.gic.writeIch('ICH_VMCR_EL2', BigInt(b.gic.readIch('ICH_VMCR_EL2')) ^ 3n);
    const other = misr === 0 ? Number(enable) : 0;
    expect([b.gic.readIch('ICH_MISR_EL2'), b.maintenance]).toEqual([other, other !== 0]);
    b.gic.writeIch('ICH_HCR_EL2', enable);
    expect([b.gic.readIch('ICH_MISR_EL2'), b.maintenance]).toEqual([other, false]);
  });

  it('asks for maintenance when an interrupt with EOI set has ended, and EISR says which', () => {
    const b = bench();
    b.gic.writeList(2, pending(40, 0x80, eoi));
    b.gic.read('ICC_IAR1_EL1');
    expect([b.gic.readIch('ICH_EISR_EL2'), b.gic.readIch('ICH_ELRSR_EL2'), b.maintenance]).toEqual([0, 0b1011, false]);
    b.gic.write('ICC_EOIR1_EL1', 40n);
    expect([b.gic.readIch('ICH_EISR_EL2'), b.gic.readIch('ICH_ELRSR_EL2'), b.maintenance]).toEqual([4, 0b1011, true]);
    b.gic.writeList(2, 0n);
    expect([b.gic.readIch('ICH_EISR_EL2'), b.gic.readIch('ICH_ELRSR_EL2'), b.maintenance]).toEqual([0, 0b1111, false]);
  });

  it('asks for maintenance by LRENP while EOIcount is not 0', () => {
    const b = bench();
    b.gic.writeIch('ICH_HCR_EL2', hcr.en | hcr.lrenpie);
    b.gic.writeIch('ICH_AP1R0_EL2', 1n << 20n);
    b.gic.write('ICC_EOIR1_EL1', 40n);
    expect([b.gic.readIch('ICH_MISR_EL2'), b.maintenance]).toEqual([4, true]);
    b.gic.writeIch('ICH_HCR_EL2', hcr.en | hcr.lrenpie);
    expect(b.maintenance).toBe(false);
  });

  it('goes on after restore as if nothing had been', () => {
    const a = bench();
    a.gic.writeIch('ICH_HCR_EL2', hcr.en | hcr.uie);
    a.gic.writeList(0, pending(40, 0x80, physical(27)));
    a.gic.read('ICC_IAR1_EL1');
    const b = bench();
    b.gic.restore(a.gic.save());
    expect(b.maintenance).toBe(false);
    b.gic.write('ICC_EOIR1_EL1', 40n);
    expect([b.deactivated, b.gic.readIch('ICH_ELRSR_EL2')]).toEqual([[27], 0xf]);
    expect(a.gic.readList(0)! >> 62n).toBe(2n);
  });
});

/** A virtual machine with any number of interrupts, and a hypervisor with four list registers that adds and takes away at will. */
it('delivers every interrupt exactly once and ends it exactly once, whatever the order of operations', () => {
  const kind = fc.record({ priority: fc.nat(15), linked: fc.boolean() });
  const step = fc.constantFrom('fill', 'acknowledge', 'end', 'evict', 'refill');
  fc.assert(
    fc.property(
      fc.array(kind, { maxLength: 24 }),
      fc.array(step, { maxLength: 120 }),
      fc.boolean(),
      fc.integer({ min: 3, max: 7 }),
      (interrupts, steps, splits, binaryPoint) => {
        const { gic, deactivated } = bench();
        gic.write('ICC_BPR1_EL1', BigInt(binaryPoint));
        gic.write('ICC_CTLR_EL1', splits ? 2n : 0n);
        const queue = interrupts.map(({ priority, linked }, n) =>
          pending(32 + n, priority * 8, linked ? physical(100 + n) : 0n),
        );
        const running: number[] = [];
        const delivered: number[] = [];
        /** Active interrupts without a list register, which software ends. */
        let evicted: number[] = [];
        const ended: number[] = [];
        const freeList = (): number => [0, 1, 2, 3].findIndex((n) => gic.readList(n)! >> 62n === 0n);
        const actions = {
          fill() {
            const n = freeList();
            const next = n < 0 ? undefined : queue.shift();
            if (next !== undefined) gic.writeList(n, next);
          },
          acknowledge() {
            const before = gic.read('ICC_RPR_EL1');
            const intid = gic.read('ICC_IAR1_EL1');
            if (intid === 1023) return;
            expect(gic.read('ICC_RPR_EL1')).toBeLessThan(before);
            running.push(intid);
            delivered.push(intid);
          },
          end() {
            const intid = running.pop();
            if (intid === undefined) return;
            gic.write('ICC_EOIR1_EL1', BigInt(intid));
            if (splits) gic.write('ICC_DIR_EL1', BigInt(intid));
            const count = gic.readIch('ICH_HCR_EL2') >>> 27;
            expect(count).toBe(evicted.includes(intid) ? 1 : 0);
            if (count === 1) {
              evicted = evicted.filter((other) => other !== intid);
              gic.writeIch('ICH_HCR_EL2', hcr.en);
              if (interrupts[intid - 32]!.linked) deactivated.push(100 + intid - 32);
            }
            ended.push(intid);
          },
          evict() {
            const n = [0, 1, 2, 3].find((list) => gic.readList(list)! >> 62n === 2n);
            if (n === undefined) return;
            evicted.push(Number(gic.readList(n)! & 0xffffn));
            gic.writeList(n, 0n);
          },
          refill() {
            const n = [0, 1, 2, 3].find((list) => gic.readList(list)! >> 62n === 1n);
            if (n === undefined) return;
            queue.push(gic.readList(n)!);
            gic.writeList(n, 0n);
          },
        };
        for (const name of steps) actions[name]();
        while (ended.length < interrupts.length) {
          actions.fill();
          actions.acknowledge();
          actions.end();
        }
        const all = interrupts.map((_, n) => 32 + n);
        expect([...delivered].sort((a, b) => a - b)).toEqual(all);
        expect([...ended].sort((a, b) => a - b)).toEqual(all);
        expect(deactivated.sort((a, b) => a - b)).toEqual(
          all.filter((n) => interrupts[n - 32]!.linked).map((n) => n + 68),
        );
        expect([gic.readIch('ICH_ELRSR_EL2'), gic.read('ICC_RPR_EL1'), gic.read('ICC_IAR1_EL1')]).toEqual([
          0xf, 0xff, 1023,
        ]);
      },
    ),
    { numRuns: 500, seed: 6 },
  );
});
