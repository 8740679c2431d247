// The text of the test that asks for a cycle: one column for each thread, and the condition that is fulfilled where the cycle happened.

import { type Cycle, type CycleEvent, type CycleLocation, layOutCycle } from './cycle.ts';
import { readCycle, readEdge } from './edges.ts';
import { nameOf } from './names.ts';
import { locationName, spelled, type ThreadEvents, ThreadText } from './thread-text.ts';

/** Of every access that does not say which part of its location it is. */
export const sizes = { byte: 1, half: 2, word: 4, quad: 8 } as const;
export type Size = keyof typeof sizes;

export interface GeneratedTest {
  readonly name: string;
  readonly text: string;
}

export function generateTest(cycleText: string, size: Size = 'word'): GeneratedTest {
  const edges = readCycle(cycleText);
  const cycle = layOutCycle(edges, sizes[size]);
  const name = `${nameOf(cycle)}${size === 'word' ? '' : `+${size}s`}`;
  const threads = Array.from({ length: cycle.threads }, (_, thread) => new ThreadText(cycle, thread));
  // Where the last value does not tell the order of the writes, an observer reads the others one after the other.
  for (const location of cycle.finals.keys()) {
    if (!cycle.locations[location]!.tellsOrder)
      threads.push(new ThreadText(observerOf(location, cycle, threads.length), threads.length));
  }
  const declared = cycle.locations.flatMap(({ bytes }, n) => declaration(bytes, n, size));
  const initial = [declared.join(' '), ...threads.map((thread) => thread.initial())].filter((line) => line !== '');
  const conditions = [
    ...threads.flatMap((thread) => thread.conditions),
    ...[...cycle.finals].map(([location, value]) => `${locationName(location)}=${spelled(value)}`),
  ];
  const text = `AArch64 ${name}
"${edges.map((edge) => edge.text).join(' ')}"
Cycle=${cycle.edges.map((edge) => edge.text).join(' ')}
Generator=heddle litmus gen
{
${initial.map((line) => ` ${line}`).join('\n')}
}
${columns(threads)}
exists (${conditions.join(' /\\ ')})
`;
  return { name, text };
}

/** What has no type is a word. */
const declaration = (bytes: CycleLocation['bytes'], location: number, size: Size): string[] =>
  bytes === 4 && size === 'word' ? [] : [`uint${8 * bytes}_t ${locationName(location)};`];

/** A thread that sees all that a location holds after a write but the last, in their order. */
function observerOf(location: number, { locations }: Cycle, thread: number): ThreadEvents {
  const { bytes, contents } = locations[location]!;
  const edges = contents.slice(1).map((_, n) => readEdge(n < contents.length - 2 ? 'PosRR' : 'Fre'));
  const part = { bytes, offset: 0 };
  const events = edges.map((_, n): CycleEvent => ({
    direction: 'R',
    annotation: 'P',
    part,
    thread,
    location,
    value: contents[n]!,
  }));
  return { edges, events };
}

function columns(threads: readonly ThreadText[]): string {
  const rows = Math.max(...threads.map(({ lines }) => lines.length));
  const widths = threads.map(({ lines }) => Math.max(2, ...lines.map((line) => line.length)));
  const row = (cells: readonly string[]): string => ` ${cells.map((cell, n) => cell.padEnd(widths[n]!)).join(' | ')} ;`;
  return [
    row(threads.map((_, n) => `P${n}`)),
    ...Array.from({ length: rows }, (_, n) => row(threads.map(({ lines }) => lines[n] ?? ''))),
  ].join('\n');
}
