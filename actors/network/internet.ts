// The headers of IPv4 and of what it carries, as far as a small responder reads and writes them: RFC 791 (IPv4), RFC 792 (ICMP),
// RFC 768 (UDP), RFC 1071 (the checksum).

export const etherType = { IPv4: 0x0800, ARP: 0x0806, IPv6: 0x86dd } as const;
export const ipProtocol = { ICMP: 1, UDP: 17 } as const;

const ipHeaderBytes = 20;
const udpHeaderBytes = 8;

/** An address as a number, the first byte highest. */
export type Ipv4Address = number;

export const ipv4 = (a: number, b: number, c: number, d: number): Ipv4Address =>
  ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;

export const word32 = (value: number): number[] => [
  value >>> 24,
  (value >>> 16) & 0xff,
  (value >>> 8) & 0xff,
  value & 0xff,
];
export const word16 = (value: number): number[] => [(value >>> 8) & 0xff, value & 0xff];

export const read16 = (bytes: Uint8Array, at: number): number => (bytes[at]! << 8) | bytes[at + 1]!;
export const read32 = (bytes: Uint8Array, at: number): number =>
  (read16(bytes, at) * 65536 + read16(bytes, at + 2)) >>> 0;

/** The one's complement of the one's complement sum; over bytes with their checksum in place it is 0. */
export function checksum(bytes: ArrayLike<number>): number {
  let sum = 0;
  for (let n = 0; n < bytes.length; n += 2) sum += (bytes[n]! << 8) | (bytes[n + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

export interface Ipv4Packet {
  readonly protocol: number;
  readonly source: Ipv4Address;
  readonly destination: Ipv4Address;
  readonly payload: Uint8Array;
}

/** A packet that is whole and not a fragment, or undefined. */
export function readIpv4(bytes: Uint8Array): Ipv4Packet | undefined {
  if (bytes.length < ipHeaderBytes || bytes[0]! >> 4 !== 4) return undefined;
  const headerBytes = (bytes[0]! & 0xf) * 4;
  const totalBytes = read16(bytes, 2);
  if (headerBytes < ipHeaderBytes || totalBytes < headerBytes || totalBytes > bytes.length) return undefined;
  const moreFragmentsAndOffset = read16(bytes, 6) & 0x3fff;
  if (moreFragmentsAndOffset !== 0 || checksum(bytes.subarray(0, headerBytes)) !== 0) return undefined;
  return {
    protocol: bytes[9]!,
    source: read32(bytes, 12),
    destination: read32(bytes, 16),
    payload: bytes.subarray(headerBytes, totalBytes),
  };
}

export function writeIpv4(packet: Omit<Ipv4Packet, 'payload'> & { readonly payload: readonly number[] }): number[] {
  const { protocol, source, destination, payload } = packet;
  const timeToLive = 64;
  const header = [
    ...[0x45, 0, ...word16(ipHeaderBytes + payload.length)],
    ...[0, 0, 0, 0],
    ...[timeToLive, protocol, 0, 0],
    ...word32(source),
    ...word32(destination),
  ];
  header.splice(10, 2, ...word16(checksum(header)));
  return [...header, ...payload];
}

/** A datagram without a checksum, which IPv4 allows. */
export const writeUdp = (sourcePort: number, destinationPort: number, data: readonly number[]): number[] => [
  ...word16(sourcePort),
  ...word16(destinationPort),
  ...word16(udpHeaderBytes + data.length),
  ...[0, 0],
  ...data,
];

export function readUdp(bytes: Uint8Array): { destinationPort: number; data: Uint8Array } | undefined {
  if (bytes.length < udpHeaderBytes) return undefined;
  const sizeBytes = read16(bytes, 4);
  if (sizeBytes < udpHeaderBytes || sizeBytes > bytes.length) return undefined;
  return { destinationPort: read16(bytes, 2), data: bytes.subarray(udpHeaderBytes, sizeBytes) };
}
