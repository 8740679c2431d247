// The parse reading of the rows: GNU assembler source as one flat image.
//
// The source is gone over until no address changes (labels, literal pools, sizes that depend on labels), then once more to
// encode. Left out: macros, conditionals, repetition, relocatable output, and floating-point data.

import { evaluate, here, isRefusal, parseExpression, type Scope } from './assembler/expressions.ts';
import { carryOut } from './assembler/directives.ts';
import { type Image, makeImage } from './assembler/image.ts';
import { encode } from './assembler/instructions.ts';
import { described, type Statement, statements, type Token } from './assembler/lexer.ts';
import { type LiteralBytes, type LiteralPools, makeLiteralPools } from './assembler/literal-pool.ts';
import { fitsIn } from './assembler/operand-reader.ts';
import { gatherSections, type Section, sectionAlignment } from './assembler/sections.ts';
import { refusal } from './assembler/source.ts';
import { makeSymbols, type Symbols } from './assembler/symbols.ts';
import { UserError } from '../report/user-error.ts';
import { noNames, type SystemRegisterNames } from './syntax.ts';
import { registerNamed } from './syntax/registers.ts';

export interface AssemblyOptions {
  /** Address of the first byte; default 0. */
  readonly base?: bigint | number;
  /** The name of the source in messages; default `<input>`. */
  readonly file?: string;
  /** System registers by name; default none, so that only the generic form is accepted. */
  readonly names?: SystemRegisterNames;
}

export interface Assembly {
  readonly bytes: Uint8Array;
  /** Labels and assigned symbols. */
  readonly symbols: Map<string, bigint>;
  readonly base: bigint;
}

/** Sizes that depend on addresses that depend on sizes settle in two or three passes, or never. */
const mostPasses = 16;

/** Assembles a source; a UserError names file, line and column of what is wrong. */
export function assemble(source: string, options: AssemblyOptions = {}): Assembly {
  const base = BigInt.asUintN(64, BigInt(options.base ?? 0));
  const file = options.file ?? '<input>';
  const sections = gatherSections(statements(source, file));
  const symbols = makeSymbols();
  const pools = makeLiteralPools();
  const run = (strict: boolean): Image => {
    const image = makeImage(base);
    for (const section of sections) {
      assembleSection(section, { image, symbols, pools, strict, names: options.names ?? noNames });
    }
    return image;
  };
  for (let pass = 1; ; pass += 1) {
    run(false);
    const moved = [symbols.nextPass(), pools.nextPass()];
    if (!moved.includes(true)) break;
    if (pass === mostPasses) throw new UserError(`${file}: the addresses do not settle: a size depends on itself`);
  }
  const image = run(true);
  return { bytes: image.bytes(), symbols: symbols.named(), base };
}

interface PassContext {
  readonly image: Image;
  readonly symbols: Symbols;
  readonly pools: LiteralPools;
  readonly strict: boolean;
  readonly names: SystemRegisterNames;
}

function assembleSection(section: Section, c: PassContext): void {
  if (section.statements.length === 0) return;
  if (section.name !== '.text') c.image.align(sectionAlignment);
  const sectionStart = c.image.position();
  for (const statement of section.statements) {
    const dot = c.image.position();
    const scope: Scope = { dot, symbol: c.symbols.symbol, local: c.symbols.local };
    const stream = { tokens: statement.operands, at: 0 };
    switch (statement.kind) {
      case 'label':
        c.symbols.defineLabel(statement.head, statement.place, dot);
        break;
      case 'assignment':
        assign(statement, scope, c);
        break;
      case 'operation':
        if (statement.head.text.startsWith('.')) {
          carryOut(statement.head, {
            ...c,
            place: statement.place,
            stream,
            scope,
            isCode: section.isCode,
            sectionStart,
          });
        } else {
          c.image.append(BigInt(instruction(statement, scope, c)), 4);
        }
    }
  }
  c.pools.flush(c.image);
}

/** `name = expression`; `. = expression` is `.org`, which goes by that name only. */
function assign({ head, operands, place }: Statement, scope: Scope, c: PassContext): void {
  if (head.text === '.') throw refusal(place, head.column, 'the location counter is not assigned to', 'use .org');
  const stream = { tokens: operands, at: 0 };
  const expression = parseExpression(stream);
  if (isRefusal(expression)) throw refusal(place, expression.token.column, expression.why);
  const rest = here(stream);
  if (rest.kind !== 'end')
    throw refusal(place, rest.column, `expected the end of the statement, not ${described(rest)}`);
  const value = evaluate(expression, scope);
  if (!isRefusal(value)) c.symbols.assign(head, place, value);
  else if (c.strict) throw refusal(place, value.token.column, value.why);
}

/** The word of an instruction; before the last pass, when symbols may have no value, only its literal counts. */
function instruction(statement: Statement, scope: Scope, c: PassContext): number {
  const { head, place } = statement;
  const address = scope.dot;
  const operands = literalLoad(statement, scope, c) ?? statement.operands;
  if (!c.strict) return 0;
  if (address % 4n !== 0n) {
    throw refusal(
      place,
      head.column,
      `an instruction at 0x${address.toString(16)}, which is not a multiple of 4`,
      'use .align 2',
    );
  }
  return encode(head, operands, place, { address, names: c.names, scope });
}

/** The operands of `ldr Rt, =expression` with the literal's address in place of the expression; undefined for anything else. */
function literalLoad({ head, operands, place }: Statement, scope: Scope, c: PassContext): readonly Token[] | undefined {
  const [register, comma, equals] = operands;
  if (!/^ldr(sw)?$/i.test(head.text) || comma?.text !== ',' || equals?.kind !== 'mark' || equals.text !== '=')
    return undefined;
  const name = registerNamed(register!.text.toLowerCase());
  const bytes = ((): LiteralBytes | undefined => {
    if (/^ldrsw$/i.test(head.text)) return 4;
    if (name?.kind === 'general') return name.width === 64 ? 8 : 4;
    return name?.bytes === 4 || name?.bytes === 8 ? name.bytes : undefined;
  })();
  if (bytes === undefined) {
    throw refusal(place, register!.column, `expected a register of 4 or 8 bytes, not ${described(register!)}`);
  }
  const stream = { tokens: operands, at: 3 };
  const expression = parseExpression(stream);
  if (isRefusal(expression)) throw refusal(place, expression.token.column, expression.why);
  const end = here(stream);
  if (end.kind !== 'end') throw refusal(place, end.column, `expected the end of the statement, not ${described(end)}`);
  const value = evaluate(expression, scope);
  if (isRefusal(value) && c.strict) throw refusal(place, value.token.column, value.why);
  const known = isRefusal(value) ? undefined : value;
  if (known !== undefined && !fitsIn(known, bytes)) {
    throw refusal(place, operands[3]!.column, `${known} does not fit in ${8 * bytes} bits`);
  }
  // Constants are equal by value; expressions by text and value, as `.` and `1b` mean something else in each place.
  const text =
    expression.kind === 'constant'
      ? ''
      : operands
          .slice(3)
          .map((token) => token.text)
          .join(' ');
  const literal = c.pools.add(bytes, `${text} = ${known ?? '?'}`, known ?? 0n);
  const target: Token = { kind: 'number', text: '=', column: equals.column, value: literal };
  return [register!, comma, target, end];
}
