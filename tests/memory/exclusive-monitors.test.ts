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
  it('behave as one set of tagged lines, and the line map says which lines, and which next ones, are tagged', () => {
    const pe = fc.nat(count - 1);
    const pa = fc.nat(3 * 64 - 1).map((offset) => firstLine * 64 + offset);
    const step = fc.oneof(
      fc.record({ kind: fc.constant('mark' as const), pe, pa }),
      fc.record({ kind: fc.constant('clear' as const), pe, pa }),
      fc.record({ kind: fc.constant('stored' as const), pe: fc.integer({ min: -1, max: count - 1 }), pa }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { monitors: m, bit, bitBefore } = monitors();
        const model = new Map<number, number>();
        for (const { kind, pe: who, pa: at } of steps) {
          const line = at >>> lineShift;
          if (kind === 'mark') {
            m.mark(who, at);
            model.set(who, line);
          } else if (kind === 'clear') {
            m.clear(who);
            model.delete(who);
          } else {
            const heard: number[] = [];
            m.stored(who, at, (cleared) => heard.push(cleared));
            const expected = [...model].filter(([other, tag]) => other !== who && tag === line).map(([other]) => other);
            expect(heard.toSorted()).toEqual(expected.toSorted());
            for (const other of expected) model.delete(other);
          }
          for (let l = firstLine; l < firstLine + 3; l++) {
            for (let other = 0; other < count; other++) {
              expect(m.isMarked(other, l * 64)).toBe(model.get(other) === l);
            }
            expect(bit(l * 64)).toBe([...model.values()].includes(l));
            expect(bitBefore(l * 64)).toBe([...model.values()].includes(l));
          }
        }
      }),
      { seed: 5 },
    );
  });

  it('are saved and restored as a number', () => {
    const { monitors: m, bit } = monitors();
    m.mark(1, firstLine * 64);
    const tag = m.save(1);
    m.clear(1);
    expect(bit(firstLine * 64)).toBe(false);
    m.restore(1, tag);
    expect(m.isMarked(1, firstLine * 64)).toBe(true);
    expect(bit(firstLine * 64)).toBe(true);
    m.restore(1, 0);
    expect(bit(firstLine * 64)).toBe(false);
  });
});
