// SError interrupts of virtual machines: physical ones that the board reports, and those that the management VM injects.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { exitCauses, systemSlot, type Vcpu, vcpuState, vmState } from '../../src/hypervisor/state.ts';
import { enableInterrupt, gicOn, hvc, kernel, note, notesIpa, pause, psci, takeInterrupt } from './kernels.ts';
import { gic, runSystem, type System, type TestVm } from './system.ts';

const VSE = 1n << 8n;
const failure = 2n ** 64n - 1n;
const core = 1;
const injectSError = (vm: number, vcpu = 0): string => hvc(1, 0x20, vm, vcpu);

/** Vectors of EL1: an SError is counted in X21, with its syndrome in X22; everything else is a loop. */
const vectors = (onError = 'eret'): string => `
  .align 11
  vectors: b .
  .align 11
  .zero 0x380
  errorVector: add x21, x21, #1
  mrs x22, esr_el1
  ${onError}`;
const guest = (...parts: string[]): TestVm => ({
  name: 'guest',
  cores: [core],
  source: [
    kernel('adr x9, errorVector', 'sub x9, x9, #0x380', 'msr vbar_el1, x9', 'mov x21, #0', ...parts),
    vectors(),
  ].join('\n'),
});
const mvm = (...parts: string[]): TestVm => ({ name: 'mvm', kind: 'mvm', cores: [0], source: kernel(...parts) });
const vcpu = ({ state, vm }: System, name: string): Vcpu => state.vcpus[vm(name).vcpus[0] as number]!;
const exitsBy = (system: System, cause: (typeof exitCauses)[number]): bigint =>
  vcpu(system, 'guest').exits[exitCauses.indexOf(cause)]!;
const at = (atTicks: number): { errors: { core: number; atTicks: number }[] } => ({ errors: [{ core, atTicks }] });
const ISR_A = 1n << 8n;
const syndrome = 0xbe00_0000n;

describe('a physical SError interrupt of a core that a guest has', () => {
  const takesIt = guest(
    // Masked: it stays pending, in ISR_EL1.
    pause(200_000),
    'mrs x0, isr_el1',
    note(),
    'msr daifclr, #4',
    'nop',
    'mrs x0, isr_el1',
    note(),
    note('x21'),
    note('x22'),
    psci.systemOff,
  );
  it.each([[3], [2]] as const)('is a virtual one, taken when PSTATE.A is clear (GICv%i)', (gicVersion) => {
    for (const injection of ['list-registers', 'hcr-bits'] as const) {
      const system = runSystem([mvm('b .'), takesIt], { ...at(100_000), injection, gicVersion, maxTicks: 600_000 });
      expect(system.words('guest', notesIpa, 4)).toEqual([ISR_A, 0n, 1n, syndrome]);
      expect(exitsBy(system, 'SError')).toBe(1n);
      expect([system.vm('guest').stopReason, system.console.includes('SError')]).toEqual(['', false]);
    }
  });

  it('wakes a guest that sleeps, and two before it is taken are one', () => {
    const sleeps = guest(
      'wfi',
      'mrs x0, isr_el1',
      note(),
      pause(100_000),
      'msr daifclr, #4',
      'nop',
      note('x21'),
      'b .',
    );
    const errors = [150_000, 200_000].map((ticks) => ({ core, atTicks: ticks }));
    const system = runSystem([mvm('b .'), sleeps], { errors, maxTicks: 500_000 });
    expect(system.words('guest', notesIpa, 2)).toEqual([ISR_A, 1n]);
    expect([exitsBy(system, 'SError'), vcpu(system, 'guest').injectedInterrupts]).toEqual([2n, 1]);
    expect(system.register(core, 'HCR_EL2') & VSE).toBe(0n);
  });

  it('is for the vCPU that has the core, and not for the one that has it next', () => {
    const waits = guest('msr daifclr, #4', '1: str x21, [x20]', 'b 1b');
    const vms = [mvm('b .'), waits, { ...waits, name: 'other' }];
    const slice = 50_000;
    const looks = [160_000, 210_000, 260_000, 310_000].map((ticks) => {
      const system = runSystem(vms, { ...at(ticks), tickTicks: slice, maxTicks: 600_000 });
      return [system.words('guest', notesIpa)[0], system.words('other', notesIpa)[0]].map(Number);
    });
    for (const [first = 0, second = 0] of looks) expect(first + second).toBe(1);
    expect(new Set(looks.map(String)).size).toBe(2);
  });

  it('is taken by a VM that takes its interrupts itself, too', () => {
    const devices = gic.map((device) => (device.kind === 'gicd' ? { ...device, kind: 'gppt' as const } : device));
    const direct: TestVm = { ...guest('msr daifclr, #4', '1: str x21, [x20]', 'b 1b'), kind: 'rtvm', devices };
    const system = runSystem([mvm('b .'), direct], { ...at(100_000), maxTicks: 200_000 });
    expect(system.words('guest', notesIpa)).toEqual([1n]);
  });

  it('as-is, is taken at EL1 without the hypervisor', () => {
    const quirks = ['serror-to-guest'] as const;
    const system = runSystem([mvm('b .'), takesIt], { ...at(100_000), quirks, maxTicks: 600_000 });
    expect(system.words('guest', notesIpa, 4)).toEqual([ISR_A, 0n, 1n, syndrome]);
    expect(exitsBy(system, 'SError')).toBe(0n);
  });
});

describe('a physical SError interrupt of a core that nobody has', () => {
  const idle = (...vms: TestVm[]): readonly TestVm[] => [mvm(pause(200_000), note('x20'), psci.systemOff), ...vms];

  it('is told on the console, and the core sleeps on', () => {
    const system = runSystem(idle(), { ...at(100_000), maxTicks: 1_000_000 });
    expect(system.console.match(/core 1: an SError interrupt while no VM runs is nobody’s/g)).toHaveLength(1);
    expect(system.words('mvm', notesIpa)).toEqual([BigInt(notesIpa)]);
    const without = runSystem(idle(), { maxTicks: 1_000_000 });
    const [ticks, before] = [system, without].map(({ state }) => state.cores[core]!.hypervisorTicks) as [
      number,
      number,
    ];
    expect(ticks - before).toBeLessThan(500);
  });

  it('does not concern the VM that the core had before', () => {
    const gone = guest('msr daifclr, #4', psci.systemOff);
    const system = runSystem(idle(gone), { ...at(100_000), maxTicks: 1_000_000 });
    expect(system.console).toContain('an SError interrupt while no VM runs');
    expect(exitsBy(system, 'SError')).toBe(0n);
  });

  it('as-is, is a panic', () => {
    const system = runSystem(idle(), { ...at(100_000), quirks: ['panic-on-guest-fault'], maxTicks: 1_000_000 });
    expect([system.run.exitCode, system.words('mvm', notesIpa)[0]]).toEqual([1, 0n]);
    expect(system.console).toContain('panic on core 1: an SError interrupt at EL2');
  });
});

describe('INJECT_SERROR', () => {
  const waits = guest('msr daifclr, #4', '1: str x21, [x20]', 'b 1b');
  const injects = mvm(pause(150_000), injectSError(1), note(), 'b .');

  it.each(['list-registers', 'hcr-bits'] as const)('reaches a vCPU on another core (%s)', (injection) => {
    const system = runSystem([injects, waits], { injection, maxTicks: 300_000 });
    expect(system.words('mvm', notesIpa)).toEqual([0n]);
    expect(system.words('guest', notesIpa)).toEqual([1n]);
    expect(exitsBy(system, 'SError')).toBe(0n);
  });

  it('waits in the record of a vCPU that is off its core', () => {
    const other: TestVm = { name: 'other', cores: [core], source: kernel('1: b 1b') };
    const slice = 100_000;
    const until = (injectedAt: number, maxTicks: number): System =>
      runSystem([mvm(pause(injectedAt), injectSError(1), note('x20'), 'b .'), waits, other], {
        tickTicks: slice,
        maxTicks,
      });
    const seen = [1, 2, 3, 4].map((n) => {
      const at = (n * slice) / 2;
      // A look soon after the call.
      const system = until(at, at + 120_000);
      expect(system.words('mvm', notesIpa)[0]).not.toBe(0n);
      const { state, system: registers } = vcpu(system, 'guest');
      const isActive = state === vcpuState.active;
      // While it is active, the PE has HCR_EL2.
      const isPending = !isActive && (registers[systemSlot('HCR_EL2')]! & VSE) !== 0n;
      return { isActive, isPending, count: Number(system.words('guest', notesIpa)[0]) };
    });
    expect(seen).toContainEqual({ isActive: false, isPending: true, count: 0 });
    expect(seen).toContainEqual({ isActive: true, isPending: false, count: 1 });
    expect(seen.filter(({ isPending, count }) => isPending === (count === 1))).toEqual([]);
    const later = runSystem([mvm(pause(160_000), injectSError(1), 'b .'), waits, other], {
      tickTicks: slice,
      maxTicks: 600_000,
    });
    expect(later.words('guest', notesIpa)).toEqual([1n]);
  });

  it('comes before an interrupt that is pending as well, by bits of HCR_EL2', () => {
    const both: TestVm = {
      ...guest(
        gicOn(),
        enableInterrupt(64),
        hvc(2, 0, notesIpa + 0x400, notesIpa + 0xf_0000),
        pause(300_000),
        'mrs x0, isr_el1',
        note(),
        'msr daifclr, #4',
        'nop',
        note('x21'),
        takeInterrupt,
        'b .',
      ),
    };
    const softReboot = hvc(1, 4, 1);
    const system = runSystem([mvm(pause(100_000), softReboot, note(), injectSError(1), note(), 'b .'), both], {
      injection: 'hcr-bits',
      maxTicks: 700_000,
    });
    expect(system.words('mvm', notesIpa, 2)).toEqual([0n, 0n]);
    expect(system.words('guest', notesIpa, 3)).toEqual([ISR_A | (1n << 7n), 1n, 64n]);
  });

  it('is refused for what is not there, for a vCPU that is off, and to other VMs', () => {
    const system = runSystem(
      [
        mvm(
          pause(100_000),
          ...[injectSError(5), injectSError(1, 2), injectSError(1, 1)].flatMap((call) => [call, note()]),
          'b .',
        ),
        { ...guest(injectSError(0), note(), 'b .'), cores: [1, 2] },
      ],
      { cores: 3, maxTicks: 300_000 },
    );
    expect(system.words('mvm', notesIpa, 3)).toEqual([failure, failure, failure]);
    expect(system.words('guest', notesIpa)).toEqual([failure]);
    expect(system.vm('guest').state).toBe(vmState.active);
    expect(system.console).toContain('VM 1: VMM INJECT_SERROR is for the management VM');
  });

  it('is refused as-is, where the guest has no virtual SErrors', () => {
    const system = runSystem([injects, waits], { quirks: ['serror-to-guest'], maxTicks: 300_000 });
    expect(system.words('mvm', notesIpa)).toEqual([failure]);
    expect(system.words('guest', notesIpa)).toEqual([0n]);
  });
});

describe('one SError interrupt', () => {
  it('costs one exit, and the ticks that the documentation says', () => {
    const cost = (times: readonly number[], injection: 'list-registers' | 'hcr-bits'): [bigint, number] => {
      const errors = times.map((atTicks) => ({ core, atTicks }));
      const waits = guest('msr daifclr, #4', 'b .');
      const system = runSystem([mvm('b .'), waits], { errors, injection, maxTicks: 400_000 });
      return [exitsBy(system, 'SError'), system.state.cores[core]!.hypervisorTicks];
    };
    const ticks = (['list-registers', 'hcr-bits'] as const).map((injection) => {
      const [few, many] = [cost([100_000], injection), cost([100_000, 200_000, 300_000], injection)];
      expect(many[0] - few[0]).toBe(2n);
      return (many[1] - few[1]) / 2;
    });
    expect(ticks[1]).toBe(ticks[0]);
    const shown = readFileSync(new URL('../../docs/vm.md', import.meta.url), 'utf8');
    const row = shown.split('\n').find((line) => line.includes('`HCR_EL2.VSE`'));
    expect(row?.split('|').map((cell) => cell.trim())).toEqual(expect.arrayContaining(['1', `${ticks[0]}`]));
  });
});
