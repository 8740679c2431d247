import { describe, expect, it } from 'vitest';
import { array, nested, record, several, text } from '../../src/hypervisor/records.ts';
import { memoryViews } from '../../src/memory/memory-views.ts';

const inner = record({ a: 'u8', b: 'u64' });
const layout = record({
  tiny: 'u8',
  small: 'u16',
  word: 'u32',
  big: 'u64',
  where: 'address',
  name: text(8),
  list: array('u32', 3),
  one: nested(inner),
  many: several(inner, 2),
});

describe('a record', () => {
  it('has its fields in order, each aligned to its size', () => {
    expect(layout.offsets).toEqual({
      tiny: 0,
      small: 2,
      word: 4,
      big: 8,
      where: 16,
      name: 24,
      list: 32,
      one: 48,
      many: 64,
    });
    expect(layout.sizeBytes).toBe(96);
    expect(inner.sizeBytes).toBe(16);
  });

  it('keeps every field in memory and nowhere else', () => {
    const views = memoryViews(new ArrayBuffer(256));
    const first = layout.at(views, 64);
    first.tiny = 0x1ff;
    first.small = 0xabcd;
    first.word = 0xffff_ffff;
    first.big = 0xfedc_ba98_7654_3210n;
    first.where = 0x1_2345_6789;
    first.name = 'heddle and more';
    first.list[2] = 7;
    first.one.b = 1n;
    const last = first.many[1];
    if (last) last.a = 9;

    const copy = memoryViews(views.bytes.slice().buffer);
    const second = layout.at(copy, 64);
    expect(JSON.parse(JSON.stringify(second, (_, v: unknown) => (typeof v === 'bigint' ? v.toString(16) : v)))).toEqual(
      {
        tiny: 0xff,
        small: 0xabcd,
        word: 0xffff_ffff,
        big: 'fedcba9876543210',
        where: 0x1_2345_6789,
        name: 'heddle a',
        list: { 0: 0, 1: 0, 2: 7 },
        one: { a: 0, b: '1' },
        many: [
          { a: 0, b: '0' },
          { a: 9, b: '0' },
        ],
      },
    );
    expect(views.bytes.subarray(0, 64).every((byte) => byte === 0)).toBe(true);
    expect(views.bytes.subarray(160).every((byte) => byte === 0)).toBe(true);
  });
});
