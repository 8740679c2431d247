import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameAssembler } from '../../../actors/network/messages.ts';
import { Capture } from '../../../actors/network/pcap.ts';
import { Switch, type SwitchOptions, type SwitchRule } from '../../../actors/network/switch.ts';
import { frameOf, messagesOf, Wire } from './frames.ts';

const [a, b, c] = [0x0200_0000_000a, 0x0200_0000_000b, 0x0200_0000_000c] as const;
const everyone = 0xffff_ffff_ffff;

function network(
  groups: readonly number[],
  capture?: SwitchOptions['capture'],
  rule: SwitchRule = 'learning',
  stations: readonly number[] = [],
) {
  const wire = new Wire();
  const ports = groups.map((group, n) => ({ actor: 10 + n, group, stations: stations.slice(n, n + 1) }));
  const fabric = new Switch(wire, { rule, ports, ...(capture && { capture }) });
  const send = (from: number, frame: Uint8Array): number[] => {
    for (const message of messagesOf(10 + from, frame)) fabric.receive(message);
    return wire.take().map(({ to }) => to - 10);
  };
  return { wire, fabric, send };
}

describe('a frame in messages', () => {
  it('arrives as it was sent, whatever its length', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 0, maxLength: 1518 }), (frame) => {
        const assembler = new FrameAssembler();
        const arrived = messagesOf(3, frame).flatMap((message) => assembler.receive(message) ?? []);
        expect(arrived).toEqual([frame]);
      }),
      { seed: 2, numRuns: 60 },
    );
  });

  it('is not mixed with a frame of another sender, nor with one that never ended', () => {
    const assembler = new FrameAssembler();
    const [one, two] = [frameOf(a, b, 1, Array<number>(100).fill(7)), frameOf(b, a, 2, Array<number>(90).fill(8))];
    const [ones, twos] = [messagesOf(1, one), messagesOf(2, two)];
    expect(assembler.receive(ones[0]!)).toBeUndefined();
    const arrived = ones.flatMap((message, n) => {
      const other = twos[n];
      return [assembler.receive(message), other && assembler.receive(other)].filter((frame) => frame !== undefined);
    });
    expect(arrived).toEqual([one, two]);
  });
});

describe('the switch', () => {
  it('sends a frame for a station that it does not know to every port but its own', () => {
    expect(network([0, 0, 0]).send(0, frameOf(b, a))).toEqual([1, 2]);
  });

  it('learns behind which port a station is, and anew when it moves', () => {
    const { send } = network([0, 0, 0]);
    send(1, frameOf(everyone, b));
    expect(send(0, frameOf(b, a))).toEqual([1]);
    expect(send(1, frameOf(a, b))).toEqual([0]);
    send(2, frameOf(everyone, b));
    expect(send(0, frameOf(b, a))).toEqual([2]);
  });

  it('sends broadcasts and multicasts to all, and learns no group address', () => {
    const { send } = network([0, 0, 0]);
    send(1, frameOf(a, everyone));
    expect(send(0, frameOf(everyone, a))).toEqual([1, 2]);
    expect(send(0, frameOf(0x0100_5e00_0001, a))).toEqual([1, 2]);
  });

  it('sends nothing back to where it came from', () => {
    const { send, fabric } = network([0, 0]);
    send(0, frameOf(everyone, a));
    expect(send(0, frameOf(a, c))).toEqual([]);
    expect(fabric.counters[0]).toEqual({ framesIn: 2, framesOut: 0, dropped: 1 });
  });

  it('keeps groups apart, even where a station has the same address in both', () => {
    const { send } = network([1, 1, 2, 2]);
    expect(send(0, frameOf(everyone, a))).toEqual([1]);
    expect(send(2, frameOf(everyone, a))).toEqual([3]);
    expect(send(1, frameOf(a, b))).toEqual([0]);
    expect(send(3, frameOf(a, b))).toEqual([2]);
    expect(send(3, frameOf(c, b))).toEqual([2]);
  });

  it('drops what is no frame, and what comes from nobody it knows', () => {
    const { send, fabric } = network([0, 0]);
    expect(send(0, new Uint8Array(13))).toEqual([]);
    expect(send(9, frameOf(everyone, a))).toEqual([]);
    expect(fabric.counters[0]?.dropped).toBe(1);
  });

  it('remembers a thousand stations, and for a new one forgets the first', () => {
    const { send } = network([0, 0, 0]);
    for (let n = 0; n < 1025; n += 1) send(1, frameOf(everyone, 0x0200_0001_0000 + n));
    expect(send(0, frameOf(0x0200_0001_0000, a))).toEqual([1, 2]);
    expect(send(0, frameOf(0x0200_0001_0400, a))).toEqual([1]);
  });

  it('knows its stations again from a saved state', () => {
    const { send, fabric } = network([0, 0, 0]);
    send(1, frameOf(everyone, b));
    const again = network([0, 0, 0]);
    again.fabric.restore(structuredClone(fabric.save()));
    expect(again.send(0, frameOf(b, a))).toEqual([1]);
  });
});

describe('the switch with a table', () => {
  const table = () => network([0, 0, 0, 7], undefined, 'table', [a, b, c, b]);
  const [ip, arp, ipv6] = [0x0800, 0x0806, 0x86dd];

  it('knows its stations from the start, one of each address in a group, and learns no other', () => {
    const { send } = table();
    expect(send(0, frameOf(b, a, ip))).toEqual([1]);
    expect(send(0, frameOf(0x0200_0000_0099, a, ip))).toEqual([]);
    send(2, frameOf(a, 0x0200_0000_0099, ip));
    expect(send(0, frameOf(0x0200_0000_0099, a, ip))).toEqual([]);
  });

  it.each([
    ['ARP broadcasts', everyone, arp, [1, 2]],
    ['other broadcasts', everyone, ip, []],
    ['IPv6 multicasts', 0x3333_0000_0001, ipv6, [1, 2]],
    ['their addresses with another type', 0x3333_0000_0001, ip, []],
    ['multicasts of IPv4', 0x0100_5e00_0001, ip, []],
    ['ARP to a multicast address', 0x0100_5e00_0001, arp, []],
  ])('sends %s to the right ports', (_what, to, type, expected) => {
    expect(table().send(0, frameOf(to, a, type))).toEqual(expected);
  });
});

it('no frame crosses from one group to another, whatever was sent before, by either rule', () => {
  const address = fc.constantFrom(a, b, c, everyone, 0x3333_0000_0001);
  const sent = fc.record({
    from: fc.nat(5),
    to: address,
    source: address,
    type: fc.constantFrom(0x0806, 0x86dd, 0x0800),
  });
  fc.assert(
    fc.property(
      fc.constantFrom<SwitchRule>('learning', 'table'),
      fc.array(fc.nat(2), { minLength: 6, maxLength: 6 }),
      fc.array(sent, { maxLength: 40 }),
      (rule, groups, frames) => {
        const { send } = network(groups, undefined, rule, [a, b, c, a, b, c]);
        for (const { from, to, source, type } of frames)
          for (const port of send(from, frameOf(to, source, type))) {
            expect(groups[port]).toBe(groups[from]);
            expect(port).not.toBe(from);
          }
      },
    ),
    { seed: 3, numRuns: 200 },
  );
});

describe('a capture', () => {
  it('holds every frame with its simulated time, as a pcap file with nanoseconds', () => {
    const capture = new Capture();
    const { send, wire } = network([0, 0], (ticks, frame) => capture.add(ticks, frame));
    wire.ticks = 2_000_000_123;
    const frame = frameOf(everyone, a);
    send(0, frame);
    const bytes = capture.toBytes();
    const view = new DataView(bytes.buffer);
    expect(view.getUint32(0, true)).toBe(0xa1b23c4d);
    expect([view.getUint16(4, true), view.getUint16(6, true), view.getUint32(20, true)]).toEqual([2, 4, 1]);
    expect([24, 28, 32, 36].map((at) => view.getUint32(at, true))).toEqual([2, 123, frame.length, frame.length]);
    expect(bytes.slice(40)).toEqual(frame);
  });
});
