// A thread of x86 instructions. Their meanings (x86-instructions.ts) are written in the words of the A64 semantics and run under the same
// trace reading, so that a thread is an A64 thread with other names: general-purpose register n is Xn, CF, ZF, SF and OF are C, Z, N
// and V, and an instruction is as long as one of A64.

import type { TraceMemory } from '../engine/trace-state.ts';
import type { TraceValue } from '../engine/trace-values.ts';
import { aarch64Thread, type Code } from './aarch64-thread.ts';
import type { Decoded } from '../isa/decoder.ts';
import type { FenceName, SameValue, StepOutcome, Thread, ThreadHooks, ThreadState } from './program.ts';
import { generalRegister } from './x86-registers.ts';

/** The code of a thread, and what its instructions are called. */
export interface X86Code {
  readonly code: Code;
  readonly texts: readonly string[];
}

const wordBytes = 4;

export const makeX86Code = (base: bigint, instructions: readonly Decoded[], texts: readonly string[]): X86Code => ({
  code: { base, words: new Uint32Array(instructions.length), instructions },
  texts,
});

/** Initial values by number of the register. */
export function x86Thread(name: string, { code, texts }: X86Code, registers: ReadonlyMap<number, bigint>): Thread {
  const initial = new Map([...registers].map(([number, value]) => [`X${number}`, value]));
  const thread = aarch64Thread(name, code, initial);
  return { name, start: () => new X86State(thread.start(), code.base, texts) };
}

/** Meanings write the fences as barriers of A64. */
const fences: Readonly<Record<string, FenceName>> = { 'DMB.SY': 'MFENCE', 'DMB.LD': 'LFENCE', 'DMB.ST': 'SFENCE' };

class X86State implements ThreadState {
  readonly #state: ThreadState;
  readonly #base: bigint;
  readonly #texts: readonly string[];

  constructor(state: ThreadState, base: bigint, texts: readonly string[]) {
    this.#state = state;
    this.#base = base;
    this.#texts = texts;
  }

  get pc(): bigint {
    return this.#state.pc;
  }

  clone(): X86State {
    return new X86State(this.#state.clone(), this.#base, this.#texts);
  }

  isSameAs(other: ThreadState, sameValue: SameValue): boolean {
    return other instanceof X86State && this.#state.isSameAs(other.#state, sameValue);
  }

  get needsMonitor(): boolean {
    return this.#state.needsMonitor;
  }

  step(memory: TraceMemory, hooks: ThreadHooks): StepOutcome {
    return this.#state.step(memory, {
      ...hooks,
      fence: (name) => hooks.fence(fences[name] ?? name),
      branch: (depends) => hooks.branch(depends),
      fetch: (address) => hooks.fetch(address),
      cacheMaintenance: (name, address) => hooks.cacheMaintenance(name, address),
    });
  }

  describe(): string {
    return this.#texts[Number(this.pc - this.#base) / wordBytes] ?? 'end';
  }

  register(name: string): TraceValue {
    const register = generalRegister(name);
    return this.#state.register(register === undefined ? name : `X${register.number}`);
  }
}
