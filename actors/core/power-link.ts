// The way of a core's resident firmware to the power controller: calls become requests, and run again when the answer is there.

import { type PowerInterface } from '../../src/firmware/psci.ts';
import type { ActorId, Port } from '../actor.ts';
import { encode } from '../protocol.ts';
import { powerMessages } from '../power/messages.ts';

/** Tags of requests: the answer to a suspend is not waited for. */
const tags = { call: 1, suspend: 2 } as const;

export interface SavedPowerLink {
  readonly awaiting: boolean;
  readonly answer: number | undefined;
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

const low = (value: bigint): number => Number(value & 0xffff_ffffn);
const high = (value: bigint): number => Number((value >> 32n) & 0xffff_ffffn);

export function makePowerLink(port: Port, options: PowerLinkOptions): PowerLink {
  let awaiting = false;
  let answer: number | undefined;

  /** The answer to the request that was sent before; or sends it. */
  function ask(code: number, payload: readonly number[]): number | undefined {
    if (answer !== undefined) {
      const status = answer;
      answer = undefined;
      return status;
    }
    if (!awaiting) port.send(options.controller, code, payload);
    awaiting = true;
    return undefined;
  }
  const tell = (code: number): void => {
    port.send(options.controller, code, []);
  };

  return {
    cpuOn: (affinity, entryPoint, contextId) =>
      ask(
        powerMessages.CPU_ON.code,
        encode(powerMessages.CPU_ON, {
          tag: tags.call,
          targetCpuLow: low(affinity),
          targetCpuHigh: high(affinity),
          entryLow: low(entryPoint),
          entryHigh: high(entryPoint),
          contextIdLow: low(contextId),
          contextIdHigh: high(contextId),
        }),
      ),
    affinityInfo: (affinity) =>
      ask(
        powerMessages.AFFINITY_INFO.code,
        encode(powerMessages.AFFINITY_INFO, {
          tag: tags.call,
          targetAffinityLow: low(affinity),
          targetAffinityHigh: high(affinity),
          lowestAffinityLevel: 0,
        }),
      ),
    cpuOff: () => {
      tell(powerMessages.CPU_OFF.code);
      options.off();
    },
    suspend: () => {
      const { CPU_SUSPEND } = powerMessages;
      const standby = { powerState: 0, entryLow: 0, entryHigh: 0, contextIdLow: 0, contextIdHigh: 0 };
      port.send(options.controller, CPU_SUSPEND.code, encode(CPU_SUSPEND, { tag: tags.suspend, ...standby }));
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
      if (tag !== tags.call) return false;
      awaiting = false;
      answer = status | 0;
      return true;
    },
    resumed: () => {
      tell(powerMessages.CPU_RESUMED.code);
    },
    booted: () => {
      tell(powerMessages.Booted.code);
    },
    save: () => ({ awaiting, answer }),
    restore: (saved) => {
      ({ awaiting, answer } = saved);
    },
  };
}
