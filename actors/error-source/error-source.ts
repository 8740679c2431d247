// What reports errors to cores that no instruction of theirs is known to have caused: of a cache or of RAM, or of a write that was
// acknowledged before it was done. When they come is decided before the run. Each is an SError interrupt of its core; it has no syndrome,
// and no registers (FEAT_RAS, "error records") keep more of it.

import type { Actor, ActorId, Port, Ticks } from '../actor.ts';
import { coreMessages } from '../core/messages.ts';

export interface ReportedError {
  readonly core: ActorId;
  readonly atTicks: Ticks;
}

interface SavedErrorSource {
  readonly version: 1;
  readonly reported: number;
}

const nextTag = 0;

export class ErrorSource implements Actor {
  private readonly port: Port;
  /** In the order of their times. */
  private readonly errors: readonly ReportedError[];
  private reported = 0;

  constructor(port: Port, errors: readonly ReportedError[]) {
    this.port = port;
    this.errors = [...errors].sort((a, b) => a.atTicks - b.atTicks);
    this.awaitNext();
  }

  /** Nobody asks it for anything. */
  receive(): void {}

  timer(): void {
    for (
      let error = this.errors[this.reported];
      error && error.atTicks <= this.port.now();
      error = this.errors[this.reported]
    ) {
      this.port.send(error.core, coreMessages.AsynchronousError.code, []);
      this.reported += 1;
    }
    this.awaitNext();
  }

  save(): SavedErrorSource {
    return { version: 1, reported: this.reported };
  }

  restore(saved: unknown): void {
    this.reported = (saved as SavedErrorSource).reported;
    this.port.cancel(nextTag);
    this.awaitNext();
  }

  private awaitNext(): void {
    const next = this.errors[this.reported];
    if (next) this.port.at(next.atTicks, nextTag);
  }
}
