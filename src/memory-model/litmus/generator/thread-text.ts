// The code of one thread of a test, event by event, with what its registers hold at first and what they are asked for in the end.

import type { Annotation, Part } from './accesses.ts';
import type { Cycle, CycleEvent } from './cycle.ts';
import type { Edge } from './edges.ts';

const locationNames = ['x', 'y', 'z', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm'];
export const locationName = (n: number): string => locationNames[n] ?? `v${n}`;

/** The events that a thread belongs to. */
export type ThreadEvents = Pick<Cycle, 'edges' | 'events'>;

/** What has been read: its register, and how many bytes. */
interface Result {
  readonly register: string;
  readonly bytes: number;
}

/** The largest number that MOV writes into any register. */
const widestImmediate = 0xffffn;
/** The largest number that ADD adds. */
const widestAddend = 0xfffn;

/** What has no type is an int. */
const largestInt = 0x7fff_ffffn;

/** Numbers of more digits are easier to read by their bytes. */
export const spelled = (value: bigint): string => (value > widestImmediate ? `0x${value.toString(16)}` : String(value));

const W = (bytes: number): 'W' | 'X' => (bytes === 8 ? 'X' : 'W');
const sized = (stem: string, bytes: number): string => `${stem}${bytes === 1 ? 'B' : bytes === 2 ? 'H' : ''}`;

const loads: Readonly<Record<Annotation, string>> = {
  P: 'LDR', A: 'LDAR', Q: 'LDAPR', L: 'LDR', X: 'LDXR', XL: 'LDXR', XA: 'LDAXR', XAL: 'LDAXR',
}; // prettier-ignore

const isExclusive = (annotation: Annotation): boolean => annotation.startsWith('X');
const storeExclusiveOf = (annotation: Annotation): string => (annotation.endsWith('L') ? 'STLXR' : 'STXR');

export class ThreadText {
  readonly lines: string[] = [];
  readonly conditions: string[] = [];
  readonly #thread: number;
  readonly #addresses = new Map<number, string>();
  /** Of registers that hold numbers at first, or hold doublewords in the end. */
  readonly #declared: string[] = [];
  #registers = 0;
  #labels = 0;

  constructor({ edges, events }: ThreadEvents, thread: number) {
    this.#thread = thread;
    for (const event of events)
      if (event.thread === thread && event.stored !== undefined)
        this.#store({ ...event, annotation: 'P', value: event.stored }, undefined, undefined);
    /** Of the read that was done last. */
    let result: Result | undefined;
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
      else this.#store(event, reaching, result);
    }
  }

  initial(): string {
    return [
      ...[...this.#addresses].map(([location, register]) => `${this.#thread}:${register}=${locationName(location)};`),
      ...this.#declared,
    ].join(' ');
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

  /** What the edge puts between its events; the register that is 0 and depends on the read, where one is asked for. */
  #between(edge: Edge | undefined, result: Result | undefined): string | undefined {
    if (edge === undefined) return undefined;
    const { what } = edge;
    if (what.kind === 'fence') this.lines.push(what.instruction);
    if (what.kind !== 'dependency') return undefined;
    const { dependency, isCsel } = what;
    const isControl = dependency === 'ctrl' || dependency === 'ctrlisb';
    const width = W(result!.bytes);
    const read = isCsel ? this.#selected(result!) : result!.register;
    if (!isControl) return isCsel ? read : this.#zero(result!);
    const label = `LC${this.#thread}${this.#labels}`;
    this.#labels += 1;
    this.lines.push(`CBNZ ${width}${read},${label}`, `${label}:`);
    if (dependency === 'ctrlisb') this.lines.push('ISB');
    return undefined;
  }

  #zero({ register, bytes }: Result): string {
    const zero = String(this.#fresh());
    const read = `${W(bytes)}${register}`;
    this.lines.push(`EOR ${W(bytes)}${zero},${read},${read}`);
    return zero;
  }

  /** Zero whichever way the selection goes, which depends on what was read. */
  #selected({ register, bytes }: Result): string {
    const zero = String(this.#fresh());
    const width = W(bytes);
    this.lines.push(`CMP ${width}${register},#0`, `CSEL ${width}${zero},${width}ZR,${width}ZR,EQ`);
    return zero;
  }

  /** `[Xn]`, or an address that depends on a register that is 0; ordered accesses have neither index nor offset. */
  #operand({ location, part }: CycleEvent, dependsOn: Dependency | undefined, mayIndex: boolean): string {
    const base = this.#address(location);
    const { offset } = part;
    if (dependsOn === undefined) {
      if (offset === 0) return `[${base}]`;
      if (mayIndex) return `[${base},#${offset}]`;
      const moved = `X${this.#fresh()}`;
      this.lines.push(`ADD ${moved},${base},#${offset}`);
      return `[${moved}]`;
    }
    const { zero, bytes } = dependsOn;
    if (offset !== 0) this.lines.push(`ADD ${W(bytes)}${zero},${W(bytes)}${zero},#${offset}`);
    const index = bytes === 8 ? `X${zero}` : `W${zero},SXTW`;
    if (mayIndex) return `[${base},${index}]`;
    const sum = `X${this.#fresh()}`;
    this.lines.push(`ADD ${sum},${base},${index}`);
    return `[${sum}]`;
  }

  /** The end of a dependency on data, or on an address. */
  #dependency(edge: Edge | undefined, result: Result | undefined): { data?: string; address?: Dependency } {
    const zero = this.#between(edge, result);
    if (zero === undefined) return {};
    const isData = edge?.what.kind === 'dependency' && edge.what.dependency === 'data';
    return isData ? { data: zero } : { address: { zero, bytes: result!.bytes } };
  }

  #read(event: CycleEvent, edge: Edge | undefined, result: Result | undefined): Result {
    const { address } = this.#dependency(edge, result);
    const { annotation, part } = event;
    const operand = this.#operand(event, address, annotation === 'P');
    const register = String(this.#fresh());
    this.lines.push(`${sized(loads[annotation], part.bytes)} ${W(part.bytes)}${register},${operand}`);
    if (isExclusive(annotation)) this.#storeExclusive(storeExclusiveOf(annotation), part, register, operand);
    return this.#expect(register, event);
  }

  #expect(register: string, { part, value }: CycleEvent): Result {
    if (value > largestInt) this.#declared.push(`uint64_t ${this.#thread}:X${register};`);
    this.conditions.push(`${this.#thread}:X${register}=${spelled(value)}`);
    return { register, bytes: part.bytes };
  }

  #store(event: CycleEvent, edge: Edge | undefined, result: Result | undefined): void {
    const { data, address } = this.#dependency(edge, result);
    const { annotation, part, value } = event;
    const operand = this.#operand(event, address, annotation === 'P');
    const register = this.#value(value, part, data);
    const source = `${W(part.bytes)}${register}`;
    if (isExclusive(annotation)) {
      this.lines.push(`${sized(loads[annotation], part.bytes)} ${W(part.bytes)}${this.#fresh()},${operand}`);
      this.#storeExclusive(storeExclusiveOf(annotation), part, register, operand);
    } else this.lines.push(`${sized(annotation === 'L' ? 'STLR' : 'STR', part.bytes)} ${source},${operand}`);
  }

  /** A register with a number, which may depend on a register that is 0. */
  #value(value: bigint, { bytes }: Pick<Part, 'bytes'>, dependsOn?: string): string {
    if (dependsOn !== undefined) {
      const sum = `${W(bytes)}${dependsOn}`;
      const addend = value > widestAddend ? `${W(bytes)}${this.#value(value, { bytes })}` : `#${value}`;
      this.lines.push(`ADD ${sum},${sum},${addend}`);
      return dependsOn;
    }
    const register = String(this.#fresh());
    if (value > widestImmediate) this.#declared.push(`uint64_t ${this.#thread}:X${register}=${spelled(value)};`);
    else this.lines.push(`MOV ${W(bytes)}${register},#${value}`);
    return register;
  }

  /** The cycle happens only where the store was done. */
  #storeExclusive(stem: string, { bytes }: Part, register: string, operand: string): void {
    const status = this.#fresh();
    this.lines.push(`${sized(stem, bytes)} W${status},${W(bytes)}${register},${operand}`);
    this.conditions.push(`${this.#thread}:X${status}=0`);
  }

  #atomic(
    read: CycleEvent,
    write: CycleEvent,
    edge: Edge,
    into: Edge | undefined,
    result: Result | undefined,
  ): Result | undefined {
    const { data, address } = this.#dependency(into, result);
    const { part } = read;
    const operand = this.#operand(read, address, false);
    const operation = edge.what.kind === 'atomic' ? edge.what.operation : 'Swp';
    const [acquire, release] = [read.annotation === 'A', write.annotation === 'L'];
    const order = `${acquire ? 'A' : ''}${release ? 'L' : ''}`;
    const source = this.#value(write.operand ?? write.value, part, data);
    const given = `${W(part.bytes)}${source}`;
    const mnemonic = sized(`${operation.toUpperCase()}${order}`, part.bytes);
    if (operation.startsWith('St')) {
      this.lines.push(`${mnemonic} ${given},${operand}`);
      return undefined;
    }
    let register: string;
    if (operation === 'Cas') {
      register = this.#value(read.value, part);
      this.lines.push(`${mnemonic} ${W(part.bytes)}${register},${given},${operand}`);
    } else {
      register = String(this.#fresh());
      const taken = `${W(part.bytes)}${register}`;
      if (operation === 'LxSx') {
        this.lines.push(`${sized(acquire ? 'LDAXR' : 'LDXR', part.bytes)} ${taken},${operand}`);
        this.#storeExclusive(release ? 'STLXR' : 'STXR', part, source, operand);
      } else this.lines.push(`${mnemonic} ${given},${taken},${operand}`);
    }
    return this.#expect(register, read);
  }
}

/** A register that is 0 and depends on a read of so many bytes. */
interface Dependency {
  readonly zero: string;
  readonly bytes: number;
}
