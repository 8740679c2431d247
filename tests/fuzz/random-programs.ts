// Random programs of 64 instructions that branch among themselves, run for thousands of instructions: loops, side exits, self-modification,
// interrupts and faults at any place, budgets that end anywhere. Traces and regions must leave the state that the step reading leaves, to the
// bit.
//
// `npx vitest run tests/fuzz/random-programs.test.ts` runs 300 programs; HEDDLE_FUZZ_PROGRAMS=N before it runs N, and
// HEDDLE_FUZZ_SEED=N others than those of seed 1. A program is (seed, index) and nothing else: `runProgram` runs it again.

import type { EngineMode } from '../../src/engine/engine.ts';
import { branches } from '../../src/isa/branches.ts';
import { dataProcessing } from '../../src/isa/data-processing.ts';
import type { Row } from '../../src/isa/encoding.ts';
import { loadsStores } from '../../src/isa/loads-stores.ts';
import { describeProgram, differences, shrink } from './compare.ts';
import { type FuzzMachine, fuzzMachine, layout, type Program } from './fuzz-machine.ts';
import { makeRandom, type Random } from './random.ts';
import { wordOfRow } from './random-words.ts';
import { dataAddress, everyLevels, randomStart } from './start.ts';

const length = 64;

/** Registers of a program: X0 to X18 hold values, X19 an index, X20 to X27 addresses, X28 a branch target; X29 is the handlers'. */
const [indexRegister, firstAddress, addresses, targetRegister] = [19, 20, 8, 28] as const;
const pointsIntoCode = firstAddress;

const directBranches = branches.filter(({ fields }) => fields.some(({ name }) => /^imm(14|19|26)$/.test(name)));
const B = directBranches.find(({ name }) => name === 'B')!;
const indirectBranches = branches.filter(({ name }) => name === 'BR' || name === 'BLR' || name === 'RET');

/** What ends a translated trace, reads time, or changes how the rest runs. */
const systemWords = [
  0xd503_3fdf, // ISB
  0xd503_3f9f, // DSB SY
  0xd503_3bbf, // DMB ISH
  0xd503_305f, // CLREX
  0xd503_20bf, // SEVL
  0xd503_205f, // WFE
  0xd503_207f, // WFI
  0xd503_203f, // YIELD
  0xd400_0001, // SVC #0
  0xd400_0002, // HVC #0
  0xd400_0003, // SMC #0
  0xd53b_4200, // MRS X0, NZCV
  0xd51b_4201, // MSR NZCV, X1
  0xd53b_e042, // MRS X2, CNTVCT_EL0
  0xd53b_4424, // MRS X4, FPSR
  0xd53b_d045, // MRS X5, TPIDR_EL0
  0xd51b_d046, // MSR TPIDR_EL0, X6
  0xd503_42df, // MSR DAIFSet, #2
  0xd503_42ff, // MSR DAIFClr, #2
  0xd50b_7534, // IC IVAU, X20
  0xd50b_7b34, // DC CVAU, X20
  0xd50b_7435, // DC ZVA, X21
] as const;

const isAddress = (name: string): boolean => name === 'Rn';
const isOffset = (name: string): boolean => name === 'Rm';

/** Values to and from X0 to X18 and the zero register; addresses seldom change but by write-back. */
function chooseField(row: Row, random: Random): (name: string, width: number) => number | undefined {
  const accessesMemory = loadsStores.includes(row);
  const isLiteral = row.fields.some(({ name }) => name === 'imm19');
  return (name, width) => {
    if (/^R[dtsma]2?$|^Rn$/.test(name)) {
      if (random.oneIn(24)) return undefined;
      if (accessesMemory && isAddress(name)) return random.oneIn(6) ? 31 : firstAddress + random.below(addresses);
      if (accessesMemory && isOffset(name) && row.fields.some(({ name: other }) => other === 'option'))
        return indexRegister;
      return random.oneIn(8) ? 31 : random.below(19);
    }
    if (accessesMemory && name === 'imm12') return random.oneIn(6) ? undefined : random.below(64);
    if (isLiteral && name === 'imm19') return random.below(2 ** 19) & 0x7ff;
    return width > 64 ? 0 : undefined;
  };
}

/** A direct branch from instruction `from` to one of the program; mostly forwards if nothing can end a loop. */
function branchWord(row: Row, random: Random, from: number): number {
  const isConditional = row.name !== 'B' && row.name !== 'BL';
  const goesBack = random.oneIn(isConditional ? 2 : 8);
  const to = goesBack ? random.below(from + 1) : from + 1 + random.below(length - from);
  const word = wordOfRow(row, random, (name) => {
    if (/^imm(14|19|26)$/.test(name)) return to - from;
    return name === 'Rt' ? random.below(19) : undefined;
  });
  return word!;
}

/** ADR X28, to; then BR, BLR or RET by it. */
function indirectBranch(random: Random, from: number): number[] {
  const offset = 4 * (random.oneIn(4) ? random.below(from + 1) - from : 2 + random.below(length - from - 1));
  const ADR = (0x1000_0000 | ((offset & 3) << 29) | (((offset >> 2) & 0x7_ffff) << 5) | targetRegister) >>> 0;
  const word = wordOfRow(random.pick(indirectBranches), random, (name) => (name === 'Rn' ? targetRegister : undefined));
  return [ADR, word!];
}

function randomProgram(seed: number, index: number): Program & { readonly instructions: number } {
  const random = makeRandom(seed, index);
  const el = random.oneIn(2) ? 0 : 1;
  const start = randomStart(random, el, random.pick(everyLevels));
  const words: number[] = [];
  while (words.length < length) {
    const kind = random.below(24);
    if (kind < 10) words.push(wordOf(random.pick(dataProcessing), random));
    else if (kind < 16) words.push(wordOf(random.pick(loadsStores), random));
    else if (kind < 20) words.push(branchWord(random.pick(directBranches), random, words.length));
    else if (kind === 20 && words.length < length - 2) words.push(...indirectBranch(random, words.length));
    else words.push(random.pick(systemWords));
  }
  words.push(wordOfRow(B, random, () => -length)!);
  const code = el === 0 ? layout.codeEl0 : layout.codeEl1;
  const x = start.x.map((value, n) => {
    if (n === indexRegister) return BigInt(random.below(64));
    return n >= firstAddress && n < firstAddress + addresses ? dataAddress(random) : value;
  });
  const writesToItself = random.oneIn(4);
  if (writesToItself) x[pointsIntoCode] = BigInt(code + 4 * random.below(length));
  return {
    // Translated anew after every such store, a program that writes to itself takes long for each instruction.
    instructions: writesToItself ? 300 : 3000,
    start: { ...start, handler: 'return', x, interruptEvery: random.oneIn(4) ? 0 : 20 + random.below(300) },
    words,
  };
}

function wordOf(row: Row, random: Random): number {
  return wordOfRow(row, random, chooseField(row, random)) ?? 0xd503_201f;
}

const machines = new Map<string, FuzzMachine>();

function machineFor(mode: EngineMode, { start: { levels } }: Program): FuzzMachine {
  const key = `${mode} ${levels.hasEl2} ${levels.hasEl3}`;
  let machine = machines.get(key);
  if (!machine) {
    machine = fuzzMachine(mode, levels);
    machines.set(key, machine);
  }
  return machine;
}

export const renewEngines = (): void => {
  for (const machine of machines.values()) machine.renewEngine();
};

/** Small, middling and large budgets, so that a trace is cut anywhere and also runs to its end. */
function chunksOf(seed: number, index: number): () => number {
  const random = makeRandom(~seed, index);
  return () => 1 + random.below(random.pick([4, 40, 200, 2000]));
}

/** The step reading in one piece beside another one in many. */
function compareReadings(mode: EngineMode, program: Program, count: number, nextChunk: () => number): string[] {
  const [step, other] = [machineFor('step', program), machineFor(mode, program)];
  step.load(program);
  step.run(count, () => count);
  other.load(program);
  other.run(count, nextChunk);
  return differences(step, other);
}

/** Runs a program in every reading; returns what is wrong, as a text with the smallest program that shows it. */
export function runProgram(seed: number, index: number): string | undefined {
  const program = randomProgram(seed, index);
  const { instructions } = program;
  for (const mode of ['translate', 'region'] as const) {
    const compare = (smaller: Program, count: number): string[] =>
      compareReadings(mode, smaller, count, chunksOf(seed, index));
    try {
      const found = compare(program, instructions);
      if (found.length === 0) continue;
      const small = shrink(program, instructions, (smaller, count) => compare(smaller, count).length > 0);
      const left = compare(small.program, small.instructions);
      return `seed ${seed}, program ${index}: step and ${mode} differ: ${(left.length > 0 ? left : found).join('; ')}\n${describeProgram(small.program, small.instructions)}`;
    } catch (error) {
      machines.clear();
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      return `seed ${seed}, program ${index}, ${mode}: ${text}\n${describeProgram(program, instructions)}`;
    }
  }
  return undefined;
}
