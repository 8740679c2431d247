// Interrupts of a virtio device for a vCPU that is not on its core (scenario 18 of the ancestor's description).

import { describe, expect, it } from 'vitest';
import { diskBytes } from '../../../src/board/devices.ts';
import { vmTransport } from '../../../src/board/memory-map.ts';
import { type Vcpu, vcpuState } from '../../../src/hypervisor/state.ts';
import { ask, deviceIpa, type GuestRequest, IN, openDevice, usedIpa } from '../block-kernels.ts';
import { enableInterrupt, gicOn, kernel, notesIpa, pause, takeInterrupt } from '../kernels.ts';
import { gic, runSystem, type System, type TestVm } from '../system.ts';

const vcpu = ({ state, vm }: System, name: string): Vcpu => state.vcpus[vm(name).vcpus[0] as number]!;
const waiting = ({ vgic }: Vcpu): number[] => [...vgic.waiting.subarray(0, vgic.waitingCount)];

describe('deferred injection', () => {
  it('scenario 18: two completions of a virtio device while the vCPU is off its core are one entry, and one interrupt', () => {
    const [slice, completion] = [300_000, 49];
    const transport = vmTransport(0);
    const disk = { name: 'disk', bytes: diskBytes(new Uint8Array(0x2000)), readOnly: false };
    const read = (sector: number): GuestRequest => ({ type: IN, sector, bytes: 512 });
    const device = { name: 'disk', kind: 'virtioBlock' as const, ipa: deviceIpa, bytes: 0x1000, arguments: [] };
    const CPU_SUSPEND = ['ldr x0, =0xc4000001', 'smc #0'].join('\n');
    const vms: readonly TestVm[] = [
      { name: 'mvm', kind: 'mvm', cores: [0], source: kernel('b .') },
      {
        name: 'owner',
        cores: [1],
        devices: [...gic, { ...device, intid: completion }],
        source: kernel(
          openDevice(),
          gicOn(),
          enableInterrupt(completion),
          'msr daifset, #2',
          ask([read(0)]),
          ask([read(1)], 1),
          // The other VM has the core from here on until its slice ends.
          CPU_SUSPEND,
          takeInterrupt,
          pause(4_000),
          takeInterrupt,
          'b .',
        ),
      },
      { name: 'other', cores: [1], source: kernel('b .') },
    ];
    const until = (maxTicks: number): System =>
      runSystem(vms, {
        tickTicks: slice,
        maxTicks,
        dmaEngines: 1,
        slots: [
          {
            vm: 'owner',
            deviceIpa,
            kind: 'virtioBlock',
            pa: transport.base,
            intid: 32 + transport.spi,
            stream: 0x100,
          },
        ],
        backends: [{ kind: 'block', vm: 'owner', disk, sectors: { first: 0, count: 16 } }],
      });
    const completed = (system: System): number => Number((system.words('owner', usedIpa)[0]! >> 16n) & 0xffffn);
    const looks = Array.from({ length: 8 }, (_, n) => 200_000 + n * 50_000);
    const before = looks.map(until).find((system) => completed(system) === 2)!;
    expect(vcpu(before, 'other').state).toBe(vcpuState.active);
    expect(waiting(vcpu(before, 'owner'))).toEqual([completion]);
    expect(before.words('owner', notesIpa)).toEqual([0n]);
    const after = until(1_200_000);
    expect(waiting(vcpu(after, 'owner'))).toEqual([]);
    expect(after.words('owner', notesIpa, 2)).toEqual([BigInt(completion), 1023n]);
  });
});
