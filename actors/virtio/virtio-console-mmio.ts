// A console whose other end is another console, as an actor: what its driver transmits travels to the other one, and what comes from there
// waits for the driver to give a buffer. What comes while there is no driver is dropped, as on a line that nobody listens to.

import type { Actor, ActorId, Message, Port } from '../actor.ts';
import { bytesOfMessage, sendBytes } from './console-messages.ts';
import { consoleDevice, type ConsoleDevice, type ConsoleOptions } from './console.ts';
import type { VirtioTransport } from './transport.ts';
import { VirtioMmio, type VirtioMmioOptions } from './virtio-mmio.ts';

export interface VirtioConsoleOptions
  extends Omit<VirtioMmioOptions, 'device'>, Pick<ConsoleOptions, 'columns' | 'rows'> {
  /** The other end. */
  readonly peer: ActorId;
}

export class VirtioConsoleMmio implements Actor {
  private readonly mmio: VirtioMmio<ConsoleDevice>;

  constructor(port: Port, { peer, columns, rows, ...options }: VirtioConsoleOptions) {
    const write = (bytes: readonly number[]): void => {
      sendBytes(port, peer, bytes);
    };
    this.mmio = new VirtioMmio(port, {
      ...options,
      device: consoleDevice({ ports: [{ sink: { write } }], columns, rows }),
    });
  }

  get transport(): VirtioTransport<ConsoleDevice> {
    return this.mmio.transport;
  }

  receive(message: Message): void {
    const bytes = bytesOfMessage(message);
    if (bytes === undefined) this.mmio.receive(message);
    else if (this.transport.isLive) this.transport.device.receiveBytes(0, bytes);
    else this.transport.device.counters.bytesDropped += bytes.length;
  }

  timer(tag: number): void {
    this.mmio.timer(tag);
  }

  save(): ReturnType<VirtioTransport['save']> {
    return this.transport.save();
  }

  restore(saved: ReturnType<VirtioTransport['save']>): void {
    this.mmio.restore(saved);
  }
}
