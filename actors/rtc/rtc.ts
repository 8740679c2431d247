// The PL031 real time clock (Arm DDI 0224) on simulated time: it counts seconds from the value that it is given.

import type { Actor, ActorId, Message, Port } from '../actor.ts';
import {
  type Device,
  type GuestErrors,
  narrow,
  type Register,
  RegisterFile,
  registerTable,
  serveBusRequest,
} from '../device.ts';
import { wireMessages } from '../gic/wires.ts';

export interface RtcOptions {
  readonly distributor: ActorId;
  /** Of the SPI that RTCINTR drives. */
  readonly intid: number;
  /** Seconds since 1970 at simulated time 0. */
  readonly startSeconds: number;
}

const ticksPerSecond = 1e9;
const matchTag = 1;

type Name =
  'RTCDR' | 'RTCMR' | 'RTCLR' | 'RTCCR' | 'RTCIMSC' | 'RTCRIS' | 'RTCMIS' | 'RTCICR' | 'RTCPeriphID' | 'RTCPCellID';

const id = (name: Name, offset: number, bytes: readonly number[]): Register<Name>[] =>
  bytes.map((reset, i) => ({ name, offset: offset + 4 * i, reset, access: 'RO', mask: 0 }));

const rtcTable = registerTable<Register<Name>>(
  [
    { name: 'RTCDR', offset: 0x00, reset: 0, access: 'RO', mask: 0 },
    { name: 'RTCMR', offset: 0x04, reset: 0, access: 'RW', mask: 0xffff_ffff },
    { name: 'RTCLR', offset: 0x08, reset: 0, access: 'RW', mask: 0xffff_ffff },
    // The clock runs from reset, as on QEMU's `virt`, and cannot be stopped.
    { name: 'RTCCR', offset: 0x0c, reset: 1, access: 'RW', mask: 0 },
    { name: 'RTCIMSC', offset: 0x10, reset: 0, access: 'RW', mask: 1 },
    { name: 'RTCRIS', offset: 0x14, reset: 0, access: 'RO', mask: 0 },
    { name: 'RTCMIS', offset: 0x18, reset: 0, access: 'RO', mask: 0 },
    { name: 'RTCICR', offset: 0x1c, reset: 0, access: 'WO', mask: 1 },
    ...id('RTCPeriphID', 0xfe0, [0x31, 0x10, 0x14, 0x00]),
    ...id('RTCPCellID', 0xff0, [0x0d, 0xf0, 0x05, 0xb1]),
  ],
  0x1000,
);

interface SavedRtc {
  readonly version: 1;
  readonly registers: readonly number[];
  readonly offsetSeconds: number;
  readonly matched: boolean;
  readonly lineHigh: boolean;
  readonly guestErrors: GuestErrors;
}

export class Rtc implements Actor, Device {
  private readonly port: Port;
  private readonly options: RtcOptions;
  private readonly registers = new RegisterFile(rtcTable);
  /** RTCDR minus the whole seconds of simulated time. */
  private offsetSeconds: number;
  /** RTCRIS. */
  private matched = false;
  private lineHigh = false;

  constructor(port: Port, options: RtcOptions) {
    this.port = port;
    this.options = options;
    this.offsetSeconds = options.startSeconds >>> 0;
  }

  get guestErrors(): GuestErrors {
    return this.registers.guestErrors;
  }

  receive(message: Message): void {
    serveBusRequest(this.port, this, message);
  }

  /** The counter has reached RTCMR. */
  timer(): void {
    this.matched = true;
    this.drive();
  }

  read(offset: number, sizeBytes: number): number {
    const row = this.registers.rowToRead(offset);
    if (row === undefined) return 0;
    const stored = this.registers.values[rtcTable.rows.indexOf(row)]!;
    return narrow(this.readRegister(row.name, stored), offset, sizeBytes);
  }

  write(offset: number, sizeBytes: number, value: number): void {
    const row = this.registers.rowToWrite(offset);
    if (row === undefined) return;
    if ((offset & 3) !== 0 || sizeBytes !== 4) {
      this.guestErrors.unsupportedSize++;
      return;
    }
    this.registers.store(row, value);
    switch (row.name) {
      case 'RTCMR':
        this.armMatch();
        break;
      case 'RTCLR':
        this.offsetSeconds = (value - this.elapsedSeconds) >>> 0;
        this.armMatch();
        break;
      case 'RTCICR':
        if ((value & 1) === 1) this.matched = false;
        break;
      default:
        break;
    }
    this.drive();
  }

  private readRegister(name: Name, stored: number): number {
    switch (name) {
      case 'RTCDR':
        return this.seconds;
      case 'RTCRIS':
        return this.matched ? 1 : 0;
      case 'RTCMIS':
        return this.matched ? this.mask : 0;
      default:
        return stored;
    }
  }

  private get mask(): number {
    return this.registers.values[rtcTable.indexAt(0x10)]!;
  }

  private get elapsedSeconds(): number {
    return Math.floor(this.port.now() / ticksPerSecond);
  }

  private get seconds(): number {
    return (this.offsetSeconds + this.elapsedSeconds) >>> 0;
  }

  /** The match is the moment at which the counter becomes equal to RTCMR; a value that is equal already matches at once. */
  private armMatch(): void {
    const match = this.registers.values[rtcTable.indexAt(0x04)]!;
    const secondsToMatch = (match - this.seconds) >>> 0;
    if (secondsToMatch === 0) {
      this.port.cancel(matchTag);
      this.matched = true;
    } else {
      this.port.at((this.elapsedSeconds + secondsToMatch) * ticksPerSecond, matchTag);
    }
  }

  private drive(): void {
    const high = this.matched && this.mask !== 0;
    if (high === this.lineHigh) return;
    this.lineHigh = high;
    const { code } = high ? wireMessages.WireSet : wireMessages.WireClear;
    this.port.send(this.options.distributor, code, [this.options.intid]);
  }

  save(): SavedRtc {
    return {
      version: 1,
      registers: Array.from(this.registers.values),
      offsetSeconds: this.offsetSeconds,
      matched: this.matched,
      lineHigh: this.lineHigh,
      guestErrors: { ...this.guestErrors },
    };
  }

  restore(saved: SavedRtc): void {
    this.registers.values.set(saved.registers);
    this.offsetSeconds = saved.offsetSeconds;
    this.matched = saved.matched;
    this.lineHigh = saved.lineHigh;
    Object.assign(this.guestErrors, saved.guestErrors);
  }
}
