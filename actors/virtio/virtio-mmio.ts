// A virtio device as an actor: bus requests reach its registers, the wire of its interrupt goes to the distributor.

import type { Actor, ActorId, Message, Port } from '../actor.ts';
import { serveBusRequest } from '../device.ts';
import { wireMessages } from '../gic/wires.ts';
import type { DeviceFactory, VirtioDevice } from './device.ts';
import type { GuestMemory } from './guest-memory.ts';
import { VirtioTransport } from './transport.ts';

export interface VirtioMmioOptions<Kind extends VirtioDevice = VirtioDevice> {
  readonly distributor: ActorId;
  /** Of the SPI that the interrupt line drives. */
  readonly intid: number;
  readonly memory: GuestMemory;
  readonly isTranslated?: boolean;
  readonly device: DeviceFactory<Kind>;
}

export class VirtioMmio<Kind extends VirtioDevice = VirtioDevice> implements Actor {
  readonly transport: VirtioTransport<Kind>;
  private readonly port: Port;

  constructor(port: Port, { distributor, intid, memory, isTranslated = false, device }: VirtioMmioOptions<Kind>) {
    this.port = port;
    this.transport = new VirtioTransport(
      {
        memory,
        isTranslated,
        interrupt: (level) => {
          port.send(distributor, (level ? wireMessages.WireSet : wireMessages.WireClear).code, [intid]);
        },
        now: () => port.now(),
        after: (ticks, tag) => {
          port.at(port.now() + ticks, tag);
        },
        cancel: (tag) => {
          port.cancel(tag);
        },
      },
      device,
    );
  }

  receive(message: Message): void {
    serveBusRequest(this.port, this.transport, message);
  }

  timer(tag: number): void {
    this.transport.timer(tag);
  }

  save(): unknown {
    return this.transport.save();
  }

  restore(saved: ReturnType<VirtioTransport['save']>): void {
    this.transport.restore(saved);
  }
}
