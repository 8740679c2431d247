import { describe, expect, it } from 'vitest';
import { findCatFile } from '../../workers/cat-model.ts';
import { loadCat, type CatOptions } from '../../src/memory-model/cat/model.ts';
import { execution, F, R, W } from './hand-made-executions.ts';

// 0 x, 1 y initially; thread 0: 2 W x 1, 3 DMB SY, 4 W y 1; thread 1: 5 R y 1, 6 R x 0, 7 W x 2.
const messagePassing = execution(
  [
    [W('x', 1), F('DMB.SY'), W('y', 1)],
    [R('y', 1), R('x', 0), W('x', 2)],
  ],
  { x: [2, 1] },
  {
    addr: [
      [
        [1, 0],
        [1, 1],
      ],
    ],
  },
);

const files: CatOptions['findFile'] = (name, includedBy) => {
  if (name === 'other.cat') return { path: name, text: 'let from-other = rf' };
  if (name === 'itself.cat') return { path: name, text: 'include "itself.cat"' };
  return findCatFile(name, includedBy);
};

const load = (text: string, variants: readonly string[] = []) =>
  loadCat({ path: 'test.cat', text }, { findFile: files, variants: new Set(variants) });

/** The pairs of a relation that a model defines as `result`. */
const pairs = (text: string, variants?: readonly string[]): string =>
  [...load(text, variants).relation(messagePassing, 'result')!.pairs()].map(([a, b]) => `${a}→${b}`).join(' ');

const value = (expression: string): string => pairs(`let result = ${expression}`);

const isAllowed = (text: string): boolean => load(text).judge(messagePassing).isAllowed;

describe('relations and sets of cat', () => {
  it.each([
    ['rf', '0→6 4→5'],
    ['rfe', '0→6 4→5'],
    ['[W]; po; [W]', '2→4'],
    ['po & (R * W)', '5→7 6→7'],
    ['po & (_ * F); po', '2→4'],
    ['fencerel(DMB.SY)', '2→4'],
    ['fromto(F)', '2→4'],
    ['rf^-1', '5→4 6→0'],
    ['rf^-1; co', '6→2 6→7'],
    ['co & ~(IW * _)', '7→2'],
    ['(addr; po)+', '5→7'],
    ['[R \\ domain(addr)]', '6→6'],
    ['[range(addr) & R]', '6→6'],
    ['id & (F * F)', '3→3'],
    ['co0 \\ (IW * W)', '7→2'],
    ['[FW]', '2→2 4→4'],
    ['po-loc & ext', ''],
    ['po-loc', '6→7'],
    ['addr? & (R * R)', '5→5 5→6 6→6'],
    ['addr* & (R * R)', '5→5 5→6 6→6'],
    ['0', ''],
    ['{}', ''],
    ['rf & _', '0→6 4→5'],
    ['_ & (W * R) & loc \\ (IW * _)', '2→6 4→5 7→6'],
    ['different-values((W * R) & loc & (IW * _))', '1→5'],
  ])('%s', (expression, expected) => {
    expect(value(expression)).toBe(expected);
  });

  it('has the fences of every architecture in fences.cat', () => {
    expect(pairs('include "fences.cat" let result = dmb.sy | mfence')).toBe('2→4');
  });

  it('binds "&" tighter than "\\", that tighter than ";", that tighter than "|"', () => {
    expect(value('addr | rf; po \\ po & (_ * W)')).toBe(value('addr | (rf; (po \\ (po & (_ * W))))'));
  });
});

describe('functions', () => {
  it('take one argument after the other, or a tuple', () => {
    expect(pairs('let f a b = [a]; po; [b] let result = f R W')).toBe('5→7 6→7');
    expect(pairs('let f(a, b) = [a]; po; [b] let result = f(R, W)')).toBe('5→7 6→7');
    expect(pairs('let result = let f = fun (a, b) -> [a]; po; [b] in f(R, W)')).toBe('5→7 6→7');
  });
  it('see the names of where they are defined', () => {
    expect(pairs('let r = rf let f x = r; x let r = co let result = f po')).toBe(value('rf; po'));
  });
  it('may call themselves over the members of a set', () => {
    expect(
      pairs('let rec join s = match s with || {} -> 0 || r ++ rs -> r | join rs end let result = join {rf, addr}'),
    ).toBe(value('rf | addr'));
    expect(
      pairs(
        'let rec join s = match s with || {} -> 0 || r ++ rs -> r | join rs end let result = join (map (fun r -> r^-1) {rf, addr})',
      ),
    ).toBe(value('(rf | addr)^-1'));
  });
  it('are bounded', () => {
    expect(() => load('let rec f x = f x empty f po')).toThrow(/^test.cat:1:15: calls are nested deeper than/);
  });
});

describe('definitions', () => {
  it('of relations by themselves are least fixed points', () => {
    expect(pairs('let rec result = addr | po; result')).toBe(value('po*; addr'));
    expect(pairs('let rec a = rf | b; b and b = po | a; a let result = a & (W * W)')).toBe(
      pairs('let rec b = po | a; a and a = rf | b; b let result = a & (W * W)'),
    );
  });
  it('by "x | x; x" are transitive closures', () => {
    expect(pairs('let rec result = rf | po | result; result')).toBe(value('(rf | po)+'));
  });
  it('that do not settle are refused', () => {
    expect(() => load('let rec r = ~r empty r').judge(messagePassing)).toThrow(/"let rec" does not settle/);
  });
  it('may bind a tuple', () => {
    expect(pairs('let (a, b) = (rf, po) let result = a; b')).toBe(value('rf; po'));
  });
});

describe('choices', () => {
  it('"if" asks for variants, and compares', () => {
    expect(pairs('let result = if "mixed" && not "vmsa" then rf else co', ['mixed'])).toBe(value('rf'));
    expect(pairs('let result = if "mixed" || "vmsa" then rf else addr')).toBe(value('addr'));
    expect(pairs('let result = if addr subset po then rf else addr')).toBe(value('rf'));
    expect(pairs('if "vmsa" let result = rf else let result = addr end')).toBe(value('addr'));
  });
  it('"try" takes the second expression where the first has an unknown name or a wrong type', () => {
    expect(pairs('let result = try nowhere with rf')).toBe(value('rf'));
    expect(pairs('let result = try (R; po) with rf')).toBe(value('rf'));
  });
  it('"match" on tags', () => {
    expect(
      pairs(
        "enum way = 'there || 'back let go w = match w with || 'there -> rf || 'back -> rf^-1 end let result = go 'back",
      ),
    ).toBe(value('rf^-1'));
  });
  it('"with co from" accepts the coherence order of the execution if it is among those', () => {
    const all = 'include "cross.cat" with co from generate_cos(co0)';
    expect(isAllowed(all)).toBe(true);
    expect(
      isAllowed(
        'include "cross.cat" with co from generate_cos(co0 | [W \\ FW]; ext & loc; [W \\ IW] | (FW * (W \\ IW)) & loc)',
      ),
    ).toBe(false);
  });
  it('"with" of another name allows what one member allows', () => {
    expect(isAllowed('with r from {rf, addr} empty r & addr')).toBe(true);
    expect(isAllowed('with r from {rf, addr} empty r')).toBe(false);
    expect(isAllowed('with r from {rf, addr} with s from {rf, addr} empty r & s empty r & addr')).toBe(true);
    expect(isAllowed('with r from {rf, addr} with s from {r} empty r & addr empty s & rf')).toBe(false);
  });
  it('linearisations extend a relation in every way', () => {
    const join = 'let rec join s = match s with || {} -> 0 || r ++ rs -> r | join rs end';
    // 2 before 4, and the fence 3 anywhere.
    expect(pairs(`${join} let result = join (linearisations(F | (W & domain(po)) | {}, po & (W * W)))`)).toBe(
      '2→3 3→2',
    );
    expect(isAllowed('empty linearisations(W, co | co^-1)')).toBe(true);
  });
});

describe('axioms', () => {
  it('are acyclic, irreflexive, empty, and what they negate', () => {
    expect(isAllowed('acyclic po | rf')).toBe(true);
    expect(isAllowed('acyclic po | rf | (rf^-1; co)')).toBe(false);
    expect(isAllowed('~acyclic po | rf | (rf^-1; co)')).toBe(true);
    expect(isAllowed('irreflexive po; rf')).toBe(true);
    expect(isAllowed('empty rf & po')).toBe(true);
    expect(isAllowed('~empty rf')).toBe(true);
  });
  it('have the names that "as" gives', () => {
    expect(load('empty rf as nothing-read').judge(messagePassing)).toMatchObject({
      axiom: 'nothing-read',
      cycle: [0, 6],
    });
  });
  it('stand in procedures and over all members', () => {
    expect(isAllowed('procedure within(a, b) = empty a \\ b end call within(addr, po)')).toBe(true);
    expect(isAllowed('procedure within(a, b) = empty a \\ b end call within(rf, po)')).toBe(false);
    expect(isAllowed('forall r in {rf, addr} do let s = r & po empty s \\ addr end')).toBe(true);
    expect(isAllowed('forall r in {rf, addr} do empty r & addr end')).toBe(false);
  });
  it('that are flags report and do not judge', () => {
    const model = load('flag ~empty rf as something-read flag ~empty rf & po as early');
    expect(model.judge(messagePassing).isAllowed).toBe(true);
    expect(model.flags(messagePassing)).toEqual(['something-read']);
  });
  it('that are assertions must hold', () => {
    expect(() => load('assert empty rf').judge(messagePassing)).toThrow(/^test.cat:1:1: the assertion does not hold/);
  });
});

describe('a file', () => {
  it('is named by its first words', () => {
    expect(load('"A model" let x = po').name).toBe('A model');
    expect(load('X86 TSO let x = po').name).toBe('X86 TSO');
    expect(load('catdep let x = po').name).toBe('test.cat');
  });
  it('includes another of its folder or of the library', () => {
    expect(pairs('include "other.cat" let result = from-other')).toBe(value('rf'));
    expect(pairs('include "cos.cat" let result = fr')).toBe(value('rf^-1; co'));
  });
  it('has comments that nest, and of one line', () => {
    expect(pairs('(* a (* b *) c *) let result = rf // rest\n# rest')).toBe(value('rf'));
  });
  it.each([
    ['let x = ', '1:9: expected an expression, found the end of the file'],
    ['let x = po &', '1:13: expected an expression, found the end of the file'],
    ['let x = rff', '1:9: nothing is called "rff"'],
    ['acyclic (po | rf', '1:17: expected ")" after an expression in parentheses, found the end of the file'],
    ['let x = po\n  let = y', '2:7: expected a name or "_", found "="'],
    ['(* open', '1:1: this comment is not closed'],
    ['include "nowhere.cat"', '1:1: cannot find the included file "nowhere.cat"'],
    ['include "itself.cat"', '"itself.cat" includes itself'],
    ['let x = R & po', '1:9: "&" between a set of events and a relation'],
    ['acyclic R', '1:9: expected a relation, found a set of events: "R"'],
    ['let x = po § rf', '1:12: cat has no sign "§"'],
    ['let x = "po', '1:9: this string is not closed on its line'],
    ['call nobody(po)', '1:1: no procedure is called "nobody"'],
    ['let f x = x empty f', '1:19: "empty" of a function'],
    ['empty po po', '1:7: expected a function, found a relation'],
    ["let x = 'tag", "1:9: no enumeration has the tag 'tag"],
    ['instructions R[{}]', '1:1: declarations of instructions belong to bell files, which are not supported'],
  ])('%s is refused in one sentence', (text, message) => {
    expect(() => {
      const model = load(text);
      model.judge(messagePassing);
      model.relation(messagePassing, 'x');
    }).toThrow(message);
  });
});
