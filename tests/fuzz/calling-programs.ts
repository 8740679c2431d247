// Random programs that call and return across pages: by name, by address and by tail calls, to functions that return where they were called,
// a little further, or not at all, that change each other, and at EL1 to pages that lie elsewhere, are guarded or cannot be executed from one
// call to the next. Every page has functions at the same offsets, so that pages may change places.

import { layout } from './fuzz-machine.ts';
import { load, programOfText, synchronisation, type TimedProgram } from './program-text.ts';
import { makeRandom, type Random } from './random.ts';

const instructions = 3000;
const pages = layout.codeBytes / 0x1000;
const functionsOfPage = 4;
/** Log2 of the bytes from one function to the next. */
const functionShift = 9;

/** Of one word each. X15 bounds the depth of calls, X16 counts rounds, X26 is the table of descriptors, X27 and X28 are scratch. */
const straight = [
  'add x1, x1, #1',
  'add x2, x2, x1, lsl #3',
  'eor x3, x3, x2, ror #7',
  'subs x4, x4, #3',
  'csinc x2, x2, x1, ne',
  'adcs x5, x5, x1',
  'ldr x6, [x21]',
  'str x1, [x21]',
  'mul x7, x1, x2',
  'add v1.4s, v1.4s, v0.4s',
  'bti jc',
];
/** What may be written into functions. */
const patches = ['add x1, x1, #16', 'eor x3, x3, x1', 'add x1, x1, #5', 'subs x4, x4, #1', 'b . + 8', 'nop'];

const nameOf = (page: number, n: number): string => `p${page}f${n}`;

class CallingText {
  private readonly random: Random;
  private readonly el: 0 | 1;
  private labels = 0;
  /** Places that patches may write to. */
  private slots = 0;

  constructor(random: Random, el: 0 | 1) {
    this.random = random;
    this.el = el;
  }

  text(): string {
    const text = Array.from({ length: pages }, (_, page) => [
      '.align 12',
      ...(page === 0 ? ['b main'] : []),
      ...Array.from({ length: functionsOfPage }, (_of, n) => [
        `.align ${functionShift}`,
        ...this.callable(page, n),
      ]).flat(),
    ]);
    const main = Array.from({ length: 6 + this.random.below(6) }, () => this.item()).flat();
    text[0]?.push(`.align ${functionShift}`, 'main:', ...this.begin(), ...main, 'b main', ...this.patchWords());
    return text.flat().join('\n');
  }

  private begin(): string[] {
    return [
      ...load('x21', layout.data),
      ...load('x28', layout.data + 0x2000),
      'mov sp, x28',
      ...load('x26', layout.tables),
    ];
  }
  private patchWords(): string[] {
    return patches.map((patch, n) => `patch${n}: ${patch}`);
  }

  private label(): string {
    this.labels += 1;
    return `l${this.labels}`;
  }
  private anyFunction(): string {
    return nameOf(this.random.below(pages), this.random.below(functionsOfPage));
  }

  private item(): string[] {
    const { random } = this;
    switch (random.below(8)) {
      case 0:
        return [...this.patch(), ...this.patch()];
      case 1:
      case 2:
        return this.el === 1 ? this.changePages() : this.call();
      default: {
        const again = this.label();
        const rounds = [`subs x16, x16, #1`, `b.ne ${again}`];
        return [
          `movz x16, #${1 + random.below(16)}`,
          `${again}: movz x15, #${random.below(6)}`,
          ...this.call(),
          ...rounds,
        ];
      }
    }
  }

  private call(): string[] {
    const { random } = this;
    const n = random.below(functionsOfPage);
    const to = nameOf(random.below(pages), n);
    return random.pick([
      [`bl ${to}`],
      [`bl ${to}`],
      [`adrp x28, ${to}`, `add x28, x28, #:lo12:${to}`, 'blr x28'],
      // One call site, several callees.
      [
        `adr x28, ${nameOf(random.below(pages - 1), n)}`,
        'ubfx x27, x1, #1, #1',
        'add x28, x28, x27, lsl #12',
        'blr x28',
      ],
    ]);
  }

  private callable(page: number, n: number): string[] {
    const { random } = this;
    const name = `${nameOf(page, n)}: ${random.pick(['nop', 'bti c', 'bti j'])}`;
    if (random.oneIn(3)) return [name, ...this.body(3), ...this.end()];
    const calls = Array.from({ length: 1 + random.below(3) }, () => [...this.call(), ...this.body(1)]).flat();
    const over = this.label();
    return [
      ...[name, ...this.body(1), 'subs x15, x15, #1', `b.le ${over}`, 'str x30, [sp, #-16]!'],
      ...[...calls, 'ldr x30, [sp], #16', `${over}:`, ...this.body(1), ...this.end()],
    ];
  }

  /** Instructions of which some are passed over at times, and of which one may be written over. */
  private body(most: number): string[] {
    const { random } = this;
    const some = (): string[] =>
      Array.from({ length: 1 + random.below(3) }, () => (random.oneIn(40) ? 'svc #1' : random.pick(straight)));
    const part = (): string[] => {
      const over = this.label();
      const slot = `slot${this.slots}`;
      this.slots += 1;
      const branch = random.pick([`b.mi ${over}`, `cbz x4, ${over}`, `tbnz x1, #${random.below(4)}, ${over}`]);
      return [branch, ...some(), `${over}:`, ...some(), `${slot}: nop`, ...(random.oneIn(4) ? this.patch() : [])];
    };
    return Array.from({ length: 1 + random.below(most) }, part).flat();
  }

  /** The end of a function that has its return address in X30. */
  private end(): string[] {
    const { random } = this;
    const skip = this.label();
    return random.pick([
      ['ret'],
      ['ret'],
      ['mov x28, x30', 'br x28'],
      ['mov x28, x30', 'ret x28'],
      [`tbnz x1, #2, ${skip}`, 'ret', `${skip}: add x30, x30, #4`, 'ret'],
      // Tail calls.
      ['sub x15, x15, #1', `tbnz x15, #63, ${skip}`, `b ${this.anyFunction()}`, `${skip}: ret`],
      ['sub x15, x15, #1', `tbz x15, #63, ${this.anyFunction()}`, 'ret'],
      [`cbz x15, ${skip}`, 'sub x15, x15, #1', 'adds x4, x4, x1', `b.ne ${this.anyFunction()}`, `${skip}: ret`],
    ]);
  }

  /** An instruction of a function becomes another. */
  private patch(): string[] {
    const { random } = this;
    const to = `adr x28, slot${random.below(this.slots)}`;
    const what = `ldr w27, patch${random.below(patches.length)}`;
    return [what, to, 'str w27, [x28]', ...(random.oneIn(2) ? synchronisation : [])];
  }

  /** Two pages change places, or one becomes guarded, or is not executable any more; or the other way round. */
  private changePages(): string[] {
    const { random } = this;
    const page = 1 + random.below(pages - 1);
    const descriptorOf = (n: number): string => `[x26, #${8 * (((layout.codeEl1 >>> 12) & 511) + n)}]`;
    const [one, other] = [descriptorOf(page), descriptorOf(1 + (page % (pages - 1)))];
    const invalidate = [
      'dsb ish',
      random.pick(['tlbi vmalle1', 'tlbi vmalle1is', 'tlbi aside1, xzr']),
      ...['dsb ish', 'isb'],
    ];
    const bit = random.oneIn(6) ? 1n << 53n : 1n << 50n;
    const changed = !random.oneIn(4)
      ? ['mov x5, x27', 'mov x27, x28', 'mov x28, x5']
      : [`eor x27, x27, #${bit}`, `eor x28, x28, #${bit}`];
    return [
      ...[`ldr x27, ${one}`, `ldr x28, ${other}`, `str xzr, ${one}`, `str xzr, ${other}`, ...invalidate, ...changed],
      ...[`str x27, ${one}`, `str x28, ${other}`, 'dsb ish', ...(random.oneIn(3) ? [] : ['isb'])],
    ];
  }
}

export function callingProgram(seed: number, index: number): TimedProgram {
  const random = makeRandom(~seed, index);
  const el = random.oneIn(3) ? 0 : 1;
  return programOfText(new CallingText(random, el).text(), random, { el, offset: 0, instructions });
}
