// The mappings of an address space against the simplest model of them: what each page is.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anonymous } from '../../src/linux-abi/address-space.ts';
import { mmapTop, pageBytes } from '../../src/linux-abi/limits.ts';
import {
  cutOut,
  findRoom,
  insertMapping,
  isFree,
  isMapped,
  mappingAt,
  protectMappings,
  removeMappings,
} from '../../src/linux-abi/mappings.ts';
import type { AddressSpace } from '../../src/linux-abi/state.ts';

const base = 0x10_0000;
const pages = 32;
const at = (page: number): number => base + page * pageBytes;

const emptySpace = (): AddressSpace => ({
  root: 0,
  asid: 1,
  mappings: [],
  tables: [],
  cores: new Set(),
  stackBytes: 0,
  breakStart: 0,
  breakEnd: 0,
  users: 1,
  flushes: 0,
});

interface Step {
  readonly kind: 'map' | 'unmap' | 'protect';
  readonly first: number;
  readonly length: number;
  readonly protection: number;
}

const step = fc.record<Step>({
  kind: fc.constantFrom('map', 'unmap', 'protect'),
  first: fc.nat(pages - 1),
  length: fc.integer({ min: 1, max: 8 }),
  protection: fc.constantFrom(0, 1, 3, 5),
});

/** After this protection the two pages are like each other, and like what follows. */
const threeAlike: readonly Step[] = [
  { kind: 'map', first: 0, length: 3, protection: 0 },
  { kind: 'map', first: 0, length: 1, protection: 1 },
  { kind: 'protect', first: 0, length: 2, protection: 0 },
];

describe('the mappings of an address space', () => {
  it('are sorted, do not overlap, are joined where they are alike, and say of every page what was asked last', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const space = emptySpace();
        const model: (number | undefined)[] = Array.from({ length: pages }, () => undefined);
        for (const { kind, first, length, protection } of steps) {
          const last = Math.min(first + length, pages);
          const [start, end] = [at(first), at(last)];
          if (kind === 'protect') {
            if (!isMapped(space, start, end)) continue;
            protectMappings(space, cutOut(space, start, end), protection);
          } else {
            removeMappings(space, cutOut(space, start, end));
            if (kind === 'map') insertMapping(space, anonymous(start, end, protection));
          }
          model.fill(kind === 'unmap' ? undefined : protection, first, last);
        }
        expect(Array.from({ length: pages }, (_, n) => mappingAt(space, at(n) + 5)?.protection)).toEqual(model);
        for (const [n, { start, end, protection }] of space.mappings.entries()) {
          const next = space.mappings[n + 1];
          expect(start).toBeLessThan(end);
          if (next) expect(end < next.start || (end === next.start && protection !== next.protection)).toBe(true);
        }
      }),
      { examples: [[[...threeAlike]]] },
    );
  });

  it('have room at the highest place that is free', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(40), fc.integer({ min: 1, max: 6 })), { maxLength: 12 }),
        fc.integer({ min: 1, max: 8 }),
        (taken, wanted) => {
          const space = emptySpace();
          for (const [below, length] of taken) {
            const start = mmapTop - (below + length) * pageBytes;
            if (isFree(space, start, start + length * pageBytes))
              insertMapping(space, anonymous(start, start + length * pageBytes, 3));
          }
          const found = findRoom(space, wanted * pageBytes);
          let expected = mmapTop - wanted * pageBytes;
          while (!isFree(space, expected, expected + wanted * pageBytes)) expected -= pageBytes;
          expect(found).toBe(expected);
        },
      ),
    );
  });
});
