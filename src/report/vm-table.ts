// The tables of a system of virtual machines: a row for each vCPU, and one for each core of the hypervisor.

import Table from 'cli-table3';
import type { VmSystemReport } from '../vm/report.ts';
import { formatCount, formatTime } from './figures.ts';
import type { Latency } from './latency.ts';

const style = { head: [], border: [], compact: true };

const listed = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([name, count]) => `${name} ${formatCount(count)}`)
    .join(', ');

export function formatVmTables({ vms, cores }: VmSystemReport): string {
  const guests = new Table({
    head: ['VM', 'vCPU', 'core', 'state', 'in guest', 'injected', 'direct', 'switches', 'exits'],
    style,
  });
  for (const { id, name, state, stopReason, vcpus } of vms)
    for (const { vcpu, core, guestNs, injectedInterrupts, directInterrupts, switches, exits } of vcpus)
      guests.push([
        `${id} ${name}`,
        `${vcpu}`,
        `${core}`,
        stopReason === undefined ? state : 'stopped',
        formatTime(guestNs),
        formatCount(injectedInterrupts),
        formatCount(directInterrupts),
        formatCount(switches),
        listed(exits),
      ]);
  const hypervisor = new Table({
    head: ['core', 'in EL2', 'idle', 'ticks', 'schedules', 'foreign IRQs', 'IPIs sent', 'IPIs received'],
    style,
  });
  for (const { core, hypervisorNs, idleNs, ticks, schedules, foreignInterrupts, ipisSent, ipisReceived } of cores)
    hypervisor.push([
      `${core}`,
      formatTime(hypervisorNs),
      formatTime(idleNs),
      formatCount(ticks),
      formatCount(schedules),
      formatCount(foreignInterrupts),
      listed(ipisSent),
      listed(ipisReceived),
    ]);
  const stopped = vms.flatMap(({ id, name, stopReason }) =>
    stopReason === undefined ? [] : [`VM ${id} (${name}) was stopped: ${stopReason}`],
  );
  return [guests.toString(), ...stopped, hypervisor.toString()].join('\n');
}

/** How late real-time tasks have woken. */
export function formatLatencies(latencies: Readonly<Record<string, Latency>>): string {
  const table = new Table({ head: ['latency of', 'min', 'median', 'p99', 'p99.9', 'max'], style });
  for (const [name, { min, median, p99, p999, max }] of Object.entries(latencies))
    table.push([name, ...[min, median, p99, p999, max].map(formatTime)]);
  return table.toString();
}
