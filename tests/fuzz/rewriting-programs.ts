// Random programs that write over their own text: over the instruction that stores, in its line and the next ones, in the other page, at the
// addresses they run at and at an alias of them, in one part or in several; with all, some and none of what the architecture asks for before
// the result is executed (Arm ARM, "Synchronization and coherency issues between data and instruction accesses"). Where it leaves open when a
// store reaches the fetches of its PE, it is at the next instruction here, whatever runs it.

import { layout } from './fuzz-machine.ts';
import { codeOf, load, programOfText, synchronisation, type TimedProgram } from './program-text.ts';
import { makeRandom, type Random } from './random.ts';

const instructions = 1500;
const functions = 8;
const lineBytes = 64;
/** Of a function, the last word of which is its return. */
const lines = 3;
const wordsOfFunction = (lines * lineBytes) / 4;

/** Instructions that a program may put anywhere into a function. */
const patches = [
  'add x1, x1, #1',
  'eor x3, x3, x2, ror #7',
  'subs x4, x4, #3',
  'add x2, x2, x1, lsl #3',
  'svc #2',
  '.word 0',
  'str x1, [x21]',
  'csinc x2, x2, x1, ne',
  'b . + 8',
  'b.mi . + 12',
  'cbnz x4, . + 8',
  'tbz x1, #0, . + 8',
  'ldr x5, [x21]',
  'add v4.4s, v4.4s, v0.4s',
  'isb',
  'ret',
];

/** With X28 as the address, W14 and V0 to V3 as patches; X13 is scratch. */
const stores = [
  'str w14, [x28]',
  'str w14, [x28]',
  'str x14, [x28]',
  'stp w14, w14, [x28]',
  'stp x14, x14, [x28]',
  'stur w14, [x28, #-4]',
  'strh w14, [x28]',
  'strb w14, [x28, #1]',
  'stlr w14, [x28]',
  'str q0, [x28]',
  'stp q1, q2, [x28]',
  'st1 {v0.4s - v3.4s}, [x28]',
  'st2 {v1.4s, v2.4s}, [x28]',
  'st3 {v0.4s - v2.4s}, [x28]',
  'st4 {v0.2d - v3.2d}, [x28]',
  'st4 {v0.s - v3.s}[1], [x28]',
  'swp w14, w13, [x28]',
  'cas w13, w14, [x28]',
  'ldxr w13, [x28]\n stxr w13, w14, [x28]',
  'dc zva, x28',
];

/** X27 is the distance from where the text runs to the alias of it. */
const toAlias = 'add x28, x28, x27';

class RewritingText {
  private readonly random: Random;
  private readonly aliasDistance: number;

  constructor(random: Random, code: number) {
    this.random = random;
    this.aliasDistance = layout.codeAlias - code;
  }

  text(): string {
    const main = Array.from({ length: 4 + this.random.below(8) }, (_, n) => this.item(n)).flat();
    const bodies = Array.from({ length: functions }, (_, n) => this.callable(n));
    return [
      ...['main:', ...load('x21', layout.data), ...load('x27', this.aliasDistance), 'adr x28, patches'],
      ...['ld1 {v0.4s - v3.4s}, [x28]', ...main, 'b main'],
      ...bodies.flatMap((body, n) => ['.align 6', `f${n}:`, ...body]),
      // Some of them in the other page, and what they were in the beginning.
      ...bodies.flatMap((body, n) => ['.align 6', `copy${n}:`, ...body]),
      ...['.align 6', 'patches:', ...patches],
    ].join('\n');
  }

  private item(n: number): string[] {
    const { random } = this;
    const callee = random.below(functions);
    switch (random.below(8)) {
      case 0:
      case 1:
        return this.patch();
      case 2:
        return this.restore(callee);
      case 3:
        return [`adr x14, f${callee}`, 'blr x14'];
      default:
        // Often enough to be translated.
        return [`movz x18, #${1 + random.below(6)}`, `again${n}: bl f${callee}`, 'subs x18, x18, #1', `b.ne again${n}`];
    }
  }

  private callable(n: number): string[] {
    const { random } = this;
    const body: string[] = [];
    const left = (): number => wordsOfFunction - 1 - body.length;
    while (left() > 0) {
      const patch = random.oneIn(3) ? this.patch(n) : [];
      const isRoom = patch.length > 0 && patch.length < left();
      body.push(...(isRoom ? patch : [random.pick(patches.slice(0, 4))]));
    }
    return [...body, 'ret'];
  }

  /** A store to a function, this one or another, and what may follow it. */
  private patch(within?: number): string[] {
    const { random } = this;
    const store = random.pick(stores).split('\n');
    const via = random.oneIn(3) ? [toAlias] : [];
    const what = `ldr x14, patches + ${8 * random.below(patches.length / 2)}`;
    const before = 4 * random.below(lineBytes / 4);
    // The store lies in what it writes, or anything.
    const isOverItself = within !== undefined && random.oneIn(2);
    const where = isOverItself
      ? `adr x28, . + ${4 * (1 + via.length + store.length) - before}`
      : `adr x28, f${random.below(functions)} + ${4 * random.below(wordsOfFunction)}`;
    return [where, ...via, what, ...store, ...this.synchronisation()];
  }

  /** All, some or nothing of it. */
  private synchronisation(): string[] {
    const { random } = this;
    if (random.oneIn(3)) return [...synchronisation];
    return random.oneIn(2) ? [] : synchronisation.filter(() => random.oneIn(2));
  }

  /** A function becomes what it was, a line at a time. */
  private restore(n: number): string[] {
    const line = (offset: number): string[] => [
      ...[`adr x13, copy${n} + ${offset}`, 'ld1 {v4.16b - v7.16b}, [x13]', `adr x28, f${n} + ${offset}`],
      ...[...(this.random.oneIn(2) ? [toAlias] : []), 'st1 {v4.16b - v7.16b}, [x28]'],
    ];
    return Array.from({ length: lines }, (_, at) => line(lineBytes * at)).flat();
  }
}

export function rewritingProgram(seed: number, index: number): TimedProgram {
  const random = makeRandom(~seed, index);
  const el = random.oneIn(2) ? 0 : 1;
  // Across the end of a page, or at its beginning.
  const offset = random.oneIn(2) ? 0x1000 - 4 * (1 + random.below(400)) : 0;
  return programOfText(new RewritingText(random, codeOf(el)).text(), random, { el, offset, instructions });
}
