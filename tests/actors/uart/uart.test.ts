import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { busMessages } from '../../../actors/bus/messages.ts';
import { Uart } from '../../../actors/uart/uart.ts';
import { FakePort, request } from './bench.ts';

const DR = 0x00;
const RSR = 0x04;
const FR = 0x18;
const IBRD = 0x24;
const LCR_H = 0x2c;
const CR = 0x30;
const IFLS = 0x34;
const IMSC = 0x38;
const RIS = 0x3c;
const MIS = 0x40;
const ICR = 0x44;
const enabled = 0x301;
const fifos = 0x70;
const [RX, TX, RT, OE] = [1 << 4, 1 << 5, 1 << 6, 1 << 10];

function make(): {
  uart: Uart;
  port: FakePort;
  output: () => string;
  read: (offset: number) => number;
  write: (offset: number, value: number) => void;
} {
  const port = new FakePort();
  const bytes: number[] = [];
  const uart = new Uart(port, { distributor: 3, intid: 33, sink: { write: (more) => bytes.push(...more) } });
  return {
    uart,
    port,
    output: () => String.fromCharCode(...bytes),
    read: (offset) => uart.read(offset, 4),
    write: (offset, value) => uart.write(offset, 4, value),
  };
}

describe('the PL011', () => {
  it('has the reset values of its data sheet and of QEMU', () => {
    const { read } = make();
    const values = Array.from({ length: 19 }, (_, i) => read(4 * i));
    expect(values).toEqual([0, 0, 0, 0, 0, 0, 0x90, 0, 0, 0, 0, 0, 0x300, 0x12, 0, 0, 0, 0, 0]);
    expect(Array.from({ length: 8 }, (_, i) => read(0xfe0 + 4 * i))).toEqual([
      0x11, 0x10, 0x14, 0, 0x0d, 0xf0, 5, 0xb1,
    ]);
  });

  it('prints what is written to UARTDR at once, by byte or by word, and raises the transmit interrupt', () => {
    const { uart, output, read, write } = make();
    write(CR, enabled);
    uart.write(DR, 1, 0x48);
    write(DR, 0xffff_ff69);
    expect(output()).toBe('Hi');
    expect([read(FR), read(RIS), uart.guestErrors.misuse]).toEqual([0x90, TX, 0]);
    write(ICR, TX);
    expect(read(RIS)).toBe(0);
  });

  it('prints even when nobody has enabled it, and counts that', () => {
    const { uart, output, write } = make();
    write(DR, 0x21);
    expect([output(), uart.guestErrors.misuse]).toEqual(['!', 1]);
  });

  it('drives its wire by the masked interrupts', () => {
    const { port, read, write } = make();
    write(CR, enabled);
    write(DR, 0x21);
    expect(port.wire).toBe(false);
    write(IMSC, TX);
    expect([port.wire, read(MIS)]).toEqual([true, TX]);
    write(ICR, TX);
    expect(port.wire).toBe(false);
    expect(port.sent.map(({ target, payload }) => [target, payload])).toEqual([
      [3, [33]],
      [3, [33]],
    ]);
  });

  it('without FIFOs holds one character and interrupts for each', () => {
    const { uart, read, write, port } = make();
    write(CR, enabled);
    write(IMSC, RX);
    uart.receiveBytes([0x61, 0x62]);
    expect([read(FR), port.wire]).toEqual([0xc0, true]);
    expect(read(DR)).toBe(0x61);
    expect([read(FR), read(RIS)]).toEqual([0xc0, RX]);
    expect(read(DR)).toBe(0x62);
    expect([read(FR), read(RIS), port.wire]).toEqual([0x90, 0, false]);
  });

  it('with FIFOs interrupts at the level of UARTIFLS', () => {
    const { uart, read, write } = make();
    write(CR, enabled);
    write(LCR_H, fifos);
    uart.receiveBytes([1, 2, 3, 4, 5, 6, 7]);
    expect(read(RIS)).toBe(0);
    uart.receiveBytes([8]);
    expect(read(RIS)).toBe(RX);
    read(DR);
    expect(read(RIS)).toBe(0);
    write(IFLS, 0);
    expect(read(RIS)).toBe(RX);
  });

  it('interrupts for fewer characters when the line has been quiet for 32 bits', () => {
    const { uart, read, write, port } = make();
    write(CR, enabled);
    write(LCR_H, fifos);
    write(IBRD, 13);
    uart.receiveBytes([1]);
    const bit = (16 * 13 * 1e9) / 24e6;
    port.pass(31 * bit, () => uart.timer());
    expect(read(RIS)).toBe(0);
    port.pass(2 * bit, () => uart.timer());
    expect(read(RIS)).toBe(RT);
    read(DR);
    expect(read(RIS)).toBe(0);
  });

  it('loses nothing that a console sends while its FIFO is full', () => {
    const { uart, read, write } = make();
    write(CR, enabled);
    write(LCR_H, fifos);
    const sent = Array.from({ length: 100 }, (_, i) => i);
    uart.receiveBytes(sent);
    expect(read(FR) & 0x40).toBe(0x40);
    expect(sent.map(() => read(DR))).toEqual(sent);
    expect([read(FR), uart.guestErrors.misuse]).toEqual([0x90, 0]);
  });

  it('in loopback receives what it sends, and overruns when nobody reads', () => {
    const { uart, output, read, write } = make();
    write(CR, enabled | 0x80);
    uart.receiveBytes([0x7a]);
    write(DR, 0x41);
    write(DR, 0x42);
    expect([output(), read(RIS) & (RX | OE)]).toEqual(['', RX | OE]);
    expect(read(DR)).toBe(0x841);
    expect(read(RSR)).toBe(8);
    write(RSR, 0);
    expect(read(RSR)).toBe(0);
    write(CR, enabled);
    expect(read(DR)).toBe(0x7a);
  });

  it('survives save and restore', () => {
    const { uart, write } = make();
    write(CR, enabled);
    write(LCR_H, fifos);
    write(IMSC, TX);
    uart.receiveBytes([1, 2, 3]);
    write(DR, 0x41);
    const copy = make();
    copy.uart.restore(structuredClone(uart.save()));
    expect(copy.uart.save()).toEqual(uart.save());
    expect(copy.read(DR)).toBe(1);
  });

  it('takes any access without a fault, and answers each', () => {
    const access = fc.record({
      isRead: fc.boolean(),
      offset: fc.oneof(
        fc.nat(0xfff),
        fc.nat(20).map((word) => word * 4),
      ),
      sizeBytes: fc.constantFrom(1, 2, 4, 8, 5),
      value: fc.nat(0xffff_ffff),
    });
    fc.assert(
      fc.property(fc.array(access, { maxLength: 200 }), (accesses) => {
        const { uart, port, read } = make();
        for (const { isRead, offset, sizeBytes, value } of accesses) {
          uart.receive(request(isRead, offset, sizeBytes, [value, value, 0]));
          uart.receiveBytes([value & 0xff]);
          port.pass(value % 10_000, () => uart.timer());
        }
        const answers = port.sent.filter(({ code }) => code <= busMessages.WriteResponse.code);
        expect(answers.length).toBe(accesses.length);
        expect(port.wire).toBe((read(RIS) & read(IMSC)) !== 0);
      }),
      { numRuns: 200, seed: 3 },
    );
  });
});
