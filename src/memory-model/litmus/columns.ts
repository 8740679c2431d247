// The columns of assembly: a row of names, then rows of cells, each row closed by `;`. A cell holds labels and at most one instruction.

import { endingWords } from './condition.ts';
import type { Column, ColumnLine } from './test.ts';
import { clipped, refuse, type Source } from './text.ts';

interface Cell {
  readonly text: string;
  /** Where it begins in the source. */
  readonly start: number;
}

/** Bounds that no test comes near to. */
const mostThreads = 64;
const mostRows = 10_000;

/** Reads from behind the initial state; the columns, and where the rest begins. */
export function readColumns(source: Source, from: number): { columns: Column[]; end: number } {
  const { rows, end } = readRows(source, from);
  const [names, ...lines] = rows;
  if (names === undefined) throw refuse(source.spot(from), 'the test has no columns');
  const columns = names.map((cell) => readName(source, cell));
  for (const [n, { thread, isHandler, at }] of columns.entries()) {
    if (columns.slice(0, n).some((other) => other.thread === thread && other.isHandler === isHandler)) {
      throw refuse(at, `there are two columns of P${thread}${isHandler ? '.F' : ''}`);
    }
    if (isHandler && !columns.some((other) => other.thread === thread && !other.isHandler)) {
      throw refuse(at, `P${thread}.F handles faults of P${thread}, which is not there`);
    }
  }
  for (const cells of lines) {
    if (cells.length !== columns.length) {
      const at = source.spot(firstVisible(cells[0]!));
      throw refuse(at, `a row of ${cells.length}, but the test has ${columns.length} columns`);
    }
    cells.forEach((cell, n) => columns[n]!.lines.push(...readCell(source, cell)));
  }
  const threads = columns.filter((column) => !column.isHandler).map((column) => column.thread);
  threads.forEach((_, n) => {
    if (!threads.includes(n)) throw refuse(columns[0]!.at, `P${n} is missing: threads are numbered from 0`);
  });
  return { columns, end };
}

const firstVisible = ({ text, start }: Cell): number => start + Math.max(0, text.search(/\S/));

/** The rows up to a word that ends them, or the end of the text. */
function readRows(source: Source, from: number): { rows: Cell[][]; end: number } {
  const { text } = source;
  const rows: Cell[][] = [];
  let at = from;
  for (;;) {
    const rest = /\s*([~(]|\w+)?/y;
    rest.lastIndex = at;
    const word = rest.exec(text)?.[1];
    if (word !== undefined && endingWords.has(word)) return { rows, end: at };
    if (rest.lastIndex >= text.length && word === undefined) return { rows, end: at };
    if (rows.length > mostRows) throw refuse(source.spot(at), `more than ${mostRows} rows`);
    const close = text.indexOf(';', at);
    if (close < 0) throw refuse(source.spot(rest.lastIndex - (word?.length ?? 0)), 'the row is not closed by ";"');
    rows.push(readRow(text.slice(at, close), at));
    at = close + 1;
  }
}

function readRow(text: string, start: number): Cell[] {
  const cells: Cell[] = [];
  let at = start;
  for (const part of text.split('|')) {
    cells.push({ text: part, start: at });
    at += part.length + 1;
  }
  return cells;
}

function readName(source: Source, cell: Cell): Column & { lines: ColumnLine[] } {
  const at = source.spot(firstVisible(cell));
  const name = cell.text.trim();
  const [, digits, handler] = /^P(\d{1,4})(\.F)?$/.exec(name) ?? [];
  if (digits === undefined)
    throw refuse(at, `expected the name of a thread, such as P0 or P0.F, not "${clipped(name)}"`);
  const thread = Number(digits);
  if (thread >= mostThreads) throw refuse(at, `thread ${thread}, but a test has at most ${mostThreads}`);
  return { thread, isHandler: handler !== undefined, at, lines: [] };
}

function readCell(source: Source, cell: Cell): ColumnLine[] {
  const lines: ColumnLine[] = [];
  const label = /\s*([A-Za-z_.][\w.$]*)\s*:/y;
  let at = 0;
  for (;;) {
    label.lastIndex = at;
    const match = label.exec(cell.text);
    if (match === null) break;
    const name = match[1]!;
    lines.push({ kind: 'label', name, at: source.spot(cell.start + at + match[0].indexOf(name)) });
    at = label.lastIndex;
  }
  const text = cell.text.slice(at);
  if (text.trim() === '') return lines;
  const start = cell.start + at + text.search(/\S/);
  return [...lines, { kind: 'instruction', text: text.trim().replace(/\s+/g, ' '), at: source.spot(start) }];
}
