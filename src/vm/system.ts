// A system of virtual machines that is complete: the board, what the hypervisor is told, what lies in RAM at power-on, and what the
// devices that act for VMs are made of.

import type { Region } from '../board/memory-map.ts';
import type { SystemDescription } from '../hypervisor/description.ts';

/** Where RAM begins, and what is in it at power-on: the hypervisor's memory, the store, and the rest for VMs. */
export interface RamLayout {
  readonly ownMemory: { readonly pa: number; readonly bytes: number };
  readonly store: { readonly pa: number; readonly bytes: Uint8Array };
  readonly vmMemory: { readonly pa: number; readonly bytes: number };
}

/** A UART of the board that is passed through; its output is the VM's console. */
export interface GuestUart {
  readonly vm: string;
  readonly region: Required<Region>;
}

/** What VMs write to it is forgotten at the end of the run. */
export interface Disk {
  readonly name: string;
  readonly bytes: Uint8Array<SharedArrayBuffer>;
  readonly readOnly: boolean;
}

/** A part of a disk. */
export interface SectorRange {
  readonly first: number;
  readonly count: number;
}

/** What is behind a virtio transport of the board; position n of the list belongs to slot n of the description. */
export type Backend =
  | { readonly kind: 'block'; readonly vm: string; readonly disk: Disk; readonly sectors: SectorRange }
  /** The management VM carries out the requests on a disk of its own. */
  | { readonly kind: 'mediated-block'; readonly vm: string; readonly sizeBytes: number; readonly readOnly: boolean }
  /** `isDeaf`: frames for many are not for it, by the rule of the ancestor's switch. */
  | {
      readonly kind: 'net';
      readonly vm: string;
      readonly mac: readonly number[];
      readonly group: number;
      readonly isDeaf: boolean;
    }
  /** `peer` is the slot of the other end; without one the host is. */
  | { readonly kind: 'console'; readonly vm: string; readonly peer?: number }
  | { readonly kind: 'entropy'; readonly vm: string };

/** What the network devices of VMs are connected by. */
export interface NetworkDescription {
  /** File for the frames. */
  readonly capture?: string;
  /** Each group has a station that answers ARP, ICMP and DHCP. */
  readonly user: boolean;
  /** How frames are sent on: by what the switch learns, or by the addresses that it was told (actors/network/switch.ts). */
  readonly rule: 'learning' | 'table';
  readonly groups: number;
}

export interface VmSystem {
  readonly board: {
    readonly cores: number;
    readonly memoryBytes: number;
    readonly gicVersion: 2 | 3;
    /** Behind the board's SMMU. */
    readonly dmaEngines: number;
    /** SError interrupts of cores that the board reports, with their times. */
    readonly errors: readonly { readonly core: number; readonly atTicks: number }[];
  };
  readonly description: SystemDescription;
  readonly layout: RamLayout;
  readonly uarts: readonly GuestUart[];
  readonly backends: readonly Backend[];
  readonly network: NetworkDescription;
}
