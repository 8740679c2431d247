import { describe, expect, it } from 'vitest';
import { consoleDevice, type ConsoleDevice, controlEvent } from '../../../actors/virtio/console.ts';
import { ringFeature } from '../../../actors/virtio/features.ts';
import { Bench } from './bench.ts';
import { type DriverQueue, driverQueue } from './driver.ts';

const SIZE = 0;
const MULTIPORT = 1;
const { VERSION_1 } = ringFeature;

interface Console {
  readonly bench: Bench<ConsoleDevice>;
  readonly queues: DriverQueue[];
  /** What each port has put out. */
  readonly out: string[];
}

function console(features: readonly number[]): Console {
  const out = ['', ''];
  const sink = (n: number) => ({
    write: (bytes: readonly number[]) => {
      out[n] = (out[n] ?? '') + String.fromCharCode(...bytes);
    },
  });
  const ports = [{ sink: sink(0) }, { name: 'org.x', sink: sink(1) }];
  const bench = new Bench(consoleDevice({ ports, columns: 80, rows: 25 }));
  bench.negotiate([VERSION_1, ...features]);
  const queues = [0, 1, 2, 3, 4, 5].map((n) => driverQueue(bench, n, 16, [VERSION_1]));
  bench.goLive();
  return { bench, queues, out };
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

function control(id: number, event: number, value: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(8));
  view.setUint32(0, id, true);
  view.setUint16(4, event, true);
  view.setUint16(6, value, true);
  return new Uint8Array(view.buffer);
}

function say(queue: DriverQueue | undefined, bytes: Uint8Array): void {
  queue?.add([bytes]);
  queue?.notify();
  queue?.collect();
}

/** Control messages that came: port, event, value and what follows. */
function heard(queue: DriverQueue | undefined): [number, number, number, string][] {
  return (queue?.collect() ?? []).map(({ bytes, writtenBytes }) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const rest = String.fromCharCode(...bytes.subarray(8, writtenBytes));
    return [view.getUint32(0, true), view.getUint16(4, true), view.getUint16(6, true), rest];
  });
}

function listen(queue: DriverQueue | undefined): void {
  for (let n = 0; n < 8; n += 1) queue?.add([64]);
  queue?.notify();
}

describe('the console device', () => {
  it('tells its size and the number of its ports', () => {
    const { bench } = console([SIZE, MULTIPORT]);
    expect([bench.config(0, 2), bench.config(2, 2), bench.config(4)]).toEqual([80, 25, 2]);
  });

  it('puts out what port 0 transmits, and gives it what comes in, without MULTIPORT', () => {
    const { bench, queues, out } = console([]);
    say(queues[1], bytesOf('hello'));
    expect(out).toEqual(['hello', '']);
    queues[0]?.add([3]);
    queues[0]?.add([3]);
    queues[0]?.notify();
    expect(bench.device.receiveBytes(0, [...bytesOf('abcde')])).toBe(5);
    const text = queues[0]
      ?.collect()
      .map(({ bytes, writtenBytes }) => String.fromCharCode(...bytes.subarray(0, writtenBytes)));
    expect(text).toEqual(['abc', 'de']);
  });

  it('keeps input until there is a buffer, and takes no more than 64 KiB of it', () => {
    const { bench, queues } = console([]);
    expect(bench.device.receiveBytes(0, Array<number>(70_000).fill(65))).toBe(65_536);
    expect(bench.device.receiveBytes(0, [66])).toBe(0);
    queues[0]?.add([65_536]);
    queues[0]?.notify();
    expect(queues[0]?.collect()[0]?.writtenBytes).toBe(65_536);
    expect(bench.device.receiveBytes(0, [66])).toBe(1);
  });

  it('writes in an emergency without any queue', () => {
    const out: number[] = [];
    const sink = { write: (bytes: readonly number[]) => out.push(...bytes) };
    const bench = new Bench(consoleDevice({ ports: [{ sink }], columns: 1, rows: 1 }));
    bench.transport.write(0x108, 4, 0x141);
    expect(out).toEqual([0x41]);
    bench.transport.write(0x100, 4, 7);
    expect(bench.transport.guestErrors.writeOfReadOnly).toBe(1);
  });

  it('announces its ports, and tells of each whether it is a console or how it is called', () => {
    const { queues } = console([MULTIPORT]);
    listen(queues[2]);
    say(queues[3], control(0, controlEvent.DEVICE_READY, 1));
    expect(heard(queues[2])).toEqual([
      [0, controlEvent.DEVICE_ADD, 0, ''],
      [1, controlEvent.DEVICE_ADD, 0, ''],
    ]);
    say(queues[3], control(0, controlEvent.PORT_READY, 1));
    say(queues[3], control(1, controlEvent.PORT_READY, 1));
    expect(heard(queues[2])).toEqual([
      [0, controlEvent.CONSOLE_PORT, 1, ''],
      [0, controlEvent.PORT_OPEN, 1, ''],
      [1, controlEvent.PORT_NAME, 1, 'org.x'],
      [1, controlEvent.PORT_OPEN, 1, ''],
    ]);
  });

  it('holds input of a port that the driver has not opened', () => {
    const { bench, queues, out } = console([MULTIPORT]);
    queues[4]?.add([8]);
    queues[4]?.notify();
    bench.device.receiveBytes(1, [1, 2]);
    expect(queues[4]?.collect()).toEqual([]);
    say(queues[3], control(1, controlEvent.PORT_OPEN, 1));
    expect(queues[4]?.collect()[0]?.writtenBytes).toBe(2);
    say(queues[5], bytesOf('log'));
    expect(out).toEqual(['', 'log']);
  });

  it('tells of another size by the configuration and by a message', () => {
    const { bench, queues } = console([SIZE, MULTIPORT]);
    listen(queues[2]);
    bench.device.resize(132, 50);
    expect([bench.config(0, 2), bench.config(2, 2)]).toEqual([132, 50]);
    expect(bench.read('InterruptStatus') & 2).toBe(2);
    expect(heard(queues[2])).toEqual([[0, controlEvent.RESIZE, 0, String.fromCharCode(132, 0, 50, 0)]]);
  });

  it('passes over messages about ports that are not there, and messages that are cut short', () => {
    const { bench, queues } = console([MULTIPORT]);
    listen(queues[2]);
    say(queues[3], control(7, controlEvent.PORT_READY, 1));
    say(queues[3], control(0xffff_ffff, controlEvent.PORT_OPEN, 1));
    say(queues[3], control(0, 999, 1));
    say(queues[3], Uint8Array.of(1, 2, 3));
    expect(heard(queues[2])).toEqual([]);
    expect(bench.transport.fault).toBeUndefined();
  });

  it('gives up on a driver that asks for ever and never listens', () => {
    const { bench, queues } = console([MULTIPORT]);
    for (let n = 0; n < 200; n += 1) say(queues[3], control(0, controlEvent.DEVICE_READY, 1));
    expect(bench.read('Status') & 0x40).toBe(0x40);
  });

  it('keeps waiting input and messages in a saved state', () => {
    const { bench, queues } = console([MULTIPORT]);
    say(queues[3], control(0, controlEvent.DEVICE_READY, 1));
    bench.device.receiveBytes(1, [9]);
    const saved = structuredClone(bench.transport.save());
    bench.write('Status', 0);
    bench.transport.restore(saved);
    listen(queues[2]);
    expect(heard(queues[2]).length).toBe(2);
    queues[4]?.add([4]);
    say(queues[3], control(1, controlEvent.PORT_OPEN, 1));
    expect(queues[4]?.collect()[0]?.bytes[0]).toBe(9);
  });
});
