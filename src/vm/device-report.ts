// What the virtio devices of virtual machines have done, in figures that mean the same for every kind.

import type { SystemDescription } from '../hypervisor/description.ts';

/** The counts of a transport of the board that acts for a device of this VM. */
export interface VmDeviceCounts {
  readonly slot: number;
  readonly kind: string;
  readonly vm: string;
  readonly interrupts: number;
  readonly guestErrors: number;
  /** The rule of the rings that the driver has broken, while the device waits for its reset. */
  readonly fault?: string;
  /** Counts of the transport and of the device. */
  readonly [counter: string]: number | string | undefined;
}

export interface VmDeviceReport {
  readonly vm: string;
  /** As its configuration names it. */
  readonly device: string;
  readonly kind: string;
  /** Buffers that the device has served: of a block device its requests, of a network device its frames, in and out. */
  readonly requests: number;
  /** Data bytes that the device has given to the guest, and taken from it. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** What came when nobody could take it, and frames of the guest that were none. */
  readonly dropped: number;
  /** Requests that ended with an error. */
  readonly errors: number;
  /** Interrupts that the device has raised for them. */
  readonly interrupts: number;
  /** What the driver has done that it may not. */
  readonly guestErrors: number;
  /** Times that the driver has broken a rule of the rings, and the rule, while the device waits for its reset. */
  readonly faults: number;
  readonly fault?: string;
}

const sectorBytes = 512;

export function deviceReports(
  { slots, vms }: Pick<SystemDescription, 'slots' | 'vms'>,
  counts: readonly VmDeviceCounts[],
): VmDeviceReport[] {
  return counts.map((of) => {
    const sum = (...names: readonly string[]): number =>
      names.reduce((total, name) => total + (typeof of[name] === 'number' ? of[name] : 0), 0);
    const devices = vms.find(({ name }) => name === of.vm)?.devices ?? [];
    const ipa = slots[of.slot]?.deviceIpa;
    return {
      vm: of.vm,
      device: devices.find((device) => device.ipa === ipa)?.name ?? '',
      kind: of.kind,
      requests: of.kind === 'net' ? sum('framesIn', 'framesOut') : sum('buffersUsed'),
      bytesIn: sum('bytesIn') + sectorBytes * sum('sectorsRead'),
      bytesOut: sum('bytesOut') + sectorBytes * sum('sectorsWritten'),
      dropped: sum('dropped', 'badFrames', 'bytesDropped'),
      errors: sum('errors', 'unsupported'),
      interrupts: of.interrupts,
      guestErrors: of.guestErrors,
      faults: sum('faults'),
      ...(of.fault === undefined ? {} : { fault: of.fault }),
    };
  });
}
