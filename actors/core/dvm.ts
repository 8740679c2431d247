// The DVM side of a core: operations go to every other core, and a DSB waits for their completion.

import type { DvmOperation } from '../../src/arch/environment.ts';
import type { ActorId, Message, Port } from '../actor.ts';
import { encode } from '../protocol.ts';
import { coreMessages } from './messages.ts';

export interface SavedDvm {
  readonly unsynchronised: boolean;
  readonly answersDue: number;
}

export interface Dvm {
  readonly broadcast: (operation: DvmOperation) => void;
  invalidateInstructionCache(address: number): void;
  /** True when nothing that this core has broadcast is under way; else asks the others, once, to complete it. */
  complete(): boolean;
  /** Counts an answer; true when it was the last one. */
  answered(): boolean;
  /** Answers a Sync. */
  answer(message: Message): void;
  /** Signals an event to one core, or to every other one with -1. */
  readonly event: (target: number) => void;
  save(): SavedDvm;
  restore(saved: SavedDvm): void;
}

export function makeDvm(port: Port, cores: readonly ActorId[]): Dvm {
  const others = cores.filter((core) => core !== port.self);
  /** Operations have been sent since the last Sync. */
  let unsynchronised = false;
  let answersDue = 0;

  const toOthers = (code: number, payload: readonly number[]): void => {
    for (const core of others) port.send(core, code, payload);
  };

  return {
    broadcast: ({ code, vaLow, vaHigh, asid, context }) => {
      toOthers(coreMessages.Tlbi.code, encode(coreMessages.Tlbi, { operation: code, vaLow, vaHigh, asid, context }));
      unsynchronised = others.length > 0;
    },
    invalidateInstructionCache: (address) => {
      toOthers(coreMessages.InstructionCacheInvalidate.code, [address]);
      unsynchronised = others.length > 0;
    },
    complete: () => {
      if (unsynchronised && answersDue === 0) {
        unsynchronised = false;
        answersDue = others.length;
        toOthers(coreMessages.Sync.code, []);
      }
      return answersDue === 0;
    },
    answered: () => {
      answersDue -= 1;
      return answersDue === 0;
    },
    answer: ({ source }) => {
      port.send(source, coreMessages.Complete.code, []);
    },
    event: (target) => {
      if (target < 0) toOthers(coreMessages.Event.code, []);
      else port.send(cores[target] as ActorId, coreMessages.Event.code, []);
    },
    save: () => ({ unsynchronised, answersDue }),
    restore: (saved) => {
      ({ unsynchronised, answersDue } = saved);
    },
  };
}
