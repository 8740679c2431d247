// Mutated cat files: each gives a model or one clear sentence, never a crash or a hang.

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { findCatFile, ownCatFile } from '../../workers/cat-model.ts';
import { loadCat } from '../../src/memory-model/cat/model.ts';
import { UserError } from '../../src/report/user-error.ts';
import { execution, F, R, W } from './hand-made-executions.ts';

const someExecution = execution(
  [
    [W('x', 1), F('DMB.SY'), W('y', 1)],
    [R('y', 1), R('x', 0), W('x', 2)],
  ],
  {},
  {
    addr: [
      [
        [1, 0],
        [1, 1],
      ],
    ],
    lxsx: [
      [
        [1, 1],
        [1, 2],
      ],
    ],
  },
);

const originals = (['arm', 'tso', 'sc'] as const)
  .map((name) => ownCatFile(name).text)
  .concat(
    ['stdlib.cat', 'cross.cat', 'filters.cat'].map((name) => findCatFile(name, ownCatFile('sc'))!.text),
    `let rec f x = match x with || {} -> 0 || r ++ rs -> r | f rs end
   enum way = 'a || 'b let g w = match w with || 'a -> rf || _ -> co end
   procedure p(r, s) = empty r \\ s end call p(rf, f {rf, g 'b})
   with r from linearisations(W, co) acyclic r | po as order
   let (a, b) = (rf, try nothing with po) forall s in {a, b} do irreflexive s end
   if "mixed" && not "vmsa" include "cos.cat" else let fr = (rf^-1; co) \\ id end`,
  );

const pieces = originals
  .join(' ')
  .split(/(?<=\W)|(?=\W)/)
  .filter((piece) => piece.trim() !== '');

interface Mutation {
  readonly kind: 'delete' | 'insert' | 'replace' | 'swap' | 'truncate' | 'character';
  readonly at: number;
  readonly with: number;
}

const mutation: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.constantFrom('delete', 'insert', 'replace', 'swap', 'truncate', 'character'),
  at: fc.nat(),
  with: fc.nat(),
});

function mutated(text: string, { kind, at, with: other }: Mutation): string {
  const words = text.split(/(?<=\W)|(?=\W)/);
  const place = at % words.length;
  const piece = pieces[other % pieces.length]!;
  switch (kind) {
    case 'delete':
      return words.toSpliced(place, 1 + (other % 4)).join('');
    case 'insert':
      return words.toSpliced(place, 0, ` ${piece} `).join('');
    case 'replace':
      return words.toSpliced(place, 1, ` ${piece} `).join('');
    case 'swap':
      return [...words.slice(0, place), ...words.slice(place).reverse()].join('');
    case 'truncate':
      return words.slice(0, place).join('');
    case 'character':
      return words.toSpliced(place, 1, String.fromCharCode(other % 0x180)).join('');
  }
}

/** Done-when of the memory models: 2,000 malformed files; a third of them here, the rest are litmus tests. */
const files = 700;

it(`${files} mutated cat files give a judgement, or one sentence with file, line and column`, () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...originals),
      fc.array(mutation, { minLength: 1, maxLength: 3 }),
      (original, mutations) => {
        const text = mutations.reduce(mutated, original);
        try {
          const model = loadCat({ path: 'mutated.cat', text }, { findFile: findCatFile, variants: new Set(['mixed']) });
          model.violations(someExecution);
          model.flags(someExecution);
        } catch (error) {
          if (!(error instanceof UserError)) throw error;
          expect(error.message).toMatch(/^\S+\.cat:\d+:\d+: [^\n]+$/);
          expect(error.message.length).toBeLessThan(400);
        }
      },
    ),
    { numRuns: files, seed: 6 },
  );
}, 120_000);

it.each([
  ['nesting', `let x = ${'('.repeat(5000)}po${')'.repeat(5000)}`, /nested deeper than/],
  ['brackets', `let x = ${'['.repeat(500)}R${']'.repeat(500)}`, /nested deeper than/],
  ['negations', `let x = ${'~'.repeat(5000)}R`, /nested deeper than/],
  ['additions', `let x = ${'po ++ '.repeat(5000)}{}`, /nested deeper than/],
  ['recursion', 'let rec f x = f (x | x) empty f po', /calls are nested deeper than/],
  ['mutual recursion', 'let rec f x = g x and g x = f x empty f po', /calls are nested deeper than/],
  [
    'doubling calls',
    `let f0 x = x ${Array.from({ length: 30 }, (_, n) => `let f${n + 1} x = f${n} x | f${n} x`).join(' ')} empty f30 po`,
    /more than \d+ calls/,
  ],
  [
    'doubling sets',
    `let s0 = {rf} ${Array.from({ length: 30 }, (_, n) => `let s${n + 1} = s${n} ++ {s${n}}`).join(' ')} empty s30`,
    undefined,
  ],
  ['orders', 'empty linearisations(_, 0)', undefined],
  [
    'choices',
    Array.from({ length: 12 }, (_, n) => `with r${n} from {rf, po, co, addr, data} empty r${n} & id empty rf`).join(
      ' ',
    ),
    undefined,
  ],
  ['oscillation', 'let rec r = po \\ r empty r', /does not settle/],
  ['a long line', `let x = ${'po | '.repeat(100_000)}po`, undefined],
])('%s without end are bounded', (_, text, message) => {
  const judge = (): void => {
    const model = loadCat({ path: 'endless.cat', text }, { findFile: findCatFile });
    model.judge(someExecution);
  };
  if (message) expect(judge).toThrow(message);
  else
    try {
      judge();
    } catch (error) {
      expect(error).toBeInstanceOf(UserError);
    }
});
