// Which registers of a thread matter at an instruction: those that some way from there reads before it writes them, and those that are looked
// at in the end (Aho, Lam, Sethi, Ullman, "Compilers", 9.2.5 "Live-variable analysis"). What only computes what does not matter reads nothing.
//
// What an instruction reads and writes is what its meaning asks for: it is run once over registers that are 0. The local monitor counts as a
// register. Behind an instruction that may go elsewhere than its own code, everything matters.

import { executeTrace } from '../engine/trace.ts';
import { traceState, type TraceHooks, type TraceMemory, type TraceRead } from '../engine/trace-state.ts';
import { independent, traceValue } from '../engine/trace-values.ts';
import type { Decoded } from '../isa/decoder.ts';
import { observedState } from './observed-state.ts';

/** The name of the local monitor among those of registers. */
export const monitor = 'monitor';

export type RegisterNames = ReadonlySet<string>;

interface Use {
  readonly reads: RegisterNames;
  readonly writes: RegisterNames;
  /** It does nothing but write registers. */
  readonly isPure: boolean;
  /** Places of the instructions that may come next; undefined where that is not known. */
  readonly next: readonly number[] | undefined;
}

const everythingBehind: Use = { reads: new Set(), writes: new Set(), isPure: false, next: undefined };
const instructionBytes = 4;

/** For each instruction of a thread's code, the registers that matter before it; undefined where all of them do. */
export function liveRegisters(
  instructions: readonly (Decoded | undefined)[],
  observed: RegisterNames,
): readonly (RegisterNames | undefined)[] {
  const uses = instructions.map((instruction, at) => (instruction ? useOf(instruction, at) : everythingBehind));
  const live: (Set<string> | undefined)[] = uses.map(() => new Set());
  const at = (place: number): RegisterNames | undefined => (place === live.length ? observed : live[place]);
  for (let hasChanged = true; hasChanged;) {
    hasChanged = false;
    for (let n = uses.length - 1; n >= 0; n -= 1) {
      const own = live[n];
      if (own === undefined) continue;
      const { reads, writes, isPure, next } = uses[n]!;
      const behind = next?.map(at);
      if (behind === undefined || behind.includes(undefined)) {
        live[n] = undefined;
        hasChanged = true;
        continue;
      }
      const before = own.size;
      const isWanted = !isPure || behind.some((names) => [...writes].some((name) => names!.has(name)));
      if (isWanted) for (const name of reads) own.add(name);
      for (const names of behind) for (const name of names!) if (!writes.has(name)) own.add(name);
      if (own.size > before) hasChanged = true;
    }
  }
  return live;
}

function useOf(instruction: Decoded, at: number): Use {
  const [reads, writes] = [new Set<string>(), new Set<string>()];
  const registers = observedState(traceState({ pc: BigInt(instructionBytes * at) }), {
    read: (name, value) => {
      reads.add(name);
      return value;
    },
    write: (name, value) => {
      writes.add(name);
      return value;
    },
  });
  let next: number[] | undefined = [at + 1];
  let isPure = true;
  const noted = <T>(outcome: T): T => {
    isPure = false;
    return outcome;
  };
  const hooks: TraceHooks = {
    report: (event) => {
      isPure = false;
      if (event.event === 'ERET') next = undefined;
      if (event.event !== 'branch') return;
      const target = Number(BigInt.asIntN(64, event.target.bits)) / instructionBytes;
      if (event.kind === 'conditional') next = [at + 1, target];
      else next = event.kind === 'direct' ? [target] : undefined;
    },
    readSystemRegister: () => noted(traceValue(64, 0n)),
    writeSystemRegister: () => noted(undefined),
    systemInstruction: () => noted(undefined),
    systemInstructionWithResult: () => noted(traceValue(64, 0n)),
  };
  const { exception } = executeTrace(instruction, registers, zeroMemory(reads, writes, noted), hooks);
  return exception === undefined ? { reads, writes, isPure, next } : everythingBehind;
}

/** Memory that is 0 everywhere, and tells what becomes of the monitor. */
function zeroMemory(reads: Set<string>, writes: Set<string>, noted: <T>(outcome: T) => T): TraceMemory {
  const zeros = (elements: number): TraceRead =>
    noted({
      bits: Array.from({ length: elements }, () => 0n),
      read: 0,
      elements: Array.from({ length: elements }, () => independent),
    });
  return {
    load: () => zeros(1),
    store: () => noted(undefined),
    loadExclusive: (_, elements) => {
      writes.add(monitor);
      return zeros(elements);
    },
    storeExclusive: () => {
      reads.add(monitor);
      writes.add(monitor);
      return noted(true);
    },
    clearExclusive: () => {
      writes.add(monitor);
      noted(undefined);
    },
    atomic: () => zeros(1),
    compareAndSwap: (_, expected) => zeros(expected.length),
  };
}
