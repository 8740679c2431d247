// The PL011 UART (Arm DDI 0183). What is transmitted leaves at once, so that the transmit FIFO is always empty; what arrives
// waits in the receive FIFO, and in front of it when that is full: a console loses nothing. Left out: modem signals, IrDA, DMA
// requests, and line errors, which no console causes; in loopback a full FIFO does overrun.

import type { Actor, ActorId, Message, Port } from '../actor.ts';
import { type Device, type GuestErrors, narrow, RegisterFile, serveBusRequest } from '../device.ts';
import { wireMessages } from '../gic/wires.ts';
import { control, dataError, flag, interrupt, lineControl, type UartRegister, uartTable } from './registers.ts';

/** Where the console's bytes go. */
export interface ConsoleSink {
  write(bytes: readonly number[]): void;
}

export interface UartOptions {
  readonly distributor: ActorId;
  /** Of the SPI that UARTINTR drives. */
  readonly intid: number;
  readonly sink: ConsoleSink;
}

/** Characters of the receive FIFO; one without FIFOs. */
const fifoDepth = 16;

/** UARTIFLS.RXIFLSEL: the FIFO levels that raise the receive interrupt. */
const receiveLevels = [2, 4, 8, 12, 14];

/** Simulated nanoseconds of one bit at the reference clock of 24 MHz, for a divisor of 1/64. */
const ticksPerBitPerDivisor = (16 * 1e9) / 24e6 / 64;
/** The receive interrupt for a FIFO below its level comes after this many bits without a new character. */
const timeoutBits = 32;
const receiveTimeoutTag = 1;

/** Where the values of the registers are, by name. */
const place = Object.fromEntries(uartTable.rows.map(({ name }, index) => [name, index])) as Readonly<
  Record<UartRegister, number>
>;

interface SavedUart {
  readonly version: 1;
  readonly registers: readonly number[];
  readonly rawInterrupts: number;
  readonly received: readonly number[];
  readonly waiting: readonly number[];
  readonly lineHigh: boolean;
  readonly guestErrors: GuestErrors;
}

export class Uart implements Actor, Device {
  private readonly port: Port;
  private readonly options: UartOptions;
  private readonly registers = new RegisterFile(uartTable);
  private rawInterrupts = 0;
  /** The receive FIFO: characters with their error bits. */
  private received: number[] = [];
  /** Characters that have arrived while the FIFO was full. */
  private waiting: number[] = [];
  private lineHigh = false;

  constructor(port: Port, options: UartOptions) {
    this.port = port;
    this.options = options;
  }

  get guestErrors(): GuestErrors {
    return this.registers.guestErrors;
  }

  receive(message: Message): void {
    serveBusRequest(this.port, this, message);
  }

  timer(): void {
    if (this.received.length > 0) this.raise(interrupt.receiveTimeout);
  }

  /** Characters from the console. */
  receiveBytes(bytes: readonly number[]): void {
    for (const byte of bytes) this.waiting.push(byte & 0xff);
    this.fillFifo();
  }

  read(offset: number, sizeBytes: number): number {
    const row = this.registers.rowToRead(offset);
    if (row === undefined) return 0;
    return narrow(this.readRegister(row.name, this.registers.values[uartTable.indexAt(offset)]!), offset, sizeBytes);
  }

  write(offset: number, sizeBytes: number, value: number): void {
    const row = this.registers.rowToWrite(offset);
    if (row === undefined) return;
    if ((offset & 3) !== 0) {
      this.guestErrors.unsupportedSize++;
      return;
    }
    this.registers.store(row, narrow(value, 0, sizeBytes));
    switch (row.name) {
      case 'UARTDR':
        this.transmit(value & 0xff);
        break;
      case 'UARTRSR':
        this.registers.store(row, 0);
        break;
      case 'UARTICR':
        this.rawInterrupts &= ~value;
        break;
      case 'UARTLCR_H':
        // Without FIFOs one character is held; the rest of a FIFO that is switched off is lost.
        if ((value & lineControl.fen) === 0) this.received.length = Math.min(this.received.length, 1);
        this.fillFifo();
        break;
      case 'UARTIFLS':
        this.compareReceiveLevel();
        break;
      case 'UARTCR':
        this.fillFifo();
        break;
      default:
        break;
    }
    this.drive();
  }

  private readRegister(name: UartRegister, stored: number): number {
    switch (name) {
      case 'UARTDR':
        return this.readCharacter();
      case 'UARTFR':
        return this.flags;
      case 'UARTRIS':
        return this.rawInterrupts;
      case 'UARTMIS':
        return this.rawInterrupts & this.value(place.UARTIMSC);
      default:
        return stored;
    }
  }

  private value(index: number): number {
    return this.registers.values[index]!;
  }

  private get depth(): number {
    return (this.value(place.UARTLCR_H) & lineControl.fen) === 0 ? 1 : fifoDepth;
  }

  private get flags(): number {
    const empty = this.received.length === 0 ? flag.rxfe : 0;
    const full = this.received.length >= this.depth ? flag.rxff : 0;
    return flag.txfe | empty | full;
  }

  private transmit(character: number): void {
    const controlBits = this.value(place.UARTCR);
    const enabled = control.uartEnable | control.transmitEnable;
    // Firmware often prints without having enabled the UART; the characters go out all the same, and the error is counted.
    if ((controlBits & enabled) !== enabled) this.guestErrors.misuse++;
    if ((controlBits & control.loopback) !== 0) this.loopBack(character);
    else this.options.sink.write([character]);
    this.raise(interrupt.transmit);
  }

  private loopBack(character: number): void {
    if (this.received.length < this.depth) {
      this.arrive([character]);
      return;
    }
    // The character is lost; the last one in the FIFO tells of it.
    this.received[this.received.length - 1]! |= dataError.overrun;
    this.raise(interrupt.overrun);
  }

  private fillFifo(): void {
    // In loopback the receiver hears the transmitter alone.
    if ((this.value(place.UARTCR) & (control.receiveEnable | control.loopback)) !== control.receiveEnable) return;
    const room = this.depth - this.received.length;
    if (room <= 0 || this.waiting.length === 0) return;
    this.arrive(this.waiting.splice(0, room));
  }

  /** Characters enter the FIFO, which has room for them. */
  private arrive(characters: readonly number[]): void {
    this.received.push(...characters);
    this.port.at(this.port.now() + this.timeoutTicks, receiveTimeoutTag);
    this.compareReceiveLevel();
  }

  private get timeoutTicks(): number {
    const divisor = this.value(place.UARTIBRD) * 64 + this.value(place.UARTFBRD);
    return Math.ceil(timeoutBits * ticksPerBitPerDivisor * Math.max(divisor, 64));
  }

  private get receiveLevel(): number {
    return this.depth === 1 ? 1 : (receiveLevels[(this.value(place.UARTIFLS) >> 3) & 7] ?? fifoDepth);
  }

  private compareReceiveLevel(): void {
    if (this.received.length >= this.receiveLevel) this.raise(interrupt.receive);
  }

  private readCharacter(): number {
    const character = this.received.shift() ?? 0;
    this.registers.values[place.UARTRSR] = character >>> 8;
    if (this.received.length < this.receiveLevel) this.rawInterrupts &= ~interrupt.receive;
    if (this.received.length === 0) {
      this.rawInterrupts &= ~interrupt.receiveTimeout;
      this.port.cancel(receiveTimeoutTag);
    }
    this.fillFifo();
    this.drive();
    return character;
  }

  private raise(bits: number): void {
    this.rawInterrupts |= bits;
    this.drive();
  }

  /** UARTINTR follows the masked interrupts. */
  private drive(): void {
    const high = (this.rawInterrupts & this.value(place.UARTIMSC)) !== 0;
    if (high === this.lineHigh) return;
    this.lineHigh = high;
    const { code } = high ? wireMessages.WireSet : wireMessages.WireClear;
    this.port.send(this.options.distributor, code, [this.options.intid]);
  }

  save(): SavedUart {
    return {
      version: 1,
      registers: Array.from(this.registers.values),
      rawInterrupts: this.rawInterrupts,
      received: [...this.received],
      waiting: [...this.waiting],
      lineHigh: this.lineHigh,
      guestErrors: { ...this.guestErrors },
    };
  }

  restore(saved: SavedUart): void {
    this.registers.values.set(saved.registers);
    this.rawInterrupts = saved.rawInterrupts;
    this.received = [...saved.received];
    this.waiting = [...saved.waiting];
    this.lineHigh = saved.lineHigh;
    Object.assign(this.guestErrors, saved.guestErrors);
  }
}
