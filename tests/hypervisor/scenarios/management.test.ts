import { describe, expect, it } from 'vitest';
import { registerNames } from '../../../src/arch/register-names.ts';
import { deviceKind, type SystemState, vcpuState, vmState } from '../../../src/hypervisor/state.ts';
import { assemble } from '../../../src/isa/assembler.ts';
import { enableInterrupt, gicOn, hvc, kernel, note, notesIpa, pause, psci } from '../kernels.ts';
import { gic, gicdIpa, gicrIpa, kernelIpa, runSystem, type TestVm } from '../system.ts';

const MiB = 0x10_0000;
const allOnes = 2n ** 64n - 1n;
const fid = { vmm: 1, ivc: 2, config: 0x11 } as const;
const vmm = {
  list: (ipa: number): string => hvc(fid.vmm, 0, ipa),
  state: (id: number | string): string => hvc(fid.vmm, 1, id),
  boot: (id: number | string): string => hvc(fid.vmm, 2, id),
  reboot: (id: number, isForced: boolean): string => hvc(fid.vmm, 4, id | (isForced ? 1 << 16 : 0)),
  remove: (id: number): string => hvc(fid.vmm, 16, id),
};
const uploadKernelImage = 9;
const mvm = (...parts: string[]): TestVm => ({ name: 'mvm', kind: 'mvm', cores: [0], source: kernel(...parts) });

interface Created {
  readonly name: string;
  readonly source: string;
  readonly mask: number;
  readonly master?: number;
  readonly bytes?: number;
  readonly irqs?: readonly number[];
}

const bytesOf = (source: string): Uint8Array =>
  assemble(source, { base: BigInt(kernelIpa), names: registerNames }).bytes;
const imageOf = (label: string, source: string): string =>
  `.align 3\n${label}: .byte ${[...bytesOf(source)].join(', ')}`;
const upload = (id: number | string, label: string, source: string): string => {
  const size = bytesOf(source).length;
  return hvc(fid.config, uploadKernelImage, id, size, label, 0, size);
};

/** What the MVM's software needs in its memory to create this VM. */
const dataOf = ({ name, source, irqs = [27] }: Created): string =>
  `.align 3
  ${name}_vm: .quad ${name}_name, ${name.length}, 0, ${name}_name, 0, ${kernelIpa}, 0, 0
  ${name}_none: .zero 128
  ${name}_irqs: .quad ${irqs.join(', ')}
  ${name}_name: .asciz "${name}"
  ${imageOf(`${name}_image`, source)}
  .align 3`;

/** ADD_VM, the configuration, and the image: the id is in X21, and each result is noted. */
const create = ({ name, source, mask, master = 0xffff_ffff, bytes = 2 * MiB, irqs = [27] }: Created): string => {
  const count = [0, 1, 2, 3].filter((n) => ((mask >>> n) & 1) === 1).length;
  const device = (kind: number, ipa: number, size: number): string =>
    hvc(fid.config, 4, 'x21', `${name}_name`, ipa, size, 0, `${name}_none`, kind);
  return (
    [
      `${hvc(fid.config, 0, `${name}_vm`)}\nmov x21, x0`,
      hvc(fid.config, 3, 'x21', kernelIpa, bytes),
      hvc(fid.config, 2, 'x21', count, mask, master),
      device(deviceKind.gicd, gicdIpa, 0x1_0000),
      device(deviceKind.gicr, gicrIpa, 0x10_0000),
      hvc(fid.config, 6, 'x21', `${name}_irqs`, irqs.length),
      upload('x21', `${name}_image`, source),
    ].join(`\n${note()}\n`) + `\n${note()}`
  );
};
const callsToCreate = 7;
const created = (id: bigint): bigint[] => [id, ...Array.from({ length: callsToCreate - 1 }, () => 0n)];

const counting = kernel('1: add x0, x0, #1', 'str x0, [x20]', 'b 1b');
const freePieces = ({ free, freeCount }: SystemState): { pa: number; bytes: number }[] =>
  free.slice(0, freeCount).map(({ pa, bytes }) => ({ pa, bytes }));

describe('the management VM', () => {
  it('scenario 2: creates and boots a VM by hypercalls; it is built by the first piece of its image', () => {
    const guest: Created = {
      name: 'guest',
      mask: 0b0100,
      master: 2,
      source: kernel('mrs x0, mpidr_el1', note(), 'b .'),
    };
    const all = create(guest);
    const lastCall = all.lastIndexOf('ldr x7');
    const beforeUpload = all.lastIndexOf('mov x0, x21', lastCall);
    const listIpa = notesIpa + 0x400;
    const system = runSystem(
      [
        mvm(
          all.slice(0, beforeUpload),
          vmm.state('x21'),
          note(),
          all.slice(beforeUpload),
          vmm.state('x21'),
          note(),
          vmm.boot('x21'),
          note(),
          pause(10_000),
          vmm.state('x21'),
          note(),
          vmm.list(listIpa),
          note(),
          'b .',
          dataOf(guest),
        ),
      ],
      { cores: 4, maxTicks: 2_000_000 },
    );
    const states = [vmState.inactive, vmState.pending, vmState.active].map(BigInt);
    expect(system.words('mvm', notesIpa, 12)).toEqual([
      1n,
      0n,
      0n,
      0n,
      0n,
      0n,
      states[0],
      0n,
      states[1],
      0n,
      states[2],
      0n,
    ]);
    expect(system.words('guest', notesIpa)).toEqual([0x8000_0000n]);
    expect(system.register(2, 'VTTBR_EL2') >> 48n).toBe(1n);
    expect(system.state.vcpus[system.vm('guest').vcpus[0] as number]!.core).toBe(2);
    // {num, [id, name, type, state]…}
    const list = new DataView(new BigUint64Array(system.words('mvm', listIpa, 16)).buffer);
    expect(list.getBigUint64(0, true)).toBe(2n);
    const second = 8 + 44;
    expect(list.getUint32(second, true)).toBe(1);
    expect(list.getUint32(second + 40, true)).toBe(vmState.active);
  });

  it('scenario 3: gives a new VM the lowest free id, and refuses a ninth VM', () => {
    const vm: Created = { name: 'guest', mask: 2, source: 'b .' };
    const add = [hvc(fid.config, 0, 'guest_vm'), note()];
    const system = runSystem([
      mvm(
        ...add,
        ...add,
        ...add,
        vmm.remove(2),
        note(),
        ...add,
        ...add,
        ...add,
        ...add,
        ...add,
        ...add,
        psci.systemOff,
        dataOf(vm),
      ),
    ]);
    expect(system.words('mvm', notesIpa, 10)).toEqual([1n, 2n, 3n, 0n, 2n, 4n, 5n, 6n, 7n, allOnes]);
  });

  const tooLarge: Created = { name: 'huge', mask: 2, bytes: 512 * MiB, source: 'b .' };
  const small: Created = { name: 'small', mask: 2, source: 'b .' };

  it('scenario 4: is told where there is no memory for a VM; nothing of it stays taken', () => {
    const system = runSystem([mvm(create(tooLarge), create(small), psci.systemOff, dataOf(tooLarge), dataOf(small))]);
    expect(system.run.exitCode).toBe(0);
    expect(system.words('mvm', notesIpa, 14)).toEqual([...created(1n).with(-1, allOnes), ...created(2n)]);
    expect(system.console).toMatch(/VM 1 \(huge\) cannot be built: there is no free memory of 536870912 bytes/);
    expect(system.vm('small').isBuilt).toBe(1);
    expect(freePieces(system.state)).toHaveLength(1);
  });

  it('scenario 4, as-is: it is a panic of the hypervisor that names the VM', () => {
    const system = runSystem([mvm(create(tooLarge), psci.systemOff, dataOf(tooLarge))], {
      quirks: ['panic-on-failed-build'],
    });
    expect([system.run.end, system.run.exitCode]).toEqual(['stopped', 1]);
    expect(system.console).toContain('panic on core 0: VM 1 (huge) cannot be built');
  });

  const [uart, virtualTimer] = [33, 27] as const;
  const claimed: TestVm = { name: 'owner', cores: [1], irqs: [virtualTimer, uart], source: kernel(psci.systemOff) };
  const conflicting: Created = { name: 'rival', mask: 2, irqs: [virtualTimer, uart], source: 'b .' };

  it('scenario 19: an SPI is one VM’s: another one that asks for it is not built; a PPI may be several VMs’', () => {
    const system = runSystem([
      mvm(create(conflicting), create(small), psci.systemOff, dataOf(conflicting), dataOf(small)),
      claimed,
    ]);
    expect(system.words('mvm', notesIpa, 14)).toEqual([...created(2n).with(-1, allOnes), ...created(3n)]);
    expect(system.console).toContain(`VM 2 (rival) cannot be built: interrupts conflict: ${uart}`);
    // The refusal has not taken the interrupt from its owner.
    expect(system.vm('owner').ownedInterrupts[1]).toBe(2);
    expect(system.state.assignedInterrupts[1]! & 2).toBe(2);
    expect([system.vm('owner'), system.vm('small')].map((vm) => (vm.ownedInterrupts[0]! >>> virtualTimer) & 1)).toEqual(
      [1, 1],
    );
  });

  it('scenario 19, as-is: it is a panic of the hypervisor', () => {
    const system = runSystem([mvm(create(conflicting), psci.systemOff, dataOf(conflicting)), claimed], {
      quirks: ['panic-on-failed-build'],
    });
    expect(system.run.exitCode).toBe(1);
    expect(system.console).toMatch(/panic on core 0: .*interrupts conflict: 33/);
  });
});

describe('CONFIG PASSTHROUGH_READ_ONLY', () => {
  it('gives a VM that the management VM makes a window that it may only read', () => {
    const [rtcIpa, rtc] = [0x0b00_0000, 0x0901_0000];
    const guest: Created = {
      name: 'guest',
      mask: 2,
      source: kernel(`ldr x1, =${rtcIpa}`, 'ldr w0, [x1]', note(), 'str w0, [x1, #4]', note(), 'b .'),
    };
    const window = hvc(fid.config, 0x20, 'x21', rtcIpa, rtc, 0x1000);
    const all = create(guest);
    const beforeUpload = all.lastIndexOf('mov x0, x21', all.lastIndexOf('ldr x7'));
    const [before, after] = [all.slice(0, beforeUpload), all.slice(beforeUpload)];
    const system = runSystem([mvm(before, window, note(), after, vmm.boot('x21'), note(), 'b .', dataOf(guest))], {
      maxTicks: 1_000_000,
    });
    expect(system.words('mvm', notesIpa, callsToCreate + 2)).toEqual([...created(1n), 0n, 0n]);
    const [seconds, more] = system.words('guest', notesIpa, 2);
    expect([seconds! > 900_000_000n, more]).toEqual([true, 0n]);
    expect(system.vm('guest').stopReason).toMatch(/: a write to IPA 0xb000004, which it may only read$/);
  });
});

describe('reboot', () => {
  const [first, second] = ['0x1111', '0x2222'] as const;
  /** Notes the word that its last life has left, its mark, and what CPU_ON says; the other vCPU notes its MPIDR. */
  const smp = (mark: string): string =>
    kernel(
      // Exceptions stay in this memory.
      `ldr x9, =${kernelIpa}`,
      'msr vbar_el1, x9',
      `ldr x0, [x20, #0x80]`,
      note(),
      `mov x0, #${mark}`,
      note(),
      `str x0, [x20, #0x70]`,
      psci.cpuOn(1, 'second', 0),
      note(),
      '1: b 1b',
      'second:',
      `ldr x9, =${kernelIpa}`,
      'msr vbar_el1, x9',
      'mrs x0, mpidr_el1',
      `ldr x20, =${notesIpa + 0x100}`,
      note(),
      'b .',
    );
  const guest: Created = { name: 'guest', mask: 0b0110, source: smp(first) };
  const messagePage = kernelIpa + 0x2_0000;
  const manager = (...reboot: string[]): TestVm =>
    mvm(
      hvc(fid.ivc, 0, notesIpa, messagePage),
      create(guest),
      vmm.boot('x21'),
      note(),
      pause(40_000),
      ...reboot,
      dataOf(guest),
      imageOf('again', smp(second)),
    );
  const reload = [upload(1, 'again', smp(second)), note(), vmm.boot(1), note(), pause(40_000)];

  it('scenario 26: by force quiesces and clears the VM; the MVM loads it again, and all of its vCPUs start', () => {
    const system = runSystem([manager(vmm.reboot(1, true), note(), vmm.state(1), note(), ...reload, 'b .')], {
      cores: 3,
      maxTicks: 2_500_000,
    });
    const asked = system.words('mvm', messagePage, 3);
    expect(asked).toEqual([BigInt(fid.config), BigInt(uploadKernelImage), 1n]);
    expect(system.words('mvm', notesIpa + 8 * callsToCreate, 5)).toEqual([0n, 0n, BigInt(vmState.pending), 0n, 0n]);
    expect([system.vm('guest').id, system.vm('guest').state]).toEqual([1, vmState.active]);
    expect(system.words('guest', notesIpa, 3)).toEqual([0n, BigInt(second), 0n]);
    expect(system.words('guest', notesIpa + 0x100)).toEqual([0x8000_0001n]);
    expect(system.state.cores.slice(1, 3).map(({ queueLength, isTicking }) => [queueLength, isTicking])).toEqual([
      [1, 0],
      [1, 0],
    ]);
  });

  it('scenario 26: quiesced means that nothing of the VM runs or is left in its memory until it is booted again', () => {
    const system = runSystem([manager(vmm.reboot(1, true), note(), 'b .')], { cores: 3, maxTicks: 1_500_000 });
    const vm = system.vm('guest');
    expect(vm.state).toBe(vmState.pending);
    expect([0, 1].map((n) => system.state.vcpus[vm.vcpus[n] as number]!.state)).toEqual([
      vcpuState.invalid,
      vcpuState.invalid,
    ]);
    const { pa, bytes } = vm.regions[0]!;
    expect(system.memory.doublewords.subarray(pa / 8, (pa + bytes) / 8).every((word) => word === 0n)).toBe(true);
  });

  it('scenario 26, as-is: the cores go on in cleared memory, and CPU_ON finds the other vCPU on', () => {
    const quirks = ['reset-while-running', 'psci-already-on'] as const;
    const running = runSystem([manager(vmm.reboot(1, true), note(), 'b .')], { cores: 3, maxTicks: 150_000, quirks });
    const vm = running.vm('guest');
    expect([0, 1].map((n) => running.state.vcpus[vm.vcpus[n] as number]!.state)).toContain(vcpuState.active);
    const again = runSystem([manager(vmm.reboot(1, true), note(), ...reload, 'b .')], {
      cores: 3,
      maxTicks: 250_000,
      quirks,
    });
    expect(again.words('guest', notesIpa, 3)).toEqual([0n, BigInt(second), 0n]);
    expect(again.words('guest', notesIpa + 0x100)).toEqual([0n]);
    expect(again.console).toContain('vCPU 1 of VM 1 is on already');
    // vCPU 0 is in its queue twice, so that its core has a tick.
    expect([again.state.cores[1]!.queueLength, again.state.cores[1]!.isTicking]).toEqual([2, 1]);
  });

  it('scenario 26: a soft one is a message; the VM resets itself by PSCI, and the MVM is asked for its image', () => {
    const obedient = (mark: string): string =>
      kernel(
        `mov x0, #${mark}`,
        note(),
        hvc(fid.ivc, 0, notesIpa, messagePage),
        `ldr x9, =${messagePage}`,
        '1: ldr x10, [x9]',
        'cbz x10, 1b',
        'ldr x0, [x9, #8]',
        note(),
        psci.systemReset,
      );
    const vm: Created = { name: 'guest', mask: 0b0010, source: obedient(first) };
    const system = runSystem(
      [
        mvm(
          hvc(fid.ivc, 0, notesIpa, messagePage),
          create(vm),
          vmm.boot('x21'),
          note(),
          pause(20_000),
          vmm.reboot(1, false),
          note(),
          `ldr x9, =${messagePage}`,
          '1: ldr x10, [x9]',
          'cbz x10, 1b',
          upload(1, 'again', obedient(second)),
          note(),
          vmm.boot(1),
          note(),
          'b .',
          dataOf(vm),
          imageOf('again', obedient(second)),
        ),
      ],
      { maxTicks: 2_000_000 },
    );
    expect(system.words('mvm', notesIpa + 8 * callsToCreate, 4)).toEqual([0n, 0n, 0n, 0n]);
    expect(system.words('mvm', messagePage, 3)).toEqual([BigInt(fid.config), BigInt(uploadKernelImage), 1n]);
    expect(system.words('guest', notesIpa, 2)).toEqual([BigInt(second), 0n]);
    expect(system.vm('guest').state).toBe(vmState.active);
  });

  it('scenario 26: SYSTEM_RESET of VM 0 is the machine’s', () => {
    const system = runSystem([mvm(pause(20_000), psci.systemReset), { name: 'guest', cores: [1], source: counting }]);
    expect([system.run.end, system.run.exitCode]).toEqual(['stopped', 0]);
    expect(system.vm('guest').state).toBe(vmState.active);
  });
});

describe('removal', () => {
  it('scenario 27: gives memory, interrupts and id back, cleared; a neighbour on the core goes on without a tick', () => {
    const slice = 50_000;
    /** The SGI frame of the redistributor of core 1, as the manager may see it. */
    const redistributorIpa = 0x1100_0000;
    const redistributor = { ipa: redistributorIpa, pa: gicrIpa + 0x3_0000, bytes: 0x1000 };
    // It has its timer's interrupt on, which its neighbour has not.
    const victim: TestVm = {
      name: 'victim',
      cores: [1],
      irqs: [27, 33],
      source: [gicOn(), enableInterrupt(27), counting].join('\n'),
    };
    const neighbour: TestVm = { name: 'neighbour', cores: [1], source: counting };
    const heir: Created = { name: 'heir', mask: 2, irqs: [27, 33], source: 'b .' };
    const run = (...parts: string[]): ReturnType<typeof runSystem> =>
      runSystem(
        [{ ...mvm(pause(4 * slice), ...parts, 'b .', dataOf(heir)), windows: [redistributor] }, victim, neighbour],
        {
          tickTicks: slice,
          maxTicks: 2_000_000,
        },
      );
    const before = run();
    const region = before.vm('victim').regions[0]!;
    expect(before.memory.doublewords[(region.pa + notesIpa - kernelIpa) / 8]).toBeGreaterThan(0n);

    const after = run(vmm.remove(1), note(), vmm.remove(0), note());
    expect(after.words('mvm', notesIpa, 2)).toEqual([0n, 0n]);
    expect(after.console).toContain('VM 0 cannot be removed');
    const { pa, bytes } = region;
    expect(after.memory.doublewords.subarray(pa / 8, (pa + bytes) / 8).every((word) => word === 0n)).toBe(true);
    expect(freePieces(after.state)[0]).toEqual({ pa, bytes });
    expect(after.state.assignedInterrupts[1]).toBe(0);
    expect(after.state.cores[1]).toMatchObject({ queueLength: 1, isTicking: 0 });
    expect(after.words('neighbour', notesIpa)[0]).toBeGreaterThan(before.words('neighbour', notesIpa)[0]!);

    const reused = run(vmm.remove(1), create(heir));
    expect(reused.words('mvm', notesIpa, callsToCreate)).toEqual(created(1n));
    expect(reused.vm('heir').regions[0]!.pa).toBe(pa);

    const enabledPpis = [`ldr x9, =${redistributorIpa + 0x100}`, 'ldr w0, [x9]', note()];
    const emptied = run(...enabledPpis, vmm.remove(1), ...enabledPpis, vmm.remove(2), ...enabledPpis);
    const ppi27 = emptied.words('mvm', notesIpa, 3).map((bits) => (bits >> 27n) & 1n);
    expect(ppi27).toEqual([1n, 0n, 0n]);
    expect(freePieces(emptied.state)).toHaveLength(1);
    expect(emptied.state.cores[1]).toMatchObject({ queueLength: 0, isTicking: 0, active: 0 });
    expect(emptied.register(1, 'CNTHP_CTL_EL2') & 1n).toBe(0n);
  });

  it('scenario 27: whoever comes after a VM that had the physical interrupts of its core finds them as new', () => {
    const timer = ['mov x9, #1', 'msr cntv_cval_el0, x9', 'msr cntv_ctl_el0, x9', 'isb'].join('\n');
    const frame = gicrIpa + 0x1_0000;
    const direct: TestVm = {
      name: 'direct',
      kind: 'rtvm',
      cores: [1],
      devices: gic.map((device) => (device.kind === 'gicd' ? { ...device, kind: 'gppt' as const } : device)),
      // Its timer's interrupt and SGI 5 stay active and pending, at every priority masked.
      source: [
        gicOn(0, 0),
        enableInterrupt(27),
        enableInterrupt(5),
        timer,
        ...[0x200, 0x300].map((at) => `ldr x9, =${frame + at}\nldr w10, =0x08000020\nstr w10, [x9]`),
        psci.systemOff,
      ].join('\n'),
    };
    const heir: Created = {
      name: 'heir',
      mask: 2,
      source: kernel(
        'msr daifset, #2',
        gicOn(),
        enableInterrupt(27),
        timer,
        'wfi',
        'mrs x0, icc_iar1_el1',
        note(),
        'b .',
      ),
    };
    const system = runSystem(
      [mvm(pause(100_000), vmm.remove(1), note(), create(heir), vmm.boot(1), note(), 'b .', dataOf(heir)), direct],
      { maxTicks: 1_000_000 },
    );
    expect(system.words('mvm', notesIpa, callsToCreate + 2)).toEqual([0n, ...created(1n), 0n]);
    expect(system.words('heir', notesIpa)).toEqual([27n]);
  });
});
