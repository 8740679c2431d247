// A system of virtual machines as plain data: what the host has read from files and checked, and what the hypervisor builds. It holds
// every VM of the system; the hypervisor itself builds VM 0 and those with `boot: 'power-on'`. The MVM makes the others by hypercalls,
// from the store that the host has put into RAM.

import type { RhyperOptions } from './options.ts';
import type { deviceKind } from './state.ts';

/** A range of intermediate physical addresses. */
export interface IpaRange {
  readonly ipa: number;
  readonly bytes: number;
}

/** The MVM manages the others; an RTVM is a general-purpose VM on cores of its own; an app starts with the end of its memory in X0. */
export type VmKind = 'mvm' | 'gvm' | 'rtvm' | 'app';

export interface VmCpus {
  /** At most as many as `mask` has cores. */
  readonly count: number;
  /** Physical cores that the VM may use. */
  readonly mask: number;
  /** The core of vCPU 0; without it, the lowest of the mask. */
  readonly master?: number;
  /** No other VM uses these cores: checked by the host. */
  readonly exclusive: boolean;
}

/** A file in memory of the VM. */
export interface LoadedFile {
  readonly bytes: Uint8Array;
  readonly loadIpa: number;
}

export type EmulatedDeviceKind = keyof typeof deviceKind;

export interface EmulatedDeviceDescription extends IpaRange {
  readonly name: string;
  readonly kind: EmulatedDeviceKind;
  /** 0 without. */
  readonly intid: number;
  /**
   * cfg_list of the hypercall: block [first sector, sectors], net the six bytes of the MAC address, console [peer VM, peer IPA], none
   * for a console whose peer is the host. A mediated block device has a third: the number of the MVM's disk, from 1, or 0 for one that
   * nobody has.
   */
  readonly arguments: readonly number[];
}

/** Registers of the board that the VM reaches without an exit. */
export interface WindowDescription extends IpaRange {
  readonly pa: number;
  /** A write is a permission fault of stage 2, and stops the VM. */
  readonly readOnly?: boolean;
}

/** A row of dtb_device_list: what the generated tree describes besides the emulated devices. */
export interface TreeDeviceDescription extends IpaRange {
  readonly name: string;
  readonly kind: (typeof treeDeviceKinds)[number];
  readonly intids: readonly number[];
}

/** dtb_device types, as HVC arguments number them: positions in this list. The ancestor has no DMA engine. */
export const treeDeviceKinds = ['serial', 'gicd', 'gicc', 'gicr', 'dma'] as const;

export interface VmDescription {
  readonly name: string;
  readonly kind: VmKind;
  /** Booted by the hypervisor at power-on, or created and booted by the MVM. VM 0 is booted at power-on. */
  readonly boot: 'power-on' | 'mvm';
  readonly cpus: VmCpus;
  readonly memory: readonly IpaRange[];
  /** A flat image; it is entered at its first byte. */
  readonly kernel: LoadedFile;
  readonly ramdisk?: LoadedFile;
  /** Where the device tree goes, and X0 points: the one in `bytes`, or a generated one. Without it X0 is 0; an app's never has one. */
  readonly tree?: { readonly loadIpa: number; readonly bytes?: Uint8Array };
  readonly commandLine: string;
  readonly devices: readonly EmulatedDeviceDescription[];
  readonly windows: readonly WindowDescription[];
  /** INTIDs of the board that are the VM's: PPIs may be several VMs', an SPI is one VM's. */
  readonly irqs: readonly number[];
  /** StreamIDs of the devices that reach memory for the VM. */
  readonly streams: readonly number[];
  readonly treeDevices: readonly TreeDeviceDescription[];
}

/**
 * A virtio-mmio transport of the board that acts for an emulated device of a VM: position n of the list is transport n. When the VM is
 * built, the slot is found by the VM's name and the device's IPA.
 */
export interface SlotDescription {
  readonly vm: string;
  readonly deviceIpa: number;
  readonly kind: EmulatedDeviceKind;
  /** The registers on the board's bus, and the SPI's INTID. */
  readonly pa: number;
  readonly intid: number;
  /** The device's StreamID. */
  readonly stream: number;
}

/** The archive of images and configurations, in RAM; VM 0 sees it read-only at `ipa`. */
export interface StoreDescription extends IpaRange {
  readonly pa: number;
}

export interface SystemDescription {
  readonly options: RhyperOptions;
  /** The MVM first. */
  readonly vms: readonly VmDescription[];
  readonly slots: readonly SlotDescription[];
  readonly store?: StoreDescription;
}
