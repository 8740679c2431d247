import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dhcpPort, messageType } from '../../../actors/network/dhcp.ts';
import { macAt, macToBytes } from '../../../actors/network/ethernet.ts';
import {
  checksum,
  ipProtocol,
  ipv4,
  readIpv4,
  word16,
  word32,
  writeIpv4,
  writeUdp,
} from '../../../actors/network/internet.ts';
import { UserBackend, UserNetwork } from '../../../actors/network/user-network.ts';
import { frameOf, messagesOf, Wire } from './frames.ts';

const guest = 0x5254_0012_3456;
const everyone = 0xffff_ffff_ffff;
const [gateway, nameServer, self] = [ipv4(10, 0, 2, 2), ipv4(10, 0, 2, 3), ipv4(10, 0, 2, 15)];
const macOfGateway = 0x5255_0a00_0202;

const arpFor = (address: number): Uint8Array =>
  frameOf(everyone, guest, 0x0806, [
    ...[0, 1, 8, 0, 6, 4, 0, 1],
    ...[...macToBytes(guest), ...word32(self), 0, 0, 0, 0, 0, 0, ...word32(address)],
  ]);

function ping(to: number, mac: number, data: readonly number[]): Uint8Array {
  const echo = [8, 0, 0, 0, 0x12, 0x34, 0, 1, ...data];
  echo.splice(2, 2, ...word16(checksum(echo)));
  const packet = writeIpv4({ protocol: ipProtocol.ICMP, source: self, destination: to, payload: echo });
  return frameOf(mac, guest, 0x0800, packet);
}

function dhcp(client: number, type: number, options: readonly number[] = [], ciaddr = 0): Uint8Array {
  const message = new Uint8Array(240);
  message.set([1, 1, 6, 0, 0xde, 0xad, 0xbe, 0xef]);
  message.set(word32(ciaddr), 12);
  message.set(macToBytes(client), 28);
  message.set([0x63, 0x82, 0x53, 0x63], 236);
  const data = [...message, 53, 1, type, 0, ...options, 255];
  const payload = writeUdp(dhcpPort.client, dhcpPort.server, data);
  return frameOf(everyone, client, 0x0800, writeIpv4({ protocol: ipProtocol.UDP, source: 0, destination: 0xffff_ffff, payload })); // prettier-ignore
}

/** yiaddr and the options of a DHCP answer. */
function leaseOf(frame: Uint8Array | undefined) {
  const packet = frame && readIpv4(frame.subarray(14));
  const message = packet?.payload.subarray(8);
  if (message === undefined) return undefined;
  const options: Record<number, number[]> = {};
  for (let at = 240; message[at] !== 255; at += 2 + message[at + 1]!)
    options[message[at]!] = [...message.subarray(at + 2, at + 2 + message[at + 1]!)];
  return { address: [...message.subarray(16, 20)], transaction: [...message.subarray(4, 8)], options };
}

describe('the user network', () => {
  it('says by ARP where its gateway and its name server are, and nothing of other addresses', () => {
    const network = new UserNetwork();
    const answer = network.receive(arpFor(gateway));
    expect(answer && [macAt(answer, 0), macAt(answer, 6), macAt(answer, 22)]).toEqual([
      guest,
      macOfGateway,
      macOfGateway,
    ]);
    expect([...(answer?.subarray(20, 22) ?? [])]).toEqual([0, 2]);
    expect([...(answer?.subarray(28, 42) ?? [])]).toEqual([...word32(gateway), ...macToBytes(guest), ...word32(self)]);
    const second = network.receive(arpFor(nameServer));
    expect(second && macAt(second, 6)).toBe(0x5255_0a00_0203);
    expect(network.receive(arpFor(self))).toBeUndefined();
    expect(network.receive(arpFor(ipv4(10, 0, 2, 77)))).toBeUndefined();
  });

  it('answers an echo with the same data', () => {
    const network = new UserNetwork();
    const data = Array.from({ length: 57 }, (_, n) => n);
    const answer = network.receive(ping(gateway, macOfGateway, data));
    const packet = answer && readIpv4(answer.subarray(14));
    expect(packet).toMatchObject({ protocol: 1, source: gateway, destination: self });
    expect([...(packet?.payload ?? [])].slice(4)).toEqual([0x12, 0x34, 0, 1, ...data]);
    expect(packet && [packet.payload[0], checksum(packet.payload)]).toEqual([0, 0]);
  });

  it('does not answer an echo with a wrong checksum, for another address, or for another station', () => {
    const network = new UserNetwork();
    const damaged = ping(gateway, macOfGateway, [1, 2]);
    damaged[damaged.length - 1]! ^= 1;
    expect(network.receive(damaged)).toBeUndefined();
    expect(network.receive(ping(ipv4(8, 8, 8, 8), macOfGateway, []))).toBeUndefined();
    expect(network.receive(ping(gateway, 0x5255_0a00_0203, []))).toBeUndefined();
  });

  it('leases 10.0.2.15 to the first client, and the next address to the next', () => {
    const network = new UserNetwork();
    const offer = leaseOf(network.receive(dhcp(guest, messageType.DISCOVER)));
    expect(offer?.address).toEqual([10, 0, 2, 15]);
    expect(offer?.transaction).toEqual([0xde, 0xad, 0xbe, 0xef]);
    expect(offer?.options).toEqual({
      1: [255, 255, 255, 0],
      3: [10, 0, 2, 2],
      6: [10, 0, 2, 3],
      51: word32(86_400),
      53: [messageType.OFFER],
      54: [10, 0, 2, 2],
    });
    const request = [50, 4, 10, 0, 2, 15, 54, 4, 10, 0, 2, 2];
    expect(leaseOf(network.receive(dhcp(guest, messageType.REQUEST, request)))?.options[53]).toEqual([messageType.ACK]);
    expect(leaseOf(network.receive(dhcp(guest + 1, messageType.DISCOVER)))?.address).toEqual([10, 0, 2, 16]);
    expect(leaseOf(network.receive(dhcp(guest, messageType.REQUEST, [], self)))?.options[53]).toEqual([
      messageType.ACK,
    ]);
  });

  it('refuses a lease of another address, and is silent to who has chosen another server', () => {
    const network = new UserNetwork();
    const other = [50, 4, 10, 0, 2, 99];
    expect(leaseOf(network.receive(dhcp(guest, messageType.REQUEST, other)))?.options).toEqual({
      53: [messageType.NAK],
      54: [10, 0, 2, 2],
    });
    expect(network.receive(dhcp(guest, messageType.REQUEST, [...other, 54, 4, 10, 0, 2, 9]))).toBeUndefined();
  });

  it('takes any bytes for what they are', () => {
    const network = new UserNetwork();
    const seeds = [arpFor(gateway), ping(gateway, macOfGateway, [1]), dhcp(guest, messageType.DISCOVER)];
    fc.assert(
      fc.property(
        fc.constantFrom(...seeds),
        fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 6 }),
        fc.nat(400),
        (seed, changes, sizeBytes) => {
          const frame = seed.slice(0, sizeBytes);
          for (const [at, value] of changes) if (at < frame.length) frame[at] = value;
          expect(() => network.receive(frame)).not.toThrow();
        },
      ),
      { seed: 4, numRuns: 2000 },
    );
  });

  it('goes on with its leases from a saved state', () => {
    const network = new UserNetwork();
    network.receive(dhcp(guest + 5, messageType.DISCOVER));
    const again = new UserNetwork();
    again.restore(structuredClone(network.save()));
    expect(leaseOf(again.receive(dhcp(guest, messageType.DISCOVER)))?.address).toEqual([10, 0, 2, 16]);
  });

  it('answers as an actor on its wire', () => {
    const wire = new Wire();
    const backend = new UserBackend(wire, 5);
    for (const message of messagesOf(5, arpFor(gateway))) backend.receive(message);
    expect(wire.take()).toMatchObject([{ to: 5 }]);
    backend.restore(structuredClone(backend.save()));
    expect(backend.network.counters.arpReplies).toBe(1);
  });
});
