// An Ethernet switch. By the rule `learning` it learns behind which port a station is, and sends a frame there, or to every other port
// of the same group where it does not know or the frame is for many. By the rule `table`, which is that of the ancestor's switch (section
// 8.3 of its description), it knows the stations of its ports and learns nothing: a frame for one of them goes there, ARP broadcasts and
// IPv6 multicasts go to every other port that wants them, and everything else goes nowhere. No rule checks the source address. Ports of
// different groups never see each other's frames, as with VLANs by port. Left out: ageing of what was learnt (a station that moves is learnt anew with its first frame), spanning trees, VLAN tags.

import type { Actor, ActorId, Message, Port } from '../actor.ts';
import { broadcast, isFrame, isGroupAddress, type MacAddress, macAt, macBytes } from './ethernet.ts';
import { etherType, read16 } from './internet.ts';
import { FrameAssembler, sendFrame } from './messages.ts';

export interface SwitchPort {
  readonly actor: ActorId;
  readonly group: number;
  /** The stations behind it, for the rule `table`. */
  readonly stations?: readonly MacAddress[];
  /** By the rule `table`, frames for many are not for this port. */
  readonly isDeaf?: boolean;
}

export type SwitchRule = 'learning' | 'table';

export interface SwitchOptions {
  readonly ports: readonly SwitchPort[];
  /** `learning` unless told. */
  readonly rule?: SwitchRule;
  /** Hears every frame that comes in. */
  readonly capture?: (ticks: number, frame: Uint8Array) => void;
}

/** The first two bytes of a multicast address of IPv6 (RFC 2464). */
const ipv6Multicast = 0x3333;

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
    const targets = (this.options.rule === 'table' ? this.listed(frame, from) : this.learnt(frame, from)).filter(
      (n) => n !== from,
    );
    if (targets.length === 0) counters.dropped++;
    for (const target of targets) {
      this.counters[target]!.framesOut++;
      sendFrame(this.port, this.options.ports[target]!.actor, frame);
    }
  }

  private learnt(frame: Uint8Array, from: number): number[] {
    const { group } = this.options.ports[from]!;
    this.learn(group, macAt(frame, macBytes), from);
    const destination = macAt(frame, 0);
    const known = isGroupAddress(destination) ? undefined : this.stations.get(stationOf(group, destination));
    return known === undefined ? this.portsOf(group) : [known];
  }

  private listed(frame: Uint8Array, from: number): number[] {
    const { ports } = this.options;
    const ofGroup = this.portsOf(ports[from]!.group);
    const destination = macAt(frame, 0);
    if (!isGroupAddress(destination))
      return ofGroup.filter((n) => ports[n]!.stations?.includes(destination) === true).slice(0, 1);
    const type = read16(frame, 2 * macBytes);
    const isWanted =
      destination === broadcast
        ? type === etherType.ARP
        : Math.floor(destination / 2 ** 32) === ipv6Multicast && type === etherType.IPv6;
    return isWanted ? ofGroup.filter((n) => ports[n]!.isDeaf !== true) : [];
  }

  private portsOf(group: number): number[] {
    return this.options.ports.flatMap((port, n) => (port.group === group ? [n] : []));
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
