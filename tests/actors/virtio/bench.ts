// A transport on a port that records what it does, in a memory of which it may reach the middle.

import type { DeviceFactory, VirtioDevice, VirtioPort } from '../../../actors/virtio/device.ts';
import type { GuestMemory } from '../../../actors/virtio/guest-memory.ts';
import { configOffset, type TransportRegister, transportTable } from '../../../actors/virtio/transport-registers.ts';
import { VirtioTransport } from '../../../actors/virtio/transport.ts';

/** Bytes at `base`, between two fences that nobody may touch. */
class FencedMemory implements GuestMemory {
  readonly base = 0x4000_0000;
  readonly sizeBytes: number;
  private readonly all: Uint8Array;
  private readonly view: DataView;

  constructor(sizeBytes = 0x4_0000) {
    this.sizeBytes = sizeBytes;
    this.all = new Uint8Array(sizeBytes + 2 * fenceBytes).fill(fenceByte);
    this.all.fill(0, fenceBytes, fenceBytes + sizeBytes);
    this.view = new DataView(this.all.buffer);
  }

  holds(address: number, sizeBytes: number): boolean {
    return address >= this.base && address + sizeBytes <= this.base + this.sizeBytes;
  }

  readBytes(address: number, sizeBytes: number): Uint8Array | undefined {
    return this.holds(address, sizeBytes) ? this.all.slice(this.at(address), this.at(address) + sizeBytes) : undefined;
  }

  writeBytes(address: number, source: Uint8Array): boolean {
    if (!this.holds(address, source.length)) return false;
    this.all.set(source, this.at(address));
    return true;
  }

  readWord(address: number, sizeBytes: 1 | 2 | 4): number | undefined {
    if (!this.holds(address, sizeBytes)) return undefined;
    const at = this.at(address);
    if (sizeBytes === 1) return this.view.getUint8(at);
    return sizeBytes === 2 ? this.view.getUint16(at, true) : this.view.getUint32(at, true);
  }

  writeWord(address: number, sizeBytes: 1 | 2 | 4, value: number): boolean {
    if (!this.holds(address, sizeBytes)) return false;
    const at = this.at(address);
    if (sizeBytes === 1) this.view.setUint8(at, value);
    else if (sizeBytes === 2) this.view.setUint16(at, value, true);
    else this.view.setUint32(at, value, true);
    return true;
  }

  get fencesStand(): boolean {
    const end = fenceBytes + this.sizeBytes;
    return [...this.all.subarray(0, fenceBytes), ...this.all.subarray(end)].every((byte) => byte === fenceByte);
  }

  private at(address: number): number {
    return address - this.base + fenceBytes;
  }
}

const fenceBytes = 4096;
const fenceByte = 0xa5;

class FakeVirtioPort implements VirtioPort {
  readonly memory = new FencedMemory();
  readonly timers = new Map<number, number>();
  level = false;
  ticks = 0;

  interrupt(level: boolean): void {
    this.level = level;
  }

  now(): number {
    return this.ticks;
  }

  after(ticks: number, tag: number): void {
    this.timers.set(tag, this.ticks + ticks);
  }

  cancel(tag: number): void {
    this.timers.delete(tag);
  }
}

export class Bench<Kind extends VirtioDevice> {
  readonly port = new FakeVirtioPort();
  readonly memory = this.port.memory;
  readonly transport: VirtioTransport<Kind>;
  private nextFree = this.memory.base;

  constructor(factory: DeviceFactory<Kind>) {
    this.transport = new VirtioTransport(this.port, factory);
  }

  get device(): Kind {
    return this.transport.device;
  }

  /** Lets simulated time pass until no timer is set. */
  settle(): void {
    for (;;) {
      const [first] = [...this.port.timers].sort(([, a], [, b]) => a - b);
      if (first === undefined) return;
      this.port.timers.delete(first[0]);
      this.port.ticks = first[1];
      this.transport.timer(first[0]);
    }
  }

  read(name: TransportRegister): number {
    return this.transport.read(offsetOf(name), 4);
  }

  write(name: TransportRegister, value: number): void {
    this.transport.write(offsetOf(name), 4, value);
  }

  config(offset: number, sizeBytes = 4): number {
    return this.transport.read(configOffset + offset, sizeBytes);
  }

  allocate(sizeBytes: number, alignment = 16): number {
    const address = Math.ceil(this.nextFree / alignment) * alignment;
    this.nextFree = address + sizeBytes;
    return address;
  }

  get offered(): number[] {
    return [0, 1].flatMap((word) => {
      this.write('DeviceFeaturesSel', word);
      const bits = this.read('DeviceFeatures');
      return Array.from({ length: 32 }, (_, n) => n).flatMap((n) => ((bits >>> n) & 1 ? [32 * word + n] : []));
    });
  }

  /** Steps 1 to 5 of "Device Initialization"; returns the status. */
  negotiate(features: readonly number[]): number {
    this.write('Status', 0);
    this.write('Status', 1);
    this.write('Status', 3);
    for (const word of [0, 1]) {
      this.write('DriverFeaturesSel', word);
      const bits = features.filter((bit) => bit >> 5 === word).reduce((sum, bit) => sum | (1 << (bit & 31)), 0);
      this.write('DriverFeatures', bits >>> 0);
    }
    this.write('Status', 11);
    return this.read('Status');
  }

  goLive(): void {
    this.write('Status', this.read('Status') | 4);
  }

  placeQueue(index: number, size: number, areas: readonly [number, number, number]): void {
    this.write('QueueSel', index);
    this.write('QueueNum', size);
    const names = ['QueueDesc', 'QueueDriver', 'QueueDevice'] as const;
    names.forEach((name, n) => {
      const area = areas[n] as number;
      this.write(`${name}Low`, area >>> 0);
      this.write(`${name}High`, Math.floor(area / 2 ** 32));
    });
    this.write('QueueReady', 1);
  }
}

const offsetOf = (name: TransportRegister): number =>
  transportTable.rows.find((row) => row.name === name)?.offset ?? NaN;
