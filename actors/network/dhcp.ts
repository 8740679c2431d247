// A server of DHCP (RFC 2131, RFC 2132) that leases addresses in the order in which clients first ask.

import { type MacAddress, macAt, macToBytes } from './ethernet.ts';
import { type Ipv4Address, read32, word32 } from './internet.ts';

export const dhcpPort = { server: 67, client: 68 } as const;

const operation = { request: 1, reply: 2 } as const;
export const messageType = { DISCOVER: 1, OFFER: 2, REQUEST: 3, ACK: 5, NAK: 6 } as const;
const option = { subnetMask: 1, router: 3, dns: 6, requested: 50, lease: 51, type: 53, server: 54, end: 255, pad: 0 };

/** Offsets in a BOOTP message. */
const field = { transaction: 4, flags: 8, clientAddress: 12, hardwareAddress: 28, cookie: 236, options: 240 } as const;
const magicCookie = 0x6382_5363;

export interface DhcpOptions {
  readonly server: Ipv4Address;
  readonly mask: Ipv4Address;
  readonly router: Ipv4Address;
  readonly dns: Ipv4Address;
  readonly firstLease: Ipv4Address;
  /** Clients that get an address. */
  readonly leases: number;
  readonly leaseSeconds: number;
}

export class DhcpServer {
  private readonly options: DhcpOptions;
  private clients: MacAddress[] = [];

  constructor(options: DhcpOptions) {
    this.options = options;
  }

  /** The answer to a message of a client, if there is one. */
  answer(message: Uint8Array): number[] | undefined {
    if (message.length < field.options || message[0] !== operation.request) return undefined;
    if (read32(message, field.cookie) !== magicCookie) return undefined;
    const options = readOptions(message);
    const type = options.get(option.type)?.[0];
    if (type !== messageType.DISCOVER && type !== messageType.REQUEST) return undefined;
    const address = this.addressOf(macAt(message, field.hardwareAddress));
    if (address === undefined) return undefined;
    if (type === messageType.DISCOVER) return this.reply(message, messageType.OFFER, address);
    const server = options.get(option.server);
    // The client has chosen another server.
    if (server?.length === 4 && read32(server, 0) !== this.options.server) return undefined;
    const requested = options.get(option.requested);
    const wanted = requested?.length === 4 ? read32(requested, 0) : read32(message, field.clientAddress);
    return wanted === address ? this.reply(message, messageType.ACK, address) : this.reply(message, messageType.NAK, 0);
  }

  private addressOf(client: MacAddress): Ipv4Address | undefined {
    if (!this.clients.includes(client)) {
      if (this.clients.length >= this.options.leases) return undefined;
      this.clients.push(client);
    }
    return this.options.firstLease + this.clients.indexOf(client);
  }

  private reply(request: Uint8Array, type: number, address: Ipv4Address): number[] {
    const { server, mask, router, dns, leaseSeconds } = this.options;
    const header = new Uint8Array(field.options);
    header.set([operation.reply, 1, 6, 0]);
    header.set(request.subarray(field.transaction, field.transaction + 4), field.transaction);
    header.set(request.subarray(field.flags, field.flags + 2), field.flags);
    header.set(word32(address), 16);
    header.set(word32(server), 20);
    header.set(macToBytes(macAt(request, field.hardwareAddress)), field.hardwareAddress);
    header.set(word32(magicCookie), field.cookie);
    const lease =
      type === messageType.NAK
        ? []
        : [
            ...[option.subnetMask, 4, ...word32(mask)],
            ...[option.router, 4, ...word32(router)],
            ...[option.dns, 4, ...word32(dns)],
            ...[option.lease, 4, ...word32(leaseSeconds)],
          ];
    return [...header, option.type, 1, type, option.server, 4, ...word32(server), ...lease, option.end];
  }

  save(): MacAddress[] {
    return [...this.clients];
  }

  restore(saved: readonly MacAddress[]): void {
    this.clients = [...saved];
  }
}

function readOptions(message: Uint8Array): Map<number, Uint8Array> {
  const options = new Map<number, Uint8Array>();
  for (let at: number = field.options; at < message.length && message[at] !== option.end;) {
    if (message[at] === option.pad) {
      at += 1;
      continue;
    }
    const length = message[at + 1] ?? 0;
    if (at + 2 + length > message.length) break;
    options.set(message[at]!, message.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return options;
}
