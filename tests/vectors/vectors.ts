// Reads the vectors that generate.sh wrote under qemu-aarch64:
//
//   for (const { encoding, words, input, expected, fault } of readVectors('atomics')) …
//
// A vector starts from `input`, executes `words` in order from input.pc with the local exclusive monitor open, and ends
// in `expected`. Where `fault` is set the last word took that exception instead and `expected` is the state before it
// (its PC is that word's address). Nothing is mapped but the window (state.ts); branches go anywhere, and nothing is
// fetched from their targets.

import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { type Group, encodingNamed } from './encodings.ts';
import { decodeOutcome, unpackFile } from './format.ts';
import { digestInput, drawInput, windowOf } from './inputs.ts';
import type { Encoding } from './pattern.ts';
import type { Fault, State } from './state.ts';

export interface Vector {
  readonly encoding: Encoding;
  readonly index: number;
  /** The words to execute; the last one is the encoding's. */
  readonly words: readonly number[];
  readonly word: number;
  readonly input: State;
  readonly expected: State;
  readonly fault?: Fault;
}

export function vectorFile(group: Group): URL {
  return new URL(`./data/${group}.bin.gz`, import.meta.url);
}

type Choice = (encoding: Encoding) => boolean;

/** The vectors of a group, or of the encodings of the group that `isWanted` chooses. */
export function readVectors(group: Group, isWanted: Choice = () => true): Generator<Vector> {
  return readVectorFile(readFileSync(vectorFile(group)), group, isWanted);
}

export function* readVectorFile(file: Uint8Array, name: string, isWanted: Choice = () => true): Generator<Vector> {
  const { header, body } = unpackFile(file, name);
  let at = 0;
  for (const block of header.encodings) {
    const encoding = encodingNamed(block.name);
    assert.ok(encoding, `${name} has vectors of ${block.name}, which is in no list: run tests/vectors/generate.sh`);
    const end = at + block.bytes;
    if (!isWanted(encoding)) {
      at = end;
      continue;
    }
    const window = windowOf(header.seed, encoding);
    const inputs = Array.from({ length: header.cases }, (_, index) => drawInput(header.seed, encoding, index, window));
    const digest = inputs.reduce<number | undefined>((hash, input) => digestInput(input, hash), undefined);
    assert.equal(
      digest,
      block.digest,
      `${name}: ${block.name} is derived differently now: run tests/vectors/generate.sh`,
    );
    for (const input of inputs) {
      const { outcome, end: next } = decodeOutcome(input, body, at);
      at = next;
      const { index, words, word } = input;
      const { fault } = outcome;
      const vector = { encoding, index, words, word, input: input.state, expected: outcome.state };
      yield fault ? { ...vector, fault } : vector;
    }
    assert.equal(at, end, `${name}: ${block.name} is not as long as its header says`);
  }
  assert.equal(at, body.length, `${name} goes on after its last encoding`);
}
