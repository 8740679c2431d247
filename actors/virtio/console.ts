// The console device (virtio 1.2, "Console Device"): ports with a receive and a transmit queue each, and, with MULTIPORT, a pair of
// control queues by which ports are announced, named and opened. What a driver transmits goes to the sink of its port at once; what
// comes in waits until the driver has opened the port and given a buffer. Left out: removing ports.

import type { ConsoleSink } from '../uart/uart.ts';
import { ConfigSpace } from './config-space.ts';
import type { DeviceFactory, DeviceHost, VirtioDevice } from './device.ts';
import { hasFeature } from './features.ts';
import { bytesIn, readableBytes, scatter } from './parts.ts';
import type { Chain } from './virtqueue.ts';

export interface ConsolePort {
  /** By which a driver finds it; a port without a name is a console. */
  readonly name?: string;
  readonly sink: ConsoleSink;
}

export interface ConsoleOptions {
  /** By number; port 0 is the first console or absent. */
  readonly ports: readonly (ConsolePort | undefined)[];
  readonly columns: number;
  readonly rows: number;
}

const consoleFeature = { SIZE: 0, MULTIPORT: 1, EMERG_WRITE: 2 } as const;

/** Of struct virtio_console_control. */
export const controlEvent = {
  DEVICE_READY: 0,
  DEVICE_ADD: 1,
  PORT_READY: 3,
  CONSOLE_PORT: 4,
  RESIZE: 5,
  PORT_OPEN: 6,
  PORT_NAME: 7,
} as const;

/** Offsets in struct virtio_console_config. */
const config = { columns: 0, rows: 2, maxPorts: 4, emergencyWrite: 8, sizeBytes: 12 } as const;
const controlBytes = 8;
const controlReceive = 2;
const controlTransmit = 3;
const queueSize = 128;
/** Control messages that wait for a buffer: more than a well-behaved driver causes for all of its ports. */
const maxControlMessages = 256;
/** Input that waits for a driver. */
const maxInputBytes = 0x1_0000;
const pieceBytes = 4096;

interface PortState {
  /** The driver has opened it. */
  open: boolean;
  input: number[];
}

interface SavedConsole {
  readonly version: 1;
  readonly columns: number;
  readonly rows: number;
  readonly ports: readonly PortState[];
  readonly control: readonly (readonly number[])[];
  readonly counters: ConsoleCounters;
}

export interface ConsoleCounters {
  bytesOut: number;
  bytesIn: number;
  /** Input that there was no room for, or nobody to take. */
  bytesDropped: number;
  controlMessages: number;
}

/** Receive and transmit queue of a port: those of port 0 come before the control queues. */
const receiveQueue = (port: number): number => (port === 0 ? 0 : 2 * port + 2);

export class ConsoleDevice implements VirtioDevice {
  readonly deviceId = 3;
  readonly features = Object.values(consoleFeature);
  readonly queueSizes: readonly number[];
  readonly counters: ConsoleCounters = { bytesOut: 0, bytesIn: 0, bytesDropped: 0, controlMessages: 0 };
  private readonly host: DeviceHost;
  private readonly ports: readonly (ConsolePort | undefined)[];
  private readonly config = new ConfigSpace(config.sizeBytes);
  private states: PortState[];
  private control: (readonly number[])[] = [];

  constructor(host: DeviceHost, { ports, columns, rows }: ConsoleOptions) {
    this.host = host;
    this.ports = ports.length === 0 ? [undefined] : ports;
    this.queueSizes = Array.from({ length: 2 * this.ports.length + 2 }, () => queueSize);
    this.states = this.ports.map(() => ({ open: false, input: [] }));
    this.config.view.setUint32(config.maxPorts, this.ports.length, true);
    this.setSize(columns, rows);
  }

  /** The console that port 0 shows on has another size. */
  resize(columns: number, rows: number): void {
    this.setSize(columns, rows);
    this.host.configChanged();
    if (this.isMultiport) this.sendControl(0, controlEvent.RESIZE, 0, [...word16(columns), ...word16(rows)]);
  }

  /** Input for a port; returns how many bytes there was room for. */
  receiveBytes(port: number, bytes: readonly number[]): number {
    const state = this.states[port];
    if (state === undefined) return 0;
    const accepted = Math.min(bytes.length, maxInputBytes - state.input.length);
    for (let n = 0; n < accepted; n += 1) state.input.push(bytes[n]! & 0xff);
    this.counters.bytesDropped += bytes.length - accepted;
    this.deliverInput(port);
    return accepted;
  }

  private get isMultiport(): boolean {
    return hasFeature(this.host.features(), consoleFeature.MULTIPORT);
  }

  private setSize(columns: number, rows: number): void {
    this.config.view.setUint16(config.columns, columns, true);
    this.config.view.setUint16(config.rows, rows, true);
  }

  readConfig(offset: number, sizeBytes: number): number {
    return this.config.read(offset, sizeBytes);
  }

  /** An emergency write needs no queue and no negotiation. */
  writeConfig(offset: number, _sizeBytes: number, value: number): boolean {
    if (offset !== config.emergencyWrite) return false;
    this.transmit(0, [value & 0xff]);
    return true;
  }

  notify(queue: number): void {
    if (queue === controlReceive) this.deliverControl();
    else if (queue === controlTransmit) this.takeControl();
    else {
      const port = queue < 2 ? 0 : (queue >> 1) - 1;
      if ((queue & 1) === 0) this.deliverInput(port);
      else this.takeOutput(port, queue);
    }
  }

  private takeOutput(port: number, queue: number): void {
    for (let chain = this.host.take(queue); chain; chain = this.host.take(queue)) {
      const sizeBytes = bytesIn(chain.readable);
      for (let at = 0; at < sizeBytes; at += pieceBytes) {
        const piece = readableBytes(this.host.memory, chain.readable, at, pieceBytes);
        if (piece !== undefined) this.transmit(port, [...piece]);
      }
      this.host.use(queue, { chain, writtenBytes: 0 });
    }
  }

  private transmit(port: number, bytes: readonly number[]): void {
    this.counters.bytesOut += bytes.length;
    this.ports[port]?.sink.write(bytes);
  }

  private deliverInput(port: number): void {
    const state = this.states[port];
    if (state === undefined || (this.isMultiport && !state.open)) return;
    const queue = receiveQueue(port);
    while (state.input.length > 0) {
      const chain = this.host.take(queue);
      if (chain === undefined) return;
      const bytes = Uint8Array.from(state.input.splice(0, bytesIn(chain.writable)));
      scatter(this.host.memory, chain.writable, bytes);
      this.counters.bytesIn += bytes.length;
      this.host.use(queue, { chain, writtenBytes: bytes.length });
    }
  }

  private takeControl(): void {
    for (let chain = this.host.take(controlTransmit); chain; chain = this.host.take(controlTransmit)) {
      const bytes = readableBytes(this.host.memory, chain.readable, 0, controlBytes);
      this.host.use(controlTransmit, { chain, writtenBytes: 0 });
      if (bytes?.length !== controlBytes) continue;
      const view = new DataView(bytes.buffer, bytes.byteOffset, controlBytes);
      this.counters.controlMessages++;
      this.obey(view.getUint32(0, true), view.getUint16(4, true), view.getUint16(6, true));
    }
  }

  /** What the driver says about a port. */
  private obey(id: number, event: number, value: number): void {
    if (event === controlEvent.DEVICE_READY) {
      if (value !== 1) return;
      this.ports.forEach((port, n) => {
        if (port !== undefined) this.sendControl(n, controlEvent.DEVICE_ADD, 0);
      });
      return;
    }
    const [port, state] = [this.ports[id], this.states[id]];
    if (port === undefined || state === undefined) return;
    if (event === controlEvent.PORT_READY && value === 1) {
      if (port.name === undefined) this.sendControl(id, controlEvent.CONSOLE_PORT, 1);
      else this.sendControl(id, controlEvent.PORT_NAME, 1, [...new TextEncoder().encode(port.name)]);
      this.sendControl(id, controlEvent.PORT_OPEN, 1);
    } else if (event === controlEvent.PORT_OPEN) {
      state.open = value === 1;
      this.deliverInput(id);
    }
  }

  private sendControl(id: number, event: number, value: number, extra: readonly number[] = []): void {
    if (this.control.length >= maxControlMessages) {
      this.host.fail();
      return;
    }
    this.control.push([id, 0, 0, 0, ...word16(event), ...word16(value), ...extra]);
    this.deliverControl();
  }

  private deliverControl(): void {
    for (;;) {
      const [message] = this.control;
      const chain: Chain | undefined = message && this.host.take(controlReceive);
      if (chain === undefined) return;
      const bytes = Uint8Array.from(this.control.shift() ?? []);
      scatter(this.host.memory, chain.writable, bytes);
      this.host.use(controlReceive, { chain, writtenBytes: Math.min(bytes.length, bytesIn(chain.writable)) });
    }
  }

  timer(): void {}

  start(): void {}

  reset(): void {
    this.control = [];
    for (const state of this.states) state.open = false;
  }

  resetQueue(): void {}

  save(): SavedConsole {
    return {
      version: 1,
      columns: this.config.view.getUint16(config.columns, true),
      rows: this.config.view.getUint16(config.rows, true),
      ports: this.states.map(({ open, input }) => ({ open, input: [...input] })),
      control: [...this.control],
      counters: { ...this.counters },
    };
  }

  restore(saved: SavedConsole): void {
    this.setSize(saved.columns, saved.rows);
    this.states = saved.ports.map(({ open, input }) => ({ open, input: [...input] }));
    this.control = [...saved.control];
    Object.assign(this.counters, saved.counters);
  }
}

const word16 = (value: number): [number, number] => [value & 0xff, (value >> 8) & 0xff];

export const consoleDevice =
  (options: ConsoleOptions): DeviceFactory<ConsoleDevice> =>
  (host) =>
    new ConsoleDevice(host, options);
