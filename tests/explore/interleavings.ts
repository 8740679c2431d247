// Sequential consistency by its definition (Lamport, "How to make a multiprocessor computer that correctly executes multiprocess programs",
// 1979): every interleaving of the threads' instructions over one memory, one after the other. The slow twin of the explorer.

import type { Program, ThreadState } from '../../src/memory-model/program.ts';
import { windowMemory } from '../engine/trace-machine.ts';
import { silentHooks } from '../memory-model/silent-hooks.ts';

/** The final states; instructions must access memory once at most, and exclusives not at all. */
export function interleavings(program: Program): Set<string> {
  const first = program.memory.reduce((least, { address }) => (address < least ? address : least), 1n << 60n);
  const end = program.memory.reduce((most, { address, bytes }) => {
    const past = address + BigInt(bytes.length);
    return past > most ? past : most;
  }, 0n);
  const initial = new Uint8Array(Number(end - first));
  for (const { address, bytes } of program.memory) initial.set(bytes, Number(address - first));
  const found = new Set<string>();

  const read = (memory: Uint8Array, address: bigint, bytes: number): bigint => {
    let value = 0n;
    for (let n = bytes - 1; n >= 0; n -= 1) value = (value << 8n) | BigInt(memory[Number(address - first) + n]!);
    return value;
  };
  const explore = (states: readonly ThreadState[], memory: Uint8Array): void => {
    const steps = states.flatMap((state, thread) => {
      const next = state.clone();
      const copy = memory.slice();
      const outcome = next.step(windowMemory(first, copy), silentHooks);
      return outcome.kind === 'end' ? [] : [() => explore(states.with(thread, next), copy)];
    });
    for (const step of steps) step();
    if (steps.length > 0) return;
    const values = program.observed.map((observable) => {
      if (observable.kind === 'exceptions') return observable.numberOf(states.map(() => []));
      return observable.kind === 'register'
        ? states[observable.thread]!.register(observable.name).bits
        : read(memory, observable.address, observable.bytes);
    });
    found.add(values.map((value) => value.toString(16)).join(' '));
  };
  explore(
    program.threads.map((thread) => thread.start()),
    initial,
  );
  return found;
}
