// The port of a core: a run of its PE ends with the instruction that has sent something or set a timer, and what its timers are to bring
// is part of what is saved.

import type { Port, Ticks } from '../actor.ts';

/** A timer of the port that is still to come: its tag, and when it is due. */
export type Deadline = readonly [tag: number, dueTicks: Ticks];

export interface CorePort extends Port {
  /** From here on `hasSent` tells what this run has done. */
  beginRun(): void;
  /** The run has sent a message or set a timer. */
  hasSent(): boolean;
  /** The timer with this tag has come. */
  expired(tag: number): void;
  deadlines(): readonly Deadline[];
  /** Sets the timers of another time in place of those that are set. */
  restore(saved: readonly Deadline[]): void;
}

/** `pause` ends the present run after the present instruction. */
export function makeCorePort(port: Port, now: () => Ticks, pause: () => void): CorePort {
  let hasSent = false;
  const deadlines = new Map<number, Ticks>();

  function at(dueTicks: Ticks, tag: number): void {
    hasSent = true;
    pause();
    deadlines.set(tag, dueTicks);
    port.at(dueTicks, tag);
  }

  function cancel(tag: number): void {
    deadlines.delete(tag);
    port.cancel(tag);
  }

  return {
    self: port.self,
    now,
    send: (target, code, payload, extraTicks) => {
      hasSent = true;
      pause();
      port.send(target, code, payload, extraTicks);
    },
    at,
    cancel,
    beginRun: () => {
      hasSent = false;
    },
    hasSent: () => hasSent,
    expired: (tag) => {
      deadlines.delete(tag);
    },
    deadlines: () => [...deadlines],
    restore: (saved) => {
      for (const tag of [...deadlines.keys()]) cancel(tag);
      for (const [tag, dueTicks] of saved) at(dueTicks, tag);
    },
  };
}
