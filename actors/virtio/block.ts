// The block device (virtio 1.2, "Block Device") with one queue. Requests are served one after the other in the order in which they
// were made available; data move when a request's service ends, which is after a time, or when somebody else says so (a hypervisor
// that has its requests approved). Left out: multiqueue, lifetime, secure erase, zones, and a geometry.

import type { DeviceFactory, DeviceHost, VirtioDevice } from './device.ts';
import { hasFeature } from './features.ts';
import { bytesIn, gather, readableBytes, scatter, slice } from './parts.ts';
import type { BufferPart, Chain } from './virtqueue.ts';
import type { ConfigSpace } from './config-space.ts';
import type { BlockStore } from './block-store.ts';
import { sectorBytes } from './block-store.ts';
import {
  blockConfig,
  blockFeature,
  blockLimit,
  blockQueueSize,
  headerBytes,
  idBytes,
  makeBlockConfig,
  rangeBytes,
  rangeFlag,
  readHeader,
  readRanges,
  requestStatus,
  requestType,
  type RequestHeader,
} from './block-requests.ts';

export interface BlockOptions {
  readonly store: BlockStore;
  /** What GET_ID answers, at most 20 bytes of it. */
  readonly serial: string;
  readonly service: BlockService;
  /** Features that it could have and does not offer. */
  readonly withheld?: readonly number[];
  /** A defect: the status is OK as soon as the request is read, whatever becomes of it. */
  readonly answersEarly?: boolean;
}

/** A request whose service has begun. */
export interface BlockRequest {
  readonly tag: number;
  readonly type: number;
  readonly sector: number;
  /** Bytes of data to move. */
  readonly sizeBytes: number;
}

/** When the service of a request ends: after a time that its size decides, or by a call of `finish(tag)` or `end(tag, status)`. */
export type BlockService =
  { readonly baseTicks: number; readonly ticksPerSector: number } | { readonly begin: (request: BlockRequest) => void };

export interface BlockCounters {
  requests: number;
  sectorsRead: number;
  sectorsWritten: number;
  flushes: number;
  errors: number;
  unsupported: number;
}

interface PendingRequest extends RequestHeader {
  readonly tag: number;
  readonly chain: Chain;
}

interface SavedBlock {
  readonly version: 1;
  readonly writeback: number;
  readonly pending: readonly PendingRequest[];
  readonly nextTag: number;
  readonly serviceEndsTicks: number;
  readonly counters: BlockCounters;
}

const requestQueue = 0;
const serviceTag = 0;
/** Bytes that move in one piece. */
const pieceBytes = 0x1_0000;

export class BlockDevice implements VirtioDevice {
  readonly deviceId = 2;
  readonly features: readonly number[];
  readonly queueSizes = [blockQueueSize];
  readonly counters: BlockCounters = {
    requests: 0,
    sectorsRead: 0,
    sectorsWritten: 0,
    flushes: 0,
    errors: 0,
    unsupported: 0,
  };
  private readonly host: DeviceHost;
  private readonly options: BlockOptions;
  private readonly config: ConfigSpace;
  /** In the order of arrival; the first is being served. */
  private pending: PendingRequest[] = [];
  private nextTag = 0;
  private serviceEndsTicks = 0;

  constructor(host: DeviceHost, options: BlockOptions) {
    this.host = host;
    this.options = options;
    this.config = makeBlockConfig(options.store.sizeBytes);
    const { RO, DISCARD, WRITE_ZEROES, ...always } = blockFeature;
    const features = [...Object.values(always), ...(options.store.readOnly ? [RO] : [DISCARD, WRITE_ZEROES])];
    this.features = features.filter((bit) => options.withheld?.includes(bit) !== true);
    this.reset();
  }

  readConfig(offset: number, sizeBytes: number): number {
    return this.config.read(offset, sizeBytes);
  }

  /** The driver may write the cache mode alone. */
  writeConfig(offset: number, sizeBytes: number, value: number): boolean {
    const isCacheMode = offset === blockConfig.writeback && sizeBytes === 1;
    if (!isCacheMode || !hasFeature(this.host.features(), blockFeature.CONFIG_WCE)) return false;
    this.config.view.setUint8(blockConfig.writeback, value & 1);
    return true;
  }

  start(): void {
    const features = this.host.features();
    // Without FLUSH a driver could not empty a cache: there is none.
    this.config.view.setUint8(blockConfig.writeback, hasFeature(features, blockFeature.FLUSH) ? 1 : 0);
  }

  reset(): void {
    this.forget();
    this.config.view.setUint8(blockConfig.writeback, 1);
  }

  resetQueue(): void {
    this.forget();
  }

  private forget(): void {
    this.pending = [];
    this.host.cancel(serviceTag);
  }

  notify(queue: number): void {
    if (queue !== requestQueue) return;
    const wasIdle = this.pending.length === 0;
    for (let chain = this.host.take(queue); chain; chain = this.host.take(queue)) {
      const header = readableBytes(this.host.memory, chain.readable, 0, headerBytes);
      if (header?.length !== headerBytes || bytesIn(chain.writable) === 0) {
        // There is no place for a status.
        this.host.fail();
        return;
      }
      this.counters.requests++;
      // 0 is no request's.
      this.nextTag = (this.nextTag % 0xffff_ffff) + 1;
      if (this.options.answersEarly) this.writeStatus(chain, requestStatus.OK);
      this.pending.push({ tag: this.nextTag, ...readHeader(header), chain });
    }
    if (wasIdle) this.serveNext();
  }

  /** The request that is being served. */
  get inService(): BlockRequest | undefined {
    const [first] = this.pending;
    if (first === undefined) return undefined;
    const { tag, type, sector, chain } = first;
    return { tag, type, sector, sizeBytes: dataBytes(type, chain) };
  }

  /** Begins the service of the first request. */
  private serveNext(): void {
    const request = this.inService;
    if (request === undefined) return;
    const { service } = this.options;
    if ('begin' in service) {
      service.begin(request);
      return;
    }
    const { sizeBytes } = request;
    const ticks = service.baseTicks + service.ticksPerSector * Math.ceil(sizeBytes / sectorBytes);
    this.serviceEndsTicks = this.host.now() + ticks;
    this.host.after(ticks, serviceTag);
  }

  timer(): void {
    const [first] = this.pending;
    if (first !== undefined) this.finish(first.tag);
  }

  /** The service of a request ends; `refused`: it is answered with IOERR. A tag that is not in service is ignored. */
  finish(tag: number, refused = false): void {
    const [request] = this.pending;
    if (request?.tag !== tag) return;
    const { writable } = request.chain;
    this.conclude(
      request,
      refused ? outcome('IOERR') : this.perform(request, slice(writable, 0, bytesIn(writable) - 1)),
    );
  }

  /** The same where somebody else has moved the data. */
  end(tag: number, status: number): void {
    const [request] = this.pending;
    if (request?.tag !== tag) return;
    const { type, chain } = request;
    const isOkay = status === requestStatus.OK;
    const sizeBytes = isOkay ? dataBytes(type, chain) : 0;
    if (isOkay && type === requestType.FLUSH) this.counters.flushes++;
    if (type === requestType.IN) this.counters.sectorsRead += sizeBytes / sectorBytes;
    if (type === requestType.OUT) this.counters.sectorsWritten += sizeBytes / sectorBytes;
    this.conclude(request, { status, writtenBytes: type === requestType.IN ? sizeBytes : 0 });
  }

  private conclude(request: PendingRequest, { status, writtenBytes }: Outcome): void {
    this.pending.shift();
    const { chain } = request;
    if (status === requestStatus.IOERR) this.counters.errors++;
    if (status === requestStatus.UNSUPP) this.counters.unsupported++;
    if (this.options.answersEarly !== true) this.writeStatus(chain, status);
    // The status counts as written wherever it lies.
    this.host.use(requestQueue, { chain, writtenBytes: writtenBytes + 1 });
    this.serveNext();
  }

  private writeStatus({ writable }: Chain, status: number): void {
    scatter(this.host.memory, slice(writable, bytesIn(writable) - 1, 1), Uint8Array.of(status));
  }

  /** Data that the driver has given with the request in service; undefined where there are not so many. */
  takeData(tag: number, offset: number, sizeBytes: number): Uint8Array | undefined {
    const [request] = this.pending;
    if (request?.tag !== tag || offset + sizeBytes > dataBytes(request.type, request.chain)) return undefined;
    return readableBytes(this.host.memory, request.chain.readable, headerBytes + offset, sizeBytes);
  }

  /** Data for the driver's buffer of the request in service; false where there is no room for them. */
  giveData(tag: number, offset: number, bytes: Uint8Array): boolean {
    const [request] = this.pending;
    if (request?.tag !== tag || offset + bytes.length > dataBytes(request.type, request.chain)) return false;
    return scatter(this.host.memory, slice(request.chain.writable, offset, bytes.length), bytes);
  }

  private perform(request: PendingRequest, writable: readonly BufferPart[]): Outcome {
    const { type, sector, chain } = request;
    switch (type) {
      case requestType.IN:
        return this.readSectors(sector, writable);
      case requestType.OUT:
        return this.writeSectors(sector, chain.readable);
      case requestType.FLUSH:
        this.counters.flushes++;
        this.options.store.flush();
        return outcome('OK');
      case requestType.GET_ID: {
        const id = new Uint8Array(idBytes);
        id.set(new TextEncoder().encode(this.options.serial).subarray(0, idBytes));
        const size = Math.min(idBytes, bytesIn(writable));
        return scatter(this.host.memory, writable, id) ? outcome('OK', size) : outcome('IOERR');
      }
      case requestType.DISCARD:
      case requestType.WRITE_ZEROES:
        return this.zeroRanges(type, chain.readable);
      default:
        return outcome('UNSUPP');
    }
  }

  /** Whole sectors that the store has, in parts that are not larger than the device has said. */
  private isInside(sector: number, sizeBytes: number, parts: readonly BufferPart[]): boolean {
    return (
      sizeBytes % sectorBytes === 0 &&
      sector * sectorBytes + sizeBytes <= this.options.store.sizeBytes &&
      parts.every((part) => part.sizeBytes <= blockLimit.sizeMaxBytes)
    );
  }

  private readSectors(sector: number, parts: readonly BufferPart[]): Outcome {
    const sizeBytes = bytesIn(parts);
    if (!this.isInside(sector, sizeBytes, parts)) return outcome('IOERR');
    for (let at = 0; at < sizeBytes; at += pieceBytes) {
      const size = Math.min(pieceBytes, sizeBytes - at);
      const bytes = this.options.store.read(sector * sectorBytes + at, size);
      if (!scatter(this.host.memory, slice(parts, at, size), bytes)) return outcome('IOERR', at);
    }
    this.counters.sectorsRead += sizeBytes / sectorBytes;
    return outcome('OK', sizeBytes);
  }

  private writeSectors(sector: number, readable: readonly BufferPart[]): Outcome {
    const sizeBytes = bytesIn(readable) - headerBytes;
    const { store } = this.options;
    const parts = slice(readable, headerBytes, sizeBytes);
    if (store.readOnly || !this.isInside(sector, sizeBytes, parts)) return outcome('IOERR');
    for (let at = 0; at < sizeBytes; at += pieceBytes) {
      const piece = new Uint8Array(Math.min(pieceBytes, sizeBytes - at));
      if (!gather(this.host.memory, slice(parts, at, piece.length), piece)) return outcome('IOERR');
      store.write(sector * sectorBytes + at, piece);
    }
    this.counters.sectorsWritten += sizeBytes / sectorBytes;
    return outcome('OK');
  }

  /** DISCARD and WRITE_ZEROES: nothing is done unless every range is in order. */
  private zeroRanges(type: number, readable: readonly BufferPart[]): Outcome {
    const { store } = this.options;
    if (store.readOnly) return outcome(type === requestType.DISCARD ? 'UNSUPP' : 'IOERR');
    const sizeBytes = bytesIn(readable) - headerBytes;
    if (sizeBytes === 0 || sizeBytes % rangeBytes !== 0 || sizeBytes > blockLimit.ranges * rangeBytes)
      return outcome('IOERR');
    const bytes = readableBytes(this.host.memory, readable, headerBytes, sizeBytes);
    const ranges = bytes && readRanges(bytes);
    if (ranges === undefined) return outcome('IOERR');
    const known = type === requestType.WRITE_ZEROES ? rangeFlag.unmap : 0;
    if (ranges.some(({ flags }) => (flags & ~known) !== 0)) return outcome('UNSUPP');
    const areInside = ranges.every(
      ({ sector, sectors }) => sectors <= blockLimit.rangeSectors && this.isInside(sector, sectors * sectorBytes, []),
    );
    if (!areInside) return outcome('IOERR');
    for (const { sector, sectors } of ranges) store.zero(sector * sectorBytes, sectors * sectorBytes);
    return outcome('OK');
  }

  save(): SavedBlock {
    return {
      version: 1,
      writeback: this.config.view.getUint8(blockConfig.writeback),
      pending: [...this.pending],
      nextTag: this.nextTag,
      serviceEndsTicks: this.serviceEndsTicks,
      counters: { ...this.counters },
    };
  }

  restore(saved: SavedBlock): void {
    this.config.view.setUint8(blockConfig.writeback, saved.writeback);
    this.pending = [...saved.pending];
    this.nextTag = saved.nextTag;
    this.serviceEndsTicks = saved.serviceEndsTicks;
    if (this.pending.length > 0 && !('begin' in this.options.service))
      this.host.after(Math.max(0, this.serviceEndsTicks - this.host.now()), serviceTag);
    Object.assign(this.counters, saved.counters);
  }
}

interface Outcome {
  readonly status: number;
  /** Data bytes that were written to the driver's buffer. */
  readonly writtenBytes: number;
}

const outcome = (status: keyof typeof requestStatus, writtenBytes = 0): Outcome => ({
  status: requestStatus[status],
  writtenBytes,
});

/** Bytes that a request moves. */
function dataBytes(type: number, { readable, writable }: Chain): number {
  if (type === requestType.IN) return bytesIn(writable) - 1;
  return type === requestType.OUT ? bytesIn(readable) - headerBytes : 0;
}

export const blockDevice =
  (options: BlockOptions): DeviceFactory<BlockDevice> =>
  (host) =>
    new BlockDevice(host, options);
