// The committed sample of words with the text that `aarch64-linux-gnu-objdump -D -z -b binary -m aarch64` gives them:
// what the disassembler is compared with. Every encoding of encodings.ts is in it.
//
//   file   gzip( "# heddle-objdump-sample 1 seed=N base=0xN tool=…\n" ( word "\t" text "\n" )* )
//
// The n-th word lies at base + 4n, which decides the targets that objdump prints. Operands are separated as objdump
// does it, the mnemonic by one tab; its comments (`// #-1`) and symbols (`<.data+0x4>`) are left out.

import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { type Encoding, matches } from './pattern.ts';

export const SAMPLE_FORMAT = 'heddle-objdump-sample';
export const SAMPLE_VERSION = 1;

export interface SampleLine {
  readonly address: number;
  readonly word: number;
  readonly text: string;
}

export function sampleFile(): URL {
  return new URL('./data/objdump-sample.txt.gz', import.meta.url);
}

export function readObjdumpSample(): SampleLine[] {
  const [header = '', ...lines] = gunzipSync(readFileSync(sampleFile())).toString('utf8').trimEnd().split('\n');
  assert.ok(header.startsWith(`# ${SAMPLE_FORMAT} ${SAMPLE_VERSION} `), 'not a sample of this version');
  const base = Number(/ base=(0x[0-9a-f]+)/.exec(header)?.[1]);
  return lines.map((line, i) => {
    const tab = line.indexOf('\t');
    return { address: base + 4 * i, word: Number.parseInt(line.slice(0, tab), 16), text: line.slice(tab + 1) };
  });
}

/** What else objdump may call an encoding whose name begins with the key: the manual's aliases, and system operations. */
const ALIASES: Readonly<Record<string, readonly string[]>> = {
  add: ['mov'],
  adds: ['cmn'],
  sub: ['neg'],
  subs: ['cmp', 'negs'],
  ands: ['tst'],
  orr: ['mov'],
  orn: ['mvn'],
  movn: ['mov'],
  movz: ['mov'],
  sbfm: ['asr', 'sxtb', 'sxth', 'sxtw', 'sbfx', 'sbfiz'],
  bfm: ['bfi', 'bfxil', 'bfc'],
  ubfm: ['lsl', 'lsr', 'uxtb', 'uxth', 'ubfx', 'ubfiz'],
  extr: ['ror'],
  sbc: ['ngc'],
  sbcs: ['ngcs'],
  lslv: ['lsl'],
  lsrv: ['lsr'],
  asrv: ['asr'],
  rorv: ['ror'],
  csinc: ['cset', 'cinc'],
  csinv: ['csetm', 'cinv'],
  csneg: ['cneg'],
  madd: ['mul'],
  msub: ['mneg'],
  smaddl: ['smull'],
  smsubl: ['smnegl'],
  umaddl: ['umull'],
  umsubl: ['umnegl'],
  dup: ['mov'],
  ins: ['mov'],
  umov: ['mov'],
  not: ['mvn'],
  sshll: ['sxtl', 'sxtl2'],
  ushll: ['uxtl', 'uxtl2'],
  dsb: ['ssbb', 'pssbb'],
  sys: ['ic', 'dc', 'at', 'tlbi', 'cfp', 'dvp', 'cpp'],
  // objdump 2.40 does not know DGH, and knows one hint of a later architecture.
  dgh: ['hint'],
  hint: ['clearbhb'],
};

const BRANCH_CONDITIONS = 'eq ne cs cc mi pl vs vc hi ls ge lt gt le al nv'.split(' ').map((cond) => `b.${cond}`);

/** The mnemonics under which an encoding may be disassembled. */
function mnemonicsOf(encoding: Encoding): readonly string[] {
  if (encoding.name === 'B_only_condbranch') return BRANCH_CONDITIONS;
  const stem = (encoding.name.split('_')[0] ?? '').toLowerCase();
  // An atomic without acquire whose result goes to XZR is a store: LDADDLB is STADDLB.
  const store = /^ld(add|clr|eor|set|[su]max|[su]min)/.test(stem) ? [stem.replace(/^ld/, 'st')] : [];
  // The forms that work on the upper half of a vector.
  const upper = /_asimd(misc_[NSL]|shf_[NL]|diff_[LWN]|elem_L)(?=\(|$)/.test(encoding.name) ? [`${stem}2`] : [];
  return [stem, ...(ALIASES[stem] ?? []), ...store, ...upper];
}

/** Why the text cannot be that of the encoding, if so. */
export function disagreement(encoding: Encoding, line: SampleLine): string | undefined {
  if (!matches(encoding, line.word)) return `${line.word.toString(16)} is not ${encoding.name}`;
  const mnemonic = line.text.split(/\s/)[0] ?? '';
  if (mnemonicsOf(encoding).includes(mnemonic)) return undefined;
  return `${encoding.name} ${line.word.toString(16).padStart(8, '0')}: objdump says "${line.text}"`;
}
