// Hardware that manages the access flag of one descriptor, as a thread of its own: it may set the flag at any time, for walks that no
// access waits for (Arm DDI 0487, D8.5.1 "Hardware management of the Access flag"), and as often as software may have cleared it.

import type { TraceException, TraceMemory } from '../engine/trace-state.ts';
import { traceValue, type TraceValue } from '../engine/trace-values.ts';
import type { StepOutcome, Thread, ThreadHooks, ThreadState } from './program.ts';

export function hardwareThread(name: string, descriptor: bigint, mostUpdates: number): Thread {
  return { name, start: () => new HardwareState(descriptor, mostUpdates, 0) };
}

class HardwareState implements ThreadState {
  readonly #descriptor: bigint;
  readonly #mostUpdates: number;
  #updates: number;

  constructor(descriptor: bigint, mostUpdates: number, updates: number) {
    this.#descriptor = descriptor;
    this.#mostUpdates = mostUpdates;
    this.#updates = updates;
  }

  get pc(): bigint {
    return BigInt(this.#updates);
  }

  clone(): HardwareState {
    return new HardwareState(this.#descriptor, this.#mostUpdates, this.#updates);
  }

  isSameAs(other: ThreadState): boolean {
    return other instanceof HardwareState && other.pc === this.pc;
  }

  readonly needsMonitor = false;

  step(_memory: TraceMemory, hooks: ThreadHooks): StepOutcome {
    if (this.#updates === this.#mostUpdates) return { kind: 'end' };
    const outcome = hooks.updateAccessFlag(this.#descriptor);
    if (outcome === 'none') return { kind: 'end' };
    if (outcome !== 'done') return { kind: 'exception', exception: outcome satisfies TraceException };
    this.#updates += 1;
    return { kind: 'next' };
  }

  describe(): string {
    return 'hardware sets an access flag';
  }

  register(): TraceValue {
    return traceValue(64, 0n);
  }
}
