// Faults, and the records of the Event queue (Arm IHI 0070, "Faults, errors and Event queue"). Stall is 0 in every record: there is no
// stall model. Records are not merged.

export const event = {
  C_BAD_STREAMID: 0x02,
  F_STE_FETCH: 0x03,
  C_BAD_STE: 0x04,
  F_STREAM_DISABLED: 0x06,
  C_BAD_SUBSTREAMID: 0x08,
  F_CD_FETCH: 0x09,
  C_BAD_CD: 0x0a,
  F_WALK_EABT: 0x0b,
  F_TRANSLATION: 0x10,
  F_ADDR_SIZE: 0x11,
  F_ACCESS: 0x12,
  F_PERMISSION: 0x13,
} as const;

/** CLASS: what was being translated. */
export const faultClass = { CD: 0, TT: 1, IN: 2 } as const;

export interface Fault {
  /** One of `event`, or 0: the transaction ends without a record. */
  readonly event: number;
  readonly stage: 1 | 2;
  readonly class: number;
  /** Of a fault of stage 2. */
  readonly ipa: number;
  /** What was being fetched when an external abort came. */
  readonly fetchAddress: number;
}

export const stage1Fault = (of: number): Fault => ({
  event: of,
  stage: 1,
  class: faultClass.IN,
  ipa: 0,
  fetchAddress: 0,
});

/** The four faults whose records CD.R and STE.S2R may suppress. */
export const isTranslationRelated = ({ event: of }: Fault): boolean =>
  of >= event.F_TRANSLATION && of <= event.F_PERMISSION;

/** The transaction that a record is about. */
export interface Transaction {
  readonly streamId: number;
  /** As LA.substream: with its valid bit above. */
  readonly substream: number;
  readonly addressLow: number;
  readonly addressHigh: number;
  readonly isRead: boolean;
  readonly isPrivileged: boolean;
}

/** Events that tell nothing but the stream. */
const withoutAddress: ReadonlySet<number> = new Set([
  event.C_BAD_STREAMID,
  event.C_BAD_STE,
  event.F_STREAM_DISABLED,
  event.C_BAD_SUBSTREAMID,
  event.C_BAD_CD,
]);
/** Events with a fetch address and nothing about the input. */
const ofFetch: ReadonlySet<number> = new Set([event.F_STE_FETCH, event.F_CD_FETCH]);

const substreamBits = 20;
const words = (address: number): [low: number, high: number] => [address >>> 0, Math.floor(address / 2 ** 32)];

/** The eight words of a record. */
export function recordOf(fault: Fault, transaction: Transaction): number[] {
  const { streamId, substream, addressLow, addressHigh, isRead, isPrivileged } = transaction;
  const SSV = substream >>> substreamBits;
  const first = (fault.event | (SSV << 11) | ((SSV === 0 ? 0 : substream) << 12)) >>> 0;
  const record = [first, streamId, 0, 0, 0, 0, 0, 0];
  if (withoutAddress.has(fault.event)) return record;
  const fetch = words(fault.fetchAddress - (fault.fetchAddress % 8));
  if (ofFetch.has(fault.event)) {
    record.splice(6, 2, ...fetch);
    return record;
  }
  const PnU = isPrivileged ? 1 << 1 : 0;
  const RnW = isRead ? 1 << 3 : 0;
  const S2 = fault.stage === 2 ? 1 << 7 : 0;
  // A walk of stage 2 only reads.
  const TTRnW = fault.event === event.F_PERMISSION && fault.class === faultClass.TT ? 1 << 12 : 0;
  record[3] = PnU | RnW | S2 | (fault.class << 8) | TTRnW;
  record[4] = addressLow;
  record[5] = addressHigh;
  const ipa = fault.stage === 2 ? fault.ipa - (fault.ipa % 4096) : 0;
  record.splice(6, 2, ...(fault.event === event.F_WALK_EABT ? fetch : words(ipa)));
  return record;
}
