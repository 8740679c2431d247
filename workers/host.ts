// An actor host: the actors of one thread, what is due for them, and the ports by which they act.
//
// The conductor asks a host to run a window of simulated time. Inside it, every actor handles what is due before the window's end
// in the order (time, sender, sequence); what it sends is due at the window's end or later, because no latency is shorter than
// the lookahead. So actors do not influence each other inside a window, but for RAM, which the cores use one after the other.

import type { Actor, ActorId, Message, Port, RunnableActor, Ticks } from '../actors/actor.ts';
import { maxPayloadWords } from '../actors/protocol.ts';
import { assert } from '../src/report/assert.ts';
import { type EventQueue, makeEventQueue } from './event-queue.ts';
import { makeTraceHash, type TraceHash } from './trace-hash.ts';

function areWords(payload: readonly number[]): boolean {
  for (let i = 0; i < payload.length; i += 1) if ((payload[i] as number) >>> 0 !== payload[i]) return false;
  return true;
}

/** Code of the message that an actor's port sends to itself when a timer is due; payload: the tag. */
const timerCode = 0;

export interface HostActor {
  readonly id: ActorId;
  readonly make: (port: Port) => Actor | RunnableActor;
}

/** When something happens next in a host, and whether one core has the time until `others` to itself. */
export interface Outlook {
  /** Time of the first thing to happen: an event, or a core that is ready to run. */
  first: Ticks;
  /** The core to which the first thing happens while it is ready to run, or -1. */
  core: ActorId;
  /** Time of the first thing that happens to anyone else. */
  others: Ticks;
}

export interface HostOptions {
  readonly actors: readonly HostActor[];
  /** Actors with smaller numbers are cores; the others have no access to RAM. */
  readonly coreCount: number;
  /** The smallest latency between two actors, in ticks. */
  readonly lookaheadTicks: Ticks;
  /** Passes on a message for an actor of another host. */
  readonly forward: (message: Message) => void;
  /** Simulated time, where it passes by itself; else it is what the conductor makes of it. */
  readonly clock?: () => Ticks;
  /** There, accepts what other hosts have sent: before a message within this one, which may be an effect of it (incoming.ts). */
  readonly receive?: () => void;
}

/** What the actors of a host may do before the conductor is asked again. */
export interface HostWindow {
  readonly untilTicks: Ticks;
  /** The one core that runs stops when it has sent a message. */
  readonly alone: boolean;
  /** Instructions left of the whole run when the window begins; none takes less than a tick. */
  readonly instructionsLeft: number;
}

export interface HostedCore {
  readonly id: ActorId;
  readonly actor: RunnableActor;
}

export interface Host {
  /** Accepts a message for one of its actors. */
  readonly accept: (message: Message) => void;
  /** The same record each time. */
  readonly outlook: () => Outlook;
  /** Handles what is due before `untilTicks` at every actor that is not a core; where time passes by itself, at every actor. */
  readonly runDevices: (untilTicks: Ticks) => void;
  /** Where time passes by itself: hands over the messages that are there, and those that they cause among the host's own actors. */
  settle(): void;
  /** Where time passes by itself: when something is due next, other than running. */
  nextDue(): Ticks;
  readonly cores: readonly HostedCore[];
  /** Messages that its actors have sent, and those that they have been handed. */
  messages(): number;
  /**
   * Runs the devices, if asked to, and the host's cores from `first` to `last`, in this order; returns how many instructions they have
   * run. `ran`: what others have run in this window before.
   */
  readonly run: (window: HostWindow, first: ActorId, last: ActorId, withDevices: boolean, ran: number) => number;
  actor(id: ActorId): Actor | RunnableActor;
  /** A hash over everything that has been delivered to an actor. */
  traceHash(id: ActorId): string;
  readonly instructions: () => number;
}

/** Under which a message crosses to another thread as it is. */
function assertSendable(code: number, payload: readonly number[], extraTicks: Ticks): void {
  const isSound = payload.length <= maxPayloadWords && areWords(payload);
  // The sentence is made where it is needed.
  if (!isSound) assert(isSound, `payload of message 0x${code.toString(16)}`);
  assert(extraTicks >= 0, 'no message is faster than the lookahead');
}

export function makeHost({ actors, coreCount, lookaheadTicks, forward, clock, receive }: HostOptions): Host {
  const local: (Actor | undefined)[] = [];
  const cores: (HostedCore & { queue: EventQueue })[] = [];
  /** By target, as everything that a message needs on its way. */
  const coreQueues: (EventQueue | undefined)[] = [];
  const deviceQueue = makeEventQueue();
  const hashes: (TraceHash | undefined)[] = [];
  const timers: (Map<number, Message> | undefined)[] = [];
  /** Where time passes by itself: messages in the order in which they have come, which are due when they are there. */
  const inbox: Message[] = [];
  /** How many of them wait: V8 takes long to make an array shorter. */
  let waiting = 0;
  let deviceTicks = 0;
  let messagesSent = 0;
  let delivered = 0;

  const queueOf = (id: ActorId): EventQueue => coreQueues[id] ?? deviceQueue;
  const accept: (message: Message) => void = clock
    ? (message) => {
        inbox[waiting] = message;
        waiting += 1;
      }
    : (message) => {
        queueOf(message.target).push(message);
      };

  function portOf(id: ActorId, now: () => Ticks): Port {
    const own = new Map<number, Message>();
    timers[id] = own;
    let sequence = 0;
    const cancel = (tag: number): void => {
      const timer = own.get(tag);
      if (!timer) return;
      own.delete(tag);
      queueOf(id).remove(timer);
    };
    return {
      self: id,
      now,
      send: (target, code, payload, extraTicks = 0) => {
        // Beside each other or apart, the receiver finds the same words.
        assertSendable(code, payload, extraTicks);
        sequence += 1;
        const isAway = local[target] === undefined;
        // Where time passes by itself, messages of several hosts are put in order by when they were sent (incoming.ts).
        const dueTicks = !clock ? now() + lookaheadTicks + extraTicks : isAway ? clock() : 0;
        const message: Message = { code, source: id, target, sequence, dueTicks, payload };
        messagesSent += 1;
        if (isAway) {
          forward(message);
        } else {
          receive?.();
          accept(message);
        }
      },
      at: (dueTicks, tag) => {
        cancel(tag);
        const due = Math.max(dueTicks, now());
        sequence += 1;
        const timer = {
          code: timerCode,
          source: id,
          target: id,
          sequence,
          dueTicks: due,
          payload: [tag],
        };
        own.set(tag, timer);
        queueOf(id).push(timer);
      },
      cancel,
    };
  }

  function deliver(actor: Actor, message: Message, progress: number): void {
    const { code, source, target, payload } = message;
    delivered += 1;
    // No two runs are alike where time passes by itself.
    if (!clock) hashes[target]?.add(message, progress);
    if (code === timerCode && source === target) {
      const tag = payload[0] as number;
      timers[target]?.delete(tag);
      actor.timer(tag);
    } else {
      actor.receive(message);
    }
  }

  for (const { id, make } of actors) {
    hashes[id] = makeTraceHash();
    if (id < coreCount) {
      // Where time passes by itself, what is due is handled in one order for all.
      const queue = clock ? deviceQueue : makeEventQueue();
      coreQueues[id] = queue;
      const core = make(portOf(id, clock ?? (() => core.nowTicks()))) as RunnableActor;
      local[id] = core;
      cores.push({ id, actor: core, queue });
    } else {
      local[id] = make(portOf(id, clock ?? (() => deviceTicks)));
    }
  }

  /** Runs one core, and returns how many instructions it has run. */
  function runCore(actor: RunnableActor, queue: EventQueue, window: HostWindow, instructionsLeft: number): number {
    const { untilTicks, alone } = window;
    const sentBefore = messagesSent;
    const before = actor.instructions();
    let run = 0;
    while (run < instructionsLeft) {
      const due = queue.nextDue();
      const limit = Math.min(untilTicks, due);
      const now = actor.nowTicks();
      if (now < limit && actor.isRunnable()) {
        actor.run(Math.min(limit, now + instructionsLeft - run));
        assert(actor.nowTicks() <= limit, 'a core keeps inside its window');
        run = actor.instructions() - before;
      } else if (due < untilTicks) {
        const message = queue.pop() as Message;
        if (now < due) actor.advanceTo(due);
        deliver(actor, message, before + run);
      } else {
        break;
      }
      if (alone && messagesSent !== sentBefore) break;
    }
    return run;
  }

  /** Hands something over where time passes by itself: a core that waits for it has waited until now. */
  function handOver(message: Message, now: () => Ticks): void {
    const actor = local[message.target] as Actor;
    if (message.target < coreCount && !(actor as RunnableActor).isRunnable()) (actor as RunnableActor).advanceTo(now());
    deliver(actor, message, 0);
  }

  function settle(): void {
    if (!clock) return;
    // It grows meanwhile.
    for (let n = 0; n < waiting; n += 1) handOver(inbox[n] as Message, clock);
    waiting = 0;
  }

  /** Until nothing is due; a timer that falls due meanwhile is the next call's. */
  function runByClock(untilTicks: Ticks, now: () => Ticks): void {
    settle();
    while (deviceQueue.nextDue() < untilTicks) {
      handOver(deviceQueue.pop() as Message, now);
      settle();
    }
  }

  /** Everything but the cores, in the order of simulated time. */
  function runInOrder(untilTicks: Ticks): void {
    while (deviceQueue.nextDue() < untilTicks) {
      const next = deviceQueue.pop() as Message;
      deviceTicks = next.dueTicks;
      deliver(local[next.target] as Actor, next, 0);
    }
  }

  function runDevices(untilTicks: Ticks): void {
    if (clock) runByClock(untilTicks, clock);
    else runInOrder(untilTicks);
  }

  const result: Outlook = { first: Infinity, core: -1, others: Infinity };
  return {
    accept,
    settle,
    outlook: () => {
      result.first = deviceQueue.nextDue();
      result.core = -1;
      result.others = Infinity;
      for (const { id, actor, queue } of cores) {
        const due = queue.nextDue();
        const ready = actor.isRunnable() ? actor.nowTicks() : Infinity;
        const next = Math.min(due, ready);
        if (next < result.first) {
          result.others = result.first;
          result.first = next;
          result.core = ready === Infinity ? -1 : id;
        } else if (next < result.others) {
          result.others = next;
        }
      }
      return result;
    },
    runDevices,
    nextDue: () => (waiting > 0 ? 0 : deviceQueue.nextDue()),
    cores,
    messages: () => messagesSent + delivered,
    run: (window, first, last, withDevices, ran) => {
      if (withDevices) runDevices(window.untilTicks);
      let run = 0;
      for (const { id, actor, queue } of cores) {
        if (id >= first && id <= last) run += runCore(actor, queue, window, window.instructionsLeft - ran - run);
      }
      return run;
    },
    actor: (id) => {
      const actor = local[id];
      assert(actor !== undefined, `actor ${id} lives on this host`);
      return actor;
    },
    traceHash: (id) => hashes[id]?.digest() ?? '',
    instructions: () => {
      let sum = 0;
      for (const { actor } of cores) sum += actor.instructions();
      return sum;
    },
  };
}
