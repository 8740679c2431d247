// What a VM's device tree has to say, as the hypervisor knows it. Whoever puts the machine together gives the function that turns it
// into a flattened device tree, for the hypervisor knows no format of boards.

interface Range {
  readonly ipa: number;
  readonly bytes: number;
}

/** A device that the tree describes: its registers and its interrupts (INTIDs). */
export interface TreeDevice extends Range {
  readonly name: string;
  readonly kind: 'virtio,mmio' | 'arm,pl011' | 'heddle,dma-1' | 'heddle,rhyper' | 'heddle,store';
  readonly intids: readonly number[];
}

export interface VmTreeDescription {
  readonly vmName: string;
  readonly cpuCount: number;
  readonly memory: readonly Range[];
  readonly commandLine: string;
  readonly ramdisk?: Range;
  readonly gic:
    | { readonly version: 2; readonly distributor: Range; readonly cpuInterface: Range }
    | { readonly version: 3; readonly distributor: Range; readonly redistributors: Range };
  readonly devices: readonly TreeDevice[];
}

export type BuildVmTree = (description: VmTreeDescription) => Uint8Array;
