// Writes tests/vectors/data/objdump-sample.txt.gz, after checking every encoding against objdump on many more words.
// Run by generate-objdump-sample.sh.
// usage: node generate-objdump-sample.js SCRATCH-DIRECTORY OUTPUT-FILE

import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { DISTINCT_ENCODINGS, encodingNamed } from './encodings.ts';
import { drawWord } from './inputs.ts';
import { SAMPLE_FORMAT, SAMPLE_VERSION, type SampleLine, disagreement } from './objdump-sample.ts';
import { type Encoding, matches } from './pattern.ts';
import { random } from './random.ts';

const SEED = 20_26;
/** Where the words lie: far from 0, so that a branch backwards has a positive target. */
const BASE = 0x4000_0000;
const SAMPLE_WORDS = 6000;
const CHECKED_WORDS_PER_ENCODING = 400;
const OBJDUMP = 'aarch64-linux-gnu-objdump';
const LARGEST_OUTPUT_BYTES = 256 * 2 ** 20;

interface Drawn {
  readonly encoding: Encoding;
  readonly word: number;
}

function disassemble(drawn: readonly Drawn[], scratch: string): SampleLine[] {
  const file = join(scratch, 'words.bin');
  writeFileSync(file, new Uint8Array(Uint32Array.from(drawn, ({ word }) => word).buffer));
  const flags = ['-D', '-z', '-m', 'aarch64', '-b', 'binary', `--adjust-vma=0x${BASE.toString(16)}`, file];
  const output = execFileSync(OBJDUMP, flags, { encoding: 'utf8', maxBuffer: LARGEST_OUTPUT_BYTES });
  const lines = [...output.matchAll(/^ *([0-9a-f]+):\t([0-9a-f]{8}) \t(.*)$/gm)].map(([, address, word, text]) => ({
    address: Number.parseInt(address ?? '', 16),
    word: Number.parseInt(word ?? '', 16),
    text: (text ?? '').replace(/\s*(<.*>)?\s*(\/\/.*)?$/, ''),
  }));
  assert.equal(lines.length, drawn.length, 'objdump left words out');
  return lines;
}

function draw(purpose: string, encoding: Encoding, count: number): Drawn[] {
  const source = random(SEED, purpose, encoding.name);
  return Array.from({ length: count }, () => ({ encoding, word: drawWord(encoding, source) }));
}

function refuseDisagreements(drawn: readonly Drawn[], lines: readonly SampleLine[]): void {
  const messages = new Set(
    drawn.flatMap(({ encoding }, i) => {
      const line = lines[i];
      assert.ok(line);
      return disagreement(encoding, line) ?? [];
    }),
  );
  assert.equal(messages.size, 0, `objdump disagrees:\n${[...messages].join('\n')}`);
}

function distinct(drawn: readonly Drawn[]): Drawn[] {
  return [...new Map(drawn.map((one) => [one.word, one])).values()];
}

/** What Armv8.2 has of the operations that objdump names: no outer shareable or range TLBI, no MTE, no RME. */
const SYSTEM_OPERATION =
  /^(tlbi\t(?!r|paall)\w+(?<!os)|at\ts1\w+|at\ts12\w+|ic\t\w+|dc\t(ivac|isw|csw|cisw|zva|cvac|cvau|civac|cvap))(?=,|$)/;

/** Every system operation that has a name, on XZR if it takes no register and else on a random one. */
function systemOperations(scratch: string): Drawn[] {
  const encoding = encodingNamed('SYS_CR_systeminstrs');
  assert.ok(encoding);
  const candidates: Drawn[] = [];
  for (const op1 of [0, 3, 4, 6]) {
    for (const crn of [7, 8]) {
      for (let crm = 0; crm < 16; crm++) {
        for (let op2 = 0; op2 < 8; op2++) {
          const fields = (op1 << 16) | (crn << 12) | (crm << 8) | (op2 << 5) | 31;
          candidates.push({ encoding, word: (encoding.value | fields) >>> 0 });
        }
      }
    }
  }
  const source = random(SEED, 'system operations');
  return disassemble(candidates, scratch).flatMap(({ word, text }) => {
    if (!SYSTEM_OPERATION.test(text)) return [];
    return { encoding, word: text.includes(',') ? word - 31 + source.below(32) : word };
  });
}

/** What aliases ask for: register 31, and the shifts and masks that extend a byte, a halfword and a word. */
const ALIAS_VALUES = [0, 1, 7, 15, 31, 63];

function drawAliased(encoding: Encoding, count: number): Drawn[] {
  const source = random(SEED, 'aliases', encoding.name);
  return Array.from({ length: count }, () => {
    let word = drawWord(encoding, source);
    for (const { lsb, width } of encoding.fields) {
      if (source.chance(60)) continue;
      const limit = 2 ** width;
      const value = (ALIAS_VALUES[source.below(ALIAS_VALUES.length)] ?? 0) % limit;
      word = (word & ~((limit - 1) << lsb)) | (value << lsb);
    }
    return { encoding, word: ((word & ~encoding.mask) | encoding.value) >>> 0 };
  }).filter(({ word }) => matches(encoding, word));
}

/** Hints that have a name only since a later version of the architecture. */
const LATER_HINTS = ['clearbhb'];

/**
 * Takes words in rounds, one in a round for each mnemonic (for each operation or register name, where that is the first
 * operand) of each encoding, so that a rare alias has as many words as its plain form.
 */
function sample(encodings: readonly Encoding[], scratch: string): Drawn[] {
  const pool = distinct([
    ...encodings.flatMap((encoding) => [...draw('sample', encoding, 20), ...drawAliased(encoding, 400)]),
    ...systemOperations(scratch),
  ]);
  const turns = new Map<string, number>();
  const text = disassemble(pool, scratch);
  const ranked = pool.flatMap((one, i) => {
    const [mnemonic = '', operands = ''] = (text[i]?.text ?? '').split('\t');
    if (LATER_HINTS.includes(mnemonic)) return [];
    const named = /^(tlbi|at|dc|ic|msr|dsb|dmb)$/.test(mnemonic) ? operands.split(',')[0] : '';
    const kind = `${one.encoding.name} ${mnemonic} ${named ?? ''}`;
    const turn = turns.get(kind) ?? 0;
    turns.set(kind, turn + 1);
    return [{ one, turn }];
  });
  return ranked
    .sort((a, b) => a.turn - b.turn)
    .slice(0, SAMPLE_WORDS)
    .map(({ one }) => one);
}

const [scratch, output] = process.argv.slice(2);
if (!scratch || !output) {
  console.error('usage: node generate-objdump-sample.js SCRATCH-DIRECTORY OUTPUT-FILE');
  process.exit(2);
}
const checked = DISTINCT_ENCODINGS.flatMap((encoding) => draw('check', encoding, CHECKED_WORDS_PER_ENCODING));
refuseDisagreements(checked, disassemble(checked, scratch));
const drawn = sample(DISTINCT_ENCODINGS, scratch);
assert.equal(drawn.length, SAMPLE_WORDS);
const lines = disassemble(drawn, scratch);
refuseDisagreements(drawn, lines);
const tool = execFileSync(OBJDUMP, ['--version'], { encoding: 'utf8' }).split('\n')[0] ?? OBJDUMP;
const header = `# ${SAMPLE_FORMAT} ${SAMPLE_VERSION} seed=${SEED} base=0x${BASE.toString(16)} tool=${tool}`;
const text = lines.map(({ word, text: shown }) => `${word.toString(16).padStart(8, '0')}\t${shown}`);
writeFileSync(output, gzipSync([header, ...text, ''].join('\n'), { level: 9 }));
console.error(
  `${DISTINCT_ENCODINGS.length} encodings agree with objdump on ${checked.length} words; ${drawn.length} sampled`,
);
