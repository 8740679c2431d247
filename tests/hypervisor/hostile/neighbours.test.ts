// Attacks by programs that are assembled here: on what two VMs of one core share, and by a VM that takes its interrupts itself.

import { describe, expect, it } from 'vitest';
import { systemRegisters } from '../../../src/arch/system-registers.ts';
import { vmState } from '../../../src/hypervisor/state.ts';
import { hvc, kernel, note, pause } from '../kernels.ts';
import { gic, kernelIpa, runSystem, type System, type TestVm } from '../system.ts';
import { hostileDirect, runAttacked, sliceTicks } from './attacked.ts';
import { expectUnharmed } from './check.ts';
import { numberOf } from './attacks.ts';
import { data, dataIpa, witness } from './witness.ts';

const timeout = 120_000;
const setting = { maxTicks: 3_000_000 };

describe('a VM on the core of others', () => {
  it('sees no write of theirs to any System register', { timeout }, () => {
    // Not what moves by itself, or ends an interrupt or masks one by being read or written, nor the MMU of whoever writes.
    const moves = /^(CNTPCT|CNTVCT|CNT\w+_TVAL|PMCCNTR|ISR|ICC_|SPSel|DAIF|NZCV|CurrentEL|RVBAR|CNTPS)/;
    const own = systemRegisters.filter(
      ({ name, readEl, access, needs }) =>
        needs === undefined &&
        (readEl === 0 || readEl === 1) &&
        access !== 'WO' &&
        !moves.test(name) &&
        !/_EL(12|02|2|3)$/.test(name),
    );
    const written = own.filter(({ name, access }) => access === 'RW' && !/^(SCTLR|CNT[VP]_CTL)/.test(name));
    expect(written.length).toBeGreaterThan(60);
    const readAll = own.map(({ name }) => [`mrs x0, ${name}`, 'str x0, [x20], #8'].join('\n')).join('\n');
    const withFp = 'mov x0, #0x300000\nmsr cpacr_el1, x0\nisb';
    const victim: TestVm = {
      name: 'victim',
      cores: [1],
      source: [withFp, pause(4 * sliceTicks), `ldr x20, =${dataIpa}`, readAll, 'b .'].join('\n'),
    };
    const attacker: TestVm = {
      name: 'attacker',
      cores: [1],
      source: [
        withFp,
        'again: ldr x0, =0x5a5a5a5a5a5a5a5a',
        ...written.map(({ name }) => `msr ${name}, x0`),
        'b again',
      ].join('\n'),
    };
    const mvm: TestVm = { name: 'mvm', kind: 'mvm', cores: [0], source: 'b .' };
    const idle: TestVm = { ...attacker, source: 'b .' };
    const found = (system: System): Readonly<Record<string, bigint>> => {
      const values = system.words('victim', dataIpa, own.length);
      return Object.fromEntries(own.map(({ name }, n) => [name, values[n] ?? 0n]));
    };
    const run = (other: TestVm): System =>
      runSystem([mvm, victim, other], { tickTicks: sliceTicks, maxTicks: 1_000_000 });
    const [without, attacked] = [run(idle), run(attacker)];
    expect(without.vm('victim').stopReason).toBe('');
    expect(attacked.vm('attacker').state).toBe(vmState.active);
    expect(found(without)['CNTFRQ_EL0']).toBeGreaterThan(0n);
    expect(found(attacked)).toEqual(found(without));
  });

  it.each([3, 2] as const)(
    'keeps its code, its exclusives and its translations while another does the same at the same addresses, with a GICv%i',
    { timeout },
    (gicVersion) => {
      const onThisGic = { ...setting, gicVersion };
      const sameAddresses = [
        `ldr x1, =${kernelIpa}`,
        `ldr x2, =${dataIpa + data.cell}`,
        'ldr x3, =0x0005000000040000',
        'again:',
        // Every page of the witness's code, seen from here, gets another instruction.
        'add x4, x4, #64',
        'and x4, x4, #0x3fff',
        'add x4, x4, #0x8000',
        'str w5, [x1, x4]',
        'add x6, x1, x4',
        'dc cvau, x6',
        'dsb ish',
        'ic ivau, x6',
        'dsb ish',
        'isb',
        'ldxr x7, [x2]',
        'add x7, x7, #1',
        'stxr w8, x7, [x2]',
        'ldxr x7, [x2]',
        'tlbi vmalle1is',
        'tlbi vae1is, x3',
        'ic ialluis',
        'dsb ish',
        'isb',
        'b again',
      ].join('\n');
      const system = runAttacked({ source: sameAddresses }, onThisGic);
      expect(system.vm('attacker').stopReason).toBe('');
      expectUnharmed(system, onThisGic, { source: 'b .' });
    },
  );

  it('goes on when another is removed whose device still asserts its interrupt', { timeout }, () => {
    const uart = { ipa: 0x1000_0000, pa: 0x0900_0000, bytes: 0x1000 };
    const removed: TestVm = {
      name: 'removed',
      cores: [1],
      irqs: [27, 33],
      windows: [uart],
      // GIC on, SPI 33 enabled, the transmit interrupt of the UART on and never acknowledged.
      source: [
        'ldr x1, =0x08000000',
        'mov w2, #0x12',
        'str w2, [x1]',
        'mov w2, #2',
        'str w2, [x1, #0x104]',
        `ldr x1, =${uart.ipa}`,
        'mov w2, #0x20',
        'str w2, [x1, #0x38]',
        'mov w2, #65',
        'str w2, [x1]',
        'b .',
      ].join('\n'),
    };
    const neighbour: TestVm = { name: 'neighbour', cores: [1], source: witness({ exact: false, rounds: 2000 }) };
    const run = (...manager: string[]): System =>
      runSystem([{ name: 'mvm', kind: 'mvm', cores: [0], source: kernel(...manager, 'b .') }, removed, neighbour], {
        tickTicks: sliceTicks,
        maxTicks: 4_000_000,
      });
    const system = run(pause(200_000), hvc(1, 16, 1), note());
    expect(system.words('neighbour', dataIpa + data.isDone)[0]).toBe(1n);
    expect(system.words('neighbour', dataIpa + data.sum)).toEqual(run().words('neighbour', dataIpa + data.sum));
    expect(system.console).not.toContain('nobody’s');
  });

  it('is not built beside one that takes its interrupts itself, which would take those of the scheduler too', () => {
    const direct = gic.map((device) => (device.kind === 'gicd' ? { ...device, kind: 'gppt' as const } : device));
    const system = runSystem(
      [
        { name: 'mvm', kind: 'mvm', cores: [0], source: 'b .' },
        { name: 'direct', cores: [1], devices: direct, source: 'b .' },
        { name: 'second', cores: [1], source: 'b .' },
      ],
      { maxTicks: 400_000 },
    );
    expect(system.console).toContain(
      'VM 2 (second) cannot be built: core 1 is VM 1’s, and a VM that takes its interrupts itself shares none',
    );
    expect(system.vm('direct').state).toBe(vmState.active);
  });
});

describe.each([3, 2] as const)('a VM that takes its interrupts itself, with a GICv%i', (gicVersion) => {
  const tried = [
    'distributor registers of interrupts that are not ours',
    'routing of interrupts that are not ours',
    'redistributors and CPU interfaces that are not ours',
    'SGIs to cores that are not ours',
    'a storm without end',
    'write every register of EL2 and EL3',
  ];
  /** GICH is the hypervisor’s. */
  const isStopped = (name: string): boolean => gicVersion === 2 && name.startsWith('redistributors');
  it.each(tried)('does no harm by %s', { timeout }, (name) => {
    const onThisGic = { ...setting, gicVersion };
    const system = runAttacked(hostileDirect(`attack=${numberOf(name)} rounds=500`), onThisGic);
    expect(system.vm('attacker').stopReason).toMatch(isStopped(name) ? /: a read of IPA 0x8030000, where/ : /^$/);
    expectUnharmed(system, onThisGic, hostileDirect('attack=0'));
  });
});
