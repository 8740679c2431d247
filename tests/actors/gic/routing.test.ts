import { describe, expect, it } from 'vitest';
import { streamMessages } from '../../../actors/gic/stream-protocol.ts';
import { Network, sgiTo, sgiToOthers } from './network.ts';

function running(cores: number): Network {
  const network = new Network({ cores });
  network.enableAll();
  return network;
}
const interrupted = (network: Network): number[] => network.cores.filter(({ irq }) => irq).map(({ index }) => index);
const acknowledge = (network: Network, pe: number): number => network.cores[pe]!.gic.read('ICC_IAR1_EL1');
const endOf = (network: Network, pe: number, intid: number): void => network.icc(pe, 'ICC_EOIR1_EL1', intid);

describe('SGIs', () => {
  it('reach the PEs of the target list and no other', () => {
    const network = running(20);
    network.icc(3, 'ICC_SGI1R_EL1', (2n << 24n) | (1n << 16n) | 0b1101n);
    network.deliverAll();
    expect(interrupted(network)).toEqual([16, 18, 19]);
    expect(acknowledge(network, 18)).toBe(2);
  });

  it('with Interrupt_Routing_Mode reach everyone but the sender', () => {
    const network = running(5);
    network.icc(2, 'ICC_SGI1R_EL1', sgiToOthers(9));
    network.deliverAll();
    expect(interrupted(network)).toEqual([0, 1, 3, 4]);
  });

  it('reach the sender when the target list names it', () => {
    const network = running(2);
    network.icc(1, 'ICC_SGI1R_EL1', sgiTo(4, 1));
    network.deliverAll();
    expect(interrupted(network)).toEqual([1]);
  });

  it('that come while one is pending are one interrupt', () => {
    const network = running(3);
    for (let i = 0; i < 4; i++) {
      network.icc(i % 3, 'ICC_SGI1R_EL1', sgiTo(4, 0));
      network.deliverAll();
    }
    expect(acknowledge(network, 0)).toBe(4);
    network.deliverAll();
    endOf(network, 0, 4);
    network.deliverAll();
    expect(acknowledge(network, 0)).toBe(1023);
  });

  it('of a group that the target has not configured are not taken', () => {
    const network = running(2);
    network.icc(0, 'ICC_SGI0R_EL1', sgiTo(4, 1));
    network.deliverAll();
    expect(network.redistributors[1]!.read(0x1_0200, 4, true)).toBe(0);
    network.gicr(1, 0x1_0080, 0xffff_ffff & ~(1 << 4));
    network.icc(0, 'ICC_SGI0R_EL1', sgiTo(4, 1));
    network.gicd(0, 3);
    network.deliverAll();
    expect(network.cores[1]!.fiq).toBe(true);
    expect(network.cores[1]!.gic.read('ICC_IAR0_EL1')).toBe(4);
  });

  it('are acknowledged to a core that waits for them with a DSB', () => {
    const network = running(2);
    network.icc(0, 'ICC_SGI1R_EL1', sgiTo(4, 1));
    expect(network.cores[0]!.gic.isQuiet).toBe(false);
    network.deliverAll();
    expect(network.cores[0]!.gic.isQuiet).toBe(true);
  });
});

describe('SPIs', () => {
  it('go to the PE that GICD_IROUTER names', () => {
    const network = running(18);
    network.gicd(0x6000 + 8 * 33, 0x0101);
    network.deliverAll();
    network.pulse(33);
    network.deliverAll();
    expect(interrupted(network)).toEqual([17]);
  });

  it('move with GICD_IROUTER while they are pending, and are taken once', () => {
    const network = running(3);
    network.pulse(33);
    network.deliverAll();
    expect(interrupted(network)).toEqual([0]);
    network.gicd(0x6000 + 8 * 33, 2);
    network.deliverAll();
    expect(interrupted(network)).toEqual([2]);
    expect([acknowledge(network, 0), acknowledge(network, 2)]).toEqual([1023, 33]);
  });

  it('that the PE acknowledges while they are retargeted stay with that PE', () => {
    const network = running(2);
    network.pulse(33);
    network.deliverAll();
    network.gicd(0x6000 + 8 * 33, 1);
    expect(acknowledge(network, 0)).toBe(33);
    network.deliverAll();
    expect(interrupted(network)).toEqual([]);
    expect(network.distributor.read(0x0304, 4, true)).toBe(2);
    endOf(network, 0, 33);
    network.deliverAll();
    expect(network.distributor.read(0x0304, 4, true)).toBe(0);
    expect(interrupted(network)).toEqual([]);
  });

  it('with 1 of N go to the lowest-numbered PE that is awake and takes the group', () => {
    const network = running(4);
    network.gicd(0x6000 + 8 * 33, 0x8000_0000);
    network.gicr(0, 0x0014, 2);
    network.icc(1, 'ICC_IGRPEN1_EL1', 0);
    network.deliverAll();
    network.pulse(33);
    network.deliverAll();
    expect(interrupted(network)).toEqual([2]);
    network.gicr(2, 0x0014, 2);
    network.deliverAll();
    expect(interrupted(network)).toEqual([3]);
    network.gicr(0, 0x0014, 0);
    network.deliverAll();
    expect(interrupted(network)).toEqual([3]);
  });

  it('with 1 of N wait while every PE is asleep', () => {
    const network = running(2);
    network.gicd(0x6000 + 8 * 33, 0x8000_0000);
    for (const pe of [0, 1]) network.gicr(pe, 0x0014, 2);
    network.deliverAll();
    network.pulse(33);
    network.deliverAll();
    expect(interrupted(network)).toEqual([]);
    network.gicr(1, 0x0014, 0);
    network.deliverAll();
    expect(interrupted(network)).toEqual([1]);
  });

  it('that are level-sensitive are pending again after EOI while the line is high', () => {
    const network = running(1);
    network.gicd(0x0c08, 0);
    network.wire(34, true);
    network.deliverAll();
    expect(acknowledge(network, 0)).toBe(34);
    network.deliverAll();
    expect(network.cores[0]!.irq).toBe(false);
    endOf(network, 0, 34);
    network.deliverAll();
    expect(network.cores[0]!.irq).toBe(true);
    network.wire(34, false);
    network.deliverAll();
    expect(network.cores[0]!.irq).toBe(false);
    expect(acknowledge(network, 0)).toBe(1023);
  });

  it('that are pending but disabled are not signalled, and are when they are enabled', () => {
    const network = running(1);
    network.gicd(0x0184, 1 << 2);
    network.pulse(34);
    network.deliverAll();
    expect(network.cores[0]!.irq).toBe(false);
    network.gicd(0x0104, 1 << 2);
    network.deliverAll();
    expect(acknowledge(network, 0)).toBe(34);
  });

  it('written to GICD_ICPENDR are not taken any more', () => {
    const network = running(1);
    network.pulse(34);
    network.deliverAll();
    network.gicd(0x0284, 1 << 2);
    network.deliverAll();
    expect(acknowledge(network, 0)).toBe(1023);
    expect(network.distributor.read(0x0204, 4, true)).toBe(0);
  });
});

describe('a PE', () => {
  it('is told of the higher priority first, and of the lower INTID of two that are equal', () => {
    const network = running(1);
    network.writeWord(0, 0, 0x0400 + 40, 0x20, 1);
    network.gicd(0, 0);
    for (const intid of [36, 35, 40]) network.pulse(intid);
    network.gicd(0, 3);
    network.deliverAll();
    const order: number[] = [];
    for (let i = 0; i < 3; i++) {
      const intid = acknowledge(network, 0);
      order.push(intid);
      network.deliverAll();
      endOf(network, 0, intid);
      network.deliverAll();
    }
    expect(order).toEqual([40, 35, 36]);
  });

  it('releases a lower-priority interrupt for a higher one and takes it afterwards', () => {
    const network = running(1);
    network.pulse(36);
    network.deliverAll();
    network.writeWord(0, 0, 0x0400 + 40, 0x20, 1);
    network.pulse(40);
    network.deliverAll();
    expect(network.sent.some(({ code, payload }) => code === streamMessages.Release.code && payload[0] === 36)).toBe(
      true,
    );
    expect(acknowledge(network, 0)).toBe(40);
    endOf(network, 0, 40);
    network.deliverAll();
    expect(acknowledge(network, 0)).toBe(36);
  });

  it('asleep by GICR_WAKER keeps its interrupts pending, and its children sleep when the CPU interface is quiet', () => {
    const network = running(1);
    network.pulse(36);
    network.deliverAll();
    network.gicr(0, 0x0014, 2);
    network.deliverOne(0);
    expect(network.redistributors[0]!.read(0x0014, 4, true)).toBe(2);
    network.deliverAll();
    expect(network.redistributors[0]!.read(0x0014, 4, true)).toBe(6);
    expect(network.cores[0]!.irq).toBe(false);
    network.gicr(0, 0x0014, 0);
    network.deliverAll();
    expect(acknowledge(network, 0)).toBe(36);
  });

  it('that is reset gives back what it holds, and gets it again when it enables the group', () => {
    const network = running(1);
    network.pulse(36);
    network.deliverAll();
    network.cores[0]!.gic.reset();
    network.deliverAll();
    expect(network.cores[0]!.irq).toBe(false);
    network.icc(0, 'ICC_PMR_EL1', 0xff);
    network.icc(0, 'ICC_IGRPEN1_EL1', 1);
    network.deliverAll();
    expect(acknowledge(network, 0)).toBe(36);
  });

  it('has its own timer interrupts', () => {
    const network = running(2);
    network.ppi(1, 27, true);
    network.deliverAll();
    expect(interrupted(network)).toEqual([1]);
    expect(acknowledge(network, 1)).toBe(27);
    network.ppi(1, 27, false);
    endOf(network, 1, 27);
    network.deliverAll();
    expect(interrupted(network)).toEqual([]);
  });

  it('of 1,024 boots, enables its redistributor and answers its neighbour in a handful of messages', () => {
    const network = new Network({ cores: 1024 });
    network.gicd(0, 3);
    network.deliverAll();
    for (let pe = 0; pe < 1024; pe++) {
      network.gicr(pe, 0x0014, 0);
      network.gicr(pe, 0x1_0080, 0xffff_ffff);
      network.gicr(pe, 0x1_0100, 0xffff);
      network.icc(pe, 'ICC_PMR_EL1', 0xf0);
      network.icc(pe, 'ICC_IGRPEN1_EL1', 1);
      while (network.inFlight > 0) network.deliverAll();
    }
    const before = network.sent.length;
    for (let pe = 0; pe < 1024; pe++) network.icc(pe, 'ICC_SGI1R_EL1', sgiTo(1, (pe + 1) % 1024));
    network.deliverAll();
    expect(interrupted(network).length).toBe(1024);
    // Generate SGI, its acknowledge, the SGI, and Set.
    expect(network.sent.length - before).toBe(4 * 1024);
  });
});
