// Writes tests/vectors/data/decode-space.txt.gz. Run by generate-decode-space.sh, which builds the harness and compiles this.
// usage: node generate-decode-space.js HARNESS OUTPUT-FILE

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { ALL_FEATURES, QEMU } from './cpu.ts';
import { packBits, SPACE_FORMAT, SPACE_SEED, SPACE_VERSION, walkedClasses, WORDS_PER_CLASS } from './decode-space.ts';
import { runOnEmulator } from './harness.ts';
import type { Input } from './inputs.ts';
import { encoding } from './pattern.ts';
import { CODE_BASES, type State, WINDOW_SIZE } from './state.ts';

const [harness, output] = process.argv.slice(2);
if (!harness || !output) {
  console.error('usage: node generate-decode-space.js HARNESS OUTPUT-FILE');
  process.exit(2);
}

const MOST_ABORTED = 500;

const memory = new Uint8Array(WINDOW_SIZE);
const state: State = {
  pc: BigInt(CODE_BASES[0] + 0x100),
  x: new BigUint64Array(31),
  sp: 0n,
  nzcv: 0,
  fpcr: 0,
  fpsr: 0,
  v: new Uint8Array(512),
  memory,
};
const anyWord = encoding('data', 'any word', 'word:32');
const inputOf = (word: number, index: number): Input => ({ encoding: anyWord, index, words: [word], word, state });

/** Words at which the emulator ends in an assertion of its own: it has no instruction there. */
const aborted: number[] = [];

function executed(words: readonly number[]): boolean[] {
  try {
    const outcomes = runOnEmulator({ command: QEMU, cpu: ALL_FEATURES, harness: harness! }, memory, words.map(inputOf));
    return outcomes.map(({ fault }) => fault?.kind !== 'undefined');
  } catch (error) {
    if (words.length === 1) {
      aborted.push(words[0]!);
      return [false];
    }
    // Which one it was is found by halves; an error of another kind meets every word.
    if (aborted.length > MOST_ABORTED) throw error;
    const middle = words.length >> 1;
    return [...executed(words.slice(0, middle)), ...executed(words.slice(middle))];
  }
}

const lines = walkedClasses().map(({ name, words }) => `${name}\t${packBits(executed(words))}`);
const tool = execFileSync(QEMU, ['--version'], { encoding: 'utf8' }).split('\n')[0] ?? QEMU;
const header = `# ${SPACE_FORMAT} ${SPACE_VERSION} seed=${SPACE_SEED} words=${WORDS_PER_CLASS} tool=${tool}`;
writeFileSync(output, gzipSync([header, ...lines, ''].join('\n'), { level: 9 }));
console.error(`${lines.length} classes; the emulator aborts at ${aborted.length} words`);
