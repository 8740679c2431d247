// Published concurrent algorithms as A64 assembly: a source for each thread, shared memory, and what has to hold at the end.
//
// `<strong|weak>` in a source is a place where the algorithm needs `strong`; with the weak word in one such place, and the strong ones in
// all others, a run has to fail: so the examples say of each barrier that it is needed, and the explorer has to find why.

import { explore, type Exploration } from '../../../src/explore/explore.ts';
import type { OrderingModel } from '../../../src/explore/local-event.ts';
import { assemble } from '../../../src/isa/assembler.ts';
import { aarch64Thread, makeCode } from '../../../src/memory-model/aarch64-thread.ts';
import type { MemoryArea, Observable, Program } from '../../../src/memory-model/program.ts';

/** Doublewords: numbers, or `&name` for the address of a variable. */
export type Words = readonly (number | string)[];

export interface Example {
  readonly name: string;
  /** One for each thread. X20, X21, … hold the addresses of the shared variables in their order. */
  readonly threads: readonly string[];
  readonly shared: Readonly<Record<string, Words>>;
  /** `0:X1`, or the first doubleword of a variable. */
  readonly observed: readonly string[];
  /** Of the observed values, and the addresses of variables by their names. */
  readonly holds: (values: Readonly<Record<string, number>>, address: (name: string) => number) => boolean;
  /** Of loops that do not only wait. */
  readonly unroll?: number;
}

const firstAddress = 0x1_0000;
const firstCode = 0x100_0000n;
const spacing = 0x1000;

const place = /<([^|<>]*)\|([^|<>]*)>/g;

/** The places where a source can be weakened, in all threads: what is written there, strong and weak. */
export function placesOf({ threads }: Example): { readonly strong: string; readonly weak: string }[] {
  return [...threads.join('\n').matchAll(place)].map(([, strong, weak]) => ({ strong: strong!, weak: weak! }));
}

function addressIn(example: Example, name: string): number {
  return firstAddress + spacing * Object.keys(example.shared).indexOf(name);
}

/** The program, with the weak word in one place if it is given. */
function programOf(example: Example, weakPlace?: number): Program {
  let places = 0;
  const sources = example.threads.map((source) =>
    source.replace(place, (_, strong: string, weak: string) => (places++ === weakPlace ? weak : strong)),
  );
  const names = Object.keys(example.shared);
  const memory = names.map((name): MemoryArea => {
    const words = example.shared[name]!;
    const bytes = new Uint8Array(8 * words.length);
    const view = new DataView(bytes.buffer);
    words.forEach((word, n) => {
      const value = typeof word === 'number' ? word : addressIn(example, word.slice(1));
      view.setBigUint64(8 * n, BigInt(value), true);
    });
    return { name, address: BigInt(addressIn(example, name)), bytes, elementBytes: 8, isSigned: false };
  });
  const registers = new Map(names.map((name, n) => [`X${20 + n}`, BigInt(addressIn(example, name))]));
  const observed = example.observed.map((text): Observable => {
    const register = /^(\d+):(\w+)$/.exec(text);
    if (register) return { kind: 'register', thread: Number(register[1]), name: register[2]! };
    return { kind: 'memory', address: BigInt(addressIn(example, text)), bytes: 8 };
  });
  return {
    threads: sources.map((source, n) => {
      const base = firstCode + BigInt(spacing * n);
      const own = observed.flatMap((one) => (one.kind === 'register' && one.thread === n ? [one.name] : []));
      const code = makeCode(base, assemble(source, { base, file: example.name }).bytes);
      return aarch64Thread(`P${n}`, code, registers, { observed: new Set(own) });
    }),
    memory,
    observed,
    unroll: example.unroll ?? 2,
  };
}

export interface Result extends Exploration {
  /** Final states that must not be, as text. */
  readonly failures: readonly string[];
}

export function run(example: Example, model: OrderingModel, weakPlace?: number): Result {
  const exploration = explore(programOf(example, weakPlace), model, { witnesses: weakPlace !== undefined });
  const failures = exploration.outcomes.flatMap(({ state }) => {
    const values = Object.fromEntries(example.observed.map((name, n) => [name, Number(state[n])]));
    return example.holds(values, (name) => addressIn(example, name)) ? [] : [JSON.stringify(values)];
  });
  return { ...exploration, failures };
}
