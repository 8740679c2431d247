// Random instruction words, at EL1 and at EL0, with random registers: half of them from all 2^32, half from the rows of the
// instruction set with random fields. No word may crash or hang the host, and the step and the translate reading must leave the same
// state behind, to the bit.
//
// `npx vitest run tests/fuzz/random-words.test.ts` runs 100,000 words; HEDDLE_FUZZ_WORDS=1000000 before it runs a million, and
// HEDDLE_FUZZ_SEED=N others than those of seed 1. A case is (seed, index) and nothing else: `runCase` runs it again.

import { systemInstructions } from '../../src/arch/system-instructions.ts';
import { systemRegisters } from '../../src/arch/system-registers.ts';
import { encodingOf } from '../../src/arch/system-key.ts';
import { fieldsOf, type Row } from '../../src/isa/encoding.ts';
import { instructionSet } from '../../src/isa/instruction-set.ts';
import { describeProgram, differences, shrink } from './compare.ts';
import { type FuzzMachine, fuzzMachine, type Program } from './fuzz-machine.ts';
import { makeRandom, type Random } from './random.ts';
import { everyLevels, randomStart } from './start.ts';

/** Tries before a row is given up: the rarest, one barrier option of sixteen, is hit every few tries. */
const mostTries = 200;

const systemKeys = [...systemRegisters.map(({ key }) => key), ...systemInstructions.map(({ key }) => key)];

/** An allocated word of a row; `choose` decides fields, or leaves them to chance. */
export function wordOfRow(
  row: Row,
  random: Random,
  choose: (name: string, width: number) => number | undefined = () => undefined,
): number | undefined {
  for (let tries = 0; tries < mostTries; tries += 1) {
    let word = ((random.word() & ~row.mask) | row.value) >>> 0;
    for (const { name, lsb, width } of row.fields) {
      const ones = 2 ** width - 1;
      // Register 31 or an immediate of all ones; 0.
      const edge = random.below(8);
      const chosen = choose(name, width) ?? (edge === 0 ? ones : edge === 1 ? 0 : undefined);
      if (chosen !== undefined) word = ((word & ~(ones << lsb)) | ((chosen & ones) << lsb)) >>> 0;
    }
    if (row.allocated(fieldsOf(row, word))) return word;
  }
  return undefined;
}

/** Fields of a system register or instruction that exists. */
function systemFields(random: Random): (name: string) => number | undefined {
  const [op0, op1, CRn, CRm, op2] = encodingOf(random.pick(systemKeys));
  const fields: Readonly<Record<string, number>> = { sysop0: op0 & 1, op1, CRn, CRm, op2 };
  return (name) => fields[name];
}

function randomWord(random: Random): number {
  if (random.oneIn(2)) return random.word();
  const row = random.pick(instructionSet);
  const isSystem = row.fields.some(({ name }) => name === 'CRn') && !random.oneIn(4);
  return wordOfRow(row, random, isSystem ? systemFields(random) : undefined) ?? random.word();
}

const UDF = 0;
/** Instructions that a case may run: its own, then handlers, or what it has branched to. */
const instructions = 24;

/** One to four words, then UDF: what follows a word is seldom another, since most words are UNDEFINED. */
export function wordsCase(seed: number, index: number): Program & { readonly count: number } {
  const random = makeRandom(seed, index);
  const start = randomStart(random, random.oneIn(2) ? 0 : 1, random.pick(everyLevels));
  const count = 1 + random.below(4);
  return { start, words: [...Array.from({ length: count }, () => randomWord(random)), UDF, UDF, UDF, UDF], count };
}

const machines = new Map<string, FuzzMachine>();

function machineFor(mode: 'step' | 'translate', { start: { levels } }: Program): FuzzMachine {
  const key = `${mode} ${levels.hasEl2} ${levels.hasEl3}`;
  let machine = machines.get(key);
  if (!machine) {
    machine = fuzzMachine(mode, levels);
    machines.set(key, machine);
  }
  return machine;
}

/** Tables of functions grow with everything that an engine has ever translated. */
export const renewEngines = (): void => {
  for (const machine of machines.values()) machine.renewEngine();
};

/** Chunks that end anywhere. */
function chunksOf(seed: number, index: number): () => number {
  const random = makeRandom(~seed, index);
  return () => 1 + random.below(random.oneIn(2) ? 4 : instructions);
}

/** The step reading in one piece beside the translate reading in many. */
function compareReadings(program: Program, count: number, nextChunk: () => number): string[] {
  const [step, translate] = [machineFor('step', program), machineFor('translate', program)];
  step.load(program);
  step.run(count, () => count);
  translate.load(program);
  translate.run(count, nextChunk);
  return differences(step, translate);
}

/** Runs a case; returns what is wrong, as a text with a program that shows it. */
export function runCase(seed: number, index: number, both: boolean): string | undefined {
  const program = wordsCase(seed, index);
  const compare = (smaller: Program, count: number): string[] => compareReadings(smaller, count, chunksOf(seed, index));
  try {
    if (!both) {
      const machine = machineFor('step', program);
      machine.load(program);
      machine.run(instructions, chunksOf(seed, index));
      return undefined;
    }
    const found = compare(program, instructions);
    if (found.length === 0) return undefined;
    const small = shrink(program, instructions, (smaller, count) => compare(smaller, count).length > 0);
    const left = compare(small.program, small.instructions);
    return `seed ${seed}, case ${index}: step and translate differ: ${(left.length > 0 ? left : found).join('; ')}\n${describeProgram(small.program, small.instructions)}`;
  } catch (error) {
    machines.clear();
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return `seed ${seed}, case ${index}: ${text}\n${describeProgram(program, instructions)}`;
  }
}
