// Devices that reach memory by themselves, given to VMs: the SMMU in front of them obeys the VM's stage 2 tables.

import { describe, expect, it } from 'vitest';
import { dmaEngine } from '../../../src/board/memory-map.ts';
import { limits } from '../../../src/hypervisor/limits.ts';
import { type Vm, vmState } from '../../../src/hypervisor/state.ts';
import { copyByDma, hvc, kernel, note, notesIpa, pause, psci, startDma } from '../kernels.ts';
import { gic, kernelIpa, runSystem, type System, type TestVm } from '../system.ts';

const status = { DONE: 2n, sourceAborted: 0x104n, targetAborted: 0x204n } as const;
const event = { C_BAD_STREAMID: 0x02, F_TRANSLATION: 0x10, F_PERMISSION: 0x13 } as const;
const outside = 0x9000_0000;
const storeIpa = 0x3_0000_0000;
const targetIpa = kernelIpa + 0x2_0000;

/** VM 0 with nothing to do but to turn the machine off after some time. */
const watcher = (ticks: number): TestVm => ({
  name: 'mvm',
  kind: 'mvm',
  cores: [0],
  source: kernel(pause(ticks), 'mov x0, #1', note(), psci.systemOff),
});

/** What a VM needs to have the n-th DMA engine. */
const withEngine = (n: number): Pick<TestVm, 'windows' | 'irqs' | 'streams'> => {
  const { base, sizeBytes, spi, streamId } = dmaEngine(n);
  return { windows: [{ ipa: base, pa: base, bytes: sizeBytes }], irqs: [27, 32 + spi], streams: [streamId] };
};
const engine = dmaEngine(0).base;
const sliceTicks = 20_000;
/** Enters EL2 when it is time to look for faults again. */
const untilHeard = [pause(2 * sliceTicks), psci.affinityInfo(0)].join('\n');

const guest = (...parts: string[]): TestVm => ({
  name: 'guest',
  cores: [1],
  ...withEngine(0),
  source: kernel(...parts, '1: wfi', 'b 1b'),
});
const copy = (source: number, target: number, bytes = 16): string =>
  `${copyByDma(engine, source, target, bytes)}\n${note()}`;

function streamOf({ state }: System, streamId: number): Record<'owner' | 'faults' | 'isMuted' | 'lastEvent', number> {
  const found = state.smmu.streams.find((stream) => stream.isKnown !== 0 && stream.streamId === streamId);
  if (!found) throw new Error(`stream ${streamId} is known`);
  const { owner, faults, isMuted, lastEvent } = found;
  return { owner, faults, isMuted, lastEvent };
}
const startOf = (vm: Vm): number => vm.regions[0]?.pa ?? 0;

describe('a DMA engine behind the SMMU', () => {
  it('scenario 23: an IPA of the VM that has its stream is translated by the stage 2 of the VM', () => {
    const twins = [
      watcher(60_000),
      guest(copy(kernelIpa, targetIpa, 4096)),
      { ...guest('nop'), name: 'other', ...withEngine(1), cores: [0] },
    ];
    const system = runSystem(twins, { dmaEngines: 2, tickTicks: 5000 });
    const { vm, words } = system;
    expect(words('guest', notesIpa)).toEqual([status.DONE]);
    expect(words('guest', targetIpa, 512)).toEqual(words('guest', kernelIpa, 512));
    expect(words('guest', targetIpa)[0]).not.toBe(0n);
    expect(words('other', targetIpa, 512)).toEqual(new Array(512).fill(0n));
    expect(streamOf(system, 1)).toEqual({ owner: vm('guest').id + 1, faults: 0, isMuted: 0, lastEvent: 0 });
    expect(streamOf(system, 2)).toEqual({ owner: vm('other').id + 1, faults: 0, isMuted: 0, lastEvent: 0 });
    expect(startOf(vm('guest'))).not.toBe(kernelIpa);
  });

  it('scenario 23: an IPA outside the VM is a fault, nothing is written, and the VM and the others go on', () => {
    const copies = [copy(kernelIpa, outside), copy(outside, targetIpa), copy(kernelIpa, targetIpa)];
    const system = runSystem([watcher(200_000), guest(...copies, untilHeard)], {
      dmaEngines: 1,
      tickTicks: sliceTicks,
    });
    const { vm, words, console, state } = system;
    expect(words('guest', notesIpa, 3)).toEqual([status.targetAborted, status.sourceAborted, status.DONE]);
    expect(vm('guest').state).toBe(vmState.active);
    expect(words('mvm', notesIpa)).toEqual([1n]);
    const owner = vm('guest').id + 1;
    expect(streamOf(system, 1)).toEqual({ owner, faults: 2, isMuted: 0, lastEvent: event.F_TRANSLATION });
    expect(state.smmu.streams[0]?.lastAddress).toBe(outside);
    expect(
      console.match(/VM 1 \(guest\): stream 1: a device's write to 0x90000000 is aborted, F_TRANSLATION/g),
    ).toHaveLength(1);
  });

  it('scenario 23: a stream that is no VM’s is aborted, whatever its address', () => {
    const copies = [copy(kernelIpa, targetIpa), copy(0x4000_0000, targetIpa)];
    const system = runSystem([watcher(200_000), { ...guest(...copies, untilHeard), streams: [] }], {
      dmaEngines: 1,
      tickTicks: sliceTicks,
    });
    expect(system.words('guest', notesIpa, 2)).toEqual([status.sourceAborted, status.sourceAborted]);
    expect(system.words('guest', targetIpa, 2)).toEqual([0n, 0n]);
    expect(streamOf(system, 1)).toEqual({ owner: 0, faults: 2, isMuted: 0, lastEvent: event.C_BAD_STREAMID });
    expect(system.console).toContain('nobody’s device: stream 1');
  });

  it('writes nothing where the VM itself may only read', () => {
    const manager: TestVm = {
      ...guest(copy(storeIpa, targetIpa), copy(targetIpa, storeIpa), psci.systemOff),
      name: 'mvm',
      kind: 'mvm',
      cores: [0],
    };
    const system = runSystem([manager], { dmaEngines: 1, storeIpa });
    expect(system.words('mvm', notesIpa, 2)).toEqual([status.DONE, status.targetAborted]);
    expect(streamOf(system, 1)).toMatchObject({ owner: 1, faults: 1, lastEvent: event.F_PERMISSION });
  });

  it('has one owner: a second VM with the same stream is not built', () => {
    const { console, vm } = runSystem(
      [watcher(1000), guest('nop'), { ...guest('nop'), name: 'second', windows: [], irqs: [27] }],
      { dmaEngines: 1 },
    );
    expect(console).toContain('VM 2 (second) cannot be built: streams conflict: 1');
    expect(vm('guest').state).toBe(vmState.active);
  });

  it('that faults for ever is heard of so often and no more, in the time of its own VM', () => {
    const copying = (from: number): TestVm =>
      guest(
        'mov x5, #300',
        '2:',
        copyByDma(engine, from, targetIpa, 16),
        psci.affinityInfo(0),
        'subs x5, x5, #1',
        'b.ne 2b',
        'mov x0, #9',
        note(),
      );
    const run = (from: number): System =>
      runSystem([watcher(4_000_000), copying(from)], { dmaEngines: 1, maxTicks: 6_000_000, tickTicks: sliceTicks });
    const [system, without] = [run(outside), run(kernelIpa)];
    expect(system.words('guest', notesIpa)).toEqual([9n]);
    const { faults, isMuted, lastEvent } = streamOf(system, 1);
    expect({ isMuted, lastEvent }).toEqual({ isMuted: 1, lastEvent: event.F_TRANSLATION });
    expect(faults).toBeGreaterThanOrEqual(limits.recordedFaults);
    expect(faults).toBeLessThan(limits.recordedFaults + 8);
    expect(streamOf(without, 1)).toMatchObject({ faults: 0, isMuted: 0 });
    const [core, coreWithout] = [system, without].map(({ state }) => state.cores[0]);
    expect(system.words('mvm', notesIpa)).toEqual([1n]);
    expect(core?.hypervisorTicks).toBe(coreWithout?.hypervisorTicks);
    expect(core?.interrupts).toEqual(coreWithout?.interrupts);
  });

  it('that faults while nobody looks fills the Event queue, and is heard of when the machine is turned off', () => {
    const faulting = guest(
      'mov x5, #200',
      '2:',
      copyByDma(engine, outside, targetIpa, 16),
      'subs x5, x5, #1',
      'b.ne 2b',
    );
    const mvm = { ...watcher(0), source: kernel(pause(3_000_000), psci.systemReset) };
    const system = runSystem([mvm, faulting], { dmaEngines: 1, maxTicks: 6_000_000 });
    expect(system.run.end).toBe('stopped');
    expect(streamOf(system, 1)).toMatchObject({ faults: 128, isMuted: 0 });
    expect(system.state.smmu.overflows).toBe(1);
    expect(system.console.match(/a device's read of 0x90000000 is aborted/g)).toHaveLength(1);
  });

  it('has a StreamID that there is: a VM with another one is not built', () => {
    const { console, vm } = runSystem([watcher(1000), { ...guest('nop'), streams: [0x1_0001] }], { dmaEngines: 1 });
    expect(console).toContain('VM 1 (guest) cannot be built: there is no stream 65537');
    expect(vm('mvm').state).toBe(vmState.inactive);
  });

  it('does not come with the interrupt by which the SMMU reports errors', () => {
    const { console } = runSystem([watcher(1000), { ...guest('nop'), irqs: [27, 109] }], { dmaEngines: 1 });
    expect(console).toContain('VM 1 (guest) cannot be built: interrupt 109 is the hypervisor’s own');
  });

  it.each([2, 3] as const)(
    'goes on while its VM, whose interrupts are direct, is called to EL2, with a GICv%i',
    (gicVersion) => {
      const ping = hvc(0, 0x40, 1);
      const mvm = {
        ...watcher(0),
        source: kernel(pause(100_000), ...Array<string>(30).fill(ping), 'mov x0, #1', note()),
      };
      const copying: TestVm = {
        ...guest('mov x5, #0', 'mov x6, #0', '2:', copyByDma(engine, kernelIpa, targetIpa, 0x1_0000)),
        kind: 'rtvm',
        devices: gic.map((device) => (device.kind === 'gicd' ? { ...device, kind: 'gppt' as const } : device)),
      };
      const source = copying.source.replace(/1: wfi[^]*$/, '');
      const loop = ['add x5, x5, #1', 'orr x6, x6, x0', 'stp x5, x6, [x20]', 'b 2b'].join('\n');
      const system = runSystem(
        [
          { ...mvm, source: `${mvm.source}\nb .` },
          { ...copying, source: source + loop },
        ],
        {
          dmaEngines: 1,
          maxTicks: 2_000_000,
          gicVersion,
        },
      );
      expect(system.words('mvm', notesIpa)).toEqual([1n]);
      const [copies, statuses] = system.words('guest', notesIpa, 2);
      expect(copies).toBeGreaterThan(10n);
      expect(statuses).toBe(status.DONE);
      expect(streamOf(system, 1)).toMatchObject({ faults: 0 });
    },
  );

  it('writes nothing more once its VM is removed', () => {
    const remove = (id: number): string => hvc(1, 16, id);
    const mvm: TestVm = {
      name: 'mvm',
      kind: 'mvm',
      cores: [0],
      source: kernel(pause(20_000), remove(1), note(), pause(40_000), psci.systemOff),
    };
    const copying = guest(startDma(engine, kernelIpa, targetIpa, 0x10_0000));
    const before = runSystem([{ ...mvm, source: kernel(pause(20_000), psci.systemOff) }, copying], { dmaEngines: 1 });
    const region = before.vm('guest').regions[0];
    const system = runSystem([mvm, copying], { dmaEngines: 1 });
    expect(system.words('mvm', notesIpa)).toEqual([0n]);
    const at = (region?.pa ?? 0) / 8;
    const end = at + (region?.bytes ?? 0) / 8;
    expect(before.memory.doublewords.subarray(at, end).some((word) => word !== 0n)).toBe(true);
    expect(system.memory.doublewords.subarray(at, end).every((word) => word === 0n)).toBe(true);
    expect(streamOf(system, 1).owner).toBe(0);
  });
});
