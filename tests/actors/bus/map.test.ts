import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type BusRegion, makeBusMap } from '../../../actors/bus/map.ts';

/** Regions that do not overlap, with gaps, in any order. */
const layouts = fc
  .array(fc.record({ gap: fc.nat(3), sizeBytes: fc.integer({ min: 1, max: 5 }) }), { maxLength: 12 })
  .chain((parts) => {
    let base = 0;
    const regions: BusRegion[] = parts.map(({ gap, sizeBytes }, actor) => {
      const region = { name: `r${actor}`, base: base + gap, sizeBytes, actor };
      base = region.base + sizeBytes;
      return region;
    });
    return fc.shuffledSubarray(regions, { minLength: regions.length });
  });

test('an address belongs to the region that contains it, and to none in the gaps', () => {
  fc.assert(
    fc.property(layouts, (regions) => {
      const map = makeBusMap(regions);
      for (let pa = 0; pa < 100; pa += 1) {
        const expected = regions.find(({ base, sizeBytes }) => pa >= base && pa < base + sizeBytes);
        expect(map.find(pa)).toBe(expected);
      }
    }),
  );
});

test('addresses beyond 32 bits are not taken for those below', () => {
  const map = makeBusMap([{ name: 'uart', base: 0x0900_0000, sizeBytes: 0x1000, actor: 3 }]);
  expect(map.find(0x0900_0fff)?.actor).toBe(3);
  expect(map.find(2 ** 32 + 0x0900_0000)).toBeUndefined();
});
