// Actors that follow a script, and a run of them on hosts of one thread: what reaches whom, and when.

import type { Actor, ActorId, Message, Port, RunnableActor, Ticks } from '../../actors/actor.ts';
import { assert } from '../../src/report/assert.ts';
import { makeEnsemble } from '../../workers/ensemble.ts';
import { type Host, makeHost } from '../../workers/host.ts';
import { conductLockstep, type EndOfRun, type Window } from '../../workers/lockstep.ts';

/** One thing that an actor does: a core for each instruction, a device for each message and timer. */
export type Step =
  | { readonly do: 'nothing' | 'sleep' }
  | { readonly do: 'send'; readonly to: ActorId; readonly extraTicks: Ticks }
  | { readonly do: 'timer'; readonly tag: number; readonly afterTicks: Ticks }
  | { readonly do: 'cancel'; readonly tag: number }
  /** Cores only: changes a word of RAM, in a way that tells who came first. */
  | { readonly do: 'store' };

export interface Cast {
  readonly cores: readonly (readonly Step[])[];
  /** Identities follow those of the cores. */
  readonly devices: readonly (readonly Step[])[];
}

export interface Delivery {
  readonly to: ActorId;
  /** The receiver's own time. */
  readonly atTicks: Ticks;
  readonly message: Message | { readonly timer: number };
}

export interface Performance {
  readonly end: EndOfRun;
  readonly ticks: Ticks;
  readonly instructions: readonly number[];
  readonly hashes: readonly string[];
  readonly deliveries: readonly Delivery[];
  readonly windows: readonly Window[];
  /** Time at which the window ended in which a message was sent, and the message's due time. */
  readonly sent: readonly { readonly window: Window; readonly byTicks: Ticks; readonly dueTicks: Ticks }[];
  readonly ram: number;
}

export interface Staging {
  readonly hosts: number;
  readonly seed: number;
  readonly lookaheadTicks?: Ticks;
  readonly maxInstructions?: number;
  readonly maxTicks?: Ticks;
}

const note = 0x7701;

export function perform(cast: Cast, staging: Staging): Performance {
  const { hosts: hostCount, seed, lookaheadTicks = 20, maxInstructions = Infinity, maxTicks = Infinity } = staging;
  const coreCount = cast.cores.length;
  const actorCount = coreCount + cast.devices.length;
  const deliveries: Delivery[] = [];
  const windows: Window[] = [];
  const sent: Performance['sent'][number][] = [];
  let ram = 1;

  /** Does a step; true where it has sent something or set a timer. Cores tell what is in RAM; devices do not look into it. */
  function act(step: Step, port: Port): boolean {
    switch (step.do) {
      case 'send':
        port.send(step.to % actorCount, note, [port.self < coreCount ? ram : 0], step.extraTicks);
        sent.push({
          window: windows.at(-1) as Window,
          byTicks: port.now(),
          dueTicks: port.now() + lookaheadTicks + step.extraTicks,
        });
        return true;
      case 'timer':
        port.at(port.now() + step.afterTicks, step.tag);
        return true;
      case 'cancel':
        port.cancel(step.tag);
        return false;
      case 'store':
        ram = (Math.imul(ram, 31) + port.self) >>> 0;
        return false;
      default:
        return false;
    }
  }

  function device(port: Port, script: readonly Step[]): Actor {
    let at = 0;
    const heard = (message: Delivery['message']): void => {
      deliveries.push({ to: port.self, atTicks: port.now(), message });
      const step = script[at];
      at += 1;
      if (step) act(step, port);
    };
    return {
      receive: heard,
      timer: (tag) => {
        heard({ timer: tag });
      },
      save: () => at,
      restore: (saved) => {
        at = saved as number;
      },
    };
  }

  function core(port: Port, script: readonly Step[]): RunnableActor {
    let now = 0;
    let at = 0;
    let isAwake = script.length > 0;
    const heard = (message: Delivery['message']): void => {
      deliveries.push({ to: port.self, atTicks: now, message });
      isAwake = at < script.length;
    };
    return {
      isRunnable: () => isAwake,
      nowTicks: () => now,
      instructions: () => at,
      advanceTo: (ticks) => {
        assert(ticks > now, 'time goes on');
        now = ticks;
      },
      run: (untilTicks) => {
        let hasSent = false;
        while (isAwake && now < untilTicks && !hasSent) {
          const step = script[at] as Step;
          hasSent = act(step, port);
          at += 1;
          now += 1;
          isAwake = at < script.length && step.do !== 'sleep';
        }
      },
      receive: heard,
      timer: (tag) => {
        heard({ timer: tag });
      },
      look: () => false,
      isRepeating: () => false,
      save: () => undefined,
      restore: () => undefined,
    };
  }

  const everyone = [
    ...cast.cores.map((script, id) => ({ id, make: (port: Port) => core(port, script) })),
    ...cast.devices.map((script, n) => ({ id: coreCount + n, make: (port: Port) => device(port, script) })),
  ];
  const hostOf = (id: ActorId): number =>
    id < coreCount ? Math.floor((id * hostCount) / coreCount) : (id - coreCount) % hostCount;
  const hosts: Host[] = Array.from({ length: hostCount }, (_, n) =>
    makeHost({
      actors: everyone.filter(({ id }) => hostOf(id) === n),
      coreCount,
      lookaheadTicks,
      forward: (message) => hosts[hostOf(message.target)]?.accept(message),
    }),
  );
  const ensemble = makeEnsemble({
    hosts,
    coreCount,
    hostOfCore: hostOf,
    stopped: () => false,
    aborted: () => false,
  });
  const ending = conductLockstep(
    {
      ...ensemble,
      runWindow: (window) => {
        windows.push(window);
        ensemble.runWindow(window);
      },
    },
    { coreCount, lookaheadTicks, seed, maxInstructions, maxTicks },
  );
  return {
    ...ending,
    instructions: everyone
      .slice(0, coreCount)
      .map(({ id }) => (hosts[hostOf(id)]?.actor(id) as RunnableActor).instructions()),
    hashes: everyone.map(({ id }) => hosts[hostOf(id)]?.traceHash(id) ?? ''),
    deliveries,
    windows,
    sent,
    ram,
  };
}
