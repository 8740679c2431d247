// The two sides of a virtio device of any kind: what it offers to its transport, and what the transport does for it. Both are plain
// and synchronous, so that the same device serves as an actor on a board and inside a hypervisor.

import type { FeatureWords } from './features.ts';
import type { GuestMemory } from './guest-memory.ts';
import type { Chain } from './virtqueue.ts';

/** How a device with its transport acts on the world. */
export interface VirtioPort {
  readonly memory: GuestMemory;
  /** The driver is to know that an IOMMU translates: VIRTIO_F_ACCESS_PLATFORM is offered. */
  readonly isTranslated?: boolean;
  /** The level of the interrupt line; called when it changes. */
  interrupt(level: boolean): void;
  now(): number;
  /** Calls `timer(tag)` of the transport after so many ticks; a later call with the same tag replaces it. */
  after(ticks: number, tag: number): void;
  cancel(tag: number): void;
}

/** What a device asks of its transport. */
export interface DeviceHost {
  readonly memory: GuestMemory;
  /** What the driver has accepted; nothing before FEATURES_OK. */
  features(): FeatureWords;
  now(): number;
  after(ticks: number, tag: number): void;
  cancel(tag: number): void;
  /** The next buffer of a queue, if the driver is ready and has made one available. */
  take(queue: number): Chain | undefined;
  /** Puts the last buffer that was taken from the queue back. */
  putBack(queue: number, chain: Chain): void;
  /** Gives buffers back to the driver, all at once. */
  use(queue: number, ...buffers: readonly { readonly chain: Chain; readonly writtenBytes: number }[]): void;
  /** The device-specific configuration has changed by itself. */
  configChanged(): void;
  /** The driver has broken the device's own protocol beyond what a status can answer: DEVICE_NEEDS_RESET. */
  fail(): void;
}

/** A device of one kind. Timer tags are its own, from 0. */
export interface VirtioDevice {
  /** "Device Types"; 0 for a transport with nothing behind it. */
  readonly deviceId: number;
  /** Bits of its own; those of the rings are the transport's. */
  readonly features: readonly number[];
  /** The most entries of each of its queues. */
  readonly queueSizes: readonly number[];
  /** The device-specific configuration; `offset` is from its start. What lies outside reads 0. */
  readConfig(offset: number, sizeBytes: number): number;
  /** False where nothing can be written. */
  writeConfig(offset: number, sizeBytes: number, value: number): boolean;
  /** The driver has made buffers available in this queue. */
  notify(queue: number): void;
  timer(tag: number): void;
  /** Features are agreed upon, and the driver is about to use the device. */
  start(): void;
  /** The driver has reset the device: all buffers are forgotten. */
  reset(): void;
  /** The driver has reset one queue: its buffers are forgotten. */
  resetQueue(queue: number): void;
  save(): unknown;
  restore(saved: unknown): void;
}

/** Makes a device for the transport that will host it. */
export type DeviceFactory<Kind extends VirtioDevice = VirtioDevice> = (host: DeviceHost) => Kind;
