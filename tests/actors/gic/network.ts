// A GIC of distributor, redistributors and CPU interfaces on a network that delivers messages in any order that FIFO per
// (sender, receiver) permits. Time counts deliveries and actions, so that "before" means before in this run.

import type { Actor, Message, Port } from '../../../actors/actor.ts';
import { busMessages } from '../../../actors/bus/messages.ts';
import { GicCpuInterface } from '../../../actors/core/gic-cpu-interface.ts';
import type { IccName } from '../../../actors/gic/cpu-interface-registers.ts';
import { Distributor } from '../../../actors/gic/distributor.ts';
import { Redistributor } from '../../../actors/gic/redistributor.ts';
import { type GicTopology, gicTopology } from '../../../actors/gic/topology.ts';
import { wireMessages } from '../../../actors/gic/wires.ts';

const distributorId = 0;
const deviceId = 1000;

export interface NetworkOptions {
  readonly cores: number;
  readonly disableSecurity?: boolean;
  readonly hasEl3?: boolean;
}

export class Core {
  readonly index: number;
  readonly gic: GicCpuInterface;
  irq = false;
  fiq = false;
  /** Responses to bus reads, in order. */
  readonly answers: number[] = [];

  constructor(index: number, send: (code: number, payload: readonly number[]) => void, options: NetworkOptions) {
    this.index = index;
    const signal = (irq: boolean, fiq: boolean): void => {
      this.irq = irq;
      this.fiq = fiq;
    };
    this.gic = new GicCpuInterface(
      { send, signal },
      { hasEl3: options.hasEl3 ?? false, disableSecurity: options.disableSecurity ?? true },
    );
    this.gic.context.el = 1;
  }
}

export class Network {
  readonly topology: GicTopology;
  readonly distributor: Distributor;
  readonly redistributors: Redistributor[];
  readonly cores: Core[];
  readonly sent: Message[] = [];
  time = 0;
  private readonly channels = new Map<string, Message[]>();
  private readonly actors = new Map<number, Actor>();
  private readonly sequences = new Map<number, number>();
  private readonly nonSecure: boolean;

  constructor(options: NetworkOptions) {
    const pes = Array.from({ length: options.cores }, (_, pe) => pe);
    this.nonSecure = !(options.hasEl3 ?? false);
    this.topology = gicTopology({
      distributor: distributorId,
      redistributors: pes.map((pe) => this.redistributorId(pe)),
      cores: pes.map((pe) => this.coreId(pe)),
      affinities: pes.map((pe) => ((pe >> 4) << 8) | (pe & 15)),
      disableSecurity: options.disableSecurity ?? true,
    });
    this.distributor = new Distributor(this.portOf(distributorId), this.topology);
    this.actors.set(distributorId, this.distributor);
    this.redistributors = pes.map((pe) => new Redistributor(this.portOf(this.redistributorId(pe)), this.topology, pe));
    this.redistributors.forEach((redistributor, pe) => this.actors.set(this.redistributorId(pe), redistributor));
    this.cores = pes.map(
      (pe) =>
        new Core(pe, (code, payload) => this.send(this.coreId(pe), this.redistributorId(pe), code, payload), options),
    );
  }

  redistributorId(pe: number): number {
    return 1 + pe;
  }

  coreId(pe: number): number {
    return 2000 + pe;
  }

  private portOf(self: number): Port {
    return {
      self,
      now: () => this.time,
      send: (target, code, payload) => this.send(self, target, code, payload),
      at: () => {},
      cancel: () => {},
    };
  }

  send(source: number, target: number, code: number, payload: readonly number[]): void {
    const sequence = this.sequences.get(source) ?? 0;
    this.sequences.set(source, sequence + 1);
    const message = { code, source, target, sequence, dueTicks: this.time, payload };
    const key = `${source}>${target}`;
    const queue = this.channels.get(key);
    if (queue) queue.push(message);
    else this.channels.set(key, [message]);
    this.sent.push(message);
  }

  get inFlight(): number {
    let messages = 0;
    for (const queue of this.channels.values()) messages += queue.length;
    return messages;
  }

  /** Delivers the head of one of the channels that have messages. */
  deliverOne(choice: number): void {
    const ready = [...this.channels.values()].filter((queue) => queue.length > 0);
    const message = ready[choice % ready.length]?.shift();
    if (message === undefined) return;
    this.time++;
    const actor = this.actors.get(message.target);
    if (actor) actor.receive(message);
    else if (message.code === busMessages.ReadResponse.code) {
      this.cores[message.target - 2000]?.answers.push(message.payload[2] ?? 0);
    } else if (message.code !== busMessages.WriteResponse.code) {
      this.cores[message.target - 2000]?.gic.receive(message.code, message.payload);
    }
  }

  deliverAll(choose: () => number = () => 0): void {
    for (let guard = 0; this.inFlight > 0; guard++) {
      if (guard > 1_000_000) throw new Error('the GIC does not come to rest');
      this.deliverOne(choose());
    }
  }

  writeWord(pe: number, target: number, offset: number, value: number, sizeBytes = 4): void {
    const payload = [offset, sizeBytes, 0, value >>> 0, 0, this.nonSecure ? 1 : 0];
    this.send(this.coreId(pe), target, busMessages.WriteRequest.code, payload);
  }

  /** A write to the distributor, by core 0 unless told. */
  gicd(offset: number, value: number, pe = 0): void {
    this.writeWord(pe, distributorId, offset, value);
  }

  /** A write to the frame of a PE's redistributor, by that PE. */
  gicr(pe: number, offset: number, value: number): void {
    this.writeWord(pe, this.redistributorId(pe), offset, value);
  }

  icc(pe: number, register: IccName, value: number | bigint): void {
    this.cores[pe]!.gic.write(register, value);
  }

  wire(intid: number, high: boolean): void {
    this.send(deviceId, distributorId, high ? wireMessages.WireSet.code : wireMessages.WireClear.code, [intid]);
  }

  /** A wire from a core to its own redistributor. */
  ppi(pe: number, intid: number, high: boolean): void {
    const code = high ? wireMessages.WireSet.code : wireMessages.WireClear.code;
    this.send(this.coreId(pe), this.redistributorId(pe), code, [intid]);
  }

  pulse(intid: number): void {
    this.wire(intid, true);
    this.wire(intid, false);
  }

  /** Everything enabled in Group 1, every PE awake, SPIs edge-triggered and routed to PE 0, priorities 0xa0. */
  enableAll(): void {
    this.gicd(0x0000, 0b11);
    for (let w = 1; w < 9; w++) {
      this.gicd(0x0080 + 4 * w, 0xffff_ffff);
      this.gicd(0x0100 + 4 * w, 0xffff_ffff);
      this.gicd(0x0c00 + 8 * w, 0xaaaa_aaaa);
      this.gicd(0x0c04 + 8 * w, 0xaaaa_aaaa);
    }
    for (let n = 8; n < 72; n++) this.gicd(0x0400 + 4 * n, 0xa0a0_a0a0);
    for (const { index } of this.cores) {
      this.gicr(index, 0x0014, 0);
      this.gicr(index, 0x1_0080, 0xffff_ffff);
      this.gicr(index, 0x1_0100, 0xffff_ffff);
      for (let n = 0; n < 8; n++) this.gicr(index, 0x1_0400 + 4 * n, 0xa0a0_a0a0);
      this.icc(index, 'ICC_PMR_EL1', 0xff);
      this.icc(index, 'ICC_IGRPEN0_EL1', 1);
      this.icc(index, 'ICC_IGRPEN1_EL1', 1);
    }
    this.deliverAll();
  }
}

/** ICC_SGI1R_EL1 for one PE with Aff0 below 16, or for all but the sender. */
export const sgiTo = (intid: number, pe: number): bigint =>
  (BigInt(intid) << 24n) | (BigInt(pe >> 4) << 16n) | (1n << BigInt(pe & 15));
export const sgiToOthers = (intid: number): bigint => (BigInt(intid) << 24n) | (1n << 40n);
