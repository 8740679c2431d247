// Instruction fetches as reads of memory, and the maintenance of caches that makes new instructions seen (Arm DDI 0487, B2.3, Implicit
// Instruction Memory Read Effects, and the effects of DC CVAU and IC). Only an instruction that some thread writes to is fetched from memory.
// What caches make of it between threads is in instruction-caches.ts.

import { independent, openValue, traceValue, type TraceValue } from '../engine/trace-values.ts';
import type { CacheMaintenance } from '../memory-model/program.ts';
import { noAddress } from './local-event.ts';
import { instructionAt, instructionBytes } from './memory-parts.ts';
import { implicitAccess, type Recording, withoutAccess } from './recording.ts';

const fetchAnnotations: ReadonlySet<string> = new Set(['Instr', 'NExp']);

/** The word of the instruction at an address, which may be open; undefined where nobody writes to it. */
export function fetchInstruction(recording: Recording, address: bigint): TraceValue | undefined {
  const { parts, events, known } = recording;
  if (!parts.isModified(address)) return undefined;
  const reads: number[] = [];
  let bits: bigint | undefined = 0n;
  recording.accesses += 1;
  for (const part of parts.of(address, instructionBytes) ?? []) {
    const at = events.length;
    const value = known.get(at);
    reads.push(at);
    events.push({ ...implicitAccess(recording, part, fetchAnnotations), kind: 'R', value });
    if (value === undefined || bits === undefined) bits = undefined;
    else bits |= value << (8n * (part.address - address));
  }
  const depends = { deps: reads, picks: [] };
  return bits === undefined ? openValue(32, `#${reads.join('#')}`, depends) : traceValue(32, bits, depends);
}

/** The address means nothing to an instruction that is for all of a cache. */
export function maintainCaches(recording: Recording, name: CacheMaintenance, address: TraceValue): void {
  const isForAll = name !== 'DC.CVAU' && name !== 'IC.IVAU';
  recording.events.push({
    ...withoutAccess(recording, new Set([name])),
    kind: 'C',
    bytes: instructionBytes,
    address: isForAll || address.open !== undefined ? noAddress : instructionAt(address.bits),
    addr: isForAll ? independent : address,
  });
}
