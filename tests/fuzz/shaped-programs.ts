// Random programs with the shapes of compiled code: loops within loops, calls with and without frames, by name and by register, switches,
// walks over arrays from page to page, exclusives that are paired, stores to the program's own text, and at EL1 changes of what the
// engine has looked up (page tables, traps, alignment checking). They run long enough to become regions, and are left there anywhere.

import { dataProcessing } from '../../src/isa/data-processing.ts';
import type { Row } from '../../src/isa/encoding.ts';
import { instructionSet } from '../../src/isa/instruction-set.ts';
import { loadsStores } from '../../src/isa/loads-stores.ts';
import { branches } from '../../src/isa/branches.ts';
import { system } from '../../src/isa/system.ts';
import { layout } from './fuzz-machine.ts';
import { load, programOfText, synchronisation, type TimedProgram } from './program-text.ts';
import { addresses, firstAddress, systemWords, wordOf } from './program-words.ts';
import { makeRandom, type Random } from './random.ts';
import { dataAddress } from './start.ts';

const generalRows = new Set<Row>([...dataProcessing, ...branches, ...system, ...loadsStores]);
/** Of SIMD and floating point. */
const vectorRows = instructionSet.filter((row) => !generalRows.has(row));

const functions = 3;
/** Of loops within loops; a function begins as if in one. */
const mostDepth = 3;
const instructions = 4000;
/** Loops count in X18, X17 and X16 by their depth, recursion in X15; X14 and X28 are scratch. */
const firstCounter = 18;

const conditions = ['eq', 'ne', 'cs', 'mi', 'vs', 'hi', 'ge', 'gt'] as const;
/** Instructions that a program may put into its text: it stays the program that it is. */
const patches = ['add x1, x1, #1', 'eor x3, x3, x2', 'subs x4, x4, #3', 'nop', 'svc #2', '.word 0', 'str x1, [x21]'];

class ProgramText {
  private readonly random: Random;
  private readonly el: 0 | 1;
  private labels = 0;
  /** Places that patches may write to. */
  private readonly slots: string[] = [];

  constructor(random: Random, el: 0 | 1) {
    this.random = random;
    this.el = el;
  }

  text(): string {
    const { random } = this;
    const bodies = Array.from({ length: functions }, (_, n) => this.callable(n));
    const main = this.items(0, 3 + random.below(4), -1);
    const begin = [...this.setStack(), ...this.setAddresses()];
    const patchWords = patches.map((patch, n) => `patch${n}: ${patch}`);
    return ['main:', ...begin, ...main, 'b main', ...bodies.flat(), ...patchWords].join('\n');
  }

  private label(): string {
    this.labels += 1;
    return `l${this.labels}`;
  }

  private x(): string {
    return `x${this.random.below(15)}`;
  }
  /** A register that mostly is an address in the data. */
  private address(): string {
    return `x${firstAddress + this.random.below(addresses)}`;
  }

  /** A stack for all calls there may be, or at times any address. */
  private setStack(): string[] {
    const top = layout.data + 0x1000 + 16 * this.random.below(64);
    return [...load('x28', this.random.oneIn(12) ? dataAddress(this.random) : top), 'mov sp, x28'];
  }
  private setAddresses(): string[] {
    return Array.from({ length: addresses }, (_, n) =>
      this.random.oneIn(2) ? [] : load(`x${firstAddress + n}`, dataAddress(this.random)),
    ).flat();
  }

  /** Function `n`, with a frame, unless it only computes. It calls those after it, and itself as often as X15 allows. */
  private callable(n: number): string[] {
    const { random } = this;
    if (random.oneIn(3)) return [`f${n}:`, ...this.straight(4), 'ret'];
    const body = this.items(1, 1 + random.below(4), n);
    const again = this.label();
    const recursion = random.oneIn(3) ? ['subs x15, x15, #1', `b.le ${again}`, `bl f${n}`, `${again}:`] : [];
    return [`f${n}:`, 'stp x29, x30, [sp, #-32]!', 'str x19, [sp, #16]', ...body, ...recursion, ...this.epilogue()];
  }
  private epilogue(): string[] {
    return ['ldr x19, [sp, #16]', 'ldp x29, x30, [sp], #32', this.random.oneIn(4) ? 'br x30' : 'ret'];
  }

  /** In so many loops, of the function `within`, which is -1 for the main program. */
  private items(depth: number, count: number, within: number): string[] {
    return Array.from({ length: count }, () => this.item(depth, within)).flat();
  }

  private item(depth: number, within: number): string[] {
    const { random } = this;
    const isDeep = depth >= mostDepth;
    const kind = random.below(20);
    switch (kind) {
      case 0:
      case 1:
      case 2:
      case 3:
        return isDeep ? this.straight(3) : this.loop(depth, within);
      case 4:
      case 5:
        return this.skip(depth, within);
      case 6:
      case 7:
        return within < functions - 1 ? this.call(within + 1 + random.below(functions - 1 - within)) : this.straight(2);
      case 8:
        return this.choice(depth);
      case 9:
      case 10:
      case 11:
        return this.walk();
      case 12:
        return this.exclusive();
      case 13:
        return random.oneIn(2) ? this.patch() : this.straight(2);
      case 14:
        return this.el === 1 ? this.control() : [`.word ${random.pick(systemWords)}`];
      case 15:
        return random.oneIn(2) ? [`.word ${random.pick(systemWords)}`] : this.onePage(depth);
      default:
        return this.straight(6);
    }
  }

  /** Any instructions that do not branch; some leave room for a patch. */
  private straight(most: number): string[] {
    const { random } = this;
    return Array.from({ length: 1 + random.below(most) }, () => {
      const rows = [dataProcessing, dataProcessing, loadsStores, vectorRows];
      const word = `.word ${wordOf(random.pick(random.pick(rows)), random)}`;
      if (!random.oneIn(8)) return word;
      const slot = this.label();
      this.slots.push(slot);
      return `${slot}: nop`;
    });
  }

  private loop(depth: number, within: number): string[] {
    const counter = `x${firstCounter - depth}`;
    const again = this.label();
    const isCounted = this.random.oneIn(2);
    const end = isCounted
      ? [`subs ${counter}, ${counter}, #1`, `b.ne ${again}`]
      : [`sub ${counter}, ${counter}, #1`, `cbnz ${counter}, ${again}`];
    const body = this.items(depth + 1, 1 + this.random.below(3), within);
    return [`movz ${counter}, #${1 + this.random.below(12)}`, `${again}:`, ...body, ...end];
  }

  private skip(depth: number, within: number): string[] {
    const { random } = this;
    const over = this.label();
    const branch = random.pick([
      `b.${random.pick(conditions)} ${over}`,
      `cbz ${this.x()}, ${over}`,
      `tbnz ${this.x()}, #${random.below(64)}, ${over}`,
    ]);
    const test = random.oneIn(2) ? [`ands x14, ${this.x()}, ${this.x()}`] : [`cmp ${this.x()}, ${this.x()}`];
    return [...test, branch, ...this.items(depth + 1, 1, within), `${over}:`];
  }

  private call(n: number): string[] {
    return this.random.oneIn(3) ? [`adr x28, f${n}`, 'blr x28'] : [`bl f${n}`];
  }

  /** A switch, by the counter of the innermost loop if there is one. */
  private choice(depth: number): string[] {
    const table = this.label();
    const join = this.label();
    const cases = [0, 1, 2, 3].map(() => this.label());
    const bodies = cases.flatMap((name) => [`${name}:`, ...this.straight(2), `b ${join}`]);
    const by = `x${depth === 0 ? this.random.below(15) : firstCounter - depth + 1}`;
    return [
      ...[`and x14, ${by}, #3`, `adr x28, ${table}`, 'add x28, x28, x14, lsl #2', 'br x28'],
      ...[`${table}:`, ...cases.map((name) => `b ${name}`), ...bodies, `${join}:`],
    ];
  }

  /** Accesses that move on. */
  private walk(): string[] {
    const { random } = this;
    const [from, to] = [this.address(), this.address()];
    const [a, b] = [this.x(), this.x()];
    const low = a.replace('x', 'w');
    return random.pick([
      [`ldr ${a}, [${from}], #8`, `str ${a}, [${to}], #8`],
      [`ldrb ${low}, [${from}], #1`, `strb ${low}, [${to}, #-1]!`],
      [`ldp ${a}, x19, [${from}], #16`, `stp ${b}, ${a}, [${to}], #-16`],
      [`ldr q3, [${from}], #16`, `str q3, [${to}, #-16]!`],
      [`ldr d4, [${from}, #${8 * random.below(64)}]`, `str s4, [${to}, x19]`],
      [`ld1 {v5.16b, v6.16b}, [${from}], #32`, `st2 {v5.8h, v6.8h}, [${to}], #32`],
      [`ldursw ${a}, [${from}, #-3]`, `stlr ${b}, [${to}]`],
      [`ldadd ${a}, ${b}, [${from}]`, `swpal ${a}, ${b}, [${to}]`],
      [`cas ${a}, ${b}, [${from}]`, `ldaxr ${b}, [${to}]`],
      [`str ${a}, [sp, #-16]!`, `ldr ${b}, [sp], #16`],
    ]);
  }

  /** A loop whose accesses a region takes to be to one page, and at EL1 what changes who may use it. */
  private onePage(depth: number): string[] {
    const { random } = this;
    const base = this.address();
    const access = (): string => {
      const at = `[${base}, #${8 * random.below(512)}]`;
      return random.pick([
        `ldr ${this.x()}, ${at}`,
        `str ${this.x()}, ${at}`,
        `ldrb w3, [${base}, #${random.below(4096)}]`,
      ]);
    };
    const between =
      this.el === 1 && random.oneIn(2)
        ? [`msr pan, #${random.below(2)}`]
        : [`add ${base}, ${base}, #${random.below(300)}`];
    const accesses = Array.from({ length: 2 + random.below(3) }, access);
    const counter = `x${firstCounter - depth}`;
    const again = this.label();
    const after = [access(), 'msr pan, #0'].slice(0, this.el === 1 ? 2 : 1);
    const begin = [...load(base, dataAddress(random)), `movz ${counter}, #${2 + random.below(30)}`];
    return [
      ...begin,
      `${again}:`,
      ...accesses,
      ...between,
      ...after,
      `subs ${counter}, ${counter}, #1`,
      `b.ne ${again}`,
    ];
  }

  private exclusive(): string[] {
    const at = this.address();
    const between = this.random.oneIn(3) ? this.straight(2) : ['add x14, x14, #1'];
    const align = this.random.oneIn(2) ? [`and ${at}, ${at}, #-16`] : [];
    return this.random.oneIn(2)
      ? [...align, `ldxr x14, [${at}]`, ...between, `stxr w13, x14, [${at}]`]
      : [...align, `ldaxp x14, x12, [${at}]`, ...between, `stlxp w13, x12, x14, [${at}]`];
  }

  /** A store to the text, and at times what makes it visible to fetches. */
  private patch(): string[] {
    if (this.slots.length === 0) return this.straight(1);
    const slot = this.random.pick(this.slots);
    const store = this.random.pick(['str w14, [x28]', 'swp w14, w13, [x28]', 'stp w14, w14, [x28]', 'strh w14, [x28]']);
    const synchronise = this.random.oneIn(2) ? synchronisation : [];
    return [`ldr w14, patch${this.random.below(patches.length)}`, `adr x28, ${slot}`, store, ...synchronise];
  }

  /** At EL1: what translations, traps and checks hang on. */
  private control(): string[] {
    const { random } = this;
    const page = random.below(7);
    // CPACR_EL1.FPEN, and back soon.
    const toggleTrap = ['mrs x14, cpacr_el1', 'eor x14, x14, #0x300000', 'msr cpacr_el1, x14', 'isb'];
    if (random.oneIn(7)) return [...toggleTrap, ...this.straight(3), ...toggleTrap];
    const descriptor = layout.dataDescriptors + 8 * page;
    const va = (layout.data + 0x1000 * page) >> 12;
    return random.pick([
      // AP[2] of a page of data, or its AF.
      [
        ...load('x14', descriptor),
        'ldr x13, [x14]',
        `eor x13, x13, #${random.pick([0x80, 0x400])}`,
        'str x13, [x14]',
        ...load('x28', va),
        ...['dsb ish', random.pick(['tlbi vae1, x28', 'tlbi vmalle1', 'tlbi vaae1is, x28']), 'dsb ish', 'isb'],
      ],
      // SCTLR_EL1: A or SA.
      ['mrs x14, sctlr_el1', `eor x14, x14, #${random.pick([2, 8])}`, 'msr sctlr_el1, x14', 'isb'],
      [`msr spsel, #${random.below(2)}`, ...this.setStack()],
      ['msr fpcr, xzr'],
      // The ASID.
      ['mrs x14, ttbr0_el1', 'eor x14, x14, #0x3000000000000', 'msr ttbr0_el1, x14', 'isb'],
    ]);
  }
}

export function shapedProgram(seed: number, index: number): TimedProgram {
  const random = makeRandom(~seed, index);
  const el = random.oneIn(2) ? 0 : 1;
  // Across the end of a page, or at its beginning.
  const offset = random.oneIn(2) ? 0x1000 - 4 * (1 + random.below(80)) : 0;
  return programOfText(new ProgramText(random, el).text(), random, { el, offset, instructions });
}
