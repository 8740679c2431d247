// The way of a core's resident firmware to the power controller: calls become requests, and run again when the answer is there.

import { type PowerInterface } from '../../src/firmware/psci.ts';
import type { ActorId, Port } from '../actor.ts';
import { encode } from '../protocol.ts';
import { powerMessages } from '../power/messages.ts';

/** The tag of a CPU_SUSPEND, whose answer is not waited for; calls are numbered from the next one. */
const suspendTag = 0;

/** A call whose answer is awaited, or waits for the call to run again. */
interface Request {
  readonly tag: number;
  readonly code: number;
  /** The payload without the tag. */
  readonly arguments: readonly number[];
  answer: number | undefined;
}

export interface SavedPowerLink {
  readonly requests: readonly Request[];
  readonly lastTag: number;
}

export interface PowerLink extends PowerInterface {
  /** A PsciResponse has come; true when a call waits for it. */
  answered(tag: number, status: number): boolean;
  /** The core has been woken from its suspended state. */
  resumed(): void;
  /** The core runs at the entry point of a Boot. */
  booted(): void;
  save(): SavedPowerLink;
  restore(saved: SavedPowerLink): void;
}

export interface PowerLinkOptions {
  readonly controller: ActorId;
  /** The core stops being on, or is suspended. */
  readonly off: () => void;
  readonly suspended: () => void;
  /** The core waits for the end of the run. */
  readonly halted: () => void;
}

/** AFFINITY_INFO of the PE itself. */
const lowestLevel = 0;

const low = (value: bigint): number => Number(value & 0xffff_ffffn);
const high = (value: bigint): number => Number((value >> 32n) & 0xffff_ffffn);

export function makePowerLink(port: Port, options: PowerLinkOptions): PowerLink {
  let requests: Request[] = [];
  let lastTag = suspendTag;

  /**
   * The answer to this call; or sends it. An interrupt may be taken, and its handler may call too, before the call runs again: the
   * answer belongs to the arguments.
   */
  function ask(code: number, ...args: readonly number[]): number | undefined {
    const known = requests.find((r) => r.code === code && r.arguments.every((word, i) => word === args[i]));
    if (known) {
      if (known.answer !== undefined) requests = requests.filter((r) => r !== known);
      return known.answer;
    }
    lastTag += 1;
    requests.push({ tag: lastTag, code, arguments: args, answer: undefined });
    port.send(options.controller, code, [lastTag, ...args]);
    return undefined;
  }
  const tell = (code: number): void => {
    port.send(options.controller, code, []);
  };

  return {
    cpuOn: (affinity, entryPoint, contextId) =>
      ask(
        powerMessages.CPU_ON.code,
        ...[affinity, entryPoint, contextId].flatMap((doubleword) => [low(doubleword), high(doubleword)]),
      ),
    affinityInfo: (affinity) => ask(powerMessages.AFFINITY_INFO.code, low(affinity), high(affinity), lowestLevel),
    cpuOff: () => {
      tell(powerMessages.CPU_OFF.code);
      options.off();
    },
    suspend: () => {
      const { CPU_SUSPEND } = powerMessages;
      const standby = { powerState: 0, entryLow: 0, entryHigh: 0, contextIdLow: 0, contextIdHigh: 0 };
      port.send(options.controller, CPU_SUSPEND.code, encode(CPU_SUSPEND, { tag: suspendTag, ...standby }));
      options.suspended();
    },
    systemOff: () => {
      tell(powerMessages.SYSTEM_OFF.code);
      options.halted();
    },
    systemReset: () => {
      tell(powerMessages.SYSTEM_RESET.code);
      options.halted();
    },
    answered: (tag, status) => {
      const request = requests.find((r) => r.tag === tag);
      if (request) request.answer = status | 0;
      return request !== undefined;
    },
    resumed: () => {
      tell(powerMessages.CPU_RESUMED.code);
    },
    booted: () => {
      tell(powerMessages.Booted.code);
    },
    save: () => ({ requests: requests.map((request) => ({ ...request })), lastTag }),
    restore: (saved) => {
      requests = saved.requests.map((request) => ({ ...request }));
      lastTag = saved.lastTag;
    },
  };
}
