// Attacks by a device that reaches memory by itself, behind the SMMU, beside a VM that has one, too.

import { describe, expect, it } from 'vitest';
import { dmaEngine } from '../../../src/board/memory-map.ts';
import { copyByDma, kernel, note, notesIpa, pause, psci, startDma } from '../kernels.ts';
import { kernelIpa, type System, type TestVm } from '../system.ts';
import { runAttacked, type Setting } from './attacked.ts';
import { expectUnharmed } from './check.ts';

const MiB = 0x10_0000;
const { base, sizeBytes, spi, streamId } = dmaEngine(0);
const owner = (...parts: string[]): Omit<TestVm, 'name' | 'cores'> => ({
  windows: [{ ipa: base, pa: base, bytes: sizeBytes }],
  irqs: [27, 32 + spi],
  streams: [streamId],
  source: kernel(...parts),
});
const quiet = owner('b .');

const own = kernelIpa + 0x8_0000;
const nowhere = 0x9000_0000;
const status = { sourceAborted: 0x104n, targetAborted: 0x204n } as const;
const copy = (from: number, to: number, bytes: number): string => `${copyByDma(base, from, to, bytes)}\n${note()}`;
const streamOf = ({ state }: System) => state.smmu.streams.find((known) => known.streamId === streamId);

/** A list that begins again after its last element: copies of so many bytes from so many pages on. */
const endlessList = (pages: number, bytes: number): string =>
  [
    `ldr x9, =${own}`,
    'mov x10, x9',
    `ldr x11, =${own + 0x1_0000}`,
    `mov x12, #${pages}`,
    `mov x13, #${bytes}`,
    '1: add x14, x10, #32',
    'subs x12, x12, #1',
    'csel x14, x9, x14, eq',
    'stp x11, x11, [x10]',
    'stp x13, x14, [x10, #16]',
    'add x11, x11, #0x1000',
    'mov x10, x14',
    'b.ne 1b',
    `ldr x10, =${base}`,
    'str x9, [x10, #0x30]',
    'dsb sy',
    'mov w11, #3',
    'str w11, [x10, #8]',
  ].join('\n');

describe.each([3, 2] as const)('a VM with a device that reaches memory by itself, on a GICv%i', (gicVersion) => {
  const setting: Setting = { maxTicks: 3_000_000, gicVersion, hasCopier: true };
  function attacked(attacker: ReturnType<typeof owner>): System {
    const system = runAttacked(attacker, setting);
    expect(system.vm('attacker').stopReason).toBe('');
    expectUnharmed(system, setting, quiet);
    return system;
  }

  it('reaches neither the hypervisor’s memory nor the others’, nor registers, by any address of the machine', () => {
    // The hypervisor and its tables, what the others have got, the end of RAM, its own end, the GIC, beyond every IPA.
    const others = [
      0x4000_0000, 0x4080_0000, 0x4100_0000, 0x4120_0000, 0x4500_0000, 0x45ff_f000, 0x8020_0000, 0x0800_0000,
    ];
    const all = [...others, 2 ** 39];
    const copies = all.flatMap((at) => [copy(own, at, 4096), copy(at, own, 4096)]);
    const system = attacked(owner(...copies, copy(own, kernelIpa + 2 * MiB - 64, 4096), 'b .'));
    const both = [status.targetAborted, status.sourceAborted];
    expect(system.words('attacker', notesIpa, 2 * all.length)).toEqual(all.flatMap(() => both));
    expect(system.words('attacker', notesIpa + 8 * 2 * all.length)).toEqual([status.targetAborted]);
  }, 120_000);

  it('makes faults without end', () => {
    const system = attacked(owner('again:', copyByDma(base, own, nowhere, 16), 'b again'));
    expect(streamOf(system)).toMatchObject({ isMuted: 1, owner: system.vm('attacker').id + 1 });
  }, 120_000);

  it('makes faults, and enters EL2 after each', () => {
    attacked(owner('again:', copyByDma(base, nowhere, own, 16), psci.affinityInfo(0), 'b again'));
  }, 120_000);

  it('makes the SMMU walk for every page that it has, again and again', () => {
    // More pages than the TCU has translations for.
    attacked(owner(endlessList(300, 16), 'b .'));
  }, 120_000);

  it('works for ever by itself', () => {
    attacked(owner(endlessList(1, 0x1_0000), 'b .'));
  }, 120_000);

  it('turns itself off while its device works, and one that faults, too', () => {
    const system = attacked(
      owner(pause(200_000), startDma(base, own, nowhere, 16), endlessList(1, 0x1_0000), psci.systemOff),
    );
    expect(system.console).toContain('(attacker) is off');
  }, 120_000);
});
