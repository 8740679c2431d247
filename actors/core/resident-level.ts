// The core's side of software that is resident at EL2 or EL1 (src/arch/resident.ts): it starts activities, lets the ticks pass that they
// ask for, and carries their device accesses to the bus.

import type { Pe } from '../../src/arch/pe.ts';
import type {
  Activity,
  EntryEnd,
  ResidentAnswer,
  ResidentLevelSoftware,
  ResidentWait,
} from '../../src/arch/resident.ts';
import { vectorGroup } from '../../src/arch/resident.ts';
import { vector } from '../../src/arch/exceptions.ts';
import { assert } from '../../src/report/assert.ts';

export interface SavedResidentLevel {
  readonly version: 1;
  readonly isAsleep: boolean;
  readonly busyTicks: number;
}

export interface ResidentPort {
  readonly pc: () => number;
  /** Sends the access to whatever answers. */
  readonly access: (request: Extract<ResidentWait, { kind: 'access' }>) => void;
  readonly wait: (kind: 'bus' | 'barrier') => void;
  /** ERET. */
  readonly leave: () => void;
  readonly sleep: () => void;
}

export interface ResidentLevel {
  /** The PE has come out of reset. */
  reset(): void;
  /** True while the PE is at the software's level. */
  isEntered(): boolean;
  /** Goes on for at most `ticks`, and returns how many have passed. */
  run(ticks: number): number;
  answered(isOkay: boolean, valueLow: number, valueHigh: number): void;
  save(): SavedResidentLevel;
  restore(saved: SavedResidentLevel): void;
}

/** VBAR_ELx[10:0] are RES0: what is left of PC at an entry is the offset of the vector. */
const vectorMask = 0x7ff;

export function makeResidentLevel(
  pe: Pe,
  level: 1 | 2,
  software: ResidentLevelSoftware,
  port: ResidentPort,
): ResidentLevel {
  let activity: Activity<EntryEnd> | undefined;
  let isFromReset = false;
  let isAsleep = false;
  let busyTicks = 0;
  const nothing: ResidentAnswer = { isOkay: true, valueLow: 0, valueHigh: 0 };
  let answer = nothing;

  function begin(): Activity<EntryEnd> {
    if (isFromReset) {
      isFromReset = false;
      return software.reset();
    }
    if (!isAsleep) return software.exception(port.pc() & vectorMask);
    isAsleep = false;
    // The software sleeps with PSTATE.A clear, and with what the GIC signals masked: it asks the GIC itself.
    if (pe.takePendingSError()) return software.exception(port.pc() & vectorMask);
    return software.exception(vectorGroup.currentEl + vector.IRQ);
  }

  function end(result: EntryEnd): void {
    activity = undefined;
    // ERET and WFI are instructions: time passes in every entry.
    busyTicks = 1;
    if (result === 'return') {
      port.leave();
      return;
    }
    isAsleep = true;
    port.sleep();
  }

  function waitFor(wait: ResidentWait): void {
    switch (wait.kind) {
      case 'work':
        assert(wait.ticks > 0, 'work takes time');
        busyTicks = wait.ticks;
        break;
      case 'access':
        port.access(wait);
        port.wait('bus');
        break;
      case 'firmware':
        port.wait('bus');
        break;
      case 'barrier':
        port.wait('barrier');
    }
  }

  return {
    reset: () => {
      activity = undefined;
      isFromReset = true;
      isAsleep = false;
      busyTicks = 0;
    },
    isEntered: () => busyTicks > 0 || pe.currentEl() === level,
    run: (ticks) => {
      if (busyTicks === 0) {
        activity ??= begin();
        const { done, value } = activity.next(answer);
        answer = nothing;
        if (done) end(value);
        else waitFor(value);
      }
      const passed = Math.min(busyTicks, ticks);
      busyTicks -= passed;
      return passed;
    },
    answered: (isOkay, valueLow, valueHigh) => {
      answer = { isOkay, valueLow, valueHigh };
    },
    save: () => {
      assert(activity === undefined, `a core is saved while no entry to EL${level} is under way`);
      return { version: 1, isAsleep, busyTicks };
    },
    restore: (saved) => {
      activity = undefined;
      isFromReset = false;
      ({ isAsleep, busyTicks } = saved);
    },
  };
}
