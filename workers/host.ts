// An actor host: the actors of one thread, what is due for them, and the ports by which they act.
//
// The conductor asks a host to run a window of simulated time. Inside it, every actor handles what is due before the window's end
// in the order (time, sender, sequence); what it sends is due at the window's end or later, because no latency is shorter than
// the lookahead. So actors do not influence each other inside a window, but for RAM, which the cores use one after the other.

import type { Actor, ActorId, Message, Port, RunnableActor, Ticks } from '../actors/actor.ts';
import { assert } from '../src/report/assert.ts';
import { type EventQueue, makeEventQueue } from './event-queue.ts';
import { makeTraceHash, type TraceHash } from './trace-hash.ts';

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
}

export interface Host {
  /** Accepts a message for one of its actors. */
  accept(message: Message): void;
  outlook(): Outlook;
  /** Handles what is due before `untilTicks` at every actor that is not a core. */
  runDevices(untilTicks: Ticks): void;
  /** Runs the host's cores from `first` to `last`, in this order, up to `untilTicks`; `alone`: stops when a message is sent. */
  runCores(first: ActorId, last: ActorId, untilTicks: Ticks, alone: boolean): void;
  actor(id: ActorId): Actor | RunnableActor;
  /** A hash over everything that has been delivered to an actor. */
  traceHash(id: ActorId): string;
  instructions(): number;
}

export function makeHost({ actors, coreCount, lookaheadTicks, forward }: HostOptions): Host {
  const local = new Map<ActorId, Actor>();
  const cores: { id: ActorId; actor: RunnableActor; queue: EventQueue }[] = [];
  const coreQueues = new Map<ActorId, EventQueue>();
  const deviceQueue = makeEventQueue();
  const hashes = new Map<ActorId, TraceHash>();
  const sequences = new Map<ActorId, number>();
  const timers = new Map<ActorId, Map<number, number>>();
  let deviceTicks = 0;
  let messagesSent = 0;

  const queueOf = (id: ActorId): EventQueue => coreQueues.get(id) ?? deviceQueue;

  function nextSequence(id: ActorId): number {
    const sequence = (sequences.get(id) ?? 0) + 1;
    sequences.set(id, sequence);
    return sequence;
  }

  function portOf(id: ActorId, now: () => Ticks): Port {
    const own = new Map<number, number>();
    timers.set(id, own);
    return {
      self: id,
      now,
      send: (target, code, payload, extraTicks = 0) => {
        const dueTicks = now() + lookaheadTicks + extraTicks;
        const message: Message = { code, source: id, target, sequence: nextSequence(id), dueTicks, payload };
        messagesSent += 1;
        if (local.has(target)) queueOf(target).push(message);
        else forward(message);
      },
      at: (dueTicks, tag) => {
        const sequence = nextSequence(id);
        own.set(tag, sequence);
        const due = Math.max(dueTicks, now());
        queueOf(id).push({ code: timerCode, source: id, target: id, sequence, dueTicks: due, payload: [tag] });
      },
      cancel: (tag) => {
        own.delete(tag);
      },
    };
  }

  function deliver(actor: Actor, message: Message, progress: number): void {
    const { code, source, target, sequence, payload } = message;
    if (code === timerCode && source === target) {
      const tag = payload[0] as number;
      const own = timers.get(target);
      if (own?.get(tag) !== sequence) return;
      own.delete(tag);
      hashes.get(target)?.add(message, progress);
      actor.timer(tag);
      return;
    }
    hashes.get(target)?.add(message, progress);
    actor.receive(message);
  }

  for (const { id, make } of actors) {
    hashes.set(id, makeTraceHash());
    if (id < coreCount) {
      const queue = makeEventQueue();
      coreQueues.set(id, queue);
      const core = make(portOf(id, () => core.nowTicks)) as RunnableActor;
      local.set(id, core);
      cores.push({ id, actor: core, queue });
    } else {
      local.set(
        id,
        make(portOf(id, () => deviceTicks)),
      );
    }
  }

  function runCore(actor: RunnableActor, queue: EventQueue, untilTicks: Ticks, alone: boolean): void {
    const sentBefore = messagesSent;
    for (;;) {
      const due = queue.peek()?.dueTicks ?? Infinity;
      const limit = Math.min(untilTicks, due);
      if (actor.runnable && actor.nowTicks < limit) {
        actor.run(limit);
        assert(actor.nowTicks <= limit, 'a core keeps inside its window');
        if (alone && messagesSent !== sentBefore) return;
      } else if (due < untilTicks) {
        const message = queue.pop() as Message;
        if (actor.nowTicks < due) actor.advanceTo(due);
        deliver(actor, message, actor.instructions);
        if (alone && messagesSent !== sentBefore) return;
      } else {
        return;
      }
    }
  }

  return {
    accept: (message) => {
      queueOf(message.target).push(message);
    },
    outlook: () => {
      const result: Outlook = { first: deviceQueue.peek()?.dueTicks ?? Infinity, core: -1, others: Infinity };
      for (const { id, actor, queue } of cores) {
        const due = queue.peek()?.dueTicks ?? Infinity;
        const ready = actor.runnable ? actor.nowTicks : Infinity;
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
    runDevices: (untilTicks) => {
      for (let next = deviceQueue.peek(); next && next.dueTicks < untilTicks; next = deviceQueue.peek()) {
        deviceQueue.pop();
        deviceTicks = next.dueTicks;
        deliver(local.get(next.target) as Actor, next, 0);
      }
    },
    runCores: (first, last, untilTicks, alone) => {
      for (const { id, actor, queue } of cores) {
        if (id >= first && id <= last) runCore(actor, queue, untilTicks, alone);
      }
    },
    actor: (id) => {
      const actor = local.get(id);
      assert(actor !== undefined, `actor ${id} lives on this host`);
      return actor;
    },
    traceHash: (id) => hashes.get(id)?.digest() ?? '',
    instructions: () => cores.reduce((sum, { actor }) => sum + actor.instructions, 0),
  };
}
