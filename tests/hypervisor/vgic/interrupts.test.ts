import { describe, expect, it } from 'vitest';
import { initInterrupts, injectInterrupt } from '../../../src/hypervisor/interrupts.ts';
import { setPatience, setTick } from '../../../src/hypervisor/timer.ts';
import { deviceKind, systemSlot, vcpuState } from '../../../src/hypervisor/state.ts';
import { queued } from '../../../src/hypervisor/vgic/queue.ts';
import { accessCpuInterface } from '../../../src/hypervisor/vgic/trapped-registers.ts';
import { type Bench, distributorBase, makeBench, redistributorBases } from './bench.ts';
import { acknowledge, enable, handleAll, unmask } from './guest.ts';

const at = (pa: number): string => pa.toString(16);

describe('the physical GIC', () => {
  it('is set up by core 0; each core wakes its redistributor and enables what the hypervisor owns', () => {
    const bench = makeBench([]);
    bench.devices.set(redistributorBases[1] + 0x14, 2);
    bench.run(0, initInterrupts);
    bench.run(1, initInterrupts);
    expect(bench.devices.get(distributorBase)).toBe(0x13);
    expect(bench.devices.get(redistributorBases[1] + 0x14)).toBe(0);
    for (const core of [0, 1] as const) {
      const frame = redistributorBases[core] + 0x1_0000;
      const enabled = bench.accesses.filter((access) => access.startsWith(`write ${at(frame + 0x100)} `));
      expect(enabled.map((access) => access.split(' ')[2])).toEqual(['2', '2000000', '4000000']);
      const { registers } = bench.cores[core]!;
      expect([registers.get('ICC_CTLR_EL1'), registers.get('ICC_IGRPEN1_EL1')]).toEqual([2n, 1n]);
    }
    expect(bench.accesses.filter((access) => access.startsWith(`write ${at(distributorBase)} `))).toHaveLength(2);
  });

  it('ticks after a time slice of the counter, until it is stopped', () => {
    const bench = makeBench([], { tickTicks: 5000 });
    const { registers } = bench.cores[0]!;
    const timer = (): unknown[] => [registers.get('CNTHP_CVAL_EL2'), registers.get('CNTHP_CTL_EL2')];
    const { rhyper } = bench.cores[0]!;
    registers.set('CNTPCT_EL0', 700n);
    setTick(rhyper, true);
    expect(timer()).toEqual([5700n, 1n]);
    // What comes first.
    setPatience(rhyper, 2000n);
    expect(timer()).toEqual([2000n, 1n]);
    setTick(rhyper, false);
    expect(timer()).toEqual([2000n, 1n]);
    setPatience(rhyper, 0n);
    expect(timer()).toEqual([2000n, 0n]);
    setTick(rhyper, true);
    bench.cores[0]!.pending.push(26);
    bench.takeInterrupts(0);
    expect([bench.cores[0]!.rhyper.core.ticks, registers.get('CNTHP_CTL_EL2')]).toEqual([1, 0n]);
    expect(bench.cores[0]!.ended).toEqual(['EOI 26', 'DIR 26']);
  });
});

describe('an interrupt at EL2', () => {
  const device = [[deviceKind.virtioNet, 48]] as const;

  it('that nobody owns is deactivated and reported, a foreign one is counted', () => {
    const bench = makeBench([{ cores: [0] }, { cores: [1], physical: [40] }]);
    bench.enter(0);
    bench.cores[0]!.pending.push(99, 27, 40);
    bench.settle();
    expect(bench.log).toEqual(['core 0: interrupt 99 is nobody’s', 'core 0: interrupt 27 is nobody’s']);
    expect(bench.cores[0]!.ended).toEqual(['EOI 99', 'DIR 99', 'EOI 27', 'DIR 27', 'EOI 40']);
    expect(bench.cores[0]!.rhyper.core.foreignInterrupts).toBe(3);
    expect(queued(bench.vcpu(1), 'waiting')).toEqual([40]);
  });

  it('for a vCPU that runs on another core goes there, with its link to the physical one', () => {
    const bench = makeBench([{ cores: [0] }, { cores: [1], physical: [40] }]);
    bench.enter(1);
    enable(bench, [40], 0x80, 1);
    unmask(bench, 1);
    bench.cores[0]!.pending.push(40);
    bench.settle();
    expect(bench.lists(1)[0]).toBe('40P');
    expect(handleAll(bench, 1)).toEqual([40]);
    expect([bench.cores[0]!.ended, bench.cores[1]!.ended.at(-1)]).toEqual([['EOI 40'], 'virtual 40']);
    expect(bench.cores[0]!.rhyper.core.ipisSent[8]).toBe(1n);
  });

  it('for a vCPU that is off stays pending in its VM until it is on', () => {
    const bench = makeBench([{ cores: [0], physical: [40] }]);
    enable(bench, [40]);
    bench.vcpu(0).state = vcpuState.invalid;
    bench.cores[0]!.pending.push(40);
    bench.settle();
    expect(bench.cores[0]!.ended).toEqual(['EOI 40']);
    bench.enter(0);
    expect(bench.lists(0)[0]).toBe('40P');
  });

  it('costs what options.ts says, by list registers and by bits of HCR_EL2', () => {
    const ticksOf = (injection: 'list-registers' | 'hcr-bits'): number[] => {
      const bench = makeBench([{ cores: [0], devices: device }], { injection });
      bench.enter(0);
      enable(bench, [48]);
      const core = bench.cores[0]!;
      const before = core.ticks;
      bench.run(0, (rhyper) => injectInterrupt(rhyper, bench.vcpu(0), 48));
      const injected = core.ticks;
      if (injection === 'list-registers') {
        unmask(bench, 0);
        acknowledge(bench, 0);
        bench.icc(0, 'ICC_EOIR1_EL1', 48);
        bench.settle();
      } else {
        for (const [name, value] of [
          ['ICC_PMR_EL1', 0xf8n],
          ['ICC_IGRPEN1_EL1', 1n],
          ['ICC_IAR1_EL1', undefined],
          ['ICC_EOIR1_EL1', 48n],
        ] as const)
          trapped(bench, name, value);
      }
      return [injected - before, core.ticks - injected];
    };
    // An injection; then maintenance as an interrupt, or four traps.
    expect(ticksOf('list-registers')).toEqual([60, 140]);
    expect(ticksOf('hcr-bits')).toEqual([60, 240]);
  });
});

const trapped = (bench: Bench, name: string, value?: bigint): bigint | undefined =>
  bench.run(0, (rhyper) => accessCpuInterface(rhyper, bench.vcpu(0), name, value !== undefined, value ?? 0n));

describe('injection by HCR_EL2.VI', () => {
  const VI = 1n << 7n;
  const isSignalled = (bench: Bench): boolean => ((bench.cores[0]!.registers.get('HCR_EL2') ?? 0n) & VI) !== 0n;

  it('has VI set while an interrupt can be signalled, and the CPU interface in software behind its traps', () => {
    const devices = [48, 49].map((intid) => [deviceKind.virtioNet, intid] as const);
    const bench = makeBench([{ cores: [0], devices, physical: [27] }, { cores: [0] }], { injection: 'hcr-bits' });
    bench.enter(0);
    expect(bench.cores[0]!.virtual.readIch('ICH_HCR_EL2')).toBe(0x1c00);
    enable(bench, [48], 0x80);
    enable(bench, [49], 0x40);
    bench.run(0, (rhyper) => injectInterrupt(rhyper, bench.vcpu(0), 48));
    expect(isSignalled(bench)).toBe(false);
    trapped(bench, 'ICC_PMR_EL1', 0xffn);
    trapped(bench, 'ICC_IGRPEN1_EL1', 1n);
    expect([isSignalled(bench), trapped(bench, 'ICC_HPPIR1_EL1')]).toEqual([true, 48n]);
    expect(trapped(bench, 'ICC_IAR1_EL1')).toBe(48n);
    expect([isSignalled(bench), trapped(bench, 'ICC_RPR_EL1')]).toEqual([false, 0x80n]);
    bench.run(0, (rhyper) => injectInterrupt(rhyper, bench.vcpu(0), 49));
    expect([isSignalled(bench), trapped(bench, 'ICC_IAR1_EL1')]).toEqual([true, 49n]);
    trapped(bench, 'ICC_EOIR1_EL1', 49n);
    expect(trapped(bench, 'ICC_RPR_EL1')).toBe(0x80n);
    trapped(bench, 'ICC_EOIR1_EL1', 48n);
    expect([trapped(bench, 'ICC_RPR_EL1'), trapped(bench, 'ICC_IAR1_EL1')]).toEqual([0xffn, 1023n]);
  });

  it('ends a physical interrupt by ICC_DIR_EL1 of EL2, and keeps VI of a vCPU with it', () => {
    const bench = makeBench([{ cores: [0], physical: [27] }, { cores: [0] }], { injection: 'hcr-bits' });
    bench.enter(0);
    enable(bench, [27]);
    trapped(bench, 'ICC_PMR_EL1', 0xffn);
    trapped(bench, 'ICC_IGRPEN1_EL1', 1n);
    bench.cores[0]!.pending.push(27);
    bench.settle();
    expect(isSignalled(bench)).toBe(true);
    bench.leave(0);
    expect(bench.vcpu(0).system[systemSlot('HCR_EL2')]).toBe(VI);
    bench.enter(0);
    expect(trapped(bench, 'ICC_IAR1_EL1')).toBe(27n);
    trapped(bench, 'ICC_EOIR1_EL1', 27n);
    expect(bench.cores[0]!.ended).toEqual(['EOI 27', 'DIR 27']);
  });
});
