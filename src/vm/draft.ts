// A VM as a file describes it, before the VMs of a system are placed beside each other: names of files instead of their bytes, names of
// other VMs instead of their ids, cores that are still to be chosen.

import type {
  EmulatedDeviceDescription,
  TreeDeviceDescription,
  VmDescription,
  VmKind,
  WindowDescription,
} from '../hypervisor/description.ts';
import type { IpaRange } from '../hypervisor/description.ts';

/** What a refusal is about; the number counts within it. */
export type Aspect =
  'name' | 'cpus' | 'memory' | 'kernel' | 'ramdisk' | 'tree' | 'bootargs' | 'devices' | 'passthrough';

export interface DeviceDraft extends EmulatedDeviceDescription {
  /** The disk of a block device. */
  readonly disk?: string;
  /** The group of a network device, if it is in one. */
  readonly group?: string;
  /** The other end of a console; none is the host. */
  readonly peer?: string;
}

export interface FileDraft {
  readonly file: string;
  readonly loadIpa: number;
}

export interface VmDraft {
  readonly name: string;
  readonly kind: VmKind;
  /** `none`: in the store, for commands to create. */
  readonly boot: VmDescription['boot'] | 'none';
  readonly cpus: {
    readonly count: number | undefined;
    readonly cores: readonly number[] | undefined;
    readonly master: number | undefined;
    readonly exclusive: boolean;
  };
  readonly memory: readonly IpaRange[];
  /** An ELF file that is linked for another address is refused where an address was given, and goes there where none was. */
  readonly kernel: FileDraft & { readonly isLoadGiven: boolean };
  readonly ramdisk?: FileDraft;
  readonly tree?: { readonly loadIpa: number; readonly file?: string };
  readonly commandLine: string;
  readonly devices: readonly DeviceDraft[];
  readonly windows: readonly WindowDescription[];
  readonly irqs: readonly number[];
  readonly streams: readonly number[];
  readonly treeDevices: readonly TreeDeviceDescription[];
  /** Passes one of the board's UARTs through. */
  readonly hasUart: boolean;
  readonly refuse: (aspect: Aspect, index: number | undefined, message: string) => never;
}

export const bytesOfPage = 0x1000;

/** Where the parts of a VM lie unless its file says otherwise: the addresses of the ancestor's README. */
export const usual = {
  memoryIpa: 0x8000_0000,
  /** Of the MVM, whose image the ancestor puts here on QEMU. */
  mvmMemoryIpa: 0x5000_0000,
  /** From the start of memory. */
  kernelOffset: 0x8_0000,
  deviceIpa: 0xa00_0000,
  deviceBytes: bytesOfPage,
  deviceIntid: 48,
  uartIpa: 0x900_0000,
  distributorIpa: 0x800_0000,
  redistributorIpa: 0x80a_0000,
  redistributorBytes: 0x2_0000,
  cpuInterfaceIpa: 0x801_0000,
  cpuInterfaceBytes: 0x2000,
  /** SPI of the messages from the hypervisor. */
  notificationIntid: 64,
} as const;

export const kernelOfKind = {
  mvm: 'builtin:mvm',
  gvm: 'builtin:minikernel',
  rtvm: 'builtin:rt-task',
  app: 'builtin:bare-app',
} as const satisfies Record<VmKind, string>;
