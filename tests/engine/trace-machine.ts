// What the trace reading needs to run on in a test: memory of one window with a local monitor, and a system side that refuses.

import type {
  TraceAccess,
  TraceEvent,
  TraceException,
  TraceHooks,
  TraceMemory,
  TraceRead,
} from '../../src/engine/trace-state.ts';
import type { TraceValue } from '../../src/engine/trace-values.ts';
import { atomicResult } from '../../src/explore/atomic-operations.ts';

/** An access as it reached memory. */
export interface Accessed extends TraceAccess {
  readonly kind: 'load' | 'store' | 'load exclusive' | 'store exclusive' | 'atomic' | 'compare and swap';
  readonly values: readonly TraceValue[];
}

export interface WindowMemory extends TraceMemory {
  readonly bytes: Uint8Array;
  /** In program order; reads are numbered by their place in it. */
  readonly accesses: Accessed[];
}

export function windowMemory(base: bigint, bytes: Uint8Array): WindowMemory {
  const accesses: Accessed[] = [];
  let monitor: { readonly address: bigint; readonly size: number } | undefined;

  const check = ({ address, bytes: size, access }: TraceAccess, elements = 1): TraceException | undefined => {
    const total = BigInt(size * elements);
    const fault = (at: bigint, kind: 'alignment' | 'translation'): TraceException => ({
      exception: 'Data Abort',
      address: at,
      fault: kind,
    });
    if (access.aligned && address.bits % total !== 0n) return fault(address.bits, 'alignment');
    const end = base + BigInt(bytes.length);
    if (address.bits < base || address.bits >= end) return fault(address.bits, 'translation');
    return address.bits + total > end ? fault(end, 'translation') : undefined;
  };
  const get = (address: bigint, size: number): bigint => {
    const at = Number(address - base);
    let value = 0n;
    for (let n = size - 1; n >= 0; n -= 1) value = (value << 8n) | BigInt(bytes[at + n]!);
    return value;
  };
  const put = (address: bigint, size: number, value: bigint): void => {
    const at = Number(address - base);
    for (let n = 0; n < size; n += 1) bytes[at + n] = Number((value >> BigInt(8 * n)) & 0xffn);
  };
  const elements = ({ address, bytes: size }: TraceAccess, count: number): bigint[] =>
    Array.from({ length: count }, (_, n) => get(address.bits + BigInt(n * size), size));
  const putAll = ({ address, bytes: size }: TraceAccess, values: readonly TraceValue[]): void =>
    values.forEach((value, n) => put(address.bits + BigInt(n * size), size, value.bits));
  const note = (access: TraceAccess, kind: Accessed['kind'], values: readonly TraceValue[] = []): number =>
    accesses.push({ ...access, kind, values }) - 1;

  return {
    bytes,
    accesses,
    load: (access) => check(access) ?? { bits: elements(access, 1), read: note(access, 'load') },
    store: (access, value) => {
      const fault = check(access);
      if (fault) return fault;
      note(access, 'store', [value]);
      put(access.address.bits, access.bytes, value.bits);
      return undefined;
    },
    loadExclusive: (access, count) => {
      const fault = check(access, count);
      if (fault) return fault;
      monitor = { address: access.address.bits, size: access.bytes * count };
      return { bits: elements(access, count), read: note(access, 'load exclusive') };
    },
    storeExclusive: (access, values) => {
      const fault = check(access, values.length);
      if (fault) return fault;
      const done = monitor?.address === access.address.bits && monitor.size === access.bytes * values.length;
      monitor = undefined;
      note(access, 'store exclusive', values);
      if (done) putAll(access, values);
      return done;
    },
    clearExclusive: () => {
      monitor = undefined;
    },
    atomic: (access, operation, operand): TraceRead | TraceException => {
      const fault = check(access);
      if (fault) return fault;
      const [old] = elements(access, 1) as [bigint];
      put(access.address.bits, access.bytes, atomicResult(operation, old, operand.bits, 8 * access.bytes));
      return { bits: [old], read: note(access, 'atomic', [operand]) };
    },
    compareAndSwap: (access, expected, replacement) => {
      const fault = check(access, expected.length);
      if (fault) return fault;
      const bits = elements(access, expected.length);
      if (bits.every((old, n) => old === expected[n]!.bits)) putAll(access, replacement);
      return { bits, read: note(access, 'compare and swap', [...expected, ...replacement]) };
    },
  };
}

/** Reports are kept; no system register exists. */
export function recordingHooks(): TraceHooks & { readonly events: TraceEvent[] } {
  const events: TraceEvent[] = [];
  return {
    events,
    report: (event) => events.push(event),
    readSystemRegister: () => ({ exception: 'UNDEFINED' }),
    writeSystemRegister: () => ({ exception: 'UNDEFINED' }),
    systemInstruction: () => ({ exception: 'UNDEFINED' }),
    systemInstructionWithResult: () => ({ exception: 'UNDEFINED' }),
  };
}
