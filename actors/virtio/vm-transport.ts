// A virtio device that acts for a virtual machine: the transport of virtio-mmio.ts, and behind it the windows through which the device
// reaches memory. The hypervisor sets the windows; the transport's registers it may give to the VM, or trap and carry out itself.
//
// One frame of 4 KiB: the transport at 0x000, the windows at 0x800: COUNT at 0x800, and for each window from 0x810 on six words, the
// guest address, the address behind it and the size, low word first. A window counts when COUNT includes it. From 0xC00 on a mediated
// block device has the registers of its requests (mediated-requests.ts).

import type { Actor, Message, Port } from '../actor.ts';
import { busMessages } from '../bus/messages.ts';
import { type Device, type GuestErrors, noGuestErrors, serveBusRequest } from '../device.ts';
import { type GuestMemory, type MemoryWindow, windowedMemory } from './guest-memory.ts';
import type { MediatedRequests } from './mediated-requests.ts';
import type { VirtioConsoleMmio } from './virtio-console-mmio.ts';
import type { VirtioMmio } from './virtio-mmio.ts';
import type { VirtioNetMmio } from './virtio-net-mmio.ts';

export const vmTransportBytes = 0x1000;
export const windowRegisters = 0x800;
const requestRegisters = 0xc00;

const firstWindow = 0x10;
const windowWords = 6;
const maxWindows = 4;
const twoTo32 = 2 ** 32;

interface SavedVmTransport {
  readonly version: 1;
  readonly words: readonly number[];
  readonly count: number;
  readonly transport: ReturnType<Transport['save']>;
  readonly requests: ReturnType<MediatedRequests['save']> | undefined;
}

/** What the frame begins with: a device with its transport. */
type Transport = VirtioMmio | VirtioNetMmio | VirtioConsoleMmio;

/** The registers of the windows, and the windows that they describe, in one array that stays the same. */
class Windows implements Device {
  readonly guestErrors: GuestErrors = noGuestErrors();
  readonly list: MemoryWindow[] = [];
  words = new Uint32Array(maxWindows * windowWords);
  count = 0;

  read(offset: number, sizeBytes: number): number {
    if (sizeBytes !== 4) this.guestErrors.unsupportedSize++;
    if (offset === 0) return this.count;
    return this.words[(offset - firstWindow) / 4] ?? 0;
  }

  write(offset: number, sizeBytes: number, value: number): void {
    const at = (offset - firstWindow) / 4;
    if (sizeBytes !== 4) this.guestErrors.unsupportedSize++;
    else if (offset === 0) this.count = Math.min(value, maxWindows);
    else if (at >= 0 && at < this.words.length) this.words[at] = value;
    else this.guestErrors.unknownOffset++;
    this.refresh();
  }

  refresh(): void {
    const wide = (n: number): number => (this.words[n + 1] ?? 0) * twoTo32 + (this.words[n] ?? 0);
    this.list.length = 0;
    for (let n = 0; n < this.count; n += 1) {
      const at = n * windowWords;
      this.list.push({ base: wide(at), target: wide(at + 2), sizeBytes: wide(at + 4) });
    }
  }
}

/** The transport sees its own registers; what lies above them are the windows. */
export class VmTransport implements Actor {
  private readonly windows = new Windows();
  private readonly transport: Transport;
  private readonly port: Port;
  private readonly requests: MediatedRequests | undefined;

  /** `make` is given the memory that the windows show; `requests`: where somebody else serves the device's requests. */
  constructor(port: Port, memory: GuestMemory, make: (memory: GuestMemory) => Transport, requests?: MediatedRequests) {
    this.port = port;
    this.requests = requests;
    this.transport = make(windowedMemory(memory, this.windows.list));
  }

  receive(message: Message): void {
    const [offset = 0, ...rest] = message.payload;
    const isAccess = message.code === busMessages.ReadRequest.code || message.code === busMessages.WriteRequest.code;
    if (!isAccess || offset < windowRegisters) {
      this.transport.receive(message);
      return;
    }
    const [device, base]: readonly [Device, number] =
      this.requests !== undefined && offset >= requestRegisters
        ? [this.requests, requestRegisters]
        : [this.windows, windowRegisters];
    serveBusRequest(this.port, device, { ...message, payload: [offset - base, ...rest] });
  }

  timer(tag: number): void {
    this.transport.timer(tag);
  }

  save(): SavedVmTransport {
    const { words, count } = this.windows;
    return { version: 1, words: [...words], count, transport: this.transport.save(), requests: this.requests?.save() };
  }

  restore(saved: SavedVmTransport): void {
    this.windows.words = Uint32Array.from(saved.words);
    this.windows.count = saved.count;
    this.windows.refresh();
    (this.transport as { restore(saved: unknown): void }).restore(saved.transport);
    if (saved.requests) this.requests?.restore(saved.requests);
  }
}
