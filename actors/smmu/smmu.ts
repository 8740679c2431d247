// The SMMUv3 (Arm IHI 0070) as its Translation Control Unit: registers, Command queue, and Event queue. registers.ts says what it
// implements and what not; walkers.ts translates for the TBUs in front of the devices.
//
// Time: a command takes `commandTicks`; a translation `readTicks` for each of its reads of memory, those of a TBU one after the other;
// what the caches hold takes no time. A translation is made at the end of its time, so that no answer is older than an invalidation
// sent before it. CMD_SYNC completes when every TBU has answered SYNC_REQ.
//
// Left out: memory attributes (an access to RAM has none here), performance monitors, RAS.

import type { RamPort } from '../../src/memory/ram-port.ts';
import type { Actor, ActorId, Message, Port, Ticks } from '../actor.ts';
import { type Device, type GuestErrors, narrow, RegisterFile, serveBusRequest } from '../device.ts';
import { wireMessages } from '../gic/wires.ts';
import { decode, encode } from '../protocol.ts';
import { decodeCommand, invalidateEverything } from './commands.ts';
import { dtiMessages } from './dti.ts';
import { type Fault, recordOf, type Transaction } from './events.ts';
import { type Queue, queueOf } from './queue.ts';
import {
  commandError,
  cr0,
  cr2,
  gbpa,
  gerror,
  irqCtrl,
  type SmmuRegister,
  smmuTable,
  streamBits,
} from './registers.ts';
import { addressOf } from './structures.ts';
import type { Invalidation } from './tlb.ts';
import type { StreamTable } from './translation.ts';
import { type SavedWalker, type WalkCounters, type Walked, Walkers } from './walkers.ts';

export interface SmmuOptions {
  readonly distributor: ActorId;
  readonly tbus: readonly ActorId[];
  readonly ram: Pick<RamPort, 'readWord' | 'writeBytes'>;
  /** INTIDs of the edge-triggered SPIs. */
  readonly intids: { readonly eventq: number; readonly cmdqSync: number; readonly gerror: number };
}

export interface SmmuCounters extends WalkCounters {
  eventsLost: number;
  commands: number;
}

/** What waits for the TBUs: a CMD_SYNC, or the end of a change of SMMUEN or of GBPA. */
interface Sync {
  readonly tag: number;
  readonly purpose: 'command' | 'signalled command' | 'SMMUEN' | 'GBPA';
  left: number;
}

interface SavedSmmu {
  readonly version: 2;
  readonly registers: readonly number[];
  readonly walkers: readonly SavedWalker[];
  readonly syncs: readonly Sync[];
  readonly nextSync: number;
  readonly unacknowledged: number;
  /** When the present command, and the present translations, end. */
  readonly due: readonly [number, Ticks][];
  readonly guestErrors: GuestErrors;
  readonly counters: SmmuCounters;
}

/** A command of the queue: fetch and decode. */
const commandTicks = 60;
/** INV_REQs to each TBU that may be unanswered: the invalidation tokens of DTI. */
const invalidationTokens = 8;

const commandTag = 1;
/** That of the first TBU's translations; the others follow. */
const firstWalkerTag = 2;
const commandBytes = 16;
const recordBytes = 32;
/** SMMU_CMDQ_CONS.ERR. */
const errorShift = 24;
const overflow = 0x8000_0000;

const indexOf = new Map(smmuTable.rows.map(({ name }, index) => [name, index]));

export class Smmu implements Actor, Device, Walked {
  private readonly port: Port;
  private readonly options: SmmuOptions;
  private readonly registers = new RegisterFile(smmuTable);
  private readonly walkers: Walkers;
  private syncs: Sync[] = [];
  private nextSync = 1;
  private unacknowledged = 0;
  private readonly due = new Map<number, Ticks>();
  readonly counters: SmmuCounters = { translations: 0, tlbHits: 0, reads: 0, faults: 0, eventsLost: 0, commands: 0 };

  constructor(port: Port, options: SmmuOptions) {
    this.port = port;
    this.options = options;
    this.walkers = new Walkers(options.tbus, options.ram, {
      smmu: this,
      counters: this.counters,
      send: (tbu, code, payload) => {
        port.send(tbu, code, payload);
      },
      endAfter: (delayTicks, n) => {
        this.at(port.now() + delayTicks, firstWalkerTag + n);
      },
    });
  }

  get guestErrors(): GuestErrors {
    return this.registers.guestErrors;
  }

  receive(message: Message): void {
    const { code, payload, source } = message;
    switch (code) {
      case dtiMessages.TRANS_REQ.code:
        this.walkers.request({ ...decode(dtiMessages.TRANS_REQ, payload), tbu: source });
        break;
      case dtiMessages.INV_ACK.code:
        this.unacknowledged -= 1;
        this.scheduleCommand();
        break;
      case dtiMessages.SYNC_ACK.code:
        this.synchronised(decode(dtiMessages.SYNC_ACK, payload).tag);
        break;
      default:
        serveBusRequest(this.port, this, message);
    }
  }

  timer(tag: number): void {
    this.due.delete(tag);
    if (tag === commandTag) {
      this.consumeCommand();
      this.scheduleCommand();
      return;
    }
    this.walkers.endTranslation(tag - firstWalkerTag);
  }

  private at(dueTicks: Ticks, tag: number): void {
    this.due.set(tag, dueTicks);
    this.port.at(dueTicks, tag);
  }

  // Registers.

  private value(name: SmmuRegister): number {
    return this.registers.values[indexOf.get(name)!]!;
  }

  private set(name: SmmuRegister, value: number): void {
    this.registers.values[indexOf.get(name)!] = value;
  }

  private isOn(bit: number): boolean {
    return (this.value('SMMU_CR0') & bit) !== 0;
  }

  read(offset: number, sizeBytes: number): number {
    const row = this.registers.rowToRead(offset);
    return row === undefined ? 0 : narrow(this.value(row.name), offset, sizeBytes);
  }

  write(offset: number, sizeBytes: number, value: number): void {
    const row = this.registers.rowToWrite(offset);
    if (row === undefined) return;
    if (sizeBytes !== 4) {
      this.guestErrors.unsupportedSize++;
      return;
    }
    if (row.guard !== undefined && this.isOn(row.guard)) {
      this.guestErrors.misuse++;
      return;
    }
    if (row.name === 'SMMU_GBPA') {
      this.updateBypass(value);
      return;
    }
    this.registers.store(row, value);
    switch (row.name) {
      case 'SMMU_CR0':
        this.enable();
        break;
      case 'SMMU_IRQ_CTRL':
        this.set('SMMU_IRQ_CTRLACK', this.value('SMMU_IRQ_CTRL'));
        break;
      case 'SMMU_CMDQ_PROD':
      case 'SMMU_GERRORN':
        this.scheduleCommand();
        break;
      default:
    }
  }

  /** The queues are on and off at once; SMMUEN when no access of the time before is under way. */
  private enable(): void {
    const CR0 = this.value('SMMU_CR0');
    const CR0ACK = this.value('SMMU_CR0ACK');
    this.set('SMMU_CR0ACK', (CR0 & ~cr0.SMMUEN) | (CR0ACK & cr0.SMMUEN));
    if (((CR0 ^ CR0ACK) & cr0.SMMUEN) !== 0) {
      if ((CR0 & cr0.SMMUEN) === 0) this.broadcast(invalidateEverything);
      this.synchronise('SMMUEN');
    }
    this.scheduleCommand();
  }

  private updateBypass(value: number): void {
    const isUpdating = (this.value('SMMU_GBPA') & gbpa.UPDATE) !== 0;
    if ((value & gbpa.UPDATE) === 0 || isUpdating) {
      this.guestErrors.misuse++;
      return;
    }
    const row = smmuTable.rows[indexOf.get('SMMU_GBPA')!]!;
    this.registers.store(row, value);
    this.synchronise('GBPA');
  }

  private pulse(intid: number): void {
    this.port.send(this.options.distributor, wireMessages.WireSet.code, [intid]);
    this.port.send(this.options.distributor, wireMessages.WireClear.code, [intid]);
  }

  private raiseGlobalError(bit: number): void {
    const isActive = ((this.value('SMMU_GERROR') ^ this.value('SMMU_GERRORN')) & bit) !== 0;
    if (isActive) return;
    this.set('SMMU_GERROR', this.value('SMMU_GERROR') ^ bit);
    if ((this.value('SMMU_IRQ_CTRL') & irqCtrl.GERROR_IRQEN) !== 0) this.pulse(this.options.intids.gerror);
  }

  // Messages to all TBUs.

  private broadcast(invalidation: Invalidation): void {
    const { operation, vmid, asid, address, stream, range, substream, world } = invalidation;
    const payload = encode(dtiMessages.INV_REQ, {
      operation,
      tags: vmid | (asid << 16),
      addressLow: address >>> 0,
      addressHigh: Math.floor(address / 2 ** 32),
      stream,
      range,
      substream,
      world,
    });
    for (const tbu of this.options.tbus) this.port.send(tbu, dtiMessages.INV_REQ.code, payload);
    this.unacknowledged += this.options.tbus.length;
  }

  private synchronise(purpose: Sync['purpose']): void {
    const tag = this.nextSync;
    this.nextSync = (this.nextSync + 1) >>> 0;
    const { tbus } = this.options;
    for (const tbu of tbus) this.port.send(tbu, dtiMessages.SYNC_REQ.code, [tag]);
    const sync: Sync = { tag, purpose, left: tbus.length };
    if (sync.left === 0) this.finish(sync);
    else this.syncs.push(sync);
  }

  private synchronised(tag: number): void {
    const sync = this.syncs.find((waiting) => waiting.tag === tag);
    if (sync === undefined) return;
    sync.left -= 1;
    if (sync.left > 0) return;
    this.syncs = this.syncs.filter((waiting) => waiting !== sync);
    this.finish(sync);
  }

  private finish({ purpose }: Sync): void {
    switch (purpose) {
      case 'SMMUEN': {
        const CR0 = this.value('SMMU_CR0');
        // A later change has a sync of its own.
        if (!this.syncs.some((waiting) => waiting.purpose === 'SMMUEN')) this.set('SMMU_CR0ACK', CR0);
        break;
      }
      case 'GBPA':
        this.set('SMMU_GBPA', this.value('SMMU_GBPA') & 0x7fff_ffff);
        break;
      case 'signalled command':
        this.pulse(this.options.intids.cmdqSync);
        this.commandConsumed();
        break;
      case 'command':
        this.commandConsumed();
    }
  }

  // The Command queue.

  private get commandQueue(): Queue {
    return queueOf(this.value('SMMU_CMDQ_BASE'), this.value('SMMU_CMDQ_BASE (high)'), commandBytes);
  }

  private get canConsume(): boolean {
    const errors = this.value('SMMU_GERROR') ^ this.value('SMMU_GERRORN');
    return (
      this.isOn(cr0.CMDQEN) &&
      (errors & gerror.CMDQ_ERR) === 0 &&
      !this.syncs.some(({ purpose }) => purpose === 'command' || purpose === 'signalled command') &&
      this.unacknowledged <= invalidationTokens * this.options.tbus.length &&
      !this.commandQueue.isEmpty(this.value('SMMU_CMDQ_PROD'), this.value('SMMU_CMDQ_CONS'))
    );
  }

  private scheduleCommand(): void {
    if (!this.due.has(commandTag) && this.canConsume) this.at(this.port.now() + commandTicks, commandTag);
  }

  private consumeCommand(): void {
    if (!this.canConsume) return;
    this.counters.commands += 1;
    const at = this.commandQueue.entryAt(this.value('SMMU_CMDQ_CONS'));
    const words = [0, 4, 8, 12].map((offset) => this.options.ram.readWord(at + offset, 4));
    const isE2h = (this.value('SMMU_CR2') & cr2.E2H) !== 0;
    if (!words.every((word) => word !== undefined)) {
      this.stopCommands(commandError.ABT);
      return;
    }
    const command = decodeCommand(words, isE2h);
    switch (command.kind) {
      case 'illegal':
        this.stopCommands(commandError.ILL);
        return;
      case 'sync':
        this.synchronise(command.isSignalled ? 'signalled command' : 'command');
        return;
      case 'invalidate':
        this.walkers.invalidate(command.invalidation);
        this.broadcast(command.invalidation);
        break;
      case 'hint':
    }
    this.commandConsumed();
  }

  private commandConsumed(): void {
    const CONS = this.value('SMMU_CMDQ_CONS');
    this.set('SMMU_CMDQ_CONS', ((CONS & 0x7f00_0000) | this.commandQueue.next(CONS)) >>> 0);
    this.scheduleCommand();
  }

  private stopCommands(error: number): void {
    const RD = this.value('SMMU_CMDQ_CONS') & 0xf_ffff;
    this.set('SMMU_CMDQ_CONS', (RD | (error << errorShift)) >>> 0);
    this.raiseGlobalError(gerror.CMDQ_ERR);
  }

  // The Event queue.

  record(fault: Fault, transaction: Transaction): void {
    if (!this.isOn(cr0.EVENTQEN)) {
      this.counters.eventsLost += 1;
      return;
    }
    const queue = queueOf(this.value('SMMU_EVENTQ_BASE'), this.value('SMMU_EVENTQ_BASE (high)'), recordBytes);
    const PROD = this.value('SMMU_EVENTQ_PROD');
    const CONS = this.value('SMMU_EVENTQ_CONS');
    if (queue.isFull(PROD, CONS)) {
      this.counters.eventsLost += 1;
      const isKnown = ((PROD ^ CONS) & overflow) !== 0;
      if (!isKnown) this.set('SMMU_EVENTQ_PROD', (PROD ^ overflow) >>> 0);
      return;
    }
    const bytes = new Uint8Array(Uint32Array.from(recordOf(fault, transaction)).buffer);
    if (!this.options.ram.writeBytes(queue.entryAt(PROD), bytes)) {
      this.counters.eventsLost += 1;
      this.raiseGlobalError(gerror.EVENTQ_ABT_ERR);
      return;
    }
    this.set('SMMU_EVENTQ_PROD', ((PROD & overflow) | queue.next(PROD)) >>> 0);
    const isEnabled = (this.value('SMMU_IRQ_CTRL') & irqCtrl.EVENTQ_IRQEN) !== 0;
    if (queue.isEmpty(PROD, CONS) && isEnabled) this.pulse(this.options.intids.eventq);
  }

  // What the walkers ask.

  get streamTable(): StreamTable {
    const CFG = this.value('SMMU_STRTAB_BASE_CFG');
    const isTwoLevel = ((CFG >>> 16) & 3) === 1;
    const SPLIT = (CFG >>> 6) & 31;
    // Reserved values of SPLIT behave as 6.
    const split = SPLIT === 8 || SPLIT === 10 ? SPLIT : 6;
    return {
      base: addressOf(this.value('SMMU_STRTAB_BASE'), this.value('SMMU_STRTAB_BASE (high)'), 6),
      log2Size: Math.min(CFG & 63, streamBits),
      split: isTwoLevel ? split : 0,
      isE2h: (this.value('SMMU_CR2') & cr2.E2H) !== 0,
      recordsBadStreams: (this.value('SMMU_CR2') & cr2.RECINVSID) !== 0,
    };
  }

  get isEnabled(): boolean {
    return this.isOn(cr0.SMMUEN);
  }

  get abortsBypass(): boolean {
    return (this.value('SMMU_GBPA') & gbpa.ABORT) !== 0;
  }

  save(): SavedSmmu {
    return structuredClone({
      version: 2,
      registers: Array.from(this.registers.values),
      walkers: this.walkers.save(),
      syncs: this.syncs,
      nextSync: this.nextSync,
      unacknowledged: this.unacknowledged,
      due: [...this.due],
      guestErrors: this.guestErrors,
      counters: this.counters,
    });
  }

  restore(saved: SavedSmmu): void {
    const { registers, walkers, syncs, due, guestErrors, counters } = structuredClone(saved);
    this.registers.values.set(registers);
    this.walkers.restore(walkers);
    this.syncs = [...syncs];
    this.nextSync = saved.nextSync;
    this.unacknowledged = saved.unacknowledged;
    for (const tag of [...this.due.keys()]) this.port.cancel(tag);
    this.due.clear();
    for (const [tag, dueTicks] of due) this.at(dueTicks, tag);
    Object.assign(this.guestErrors, guestErrors);
    Object.assign(this.counters, counters);
  }
}
