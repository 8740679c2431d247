// The network device (virtio 1.2, "Network Device") with one pair of queues and a control queue. Offered: MAC, STATUS, MRG_RXBUF,
// CTRL_VQ, CTRL_RX, CTRL_MAC_ADDR, GUEST_ANNOUNCE. Left out: checksum and segmentation offloads, VLAN filters, multiqueue, hash
// reports, standby. A frame that arrives when the driver has given no buffer is dropped, as a card drops it.

import { isFrame, type MacAddress, macAt, macBytes, macToBytes } from '../network/ethernet.ts';
import { ConfigSpace } from './config-space.ts';
import type { DeviceFactory, DeviceHost, VirtioDevice } from './device.ts';
import { hasFeature } from './features.ts';
import { acceptEverything, accepts, type ReceiveFilter, setFilter } from './net-filter.ts';
import { bytesIn, readableBytes, scatter, slice } from './parts.ts';
import type { Chain } from './virtqueue.ts';

/** Where frames of the driver go. */
export interface NetLink {
  send(frame: Uint8Array): void;
}

export interface NetOptions {
  readonly mac: MacAddress;
  readonly link: NetLink;
}

export const netFeature = {
  MAC: 5,
  MRG_RXBUF: 15,
  STATUS: 16,
  CTRL_VQ: 17,
  CTRL_RX: 18,
  GUEST_ANNOUNCE: 21,
  CTRL_MAC_ADDR: 23,
} as const;

const queue = { receive: 0, transmit: 1, control: 2 } as const;
const netStatus = { LINK_UP: 1, ANNOUNCE: 2 } as const;
/** Offsets in struct virtio_net_config. */
const config = { mac: 0, status: 6, sizeBytes: 8 } as const;

/** struct virtio_net_hdr, whose num_buffers is its last field. */
const headerBytes = 12;
const numBuffersOffset = 10;

const controlClass = { RX: 0, MAC: 1, ANNOUNCE: 3 } as const;
const controlAck = { OK: 0, ERR: 1 } as const;
const announceAck = 0;
const macAddressSet = 1;
/** The longest command: two tables of 64 addresses. */
const maxCommandBytes = 1024;

export interface NetCounters {
  framesIn: number;
  framesOut: number;
  bytesIn: number;
  bytesOut: number;
  /** For another station, or no frame. */
  filtered: number;
  /** There was no buffer, or not enough of them. */
  dropped: number;
  /** What the driver sent was no frame. */
  badFrames: number;
}

interface SavedNet {
  readonly version: 1;
  readonly mac: MacAddress;
  readonly status: number;
  readonly filter: ReceiveFilter;
  readonly counters: NetCounters;
}

export class NetDevice implements VirtioDevice {
  readonly deviceId = 1;
  readonly features = Object.values(netFeature);
  readonly queueSizes = [256, 256, 64];
  readonly counters: NetCounters = {
    framesIn: 0,
    framesOut: 0,
    bytesIn: 0,
    bytesOut: 0,
    filtered: 0,
    dropped: 0,
    badFrames: 0,
  };
  private readonly host: DeviceHost;
  private readonly options: NetOptions;
  private readonly config = new ConfigSpace(config.sizeBytes);
  private mac: MacAddress;
  private status: number = netStatus.LINK_UP;
  private filter: ReceiveFilter = acceptEverything;

  constructor(host: DeviceHost, options: NetOptions) {
    this.host = host;
    this.options = options;
    this.mac = options.mac;
    this.writeBack();
  }

  /** A frame from the link. */
  receiveFrame(frame: Uint8Array): void {
    if (!isFrame(frame) || !accepts(this.filter, this.mac, macAt(frame, 0))) {
      this.counters.filtered++;
      return;
    }
    const chains = (this.status & netStatus.LINK_UP) === 0 ? [] : this.takeRoom(headerBytes + frame.length);
    if (chains.length === 0) {
      this.counters.dropped++;
      return;
    }
    const bytes = new Uint8Array(headerBytes + frame.length);
    new DataView(bytes.buffer).setUint16(numBuffersOffset, chains.length, true);
    bytes.set(frame, headerBytes);
    let at = 0;
    const used = chains.map((chain) => {
      const piece = bytes.subarray(at, at + bytesIn(chain.writable));
      scatter(this.host.memory, chain.writable, piece);
      at += piece.length;
      return { chain, writtenBytes: piece.length };
    });
    this.counters.framesIn++;
    this.counters.bytesIn += frame.length;
    this.host.use(queue.receive, ...used);
  }

  /** Buffers for so many bytes: one, or several where they may be merged; none, and none is lost, where there are too few. */
  private takeRoom(sizeBytes: number): Chain[] {
    const merges = hasFeature(this.host.features(), netFeature.MRG_RXBUF);
    const chains: Chain[] = [];
    for (let room = 0; room < sizeBytes;) {
      const chain = chains.length > 0 && !merges ? undefined : this.host.take(queue.receive);
      if (chain === undefined) {
        for (const taken of chains.reverse()) this.host.putBack(queue.receive, taken);
        return [];
      }
      chains.push(chain);
      room += bytesIn(chain.writable);
    }
    return chains;
  }

  setLink(up: boolean): void {
    this.setStatus(up ? this.status | netStatus.LINK_UP : this.status & ~netStatus.LINK_UP);
  }

  /** Asks the driver to tell the network where it is now: after a migration. */
  announce(): void {
    const features = this.host.features();
    if (hasFeature(features, netFeature.GUEST_ANNOUNCE)) this.setStatus(this.status | netStatus.ANNOUNCE);
  }

  private setStatus(status: number): void {
    this.status = status;
    this.writeBack();
    this.host.configChanged();
  }

  private writeBack(): void {
    this.config.setBytes(config.mac, Uint8Array.from(macToBytes(this.mac)));
    this.config.view.setUint16(config.status, this.status, true);
  }

  readConfig(offset: number, sizeBytes: number): number {
    return this.config.read(offset, sizeBytes);
  }

  writeConfig(): boolean {
    return false;
  }

  notify(index: number): void {
    if (index === queue.transmit) this.transmit();
    else if (index === queue.control) this.control();
  }

  private transmit(): void {
    for (let chain = this.host.take(queue.transmit); chain; chain = this.host.take(queue.transmit)) {
      const sizeBytes = bytesIn(chain.readable) - headerBytes;
      if (sizeBytes < 0) {
        this.host.fail();
        return;
      }
      // One byte more than a frame may have is enough to see that it is none.
      const frame = readableBytes(this.host.memory, chain.readable, headerBytes, Math.min(sizeBytes, 0x1000));
      if (frame !== undefined && isFrame(frame) && (this.status & netStatus.LINK_UP) !== 0) {
        this.counters.framesOut++;
        this.counters.bytesOut += frame.length;
        this.options.link.send(frame);
      } else {
        this.counters.badFrames++;
      }
      this.host.use(queue.transmit, { chain, writtenBytes: 0 });
    }
  }

  private control(): void {
    for (let chain = this.host.take(queue.control); chain; chain = this.host.take(queue.control)) {
      const command = readableBytes(this.host.memory, chain.readable, 0, maxCommandBytes);
      if (command === undefined || command.length < 2 || bytesIn(chain.writable) < 1) {
        this.host.fail();
        return;
      }
      const ack = this.obey(command[0]!, command[1]!, command.subarray(2)) ? controlAck.OK : controlAck.ERR;
      scatter(this.host.memory, slice(chain.writable, 0, 1), Uint8Array.of(ack));
      this.host.use(queue.control, { chain, writtenBytes: 1 });
    }
  }

  /** False where the command is not known, or its data are cut short. */
  private obey(group: number, command: number, data: Uint8Array): boolean {
    const isAccepted = (bit: number): boolean => hasFeature(this.host.features(), bit);
    if (group === controlClass.ANNOUNCE && command === announceAck && isAccepted(netFeature.GUEST_ANNOUNCE)) {
      this.status &= ~netStatus.ANNOUNCE;
      this.writeBack();
      return true;
    }
    if (group === controlClass.MAC && command === macAddressSet && isAccepted(netFeature.CTRL_MAC_ADDR)) {
      if (data.length !== macBytes) return false;
      this.mac = macAt(data, 0);
      this.writeBack();
      return true;
    }
    if ((group !== controlClass.RX && group !== controlClass.MAC) || !isAccepted(netFeature.CTRL_RX)) return false;
    const filter = setFilter(this.filter, group === controlClass.MAC, command, data);
    if (filter === undefined) return false;
    this.filter = filter;
    return true;
  }

  timer(): void {}

  start(): void {}

  reset(): void {
    this.mac = this.options.mac;
    this.status &= ~netStatus.ANNOUNCE;
    this.filter = acceptEverything;
    this.writeBack();
  }

  resetQueue(): void {}

  save(): SavedNet {
    const { mac, status, filter } = this;
    return { version: 1, mac, status, filter, counters: { ...this.counters } };
  }

  restore(saved: SavedNet): void {
    this.mac = saved.mac;
    this.status = saved.status;
    this.filter = saved.filter;
    this.writeBack();
    Object.assign(this.counters, saved.counters);
  }
}

export const netDevice =
  (options: NetOptions): DeviceFactory<NetDevice> =>
  (host) =>
    new NetDevice(host, options);
