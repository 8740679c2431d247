import { describe, expect, it } from 'vitest';
import { injectInterrupt } from '../../../src/hypervisor/interrupts.ts';
import { deviceKind } from '../../../src/hypervisor/state.ts';
import { operate, setBy } from '../../../src/hypervisor/vgic/delivery.ts';
import { queued } from '../../../src/hypervisor/vgic/queue.ts';
import { accessCpuInterface, sendSgiByRegister } from '../../../src/hypervisor/vgic/trapped-registers.ts';
import { type Bench, makeBench } from './bench.ts';
import { acknowledge, enable, end, handleAll, unmask, writeGicd } from './guest.ts';

const NPIE = 1 << 3;
const [a, b, c, d, e, f] = [40, 41, 42, 43, 44, 45] as const;
const six = [a, b, c, d, e, f];
const sixDevices = six.map((intid) => [deviceKind.virtioNet, intid] as const);

const inject = (bench: Bench, intid: number, core = 0, vm = 0): void => {
  bench.run(core, (rhyper) => injectInterrupt(rhyper, bench.vcpu(vm), intid));
};
const hcr = (bench: Bench, core = 0): number => bench.cores[core]!.virtual.readIch('ICH_HCR_EL2');

describe('list registers', () => {
  it('take a physical interrupt with the link to it, whose priority alone EL2 drops (scenario 14)', () => {
    const bench = makeBench([{ cores: [0], physical: [40] }]);
    bench.enter(0);
    enable(bench, [40]);
    unmask(bench, 0);
    const core = bench.cores[0]!;
    core.pending.push(40);
    bench.takeInterrupts(0);
    expect(core.virtual.readList(0)).toBe(0x7080_0028_0000_0028n);
    expect(core.ended).toEqual(['EOI 40']);
    expect(acknowledge(bench, 0)).toBe(40);
    end(bench, 0, 40);
    expect(core.ended).toEqual(['EOI 40', 'virtual 40']);
    expect(bench.vcpu(0).injectedInterrupts).toBe(1);
  });

  it('keep the more urgent interrupts where there are not enough of them', () => {
    const bench = makeBench([{ cores: [0], devices: sixDevices }]);
    bench.enter(0);
    enable(bench, [a, b, c, d], 0x80);
    enable(bench, [e], 0xa0);
    enable(bench, [f], 0x40);
    for (const intid of six) inject(bench, intid);
    expect(bench.lists(0)).toEqual(['40P', '41P', '42P', '45P']);
    expect(queued(bench.vcpu(0), 'spilledPending')).toEqual([e, d]);
    expect(hcr(bench) & NPIE).toBe(NPIE);
    unmask(bench, 0);
    expect(handleAll(bench, 0)).toEqual([f, a, b, c, d, e]);
    expect(hcr(bench) & NPIE).toBe(0);
  });

  it('give way to any newcomer as-is: the contents of scenario 17', () => {
    const bench = makeBench([{ cores: [0], devices: sixDevices }], { quirks: ['lr-victim-ignores-newcomer'] });
    bench.enter(0);
    enable(bench, six);
    for (const intid of six) inject(bench, intid);
    expect(bench.lists(0)).toEqual(['45P', '41P', '42P', '43P']);
    expect(queued(bench.vcpu(0), 'spilledPending')).toEqual([a, e]);
    expect(hcr(bench) & NPIE).toBe(NPIE);
    unmask(bench, 0);
    const taken = [0, 1, 2].map(() => {
      const intid = acknowledge(bench, 0)!;
      end(bench, 0, intid);
      bench.settle();
      return intid;
    });
    expect(taken).toEqual([f, b, c]);
    expect(bench.lists(0)).toEqual(['-', '-', '-', '43P']);
    expect(acknowledge(bench, 0)).toBe(d);
    bench.settle();
    expect(bench.lists(0)).toEqual(['40P', '44P', '-', '43A']);
    expect(hcr(bench) & NPIE).toBe(0);
    end(bench, 0, d);
    expect(handleAll(bench, 0)).toEqual([a, e]);
    expect(bench.vcpu(0).injectedInterrupts).toBe(6);
  });

  it('are given up by active interrupts for one that preempts them all', () => {
    const bench = makeBench([{ cores: [0], devices: sixDevices }]);
    bench.enter(0);
    unmask(bench, 0);
    six.forEach((intid, n) => {
      enable(bench, [intid], 0xe0 - 0x20 * n);
      inject(bench, intid);
      expect(acknowledge(bench, 0)).toBe(intid);
    });
    expect(queued(bench.vcpu(0), 'spilledActive')).toEqual([a, b]);
    for (const intid of [...six].reverse()) {
      end(bench, 0, intid);
      bench.settle();
    }
    expect(bench.lists(0)).toEqual(['-', '-', '-', '-']);
    expect(queued(bench.vcpu(0), 'spilledActive')).toEqual([]);
    inject(bench, a);
    expect(handleAll(bench, 0)).toEqual([a]);
  });

  it('with EOImode 1 leave the end of what they do not hold to a trapped ICC_DIR_EL1', () => {
    const bench = makeBench([{ cores: [0], devices: sixDevices }]);
    bench.enter(0);
    enable(bench, six);
    unmask(bench, 0);
    bench.icc(0, 'ICC_CTLR_EL1', 2);
    for (const intid of six) {
      inject(bench, intid);
      expect(acknowledge(bench, 0)).toBe(intid);
      end(bench, 0, intid);
    }
    const TDIR = 1 << 14;
    expect(hcr(bench) & TDIR).toBe(TDIR);
    for (const intid of [f, a, c, b, e, d])
      bench.run(0, (rhyper) => accessCpuInterface(rhyper, bench.vcpu(0), 'ICC_DIR_EL1', true, BigInt(intid)));
    expect(bench.lists(0)).toEqual(['-', '-', '-', '-']);
    expect([queued(bench.vcpu(0), 'spilledActive'), hcr(bench) & TDIR]).toEqual([[], 0]);
  });

  it('receive what came meanwhile when the vCPU is put on its core, once for each interrupt (scenario 18)', () => {
    const one = { cores: [0], devices: [[deviceKind.virtioBlock, 49] as const], physical: [40] };
    const bench = makeBench([one, { cores: [0] }]);
    bench.enter(0);
    enable(bench, [49, 40]);
    unmask(bench, 0);
    bench.leave(0);
    bench.enter(1);
    inject(bench, 49);
    inject(bench, 49, 2);
    bench.cores[0]!.pending.push(40);
    bench.settle();
    expect(queued(bench.vcpu(0), 'waiting')).toEqual([49, 40]);
    expect(bench.cores[0]!.ended).toEqual(['EOI 40']);
    expect(bench.lists(0)).toEqual(['-', '-', '-', '-']);
    expect(bench.vms[1]!.vgic.owner.some((owner) => owner !== 0)).toBe(false);
    bench.leave(0);
    bench.enter(0);
    expect(bench.lists(0)).toEqual(['49P', '40P', '-', '-']);
    expect(queued(bench.vcpu(0), 'waiting')).toEqual([]);
    expect(handleAll(bench, 0)).toEqual([49, 40]);
    expect(bench.cores[0]!.ended).toContain('virtual 40');
  });

  it('go with their vCPU and come back with it, active priorities included', () => {
    const bench = makeBench([{ cores: [0], devices: sixDevices }, { cores: [0] }]);
    bench.enter(0);
    enable(bench, six);
    unmask(bench, 0, 0xf0);
    for (const intid of six) inject(bench, intid);
    expect(acknowledge(bench, 0)).toBe(a);
    bench.leave(0);
    bench.enter(1);
    expect(bench.lists(0)).toEqual(['-', '-', '-', '-']);
    expect(bench.icc(0, 'ICC_RPR_EL1')).toBe(0xff);
    bench.leave(0);
    bench.enter(0);
    expect(bench.lists(0)).toEqual(['40A', '41P', '42P', '43P']);
    expect([bench.icc(0, 'ICC_RPR_EL1'), bench.icc(0, 'ICC_PMR_EL1')]).toEqual([0x80, 0xf0]);
    end(bench, 0, a);
    // Of equal priorities the lowest list register goes first.
    expect(handleAll(bench, 0)).toEqual([e, f, b, c, d]);
  });

  it('leave the physical PPI of a timer free for the next vCPU, and take it back', () => {
    const bench = makeBench([
      { cores: [0], physical: [27] },
      { cores: [0], physical: [27] },
    ]);
    const core = bench.cores[0]!;
    bench.enter(0);
    enable(bench, [27]);
    unmask(bench, 0);
    core.pending.push(27);
    bench.takeInterrupts(0);
    expect(bench.lists(0)).toEqual(['27P', '-', '-', '-']);
    bench.accesses.length = 0;
    bench.leave(0);
    expect(bench.accesses).toEqual(['write 80b0380 8000000']);
    expect(core.registers.get('CNTV_CTL_EL0')).toBe(0n);
    bench.enter(1);
    enable(bench, [27], 0x80, 1);
    unmask(bench, 0);
    core.pending.push(27);
    bench.takeInterrupts(0);
    expect(handleAll(bench, 0)).toEqual([27]);
    bench.accesses.length = 0;
    bench.leave(0);
    expect(bench.accesses).toEqual([]);
    bench.enter(0);
    expect(bench.accesses).toEqual(['write 80b0300 8000000']);
    expect(handleAll(bench, 0)).toEqual([27]);
    expect(core.ended).toEqual(['EOI 27', 'EOI 27', 'virtual 27', 'virtual 27']);
  });
});

describe('SGIs between vCPUs', () => {
  it('reach the vCPUs of the list, as a message where they run on another core (scenario 16)', () => {
    const bench = makeBench([{ cores: [0, 1, 2] }, { cores: [2] }]);
    bench.enter(0, 0);
    bench.enter(0, 1);
    bench.enter(1);
    writeGicd(bench, 0, 2);
    for (const core of [0, 1]) unmask(bench, core);
    for (const id of [0, 1, 2]) bench.vcpu(0, id).vgic.enabled[0] = 0xffff;
    bench.settle();
    const intid3 = 3n << 24n;
    const before = bench.cores[0]!.rhyper.core.ipisSent[0]!;
    bench.run(0, (rhyper) => sendSgiByRegister(rhyper, bench.vcpu(0, 0), intid3 | 0b110n, 1));
    expect(bench.lists(1)).toEqual(['-', '-', '-', '-']);
    bench.settle();
    expect(bench.lists(0)[0]).toBe('-');
    expect(handleAll(bench, 1)).toEqual([3]);
    expect(bench.cores[0]!.rhyper.core.ipisSent[0]! - before).toBe(1n);
    bench.leave(2);
    bench.enter(0, 2);
    expect(bench.lists(2)).toEqual(['3P', '-', '-', '-']);
  });

  it('go to all others with IRM, and to nobody of another affinity', () => {
    const bench = makeBench([{ cores: [0, 1, 2] }]);
    for (const id of [0, 1, 2]) {
      bench.enter(0, id);
      unmask(bench, id);
      bench.vcpu(0, id).vgic.enabled[0] = 0xffff;
    }
    writeGicd(bench, 0, 2);
    bench.settle();
    bench.run(1, (rhyper) => sendSgiByRegister(rhyper, bench.vcpu(0, 1), (5n << 24n) | (1n << 16n) | 7n, 1));
    bench.settle();
    expect([0, 1, 2].flatMap((core) => handleAll(bench, core))).toEqual([]);
    bench.run(1, (rhyper) => sendSgiByRegister(rhyper, bench.vcpu(0, 1), (5n << 24n) | (1n << 40n), 1));
    bench.settle();
    expect([0, 1, 2].map((core) => handleAll(bench, core))).toEqual([[5], [], [5]]);
  });

  it('of a GICv2 are pending once for each sender: the next one follows after maintenance (scenario 16)', () => {
    const bench = makeBench([{ cores: [0, 1, 2] }], { gicVersion: 2 });
    bench.vms[0]!.vgic.ctlr = 1;
    bench.enter(0, 1);
    bench.icc(1, 'ICC_PMR_EL1', 0xf8);
    bench.icc(1, 'ICC_IGRPEN0_EL1', 1);
    for (const source of [0, 2, 2])
      bench.run(1, (rhyper) => operate(rhyper, bench.vcpu(0, 1), 'SetPend', 3, setBy(source)));
    const eoi = 1n << 41n;
    const pending = 1n << 62n;
    const list = (n: number): bigint | undefined => bench.cores[1]!.virtual.readList(n);
    // GICC_IAR: the sender in [12:10].
    expect([list(0), list(1)]).toEqual([pending | eoi | 3n, 0n]);
    const taken = [0, 1].map(() => {
      const iar = bench.icc(1, 'ICC_IAR0_EL1');
      bench.icc(1, 'ICC_EOIR0_EL1', iar);
      bench.settle();
      return iar;
    });
    expect(taken).toEqual([3, (2 << 10) | 3]);
    expect(bench.icc(1, 'ICC_IAR0_EL1')).toBe(1023);
    expect(bench.vcpu(0, 1).injectedInterrupts).toBe(2);
  });
});
