import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Rhyper } from '../../src/hypervisor/context.ts';
import { allocateRegion, pageBytes } from '../../src/hypervisor/memory.ts';
import { createStage2, destroyStage2, mapRange, unmapRange, walkStage2 } from '../../src/hypervisor/stage2.ts';
import type { Vm } from '../../src/hypervisor/state.ts';
import { memoryOnly } from './fixture.ts';

function vmWith(rhyper: Rhyper, id: number): Vm {
  const vm = rhyper.state.vms[id] as Vm;
  vm.id = id;
  vm.stage2Root = createStage2(rhyper) ?? 0;
  return vm;
}

const range = fc.record({
  vm: fc.integer({ min: 0, max: 3 }),
  ipaPage: fc.integer({ min: 0, max: 0xff_ffff }),
  pages: fc.integer({ min: 1, max: 700 }),
  isAligned: fc.boolean(),
});

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

  it('never leads one VM to a page of another, and gives all its pages back', () => {
    fc.assert(
      fc.property(fc.array(range, { minLength: 1, maxLength: 16 }), (ranges) => {
        const rhyper = memoryOnly();
        const bitmap = rhyper.state.heapBitmap.slice();
        const vms = [0, 1, 2, 3].map((id) => vmWith(rhyper, id));
        const pagesOf = vms.map(() => new Set<number>());
        const mapped: { vm: Vm; id: number; ipa: number; bytes: number }[] = [];
        for (const { vm: id, ipaPage, pages, isAligned } of ranges) {
          const bytes = (isAligned ? 512 : pages) * pageBytes;
          const ipa = (isAligned ? ipaPage - (ipaPage % 512) : ipaPage) * pageBytes;
          const isFree = mapped.every((m) => m.id !== id || ipa + bytes <= m.ipa || m.ipa + m.bytes <= ipa);
          if (!isFree || ipa + bytes > 2 ** 36) continue;
          const vm = vms[id] as Vm;
          const wouldSplitBlock = mapped.some(
            (m) =>
              m.id === id &&
              Math.floor(m.ipa / 0x20_0000) <= Math.floor((ipa + bytes) / 0x20_0000) &&
              Math.floor((m.ipa + m.bytes) / 0x20_0000) >= Math.floor(ipa / 0x20_0000),
          );
          const pa = allocateRegion(rhyper, bytes);
          if (wouldSplitBlock || pa === undefined) continue;
          expect(mapRange(rhyper, vm, { ipa, pa, bytes }, 'normal', true)).toBe(true);
          for (let at = pa; at < pa + bytes; at += pageBytes) pagesOf[id]?.add(at);
          mapped.push({ vm, id, ipa, bytes });
        }
        for (const { ipa, bytes } of mapped) {
          for (let at = ipa - pageBytes; at <= ipa + bytes; at += 37 * pageBytes) {
            vms.forEach((vm, id) => {
              const walked = at >= 0 ? walkStage2(rhyper, vm, at) : undefined;
              if (walked) expect(pagesOf[id]?.has(walked.pa)).toBe(true);
            });
          }
        }
        for (const vm of vms) destroyStage2(rhyper, vm);
        expect(rhyper.state.heapBitmap).toEqual(bitmap);
      }),
      { numRuns: 40 },
    );
  });
});
