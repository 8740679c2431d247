// The DMA engine: a device of Heddle's own that copies memory. Its programming interface:
//
// - Write DMA_SOURCE, DMA_TARGET and DMA_LENGTH (64 bits each, bytes, any alignment), then DMA_CONTROL with START. DMA_STATUS is BUSY
//   until the copy ends, then DONE, or ERROR with a code in [15:8] and the address of the access that failed in DMA_FAULT.
//   DMA_COUNT tells how many bytes have been copied, of the whole list.
// - With LIST, the transfers come from a list in memory at DMA_LIST. An element is four doublewords: source, target, length, and the
//   address of the next element, 0 in the last one. Elements are read when their turn comes.
// - DONE and ERROR stay until they are cleared through DMA_INTERRUPT_CLEAR, or by the next START. The interrupt, a level, is high
//   while one of them is set and enabled in DMA_CONTROL. Writing DMA_CONTROL without START while the engine is busy stops it
//   after its present chunk, with the code `stopped`. The registers of the transfer are read at START.
// - Writing DMA_CONTROL with RESET makes the engine what it is out of reset, at once: no access is made from then on.
// - The copy goes up in chunks that end at the chunk size or at a page of source or target: another observer sees a chunk as a whole
//   or not at all, and chunks in order. Overlapping ranges are copied chunk by chunk.
// - Addresses are those of its stream: with an SMMU on the board every access (also of the list) goes through the engine's TBU, as an
//   unprivileged data access unless DMA_CONTROL says PRIVILEGED, and with a SubstreamID if DMA_SUBSTREAM[31] is set. Without an SMMU
//   they are physical.

import type { RamPort } from '../../src/memory/ram-port.ts';
import type { Actor, ActorId, Message, Port, Ticks } from '../actor.ts';
import { type Device, type GuestErrors, narrow, RegisterFile, serveBusRequest } from '../device.ts';
import { wireMessages } from '../gic/wires.ts';
import { decode, encode } from '../protocol.ts';
import { accessBit, ltiMessages, ltiResponse, substreamValid } from '../smmu/lti.ts';
import { control, type DmaRegister, dmaTable, errorCode, status, substreamEnable } from './registers.ts';

export interface DmaOptions {
  readonly distributor: ActorId;
  readonly intid: number;
  readonly ram: Pick<RamPort, 'readBytes' | 'writeBytes'>;
  /** The TBU in front of the engine; left out where the board has no SMMU. */
  readonly tbu?: ActorId;
}

/** A 64-bit address or length, as the device keeps it: bigint, because all 64 bits of an address count. */
type Doubleword = bigint;

interface Transfer {
  readonly source: Doubleword;
  readonly target: Doubleword;
  readonly left: Doubleword;
  /** The element after this one; 0: none. */
  readonly next: Doubleword;
}

/** What the engine is about to do, or waits for. */
type Phase = 'idle' | 'list' | 'read' | 'write';

export interface DmaCounters {
  transfers: number;
  bytes: number;
  errors: number;
}

interface SavedDma {
  readonly version: 1;
  readonly registers: readonly number[];
  readonly phase: Phase;
  readonly transfer: Transfer;
  readonly control: number;
  readonly elements: number;
  readonly chunk: Uint8Array;
  readonly tag: number;
  readonly dueTicks: Ticks | undefined;
  readonly lineHigh: boolean;
  readonly guestErrors: GuestErrors;
  readonly counters: DmaCounters;
}

/** The largest chunk: 1 KiB, so that a copy of a page is seen to be under way. */
const chunkBytes = 1024;
const pageBytes = 4096n;
/** A chunk moves 16 bytes in a nanosecond, after a set-up of 50. */
const bytesPerTick = 16;
const setUpTicks = 50;
const elementBytes = 32;
/** A list that is longer, or that leads back into itself, ends with an error. */
const maxListElements = 65_536;

const stepTag = 1;
const indexOf = new Map(dmaTable.rows.map(({ name }, index) => [name, index]));
const empty = new Uint8Array(0);
const nothing: Transfer = { source: 0n, target: 0n, left: 0n, next: 0n };

type DoublewordRegister = 'DMA_SOURCE' | 'DMA_TARGET' | 'DMA_LENGTH' | 'DMA_LIST' | 'DMA_COUNT' | 'DMA_FAULT';

export class Dma implements Actor, Device {
  private readonly port: Port;
  private readonly options: DmaOptions;
  private readonly registers = new RegisterFile(dmaTable);
  private phase: Phase = 'idle';
  private transfer = nothing;
  /** DMA_CONTROL of the last START. */
  private startedWith = 0;
  private elements = 0;
  private chunk: Uint8Array = empty;
  /** Of the access that the TBU has been asked about. */
  private tag = 0;
  private dueTicks: Ticks | undefined;
  private lineHigh = false;
  readonly counters: DmaCounters = { transfers: 0, bytes: 0, errors: 0 };

  constructor(port: Port, options: DmaOptions) {
    this.port = port;
    this.options = options;
  }

  get guestErrors(): GuestErrors {
    return this.registers.guestErrors;
  }

  receive(message: Message): void {
    if (message.code === ltiMessages.LR.code) {
      const { tag, response, addressLow, addressHigh } = decode(ltiMessages.LR, message.payload);
      // An access that was asked for before a reset is not made.
      if (tag === this.tag)
        this.access(response === ltiResponse.success ? addressHigh * 2 ** 32 + addressLow : undefined);
      if (response === ltiResponse.success && this.options.tbu !== undefined)
        this.port.send(this.options.tbu, ltiMessages.LC.code, [tag]);
      return;
    }
    serveBusRequest(this.port, this, message);
  }

  timer(): void {
    this.dueTicks = undefined;
    this.request();
  }

  // Registers.

  private value(name: DmaRegister): number {
    return this.registers.values[indexOf.get(name)!]!;
  }

  private set(name: DmaRegister, value: number): void {
    this.registers.values[indexOf.get(name)!] = value;
  }

  private doubleword(name: DoublewordRegister): Doubleword {
    return BigInt(this.value(`${name}_LOW`)) | (BigInt(this.value(`${name}_HIGH`)) << 32n);
  }

  private setDoubleword(name: DoublewordRegister, value: Doubleword): void {
    this.set(`${name}_LOW`, Number(value & 0xffff_ffffn));
    this.set(`${name}_HIGH`, Number((value >> 32n) & 0xffff_ffffn));
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
    if (row.name === 'DMA_CONTROL' && value >= control.RESET) {
      this.reset();
      return;
    }
    this.registers.store(row, value);
    if (row.name === 'DMA_CONTROL') this.control(value);
    if (row.name === 'DMA_INTERRUPT_CLEAR') {
      this.set('DMA_STATUS', this.value('DMA_STATUS') & ~(value & row.mask));
      this.set(row.name, 0);
    }
    this.drive();
  }

  private reset(): void {
    this.registers.reset();
    this.idle();
    this.tag = (this.tag + 1) >>> 0;
    this.port.cancel(stepTag);
    this.dueTicks = undefined;
    this.drive();
  }

  private idle(): void {
    this.phase = 'idle';
    this.transfer = nothing;
    this.chunk = empty;
  }

  private control(value: number): void {
    if (this.phase !== 'idle') {
      // A second START is no new transfer.
      if ((value & control.START) !== 0) this.guestErrors.misuse++;
      return;
    }
    if ((value & control.START) === 0) return;
    this.startedWith = value;
    this.elements = 0;
    this.setDoubleword('DMA_COUNT', 0n);
    this.setDoubleword('DMA_FAULT', 0n);
    this.set('DMA_STATUS', status.BUSY);
    if ((value & control.LIST) !== 0) {
      this.transfer = { ...nothing, next: this.doubleword('DMA_LIST') };
    } else {
      const left = this.doubleword('DMA_LENGTH');
      this.transfer = {
        source: this.doubleword('DMA_SOURCE'),
        target: this.doubleword('DMA_TARGET'),
        left,
        next: 0n,
      };
      this.counters.transfers += 1;
    }
    this.proceed();
  }

  // The transfer, chunk by chunk.

  /** Chooses what comes next, and lets its time pass. */
  private proceed(): void {
    const isStopped = (this.value('DMA_CONTROL') & control.START) === 0;
    const { left, next } = this.transfer;
    if (isStopped) this.end(errorCode.stopped);
    else if (left > 0n) this.begin('read', setUpTicks);
    else if (next === 0n) this.end(errorCode.none);
    else if (this.elements === maxListElements) this.end(errorCode.listTooLong);
    else this.begin('list', setUpTicks);
  }

  private begin(phase: Phase, ticks: Ticks): void {
    this.phase = phase;
    this.dueTicks = this.port.now() + ticks;
    this.port.at(this.dueTicks, stepTag);
  }

  /** The address of the present access, in the engine's own address space. */
  private get address(): Doubleword {
    const { source, target, next } = this.transfer;
    if (this.phase === 'list') return next;
    return this.phase === 'read' ? source : target;
  }

  private get sizeBytes(): number {
    if (this.phase === 'list') return elementBytes;
    if (this.phase === 'write') return this.chunk.length;
    const { source, target, left } = this.transfer;
    const toPage = (address: Doubleword): number => Number(pageBytes - (address % pageBytes));
    const rest = left < BigInt(chunkBytes) ? Number(left) : chunkBytes;
    return Math.min(rest, toPage(source), toPage(target));
  }

  /** Asks the TBU where the access goes. */
  private request(): void {
    const { address } = this;
    const isInOnePage = (address % pageBytes) + BigInt(this.sizeBytes) <= pageBytes;
    if (!isInOnePage) {
      // Only a list element that is not aligned crosses a page.
      this.access(undefined);
      return;
    }
    const { tbu } = this.options;
    if (tbu === undefined) {
      this.access(Number(address));
      return;
    }
    this.tag = (this.tag + 1) >>> 0;
    const DMA_SUBSTREAM = this.value('DMA_SUBSTREAM');
    const fields = {
      tag: this.tag,
      addressLow: Number(address & 0xffff_ffffn),
      addressHigh: Number(address >> 32n),
      access:
        (this.phase === 'write' ? accessBit.write : accessBit.read) |
        ((this.startedWith & control.PRIVILEGED) === 0 ? 0 : accessBit.privileged),
      substream: DMA_SUBSTREAM >= substreamEnable ? substreamValid | (DMA_SUBSTREAM & 0xf_ffff) : 0,
    };
    this.port.send(tbu, ltiMessages.LA.code, encode(ltiMessages.LA, fields));
  }

  /** Makes the access at a physical address; undefined: it has been aborted. */
  private access(pa: number | undefined): void {
    const { ram } = this.options;
    switch (this.phase) {
      case 'list': {
        const element = pa === undefined ? undefined : ram.readBytes(pa, elementBytes);
        if (element === undefined) this.end(errorCode.list);
        else this.beginElement(element);
        break;
      }
      case 'read': {
        const chunk = pa === undefined ? undefined : ram.readBytes(pa, this.sizeBytes);
        if (chunk === undefined) {
          this.end(errorCode.source);
          break;
        }
        this.chunk = chunk;
        this.begin('write', Math.ceil(chunk.length / bytesPerTick));
        break;
      }
      case 'write':
        if (pa === undefined || !ram.writeBytes(pa, this.chunk)) this.end(errorCode.target);
        else this.chunkWritten();
        break;
      case 'idle':
    }
  }

  private beginElement(element: Uint8Array): void {
    const view = new DataView(element.buffer, element.byteOffset);
    const [source, target, left, next] = [0, 8, 16, 24].map((offset) => view.getBigUint64(offset, true));
    this.transfer = { source: source!, target: target!, left: left!, next: next! };
    this.elements += 1;
    this.counters.transfers += 1;
    this.proceed();
  }

  private chunkWritten(): void {
    const moved = BigInt(this.chunk.length);
    const { source, target, left, next } = this.transfer;
    this.transfer = {
      source: BigInt.asUintN(64, source + moved),
      target: BigInt.asUintN(64, target + moved),
      left: left - moved,
      next,
    };
    this.counters.bytes += this.chunk.length;
    this.chunk = empty;
    this.setDoubleword('DMA_COUNT', this.doubleword('DMA_COUNT') + moved);
    this.proceed();
  }

  private end(error: number): void {
    if (error === errorCode.none) {
      this.set('DMA_STATUS', status.DONE);
    } else {
      if (error !== errorCode.listTooLong && error !== errorCode.stopped) this.setDoubleword('DMA_FAULT', this.address);
      this.set('DMA_STATUS', status.ERROR | (error << 8));
      this.counters.errors += 1;
    }
    this.set('DMA_CONTROL', this.value('DMA_CONTROL') & ~control.START);
    this.idle();
    this.drive();
  }

  private drive(): void {
    const DMA_CONTROL = this.value('DMA_CONTROL');
    const enabled =
      ((DMA_CONTROL & control.DONE_ENABLE) === 0 ? 0 : status.DONE) |
      ((DMA_CONTROL & control.ERROR_ENABLE) === 0 ? 0 : status.ERROR);
    const high = (this.value('DMA_STATUS') & enabled) !== 0;
    if (high === this.lineHigh) return;
    this.lineHigh = high;
    const { code } = high ? wireMessages.WireSet : wireMessages.WireClear;
    this.port.send(this.options.distributor, code, [this.options.intid]);
  }

  save(): SavedDma {
    return structuredClone({
      version: 1,
      registers: Array.from(this.registers.values),
      phase: this.phase,
      transfer: this.transfer,
      control: this.startedWith,
      elements: this.elements,
      chunk: this.chunk,
      tag: this.tag,
      dueTicks: this.dueTicks,
      lineHigh: this.lineHigh,
      guestErrors: this.guestErrors,
      counters: this.counters,
    });
  }

  restore(saved: SavedDma): void {
    const { registers, transfer, chunk, guestErrors, counters } = structuredClone(saved);
    this.registers.values.set(registers);
    ({ phase: this.phase, control: this.startedWith, elements: this.elements, tag: this.tag } = saved);
    ({ dueTicks: this.dueTicks, lineHigh: this.lineHigh } = saved);
    this.transfer = transfer;
    this.chunk = chunk;
    Object.assign(this.guestErrors, guestErrors);
    Object.assign(this.counters, counters);
    this.port.cancel(stepTag);
    if (this.dueTicks !== undefined) this.port.at(this.dueTicks, stepTag);
  }
}
