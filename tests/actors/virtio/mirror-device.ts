// A device for the tests of rings: it keeps what it takes until it is told to answer, and answers with the bytes that it has read,
// each of them inverted.

import type { DeviceHost, VirtioDevice } from '../../../actors/virtio/device.ts';
import { bytesIn, gather, scatter } from '../../../actors/virtio/parts.ts';
import type { Chain } from '../../../actors/virtio/virtqueue.ts';

export class MirrorDevice implements VirtioDevice {
  readonly deviceId = 42;
  readonly features = [3];
  readonly queueSizes = [64, 64];
  readonly held: { queue: number; chain: Chain }[] = [];
  readonly notified: number[] = [];
  readonly host: DeviceHost;

  constructor(host: DeviceHost) {
    this.host = host;
  }

  notify(queue: number): void {
    this.notified.push(queue);
    for (let chain = this.host.take(queue); chain; chain = this.host.take(queue)) this.held.push({ queue, chain });
  }

  /** Answers one of the buffers that it keeps. */
  answer(position: number): void {
    const [{ queue, chain }] = this.held.splice(position, 1) as [{ queue: number; chain: Chain }];
    this.host.use(queue, { chain, writtenBytes: this.mirror(chain) });
  }

  mirror(chain: Chain): number {
    const bytes = new Uint8Array(bytesIn(chain.readable));
    gather(this.host.memory, chain.readable, bytes);
    const size = Math.min(bytes.length, bytesIn(chain.writable));
    scatter(
      this.host.memory,
      chain.writable,
      bytes.map((byte) => byte ^ 0xff),
    );
    return size;
  }

  readConfig(offset: number): number {
    return offset;
  }

  writeConfig(): boolean {
    return false;
  }

  timer(): void {}

  start(): void {}

  reset(): void {
    this.held.length = 0;
  }

  resetQueue(queue: number): void {
    const kept = this.held.filter((entry) => entry.queue !== queue);
    this.held.splice(0, this.held.length, ...kept);
  }

  save(): unknown {
    return this.held.map((entry) => ({ ...entry }));
  }

  restore(saved: MirrorDevice['held']): void {
    this.held.splice(0, this.held.length, ...saved);
  }
}
