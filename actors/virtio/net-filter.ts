// Which frames a network device takes (virtio 1.2, "Packet Receive Filtering" and "Setting MAC Address Filtering").

import { broadcast, isGroupAddress, type MacAddress, macAt, macBytes } from '../network/ethernet.ts';

/** Plain data. */
export interface ReceiveFilter {
  readonly promiscuous: boolean;
  readonly allMulticast: boolean;
  readonly unicast: readonly MacAddress[];
  readonly multicast: readonly MacAddress[];
}

/** As the device is after a reset. */
export const acceptEverything: ReceiveFilter = { promiscuous: true, allMulticast: false, unicast: [], multicast: [] };

const receiveCommand = { PROMISC: 0, ALLMULTI: 1 } as const;
const tableSet = 0;
/** Addresses of one table. */
const maxTableEntries = 64;

export function accepts(filter: ReceiveFilter, own: MacAddress, destination: MacAddress): boolean {
  if (filter.promiscuous || destination === broadcast || destination === own) return true;
  return isGroupAddress(destination)
    ? filter.allMulticast || filter.multicast.includes(destination)
    : filter.unicast.includes(destination);
}

/** The filter after a command of the class RX or MAC; undefined where there is no such command, or its data are cut short. */
export function setFilter(
  filter: ReceiveFilter,
  isMacClass: boolean,
  command: number,
  data: Uint8Array,
): ReceiveFilter | undefined {
  if (isMacClass) return command === tableSet ? setTables(filter, data) : undefined;
  if (data.length !== 1) return undefined;
  const on = data[0] !== 0;
  if (command === receiveCommand.PROMISC) return { ...filter, promiscuous: on };
  return command === receiveCommand.ALLMULTI ? { ...filter, allMulticast: on } : undefined;
}

function setTables(filter: ReceiveFilter, data: Uint8Array): ReceiveFilter | undefined {
  const first = readTable(data);
  const second = first && readTable(data.subarray(first.sizeBytes));
  if (first === undefined || second?.sizeBytes !== data.length - first.sizeBytes) return undefined;
  return { ...filter, unicast: first.addresses, multicast: second.addresses };
}

/** struct virtio_net_ctrl_mac: a count, then the addresses. */
function readTable(data: Uint8Array): { addresses: MacAddress[]; sizeBytes: number } | undefined {
  if (data.length < 4) return undefined;
  const entries = new DataView(data.buffer, data.byteOffset, 4).getUint32(0, true);
  const sizeBytes = 4 + macBytes * entries;
  if (entries > maxTableEntries || sizeBytes > data.length) return undefined;
  return { addresses: Array.from({ length: entries }, (_, n) => macAt(data, 4 + macBytes * n)), sizeBytes };
}
