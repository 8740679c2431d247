// A TCU with TBUs, and devices that only ask: messages take the lookahead, and are delivered in the total order.

import type { Actor, Message, Port } from '../../../actors/actor.ts';
import { wireMessages } from '../../../actors/gic/wires.ts';
import { encode } from '../../../actors/protocol.ts';
import { accessBit, ltiMessages } from '../../../actors/smmu/lti.ts';
import { Smmu } from '../../../actors/smmu/smmu.ts';
import { Tbu } from '../../../actors/smmu/tbu.ts';
import type { RamPort } from '../../../src/memory/ram-port.ts';
import { Pages, smallRam } from './ram.ts';

const lookahead = 500;
const distributor = 1;
const tcu = 2;
const tbuOf = (device: number): number => 10 + device;
const deviceOf = (device: number): number => 20 + device;

export const intids = { eventq: 106, cmdqSync: 108, gerror: 109 } as const;

export const offset = {
  IDR0: 0x00,
  CR0: 0x20,
  CR0ACK: 0x24,
  CR2: 0x2c,
  GBPA: 0x44,
  IRQ_CTRL: 0x50,
  GERROR: 0x60,
  GERRORN: 0x64,
  STRTAB_BASE: 0x80,
  STRTAB_BASE_CFG: 0x88,
  CMDQ_BASE: 0x90,
  CMDQ_PROD: 0x98,
  CMDQ_CONS: 0x9c,
  EVENTQ_BASE: 0xa0,
  EVENTQ_PROD: 0x1_00a8,
  EVENTQ_CONS: 0x1_00ac,
} as const;

export interface Answer {
  readonly ok: boolean;
  readonly pa: number;
}

interface Pending extends Message {
  readonly timerTag?: number;
}

export interface AskOptions {
  readonly access?: number;
  /** With its valid bit. */
  readonly substream?: number;
  readonly device?: number;
}

/** The SMMU and its TBUs as they come out of reset, and devices. */
export class SmmuBoard {
  readonly ram: RamPort;
  readonly smmu: Smmu;
  readonly tbus: readonly Tbu[];
  readonly answers = new Map<number, Answer>();
  readonly interrupts: number[] = [];
  ticks = 0;
  private readonly actors = new Map<number, Actor>();
  private pending: Pending[] = [];
  private sequence = 0;
  private nextTag = 1;
  /** Devices answer LR by LC at once, unless they hold it back. */
  holdsCompletions = false;
  private readonly held: [device: number, tag: number][] = [];

  constructor(streamIds: readonly number[], ram: RamPort) {
    this.ram = ram;
    const tbus = streamIds.map((_, n) => tbuOf(n));
    this.smmu = new Smmu(this.portOf(tcu), { distributor, tbus, ram, intids });
    this.tbus = streamIds.map((streamId, n) => new Tbu(this.portOf(tbuOf(n)), { tcu, device: deviceOf(n), streamId }));
    this.actors.set(tcu, this.smmu);
    this.tbus.forEach((tbu, n) => this.actors.set(tbuOf(n), tbu));
  }

  private portOf(self: number): Port {
    const post = (message: Omit<Pending, 'sequence' | 'source'>): void => {
      this.sequence += 1;
      this.pending.push({ ...message, source: self, sequence: this.sequence });
    };
    return {
      self,
      now: () => this.ticks,
      send: (target, code, payload, extraTicks = 0) => {
        post({ target, code, payload, dueTicks: this.ticks + lookahead + extraTicks });
      },
      at: (dueTicks, tag) => {
        post({ target: self, code: 0, payload: [], dueTicks, timerTag: tag });
      },
      cancel: (tag) => {
        this.pending = this.pending.filter(({ target, timerTag }) => target !== self || timerTag !== tag);
      },
    };
  }

  /** Lets time pass. */
  pass(ticks: number): void {
    const until = this.ticks + ticks;
    this.run(until);
    this.ticks = until;
  }

  /** Delivers what is due before a time, by default everything. */
  run(untilTicks = Infinity): void {
    for (;;) {
      this.pending.sort((a, b) => a.dueTicks - b.dueTicks || a.source - b.source || a.sequence - b.sequence);
      const next = this.pending[0];
      if (next === undefined || next.dueTicks >= untilTicks) return;
      this.pending.shift();
      this.ticks = next.dueTicks;
      if (next.timerTag !== undefined) this.actors.get(next.target)?.timer(next.timerTag);
      else if (next.target === distributor) this.interrupted(next);
      else if (next.target >= deviceOf(0)) this.deviceReceives(next);
      else this.actors.get(next.target)?.receive(next);
    }
  }

  private interrupted({ code, payload }: Message): void {
    if (code === wireMessages.WireSet.code) this.interrupts.push(payload[0] as number);
  }

  private deviceReceives({ payload, target }: Message): void {
    const [tag = 0, response, low = 0, high = 0] = payload;
    this.answers.set(tag, { ok: response === 0, pa: high * 2 ** 32 + low });
    if (response !== 0) return;
    if (this.holdsCompletions) this.held.push([target - deviceOf(0), tag]);
    else this.complete(target - deviceOf(0), tag);
  }

  private complete(device: number, tag: number): void {
    this.portOf(deviceOf(device)).send(tbuOf(device), ltiMessages.LC.code, [tag]);
  }

  releaseCompletions(): void {
    for (const [device, tag] of this.held.splice(0)) this.complete(device, tag);
  }

  /** A device asks; `answers` has the answer when it has come. */
  begin(address: bigint, { access = accessBit.read, substream = 0, device = 0 }: AskOptions = {}): number {
    const tag = this.nextTag;
    this.nextTag += 1;
    const addressLow = Number(address & 0xffff_ffffn);
    const addressHigh = Number((address >> 32n) & 0xffff_ffffn);
    const fields = { tag, addressLow, addressHigh, access, substream };
    this.portOf(deviceOf(device)).send(tbuOf(device), ltiMessages.LA.code, encode(ltiMessages.LA, fields));
    return tag;
  }

  ask(address: number | bigint, options: AskOptions = {}): Answer {
    const tag = this.begin(BigInt(address), options);
    this.run();
    const answer = this.answers.get(tag);
    if (answer === undefined) throw new Error(`no answer to ${address}`);
    return answer;
  }

  /** The PA, or undefined for an abort. */
  translate(address: number | bigint, options: AskOptions = {}): number | undefined {
    const { ok, pa } = this.ask(address, options);
    return ok ? pa : undefined;
  }

  write(register: keyof typeof offset, value: number): void {
    this.smmu.write(offset[register], 4, value);
  }

  read(register: keyof typeof offset): number {
    return this.smmu.read(offset[register], 4);
  }
}

/** The SMMU is on, with a linear stream table of 16 entries and queues of 8 commands and 4 events. */
export class SmmuSystem extends SmmuBoard {
  readonly pages = new Pages();
  readonly streams = this.pages.take();
  readonly commands = this.pages.take();
  readonly events = this.pages.take();

  constructor(streamIds: readonly number[] = [3]) {
    super(streamIds, smallRam());
    this.write('STRTAB_BASE', this.streams);
    this.write('STRTAB_BASE_CFG', 4);
    this.write('CMDQ_BASE', this.commands | 3);
    this.write('EVENTQ_BASE', this.events | 2);
    this.write('CR2', 2);
    this.write('IRQ_CTRL', 5);
    this.write('CR0', 0b1101);
    this.run();
  }

  ste(stream: number): number {
    return this.streams + 64 * stream;
  }

  /** Puts commands of up to four words into the queue, without waiting. */
  enqueue(...commands: readonly (readonly number[])[]): void {
    let PROD = this.read('CMDQ_PROD');
    for (const command of commands) {
      const at = this.commands + 16 * (PROD & 7);
      [0, 1, 2, 3].forEach((n) => this.ram.writeWord(at + 4 * n, 4, (command[n] ?? 0) >>> 0));
      PROD = (PROD + 1) & 15;
    }
    this.write('CMDQ_PROD', PROD);
  }

  /** Commands, and a CMD_SYNC after them. */
  command(...commands: readonly (readonly number[])[]): void {
    this.enqueue(...commands, [0x46]);
    this.run();
  }

  /** The records that software has not read yet, as words. */
  takeEvents(): number[][] {
    const records: number[][] = [];
    let CONS = this.read('EVENTQ_CONS') & 7;
    const PROD = this.read('EVENTQ_PROD');
    while (CONS !== (PROD & 7)) {
      const at = this.events + 32 * (CONS & 3);
      records.push(Array.from({ length: 8 }, (_, n) => this.ram.readWord(at + 4 * n, 4) ?? 0));
      CONS = (CONS + 1) & 7;
    }
    this.write('EVENTQ_CONS', (CONS | (PROD & 0x8000_0000)) >>> 0);
    return records;
  }
}
