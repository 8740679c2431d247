import { describe, expect, it } from 'vitest';
import type { RhyperOptions } from '../../../src/hypervisor/options.ts';
import { coreState, vmState } from '../../../src/hypervisor/state.ts';
import { hvc, kernel, note, notesIpa, psci } from '../kernels.ts';
import { kernelIpa, runSystem } from '../system.ts';

const allOnes = 2n ** 64n - 1n;

describe('a system at power-on', () => {
  it('scenario 1: boots VM 0 on core 0; the other cores are turned on and have nothing to do', () => {
    const treeIpa = kernelIpa + 0x10_0000;
    const { run, console, state, vm, words, register } = runSystem(
      [
        {
          name: 'mvm',
          kind: 'mvm',
          cores: [0],
          tree: { loadIpa: treeIpa, bytes: Uint8Array.from([0xd0, 0x0d, 0xfe, 0xed]) },
          source: kernel('adr x1, .', note('x19'), note('x1'), 'b .'),
        },
      ],
      { cores: 4, maxTicks: 3_000_000 },
    );
    expect(run.end).toBe('max-time');
    expect(console).toContain('Welcome to virt Rhyper Hypervisor!');
    expect(console).toContain('Bring up 4 cores');
    expect([vm('mvm').id, vm('mvm').state]).toEqual([0, vmState.active]);
    expect(register(0, 'VTTBR_EL2') >> 48n).toBe(0n);
    const [x0, pc] = words('mvm', notesIpa, 2);
    expect(x0).toBe(BigInt(treeIpa));
    // Three instructions before it, the literal load's included.
    expect(pc).toBe(BigInt(kernelIpa) + 8n);
    expect(state.cores.slice(0, 4).map((core) => [core.state, core.active, core.ticks])).toEqual([
      [coreState.running, 1, 0],
      ...Array.from({ length: 3 }, () => [coreState.idle, 0, 0]),
    ]);
    expect(state.cores.slice(1, 4).map(({ queueLength, isTicking }) => [queueLength, isTicking])).toEqual([
      [0, 0],
      [0, 0],
      [0, 0],
    ]);
  });

  it('scenario 5: answers HVC by X7: a VM learns its id and goes on at the next instruction; an unknown function is refused', () => {
    const source = (mark: number): string =>
      kernel(
        // The id goes to the VM's own buffer, X0 is the result, and the instruction after HVC is the next one.
        hvc(1, 8, notesIpa + 0x100),
        'adr x1, .',
        note(),
        hvc(0x7f, 0),
        note(),
        `mov x2, #${mark}`,
        note('x2'),
        psci.systemOff,
      );
    const { run, console, words } = runSystem([
      { name: 'mvm', kind: 'mvm', cores: [0], source: source(7) },
      { name: 'guest', cores: [1], source: source(8) },
    ]);
    expect(run.end).toBe('stopped');
    expect(words('mvm', notesIpa, 3)).toEqual([0n, allOnes, 7n]);
    expect(words('guest', notesIpa, 3)).toEqual([0n, allOnes, 8n]);
    expect([words('mvm', notesIpa + 0x100), words('guest', notesIpa + 0x100)]).toEqual([[0n], [1n]]);
    expect(console).toContain('VM 1: there is no hypercall 0x7f00');
  });

  it('scenario 25: gives a vCPU its virtual MPIDR without an exit, and its waits without or with one', () => {
    const vms = [
      {
        name: 'smp',
        cores: [1, 3],
        source: kernel(
          psci.cpuOn(1, 'second', 0),
          'b .',
          'second:',
          `ldr x20, =${notesIpa}`,
          'mrs x0, mpidr_el1',
          note(),
          'mrs x0, icc_sre_el1',
          note(),
          'sevl',
          'wfe',
          'msr daifset, #2',
          'wfi',
          note('x20'),
          'b .',
        ),
      },
    ];
    const exitsOf = (
      trapsWaits: boolean,
      profile: RhyperOptions['profile'] = 'rust-shyper-2023',
    ): { notes: bigint[]; system: bigint; waits: bigint } => {
      const { words, vm, state } = runSystem(vms, { cores: 4, trapsWaits, profile, maxTicks: 2_000_000 });
      const vcpu = state.vcpus[vm('smp').vcpus[1] as number]!;
      expect(vcpu.core).toBe(3);
      return { notes: words('smp', notesIpa, 3), system: vcpu.exits[7]!, waits: vcpu.exits[8]! };
    };
    const untrapped = exitsOf(false);
    expect(untrapped.notes.slice(0, 2)).toEqual([0x8000_0001n, 7n]);
    expect(untrapped.notes[2]).toBe(0n);
    expect([untrapped.system, untrapped.waits]).toEqual([0n, 0n]);
    // The later ancestor traps ICC_SRE_EL1, and answers 1.
    const later = exitsOf(false, 'rust-shyper-2025');
    expect(later.notes.slice(0, 2)).toEqual([0x8000_0001n, 1n]);
    expect([later.system, later.waits]).toEqual([1n, 0n]);
    const trapped = exitsOf(true);
    expect(trapped.notes.slice(0, 2)).toEqual([0x8000_0001n, 7n]);
    expect(trapped.waits).toBeGreaterThan(0n);
    // Beside another VM on the core, turns that no tick has brought are those of waits that were trapped.
    const yields = [false, true].map((trapsWaits) => {
      const beside = [...vms, { name: 'other', cores: [3], source: kernel('b .') }];
      const { state, vm } = runSystem(beside, { cores: 4, trapsWaits, maxTicks: 2_000_000 });
      const core = state.cores[3]!;
      return [core.schedules - core.ticks, Number(state.vcpus[vm('smp').vcpus[1] as number]!.exits[8])];
    });
    expect(yields[0]).toEqual([0, 0]);
    expect(yields[1]![0]).toBeGreaterThan(0);
    expect(yields[1]![0]).toBe(yields[1]![1]);
    expect(trapped.notes[2]).toBe(BigInt(notesIpa) + 16n);
  });
});
