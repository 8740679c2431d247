import { describe, expect, it } from 'vitest';
import { memoryMap } from '../../../src/board/memory-map.ts';
import { interruptKinds, ipiKinds, type Vcpu, vcpuState } from '../../../src/hypervisor/state.ts';
import { decodeList, hcr, type ListRegister } from '../../../src/hypervisor/vgic/list-register.ts';
import { awaitWord, gicCode, hvc, kernel, note, notesIpa, pause, psci, publish, sharedIpa } from '../kernels.ts';
import { gic, kernelIpa, runSystem as run, type System, type TestVm } from '../system.ts';

const versions = [3, 2] as const;

/** A UART of the board whose interrupt is SPI 40 of the ancestor's numbers, which count from the first SGI. */
const uart = { base: memoryMap.secureUart.base, intid: 32 + memoryMap.secureUart.spi } as const;
const uartIpa = 0x1000_0000;
const distributorIpa = 0x1100_0000;
const uartWindow = { ipa: uartIpa, pa: uart.base, bytes: 0x1000 };
const distributorWindow = { ipa: distributorIpa, pa: 0x0800_0000, bytes: 0x1_0000 };
const pending = 1;

const vcpu = ({ state, vm }: System, name: string, id = 0): Vcpu => state.vcpus[vm(name).vcpus[id] as number]!;
/** The list registers of a vCPU as it left its core. */
const lists = (of: Vcpu): ListRegister[] => [...of.vgic.lr.subarray(0, of.vgic.listCount)].map((lr) => decodeList(lr));
const waiting = ({ vgic }: Vcpu): number[] => [...vgic.waiting.subarray(0, vgic.waitingCount)];
const spilled = ({ vgic }: Vcpu): number[] => [...vgic.spilledPending.subarray(0, vgic.spilledPendingCount)];

/** What is of one version in a test that is the same for both: its code, its board, and the group that its interrupts are in. */
const partsOf = (gicVersion: (typeof versions)[number]) => ({
  ...gicCode(gicVersion),
  group: gicVersion === 3 ? 1 : 0,
  runSystem: (vms: readonly TestVm[], options: Parameters<typeof run>[1] = {}): System =>
    run(vms, { ...options, gicVersion, uarts: [{ vm: 'owner', region: memoryMap.secureUart }] }),
});

const mvm = (...parts: string[]): TestVm => ({ name: 'mvm', kind: 'mvm', cores: [0], source: kernel(...parts) });

/** The PL011 asserts its interrupt: TXIM on, and a character to send. */
const assertUart = [
  'ldr x9, =0x10000000',
  'mov w10, #0x20',
  'str w10, [x9, #0x38]',
  'mov w10, #65',
  'str w10, [x9]',
].join('\n');
const quietUart = ['ldr x9, =0x10000000', 'str wzr, [x9, #0x38]', 'mov w10, #0x20', 'str w10, [x9, #0x44]'].join('\n');
/** Notes whether the UART's SPI is active in the physical distributor. */
const noteActive = ['ldr x9, =0x11000304', 'ldr w0, [x9]', `ubfx x0, x0, #${uart.intid - 32}, #1`, note()].join('\n');

describe.each(versions)('interrupts of other vCPUs by a GICv%i', (version) => {
  const { enableInterrupt, gicOn, group, runSystem, sendSgi, takeInterrupt } = partsOf(version);
  const sgi3 = sendSgi(3, 0b10);
  const receiver = (mask: number, ...parts: string[]): string =>
    [
      'second:',
      `ldr x20, =${notesIpa + 0x100}`,
      gicOn(1, mask),
      enableInterrupt(3, 0x80, 1),
      publish(0, 1),
      ...parts,
    ].join('\n');

  it('scenario 16: an SGI to a vCPU on another core goes there as a message, into one list register with source 0', () => {
    const system = runSystem(
      [
        mvm(psci.systemOff),
        {
          name: 'smp',
          cores: [1, 2],
          source: kernel(
            psci.cpuOn(1, 'second', 0),
            awaitWord(0),
            // Twice: with GICv3 an SGI that is pending already stays so.
            sgi3,
            sgi3,
            pause(20_000),
            psci.systemOff,
            receiver(0, 'b .'),
          ),
        },
      ],
      { cores: 3 },
    );
    expect(system.run.end).toBe('stopped');
    const intc = ipiKinds.indexOf('Intc');
    expect(system.state.cores[2]!.ipisReceived[intc]).toBe(2n);
    expect(lists(vcpu(system, 'smp', 1)).filter(({ state }) => state !== 0)).toEqual([
      { state: pending, intid: 3, source: 0, priority: 0x80, isPhysical: false, wantsMaintenance: false, group },
    ]);
    expect(lists(vcpu(system, 'smp', 0)).every(({ state }) => state === 0)).toBe(true);
  });

  it('scenario 16: each of two SGIs that are sent one after the other is seen once', () => {
    const system = runSystem(
      [
        mvm(psci.systemOff),
        {
          name: 'smp',
          cores: [1, 2],
          source: kernel(
            psci.cpuOn(1, 'second', 0),
            awaitWord(0),
            sgi3,
            awaitWord(8),
            sgi3,
            awaitWord(16),
            psci.systemOff,
            receiver(
              0xf8,
              'msr daifset, #2',
              'wfi',
              takeInterrupt,
              takeInterrupt,
              publish(8, 1),
              'wfi',
              takeInterrupt,
              takeInterrupt,
              publish(16, 1),
              'b .',
            ),
          ),
        },
      ],
      { cores: 3 },
    );
    expect(system.run.end).toBe('stopped');
    expect(system.words('smp', notesIpa + 0x100, 4)).toEqual([3n, 1023n, 3n, 1023n]);
  });
});

describe('an SGI of a GICv2 from two vCPUs', () => {
  it('scenario 16: is pending once for each: the first with a bit that asks for maintenance, which brings the second', () => {
    const { enableInterrupt, gicOn, open, runSystem, sendSgi, takeInterrupt } = partsOf(2);
    const [receiver, other] = [1, 2];
    const sgi3 = sendSgi(3, 1 << receiver);
    const smp = (...parts: string[]): System =>
      runSystem(
        [
          mvm(psci.systemOff),
          {
            name: 'smp',
            cores: [1, 2, 3],
            source: kernel(
              psci.cpuOn(receiver, 'receiver', 0),
              awaitWord(0),
              sgi3,
              psci.cpuOn(other, 'other', 0),
              awaitWord(8),
              pause(20_000),
              publish(16, 1),
              awaitWord(24),
              psci.systemOff,
              'receiver:',
              `ldr x20, =${notesIpa + 0x100}`,
              gicOn(1, 0),
              enableInterrupt(3, 0x80, 1),
              publish(0, 1),
              awaitWord(16),
              ...parts,
              publish(24, 1),
              'b .',
              'other:',
              sgi3,
              publish(8, 1),
              'b .',
            ),
          },
        ],
        { cores: 4 },
      );
    const masked = smp();
    const inUse = lists(vcpu(masked, 'smp', receiver)).filter(({ state }) => state !== 0);
    expect(inUse).toMatchObject([{ state: pending, intid: 3, source: 0, wantsMaintenance: true, isPhysical: false }]);
    const maintenance = interruptKinds.indexOf('maintenance');
    expect(masked.state.cores[2]!.interrupts[maintenance]).toBe(0n);
    const taken = smp(open(0xf8), ...Array.from({ length: 3 }, () => `${takeInterrupt}\n${pause(10_000)}`));
    expect(taken.words('smp', notesIpa + 0x100, 3)).toEqual([3n, BigInt((other << 10) | 3), 1023n]);
    expect(taken.state.cores[2]!.interrupts[maintenance]).toBeGreaterThan(0n);
  });
});

describe.each(versions)('passthrough interrupts by a GICv%i', (version) => {
  const { acknowledge, enableInterrupt, end, gicOn, group, runSystem } = partsOf(version);
  const owner = (...parts: string[]): TestVm => ({
    name: 'owner',
    cores: [1],
    irqs: [27, uart.intid],
    windows: [uartWindow, distributorWindow],
    source: kernel(...parts),
  });

  it('scenario 14: of SPI 40 EL2 drops the priority, and leaves the deactivation to the guest by the link of the list register', () => {
    const masked = runSystem([
      mvm(psci.systemOff),
      owner(gicOn(0, 0), enableInterrupt(uart.intid), assertUart, pause(20_000), noteActive, psci.systemOff),
    ]);
    expect(uart.intid).toBe(40);
    // Active physically: EOIR has been written, and DIR has not.
    expect(masked.words('owner', notesIpa)).toEqual([1n]);
    const passedOn = interruptKinds.indexOf('passthrough');
    expect(masked.state.cores[1]!.interrupts[passedOn]).toBe(1n);
    expect(lists(vcpu(masked, 'owner')).filter(({ state }) => state !== 0)).toEqual([
      {
        state: pending,
        intid: uart.intid,
        source: 0,
        priority: 0x80,
        isPhysical: true,
        wantsMaintenance: false,
        group,
      },
    ]);

    const taken = runSystem([
      mvm(psci.systemOff),
      owner(
        gicOn(),
        enableInterrupt(uart.intid),
        assertUart,
        pause(20_000),
        acknowledge('x0'),
        note(),
        'mov x5, x0',
        noteActive,
        quietUart,
        'dsb sy',
        end('x5'),
        pause(20_000),
        noteActive,
        acknowledge('x0'),
        note(),
        psci.systemOff,
      ),
    ]);
    expect(taken.run.end).toBe('stopped');
    expect(taken.words('owner', notesIpa, 4)).toEqual([BigInt(uart.intid), 1n, 0n, 1023n]);
    expect(vcpu(taken, 'owner').injectedInterrupts).toBe(1);
  });

  it('scenario 18: what comes for a vCPU that is off its core waits, once, and is in a list register when it is back', () => {
    const slice = 200_000;
    const softReboot = hvc(1, 4, 1);
    const vms: readonly TestVm[] = [
      {
        ...mvm(pause(500_000), softReboot, note(), softReboot, note(), assertUart, 'b .'),
        windows: [uartWindow],
      },
      owner(
        hvc(2, 0, sharedIpa, kernelIpa + 0x2_0000),
        gicOn(),
        enableInterrupt(64),
        enableInterrupt(uart.intid, 0x40),
        'msr daifset, #2',
        '1: wfi',
        acknowledge('x0'),
        'cmp x0, #1023',
        'b.eq 1b',
        note(),
        'mov x5, x0',
        noteActive,
        `cmp x5, #${uart.intid}`,
        'b.ne 2f',
        quietUart,
        'dsb sy',
        `2: ${end('x5')}`,
        pause(4_000),
        'b 1b',
      ),
      { name: 'other', cores: [1], source: kernel('b .') },
    ];
    const until = (maxTicks: number): System => runSystem(vms, { tickTicks: slice, maxTicks });
    // The first look at which both have come: the vCPU is off its core then, or nothing would wait.
    const looks = Array.from({ length: 10 }, (_, n) => 560_000 + n * 50_000);
    let before = until(looks[0]!);
    for (const at of looks) {
      if (waiting(vcpu(before, 'owner')).length === 2) break;
      before = until(at);
    }
    expect(before.words('mvm', notesIpa, 2)).toEqual([0n, 0n]);
    expect(vcpu(before, 'other').state).toBe(vcpuState.active);
    expect(waiting(vcpu(before, 'owner'))).toEqual([64, uart.intid]);
    expect(before.words('owner', notesIpa)).toEqual([0n]);
    const after = until(1_200_000);
    expect(waiting(vcpu(after, 'owner'))).toEqual([]);
    expect(after.words('owner', notesIpa, 5)).toEqual([BigInt(uart.intid), 1n, 64n, 0n, 0n]);
  });
});

describe.each(versions)('more interrupts than list registers of a GICv%i', (version) => {
  const { enableInterrupt, gicOn, open, runSystem, setPending, takeInterrupt } = partsOf(version);
  const intids = [40, 41, 42, 43, 44, 45] as const;
  const [a, b, c, d, e, f] = intids;
  const devices: TestVm['devices'] = [
    ...gic,
    ...intids.map((intid, n) => ({
      name: `device${n}`,
      kind: 'shyper' as const,
      ipa: 0x0b00_0000 + n * 0x1000,
      bytes: 0x1000,
      intid,
      arguments: [],
    })),
  ];
  const six = (...then: string[]): readonly TestVm[] => [
    mvm(psci.systemOff),
    {
      name: 'guest',
      cores: [1],
      devices,
      source: kernel(
        gicOn(0, 0),
        ...intids.map((n) => enableInterrupt(n)),
        ...intids.map((n) => setPending(n)),
        ...then,
        psci.systemOff,
      ),
    },
  ];
  const takeAll = [open(0xf8), ...Array.from({ length: 7 }, () => `${takeInterrupt}\n${pause(4_000)}`)];
  const held = (system: System): number[] =>
    lists(vcpu(system, 'guest')).map(({ intid, state }) => (state === pending ? intid : 0));

  it('scenario 17: the list registers keep the most urgent ones, and each of six is seen once', () => {
    const masked = runSystem(six());
    expect(held(masked)).toEqual([a, b, c, d]);
    expect(spilled(vcpu(masked, 'guest'))).toEqual([e, f]);
    expect(vcpu(masked, 'guest').vgic.hcr & hcr.NPIE).toBe(hcr.NPIE);
    const taken = runSystem(six(...takeAll));
    const seen = taken.words('guest', notesIpa, 7).map(Number);
    expect(seen[6]).toBe(1023);
    expect(seen.slice(0, 6).sort()).toEqual(intids);
    expect(vcpu(taken, 'guest').vgic.hcr & hcr.NPIE).toBe(0n);
  });

  it('scenario 17, as-is: the newcomer evicts the first of lowest priority; the list is filled again from its head', () => {
    const quirks = ['lr-victim-ignores-newcomer'] as const;
    const masked = runSystem(six(), { quirks });
    expect(held(masked)).toEqual([f, b, c, d]);
    expect(spilled(vcpu(masked, 'guest'))).toEqual([a, e]);
    expect(vcpu(masked, 'guest').vgic.hcr & hcr.NPIE).toBe(hcr.NPIE);
    const taken = runSystem(six(...takeAll), { quirks });
    expect(taken.words('guest', notesIpa, 7).sort()).toEqual([...intids.map(BigInt), 1023n].sort());
    expect(taken.words('guest', notesIpa, 7).slice(4)).toEqual([BigInt(a), BigInt(e), 1023n]);
    expect(vcpu(taken, 'guest').vgic.hcr & hcr.NPIE).toBe(0n);
  });
});
