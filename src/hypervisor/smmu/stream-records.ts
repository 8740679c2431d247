// What the hypervisor remembers of each stream that a VM has, or that has had a fault.

import type { Rhyper } from '../context.ts';
import type { StreamRecord } from './state.ts';

/** The record of a stream, made where there is none; undefined where the table of them is full. */
export function recordOf({ state }: Rhyper, streamId: number): StreamRecord | undefined {
  const { streams } = state.smmu;
  const known = streams.find((stream) => stream.isKnown !== 0 && stream.streamId === streamId);
  const free = known ?? streams.find((stream) => stream.isKnown === 0) ?? streams.find(({ owner }) => owner === 0);
  if (free && !known) forget(Object.assign(free, { isKnown: 1, streamId }), 0);
  return free;
}

/** The stream has a new owner, of whose faults nothing is known. */
export function forget(stream: StreamRecord, owner: number): void {
  Object.assign(stream, { owner, faults: 0, isMuted: 0, lastEvent: 0, lastIsWrite: 0, lastAddress: 0 });
}
