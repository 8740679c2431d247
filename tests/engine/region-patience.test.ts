import { describe, expect, it } from 'vitest';
import { ObservedCode } from '../../src/engine/observed-code.ts';
import { RegionPatience } from '../../src/engine/region-patience.ts';

/** Blocks of so many instructions, each of which has run so often. */
function observed(...blocks: readonly (readonly [instructions: number, times: number])[]): ObservedCode {
  const code = new ObservedCode(4096);
  blocks.forEach(([instructions, times], n) => {
    for (let run = 0; run < times; run += 1) code.note(BigInt(n) << 16n, instructions);
  });
  return code;
}

describe('what has been observed', () => {
  it('is as wide as the instructions that have nine tenths of the runs', () => {
    expect(observed([10, 5]).spread).toBe(9);
    expect(observed([10, 90], [100, 1]).spread).toBe(10);
    expect(observed([10, 80], [200, 1]).spread).toBe(110);
  });
});

describe('a region', () => {
  it('is refused where what runs is spread over more than 256 instructions; the next ones must have asked twice as often', () => {
    const patience = new RegionPatience();
    const [narrow, wide] = [observed([284, 3]), observed([286, 3])];
    expect(patience.asks).toBe(1);
    expect(patience.admits(narrow)).toBe(true);
    expect(patience.asks).toBe(1);
    const asks = Array.from({ length: 7 }, () => {
      expect(patience.admits(wide)).toBe(false);
      return patience.asks;
    });
    expect(asks).toEqual([2, 4, 8, 16, 32, 32, 32]);
    patience.noteRegion();
    expect(patience.asks).toBe(1);
  });

  it('must be asked for twice as often after every four', () => {
    const patience = new RegionPatience();
    const asks = Array.from({ length: 40 }, () => {
      patience.noteRegion();
      return patience.asks;
    });
    expect(asks.slice(0, 9)).toEqual([1, 1, 1, 2, 2, 2, 2, 4, 4]);
    expect(asks.at(-1)).toBe(256);
  });
});
