import { describe, expect, it } from 'vitest';
import { dmaEngine, virtioSlot } from '../../src/board/memory-map.ts';
import { mpidrOf, resolveBoard } from '../../src/board/virt.ts';
import { refusal } from './refusal.ts';
import type { BoardOptions } from '../../src/board/virt.ts';

const good: BoardOptions = {
  cores: 4,
  memoryBytes: 0x2000_0000,
  gicVersion: 3,
  virtualization: true,
  secure: false,
};
const resolve = (options: Partial<BoardOptions>) => resolveBoard({ ...good, ...options });
const refused = (options: Partial<BoardOptions>) => refusal(() => resolve(options));

describe('the virt board', () => {
  it('numbers 16 cores in Aff0 and goes on in Aff1', () => {
    expect([0, 1, 15, 16, 31, 255, 256, 1023].map(mpidrOf)).toEqual([
      0x8000_0000, 0x8000_0001, 0x8000_000f, 0x8000_0100, 0x8000_010f, 0x8000_0f0f, 0x8000_1000, 0x8000_3f0f,
    ]);
  });

  it('has room for 123 redistributors below RAM and puts the others at 256 GiB', () => {
    expect(resolve({ cores: 123 }).redistributorRegions).toEqual([{ base: 0x080a_0000, sizeBytes: 0x00f6_0000 }]);
    const { cores, redistributorRegions } = resolve({ cores: 1024 });
    expect(redistributorRegions[1]).toEqual({ base: 0x40_0000_0000, sizeBytes: 0x800_0000 });
    expect(resolve({ cores: 124 }).redistributorRegions[1]?.sizeBytes).toBe(0x400_0000);
    expect(resolve({ cores: 635 }).redistributorRegions[1]?.sizeBytes).toBe(0x400_0000);
    expect([0, 1, 122, 123, 1023].map((n) => cores[n]!.redistributorBase)).toEqual([
      0x080a_0000, 0x080c_0000, 0x08fe_0000, 0x40_0000_0000, 0x40_0708_0000,
    ]);
  });

  it('gives each virtio slot an address, an interrupt and a stream of its own', () => {
    expect(virtioSlot(0)).toEqual({ base: 0x0a00_0000, sizeBytes: 0x200, spi: 16, streamId: 0x20 });
    expect(virtioSlot(31)).toEqual({ base: 0x0a00_3e00, sizeBytes: 0x200, spi: 47, streamId: 0x3f });
  });

  it('gives each DMA engine an address, an interrupt and a StreamID of its own', () => {
    expect(dmaEngine(0)).toEqual({ base: 0x090c_0000, sizeBytes: 0x1000, spi: 10, streamId: 1 });
    expect(dmaEngine(3)).toEqual({ base: 0x090c_3000, sizeBytes: 0x1000, spi: 13, streamId: 4 });
  });

  it('refuses what it cannot be', () => {
    expect(refused({ cores: 0 })).toBe('the board has from 1 to 1024 cores, not 0');
    expect(refused({ cores: 1025 })).toBe('the board has from 1 to 1024 cores, not 1025');
    expect(refused({ cores: 1.5 })).toBe('the board has from 1 to 1024 cores, not 1.5');
    expect(refused({ memoryBytes: 0xc010_0000 })).toBe('the board has from 1M to 3G of RAM, not 3222274048 bytes');
    expect(refused({ memoryBytes: 0x10_0001 })).toBe(
      "the board's RAM is a whole number of MiB, which 1048577 bytes are not",
    );
    expect(refused({ gicVersion: 2, cores: 9 })).toBe('a GIC of version 2 serves at most 8 cores, not 9');
    expect(refused({ gicVersion: 5 })).toBe('there is no GIC version 5 on this board');
    expect(refused({ cpu: 'cortex-a53' })).toBe('the core "cortex-a53" is not supported yet');
    expect(refused({ dmaEngines: 5 })).toBe('the board has from 0 to 4 DMA engines, not 5');
    expect(refused({ virtioSlots: [32] })).toBe('the board has virtio slots 0 to 31, not 32');
  });
});
