// The table of the streams of a system of virtual machines.

import type { VmSmmuReport } from '../vm/smmu-report.ts';
import { formatCount } from './figures.ts';
import { tableOf } from './vm-table.ts';

/** Streams that have been used, by device. */
export function formatStreams({ streams }: VmSmmuReport): string | undefined {
  const used = streams.filter(({ vm, requests }) => vm !== undefined || requests > 0);
  if (used.length === 0) return undefined;
  const table = tableOf(
    ['stream', 'device', 'VM', 'translations', 'TLB hits', 'faults', 'recorded', 'invalidations'],
    ['device', 'VM'],
  );
  for (const {
    streamId,
    device,
    vm = 'nobody',
    requests,
    hits,
    faults,
    recordedFaults,
    isSilenced,
    invalidations,
  } of used)
    table.push([
      `${streamId}`,
      device,
      vm,
      ...[requests, hits, faults].map(formatCount),
      `${formatCount(recordedFaults)}${isSilenced ? ', silenced' : ''}`,
      formatCount(invalidations),
    ]);
  return table.toString();
}
