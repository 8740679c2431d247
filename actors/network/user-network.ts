// What a guest finds behind its network card: the stations of QEMU's user network, 10.0.2.0/24, as far as they are of the simulated
// world. The gateway (10.0.2.2) and the name server (10.0.2.3) answer ARP and ICMP echo, the gateway answers DHCP; the first client
// gets 10.0.2.15. Left out: everything that would reach the host's own network, so that a run needs nobody but its seed.

import type { Actor, ActorId, Message, Port } from '../actor.ts';
import { DhcpServer, dhcpPort } from './dhcp.ts';
import { broadcast, etherHeaderBytes, isFrame, type MacAddress, macAt, macBytes, macToBytes } from './ethernet.ts';
import {
  checksum,
  etherType,
  ipProtocol,
  ipv4,
  type Ipv4Address,
  type Ipv4Packet,
  read16,
  read32,
  readIpv4,
  readUdp,
  word16,
  word32,
  writeIpv4,
  writeUdp,
} from './internet.ts';
import { FrameAssembler, sendFrame } from './messages.ts';

const gateway = ipv4(10, 0, 2, 2);
const nameServer = ipv4(10, 0, 2, 3);
const stations: readonly Ipv4Address[] = [gateway, nameServer];

/** 52:55 and the address. */
const macOf = (address: Ipv4Address): MacAddress => 0x5255 * 2 ** 32 + address;

export const userStations: readonly MacAddress[] = stations.map(macOf);

const arp = { request: 1, reply: 2, sizeBytes: 28 } as const;
const icmp = { echoReply: 0, echoRequest: 8, headerBytes: 8 } as const;
/** Padding that Ethernet asks for. */
const shortestFrameBytes = 60;

export interface UserCounters {
  frames: number;
  arpReplies: number;
  echoReplies: number;
  dhcpReplies: number;
}

/** The stations themselves: a frame in, the frames that answer it out. */
export class UserNetwork {
  readonly counters: UserCounters = { frames: 0, arpReplies: 0, echoReplies: 0, dhcpReplies: 0 };
  private readonly dhcp = new DhcpServer({
    server: gateway,
    mask: ipv4(255, 255, 255, 0),
    router: gateway,
    dns: nameServer,
    firstLease: ipv4(10, 0, 2, 15),
    leases: 240,
    leaseSeconds: 86_400,
  });

  receive(frame: Uint8Array): Uint8Array | undefined {
    if (!isFrame(frame)) return undefined;
    this.counters.frames++;
    const payload = frame.subarray(etherHeaderBytes);
    switch (read16(frame, 2 * macBytes)) {
      case etherType.ARP:
        return this.answerArp(payload);
      case etherType.IPv4: {
        const packet = readIpv4(payload);
        return packet && this.answerIpv4(packet, macAt(frame, 0), macAt(frame, macBytes));
      }
      default:
        return undefined;
    }
  }

  private answerArp(request: Uint8Array): Uint8Array | undefined {
    // Ethernet, IPv4, 6 and 4 bytes of address, a request.
    const isRequest =
      request.length >= arp.sizeBytes &&
      read32(request, 0) === 0x0001_0800 &&
      read32(request, 4) === 0x0604_0000 + arp.request;
    const wanted = isRequest ? read32(request, 24) : 0;
    if (!stations.includes(wanted)) return undefined;
    this.counters.arpReplies++;
    const asker = macAt(request, 8);
    return etherFrame(asker, macOf(wanted), etherType.ARP, [
      ...[...word16(1), ...word16(etherType.IPv4), 6, 4, ...word16(arp.reply)],
      ...[...macToBytes(macOf(wanted)), ...word32(wanted)],
      ...request.subarray(8, 18),
    ]);
  }

  private answerIpv4(packet: Ipv4Packet, to: MacAddress, from: MacAddress): Uint8Array | undefined {
    const { protocol, destination } = packet;
    const isForUs = stations.includes(destination) && to === macOf(destination);
    if (protocol === ipProtocol.ICMP && isForUs) return this.answerEcho(packet, from);
    if (protocol === ipProtocol.UDP) return this.answerDhcp(packet, from);
    return undefined;
  }

  private answerEcho({ source, destination, payload }: Ipv4Packet, from: MacAddress): Uint8Array | undefined {
    if (payload.length < icmp.headerBytes || payload[0] !== icmp.echoRequest || checksum(payload) !== 0)
      return undefined;
    this.counters.echoReplies++;
    const reply = [icmp.echoReply, 0, 0, 0, ...payload.subarray(4)];
    reply.splice(2, 2, ...word16(checksum(reply)));
    const packet = writeIpv4({ protocol: ipProtocol.ICMP, source: destination, destination: source, payload: reply });
    return etherFrame(from, macOf(destination), etherType.IPv4, packet);
  }

  private answerDhcp({ destination, payload }: Ipv4Packet, from: MacAddress): Uint8Array | undefined {
    const datagram = readUdp(payload);
    const isForUs = destination === gateway || destination === ipv4(255, 255, 255, 255);
    if (datagram?.destinationPort !== dhcpPort.server || !isForUs) return undefined;
    const answer = this.dhcp.answer(datagram.data);
    if (answer === undefined) return undefined;
    this.counters.dhcpReplies++;
    const isBroadcast = (datagram.data[10]! & 0x80) !== 0;
    const packet = writeIpv4({
      protocol: ipProtocol.UDP,
      source: gateway,
      destination: ipv4(255, 255, 255, 255),
      payload: writeUdp(dhcpPort.server, dhcpPort.client, answer),
    });
    return etherFrame(isBroadcast ? broadcast : from, macOf(gateway), etherType.IPv4, packet);
  }

  save(): { counters: UserCounters; clients: MacAddress[] } {
    return { counters: { ...this.counters }, clients: this.dhcp.save() };
  }

  restore({ counters, clients }: ReturnType<UserNetwork['save']>): void {
    Object.assign(this.counters, counters);
    this.dhcp.restore(clients);
  }
}

function etherFrame(to: MacAddress, from: MacAddress, type: number, payload: readonly number[]): Uint8Array {
  const bytes = [...macToBytes(to), ...macToBytes(from), ...word16(type), ...payload];
  const frame = new Uint8Array(Math.max(bytes.length, shortestFrameBytes));
  frame.set(bytes);
  return frame;
}

interface SavedUserBackend {
  readonly version: 1;
  readonly network: ReturnType<UserNetwork['save']>;
  readonly assembler: ReturnType<FrameAssembler['save']>;
}

/** The stations as an actor at a port of a switch. */
export class UserBackend implements Actor {
  readonly network = new UserNetwork();
  private readonly port: Port;
  private readonly wire: ActorId;
  private readonly assembler = new FrameAssembler();

  /** `wire`: the actor that its frames go to. */
  constructor(port: Port, wire: ActorId) {
    this.port = port;
    this.wire = wire;
  }

  receive(message: Message): void {
    const frame = this.assembler.receive(message);
    const answer = frame && this.network.receive(frame);
    if (answer !== undefined) sendFrame(this.port, this.wire, answer);
  }

  timer(): void {}

  save(): SavedUserBackend {
    return { version: 1, network: this.network.save(), assembler: this.assembler.save() };
  }

  restore(saved: SavedUserBackend): void {
    this.network.restore(saved.network);
    this.assembler.restore(saved.assembler);
  }
}
