// Lists of parts of memory: struct iovec (lib/iov_iter.c).

import { fail } from '../errno.ts';
import { transferBytes, vectors } from '../limits.ts';
import { u64At, viewOf } from '../records.ts';
import { readUser } from '../user-memory.ts';
import type { Call } from './call.ts';

export interface Part {
  readonly at: number;
  readonly sizeBytes: number;
}

/** The parts at an address, with their bytes together limited as one transfer is; an error where it is no such list. */
export function vectorAt({ core, space }: Pick<Call, 'core' | 'space'>, va: number, count: number): Part[] | number {
  if (count < 0 || count > vectors) return fail('EINVAL');
  const bytes = readUser(core, space, va, count * 16);
  if (!bytes) return fail('EFAULT');
  const view = viewOf(bytes);
  let left = transferBytes;
  const parts: Part[] = [];
  for (let n = 0; n < count; n += 1) {
    const sizeBytes = u64At(view, 16 * n + 8);
    if (sizeBytes > Number.MAX_SAFE_INTEGER) return fail('EINVAL');
    const taken = Math.min(sizeBytes, left);
    parts.push({ at: u64At(view, 16 * n), sizeBytes: taken });
    left -= taken;
  }
  return parts;
}
