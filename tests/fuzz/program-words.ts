// Random programs of 64 instructions that branch among themselves: loops, side exits, self-modification. What they are made of serves other
// generators too.

import { branches } from '../../src/isa/branches.ts';
import { dataProcessing } from '../../src/isa/data-processing.ts';
import type { Row } from '../../src/isa/encoding.ts';
import { loadsStores } from '../../src/isa/loads-stores.ts';
import { layout, type Program } from './fuzz-machine.ts';
import { makeRandom, type Random } from './random.ts';
import { wordOfRow } from './random-words.ts';
import { dataAddress, everyLevels, randomStart } from './start.ts';

const length = 64;

/** Registers of a program: X0 to X18 hold values, X19 an index, X20 to X27 addresses, X28 a branch target; X29 is the handlers'. */
const [indexRegister, targetRegister] = [19, 28] as const;
export const [firstAddress, addresses] = [20, 8] as const;
const pointsIntoCode = firstAddress;

const directBranches = branches.filter(({ fields }) => fields.some(({ name }) => /^imm(14|19|26)$/.test(name)));
const B = directBranches.find(({ name }) => name === 'B')!;
const indirectBranches = branches.filter(({ name }) => name === 'BR' || name === 'BLR' || name === 'RET');

/** What ends a translated trace, reads time, or changes how the rest runs. */
export const systemWords = [
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

export function randomProgram(seed: number, index: number): Program & { readonly instructions: number } {
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

export function wordOf(row: Row, random: Random): number {
  return wordOfRow(row, random, chooseField(row, random)) ?? 0xd503_201f;
}
