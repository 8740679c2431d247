// Groups of processes: whether anybody is left who could continue what is stopped (kernel/exit.c).

import type { Core } from './kernel.ts';
import { SIG, SI } from './signal-numbers.ts';
import { signalProcess } from './signals.ts';
import type { Process } from './state.ts';

const membersOf = ({ state }: Core, group: number): Process[] =>
  [...state.processes.values()].filter((process) => process.group === group && !process.isZombie);

/** No member has a parent in another group of the same session: stopping signals of terminals do not stop it. */
export const isOrphaned = (core: Core, group: number): boolean =>
  !membersOf(core, group).some(
    ({ parent, session }) => parent && !parent.isZombie && parent.group !== group && parent.session === session,
  );

/** A group that has become orphaned by the end of a process hears SIGHUP, and goes on, if it is stopped. */
export function endOrphans(core: Core, groups: readonly number[]): void {
  for (const group of new Set(groups)) {
    const members = membersOf(core, group);
    if (!members.some(({ stop }) => stop !== undefined) || !isOrphaned(core, group)) continue;
    for (const number of [SIG.HUP, SIG.CONT])
      for (const member of members) signalProcess(core, member, { number, code: SI.KERNEL });
  }
}
