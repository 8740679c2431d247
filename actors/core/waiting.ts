// Whether a core runs, and what ends a wait: an interrupt ends WFI, an event or an interrupt WFE, an answer the wait for the bus, and
// the completion of its DVM operations the wait of a barrier (Arm ARM, "Wait for Interrupt", "Wait for Event").

import { type Exit, exit } from '../../src/arch/exits.ts';
import type { Pe } from '../../src/arch/pe.ts';
import { pe as record } from '../../src/arch/state-layout.ts';
import type { MemoryViews } from '../../src/memory/memory-views.ts';
import { assert } from '../../src/report/assert.ts';
import type { RunnableActor } from '../actor.ts';
import { type CoreEvent, coreLifecycle, type CoreState } from './lifecycle.ts';

/** Why a core that is on does not run. */
export type Wait = 'none' | 'bus' | 'barrier' | 'WFI' | 'WFE' | 'end of the run';

interface WaitingPort {
  readonly index: number;
  readonly words: MemoryViews['words'];
  readonly pe: Pe;
  /** The DVM operations that the PE has sent are complete, and the effects of its accesses to the GIC are known. */
  readonly isBarrierComplete: () => boolean;
  /** A suspended core goes on. */
  readonly resumed: () => void;
}

export interface Waiting {
  readonly state: () => CoreState;
  wait(): Wait;
  /** Asleep or suspended. */
  isDormant(): boolean;
  readonly isReady: () => boolean;
  /** A step of the core's lifecycle. */
  apply(event: CoreEvent): void;
  readonly waitFor: (kind: 'bus' | 'barrier' | 'end of the run') => void;
  sleep(kind: 'WFI' | 'WFE'): void;
  /** The engine has stopped with this code. */
  stoppedBy(code: Exit): void;
  /** An answer has come. */
  answered(): void;
  /** After anything that may end a wait. */
  reconsider(): void;
  /** See RunnableActor. */
  readonly look: RunnableActor['look'];
  /** The core comes out of reset. */
  reset(): void;
  restore(state: CoreState, wait: Wait): void;
}

export function makeWaiting({ index, words, pe, isBarrierComplete, resumed }: WaitingPort): Waiting {
  let state: CoreState = coreLifecycle.initial;
  let wait: Wait = 'none';

  function apply(event: CoreEvent): void {
    const next = coreLifecycle.next(state, event);
    assert(next !== undefined, `core ${index}: ${event} while ${state}`);
    state = next;
  }

  function sleep(kind: 'WFI' | 'WFE'): void {
    wait = kind;
    apply('SLEEP');
  }

  function wake(): void {
    wait = 'none';
    apply('WAKE');
  }

  function reconsider(): void {
    const eventWord = (pe.base + record.eventRegister) >>> 2;
    if (state === 'suspended' && pe.wakeUpPending()) {
      apply('WAKE');
      resumed();
    }
    if (wait === 'WFI' && pe.wakeUpPending()) wake();
    if (wait === 'WFE' && (words[eventWord] !== 0 || pe.pendingInterrupt() !== undefined)) {
      words[eventWord] = 0;
      wake();
    }
    if (wait === 'barrier' && isBarrierComplete()) wait = 'none';
  }

  return {
    state: () => state,
    wait: () => wait,
    isDormant: () => state === 'asleep' || state === 'suspended',
    isReady: () => state === 'on' && wait === 'none',
    apply,
    waitFor: (kind) => {
      wait = kind;
    },
    sleep,
    stoppedBy: (code) => {
      switch (code) {
        case exit.waitForInterrupt:
          if (!pe.wakeUpPending()) sleep('WFI');
          break;
        case exit.waitForEvent:
          if (pe.pendingInterrupt() === undefined) sleep('WFE');
          break;
        case exit.bus:
          wait = 'bus';
          break;
        case exit.barrier:
          wait = 'barrier';
          break;
        default:
        // It goes on, or a service has said that it does not.
      }
    },
    answered: () => {
      if (wait === 'bus') wait = 'none';
    },
    reconsider,
    look: (how) => {
      if (wait !== 'WFE') return false;
      const isSet = how === 'watch' ? pe.watchMonitor() : pe.isMonitorSet();
      if (!isSet) return false;
      if (!pe.hasLostMonitor() && how !== 'anyway') return true;
      pe.receiveEvent();
      reconsider();
      return false;
    },
    reset: () => {
      wait = 'none';
    },
    restore: (savedState, savedWait) => {
      state = savedState;
      wait = savedWait;
    },
  };
}
