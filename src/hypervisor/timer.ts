// The hypervisor's own timer, CNTHP and PPI 26: it ends the time slice of the vCPU that has the core and, on the core that serves block
// requests, the patience with the management VM (mediated/service.ts). It is set for whichever comes first.

import type { CoreState } from './state.ts';
import type { Rhyper } from './context.ts';

const ENABLE = 1n;
const nanoseconds = 1_000_000_000n;

/** Of a core, as a count of CNTPCT_EL0; 0 without. */
type Deadline = 'sliceEnd' | 'patienceEnd';
const deadlines: readonly Deadline[] = ['sliceEnd', 'patienceEnd'];

const isOver = ({ core, system }: Rhyper, which: Deadline): boolean =>
  core[which] !== 0n && system.read('CNTPCT_EL0') >= core[which];

const earliest = (core: CoreState): bigint =>
  deadlines.reduce(
    (first, which) => (core[which] !== 0n && (first === 0n || core[which] < first) ? core[which] : first),
    0n,
  );

/** Sets the timer for what comes first. */
export function armTimer({ core, system }: Rhyper): void {
  const next = earliest(core);
  if (next !== 0n) system.write('CNTHP_CVAL_EL2', next);
  system.write('CNTHP_CTL_EL2', next === 0n ? 0n : ENABLE);
}

/** The count of CNTPCT_EL0 so many ticks from now. */
export function countAfter({ system }: Rhyper, ticks: number): bigint {
  const counts = (BigInt(ticks) * system.read('CNTFRQ_EL0')) / nanoseconds;
  return system.read('CNTPCT_EL0') + (counts === 0n ? 1n : counts);
}

/** Starts the time slice anew, or stops the tick. */
export function setTick(rhyper: Rhyper, on: boolean): void {
  rhyper.core.sliceEnd = on ? countAfter(rhyper, rhyper.options.tickTicks) : 0n;
  armTimer(rhyper);
}

export const isSliceOver = (rhyper: Rhyper): boolean => isOver(rhyper, 'sliceEnd');

/** When block requests are to be looked at again; 0 for never. */
export function setPatience(rhyper: Rhyper, end: bigint): void {
  if (rhyper.core.patienceEnd === end) return;
  rhyper.core.patienceEnd = end;
  armTimer(rhyper);
}

export const isPatienceOver = (rhyper: Rhyper): boolean => isOver(rhyper, 'patienceEnd');
