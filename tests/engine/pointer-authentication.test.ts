// The three readings of pointer authentication agree with each other; the guest `pauth` says that they agree with QEMU.

import { expect, test } from 'vitest';
import { exit } from '../../src/arch/exits.ts';
import { pe as record, ramBase } from '../../src/arch/state-layout.ts';
import { registerAt } from '../../src/arch/system-registers.ts';
import { executeTrace } from '../../src/engine/trace.ts';
import { traceState } from '../../src/engine/trace-state.ts';
import { traceValue } from '../../src/engine/trace-values.ts';
import { assemble } from '../../src/isa/assembler.ts';
import { makeDecoder } from '../../src/isa/decoder.ts';
import { instructionSet } from '../../src/isa/instruction-set.ts';
import { random } from '../vectors/random.ts';
import { el0Machine, type El0Machine } from './el0-machine.ts';
import { recordingHooks, windowMemory } from './trace-machine.ts';

const code = { va: 0x10_0000, pa: ramBase + 0x10_0000, sizeBytes: 0x1000, executable: true };
const cases = 40;
const decode = makeDecoder(instructionSet);
const keys = ['APIA', 'APIB', 'APDA', 'APDB', 'APGA'].flatMap((key) => [`${key}KeyLo_EL1`, `${key}KeyHi_EL1`]);

const verbs = ['pac', 'aut'].flatMap((verb) => ['ia', 'ib', 'da', 'db'].map((key) => `${verb}${key}`));
const instructions = [
  ...verbs.map((verb) => `${verb} x0, x1`),
  ...verbs.map((verb) => `${verb.slice(0, 4)}z${verb.slice(4)} x0`),
  ...['xpaci x0', 'xpacd x0', 'pacga x0, x0, x1'],
  ...['pacia1716', 'autib1716', 'paciasp', 'autibsp', 'pacibz', 'autiaz', 'xpaclri'],
];

interface Inputs {
  /** X0, X17, X30 and X1, X16, SP. */
  readonly pointer: bigint;
  readonly modifier: bigint;
  readonly keys: readonly bigint[];
  readonly tcr: bigint;
  readonly enables: bigint;
}

const bit = (n: number): bigint => 1n << BigInt(n);

function draw(text: string, index: number): Inputs {
  const source = random(1, text, index);
  const word = (): bigint => (BigInt(source.word()) << 32n) | BigInt(source.word() >>> 0);
  const bits = (...numbers: readonly number[]): bigint =>
    numbers.reduce((sum, n) => (source.chance(50) ? sum | bit(n) : sum), 0n);
  const anywhere = BigInt.asUintN(64, word());
  const canonical = source.chance(50) ? BigInt.asUintN(39, anywhere) : anywhere | (-1n << 39n);
  return {
    pointer: BigInt.asUintN(64, source.chance(50) ? canonical : anywhere),
    modifier: BigInt.asUintN(64, word() & ~15n),
    keys: keys.map(() => BigInt.asUintN(64, word())),
    tcr: bits(37, 38, 51, 52) | (BigInt(16 + source.below(24)) << 16n) | 16n | bit(23),
    enables: source.chance(80) ? bit(31) | bit(30) | bit(27) | bit(13) : bits(31, 30, 27, 13),
  };
}

const wordOf = (text: string): number => new DataView(assemble(text, { base: 0 }).bytes.buffer).getUint32(0, true);

/** X0, X17, X30 after the instruction. */
function onEngine(m: El0Machine, word: number, inputs: Inputs): { results: bigint[]; control: number } {
  m.enterEl0();
  m.views.words.set([word, 0xd420_0000], code.pa >>> 2);
  m.engine.codeWritten(code.pa, 8);
  keys.forEach((name, n) => m.pe.writeRegister(name, inputs.keys[n]!));
  m.pe.writeRegister('TCR_EL1', inputs.tcr);
  m.pe.writeRegister('SCTLR_EL1', m.pe.readRegister('SCTLR_EL1') | inputs.enables);
  const x = (n: number): number => ((m.pe.base + record.x) >>> 3) + n;
  for (const n of [0, 17, 30]) m.views.doublewords[x(n)] = inputs.pointer;
  for (const n of [1, 16, 32]) m.views.doublewords[x(n)] = inputs.modifier;
  m.views.doublewords[(m.pe.base + record.pc) >>> 3] = BigInt(code.va);
  const control = m.views.words[(m.pe.base + record.pointerControl) >>> 2]!;
  while (m.pe.currentEl() === 0) expect(m.engine.run(m.pe, 10)).toBe(exit.redirect);
  expect(Number(m.pe.readRegister('ESR_EL1')) >>> 26).toBe(0x3c);
  return { results: [0, 17, 30].map((n) => m.views.doublewords[x(n)]!), control };
}

function onTrace(word: number, inputs: Inputs, control: number): bigint[] {
  const x = Array.from({ length: 31 }, (_, n) =>
    [0, 17, 30].includes(n) ? inputs.pointer : [1, 16].includes(n) ? inputs.modifier : 0n,
  );
  const state = traceState({ x, sp: inputs.modifier, pointerControl: control });
  const outcome = executeTrace(decode(word)!, state, windowMemory(0n, new Uint8Array(0)), {
    ...recordingHooks(),
    readSystemRegister: (key) => traceValue(64, inputs.keys[keys.indexOf(registerAt(key)!.name)]!),
  });
  expect(outcome).toEqual({});
  return [0, 17, 30].map((n) => state.readX(n).bits);
}

test.each(instructions)('%s gives the same in step, translate and trace, for any key and layout', (text) => {
  const word = wordOf(text);
  const [step, translate] = [el0Machine('step', [code]), el0Machine('translate', [code])];
  let changed = 0;
  for (let index = 0; index < cases; index += 1) {
    const inputs = draw(text, index);
    const stepped = onEngine(step, word, inputs);
    expect(onEngine(translate, word, inputs)).toEqual(stepped);
    expect(onTrace(word, inputs, stepped.control)).toEqual(stepped.results);
    if (stepped.results.some((result) => result !== inputs.pointer)) changed += 1;
  }
  expect(changed).toBeGreaterThan(cases / 4);
});
