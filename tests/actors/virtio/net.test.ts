import { describe, expect, it } from 'vitest';
import { ringFeature } from '../../../actors/virtio/features.ts';
import { netDevice, type NetDevice, netFeature } from '../../../actors/virtio/net.ts';
import { macToBytes } from '../../../actors/network/ethernet.ts';
import { Bench } from './bench.ts';
import { type DriverQueue, driverQueue } from './driver.ts';

const { VERSION_1, RING_PACKED } = ringFeature;
const { MRG_RXBUF, STATUS, CTRL_VQ, CTRL_RX, CTRL_MAC_ADDR, GUEST_ANNOUNCE, MAC } = netFeature;
const own = 0x5254_0012_3456;
const other = 0x5254_0012_3457;
const everyone = 0xffff_ffff_ffff;
const group = 0x0100_5e00_0001;

interface Card {
  readonly bench: Bench<NetDevice>;
  readonly receive: DriverQueue;
  readonly transmit: DriverQueue;
  readonly sent: Uint8Array[];
  readonly command: (group: number, command: number, data: readonly number[]) => number | undefined;
}

function card(features: readonly number[]): Card {
  const sent: Uint8Array[] = [];
  const bench = new Bench(netDevice({ mac: own, link: { send: (frame) => sent.push(frame) } }));
  const all = [VERSION_1, ...features];
  expect(bench.negotiate(all)).toBe(11);
  const [receive, transmit, control] = [0, 1, 2].map((n) => driverQueue(bench, n, 16, all)) as [DriverQueue, DriverQueue, DriverQueue]; // prettier-ignore
  bench.goLive();
  const command = (kind: number, what: number, data: readonly number[]): number | undefined => {
    control.add(
      [Uint8Array.of(kind, what), Uint8Array.from(data), 1].filter(
        (part) => part === 1 || (part as Uint8Array).length > 0,
      ),
    );
    control.notify();
    return control.collect()[0]?.bytes[0];
  };
  return { bench, receive, transmit, sent, command };
}

const frameTo = (to: number, sizeBytes = 60): Uint8Array => {
  const frame = Uint8Array.from({ length: sizeBytes }, (_, n) => n);
  frame.set(macToBytes(to));
  return frame;
};

/** Gives the card a buffer, lets a frame come, and says whether it was taken. */
function isTaken({ bench, receive }: Card, to: number): boolean {
  receive.add([2048]);
  receive.notify();
  const before = bench.device.counters.framesIn;
  bench.device.receiveFrame(frameTo(to));
  receive.collect();
  return bench.device.counters.framesIn > before;
}

describe('the network device', () => {
  it('tells its address and that its link is up', () => {
    const { bench } = card([MAC, STATUS]);
    expect([0, 1, 2, 3, 4, 5].map((n) => bench.config(n, 1))).toEqual(macToBytes(own));
    expect(bench.config(6, 2)).toBe(1);
    bench.device.setLink(false);
    expect(bench.config(6, 2)).toBe(0);
    expect(bench.read('InterruptStatus')).toBe(2);
  });

  it('sends what follows the header of 12 bytes, however it is cut into parts', () => {
    const { transmit, sent } = card([]);
    const frame = frameTo(other, 300);
    const packet = Uint8Array.from([...new Uint8Array(12), ...frame]);
    transmit.add([packet.subarray(0, 7), packet.subarray(7, 40), packet.subarray(40)]);
    transmit.notify();
    expect(sent).toEqual([frame]);
    expect(transmit.collect()[0]?.writtenBytes).toBe(0);
  });

  it('counts what is no frame, and sends nothing of it', () => {
    const { transmit, sent, bench } = card([]);
    for (const sizeBytes of [12, 25, 12 + 1519, 60_000]) transmit.add([new Uint8Array(sizeBytes)]);
    transmit.notify();
    expect(sent).toEqual([]);
    expect(bench.device.counters.badFrames).toBe(4);
    expect(transmit.collect().length).toBe(4);
  });

  it('needs a reset after a packet without a whole header', () => {
    const { transmit, bench } = card([]);
    transmit.add([new Uint8Array(11)]);
    transmit.notify();
    expect(bench.read('Status')).toBe(0x4f);
  });

  it.each([
    ['split', []],
    ['packed', [RING_PACKED]],
  ])('puts a frame into one buffer of a %s ring, with a header that says 1', (_kind, features) => {
    const { receive, bench } = card(features);
    receive.add([12, 2000]);
    receive.notify();
    bench.device.receiveFrame(frameTo(own));
    const [used] = receive.collect();
    expect(used?.writtenBytes).toBe(72);
    expect([...(used?.bytes.subarray(0, 12) ?? [])]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0]);
    expect(used?.bytes.slice(12, 72)).toEqual(frameTo(own));
  });

  it.each([
    ['split', [MRG_RXBUF]],
    ['packed', [MRG_RXBUF, RING_PACKED]],
  ])('merges as many buffers of a %s ring as a frame needs, and says how many', (_kind, features) => {
    const { receive, bench } = card(features);
    for (let n = 0; n < 5; n += 1) receive.add([100]);
    receive.notify();
    bench.device.receiveFrame(frameTo(own, 300));
    const used = receive.collect();
    expect(used.map(({ writtenBytes }) => writtenBytes)).toEqual([100, 100, 100, 12]);
    expect(used[0]?.bytes[10]).toBe(4);
    const whole = used.flatMap(({ bytes, writtenBytes }) => [...bytes.subarray(0, writtenBytes)]);
    expect(whole.slice(12)).toEqual([...frameTo(own, 300)]);
  });

  it.each([
    ['merged', [MRG_RXBUF]],
    ['merged, packed', [MRG_RXBUF, RING_PACKED]],
    ['single', []],
  ])('drops a frame for which the buffers (%s) are too small, and loses no buffer', (_kind, features) => {
    const { receive, bench } = card(features);
    receive.add([100]);
    receive.add([100]);
    receive.notify();
    bench.device.receiveFrame(frameTo(own, 1000));
    expect(receive.collect()).toEqual([]);
    bench.device.receiveFrame(frameTo(own));
    bench.device.receiveFrame(frameTo(own));
    bench.device.receiveFrame(frameTo(own));
    expect(receive.collect().length).toBe(2);
    expect(bench.device.counters).toMatchObject({ framesIn: 2, dropped: 2 });
  });

  it('takes every frame until it is told which', () => {
    const device = card([CTRL_VQ, CTRL_RX]);
    const { command } = device;
    const taken = (): boolean[] => [own, everyone, other, group].map((to) => isTaken(device, to));
    expect(taken()).toEqual([true, true, true, true]);
    expect(command(0, 0, [0])).toBe(0);
    expect(taken()).toEqual([true, true, false, false]);
    expect(command(0, 1, [1])).toBe(0);
    expect(taken()).toEqual([true, true, false, true]);
    expect(command(0, 1, [0])).toBe(0);
    expect(command(1, 0, [1, 0, 0, 0, ...macToBytes(other), 1, 0, 0, 0, ...macToBytes(group)])).toBe(0);
    expect(taken()).toEqual([true, true, true, true]);
    expect(command(1, 0, [0, 0, 0, 0, 0, 0, 0, 0])).toBe(0);
    expect(taken()).toEqual([true, true, false, false]);
  });

  it.each([
    ['a table that is cut short', 1, 0, [2, 0, 0, 0, 1, 2, 3]],
    ['a table of four thousand million addresses', 1, 0, [255, 255, 255, 255, 0, 0, 0, 0]],
    ['a table that is missing', 1, 0, [0, 0, 0, 0]],
    ['a switch without its value', 0, 0, []],
    ['a command that there is not', 0, 9, [0]],
    ['a class that there is not', 4, 0, [0]],
    ['an address of five bytes', 1, 1, [1, 2, 3, 4, 5]],
  ])('answers ERR to %s', (_what, kind, what, data) => {
    const { command, bench } = card([CTRL_VQ, CTRL_RX, CTRL_MAC_ADDR]);
    expect(command(kind, what, data)).toBe(1);
    expect(bench.transport.fault).toBeUndefined();
  });

  it('answers ERR to commands of features that were not negotiated', () => {
    const { command } = card([CTRL_VQ]);
    expect([command(0, 0, [1]), command(1, 1, macToBytes(other)), command(3, 0, [])]).toEqual([1, 1, 1]);
  });

  it('takes another address until the reset', () => {
    const { command, bench } = card([CTRL_VQ, CTRL_MAC_ADDR]);
    expect(command(1, 1, macToBytes(other))).toBe(0);
    expect(bench.config(5, 1)).toBe(0x57);
    bench.write('Status', 0);
    expect(bench.config(5, 1)).toBe(0x56);
  });

  it('asks the driver to announce itself until it has', () => {
    const { command, bench } = card([CTRL_VQ, STATUS, GUEST_ANNOUNCE]);
    bench.device.announce();
    expect(bench.config(6, 2)).toBe(3);
    expect(bench.read('InterruptStatus')).toBe(2);
    expect(command(3, 0, [])).toBe(0);
    expect(bench.config(6, 2)).toBe(1);
  });

  it('saves its filter, its address and its link', () => {
    const device = card([CTRL_VQ, CTRL_RX, CTRL_MAC_ADDR]);
    device.command(0, 0, [0]);
    device.command(1, 1, macToBytes(other));
    const saved = structuredClone(device.bench.transport.save());
    device.bench.write('Status', 0);
    device.bench.transport.restore(saved);
    expect([other, own].map((to) => isTaken(device, to))).toEqual([true, false]);
  });
});
