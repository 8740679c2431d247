// The tables of a system of virtual machines: a row for each vCPU, and one for each core of the hypervisor.

import Table from 'cli-table3';
import type { VmSystemReport } from '../vm/report.ts';
import { formatCount, formatTime } from './figures.ts';

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
  for (const { id, name, state, vcpus } of vms)
    for (const { vcpu, core, guestNs, injectedInterrupts, directInterrupts, switches, exits } of vcpus)
      guests.push([
        `${id} ${name}`,
        `${vcpu}`,
        `${core}`,
        state,
        formatTime(guestNs),
        formatCount(injectedInterrupts),
        formatCount(directInterrupts),
        formatCount(switches),
        listed(exits),
      ]);
  const hypervisor = new Table({
    head: ['core', 'in EL2', 'idle', 'ticks', 'schedules', 'foreign IRQs', 'IPIs sent'],
    style,
  });
  for (const { core, hypervisorNs, idleNs, ticks, schedules, foreignInterrupts, ipisSent } of cores)
    hypervisor.push([
      `${core}`,
      formatTime(hypervisorNs),
      formatTime(idleNs),
      formatCount(ticks),
      formatCount(schedules),
      formatCount(foreignInterrupts),
      listed(ipisSent),
    ]);
  return `${guests.toString()}\n${hypervisor.toString()}`;
}
