// The GIC under every order of delivery that FIFO per (sender, receiver) permits, in random runs: no interrupt is lost, none is
// taken twice, none is active in two places, and at rest each PE is told of its highest-priority interrupt.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Network, sgiTo } from './network.ts';

const cores = 3;
/** SPIs of the runs: edge-triggered, but for the last. */
const edgeSpis = [33, 40, 64, 287];
const levelSpi = 50;
const spis = [...edgeSpis, levelSpi];
const sgi = 5;
const ppi = 27;
const gicd = {
  CTLR: 0,
  ISENABLER: 0x100,
  ICENABLER: 0x180,
  ISPENDR: 0x200,
  ICFGR: 0xc00,
  IPRIORITYR: 0x400,
  IROUTER: 0x6000,
};

interface Ledger {
  /** Times at which edges were sent and acknowledges made. */
  readonly edges: number[];
  readonly acknowledges: number[];
}

class Run {
  readonly network = new Network({ cores });
  private readonly ledgers = new Map<string, Ledger>();
  private readonly active = new Map<string, number>();
  /** INTIDs that each core handles, the innermost last. */
  private readonly handling: number[][] = Array.from({ length: cores }, () => []);
  private readonly level = { device: false, ppi: Array.from({ length: cores }, () => false) };

  constructor() {
    this.network.enableAll();
    this.network.gicd(gicd.ICFGR + 4 * (levelSpi >> 4), 0xaaaa_aaaa & ~(2 << ((levelSpi & 15) * 2)));
    this.network.deliverAll();
  }

  act(op: number, a: number, b: number): void {
    const { network } = this;
    const pe = a % cores;
    const spi = spis[b % spis.length]!;
    const edge = edgeSpis[b % edgeSpis.length]!;
    network.time++;
    switch (op) {
      case 0:
        this.note(`${edge}`).edges.push(network.time);
        {
          network.pulse(edge);
          return;
        }
      case 1: {
        this.acknowledge(pe);
        return;
      }
      case 2: {
        this.endOfInterrupt(pe);
        return;
      }
      case 3:
        this.note(`${sgi}@${b % cores}`).edges.push(network.time);
        {
          network.icc(pe, 'ICC_SGI1R_EL1', sgiTo(sgi, b % cores));
          return;
        }
      case 4: {
        network.gicd(gicd.IROUTER + 8 * spi, a % 4 === 3 ? 0x8000_0000 : pe);
        return;
      }
      case 5: {
        network.gicd(a & 4 ? gicd.ICENABLER + 4 * (spi >> 5) : gicd.ISENABLER + 4 * (spi >> 5), 1 << (spi & 31));
        return;
      }
      case 6: {
        network.writeWord(pe, 0, gicd.IPRIORITYR + spi, ((a >> 2) & 7) << 5, 1);
        return;
      }
      case 7: {
        network.gicr(pe, 0x0014, a & 4 ? 2 : 0);
        return;
      }
      case 8: {
        network.icc(pe, 'ICC_IGRPEN1_EL1', (a >> 2) & 1);
        return;
      }
      case 9:
        this.level.device = !this.level.device;
        {
          network.wire(levelSpi, this.level.device);
          return;
        }
      case 10: {
        network.gicd(gicd.CTLR, (a >> 2) & 2);
        return;
      }
      case 11: {
        network.icc(pe, 'ICC_PMR_EL1', (a >> 2) & 1 ? 0x80 : 0xff);
        return;
      }
      case 12:
        this.note(`${edge}`).edges.push(network.time);
        {
          network.gicd(gicd.ISPENDR + 4 * (edge >> 5), 1 << (edge & 31), pe);
          return;
        }
      case 13:
        this.level.ppi[pe] = !this.level.ppi[pe];
        {
          network.ppi(pe, ppi, this.level.ppi[pe]);
          return;
        }
      case 14: {
        network.icc(pe, 'ICC_CTLR_EL1', (a >> 2) & 1 ? 2 : 0);
        return;
      }
      default:
        network.deliverOne(b);
    }
  }

  /** Everything may be delivered again; devices lower their lines; cores handle until nothing is left. */
  drain(choose: () => number): void {
    const { network } = this;
    network.gicd(gicd.CTLR, 3);
    for (let w = 1; w < 9; w++) network.gicd(gicd.ISENABLER + 4 * w, 0xffff_ffff);
    network.wire(levelSpi, false);
    for (let pe = 0; pe < cores; pe++) {
      network.ppi(pe, ppi, false);
      network.gicr(pe, 0x0014, 0);
      network.icc(pe, 'ICC_PMR_EL1', 0xff);
      network.icc(pe, 'ICC_IGRPEN1_EL1', 1);
    }
    for (let guard = 0; guard < 10_000; guard++) {
      network.time++;
      network.deliverAll(choose);
      for (let pe = 0; pe < cores; pe++) this.acknowledge(pe);
      for (let pe = 0; pe < cores; pe++) this.endOfInterrupt(pe);
      if (network.inFlight === 0 && this.handling.every((nest) => nest.length === 0)) return;
    }
    throw new Error('the cores never come to rest');
  }

  /** Lets messages arrive while no core does anything, then compares what each PE holds with what it should. */
  checkPriorities(choose: () => number): void {
    this.network.deliverAll(choose);
    for (const { gic, index } of this.network.cores) {
      gic.write('ICC_IGRPEN1_EL1', 1);
      this.network.deliverAll(choose);
      const held = gic.read('ICC_HPPIR1_EL1');
      const best = this.bestPriority(index);
      expect(held === 1023 ? 256 : this.priorityOf(index, held)).toBe(best);
    }
  }

  checkLedgers(): void {
    for (const [name, { edges, acknowledges }] of this.ledgers) {
      const last = acknowledges.at(-1) ?? -1;
      expect(
        edges.every((sent) => sent < last),
        `${name}: an edge is lost`,
      ).toBe(true);
      acknowledges.forEach((taken, i) => expect(edges[i] ?? Infinity, `${name}: taken twice`).toBeLessThan(taken));
    }
    const { spis: saved } = this.network.distributor.save();
    const { offered, reissued, again, carried, latch, active } = saved.bits;
    expect([offered, reissued, again, carried, latch, active].flat().every((word) => word === 0)).toBe(true);
    expect(this.network.distributor.read(gicd.CTLR, 4, true) >>> 31).toBe(0);
    for (const redistributor of this.network.redistributors) {
      const { interrupts, presented } = redistributor.save();
      expect(presented).toBe(-1);
      expect(interrupts.bits.offered.every((word) => word === 0)).toBe(true);
      expect(interrupts.bits.latch.every((word) => word === 0)).toBe(true);
    }
    for (const { gic } of this.network.cores) expect(gic.isQuiet).toBe(true);
  }

  private note(name: string): Ledger {
    const ledger = this.ledgers.get(name) ?? { edges: [], acknowledges: [] };
    this.ledgers.set(name, ledger);
    return ledger;
  }

  private nameOf(pe: number, intid: number): string {
    return intid < 32 ? `${intid}@${pe}` : `${intid}`;
  }

  private acknowledge(pe: number): void {
    const { gic, irq, fiq } = this.network.cores[pe]!;
    const running = gic.read('ICC_RPR_EL1');
    const pending = gic.read('ICC_HPPIR1_EL1');
    const intid = gic.read('ICC_IAR1_EL1');
    expect(fiq).toBe(false);
    expect(irq).toBe(intid !== 1023);
    if (intid === 1023) return;
    expect(intid).toBe(pending);
    expect(gic.read('ICC_RPR_EL1')).toBeLessThan(running);
    const name = this.nameOf(pe, intid);
    expect(this.active.has(name), `${name} is active in two places`).toBe(false);
    this.active.set(name, pe);
    this.handling[pe]!.push(intid);
    if (intid !== levelSpi && intid !== ppi) this.note(name).acknowledges.push(this.network.time);
  }

  private endOfInterrupt(pe: number): void {
    const intid = this.handling[pe]!.pop();
    if (intid === undefined) return;
    const { gic } = this.network.cores[pe]!;
    gic.write('ICC_EOIR1_EL1', intid);
    gic.write('ICC_DIR_EL1', intid);
    this.active.delete(this.nameOf(pe, intid));
  }

  private bestPriority(pe: number): number {
    const { distributor, redistributors } = this.network;
    let best = 256;
    const ctlr = distributor.read(gicd.CTLR, 4, true);
    if ((ctlr & 2) === 0 || (redistributors[pe]!.read(0x14, 4, true) & 2) !== 0) return best;
    const own = redistributors[pe]!;
    const ownPending = own.read(0x1_0200, 4, true) & own.read(0x1_0100, 4, true) & ~own.read(0x1_0300, 4, true);
    for (const intid of [sgi, ppi]) {
      if ((ownPending >>> intid) & 1) best = Math.min(best, this.priorityOf(pe, intid));
    }
    const { offeredTo } = distributor.save();
    for (const spi of spis) {
      const bit = (offset: number): number => (distributor.read(offset + 4 * (spi >> 5), 4, true) >>> (spi & 31)) & 1;
      if (!bit(gicd.ISPENDR) || !bit(gicd.ISENABLER) || bit(0x300)) continue;
      const router = distributor.read(gicd.IROUTER + 8 * spi, 4, true);
      const here = router >>> 31 ? offeredTo[spi] === pe : router === pe;
      if (here) best = Math.min(best, this.priorityOf(pe, spi));
    }
    return best;
  }

  private priorityOf(pe: number, intid: number): number {
    if (intid < 32) return this.network.redistributors[pe]!.read(0x1_0400 + intid, 1, true);
    return this.network.distributor.read(gicd.IPRIORITYR + intid, 1, true);
  }
}

/** Of the operations, more than half are deliveries. */
const operations = fc.array(
  fc.tuple(
    fc.oneof(
      { weight: 4, arbitrary: fc.constant(99) },
      { weight: 4, arbitrary: fc.nat(3) },
      { weight: 2, arbitrary: fc.nat(14) },
    ),
    fc.nat(63),
    fc.nat(1023),
  ),
  { minLength: 20, maxLength: 400, size: 'max' },
);

function chooser(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b_3c6d) + 0x6d2b_79f5;
    return (state ^ (state >>> 13)) >>> 0;
  };
}

describe('the GIC over random interleavings', () => {
  it('loses no edge, takes none twice, and comes to rest', { timeout: 120_000 }, () => {
    fc.assert(
      fc.property(operations, fc.integer(), (ops, seed) => {
        const run = new Run();
        for (const [op, a, b] of ops) run.act(op, a, b);
        run.drain(chooser(seed));
        run.checkLedgers();
      }),
      { numRuns: 400, seed: 20_240_601 },
    );
  });

  it('tells each PE of its highest-priority interrupt when nothing is in flight', { timeout: 120_000 }, () => {
    fc.assert(
      fc.property(operations, fc.integer(), (ops, seed) => {
        const run = new Run();
        for (const [op, a, b] of ops) run.act(op, a, b);
        run.checkPriorities(chooser(seed));
      }),
      { numRuns: 200, seed: 20_240_602 },
    );
  });
});
