// The text of the test that asks for a cycle: one column for each thread, and the condition that is fulfilled where the cycle happened.

import { type Cycle, type CycleEvent, layOutCycle } from './cycle.ts';
import { type Edge, readCycle, readEdge } from './edges.ts';
import { nameOf } from './names.ts';

export const sizes = { byte: 1, half: 2, word: 4, quad: 8 } as const;
export type Size = keyof typeof sizes;

const locationNames = ['x', 'y', 'z', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm'];
const locationName = (n: number): string => locationNames[n] ?? `v${n}`;

export interface GeneratedTest {
  readonly name: string;
  readonly text: string;
}

export function generateTest(cycleText: string, size: Size = 'word'): GeneratedTest {
  const edges = readCycle(cycleText);
  const cycle = layOutCycle(edges);
  const name = `${nameOf(cycle)}${size === 'word' ? '' : `+${size}s`}`;
  const threads = Array.from({ length: cycle.threads }, (_, thread) => new ThreadText(cycle, thread, size));
  // The last value alone does not tell the order of three writes or more: an observer reads the others one after the other.
  for (const [location, last] of cycle.finals) {
    if (last > 2) threads.push(new ThreadText(observerOf(location, last, threads.length), threads.length, size));
  }
  const type = `uint${8 * sizes[size]}_t`;
  const declared =
    size === 'word' ? [] : Array.from({ length: cycle.locations }, (_, n) => `${type} ${locationName(n)};`);
  const initial = [declared.join(' '), ...threads.map((thread) => thread.initial())].filter((line) => line !== '');
  const conditions = [
    ...threads.flatMap((thread) => thread.conditions),
    ...[...cycle.finals].map(([location, value]) => `${locationName(location)}=${value}`),
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

/** A thread that sees all values of a location but the last, in their order. */
function observerOf(location: number, last: number, thread: number): Pick<Cycle, 'edges' | 'events'> {
  const edges = Array.from({ length: last - 1 }, (_, n) => readEdge(n < last - 2 ? 'PosRR' : 'Fre'));
  const events = edges.map((_, n): CycleEvent => ({ direction: 'R', annotation: 'P', thread, location, value: n + 1 }));
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

/** Writes the code of a thread, event by event. */
class ThreadText {
  readonly lines: string[] = [];
  readonly conditions: string[] = [];
  readonly #thread: number;
  readonly #size: Size;
  readonly #addresses = new Map<number, string>();
  #registers = 0;
  #labels = 0;

  constructor(cycle: Pick<Cycle, 'edges' | 'events'>, thread: number, size: Size) {
    this.#thread = thread;
    this.#size = size;
    const { edges, events } = cycle;
    /** Of the read that was done last. */
    let result: string | undefined;
    for (let n = 0; n < events.length; n += 1) {
      const event = events[n]!;
      if (event.thread !== thread) continue;
      const into = edges[n - 1];
      const reaching = into !== undefined && !into.isExternal ? into : undefined;
      const out = edges[n]!;
      if (out.what.kind === 'atomic') {
        result = this.#atomic(event, events[n + 1]!, out, reaching, result);
        n += 1;
      } else if (event.direction === 'R') result = this.#read(event, reaching, result);
      else this.#write(event, reaching, result);
    }
  }

  initial(): string {
    return [...this.#addresses]
      .map(([location, register]) => `${this.#thread}:${register}=${locationName(location)};`)
      .join(' ');
  }

  #fresh(): number {
    const register = this.#registers;
    this.#registers += 1;
    return register;
  }

  #address(location: number): string {
    const known = this.#addresses.get(location);
    if (known !== undefined) return known;
    const register = `X${this.#fresh()}`;
    this.#addresses.set(location, register);
    return register;
  }

  get #W(): 'W' | 'X' {
    return this.#size === 'quad' ? 'X' : 'W';
  }

  #mnemonic(stem: string): string {
    return `${stem}${this.#size === 'byte' ? 'B' : this.#size === 'half' ? 'H' : ''}`;
  }

  /** What the edge puts between its events; the register that is 0 and depends on the read, where one is asked for. */
  #between(edge: Edge | undefined, result: string | undefined): string | undefined {
    if (edge === undefined) return undefined;
    const { what } = edge;
    if (what.kind === 'fence') this.lines.push(what.instruction);
    if (what.kind !== 'dependency') return undefined;
    const read = `${this.#W}${result!}`;
    if (what.dependency === 'ctrl' || what.dependency === 'ctrlisb') {
      const label = `LC${this.#thread}${this.#labels}`;
      this.#labels += 1;
      this.lines.push(`CBNZ ${read},${label}`, `${label}:`);
      if (what.dependency === 'ctrlisb') this.lines.push('ISB');
      return undefined;
    }
    const zero = String(this.#fresh());
    this.lines.push(`EOR ${this.#W}${zero},${read},${read}`);
    return zero;
  }

  /** `[Xn]`, or an address that depends on a register that is 0; ordered accesses have no index. */
  #operand(location: number, dependsOn: string | undefined, mayIndex: boolean): string {
    const base = this.#address(location);
    if (dependsOn === undefined) return `[${base}]`;
    const index = this.#size === 'quad' ? `X${dependsOn}` : `W${dependsOn},SXTW`;
    if (mayIndex) return `[${base},${index}]`;
    const sum = `X${this.#fresh()}`;
    this.lines.push(`ADD ${sum},${base},${index}`);
    return `[${sum}]`;
  }

  #read(event: CycleEvent, edge: Edge | undefined, result: string | undefined): string {
    const zero = this.#between(edge, result);
    const { annotation } = event;
    const operand = this.#operand(event.location, zero, annotation === 'P');
    const register = String(this.#fresh());
    const stem = { P: 'LDR', A: 'LDAR', Q: 'LDAPR', X: 'LDXR', L: 'LDR' }[annotation];
    this.lines.push(`${this.#mnemonic(stem)} ${this.#W}${register},${operand}`);
    if (annotation === 'X') this.#storeExclusive('STXR', register, operand);
    this.conditions.push(`${this.#thread}:X${register}=${event.value}`);
    return register;
  }

  #write(event: CycleEvent, edge: Edge | undefined, result: string | undefined): void {
    const zero = this.#between(edge, result);
    const isData = edge?.what.kind === 'dependency' && edge.what.dependency === 'data';
    const { annotation } = event;
    const operand = this.#operand(event.location, isData ? undefined : zero, annotation === 'P');
    const register = this.#value(event.value, isData ? zero : undefined);
    if (annotation === 'X') {
      this.lines.push(`${this.#mnemonic('LDXR')} ${this.#W}${this.#fresh()},${operand}`);
      this.#storeExclusive('STXR', register, operand);
    } else this.lines.push(`${this.#mnemonic(annotation === 'L' ? 'STLR' : 'STR')} ${this.#W}${register},${operand}`);
  }

  /** A register with a number, which may depend on a register that is 0. */
  #value(value: number, dependsOn?: string): string {
    if (dependsOn !== undefined) {
      this.lines.push(`ADD ${this.#W}${dependsOn},${this.#W}${dependsOn},#${value}`);
      return dependsOn;
    }
    const register = String(this.#fresh());
    this.lines.push(`MOV ${this.#W}${register},#${value}`);
    return register;
  }

  /** The cycle happens only where the store was done. */
  #storeExclusive(stem: string, register: string, operand: string): void {
    const status = this.#fresh();
    this.lines.push(`${this.#mnemonic(stem)} W${status},${this.#W}${register},${operand}`);
    this.conditions.push(`${this.#thread}:X${status}=0`);
  }

  #atomic(read: CycleEvent, write: CycleEvent, edge: Edge, into: Edge | undefined, result: string | undefined): string {
    const zero = this.#between(into, result);
    const isData = into?.what.kind === 'dependency' && into.what.dependency === 'data';
    const operand = this.#operand(read.location, isData ? undefined : zero, false);
    const operation = edge.what.kind === 'atomic' ? edge.what.operation : 'Swp';
    const [acquire, release] = [read.annotation === 'A', write.annotation === 'L'];
    const order = `${acquire ? 'A' : ''}${release ? 'L' : ''}`;
    const { value } = operation === 'LdAdd' ? { value: write.value - read.value } : write;
    const source = this.#value(value, isData ? zero : undefined);
    let register: string;
    if (operation === 'Cas') {
      register = this.#value(read.value);
      this.lines.push(`${this.#mnemonic(`CAS${order}`)} ${this.#W}${register},${this.#W}${source},${operand}`);
    } else {
      register = String(this.#fresh());
      if (operation === 'LxSx') {
        this.lines.push(`${this.#mnemonic(acquire ? 'LDAXR' : 'LDXR')} ${this.#W}${register},${operand}`);
        this.#storeExclusive(release ? 'STLXR' : 'STXR', source, operand);
      } else {
        const stem = `${operation === 'Swp' ? 'SWP' : 'LDADD'}${order}`;
        this.lines.push(`${this.#mnemonic(stem)} ${this.#W}${source},${this.#W}${register},${operand}`);
      }
    }
    this.conditions.push(`${this.#thread}:X${register}=${read.value}`);
    return register;
  }
}
