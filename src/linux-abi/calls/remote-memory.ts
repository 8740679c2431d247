// process_vm_readv and process_vm_writev: between the memory of the caller and that of another process (mm/process_vm_access.c).

import { fail } from '../errno.ts';
import { chunkBytes } from '../limits.ts';
import type { AddressSpace } from '../state.ts';
import { readSome, writeSome } from '../user-memory.ts';
import { type Call, type Family, int, type Result, unsigned } from './call.ts';
import { type Part, vectorAt } from './vectors.ts';

/** Parts of two lists that belong together, each of at most one chunk. */
function* pieces(from: readonly Part[], to: readonly Part[]): Generator<{ from: number; to: number; bytes: number }> {
  const sources = from.map((part) => ({ ...part }));
  const targets = to.map((part) => ({ ...part }));
  for (;;) {
    while (sources[0]?.sizeBytes === 0) sources.shift();
    while (targets[0]?.sizeBytes === 0) targets.shift();
    const [source, target] = [sources[0], targets[0]];
    if (!source || !target) return;
    const bytes = Math.min(source.sizeBytes, target.sizeBytes, chunkBytes);
    yield { from: source.at, to: target.at, bytes };
    for (const part of [source, target]) {
      part.at += bytes;
      part.sizeBytes -= bytes;
    }
  }
}

function transfer(call: Call, writesRemote: boolean): Result {
  const { core, space } = call;
  if (unsigned(call, 5) !== 0) return fail('EINVAL');
  const local = vectorAt(call, unsigned(call, 1), unsigned(call, 2));
  if (typeof local === 'number') return local;
  const remote = vectorAt(call, unsigned(call, 3), unsigned(call, 4));
  if (typeof remote === 'number') return remote;
  const other = core.state.threads.get(int(call, 0))?.process;
  if (!other) return fail('ESRCH');
  const [source, target]: readonly AddressSpace[] = writesRemote ? [space, other.space] : [other.space, space];
  if (!source || !target) return fail('ESRCH');
  let done = 0;
  for (const { from, to, bytes } of writesRemote ? pieces(local, remote) : pieces(remote, local)) {
    const read = readSome(core, source, from, bytes);
    const written = writeSome(core, target, to, read);
    done += written;
    if (written < bytes) return done > 0 ? done : fail('EFAULT');
  }
  return done;
}

export const remoteMemoryCalls: Family = {
  process_vm_readv: (call) => transfer(call, false),
  process_vm_writev: (call) => transfer(call, true),
};
