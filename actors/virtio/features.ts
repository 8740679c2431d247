// Feature bits (virtio 1.2, "Feature Bits" and "Reserved Feature Bits"): 64 of them, as two words.

export type FeatureWords = readonly [low: number, high: number];

/** The bits of the rings and of the transport, which every device here offers. */
export const ringFeature = {
  INDIRECT_DESC: 28,
  EVENT_IDX: 29,
  VERSION_1: 32,
  RING_PACKED: 34,
  RING_RESET: 40,
} as const;

/** VIRTIO_F_ACCESS_PLATFORM: what a device accesses is translated by the platform, so that a driver gives it addresses of its own. */
export const accessPlatform = 33;

export function featureWords(bits: readonly number[]): FeatureWords {
  let low = 0;
  let high = 0;
  for (const bit of bits) {
    if (bit < 32) low |= 1 << bit;
    else high |= 1 << (bit - 32);
  }
  return [low >>> 0, high >>> 0];
}

export const hasFeature = ([low, high]: FeatureWords, bit: number): boolean =>
  (((bit < 32 ? low : high) >>> (bit & 31)) & 1) === 1;

/** True where the driver has accepted nothing that was not offered. */
export const isSubset = (accepted: FeatureWords, offered: FeatureWords): boolean =>
  (accepted[0] & ~offered[0]) === 0 && (accepted[1] & ~offered[1]) === 0;
