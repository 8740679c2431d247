// An Ethernet switch: it learns behind which port a station is, and sends a frame there, or to every other port of the same group
// where it does not know or the frame is for many. Ports of different groups never see each other's frames, as with VLANs by port.
// Left out: ageing of what was learnt (a station that moves is learnt anew with its first frame), spanning trees, VLAN tags.

import type { Actor, ActorId, Message, Port } from '../actor.ts';
import { isFrame, isGroupAddress, type MacAddress, macAt, macBytes } from './ethernet.ts';
import { FrameAssembler, sendFrame } from './messages.ts';

export interface SwitchPort {
  readonly actor: ActorId;
  readonly group: number;
}

export interface SwitchOptions {
  readonly ports: readonly SwitchPort[];
  /** Hears every frame that comes in. */
  readonly capture?: (ticks: number, frame: Uint8Array) => void;
}

/** Stations that it remembers; the one that was learnt first is forgotten for a new one. */
const maxStations = 1024;

export interface PortCounters {
  framesIn: number;
  framesOut: number;
  /** No frame of Ethernet's, or for nobody else than its sender. */
  dropped: number;
}

interface SavedSwitch {
  readonly version: 1;
  readonly stations: readonly (readonly [station: string, port: number])[];
  readonly assembler: ReturnType<FrameAssembler['save']>;
  readonly counters: readonly PortCounters[];
}

export class Switch implements Actor {
  readonly counters: readonly PortCounters[];
  private readonly port: Port;
  private readonly options: SwitchOptions;
  private readonly assembler = new FrameAssembler();
  /** Port by group and address. */
  private stations = new Map<string, number>();

  constructor(port: Port, options: SwitchOptions) {
    this.port = port;
    this.options = options;
    this.counters = options.ports.map(() => ({ framesIn: 0, framesOut: 0, dropped: 0 }));
  }

  receive(message: Message): void {
    const from = this.options.ports.findIndex(({ actor }) => actor === message.source);
    const frame = from < 0 ? undefined : this.assembler.receive(message);
    if (frame !== undefined) this.forward(from, frame);
  }

  private forward(from: number, frame: Uint8Array): void {
    const counters = this.counters[from]!;
    counters.framesIn++;
    this.options.capture?.(this.port.now(), frame);
    if (!isFrame(frame)) {
      counters.dropped++;
      return;
    }
    const { group } = this.options.ports[from]!;
    this.learn(group, macAt(frame, macBytes), from);
    const destination = macAt(frame, 0);
    const known = isGroupAddress(destination) ? undefined : this.stations.get(stationOf(group, destination));
    const targets =
      known === undefined
        ? this.options.ports.flatMap((port, n) => (n !== from && port.group === group ? [n] : []))
        : [known].filter((n) => n !== from);
    if (targets.length === 0) counters.dropped++;
    for (const target of targets) {
      this.counters[target]!.framesOut++;
      sendFrame(this.port, this.options.ports[target]!.actor, frame);
    }
  }

  private learn(group: number, source: MacAddress, port: number): void {
    if (isGroupAddress(source)) return;
    const station = stationOf(group, source);
    if (this.stations.size >= maxStations && !this.stations.has(station)) {
      const [oldest] = this.stations.keys();
      if (oldest !== undefined) this.stations.delete(oldest);
    }
    this.stations.set(station, port);
  }

  timer(): void {}

  save(): SavedSwitch {
    return {
      version: 1,
      stations: [...this.stations],
      assembler: this.assembler.save(),
      counters: this.counters.map((port) => ({ ...port })),
    };
  }

  restore(saved: SavedSwitch): void {
    this.stations = new Map(saved.stations);
    this.assembler.restore(saved.assembler);
    this.counters.forEach((port, n) => Object.assign(port, saved.counters[n]));
  }
}

const stationOf = (group: number, address: MacAddress): string => `${group}/${address}`;
