// What an actor is, and what it may do. An actor touches no other actor's state; it never knows on which thread it, or its peer,
// runs. Everything that it causes goes out by its port.

/** Position in the board's list of actors; also the second key of the total order of messages (time, sender, sequence). */
export type ActorId = number;

/** Simulated time: ticks of 1 ns since reset, an exact integer below 2^53. */
export type Ticks = number;

/**
 * A message as it crosses an actor boundary. `code` names its row in a protocol table (actors/protocol.ts); `payload` holds its
 * fields, unsigned 32-bit each, in the row's order.
 */
export interface Message {
  readonly code: number;
  readonly source: ActorId;
  readonly target: ActorId;
  /** Counts the messages of this source: with `dueTicks` and `source` it makes the order of delivery total. */
  readonly sequence: number;
  /** When the target receives it; where time passes by itself that is at once: when it was sent, or 0 from an actor of the same host. */
  readonly dueTicks: Ticks;
  readonly payload: readonly number[];
}

/** How an actor acts on the world. The host that runs the actor provides it; tests provide a fake. */
export interface Port {
  /** The actor's own identity. */
  readonly self: ActorId;
  /** Simulated time of what the actor does now. */
  now(): Ticks;
  /** Sends a message, due one lookahead (plus `extraTicks`) from now. */
  send(target: ActorId, code: number, payload: readonly number[], extraTicks?: Ticks): void;
  /** Calls `timer(tag)` at an absolute time (not before now); a later call with the same tag replaces it. */
  at(dueTicks: Ticks, tag: number): void;
  /** Forgets the timer with this tag, if any. */
  cancel(tag: number): void;
}

/** An actor that lives by messages and timers alone: every actor but the core, which also runs instructions. */
export interface Actor {
  receive(message: Message): void;
  timer(tag: number): void;
  /** The whole state as plain, versioned, structured-cloneable data. */
  save(): unknown;
  restore(saved: unknown): void;
}

/** A core: an actor that, besides, runs instructions when it is awake. */
export interface RunnableActor extends Actor {
  /** True while there are instructions to run: not off, not asleep, not waiting for a response. */
  isRunnable(): boolean;
  /** Its own simulated time: while it runs, of the present instruction. */
  nowTicks(): Ticks;
  /** Instructions completed since reset. */
  instructions(): number;
  /** Time has passed without instructions: called before something is delivered to a core that is behind. */
  advanceTo(ticks: Ticks): void;
  /** Runs up to `untilTicks`; stops earlier when it falls asleep, waits, or has sent a message. */
  run(untilTicks: Ticks): void;
  /**
   * Where cores run at the same time: a look at memory for what ends its wait. True while it waits for a store of which no message may
   * tell. `watch`: from now on a message tells of it; `anyway`: the wait ends whatever is there.
   */
  look(how: 'value' | 'watch' | 'anyway'): boolean;
  /** The registers are what they were when it was asked last. */
  isRepeating(): boolean;
}
