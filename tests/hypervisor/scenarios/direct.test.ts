import { describe, expect, it } from 'vitest';
import { exitCauses } from '../../../src/hypervisor/state.ts';
import { enableInterrupt, gicOn, hvc, kernel, note, notesIpa, pause, psci } from '../kernels.ts';
import { gic, runSystem, type System, type TestVm } from '../system.ts';

const timerPpi = 27;
const hypervisorSgi = 1;
const devices = gic.map((device) => (device.kind === 'gicd' ? { ...device, kind: 'gppt' as const } : device));

/** Three expiries of the virtual timer, then whatever else comes. */
const direct: TestVm = {
  name: 'direct',
  kind: 'rtvm',
  cores: [1],
  devices,
  source: kernel(
    'msr daifset, #2',
    gicOn(),
    enableInterrupt(timerPpi),
    'mov x5, #3',
    '1: ldr x9, =1000',
    'msr cntv_tval_el0, x9',
    'mov x9, #1',
    'msr cntv_ctl_el0, x9',
    'isb',
    'wfi',
    'mrs x6, icc_iar1_el1',
    'msr cntv_ctl_el0, xzr',
    'isb',
    'msr icc_eoir1_el1, x6',
    note('x6'),
    'subs x5, x5, #1',
    'b.ne 1b',
    '2: wfi',
    'mrs x6, icc_iar1_el1',
    'msr icc_eoir1_el1, x6',
    note('x6'),
    'b 2b',
  ),
};
const exits = ({ state, vm }: System, cause: (typeof exitCauses)[number]): bigint =>
  state.vcpus[vm('direct').vcpus[0] as number]!.exits[exitCauses.indexOf(cause)]!;
const mvm = (...parts: string[]): TestVm => ({ name: 'mvm', kind: 'mvm', cores: [0], source: kernel(...parts) });

describe('partial passthrough of the GIC', () => {
  it('scenario 15: delivers a timer without an exit; each access of GICD and GICR is one', () => {
    const system = runSystem([mvm(psci.systemOff), direct], { maxTicks: 500_000 });
    expect(system.words('direct', notesIpa, 4)).toEqual([...Array.from({ length: 3 }, () => BigInt(timerPpi)), 0n]);
    const IMO = 1n << 4n;
    expect(system.register(1, 'HCR_EL2') & IMO).toBe(0n);
    // ICC_PMR_EL1, once: it is trapped with the registers by which SGIs leave the core.
    expect([exits(system, 'IRQ'), exits(system, 'system register')]).toEqual([0n, 1n]);
    // GICD_CTLR, GICR_WAKER, a priority and an enable.
    expect(exits(system, 'MMIO')).toBe(4n);
  });

  it('scenario 15, as-is: an SGI 1 that the hypervisor sends to the core shows up in the guest', () => {
    const removes = mvm(pause(100_000), hvc(1, 16, 1), 'b .');
    const system = runSystem([removes, direct], { maxTicks: 500_000, quirks: ['gppt-unfiltered'] });
    expect(system.words('direct', notesIpa, 5)).toEqual([27n, 27n, 27n, BigInt(hypervisorSgi), 0n]);
    expect(system.state.cores[1]!.ipiCount).toBe(1);
  });

  it('does not hold up the VM that removes one: the call fails while its core does not enter EL2', () => {
    const removes = mvm(pause(100_000), hvc(1, 16, 1), note('x0'), psci.systemOff);
    const system = runSystem([removes, direct], { maxTicks: 30_000_000 });
    expect(system.words('mvm', notesIpa, 1)).toEqual([0xffff_ffff_ffff_ffffn]);
    expect(system.console).toContain('VM 1 (direct) goes on: a core that it has does not answer');
  });
});
