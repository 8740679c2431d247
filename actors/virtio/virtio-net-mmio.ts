// A network device as an actor: its registers and its interrupt as every virtio device has them, and its frames as messages of the
// network's protocol to and from a switch.

import type { Actor, ActorId, Message, Port } from '../actor.ts';
import type { MacAddress } from '../network/ethernet.ts';
import { FrameAssembler, sendFrame } from '../network/messages.ts';
import { netDevice, type NetDevice } from './net.ts';
import type { VirtioTransport } from './transport.ts';
import { VirtioMmio, type VirtioMmioOptions } from './virtio-mmio.ts';

export interface VirtioNetOptions extends Omit<VirtioMmioOptions, 'device'> {
  readonly mac: MacAddress;
  /** Where its frames go and come from. */
  readonly wire: ActorId;
}

interface SavedVirtioNet {
  readonly transport: ReturnType<VirtioTransport['save']>;
  readonly assembler: ReturnType<FrameAssembler['save']>;
}

export class VirtioNetMmio implements Actor {
  private readonly mmio: VirtioMmio<NetDevice>;
  private readonly assembler = new FrameAssembler();

  constructor(port: Port, { mac, wire, ...options }: VirtioNetOptions) {
    const link = {
      send: (frame: Uint8Array) => {
        sendFrame(port, wire, frame);
      },
    };
    this.mmio = new VirtioMmio(port, { ...options, device: netDevice({ mac, link }) });
  }

  get transport(): VirtioTransport<NetDevice> {
    return this.mmio.transport;
  }

  receive(message: Message): void {
    const frame = this.assembler.receive(message);
    if (frame === undefined) this.mmio.receive(message);
    else this.transport.device.receiveFrame(frame);
  }

  timer(tag: number): void {
    this.mmio.timer(tag);
  }

  save(): SavedVirtioNet {
    return { transport: this.transport.save(), assembler: this.assembler.save() };
  }

  restore(saved: SavedVirtioNet): void {
    this.transport.restore(saved.transport);
    this.assembler.restore(saved.assembler);
  }
}
