// Ethernet frames (IEEE 802.3): addresses and bounds. An address is its 48 bits as a number, the first byte highest.

export type MacAddress = number;

export const macBytes = 6;
/** Destination, source, type. */
export const etherHeaderBytes = 14;
/** With a VLAN tag, without the check sequence, which no link here carries. */
export const maxFrameBytes = 1518;

export const broadcast: MacAddress = 0xffff_ffff_ffff;

export function macAt(bytes: Uint8Array, offset: number): MacAddress {
  let address = 0;
  for (let n = 0; n < macBytes; n += 1) address = address * 256 + bytes[offset + n]!;
  return address;
}

export const macToBytes = (address: MacAddress): number[] =>
  Array.from({ length: macBytes }, (_, n) => Math.floor(address / 2 ** (8 * (macBytes - 1 - n))) % 256);

/** To more than one station, the broadcast among them. */
export const isGroupAddress = (address: MacAddress): boolean => Math.floor(address / 2 ** 40) % 2 === 1;

export const isFrame = (bytes: Uint8Array): boolean =>
  bytes.length >= etherHeaderBytes && bytes.length <= maxFrameBytes;
