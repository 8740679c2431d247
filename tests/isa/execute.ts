// Instructions by row name and fields, run under the trace reading.

import { executeTrace, type TraceOutcome } from '../../src/engine/trace.ts';
import { traceState, type TraceEvent, type TraceHooks } from '../../src/engine/trace-state.ts';

import { fieldsOf, type Row } from '../../src/isa/encoding.ts';
import { makeDecoder } from '../../src/isa/decoder.ts';
import { decodeAny as decode, everyInstruction, instructionSet } from '../../src/isa/instruction-set.ts';
import { assert } from '../../src/report/assert.ts';
import { recordingHooks, windowMemory } from '../engine/trace-machine.ts';

const rowsByName = new Map<string, Row[]>();
for (const row of everyInstruction) rowsByName.set(row.name, [...(rowsByName.get(row.name) ?? []), row]);

/** The word of the row of this name with these fields; fields that are left out are 0. */
export function encode(name: string, fields: Readonly<Record<string, number>>): number {
  for (const row of rowsByName.get(name) ?? []) {
    let word = row.value;
    for (const { name: field, lsb } of row.fields) word |= (fields[field] ?? 0) << lsb;
    word >>>= 0;
    const all = fieldsOf(row, word);
    if (Object.entries(fields).every(([field, value]) => all[field] === value)) return word;
  }
  assert(false, `no row ${name} takes ${JSON.stringify(fields)}`);
  return 0;
}

const decodeOfCores = makeDecoder(instructionSet);

/** On a core. */
export const isAllocated = (word: number): boolean => decodeOfCores(word) !== undefined;

export interface Before {
  /** By register number; the others are 0. */
  readonly x?: Readonly<Record<number, bigint>>;
  readonly sp?: bigint;
  /** N, Z, C, V in bits 3 to 0. */
  readonly nzcv?: number;
  readonly pc?: bigint;
}

export interface After {
  readonly outcome: TraceOutcome;
  readonly x: readonly bigint[];
  readonly sp: bigint;
  readonly nzcv: number;
  readonly pc: bigint;
  readonly events: readonly TraceEvent[];
}

/** Runs one word; `hooks` answer for the system registers. */
export function execute(word: number, before: Before = {}, hooks: Partial<TraceHooks> = {}): After {
  const decoded = decode(word);
  assert(decoded !== undefined, `0x${word.toString(16)} is not allocated`);
  const nzcv = before.nzcv ?? 0;
  const state = traceState({
    x: Array.from({ length: 31 }, (_, n) => before.x?.[n] ?? 0n),
    sp: before.sp ?? 0n,
    pc: before.pc ?? 0x1000n,
    flags: { N: (nzcv & 8) !== 0, Z: (nzcv & 4) !== 0, C: (nzcv & 2) !== 0, V: (nzcv & 1) !== 0 },
  });
  const recording = recordingHooks();
  const outcome = executeTrace(decoded, state, windowMemory(0n, new Uint8Array(0)), { ...recording, ...hooks });
  return {
    outcome,
    x: Array.from({ length: 31 }, (_, n) => state.readX(n).bits),
    sp: state.readSP().bits,
    nzcv: (['N', 'Z', 'C', 'V'] as const).reduce((bits, flag) => 2 * bits + Number(state.readFlag(flag).bits), 0),
    pc: state.pc,
    events: recording.events,
  };
}
