// What the environment has last been told of the timers, so that it is told of changes only.

import { never, type TimerKind } from './environment.ts';

export interface TimerOutput {
  deadlineTicks: number;
  level: boolean;
}

export function createTimerOutputs(): Record<TimerKind, TimerOutput> {
  const quiet = (): TimerOutput => ({ deadlineTicks: never, level: false });
  return {
    CNTP: quiet(),
    CNTV: quiet(),
    CNTHP: quiet(),
    CNTHV: quiet(),
    CNTPS: quiet(),
    PMU: quiet(),
    events: quiet(),
  };
}
