// What is known of code that is stepped, and of code that is written over: right for the code that is asked for, and bounded.

import { describe, expect, it } from 'vitest';
import { EarlyWrites } from '../../src/engine/early-writes.ts';
import { EntryTable } from '../../src/engine/entry-table.ts';
import { codeEntryAt, type RuntimeTables } from '../../src/engine/runtime-tables.ts';
import { memoryViews } from '../../src/memory/memory-views.ts';

const tables: RuntimeTables = { decodeCache: 0, stepCache: 0, entryTable: 0, branchSites: 0, directions: 0 };
const threshold = 100;
const pa = 0x4000_0000;
const codeAt = (address: number) => ({ va: BigInt(address), el: 0, strictAlignment: false, guarded: false });
const newTable = (): EntryTable => new EntryTable(memoryViews(new ArrayBuffer(1 << 20)), tables, () => threshold);

/** Other code with the same place in the table. */
const rivals: number[] = [];
for (let at = pa + 4; rivals.length < 2; at += 4) {
  if (codeEntryAt(tables, at) === codeEntryAt(tables, pa)) rivals.push(at);
}

describe('the entry table', () => {
  it('counts how often code has been stepped', () => {
    const table = newTable();
    expect(table.coldRuns(pa, BigInt(pa), 0)).toBe(0);
    expect(table.left(pa, codeAt(pa))).toBe(1 - threshold);
    table.put(pa, codeAt(pa), table.coldCode(pa) + 6);
    expect(table.coldRuns(pa, BigInt(pa), 0)).toBe(7);
    expect(table.coldRuns(pa, BigInt(pa), 1)).toBe(0);
  });

  it('keeps the count of code that loses its place to other code', () => {
    const table = newTable();
    table.put(pa, codeAt(pa), -60);
    for (const rival of rivals) table.put(rival, codeAt(rival), -50);
    expect(table.coldRuns(pa, BigInt(pa), 0)).toBe(threshold - 61);
    expect(table.left(pa, codeAt(pa))).toBe(-60);
    // It has its place back: the count is kept there.
    expect(table.left(pa, codeAt(pa))).toBe(1 - threshold);
  });

  it('forgets the counts of code that lost its place long ago', () => {
    const table = newTable();
    table.put(pa, codeAt(pa), -60);
    for (let n = 1; n <= (1 << 16) + 1; n += 1) {
      const at = pa + 4 * n;
      table.put(at, codeAt(at), -50);
      table.put(at + (1 << 24), codeAt(at + (1 << 24)), -50);
      for (const rival of rivals) table.put(rival, codeAt(rival), -50);
    }
    expect(table.left(pa, codeAt(pa))).toBe(1 - threshold);
  });
});

describe('early writes', () => {
  const line = pa >>> 6;

  it('back off by powers of two, and forget when it has been worth while again', () => {
    const writes = new EarlyWrites();
    for (let n = 1; n <= 20; n += 1) {
      writes.note(line, false);
      expect(writes.backOff(pa)).toBe(Math.min(n, 8));
    }
    for (let n = 1; n <= 10; n += 1) writes.note(line, true);
    expect(writes.backOff(pa)).toBe(0);
  });

  it('are remembered of the last 65,536 lines', () => {
    const writes = new EarlyWrites();
    for (let n = 0; n <= 1 << 16; n += 1) writes.note(line + n, false);
    expect(writes.backOff(pa)).toBe(0);
    expect(writes.backOff(pa + 64)).toBe(1);
  });
});
