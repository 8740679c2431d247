// Runs inputs under qemu-aarch64 in harness/harness.c and turns what it reports into outcomes. The layouts here are
// those of struct input and struct result there.

import { strict as assert } from 'node:assert';
import { spawnSync } from 'node:child_process';
import type { Input } from './inputs.ts';
import { type Fault, type FaultKind, type State, copyState } from './state.ts';

const MESSAGE_WINDOW = 1n;
const MESSAGE_CASE = 2n;
const MAX_WORDS = 4;
const CASE_BYTES = 8 + 4 * 4 + MAX_WORDS * 4 + 32 * 8 + 512;
const RESULT_BYTES = 2 * 8 + 6 * 4 + 32 * 8 + 512;

/** Signal numbers of AArch64 Linux. */
const SIGNALS: Readonly<Record<number, FaultKind>> = {
  4: 'undefined',
  5: 'breakpoint',
  7: 'alignment',
  11: 'translation',
};

export interface Outcome {
  readonly state: State;
  readonly fault?: Fault;
}

/** Where qemu-aarch64 and the built harness are, and the CPU model to emulate. */
interface Emulator {
  readonly command: string;
  readonly cpu: string;
  readonly harness: string;
}

function packWindow(window: Uint8Array): Buffer {
  const kind = Buffer.alloc(8);
  kind.writeBigUInt64LE(MESSAGE_WINDOW);
  return Buffer.concat([kind, window]);
}

function packCase(input: Input): Buffer {
  const { state, words } = input;
  assert.ok(words.length <= MAX_WORDS);
  const buffer = Buffer.alloc(8 + CASE_BYTES);
  let at = buffer.writeBigUInt64LE(MESSAGE_CASE);
  at = buffer.writeBigUInt64LE(state.pc, at);
  for (const word of [words.length, state.nzcv * 2 ** 28, state.fpcr, state.fpsr]) at = buffer.writeUInt32LE(word, at);
  for (let i = 0; i < MAX_WORDS; i++) at = buffer.writeUInt32LE(words[i] ?? 0, at);
  for (const value of state.x) at = buffer.writeBigUInt64LE(value, at);
  at = buffer.writeBigUInt64LE(state.sp, at);
  buffer.set(state.v, at);
  return buffer;
}

function unpackResult(input: Input, buffer: Buffer, start: number): { outcome: Outcome; end: number } {
  const state = copyState(input.state);
  let at = start;
  const word = () => buffer.readUInt32LE((at += 4) - 4);
  const doubleword = () => buffer.readBigUInt64LE((at += 8) - 8);
  state.pc = doubleword();
  const address = doubleword();
  const signal = word();
  state.nzcv = word() >>> 28;
  state.fpcr = word();
  state.fpsr = word();
  const offset = word();
  const length = word();
  for (let i = 0; i < 31; i++) state.x[i] = doubleword();
  state.sp = doubleword();
  state.v.set(buffer.subarray(at, at + 512));
  at += 512;
  if (length > 0) {
    state.memory = state.memory.slice();
    state.memory.set(buffer.subarray(at, at + length), offset);
    at += length;
  }
  const name = `${input.encoding.name} #${input.index} (${input.word.toString(16)})`;
  const kind = SIGNALS[signal];
  assert.ok(kind, `${name}: signal ${signal} at ${state.pc.toString(16)}`);
  const subject = input.state.pc + BigInt(4 * (input.words.length - 1));
  assert.ok(
    state.pc < input.state.pc || state.pc >= subject,
    `${name}: the words that prepare it took signal ${signal}`,
  );
  // A signal at the instruction itself is its exception. Anywhere else it is the BRK, or the fetch, that follows.
  const outcome = state.pc === subject ? { state, fault: { kind, address } } : { state };
  return { outcome, end: at };
}

/** Runs inputs that share one window. */
export function runOnEmulator(emulator: Emulator, window: Uint8Array, inputs: readonly Input[]): Outcome[] {
  const stdin = Buffer.concat([packWindow(window), ...inputs.map(packCase)]);
  const { status, stdout, stderr, error } = spawnSync(emulator.command, ['-cpu', emulator.cpu, emulator.harness], {
    input: stdin,
    maxBuffer: inputs.length * (RESULT_BYTES + window.length) + 1,
  });
  if (error) throw error;
  assert.equal(status, 0, `the harness ended with ${String(status)}: ${stderr.toString()}`);
  let at = 0;
  const outcomes = inputs.map((input) => {
    const { outcome, end } = unpackResult(input, stdout, at);
    at = end;
    return outcome;
  });
  assert.equal(at, stdout.length, 'the harness wrote more than it was asked for');
  return outcomes;
}
