import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allocatePages, allocateRegion, freePage, freeRegion, pageBytes } from '../../src/hypervisor/memory.ts';
import { memoryOnly, ownMemory, vmMemory } from './fixture.ts';

describe('pages of the hypervisor', () => {
  it('are its own, zeroed, aligned to what is asked for, and handed out once', () => {
    const rhyper = memoryOnly();
    const first = allocatePages(rhyper, 1) ?? 0;
    rhyper.memory.bytes.fill(0xff, first, first + pageBytes);
    const four = allocatePages(rhyper, 4) ?? 0;
    const second = allocatePages(rhyper, 1) ?? 0;
    expect(rhyper.state.heapStart % (4 * pageBytes)).not.toBe(0);
    expect(four % (4 * pageBytes)).toBe(0);
    expect(new Set([first, four, second]).size).toBe(3);
    freePage(rhyper, first);
    expect(allocatePages(rhyper, 1)).toBe(first);
    expect(rhyper.memory.bytes.subarray(first, first + pageBytes).every((byte) => byte === 0)).toBe(true);
  });

  it('come to an end', () => {
    const rhyper = memoryOnly();
    let count = 0;
    for (let page = allocatePages(rhyper, 1); page !== undefined; page = allocatePages(rhyper, 1)) {
      expect(page).toBeLessThan(ownMemory.pa + ownMemory.bytes);
      count += 1;
    }
    expect(count).toBe(rhyper.state.heapPages);
  });
});

describe('memory for VMs', () => {
  it('is whole again when everything has come back, in whatever order', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 600 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(sizes, fc.infiniteStream(fc.nat()), (pages, order) => {
        const rhyper = memoryOnly();
        const taken = pages.flatMap((count) => {
          const pa = allocateRegion(rhyper, count * pageBytes);
          return pa === undefined ? [] : [{ pa, bytes: count * pageBytes }];
        });
        const sorted = [...taken].sort((a, b) => a.pa - b.pa);
        sorted.forEach(({ pa, bytes }, n) => {
          expect(pa + bytes).toBeLessThanOrEqual(sorted[n + 1]?.pa ?? vmMemory.pa + vmMemory.bytes);
        });
        while (taken.length > 0) {
          const [piece] = taken.splice(Number(order.next().value) % taken.length, 1);
          if (piece) freeRegion(rhyper, piece.pa, piece.bytes);
        }
        expect(rhyper.state.freeCount).toBe(1);
        expect(rhyper.state.free[0]).toMatchObject(vmMemory);
      }),
      { numRuns: 30 },
    );
  });
});
