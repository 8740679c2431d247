// The vectors' own tests: that inputs can be derived again, that outcomes survive the file, that the committed files
// belong to the code beside them, and that they say what the manual says where a line suffices to say it.

import { readFileSync, statSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { DISTINCT_ENCODINGS, ENCODINGS, GROUPS, GROUP_NAMES, encodingNamed } from './encodings.ts';
import { FORMAT, type Header, VERSION, decodeOutcome, encodeOutcome, packFile, unpackFile } from './format.ts';
import type { Outcome } from './harness.ts';
import { type Input, digestInput, drawInput, drawWord, windowOf } from './inputs.ts';
import { disagreement, readObjdumpSample, sampleFile } from './objdump-sample.ts';
import { type Encoding, fieldsOf, matches } from './pattern.ts';
import { random } from './random.ts';
import { WINDOW_BASE, WINDOW_SIZE, copyState, differences } from './state.ts';
import { type Vector, readVectorFile, readVectors, vectorFile } from './vectors.ts';

const SEED = 7;
const MEBIBYTE = 2 ** 20;
/** The first outputs for the seed 'vectors'. */
const KNOWN_SEQUENCE = [0xca70_c459, 0x2324_34a8, 0x2a90_12f7];

function named(name: string): Encoding {
  const encoding = encodingNamed(name);
  if (!encoding) throw new Error(`no encoding ${name}`);
  return encoding;
}

function inputOf(name: string, index = 0): Input {
  const encoding = named(name);
  return drawInput(SEED, encoding, index, windowOf(SEED, encoding));
}

describe('deriving inputs', () => {
  test('gives the same words and state for the same seed, encoding and index', () => {
    expect(digestInput(inputOf('STXP_SP64_ldstexclp', 3))).toBe(digestInput(inputOf('STXP_SP64_ldstexclp', 3)));
    expect(digestInput(inputOf('STXP_SP64_ldstexclp', 3))).not.toBe(digestInput(inputOf('STXP_SP64_ldstexclp', 4)));
  });

  test('does not depend on the version of Node: the generator repeats a known sequence', () => {
    const source = random('vectors');
    expect([source.word(), source.word(), source.word()]).toEqual(KNOWN_SEQUENCE);
  });

  test('draws legal words of each encoding, and no other encoding claims them', () => {
    const rows = DISTINCT_ENCODINGS;
    for (const encoding of rows) {
      const source = random(SEED, encoding.name);
      for (let i = 0; i < 20; i++) {
        const word = drawWord(encoding, source);
        expect(rows.filter((row) => matches(row, word)).map(({ name }) => name)).toEqual([encoding.name]);
      }
    }
  });
});

function expectRoundTrip(input: Input, outcome: Outcome): void {
  const bytes = Buffer.concat([Buffer.from([0xee]), encodeOutcome(input, outcome), Buffer.from([0xee])]);
  const decoded = decodeOutcome(input, bytes, 1);
  expect(decoded.end).toBe(bytes.length - 1);
  expect(differences(outcome.state, decoded.outcome.state)).toEqual([]);
  expect(decoded.outcome.fault).toEqual(outcome.fault);
}

describe('the record of an outcome', () => {
  const input = inputOf('LDR_64_ldst_pos');
  const next = input.state.pc + 4n;
  const unchanged = () => ({ ...copyState(input.state), pc: next });

  test('takes one byte where nothing but the PC moved on', () => {
    const outcome = { state: unchanged() };
    expect(encodeOutcome(input, outcome)).toHaveLength(1);
    expectRoundTrip(input, outcome);
  });

  test('keeps every register, alone and together', () => {
    const all = unchanged();
    for (let i = 0; i < 31; i++) {
      const state = unchanged();
      state.x[i] = ~(state.x[i] ?? 0n);
      all.x[i] = state.x[i] ?? 0n;
      expectRoundTrip(input, { state });
    }
    for (let i = 0; i < 512; i++) {
      const state = unchanged();
      state.v[i] = ~(state.v[i] ?? 0);
      all.v[i] = state.v[i] ?? 0;
      expectRoundTrip(input, { state });
    }
    all.sp = ~all.sp & 0xffff_ffff_ffff_ffffn;
    all.nzcv ^= 0xf;
    all.fpcr = 0xffff_ffff;
    all.fpsr = 0x8000_0001;
    expectRoundTrip(input, { state: all });
  });

  test('keeps the first and the last byte of the window, and all of it', () => {
    for (const positions of [[0], [WINDOW_SIZE - 1], [0, WINDOW_SIZE - 1], [17, 300]]) {
      const state = unchanged();
      state.memory = state.memory.slice();
      for (const position of positions) state.memory[position] = ~(state.memory[position] ?? 0);
      expectRoundTrip(input, { state });
    }
  });

  test('differs in one place for each thing that differs', () => {
    const state = unchanged();
    state.x[30] = ~(state.x[30] ?? 0n);
    state.v[511] = ~(state.v[511] ?? 0);
    state.memory = state.memory.slice();
    state.memory[1] = ~(state.memory[1] ?? 0);
    state.nzcv ^= 1;
    const names = differences(unchanged(), state).map((line) => line.split(' is ')[0]);
    expect(names).toEqual(['X30', 'NZCV', 'V31.B[15]', 'byte at 0x10000001']);
  });

  test('keeps a branch target and each kind of fault', () => {
    const state = { ...unchanged(), pc: 0x7fff_ffff_ffffn };
    expectRoundTrip(input, { state });
    for (const kind of ['translation', 'alignment', 'undefined', 'breakpoint'] as const) {
      const outcome = { state: copyState(input.state), fault: { kind, address: 0xffff_0000_1234_5678n } };
      expectRoundTrip(input, outcome);
    }
  });
});

describe('a file', () => {
  const file = readFileSync(vectorFile('branches'));
  const repack = (change: (header: Header) => object) => {
    const { header, body } = unpackFile(file, 'branches');
    return packFile({ ...header, ...change(header) }, [body]);
  };
  const read = (bytes: Uint8Array) => [...readVectorFile(bytes, 'branches')];

  test('reads back', () => {
    expect(read(repack(() => ({})))).toHaveLength(12 * 100);
  });

  test('is refused if its inputs are derived differently now', () => {
    expect(() => read(repack(({ seed }) => ({ seed: seed + 1 })))).toThrow(/derived differently/);
  });

  test('is refused if it is of another format, version or length', () => {
    expect(() => read(repack(() => ({ format: `${FORMAT}s` })))).toThrow(/holds no vectors/);
    expect(() => read(repack(() => ({ version: VERSION + 1 })))).toThrow(/another version/);
    expect(() => read(repack(({ encodings }) => ({ encodings: encodings.slice(1) })))).toThrow();
    expect(() => read(repack(({ encodings }) => ({ encodings: encodings.slice(0, -1) })))).toThrow(/goes on/);
  });
});

describe('the committed vectors', () => {
  test('hold 100 cases of every executable encoding, in less than 3 MiB', () => {
    const sizes = GROUP_NAMES.map((group) => {
      const { header } = unpackFile(readFileSync(vectorFile(group)), group);
      expect(header.cases).toBe(100);
      const executable = GROUPS[group].filter((encoding) => encoding.executable);
      expect(header.encodings.map(({ name }) => name)).toEqual(executable.map(({ name }) => name));
      return statSync(vectorFile(group)).size;
    });
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(3 * MEBIBYTE);
  });

  test.each(GROUP_NAMES)('of %s start from legal words and change nothing on a fault', (group) => {
    for (const vector of readVectors(group)) {
      const { encoding, word, words, input, expected, fault } = vector;
      expect(matches(encoding, word)).toBe(true);
      expect(words.at(-1)).toBe(word);
      if (!fault) continue;
      const subject = input.pc + BigInt(4 * (words.length - 1));
      expect(differences({ ...input, pc: subject }, expected)).toEqual([]);
    }
  });
});

const X = (state: Vector['input'], register: number) => (register === 31 ? 0n : (state.x[register] ?? 0n));
const XSP = (state: Vector['input'], register: number) => (register === 31 ? state.sp : X(state, register));

function* vectorsOf(name: string) {
  const encoding = named(name);
  const group = GROUP_NAMES.find((candidate) => GROUPS[candidate].includes(encoding));
  if (!group) throw new Error(`${name} is in no group`);
  for (const vector of readVectors(group, (candidate) => candidate === encoding)) {
    yield { ...vector, f: fieldsOf(encoding, vector.word) };
  }
}

describe('what the vectors say', () => {
  test('ADD (shifted register) adds', () => {
    for (const { f, input, expected } of vectorsOf('ADD_64_addsub_shift')) {
      const amount = BigInt(f('imm6'));
      const m = X(input, f('Rm'));
      const shifted = [m << amount, m >> amount, BigInt.asIntN(64, m) >> amount][f('shift')] ?? 0n;
      const wanted = copyState(input);
      wanted.pc += 4n;
      if (f('Rd') !== 31) wanted.x[f('Rd')] = X(input, f('Rn')) + shifted;
      expect(differences(wanted, expected)).toEqual([]);
    }
  });

  test('CSINC increments the second operand where the condition fails', () => {
    const outcomes = new Set<boolean>();
    for (const { f, input, expected } of vectorsOf('CSINC_64_condsel')) {
      const [n, z, c, v] = [8, 4, 2, 1].map((bit) => (input.nzcv & bit) !== 0);
      const base = [z, c, n, v, c && !z, n === v, n === v && !z, true][f('cond') >> 1];
      const holds = f('cond') === 15 ? true : base !== ((f('cond') & 1) === 1);
      const value = holds ? X(input, f('Rn')) : BigInt.asUintN(64, X(input, f('Rm')) + 1n);
      if (f('Rd') !== 31) expect(X(expected, f('Rd'))).toBe(value);
      outcomes.add(holds);
    }
    expect(outcomes.size).toBe(2);
  });

  test('LDRSH (immediate, post-index) loads from the base, then moves it', () => {
    for (const { f, input, expected, fault } of vectorsOf('LDRSH_64_ldst_immpost')) {
      if (fault) continue;
      const base = XSP(input, f('Rn'));
      const view = new DataView(input.memory.buffer);
      const value = BigInt.asUintN(64, BigInt(view.getInt16(Number(base) - WINDOW_BASE, true)));
      if (f('Rt') !== 31) expect(X(expected, f('Rt'))).toBe(value);
      expect(XSP(expected, f('Rn'))).toBe(BigInt.asUintN(64, base + BigInt.asIntN(9, BigInt(f('imm9')))));
    }
  });

  test('STXR stores and returns 0 after its load-exclusive, and returns 1 without', () => {
    const statuses = new Set<string>();
    for (const { f, words, input, expected } of vectorsOf('STXR_SR32_ldstexclr')) {
      const status = f('Rs') === 31 ? undefined : X(expected, f('Rs'));
      if (status !== undefined) expect(status).toBe(words.length === 2 ? 0n : 1n);
      const view = new DataView(expected.memory.buffer);
      const stored = view.getUint32(Number(XSP(input, f('Rn'))) - WINDOW_BASE, true);
      if (words.length === 2) expect(BigInt(stored)).toBe(BigInt.asUintN(32, X(input, f('Rt'))));
      else expect(expected.memory).toBe(input.memory);
      statuses.add(String(status));
    }
    expect([...statuses]).toEqual(expect.arrayContaining(['0', '1']));
  });

  test('CASAL and CASPAL find what they compare with in some cases and not in others', () => {
    for (const name of ['CASAL_C64_comswap', 'CASPAL_CP32_comswappr']) {
      const stored = [...vectorsOf(name)].filter(({ input, expected }) => input.memory !== expected.memory).length;
      expect(stored).toBeGreaterThan(10);
      expect(stored).toBeLessThan(70);
    }
  });

  test('TBNZ is taken in some cases, to the multiple of four that its immediate says', () => {
    let taken = 0;
    for (const { f, input, expected } of vectorsOf('TBNZ_only_testbranch')) {
      const bit = BigInt((f('b5') << 5) | f('b40'));
      const set = ((X(input, f('Rt')) >> bit) & 1n) === 1n;
      const offset = set ? BigInt.asIntN(14, BigInt(f('imm14'))) * 4n : 4n;
      expect(expected.pc).toBe(input.pc + offset);
      if (set) taken++;
    }
    expect(taken).toBeGreaterThan(20);
    expect(taken).toBeLessThan(80);
  });

  test('a misaligned LDADD is an Alignment fault at that address', () => {
    const faults = [...vectorsOf('LDADD_32_memop')].filter(({ fault }) => fault?.kind === 'alignment');
    expect(faults.length).toBeGreaterThan(0);
    for (const { f, input, fault } of faults) {
      expect(fault?.address).toBe(XSP(input, f('Rn')));
      expect(Number(fault?.address) % 4).not.toBe(0);
    }
  });
});

describe('the objdump sample', () => {
  const lines = readObjdumpSample();
  const rows = DISTINCT_ENCODINGS;

  test('holds 6,000 different words, some of each encoding', () => {
    expect(new Set(lines.map(({ word }) => word)).size).toBe(6000);
    for (const row of rows) expect(lines.some(({ word }) => matches(row, word))).toBe(true);
    expect(statSync(sampleFile()).size).toBeLessThan(MEBIBYTE / 8);
  });

  test('calls every word by the mnemonic of the one encoding that it matches, or by an alias of it', () => {
    for (const line of lines) {
      const matching = rows.filter((row) => matches(row, line.word));
      expect(matching).toHaveLength(1);
      expect(matching.map((row) => disagreement(row, line))).toEqual([undefined]);
    }
  });
});

test('docs/isa.md says where the emulator departs from the manual', () => {
  const text = readFileSync(new URL('../../docs/isa.md', import.meta.url), 'utf8');
  const reasons = new Set(ENCODINGS.flatMap(({ erratum }) => erratum?.reason ?? []));
  expect([...reasons].filter((reason) => !text.includes(reason))).toEqual([]);
});
