// Small programs of A64 threads over 32-bit variables, written as assembly: X20, X21, … hold the addresses of the variables.

import { assemble } from '../../src/isa/assembler.ts';
import { aarch64Thread, makeCode } from '../../src/memory-model/aarch64-thread.ts';
import type { MemoryArea, Observable, Program } from '../../src/memory-model/program.ts';
import { explore, type ExploreOptions } from '../../src/explore/explore.ts';
import type { OrderingModel } from '../../src/explore/local-event.ts';
import type { Model } from '../../src/memory-model/execution.ts';

export interface Source {
  /** A thread each; instructions are separated by line ends or semicolons. */
  readonly threads: readonly string[];
  /** By name, in the order of the address registers; 0 where it is not said. */
  readonly variables: Readonly<Record<string, number>>;
  /** `0:X1` or the name of a variable. */
  readonly observed: readonly string[];
  readonly unroll?: number;
  /** Of a variable. */
  readonly bytes?: 4 | 8 | 16;
}

const firstAddress = 0x1_0000n;
const firstCode = 0x100_0000n;
const spacing = 0x1000n;

export function programOf({ threads, variables, observed, unroll, bytes = 4 }: Source): Program {
  const names = Object.keys(variables);
  const addressOf = (name: string): bigint => firstAddress + spacing * BigInt(names.indexOf(name));
  const memory = names.map((name): MemoryArea => {
    const contents = new Uint8Array(bytes);
    new DataView(contents.buffer).setUint32(0, variables[name]!, true);
    return { name, address: addressOf(name), bytes: contents, elementBytes: bytes, isSigned: true };
  });
  const registers = new Map(names.map((name, n) => [`X${20 + n}`, addressOf(name)]));
  return {
    threads: threads.map((source, n) => {
      const base = firstCode + spacing * BigInt(n);
      const assembly = assemble(source.replaceAll(';', '\n'), { base });
      return aarch64Thread(`P${n}`, makeCode(base, assembly.bytes), registers);
    }),
    memory,
    observed: observed.map((text): Observable => {
      const register = /^(\d+):(\w+)$/.exec(text);
      if (register) return { kind: 'register', thread: Number(register[1]), name: register[2]! };
      return { kind: 'memory', address: addressOf(text), bytes: Math.min(bytes, 8) };
    }),
    unroll: unroll ?? 2,
  };
}

export const statesOf = (source: Source, model: OrderingModel | Model, options: ExploreOptions = {}): string[] =>
  statesOfProgram(programOf(source), model, options);

/** The final states as text, sorted: the observed values in hexadecimal without prefix. */
export function statesOfProgram(
  program: Program,
  model: OrderingModel | Model,
  options: ExploreOptions = {},
): string[] {
  const { outcomes } = explore(program, model, options);
  return outcomes.map(({ state }) => state.map((value) => value.toString(16)).join(' ')).sort();
}
