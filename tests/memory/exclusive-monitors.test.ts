import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createExclusiveMonitors, type ExclusiveMonitors } from '../../src/memory/exclusive-monitors.ts';
import { memoryViews } from '../../src/memory/memory-views.ts';

const count = 4;
const lineShift = 6;
const monitored = 2;
const beforeMonitored = 4;
const lineMapOffset = 0x1000;
const firstLine = 16;

function monitors(): { monitors: ExclusiveMonitors; bit: (pa: number) => boolean; bitBefore: (pa: number) => boolean } {
  const memory = memoryViews(new SharedArrayBuffer(0x2000));
  return {
    monitors: createExclusiveMonitors(memory, {
      tableOffset: 0,
      lineMapOffset,
      lineShift,
      monitored,
      beforeMonitored,
      count,
    }),
    bit: (pa) => (memory.bytes[lineMapOffset + (pa >>> lineShift)]! & monitored) !== 0,
    bitBefore: (pa) => (memory.bytes[lineMapOffset + (pa >>> lineShift) - 1]! & beforeMonitored) !== 0,
  };
}

describe('the exclusive monitors', () => {
  it('behave as one set of tags, and the line map says which lines, and which next ones, are tagged', () => {
    const pe = fc.nat(count - 1);
    const pa = fc.nat(3 * 64 - 1).map((offset) => firstLine * 64 + offset);
    const sizeBytes = fc.constantFrom(1, 2, 4, 8, 16);
    const step = fc.oneof(
      fc.record({ kind: fc.constant('mark' as const), pe, pa, sizeBytes }),
      fc.record({ kind: fc.constant('clear' as const), pe, pa }),
      fc.record({ kind: fc.constant('stored' as const), pe: fc.integer({ min: -1, max: count - 1 }), pa }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { monitors: m, bit, bitBefore } = monitors();
        const model = new Map<number, { readonly pa: number; readonly sizeBytes: number }>();
        const lineOf = ({ pa: tagged }: { readonly pa: number }): number => tagged >>> lineShift;
        for (const { pe: who, pa: at, ...of } of steps) {
          const line = at >>> lineShift;
          const { kind } = of;
          if (kind === 'mark') {
            m.mark(who, at, of.sizeBytes);
            model.set(who, { pa: at, sizeBytes: of.sizeBytes });
          } else if (kind === 'clear') {
            m.clear(who);
            model.delete(who);
          } else {
            const heard: number[] = [];
            m.stored(who, at, (cleared) => heard.push(cleared));
            const expected = [...model]
              .filter(([other, tag]) => other !== who && lineOf(tag) === line)
              .map(([other]) => other);
            expect(heard.toSorted()).toEqual(expected.toSorted());
            for (const other of expected) model.delete(other);
          }
          for (let l = firstLine; l < firstLine + 3; l++) {
            const isTagged = [...model.values()].some((tag) => lineOf(tag) === l);
            expect(bit(l * 64)).toBe(isTagged);
            expect(bitBefore(l * 64)).toBe(isTagged);
          }
          for (let other = 0; other < count; other++) {
            const tag = model.get(other) ?? { pa: 0, sizeBytes: 0 };
            expect(m.save(other)).toEqual(tag);
            if (tag.pa === 0) continue;
            expect(m.isMarked(other, tag.pa, tag.sizeBytes)).toBe(true);
            expect(m.isMarked(other, tag.pa + 1, tag.sizeBytes)).toBe(false);
            expect(m.isMarked(other, tag.pa, tag.sizeBytes * 2)).toBe(false);
          }
        }
      }),
      { seed: 5 },
    );
  });

  it('are saved and restored as plain data', () => {
    const { monitors: m, bit } = monitors();
    m.mark(1, firstLine * 64, 8);
    const tag = m.save(1);
    m.clear(1);
    expect(bit(firstLine * 64)).toBe(false);
    m.restore(1, tag);
    expect(m.isMarked(1, firstLine * 64, 8)).toBe(true);
    expect(bit(firstLine * 64)).toBe(true);
    m.restore(1, { pa: 0, sizeBytes: 0 });
    expect(bit(firstLine * 64)).toBe(false);
  });
});
