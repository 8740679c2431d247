// The requests of a block device and its configuration (virtio 1.2, "Block Device"): layouts and numbers.

import { ConfigSpace } from './config-space.ts';
import { sectorBytes } from './block-store.ts';

export const blockFeature = {
  SIZE_MAX: 1,
  SEG_MAX: 2,
  RO: 5,
  BLK_SIZE: 6,
  FLUSH: 9,
  CONFIG_WCE: 11,
  DISCARD: 13,
  WRITE_ZEROES: 14,
} as const;

export const requestType = { IN: 0, OUT: 1, FLUSH: 4, GET_ID: 8, DISCARD: 11, WRITE_ZEROES: 13 } as const;
export const requestStatus = { OK: 0, IOERR: 1, UNSUPP: 2 } as const;

/** struct virtio_blk_req: type, reserved, sector. */
export const headerBytes = 16;
export const idBytes = 20;

/** struct virtio_blk_discard_write_zeroes: sector, num_sectors, flags. */
export const rangeBytes = 16;
export const rangeFlag = { unmap: 1 } as const;

export const blockQueueSize = 256;

/** Bounds that the configuration tells. A request of 254 parts of data, with its header and its status, fills the queue. */
export const blockLimit = {
  sizeMaxBytes: 0x10_0000,
  segments: blockQueueSize - 2,
  rangeSectors: 0x40_0000,
  ranges: 16,
} as const;

/** Offsets in struct virtio_blk_config. */
export const blockConfig = { writeback: 32, sizeBytes: 60 } as const;

export function makeBlockConfig(storeBytes: number): ConfigSpace {
  const config = new ConfigSpace(blockConfig.sizeBytes);
  const { view } = config;
  const capacity = Math.floor(storeBytes / sectorBytes);
  view.setUint32(0, capacity >>> 0, true);
  view.setUint32(4, Math.floor(capacity / 2 ** 32), true);
  view.setUint32(8, blockLimit.sizeMaxBytes, true);
  view.setUint32(12, blockLimit.segments, true);
  view.setUint32(20, sectorBytes, true);
  view.setUint32(36, blockLimit.rangeSectors, true);
  view.setUint32(40, blockLimit.ranges, true);
  view.setUint32(44, 1, true);
  view.setUint32(48, blockLimit.rangeSectors, true);
  view.setUint32(52, blockLimit.ranges, true);
  // Unmapped sectors read as zeros here.
  view.setUint8(56, 1);
  return config;
}

export interface RequestHeader {
  readonly type: number;
  readonly sector: number;
}

export function readHeader(bytes: Uint8Array): RequestHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return { type: view.getUint32(0, true), sector: view.getUint32(8, true) + view.getUint32(12, true) * 2 ** 32 };
}

export interface SectorRange {
  readonly sector: number;
  readonly sectors: number;
  readonly flags: number;
}

export function readRanges(bytes: Uint8Array): SectorRange[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: Math.floor(bytes.length / rangeBytes) }, (_, n) => {
    const at = n * rangeBytes;
    return {
      sector: view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32,
      sectors: view.getUint32(at + 8, true),
      flags: view.getUint32(at + 12, true),
    };
  });
}
