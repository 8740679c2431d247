// Every word of data processing, branches and system has the name that objdump gives it; what only objdump knows is listed here with
// its reason. Half of the words are random, half are a row's with up to two bits flipped.

import { describe, expect, it } from 'vitest';
import { branches } from '../../src/isa/branches.ts';
import { dataProcessing } from '../../src/isa/data-processing.ts';
import { makeDecoder } from '../../src/isa/decoder.ts';
import { instructionSet } from '../../src/isa/instruction-set.ts';
import { system } from '../../src/isa/system.ts';
import { randomWords } from './loads-stores-words.ts';
import { hasObjdump, OBJDUMP, objdumpMnemonics } from './objdump.ts';

const WORDS = 60_000;

const rows = [...dataProcessing, ...branches, ...system];
const decode = makeDecoder(instructionSet);

/** Bits 28 to 25: data processing (immediate, register), branches and system, and UDF. */
const groups = [0b1000, 0b1001, 0b0101, 0b1101, 0b1010, 0b1011];
const isOurs = (word: number): boolean => word >>> 16 === 0 || groups.includes((word >>> 25) & 15);

function drawWords(): number[] {
  const random = randomWords(3);
  const words: number[] = [];
  while (words.length < WORDS) {
    const n = words.length;
    let word = random();
    if (n % 2 === 0) {
      word = (word & ~(15 << 25)) | (groups[random() % groups.length]! << 25);
      // Every sixth in the system space.
      if (n % 6 === 0) word = (word & 0x003f_ffff) | 0xd500_0000;
    } else {
      const row = rows[random() % rows.length]!;
      word = (word & ~row.mask) | row.value;
      for (let flips = random() % 3; flips > 0; flips -= 1) word ^= 1 << (random() % 32);
    }
    if (isOurs(word >>> 0)) words.push(word >>> 0);
  }
  return words;
}

/** The mnemonics that objdump prefers for some operands of a row. */
const aliases: Readonly<Record<string, readonly string[]>> = {
  add: ['mov'],
  adds: ['cmn'],
  ands: ['tst'],
  asrv: ['asr'],
  bfm: ['bfc', 'bfi', 'bfxil'],
  csinc: ['cinc', 'cset'],
  csinv: ['cinv', 'csetm'],
  csneg: ['cneg'],
  dgh: ['hint'],
  dsb: ['ssbb', 'pssbb'],
  extr: ['ror'],
  hint: ['clearbhb'],
  lslv: ['lsl'],
  lsrv: ['lsr'],
  madd: ['mul'],
  movn: ['mov'],
  movz: ['mov'],
  msub: ['mneg'],
  orn: ['mvn'],
  orr: ['mov'],
  rorv: ['ror'],
  sbc: ['ngc'],
  sbcs: ['ngcs'],
  sbfm: ['asr', 'sbfiz', 'sbfx', 'sxtb', 'sxth', 'sxtw'],
  smaddl: ['smull'],
  smsubl: ['smnegl'],
  sub: ['neg'],
  subs: ['cmp', 'negs'],
  sys: ['at', 'cfp', 'cpp', 'dc', 'dvp', 'ic', 'tlbi'],
  ubfm: ['lsl', 'lsr', 'ubfiz', 'ubfx', 'uxtb', 'uxth'],
  umaddl: ['umull'],
  umsubl: ['umnegl'],
};

function agree(word: number, theirs: string): boolean {
  const { row } = decode(word)!;
  const ours = row.name.toLowerCase().split(' ')[0]!;
  if (ours === 'b.cond') return theirs.startsWith('b.');
  return theirs === ours || (aliases[ours]?.includes(theirs) ?? false);
}

/** Features that are left out. */
const leftOut = [
  /^bc\./, // FEAT_HBC
  /^(addg|subg|subps?|irg|gmi)$/, // FEAT_MTE
  /^(abs|cnt|ctz|[su]max|[su]min)$/, // FEAT_CSSC
  /^(ax|xa)flag$/, // FEAT_FlagM2
  /^(tstart|tcommit|tcancel|ttest)$/, // FEAT_TME
  /^(smstart|smstop)$/, // FEAT_SME
  /^(wfet|wfit)$/, // FEAT_WFxT
];

function isExplained(word: number, theirs: string): boolean {
  if (leftOut.some((pattern) => pattern.test(theirs))) return true;
  // Ra of SMULH and UMULH is should-be-one: the choice is UNDEFINED (multiply.ts).
  if (/^[su]mulh$/.test(theirs)) return ((word >>> 10) & 31) !== 31;
  // Without FEAT_XS there is no DSB with nXS.
  if (theirs === 'dsb') return ((word >>> 5) & 7) === 1;
  // objdump takes every word of op0 0 that it has no name for as an access to a register of op0 0; there is none.
  return (theirs === 'msr' || theirs === 'mrs') && ((word >>> 19) & 3) === 0;
}

describe('data processing, branch and system encodings', () => {
  if (!hasObjdump) {
    it(`skipped: no ${OBJDUMP}`, () => expect(hasObjdump).toBe(false));
    return;
  }
  it(`${WORDS} words have the name that objdump gives them`, () => {
    const words = drawWords();
    const theirs = objdumpMnemonics(words);
    expect(theirs).toHaveLength(WORDS);
    let agreed = 0;
    const differences = words.flatMap((word, n) => {
      const name = theirs[n];
      const ours = decode(word)?.row.name;
      if (ours === undefined && (name === undefined || isExplained(word, name))) return [];
      if (ours !== undefined && name !== undefined && agree(word, name)) {
        agreed += 1;
        return [];
      }
      return [`0x${word.toString(16)}: we say ${ours ?? 'undefined'}, objdump ${name ?? 'undefined'}`];
    });
    expect(differences).toEqual([]);
    expect(agreed).toBeGreaterThan(WORDS / 3);
  });
});
