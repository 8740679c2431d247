// What the SMMU of a board has done, as data: of the TCU, and of the TBU of each stream.

export interface StreamActivity {
  readonly device: string;
  readonly streamId: number;
  /** Accesses that the device has asked about, those answered from the TBU's TLB, and those aborted. */
  readonly requests: number;
  readonly hits: number;
  readonly faults: number;
  /** INV_REQ of the TCU. */
  readonly invalidations: number;
}

export interface SmmuActivity {
  /** Requests of TBUs, those answered from the TCU's TLB, and reads of memory for the others. */
  readonly translations: number;
  readonly tlbHits: number;
  readonly reads: number;
  readonly faults: number;
  /** Records that did not come into the Event queue. */
  readonly eventsLost: number;
  readonly commands: number;
  readonly streams: readonly StreamActivity[];
}
