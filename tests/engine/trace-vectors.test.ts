// The trace reading against the vectors that were recorded under qemu-aarch64.

import { describe, expect, it } from 'vitest';
import { executeTrace } from '../../src/engine/trace.ts';
import { traceState, type TraceException, type TraceHooks, type TraceState } from '../../src/engine/trace-state.ts';
import { traceValue, type TraceValue } from '../../src/engine/trace-values.ts';
import { makeDecoder } from '../../src/isa/decoder.ts';
import { noPointerKeys, pointerControl } from '../../src/isa/pointer-authentication/pointer.ts';
import { instructionSet } from '../../src/isa/instruction-set.ts';
import { armName, GROUP_NAMES } from '../vectors/encodings.ts';
import { copyState, WINDOW_BASE, type Fault, type State } from '../vectors/state.ts';
import { readVectors, type Vector } from '../vectors/vectors.ts';
import { recordingHooks, windowMemory, type WindowMemory } from './trace-machine.ts';

const decode = makeDecoder(instructionSet);

const FPCR = 0b11_011_0100_0100_000;
const FPSR = 0b11_011_0100_0100_001;
const DC_ZVA = 0b01_011_0111_0100_001;
/** IC IVAU, DC CVAC, DC CVAU, DC CIVAC. */
const cacheMaintenance = new Set([
  0b01_011_0111_0101_001, 0b01_011_0111_1010_001, 0b01_011_0111_1011_001, 0b01_011_0111_1110_001,
]);

/** V0 to V31. */
function vectorsOf(bytes: Uint8Array): bigint[] {
  const halves = new BigUint64Array(bytes.slice().buffer);
  return Array.from({ length: 32 }, (_, n) => (halves[2 * n + 1]! << 64n) | halves[2 * n]!);
}

function toTrace(state: State): TraceState {
  return traceState({
    x: [...state.x],
    sp: state.sp,
    v: vectorsOf(state.v),
    flags: {
      N: (state.nzcv & 8) !== 0,
      Z: (state.nzcv & 4) !== 0,
      C: (state.nzcv & 2) !== 0,
      V: (state.nzcv & 1) !== 0,
    },
    pc: state.pc,
    checksSPAlignment: false,
    // Tags in the lower range.
    pointerControl: noPointerKeys | (1 << pointerControl.tagsOfInstructions) | (1 << pointerControl.tagsOfData),
  });
}

function fromTrace(trace: TraceState, system: { fpcr: number; fpsr: number }, memory: Uint8Array): State {
  const v = new BigUint64Array(64);
  for (let n = 0; n < 32; n += 1) {
    v[2 * n] = BigInt.asUintN(64, trace.readV(n).bits);
    v[2 * n + 1] = trace.readV(n).bits >> 64n;
  }
  const nzcv = (['N', 'Z', 'C', 'V'] as const).reduce((bits, flag) => 2 * bits + Number(trace.readFlag(flag).bits), 0);
  return {
    pc: trace.pc,
    x: BigUint64Array.from({ length: 31 }, (_, n) => trace.readX(n).bits),
    sp: trace.readSP().bits,
    nzcv,
    fpcr: system.fpcr,
    fpsr: system.fpsr,
    v: new Uint8Array(v.buffer),
    memory,
  };
}

/** The system registers and instructions of EL0 that the vectors use. */
function systemOfEl0(system: { fpcr: number; fpsr: number }, memory: WindowMemory): TraceHooks {
  const dcZvaBytes = 64n;
  const zero = traceValue(64, 0n);
  const touch = (address: TraceValue): TraceException | undefined => {
    const answer = memory.load({ address, bytes: 1, access: {}, control: zero });
    return 'exception' in answer ? answer : undefined;
  };
  return {
    ...recordingHooks(),
    readSystemRegister: (key) => {
      if (key === FPCR) return traceValue(64, BigInt(system.fpcr));
      return key === FPSR ? traceValue(64, BigInt(system.fpsr)) : { exception: 'UNDEFINED' };
    },
    writeSystemRegister: (key, value) => {
      if (key === FPCR) system.fpcr = Number(value.bits);
      else if (key === FPSR) system.fpsr = Number(value.bits);
      else return { exception: 'UNDEFINED' };
      return undefined;
    },
    systemInstruction: (key, address) => {
      if (cacheMaintenance.has(key)) return touch(address);
      if (key !== DC_ZVA) return { exception: 'UNDEFINED' };
      const fault = touch(address);
      if (fault) return fault;
      const block = address.bits - (address.bits % dcZvaBytes);
      for (let at = 0n; at < dcZvaBytes; at += 8n) {
        memory.store({ address: traceValue(64, block + at), bytes: 8, access: {}, control: zero }, zero);
      }
      return undefined;
    },
  };
}

function faultOf(exception: TraceException): Fault | undefined {
  switch (exception.exception) {
    case 'UNDEFINED':
      return { kind: 'undefined', address: 0n };
    case 'BRK':
      return { kind: 'breakpoint', address: 0n };
    case 'Data Abort':
      return exception.fault === 'permission' || exception.fault === 'access flag'
        ? undefined
        : { kind: exception.fault, address: exception.address };
    default:
      return undefined;
  }
}

function run({ words, input }: Vector): { state: State; fault?: Fault | undefined; encoding: string } {
  const trace = toTrace(copyState(input));
  const memory = windowMemory(BigInt(WINDOW_BASE), input.memory.slice());
  const system = { fpcr: input.fpcr, fpsr: input.fpsr };
  let encoding = '';
  for (const word of words) {
    const decoded = decode(word);
    if (!decoded) return { state: input, encoding: 'none' };
    encoding = decoded.row.encoding(decoded.fields);
    const outcome = executeTrace(decoded, trace, memory, systemOfEl0(system, memory));
    if (outcome.exception) {
      return { state: fromTrace(trace, system, memory.bytes), fault: faultOf(outcome), encoding };
    }
  }
  return { state: fromTrace(trace, system, memory.bytes), encoding };
}

function isSame(a: State, b: State): boolean {
  return (
    a.pc === b.pc &&
    a.sp === b.sp &&
    a.nzcv === b.nzcv &&
    a.fpcr === b.fpcr &&
    a.fpsr === b.fpsr &&
    a.x.every((value, n) => value === b.x[n]) &&
    Buffer.compare(a.v, b.v) === 0 &&
    Buffer.compare(a.memory, b.memory) === 0
  );
}

/** One line for each part of the state, to read the differences. */
function summary(state: State, fault: Fault | undefined): string {
  const x = Array.from(state.x, (value, n) => `X${n} ${value.toString(16)}`);
  const v = vectorsOf(state.v).map((value, n) => `V${n} ${value.toString(16)}`);
  return [
    fault ? `${fault.kind} at ${fault.address.toString(16)}` : 'no fault',
    `PC ${state.pc.toString(16)}`,
    ...x,
    `SP ${state.sp.toString(16)}`,
    `NZCV ${state.nzcv}, FPCR ${state.fpcr}, FPSR ${state.fpsr}`,
    ...v,
    Buffer.from(state.memory).toString('base64'),
  ].join('\n');
}

const hex = (word: number): string => `0x${word.toString(16).padStart(8, '0')}`;

describe.each(GROUP_NAMES)('the trace reading of the vectors: %s', (group) => {
  const byEncoding = new Map<string, Vector[]>();
  for (const vector of readVectors(group)) {
    const vectors = byEncoding.get(vector.encoding.name) ?? [];
    vectors.push(vector);
    byEncoding.set(vector.encoding.name, vectors);
  }

  it.each([...byEncoding])('%s does what it does under qemu-aarch64', (_name, vectors) => {
    for (const vector of vectors) {
      const { state, fault, encoding } = run(vector);
      expect(encoding, hex(vector.word)).toBe(armName(vector.encoding));
      if (
        isSame(state, vector.expected) &&
        fault?.kind === vector.fault?.kind &&
        fault?.address === vector.fault?.address
      )
        continue;
      expect(summary(state, fault), `${hex(vector.word)} case ${vector.index}`).toBe(
        summary(vector.expected, vector.fault),
      );
    }
  });
});
