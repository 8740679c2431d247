// signalfd (fs/signalfd.c): signals of the reader that are taken by reading.

import { fail } from '../errno.ts';
import type { Core } from '../kernel.ts';
import { concatenate, fields } from '../records.ts';
import { uid } from '../sigframe.ts';
import { takeSignalOf } from '../signal-queues.ts';
import { CLD, SI, SIG } from '../signal-numbers.ts';
import type { Signal } from '../state.ts';

/** struct signalfd_siginfo. */
const recordBytes = 128;

function recordOf({ number, code, pid = 0, address = 0n, status = 0, value = 0n }: Signal): Uint8Array {
  const record = fields(recordBytes)
    .u32(0, number)
    .u32(8, code)
    .u32(12, pid)
    .u32(16, code === SI.KERNEL ? 0 : uid);
  const isChild = number === SIG.CHLD && code > 0 && code <= CLD.last;
  if (isChild) return record.u32(40, status).bytes;
  return record
    .u32(44, Number(BigInt.asUintN(32, value)))
    .i64(48, value)
    .i64(72, address).bytes;
}

/** As many as there is room for; undefined where the reader must wait. */
export function readSignals(core: Core, set: bigint, sizeBytes: number): Uint8Array | number | undefined {
  const { thread } = core.own;
  if (sizeBytes < recordBytes || !thread) return fail('EINVAL');
  const records: Uint8Array[] = [];
  while (records.length < Math.floor(sizeBytes / recordBytes)) {
    const signal = takeSignalOf(thread, set);
    if (!signal) break;
    records.push(recordOf(signal));
  }
  return records.length === 0 ? undefined : concatenate(records);
}
