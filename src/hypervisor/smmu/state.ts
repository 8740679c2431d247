// What the hypervisor knows of the board's SMMU, as a record in its RAM.

import { limits } from '../limits.ts';
import { record, several } from '../records.ts';

const stream = record({
  /** This place of the table is in use. */
  isKnown: 'u32',
  streamId: 'u32',
  /** The VM whose stage 2 translates the stream, plus one; 0 for nobody's, which is aborted. */
  owner: 'u32',
  /** Event records about it since it has had this owner. */
  faults: 'u32',
  /** It has had so many that the SMMU records no more of them; its transactions are aborted as before. */
  isMuted: 'u32',
  /** Of the last record: event number, input address, and whether the transaction was a write. */
  lastEvent: 'u32',
  lastIsWrite: 'u32',
  lastAddress: 'address',
});

export const smmuState = record({
  /** The SMMU translates; 0 on a board without one. */
  isOn: 'u32',
  /** A core uses the Command queue. */
  isLocked: 'u32',
  /** First level of the stream table, Command queue, Event queue. */
  streamTable: 'address',
  commandQueue: 'address',
  eventQueue: 'address',
  /** SMMU_CMDQ_PROD.WR and SMMU_EVENTQ_CONS as they were written last. */
  commandProducer: 'u32',
  eventConsumer: 'u32',
  /** Records read, times that the Event queue was full, and global errors. */
  events: 'u32',
  overflows: 'u32',
  globalErrors: 'u32',
  streams: several(stream, limits.streams),
});

export type StreamRecord = ReturnType<(typeof stream)['at']>;
