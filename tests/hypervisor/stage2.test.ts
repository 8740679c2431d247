import { describe, expect, it } from 'vitest';
import type { Rhyper } from '../../src/hypervisor/context.ts';
import { createStage2, mapRange, unmapRange, walkStage2 } from '../../src/hypervisor/stage2.ts';
import type { Vm } from '../../src/hypervisor/state.ts';
import { memoryOnly } from './fixture.ts';

function vmWith(rhyper: Rhyper, id: number): Vm {
  const vm = rhyper.state.vms[id] as Vm;
  vm.id = id;
  vm.stage2Root = createStage2(rhyper) ?? 0;
  return vm;
}

describe('stage 2 of VMs', () => {
  it('maps pages and blocks, with the permission that was asked for', () => {
    const rhyper = memoryOnly();
    const vm = vmWith(rhyper, 1);
    expect(mapRange(rhyper, vm, { ipa: 0x8000_0000, pa: 0x4120_0000, bytes: 0x20_0000 }, 'normal', true)).toBe(true);
    expect(mapRange(rhyper, vm, { ipa: 0x8020_0000, pa: 0x4100_0000, bytes: 0x3000 }, 'read-only', true)).toBe(true);
    expect(walkStage2(rhyper, vm, 0x8012_3456)).toEqual({ pa: 0x4132_3456, isWritable: true });
    expect(walkStage2(rhyper, vm, 0x8020_2fff)).toEqual({ pa: 0x4100_2fff, isWritable: false });
    expect(walkStage2(rhyper, vm, 0x8020_3000)).toBeUndefined();
    unmapRange(rhyper, vm, 0x8020_1000, 0x1000);
    expect(walkStage2(rhyper, vm, 0x8020_1000)).toBeUndefined();
    expect(walkStage2(rhyper, vm, 0x8020_2000)?.pa).toBe(0x4100_2000);
  });

  it('keeps what is mapped already, and says so', () => {
    const rhyper = memoryOnly();
    const vm = vmWith(rhyper, 1);
    mapRange(rhyper, vm, { ipa: 0x1000, pa: 0x4100_0000, bytes: 0x1000 }, 'normal', false);
    mapRange(rhyper, vm, { ipa: 0x1000, pa: 0x4200_0000, bytes: 0x1000 }, 'normal', false);
    expect(walkStage2(rhyper, vm, 0x1000)?.pa).toBe(0x4100_0000);
    expect(rhyper.lines).toEqual(['VM 1: IPA 0x1000 is mapped already']);
  });

  it('refuses IPAs beyond 36 bits', () => {
    const rhyper = memoryOnly();
    const vm = vmWith(rhyper, 1);
    expect(mapRange(rhyper, vm, { ipa: 2 ** 36 - 0x1000, pa: 0x4100_0000, bytes: 0x2000 }, 'normal', false)).toBe(
      false,
    );
  });
});
