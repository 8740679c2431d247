// The entropy device (virtio 1.2, "Entropy Device"). Its bytes follow from a seed: two runs with the same seed see the same ones.

import { makeRandom, type Random } from '../random.ts';
import type { DeviceFactory, DeviceHost, VirtioDevice } from './device.ts';
import { bytesIn, scatter } from './parts.ts';

/** The most bytes of one request; a driver learns from the used length that it got no more. */
const maxRequestBytes = 0x1_0000;

interface SavedEntropy {
  readonly version: 1;
  readonly random: number;
  readonly bytes: number;
}

export class EntropyDevice implements VirtioDevice {
  readonly deviceId = 4;
  readonly features = [];
  readonly queueSizes = [8];
  /** Bytes given to the driver. */
  bytes = 0;
  private readonly host: DeviceHost;
  private readonly random: Random;

  constructor(host: DeviceHost, seed: number) {
    this.host = host;
    this.random = makeRandom(seed);
  }

  notify(queue: number): void {
    for (let chain = this.host.take(queue); chain; chain = this.host.take(queue)) {
      const bytes = new Uint8Array(Math.min(maxRequestBytes, bytesIn(chain.writable)));
      for (let n = 0; n < bytes.length; n += 1) bytes[n] = this.random.below(256);
      const done = scatter(this.host.memory, chain.writable, bytes);
      if (done) this.bytes += bytes.length;
      this.host.use(queue, { chain, writtenBytes: done ? bytes.length : 0 });
    }
  }

  get counters(): { readonly bytesIn: number } {
    return { bytesIn: this.bytes };
  }

  readConfig(): number {
    return 0;
  }

  writeConfig(): boolean {
    return false;
  }

  timer(): void {}

  start(): void {}

  reset(): void {}

  resetQueue(): void {}

  save(): SavedEntropy {
    return { version: 1, random: this.random.save(), bytes: this.bytes };
  }

  restore(saved: SavedEntropy): void {
    this.random.restore(saved.random);
    this.bytes = saved.bytes;
  }
}

export const entropyDevice =
  (seed: number): DeviceFactory<EntropyDevice> =>
  (host) =>
    new EntropyDevice(host, seed);
