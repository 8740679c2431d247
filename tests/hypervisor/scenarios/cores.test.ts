import { describe, expect, it } from 'vitest';
import { exitCauses, ipiKinds, type Vcpu } from '../../../src/hypervisor/state.ts';
import { enableInterrupt, gicCode, gicOn, hvc, kernel, note, notesIpa, pause, psci } from '../kernels.ts';
import { runSystem, type System, type TestVm } from '../system.ts';

const signed = (value: bigint): bigint => BigInt.asIntN(64, value);
const power = ipiKinds.indexOf('Power');
const vcpu = ({ state, vm }: System, name: string, id = 0): Vcpu => state.vcpus[vm(name).vcpus[id] as number]!;
const exitsBy = (of: Vcpu, cause: (typeof exitCauses)[number]): number => Number(of.exits[exitCauses.indexOf(cause)]);

const mvm = (...parts: string[]): TestVm => ({ name: 'mvm', kind: 'mvm', cores: [0], source: kernel(...parts) });
/** Counts for ever, in its first note. */
const counting = kernel('1: add x0, x0, #1', 'str x0, [x20]', 'b 1b');

describe('PSCI of a VM', () => {
  const smp: readonly TestVm[] = [
    mvm(psci.systemOff),
    {
      name: 'smp',
      cores: [1, 2],
      source: kernel(
        psci.cpuOn(1, 'second', 0x1234),
        note(),
        psci.cpuOn(7, 'second', 0),
        note(),
        psci.cpuOn(1, 'second', 0x5678),
        note(),
        pause(20_000),
        psci.systemOff,
        'second:',
        `ldr x20, =${notesIpa + 0x100}`,
        note(),
        'mrs x0, mpidr_el1',
        note(),
        'adr x0, second',
        note(),
        'b .',
      ),
    },
  ];

  it('scenario 11: CPU_ON starts a vCPU on its core by a message; a vCPU that is not there is refused, and one that is on', () => {
    const system = runSystem(smp, { cores: 3 });
    expect(system.run.end).toBe('stopped');
    expect(system.words('smp', notesIpa, 3).map(signed)).toEqual([0n, -2n, -4n]);
    const [context, mpidr] = system.words('smp', notesIpa + 0x100, 2);
    expect([context, mpidr]).toEqual([0x1234n, 0x8000_0001n]);
    expect(system.state.cores[1]?.ipisSent[power]).toBe(1n);
    expect(system.state.cores[2]?.ipisReceived[power]).toBe(1n);
  });

  it('scenario 11, as-is: CPU_ON of a vCPU that is on returns success, and changes nothing', () => {
    const system = runSystem(smp, { cores: 3, quirks: ['psci-already-on'] });
    expect(system.words('smp', notesIpa, 3).map(signed)).toEqual([0n, -2n, 0n]);
    expect(system.words('smp', notesIpa + 0x100, 2)).toEqual([0x1234n, 0x8000_0001n]);
    expect(system.console).toContain('vCPU 1 of VM 1 is on already');
  });
});

describe('the scheduler', () => {
  const slice = 50_000;
  const sharing = (...manager: string[]): readonly TestVm[] => [
    mvm(...manager),
    { name: 'first', cores: [3], source: counting },
    { name: 'second', cores: [3], source: counting },
  ];
  const CNTHP_CTL_ENABLE = 1n;

  it('scenario 12: alternates two VMs of a core at each tick, and stops the tick when one of them is removed', () => {
    const shared = runSystem(sharing('b .'), { cores: 4, tickTicks: slice, maxTicks: 3_000_000 });
    const core = shared.state.cores[3]!;
    expect([core.queueLength, core.isTicking]).toEqual([2, 1]);
    expect(shared.register(3, 'CNTHP_CTL_EL2') & CNTHP_CTL_ENABLE).toBe(1n);
    expect(core.ticks).toBeGreaterThan(20);
    expect(core.schedules).toBe(core.ticks);
    const [first, second] = ['first', 'second'].map((name) => vcpu(shared, name)) as [Vcpu, Vcpu];
    expect(Math.abs(first.switches - second.switches)).toBeLessThanOrEqual(1);
    expect(first.switches + second.switches).toBe(core.ticks + 2);
    expect(Math.abs(first.guestTicks - second.guestTicks)).toBeLessThanOrEqual(slice + slice / 10);

    const alone = runSystem(sharing(pause(6 * slice), hvc(1, 16, 2), note(), 'b .'), {
      cores: 4,
      tickTicks: slice,
      maxTicks: 3_000_000,
    });
    expect(alone.words('mvm', notesIpa)).toEqual([0n]);
    const left = alone.state.cores[3]!;
    expect([left.queueLength, left.isTicking]).toEqual([1, 0]);
    expect(alone.register(3, 'CNTHP_CTL_EL2') & CNTHP_CTL_ENABLE).toBe(0n);
    expect(left.ticks).toBeLessThan(10);
    expect(alone.words('first', notesIpa)[0]).toBeGreaterThan(shared.words('first', notesIpa)[0]!);
  });

  /** Counts the interrupts of its timer, which comes every so many ticks; the others of its machine sleep with it, or not. */
  const periodic = (periodTicks: number, ...each: string[]): string =>
    kernel(
      gicOn(),
      enableInterrupt(27),
      `mrs x4, cntfrq_el0`,
      `ldr x5, =${periodTicks}`,
      'mul x4, x4, x5',
      'ldr x5, =1000000000',
      'udiv x4, x4, x5',
      'mrs x3, cntvct_el0',
      'mov x6, #0',
      '1: add x3, x3, x4',
      'msr cntv_cval_el0, x3',
      'mov x0, #1',
      'msr cntv_ctl_el0, x0',
      'isb',
      'wfi',
      'mrs x1, icc_iar1_el1',
      'cmp x1, #27',
      'cinc x6, x6, eq',
      'str x6, [x20]',
      'msr cntv_ctl_el0, xzr',
      'isb',
      'msr icc_eoir1_el1, x1',
      'isb',
      ...each,
      'b 1b',
    );

  it('scenario 13: leaves the core of a real-time VM alone: no tick, no turn, and no exit but for its own timer', () => {
    const realTime = periodic(100_000);
    const vms = (): readonly TestVm[] => [
      mvm(`1: ${hvc(1, 8, notesIpa)}`, 'b 1b'),
      { name: 'real-time', kind: 'rtvm', cores: [1], source: realTime },
      { name: 'first', cores: [2], source: counting },
      { name: 'second', cores: [2], source: counting },
    ];
    const system = runSystem(vms(), { cores: 3, tickTicks: slice, maxTicks: 6_000_000 });
    const core = system.state.cores[1]!;
    expect([core.ticks, core.schedules, core.foreignInterrupts]).toEqual([0, 0, 0]);
    expect(system.state.cores[2]?.ticks).toBeGreaterThan(60);
    const timer = Number(system.words('real-time', notesIpa)[0]);
    expect(timer).toBeGreaterThan(40);
    const task = vcpu(system, 'real-time');
    expect(exitsBy(task, 'IRQ')).toBe(timer);
    expect(task.switches).toBe(1);
    expect(core.ipisReceived.reduce((sum, n) => sum + n, 0n)).toBe(1n);
  });

  it(
    'scenario 13: for a second, while the others have timers, calls and ticks of their own',
    { timeout: 120_000 },
    () => {
      const [ms, second] = [1_000_000, 1_000_000_000];
      const calls = hvc(1, 8, notesIpa + 0x100);
      const busy = periodic(ms, calls);
      const system = runSystem(
        [
          { ...mvm(), source: busy },
          { name: 'real-time', kind: 'rtvm', cores: [1], source: periodic(ms) },
          { name: 'first', cores: [2], source: busy },
          { name: 'second', cores: [2], source: busy },
        ],
        { cores: 3, tickTicks: ms, maxTicks: second },
      );
      const core = system.state.cores[1]!;
      expect([core.ticks, core.schedules, core.foreignInterrupts]).toEqual([0, 0, 0]);
      const interrupts = Number(system.words('real-time', notesIpa)[0]);
      expect(interrupts).toBeGreaterThanOrEqual(998);
      expect(exitsBy(vcpu(system, 'real-time'), 'IRQ')).toBe(interrupts);
      expect(core.ipisReceived.reduce((sum, n) => sum + n, 0n)).toBe(1n);
      const shared = system.state.cores[2]!;
      expect(shared.ticks).toBeGreaterThan(900);
      expect(exitsBy(vcpu(system, 'first'), 'HVC')).toBeGreaterThan(300);
    },
  );
});

describe.each([3, 2] as const)('the virtual timer with a GICv%i', (gicVersion) => {
  const { acknowledge, enableInterrupt, end, gicOn } = gicCode(gicVersion);
  const slice = 100_000;
  /** Two switches and an interrupt, where the hypervisor reaches its GIC by System registers or over the bus. */
  const overhead = gicVersion === 3 ? slice / 10 : slice / 5;
  /** Arms CNTV `after` ticks from now, and notes what there is when PPI 27 comes, and how many more interrupts come. */
  const waitForTimer = (after: number): string =>
    kernel(
      gicOn(),
      enableInterrupt(27),
      'mrs x4, cntfrq_el0',
      `ldr x5, =${after}`,
      'mul x4, x4, x5',
      'ldr x5, =1000000000',
      'udiv x4, x4, x5',
      'mrs x3, cntvct_el0',
      'add x3, x3, x4',
      'msr cntv_cval_el0, x3',
      'mov x0, #1',
      'msr cntv_ctl_el0, x0',
      'isb',
      '1: wfi',
      acknowledge('x0'),
      'cmp x0, #27',
      'b.ne 1b',
      'mrs x1, cntvct_el0',
      'mrs x2, cntv_cval_el0',
      'mrs x5, cntv_ctl_el0',
      note('x1'),
      'sub x2, x2, x3',
      note('x2'),
      'sub x1, x1, x3',
      note('x1'),
      note('x5'),
      'msr cntv_ctl_el0, xzr',
      'isb',
      end('x0'),
      'mov x6, #0',
      `2: ${acknowledge('x0')}`,
      'cmp x0, #1023',
      'cinc x6, x6, ne',
      'str x6, [x20]',
      pause(10_000),
      'b 2b',
    );

  it('scenario 24: is each VM’s own on a shared core; what expires while the VM is off the core comes when it is back', () => {
    const deadlines = [90_000, 170_000, 230_000, 310_000] as const;
    const lateness = deadlines.map((after) => {
      const system = runSystem(
        [
          mvm(psci.systemOff),
          { name: 'first', cores: [1], source: waitForTimer(after) },
          { name: 'second', cores: [1], source: waitForTimer(620_000) },
        ],
        { tickTicks: slice, maxTicks: 1_500_000, gicVersion },
      );
      const frequency = system.register(1, 'CNTFRQ_EL0');
      const [at, cval, late, ctl, more] = system.words('first', notesIpa, 5) as [
        bigint,
        bigint,
        bigint,
        bigint,
        bigint,
      ];
      const other = system.words('second', notesIpa, 5);
      expect(at).toBeGreaterThan(0n);
      // CVAL as it was set; ENABLE and ISTATUS; no interrupt of the other VM's timer.
      expect([cval, ctl, more]).toEqual([0n, 5n, 0n]);
      expect([other[1], other[3], other[4]]).toEqual([0n, 5n, 0n]);
      expect(other[0]! - at).toBeGreaterThan(0n);
      return (Number(late) * 1e9) / Number(frequency);
    });
    for (const late of lateness) expect(late).toBeLessThan(slice + overhead);
    // Of deadlines all over the period some fall into the other's slices.
    expect(Math.max(...lateness)).toBeGreaterThan(slice / 10);
    expect(Math.min(...lateness)).toBeLessThan(overhead / 2);
  });
});
