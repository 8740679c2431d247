// The Guarded Control Stack of a thread (Arm DDI 0487, D11 "The Guarded Control Stack", FEAT_GCS): what calls, returns and the GCS
// instructions do to it at EL1, over its pointer GCSPR_EL1.
//
// Its accesses are of a kind of their own, ordered neither with each other nor with others: a thread may find on it what was there before
// it pushed, as in herd7. Left out: GCSPUSHX and its kind, GCSB, GCSSTR, exceptions that push, calls and returns with authentication.

import type { TraceAccess, TraceException, TraceMemory, TraceRead } from '../engine/trace-state.ts';
import { merge, traceValue, type TraceValue } from '../engine/trace-values.ts';
import type { Decoded } from '../isa/decoder.ts';

/** What a thread has of it: its pointer, and its memory. */
export interface ControlStack {
  pointer: TraceValue;
  readonly memory: TraceMemory;
}

const entryBytes = 8;

/** SYS and SYSL with op1 3, CRn 7, CRm 7, and op2 as here; op0 is 1. */
const keyOf = (op2: number): number => (1 << 14) | (3 << 11) | (7 << 7) | (7 << 3) | op2;
const keyGCSPUSHM = keyOf(0);
const keyGCSPOPM = keyOf(1);
const keyGCSSS1 = keyOf(2);
const keyGCSSS2 = keyOf(3);

/** The low bits of a token of a stack that is being switched to, and of one that can be. */
const inProgressToken = 0b101n;
const validToken = 0x001n;
const tokenAddressMask = ~0xfffn;
const entryMask = ~7n;

const accessAt = (address: TraceValue): TraceAccess => ({
  address,
  bytes: entryBytes,
  access: {},
  control: { deps: [], picks: [] },
  isControlStack: true,
});

const moved = (pointer: TraceValue, bytes: number): TraceValue => traceValue(64, pointer.bits + BigInt(bytes), pointer);

const dataCheck = (check: 'PRET' | 'POPM' | 'SS1' | 'SS2'): TraceException => ({ exception: 'GCS data check', check });

const needed = (value: TraceValue): TraceException => ({ exception: 'open value', value });

/** The entry that was read; an exception where it is not known yet. */
function known({ bits, read, elements }: TraceRead): TraceValue | TraceException {
  const { open, ...depends } = elements?.[0] ?? { deps: [read], picks: [] };
  const value = { ...traceValue(64, bits[0]!, depends), open };
  return open === undefined ? value : needed(value);
}

function push(stack: ControlStack, value: TraceValue): TraceException | undefined {
  const pointer = moved(stack.pointer, -entryBytes);
  const failed = stack.memory.store(accessAt(pointer), value);
  if (failed === undefined) stack.pointer = pointer;
  return failed;
}

/** The entry on top, which stays there. */
function top(stack: ControlStack): TraceValue | TraceException {
  const entry = stack.memory.load(accessAt(stack.pointer));
  return 'exception' in entry ? entry : known(entry);
}

/** What a call or a return does to the stack before it branches. */
export function beforeBranch(
  { row, fields }: Decoded,
  stack: ControlStack,
  next: bigint,
  readX: (n: number) => TraceValue,
): TraceException | undefined {
  if (/^(?:BLRA|RETA)/.test(row.name)) return { exception: 'UNDEFINED' };
  if (row.name === 'BL') return push(stack, traceValue(64, next));
  if (row.name !== 'BLR' && row.name !== 'RET') return undefined;
  const target = readX(fields.Rn!);
  if (target.open !== undefined) return needed(target);
  if (row.name === 'BLR') return push(stack, traceValue(64, next));
  const entry = top(stack);
  if ('exception' in entry) return entry;
  if (entry.bits !== target.bits) return dataCheck('PRET');
  stack.pointer = moved(stack.pointer, entryBytes);
  return undefined;
}

export const isStackOperation = (key: number): boolean => key >= keyGCSPUSHM && key <= keyGCSSS2;

/** GCSPUSHM and GCSSS1. */
export function stackOperation(key: number, stack: ControlStack, argument: TraceValue): TraceException | undefined {
  if (key === keyGCSPUSHM) return push(stack, argument);
  if (key !== keyGCSSS1) return { exception: 'UNDEFINED' };
  if (argument.open !== undefined) return needed(argument);
  const valid = traceValue(64, (argument.bits & tokenAddressMask) | validToken, argument);
  const inProgress = traceValue(64, (stack.pointer.bits & entryMask) | inProgressToken, stack.pointer);
  const found = stack.memory.compareAndSwap(accessAt(argument), [valid], [inProgress]);
  if ('exception' in found) return found;
  const entry = known(found);
  if ('exception' in entry) return entry;
  if (entry.bits !== valid.bits) return dataCheck('SS1');
  stack.pointer = traceValue(64, argument.bits & entryMask, argument);
  return undefined;
}

/** GCSPOPM and GCSSS2. */
export function stackOperationWithResult(key: number, stack: ControlStack): TraceValue | TraceException {
  if (key !== keyGCSPOPM && key !== keyGCSSS2) return { exception: 'UNDEFINED' };
  const entry = top(stack);
  if ('exception' in entry) return entry;
  if (key === keyGCSPOPM) {
    if ((entry.bits & 3n) !== 0n) return dataCheck('POPM');
    stack.pointer = moved(stack.pointer, entryBytes);
    return entry;
  }
  if ((entry.bits & 7n) !== inProgressToken) return dataCheck('SS2');
  const outgoing = traceValue(64, (entry.bits & entryMask) - BigInt(entryBytes), entry);
  const token = traceValue(64, (outgoing.bits & tokenAddressMask) | validToken, merge(outgoing, entry));
  const failed = stack.memory.store(accessAt(outgoing), token);
  if (failed !== undefined) return failed;
  stack.pointer = moved(stack.pointer, entryBytes);
  return outgoing;
}
