import { describe, expect, it } from 'vitest';
import { exitCauses, vmState } from '../../../src/hypervisor/state.ts';
import { gicCode, hvc, kernel, note, notesIpa, pause, psci, sharedIpa } from '../kernels.ts';
import { gic, kernelIpa, runSystem, type System, type TestVm } from '../system.ts';

const timerPpi = 27;
const hypervisorSgi = 1;
const devices = gic.map((device) => (device.kind === 'gicd' ? { ...device, kind: 'gppt' as const } : device));

const versions = [3, 2] as const;
type Version = (typeof versions)[number];

/** Three expiries of the virtual timer, then what is told, or whatever else comes. */
const direct = (version: Version, ...then: string[]): TestVm => {
  const { acknowledge, enableInterrupt, end, gicOn } = gicCode(version);
  const source = kernel(
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
    acknowledge('x6'),
    'msr cntv_ctl_el0, xzr',
    'isb',
    end('x6'),
    note('x6'),
    'subs x5, x5, #1',
    'b.ne 1b',
    ...then,
    '2: wfi',
    acknowledge('x6'),
    end('x6'),
    note('x6'),
    'b 2b',
  );
  return { name: 'direct', kind: 'rtvm', cores: [1], devices, source };
};
const exits = ({ state, vm }: System, cause: (typeof exitCauses)[number]): bigint =>
  state.vcpus[vm('direct').vcpus[0] as number]!.exits[exitCauses.indexOf(cause)]!;
const mvm = (...parts: string[]): TestVm => ({ name: 'mvm', kind: 'mvm', cores: [0], source: kernel(...parts) });

describe.each(versions)('partial passthrough of a GICv%i', (gicVersion) => {
  const three = Array.from({ length: 3 }, () => BigInt(timerPpi));

  it('scenario 15: delivers a timer without an exit; each access of GICD and GICR is one', () => {
    const system = runSystem([mvm(psci.systemOff), direct(gicVersion)], { maxTicks: 500_000, gicVersion });
    expect(system.words('direct', notesIpa, 4)).toEqual([...three, 0n]);
    const IMO = 1n << 4n;
    expect(system.register(1, 'HCR_EL2') & IMO).toBe(0n);
    expect([exits(system, 'IRQ'), exits(system, 'FIQ')]).toEqual([0n, 0n]);
    expect(system.state.cores[1]!.foreignInterrupts).toBe(0);
    // GICD_CTLR, a priority, an enable, and GICR_WAKER; of a GICv3's interface the mask, which is common to both groups.
    expect([exits(system, 'MMIO'), exits(system, 'system register')]).toEqual(gicVersion === 3 ? [4n, 1n] : [3n, 0n]);
  });

  it('scenario 15, as-is: an SGI 1 that the hypervisor sends to the core shows up in the guest', () => {
    const removes = mvm(pause(100_000), hvc(1, 16, 1), 'b .');
    const quirks = ['direct-deaf', 'gppt-unfiltered'] as const;
    const system = runSystem([removes, direct(gicVersion)], { maxTicks: 500_000, quirks, gicVersion });
    expect(system.words('direct', notesIpa, 5)).toEqual([...three, BigInt(hypervisorSgi), 0n]);
    expect(system.state.cores[1]!.ipiCount).toBe(1);
  });

  it('as-is does not hold up the VM that removes one: the call fails while its core does not enter EL2', () => {
    const removes = mvm(pause(100_000), hvc(1, 16, 1), note('x0'), psci.systemOff);
    const quirks = ['direct-deaf'] as const;
    const system = runSystem([removes, direct(gicVersion)], { maxTicks: 30_000_000, quirks, gicVersion });
    expect(system.words('mvm', notesIpa, 1)).toEqual([0xffff_ffff_ffff_ffffn]);
    expect(system.console).toContain('VM 1 (direct) goes on: a core that it has does not answer');
  });

  // What a VM does whose core is to hear of a message. With a GICv2 nothing wakes one that has closed its interface.
  const closed = [gicCode(gicVersion).open(0), 'wfi', 'b .'];
  const unwilling: Readonly<Record<string, readonly string[]>> = {
    'that sleeps': [],
    'that sleeps with its interrupts on': ['msr vbar_el1, xzr', 'msr daifclr, #2', '3: wfi', 'b 3b'],
    'that never stops': ['b .'],
    'that never stops, with all its interrupts masked': [gicCode(gicVersion).open(0), 'msr daifset, #15', 'b .'],
    ...(gicVersion === 3 && { 'that sleeps with its interface closed': closed }),
  };
  const managed = (then: readonly string[], ...calls: string[]): System =>
    runSystem([mvm(pause(300_000), ...calls, psci.systemOff), direct(gicVersion, ...then)], {
      maxTicks: 3_000_000,
      gicVersion,
    });

  it.each(Object.entries(unwilling))('lets the MVM remove a VM %s', (_, then) => {
    const system = managed(then, hvc(1, 16, 1), note('x0'), pause(100_000));
    expect(system.run.end).toBe('stopped');
    expect(system.words('mvm', notesIpa, 1)).toEqual([0n]);
    expect(system.state.vms[1]!.isConfigured).toBe(0);
    expect([system.state.cores[1]!.active, system.state.cores[1]!.ipiCount]).toEqual([0, 0]);
    expect(system.console).not.toContain('goes on');
  });

  it.each(Object.entries(unwilling))('lets the MVM turn off a VM %s', (_, then) => {
    const system = managed(then, hvc(1, 3, 1), note('x0'), pause(100_000));
    expect(system.words('mvm', notesIpa, 1)).toEqual([0n]);
    expect([system.vm('direct').state, system.state.cores[1]!.active]).toEqual([vmState.inactive, 0]);
    // What it had is still there.
    expect(system.words('direct', notesIpa, 3)).toEqual(three);
  });

  it('removes one that sleeps with its interface closed where its waits are trapped', () => {
    const system = runSystem(
      [mvm(pause(300_000), hvc(1, 16, 1), note('x0'), psci.systemOff), direct(gicVersion, ...closed)],
      { maxTicks: 3_000_000, gicVersion, trapsWaits: true },
    );
    expect(system.words('mvm', notesIpa, 1)).toEqual([0n]);
    expect(system.state.vms[1]!.isConfigured).toBe(0);
  });

  it.each(Object.entries(unwilling))('lets the MVM reset a VM %s by force', (_, then) => {
    const forced = 1 | (1 << 16);
    const system = managed(then, hvc(1, 4, forced), note('x0'));
    expect(system.words('mvm', notesIpa, 1)).toEqual([0n]);
    expect([system.vm('direct').state, system.state.cores[1]!.active]).toEqual([vmState.pending, 0]);
    expect(system.words('direct', notesIpa, 3)).toEqual([0n, 0n, 0n]);
  });

  it('shows nothing of a message to a VM that goes on', () => {
    const listens = [hvc(2, 0, sharedIpa, kernelIpa + 0x2_0000)];
    const system = managed(listens, hvc(1, 4, 1), note('x0'), pause(100_000));
    expect(system.words('mvm', notesIpa, 1)).toEqual([0n]);
    // Its WFI ends, as any may at any time, and it finds nothing.
    expect(system.words('direct', notesIpa, 5)).toEqual([...three, 1023n, 0n]);
    expect(system.vm('direct').state).toBe(vmState.active);
  });
});

describe('a VM that has the interface of a GICv2', () => {
  it('and sleeps with it closed, goes on when it is to be removed, which the call says', () => {
    const closed = direct(2, gicCode(2).open(0), 'wfi', 'b .');
    const system = runSystem([mvm(pause(300_000), hvc(1, 16, 1), note('x0'), psci.systemOff), closed], {
      maxTicks: 30_000_000,
      gicVersion: 2,
    });
    expect(system.words('mvm', notesIpa, 1)).toEqual([0xffff_ffff_ffff_ffffn]);
    expect(system.console).toContain('VM 1 (direct) goes on: a core that it has does not answer');
    expect(system.vm('direct').state).toBe(vmState.active);
  });
});
