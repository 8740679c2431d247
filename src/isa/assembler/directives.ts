// The directives of GNU as that place data or name values.
//
// `.org` counts from the start of its section. Alignment in a code section is filled with NOP, elsewhere with zeros.

import { acceptMark, evaluate, here, isRefusal, parseExpression, type Scope, type TokenStream } from './expressions.ts';
import type { Image } from './image.ts';
import { described, type Token } from './lexer.ts';
import type { LiteralPools } from './literal-pool.ts';
import { fitsIn } from './operand-reader.ts';
import { hint } from '../../report/suggestion.ts';
import { type Place, refusal } from './source.ts';
import type { Symbols } from './symbols.ts';

export interface DirectiveContext {
  readonly place: Place;
  readonly stream: TokenStream;
  readonly image: Image;
  readonly scope: Scope;
  readonly symbols: Symbols;
  readonly pools: LiteralPools;
  /** Whether what has no value is an error: in the last pass. Before, it counts as 0. */
  readonly strict: boolean;
  readonly isCode: boolean;
  /** Address of the section's first byte. */
  readonly sectionStart: bigint;
}

type Directive = (c: DirectiveContext) => void;

const NOP = 0xd503201fn;

/** The value of the expression here, and its first token. */
function value(c: DirectiveContext): { value: bigint; token: Token; known: boolean } {
  const token = here(c.stream);
  const expression = parseExpression(c.stream);
  if (isRefusal(expression)) throw refusal(c.place, expression.token.column, expression.why);
  const result = evaluate(expression, c.scope);
  if (!isRefusal(result)) return { value: result, token, known: true };
  if (c.strict) throw refusal(c.place, result.token.column, result.why);
  return { value: 0n, token, known: false };
}

/** A value from `least` to `most`. */
function bounded(c: DirectiveContext, what: string, least: bigint, most: bigint): bigint {
  const { value: number, token, known } = value(c);
  if (!known) return least > 0n ? least : 0n;
  if (number < least || number > most) {
    throw refusal(c.place, token.column, `${what} ${number} is out of range: ${least} to ${most}`);
  }
  return number;
}

/** The items between commas. */
function list(c: DirectiveContext, item: () => void): void {
  do item();
  while (acceptMark(c.stream, ','));
}

const data =
  (bytes: number): Directive =>
  (c) => {
    list(c, () => {
      // `.` in an item is the address of that item.
      const { value: number, token } = value({ ...c, scope: { ...c.scope, dot: c.image.position() } });
      if (!fitsIn(number, bytes)) throw refusal(c.place, token.column, `${number} does not fit in ${8 * bytes} bits`);
      c.image.append(number, bytes);
    });
  };

const text =
  (zero: boolean): Directive =>
  (c) => {
    list(c, () => {
      const token = here(c.stream);
      if (token.kind !== 'string') throw refusal(c.place, token.column, `expected a string, not ${described(token)}`);
      c.stream.at += 1;
      for (let n = 0; n < token.text.length; n += 1) c.image.append(BigInt(token.text.charCodeAt(n)), 1);
      if (zero) c.image.append(0n, 1);
    });
  };

/** The largest alignment: a 1 GiB block, the largest that a translation table of 4 KiB granules maps at level 1. */
const largestAlignmentLog2 = 30n;

function align(c: DirectiveContext, alignment: bigint): void {
  const column = here(c.stream).column;
  let fill: number | undefined;
  let most: bigint | undefined;
  if (acceptMark(c.stream, ',')) {
    if (!(here(c.stream).kind === 'mark' && here(c.stream).text === ','))
      fill = Number(bounded(c, 'fill', -128n, 255n) & 0xffn);
    if (acceptMark(c.stream, ',')) most = bounded(c, 'largest padding', 0n, 1n << largestAlignmentLog2);
  }
  const padding = (alignment - (c.image.position() % alignment)) % alignment;
  if (most !== undefined && padding > most) return;
  if (fill !== undefined || !c.isCode) {
    c.image.fill(padding, fill ?? 0, c.place, column);
    return;
  }
  c.image.fill(padding % 4n, 0, c.place, column);
  for (let n = padding / 4n; n > 0n; n -= 1n) c.image.append(NOP, 4);
}

const alignPower: Directive = (c) => align(c, 1n << bounded(c, 'alignment', 0n, largestAlignmentLog2));

const alignBytes: Directive = (c) => {
  const token = here(c.stream);
  const alignment = bounded(c, 'alignment', 0n, 1n << largestAlignmentLog2);
  if ((alignment & (alignment - 1n)) !== 0n) {
    throw refusal(c.place, token.column, `alignment ${alignment} is not a power of two`);
  }
  align(c, alignment === 0n ? 1n : alignment);
};

const largestCount = 1n << 62n;

const space: Directive = (c) => {
  const { column } = here(c.stream);
  const count = bounded(c, 'size', 0n, largestCount);
  const byte = acceptMark(c.stream, ',') ? Number(bounded(c, 'fill', -128n, 255n) & 0xffn) : 0;
  c.image.fill(count, byte, c.place, column);
};

const fill: Directive = (c) => {
  const { column } = here(c.stream);
  const repeat = bounded(c, 'repeat count', 0n, largestCount);
  const size = acceptMark(c.stream, ',') ? bounded(c, 'size', 0n, 8n) : 1n;
  const number = acceptMark(c.stream, ',') ? value(c).value : 0n;
  const start = c.image.position();
  c.image.fill(repeat * size, 0, c.place, column);
  // GNU as: the value has 32 bits, whatever the size.
  c.image.repeat(start, BigInt.asUintN(32, number), Number(size));
};

const org: Directive = (c) => {
  const { value: offset, token, known } = value(c);
  const target = c.sectionStart + offset;
  const byte = acceptMark(c.stream, ',') ? Number(bounded(c, 'fill', -128n, 255n) & 0xffn) : 0;
  if (!known) return;
  if (target < c.image.position()) {
    const at = c.image.position() - c.sectionStart;
    throw refusal(c.place, token.column, `.org ${offset} goes back: the section is at ${at} already`);
  }
  c.image.fill(target - c.image.position(), byte, c.place, token.column);
};

const assign: Directive = (c) => {
  const name = here(c.stream);
  if (name.kind !== 'word' || name.text === '.')
    throw refusal(c.place, name.column, `expected a name, not ${described(name)}`);
  c.stream.at += 1;
  if (!acceptMark(c.stream, ','))
    throw refusal(c.place, here(c.stream).column, `expected ",", not ${described(here(c.stream))}`);
  const result = value(c);
  if (result.known) c.symbols.assign(name, c.place, result.value);
};

const inst: Directive = (c) => {
  list(c, () => c.image.append(bounded(c, 'instruction word', 0n, 0xffff_ffffn), 4));
};

const pool: Directive = (c) => c.pools.flush(c.image);

/** What concerns an object file or a linker only: accepted, without effect. */
const ignored: Directive = (c) => {
  c.stream.at = c.stream.tokens.length - 1;
};

const ignoredNames = [
  'global', 'globl', 'local', 'weak', 'hidden', 'protected', 'internal', 'extern', 'type', 'size', 'file', 'ident', 'arch', 'cpu',
  'arch_extension', 'loc', 'func', 'endfunc', 'addrsig', 'addrsig_sym', 'cfi_sections', 'cfi_startproc', 'cfi_endproc',
  'cfi_def_cfa', 'cfi_def_cfa_offset', 'cfi_def_cfa_register', 'cfi_adjust_cfa_offset', 'cfi_offset', 'cfi_rel_offset',
  'cfi_restore', 'cfi_remember_state', 'cfi_restore_state', 'cfi_undefined', 'cfi_same_value', 'cfi_signal_frame',
  'cfi_negate_ra_state', 'cfi_personality', 'cfi_lsda', 'cfi_return_column',
]; // prettier-ignore

const directives: ReadonlyMap<string, Directive> = new Map<string, Directive>([
  ...['byte', '1byte'].map((name) => [name, data(1)] as const),
  ...['hword', 'short', '2byte', 'half'].map((name) => [name, data(2)] as const),
  ...['word', 'long', 'int', '4byte'].map((name) => [name, data(4)] as const),
  ...['quad', 'xword', 'dword', '8byte'].map((name) => [name, data(8)] as const),
  ['ascii', text(false)],
  ['asciz', text(true)],
  ['string', text(true)],
  ['align', alignPower],
  ['p2align', alignPower],
  ['balign', alignBytes],
  ...['space', 'skip', 'zero'].map((name) => [name, space] as const),
  ['fill', fill],
  ['org', org],
  ['inst', inst],
  ...['set', 'equ'].map((name) => [name, assign] as const),
  ...['ltorg', 'pool'].map((name) => [name, pool] as const),
  ...ignoredNames.map((name) => [name, ignored] as const),
]);

/** Carries out the directive `.name`. */
export function carryOut(head: Token, c: DirectiveContext): void {
  const name = head.text.slice(1).toLowerCase();
  const directive = directives.get(name);
  if (directive === undefined) {
    const known = [...directives.keys(), 'text', 'data', 'section', 'bss', 'rodata'].map((word) => `.${word}`);
    throw refusal(c.place, head.column, `no directive "${head.text}"`, hint(head.text, known));
  }
  directive(c);
  const rest = here(c.stream);
  if (rest.kind !== 'end')
    throw refusal(c.place, rest.column, `expected the end of the statement, not ${described(rest)}`);
}
