// The file format of the vectors. Inputs are derived again from the seed (inputs.ts); a file holds what each
// instruction changed.
//
//   file     gzip( header "\n" record* )
//   header   one line of JSON: format, version, seed, cases (per encoding), emulator, encodings: [{ name, digest, bytes }]
//   record   changes u8, then what they announce, in this order:
//              X       mask uleb128, then u64 for each set bit
//              SP      u64
//              NZCV    u8
//              FP      FPCR u32, FPSR u32
//              V       mask uleb128, then 16 bytes for each set bit
//              memory  offset u16, length u16, bytes
//              PC      u64, where it is not the next instruction's
//              fault   kind u8, address u64
//
// All numbers are little endian. The digest is of the encoding's inputs: a file that no longer belongs to the code that
// derives them is refused instead of misread.

import { strict as assert } from 'node:assert';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Outcome } from './harness.ts';
import type { Input } from './inputs.ts';
import { type FaultKind, copyState } from './state.ts';

export const FORMAT = 'heddle-vectors';
export const VERSION = 1;

const X = 1;
const SP = 2;
const NZCV = 4;
const FP = 8;
const V = 16;
const MEMORY = 32;
const PC = 64;
const FAULT = 128;

const FAULT_KINDS: readonly FaultKind[] = ['translation', 'alignment', 'undefined', 'breakpoint'];

export interface Header {
  readonly format: typeof FORMAT;
  readonly version: typeof VERSION;
  readonly seed: number;
  readonly cases: number;
  readonly emulator: string;
  readonly encodings: readonly { readonly name: string; readonly digest: number; readonly bytes: number }[];
}

/** Where execution goes on if the words are no branch and take no exception. */
function nextPc(input: Input): bigint {
  return input.state.pc + BigInt(4 * input.words.length);
}

function subjectPc(input: Input): bigint {
  return nextPc(input) - 4n;
}

function uleb128(value: number): number[] {
  const bytes: number[] = [];
  let rest = value >>> 0;
  do {
    bytes.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    rest >>>= 7;
  } while (rest > 0);
  return bytes;
}

function u64(value: bigint): number[] {
  return [...new Uint8Array(new BigUint64Array([value]).buffer)];
}

function u32(value: number): number[] {
  return [value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24];
}

export function encodeOutcome(input: Input, outcome: Outcome): Uint8Array {
  const before = input.state;
  const { state: after, fault } = outcome;
  const body: number[] = [];
  let changes = 0;

  let xMask = 0;
  for (let i = 0; i < 31; i++) if (before.x[i] !== after.x[i]) xMask += 2 ** i;
  if (xMask !== 0) {
    changes |= X;
    body.push(...uleb128(xMask));
    after.x.forEach((value, i) => {
      if (xMask & (2 ** i)) body.push(...u64(value));
    });
  }
  if (before.sp !== after.sp) {
    changes |= SP;
    body.push(...u64(after.sp));
  }
  if (before.nzcv !== after.nzcv) {
    changes |= NZCV;
    body.push(after.nzcv);
  }
  if (before.fpcr !== after.fpcr || before.fpsr !== after.fpsr) {
    changes |= FP;
    body.push(...u32(after.fpcr), ...u32(after.fpsr));
  }
  let vMask = 0;
  for (let i = 0; i < 512; i++) if (before.v[i] !== after.v[i]) vMask |= 1 << (i >> 4);
  if (vMask !== 0) {
    changes |= V;
    body.push(...uleb128(vMask));
    for (let i = 0; i < 32; i++) if (vMask & (1 << i)) body.push(...after.v.subarray(16 * i, 16 * i + 16));
  }
  const first = before.memory.findIndex((byte, i) => byte !== after.memory[i]);
  if (first >= 0) {
    changes |= MEMORY;
    const last = before.memory.findLastIndex((byte, i) => byte !== after.memory[i]);
    const length = last - first + 1;
    body.push(first & 0xff, first >> 8, length & 0xff, length >> 8, ...after.memory.subarray(first, last + 1));
  }
  if (fault) {
    assert.equal(after.pc, subjectPc(input));
    changes |= FAULT;
    body.push(FAULT_KINDS.indexOf(fault.kind), ...u64(fault.address));
  } else if (after.pc !== nextPc(input)) {
    changes |= PC;
    body.push(...u64(after.pc));
  }
  return Uint8Array.from([changes, ...body]);
}

/** Decodes the record at `start`; `end` is where the next one begins. */
export function decodeOutcome(input: Input, bytes: Buffer, start: number): { outcome: Outcome; end: number } {
  const state = copyState(input.state);
  let at = start;
  const byte = () => bytes.readUInt8(at++);
  const halfword = () => bytes.readUInt16LE((at += 2) - 2);
  const word = () => bytes.readUInt32LE((at += 4) - 4);
  const doubleword = () => bytes.readBigUInt64LE((at += 8) - 8);
  const mask = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const group = byte();
      value |= (group & 0x7f) << shift;
      if (group < 0x80) return value;
    }
  };
  const raw = (length: number) => bytes.subarray(at, (at += length));

  const changes = byte();
  if (changes & X) {
    const set = mask();
    for (let i = 0; i < 31; i++) if (set & (1 << i)) state.x[i] = doubleword();
  }
  if (changes & SP) state.sp = doubleword();
  if (changes & NZCV) state.nzcv = byte();
  if (changes & FP) {
    state.fpcr = word();
    state.fpsr = word();
  }
  if (changes & V) {
    const set = mask();
    for (let i = 0; i < 32; i++) if (set & (1 << i)) state.v.set(raw(16), 16 * i);
  }
  if (changes & MEMORY) {
    const offset = halfword();
    state.memory = state.memory.slice();
    state.memory.set(raw(halfword()), offset);
  }
  state.pc = changes & PC ? doubleword() : nextPc(input);
  if (!(changes & FAULT)) return { outcome: { state }, end: at };
  const kind = FAULT_KINDS[byte()];
  assert.ok(kind, 'a fault of no known kind');
  state.pc = subjectPc(input);
  return { outcome: { state, fault: { kind, address: doubleword() } }, end: at };
}

export function packFile(header: Header, records: readonly Uint8Array[]): Buffer {
  return gzipSync(Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`), ...records]), { level: 9 });
}

export function unpackFile(file: Uint8Array, name: string): { header: Header; body: Buffer } {
  const bytes = gunzipSync(file);
  const end = bytes.indexOf('\n');
  assert.ok(end > 0, `${name} has no header`);
  const header = JSON.parse(bytes.toString('utf8', 0, end)) as Header;
  assert.equal(header.format, FORMAT, `${name} holds no vectors`);
  assert.equal(header.version, VERSION, `${name} is of another version of the format`);
  return { header, body: bytes.subarray(end + 1) };
}
