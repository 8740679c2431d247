// A virtio device that acts for a virtual machine, as an actor with one frame of 4 KiB: the transport of virtio-mmio.ts at 0x000, whose
// registers the hypervisor may give to the VM, or trap and carry out itself; and from 0x800 on, for the hypervisor alone, those of the
// requests of a mediated block device (mediated-requests.ts).

import type { Actor, Message, Port } from '../actor.ts';
import { busMessages } from '../bus/messages.ts';
import { serveBusRequest } from '../device.ts';
import type { MediatedRequests } from './mediated-requests.ts';
import type { VirtioConsoleMmio } from './virtio-console-mmio.ts';
import type { VirtioMmio } from './virtio-mmio.ts';
import type { VirtioNetMmio } from './virtio-net-mmio.ts';

export const vmTransportBytes = 0x1000;
export const requestRegisters = 0x800;

interface SavedVmTransport {
  readonly version: 1;
  readonly transport: ReturnType<Transport['save']>;
  readonly requests: ReturnType<MediatedRequests['save']> | undefined;
}

/** What the frame begins with: a device with its transport. */
type Transport = VirtioMmio | VirtioNetMmio | VirtioConsoleMmio;

export class VmTransport implements Actor {
  private readonly transport: Transport;
  private readonly port: Port;
  private readonly requests: MediatedRequests | undefined;

  /** `requests`: where somebody else serves the device's requests. */
  constructor(port: Port, transport: Transport, requests?: MediatedRequests) {
    this.port = port;
    this.transport = transport;
    this.requests = requests;
  }

  receive(message: Message): void {
    const [offset = 0, ...rest] = message.payload;
    const isAccess = message.code === busMessages.ReadRequest.code || message.code === busMessages.WriteRequest.code;
    if (isAccess && this.requests !== undefined && offset >= requestRegisters)
      serveBusRequest(this.port, this.requests, { ...message, payload: [offset - requestRegisters, ...rest] });
    else this.transport.receive(message);
  }

  timer(tag: number): void {
    this.transport.timer(tag);
  }

  save(): SavedVmTransport {
    return { version: 1, transport: this.transport.save(), requests: this.requests?.save() };
  }

  restore(saved: SavedVmTransport): void {
    (this.transport as { restore(saved: unknown): void }).restore(saved.transport);
    if (saved.requests) this.requests?.restore(saved.requests);
  }
}
