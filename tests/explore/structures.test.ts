// LD1 and ST1 between threads: each element is an access of its own, ordered like any other.

import { describe, expect, it } from 'vitest';
import { builtInModels } from '../../src/explore/explore.ts';
import { type Source, statesOf } from './programs.ts';

const { arm, sc } = builtInModels;

/** Both doublewords of one variable, written together and read together. */
const pair = (write: string, read: string): Source => ({
  threads: [`mov x2, #1; dup v0.2d, x2; ${write}`, `${read}; umov x3, v0.d[0]; umov x4, v0.d[1]`],
  variables: { x: 0 },
  observed: ['1:X3', '1:X4'],
  bytes: 16,
});

/** A message by elements of vectors: X21 is the flag. */
const message = (writer: string, reader: string): Source => ({
  threads: [
    `mov w2, #1; fmov s0, w2; st1 {v0.s}[0], [x20]; ${writer}; st1 {v0.s}[0], [x21]`,
    `ld1 {v1.s}[0], [x21]; umov w5, v1.s[0]; ${reader}; umov w4, v2.s[0]`,
  ],
  variables: { x: 0, y: 0 },
  observed: ['1:X5', '1:X4'],
});

describe('a structure', () => {
  const all = ['0 0', '0 1', '1 0', '1 1'];

  it('is written and read element by element, in any order', () => {
    expect(statesOf(pair('st1 {v0.2d}, [x20]', 'ld1 {v0.2d}, [x20]'), arm)).toEqual(all);
  });

  it('has no order among its elements: they are accesses of one instruction, even under SC', () => {
    const descending = 'ldr x4, [x20, #8]; ldr x3, [x20]; ins v0.d[0], x3; ins v0.d[1], x4';
    expect(statesOf(pair('st1 {v0.2d}, [x20]', 'ld1 {v0.2d}, [x20]'), sc)).toEqual(all);
    expect(statesOf(pair('st1 {v0.2d}, [x20]', descending), sc)).toEqual(all);
    expect(statesOf(pair('str x2, [x20]; str x2, [x20, #8]', descending), sc)).toEqual(['0 0', '1 0', '1 1']);
  });

  it('is ordered by barriers and by dependencies through vector registers', () => {
    const plain = 'ld1 {v2.s}[0], [x20]';
    const dependent = 'eor w6, w5, w5; add x7, x20, w6, uxtw; ld1 {v2.s}[0], [x7]';
    expect(statesOf(message('nop', plain), arm)).toEqual(all);
    expect(statesOf(message('dmb st', plain), arm)).toEqual(all);
    expect(statesOf(message('dmb st', `dmb ld; ${plain}`), arm)).toEqual(['0 0', '0 1', '1 1']);
    expect(statesOf(message('dmb st', dependent), arm)).toEqual(['0 0', '0 1', '1 1']);
    expect(statesOf(message('dmb st', dependent.replace('ld1 {v2.s}[0]', 'ld1r {v2.4s}')), arm)).toEqual([
      '0 0',
      '0 1',
      '1 1',
    ]);
  });
});
