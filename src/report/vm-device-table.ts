// The table of the virtio devices of virtual machines.

import type { VmDeviceReport } from '../vm/device-report.ts';
import { formatCount } from './figures.ts';
import { tableOf } from './vm-table.ts';

export function formatDevices(devices: readonly VmDeviceReport[]): string {
  const table = tableOf(
    ['VM', 'device', 'requests', 'bytes in', 'bytes out', 'dropped', 'errors', 'interrupts', 'guest errors'],
    ['VM', 'device'],
  );
  for (const { vm, device, requests, bytesIn, bytesOut, dropped, errors, interrupts, guestErrors } of devices)
    table.push([
      vm,
      device,
      ...[requests, bytesIn, bytesOut, dropped, errors, interrupts, guestErrors].map(formatCount),
    ]);
  const broken = devices.flatMap(({ vm, device, fault }) =>
    fault === undefined ? [] : [`${device} of ${vm} waits to be reset: ${fault}`],
  );
  return [table.toString(), ...broken].join('\n');
}
