// The tables of a system of virtual machines: a row for each vCPU, and one for each core of the hypervisor.

import Table from 'cli-table3';
import type { Counts, VmSystemReport } from '../vm/report.ts';
import { formatCount, formatTime } from './figures.ts';

const style = { head: [], border: [], compact: true };

/** Columns of text are on the left, figures on the right. */
export const tableOf = (head: readonly string[], textColumns: readonly string[]): InstanceType<typeof Table> =>
  new Table({
    head: [...head],
    colAligns: head.map((name) => (textColumns.includes(name) ? 'left' : 'right')),
    style,
  });

const listed = (counts: Counts): string =>
  Object.entries(counts)
    .map(([name, count]) => `${name} ${formatCount(count)}`)
    .join(', ');

export function formatVmTables({ vms, cores }: VmSystemReport): string {
  const guests = tableOf(
    ['VM', 'vCPU', 'core', 'state', 'in guest', 'asleep', 'injected', 'direct', 'switches', 'exits'],
    ['VM', 'state', 'exits'],
  );
  for (const { id, name, state, stopReason, vcpus } of vms)
    for (const { vcpu, core, guestNs, asleepNs, injectedInterrupts, directInterrupts, switches, exits } of vcpus)
      guests.push([
        `${id} ${name}`,
        `${vcpu}`,
        `${core}`,
        stopReason === undefined ? state : 'stopped',
        formatTime(guestNs),
        formatTime(asleepNs),
        formatCount(injectedInterrupts),
        formatCount(directInterrupts),
        formatCount(switches),
        listed(exits),
      ]);
  const [taken, sent, received] = ['IRQs at EL2', 'IPIs sent', 'IPIs received'];
  const hypervisor = tableOf(
    ['core', 'in guests', 'asleep', 'in EL2', 'idle', 'ticks', 'schedules', taken, 'foreign', sent, received],
    [taken, sent, received],
  );
  for (const core of cores)
    hypervisor.push([
      `${core.core}`,
      ...[core.guestNs, core.guestAsleepNs, core.hypervisorNs, core.idleNs].map(formatTime),
      ...[core.ticks, core.schedules].map(formatCount),
      listed(core.interrupts),
      formatCount(core.foreignInterrupts),
      listed(core.ipisSent),
      listed(core.ipisReceived),
    ]);
  const stopped = vms.flatMap(({ id, name, stopReason }) =>
    stopReason === undefined ? [] : [`VM ${id} (${name}) was stopped: ${stopReason}`],
  );
  return [guests.toString(), ...stopped, hypervisor.toString()].join('\n');
}
