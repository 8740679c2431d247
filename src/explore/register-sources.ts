// Where the register of a compare and swap has its value from (Arm DDI 0487, "Intrinsic dependencies" of CAS): one that succeeds has read
// what it expects, so that the value may come from memory or from the register itself, and depend on the reads of the one or of the other.
//
// Which of them it is is a choice. It is put off until it matters: values that come from the register depend on a stand-in for its source
// until they are used as an address or are stored.

import type { TraceElement } from '../engine/trace-state.ts';
import { type Dependencies, dependsOn, type Reads, type TraceValue, union } from '../engine/trace-values.ts';
import { type ChoicePoint, choose } from './choices.ts';
import type { OrderingModel } from './local-event.ts';

/** The two that a value may depend on, and which of them it is once that is decided. */
export interface RegisterSource {
  readonly register: Reads;
  readonly memory: Reads;
  readonly isRegister: boolean | undefined;
}

/** In the place of the reads of the n-th source, and back; reads are numbers from 0. */
const standInOf = (n: number): number => -1 - n;

export const isRead = (readOrStandIn: number): boolean => readOrStandIn >= 0;

const sourceOf = (sources: readonly RegisterSource[], standIn: number): RegisterSource => sources[standInOf(standIn)]!;

/** The sources once those of values are decided that are used where it matters; undefined where one is to be chosen. */
export function decide(
  sources: readonly RegisterSource[],
  values: readonly Dependencies[],
  point: ChoicePoint,
): readonly RegisterSource[] | undefined {
  let decided = sources;
  for (const { deps } of values)
    for (const standIn of deps) {
      if (isRead(standIn) || sourceOf(decided, standIn).isRegister !== undefined) continue;
      const isRegister = choose(point, { kind: 'source of a register', reads: [] });
      if (isRegister === undefined) return undefined;
      decided = decided.with(standInOf(standIn), { ...sourceOf(decided, standIn), isRegister });
    }
  return decided;
}

/** With reads in place of stand-ins; of those that are not decided, the register's. */
export function withReads<T extends Dependencies>(sources: readonly RegisterSource[], value: T): T {
  if (value.deps.every(isRead)) return value;
  const deps = value.deps.map((read) => {
    if (isRead(read)) return [read];
    const { isRegister, register, memory } = sourceOf(sources, read);
    return isRegister === false ? memory : register;
  });
  return { ...value, deps: deps.reduce(union) };
}

/** A compare and swap that has found what it expects, element by element. */
export interface Found {
  readonly expected: readonly TraceValue[];
  readonly elements: readonly TraceElement[];
  /** Of all elements. */
  readonly reads: Reads;
}

/**
 * What its register depends on, and the sources with what is put off of it; undefined where that is to be chosen. Where the register depends
 * on nothing that order is the weaker one.
 */
export function elementsOfRegister(
  sources: readonly RegisterSource[],
  { expected, elements, reads }: Found,
  distinguishesSources: OrderingModel['distinguishesSources'],
  point: ChoicePoint,
): { readonly elements: readonly TraceElement[]; readonly sources: readonly RegisterSource[] } | undefined {
  const dependencies = dependsOn(expected);
  const picked = union(reads, dependencies);
  // One of two dependencies, of which the picks have both: it can be decided later.
  const [register, memory] = [expected[0]!.deps, elements[0]!.deps];
  const isOpen = expected.length === 1 && memory.every((read) => picked.includes(read));
  if (isOpen && distinguishesSources === 'addresses and data' && dependencies.length > 0) {
    const [{ picks, open }] = elements as readonly [TraceElement];
    return {
      elements: [{ deps: [standInOf(sources.length)], picks: union(picks, picked), open }],
      sources: [...sources, { register, memory, isRegister: undefined }],
    };
  }
  const isFree = dependencies.length === 0 || distinguishesSources === 'nowhere';
  const isRegister = choose(point, { kind: 'source of a register', reads: [] }, isFree ? true : undefined);
  if (isRegister === undefined) return undefined;
  const ofRegister = elements.map((read, n) => {
    const { deps, picks } = isRegister ? expected[n]! : read;
    return { deps, picks: union(picks, picked), open: read.open };
  });
  return { elements: ofRegister, sources };
}
