// What a thread has done so far on its path, while it is recorded: its events, and all that the next event takes from what came before.

import type { Dependencies } from '../engine/trace-values.ts';
import { independent } from '../engine/trace-values.ts';
import type { Choices } from './choices.ts';
import { type LocalEvent, noAddress } from './local-event.ts';
import type { MemoryParts, Part } from './memory-parts.ts';

export interface Recording {
  readonly parts: MemoryParts;
  readonly events: LocalEvent[];
  /** Values of reads, by their places among the events. */
  readonly known: ReadonlyMap<number, bigint>;
  readonly choices: Choices;
  /** Place of the instruction that is running. */
  instruction: number;
  /** The number of the last access. */
  accesses: number;
  /** Every later event depends on these by control. */
  control: Dependencies;
}

/** An event that accesses nothing. */
export function withoutAccess(
  { instruction, control, choices }: Recording,
  annotations: ReadonlySet<string>,
): Omit<LocalEvent, 'kind'> {
  return {
    instruction,
    access: -1,
    address: noAddress,
    bytes: 0,
    value: undefined,
    annotations,
    isInOrder: false,
    addr: independent,
    data: independent,
    ctrl: control,
    handsOn: independent,
    choices: choices.made.length,
  };
}

/** An access that no instruction asks for, part of the access that was numbered last. */
export function implicitAccess(
  recording: Recording,
  { address, bytes }: Part,
  annotations: ReadonlySet<string>,
): Omit<LocalEvent, 'kind'> {
  return { ...withoutAccess(recording, annotations), access: recording.accesses, address, bytes };
}
