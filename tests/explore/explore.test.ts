// The explorer on the classic families: which final states each built-in model allows.

import { describe, expect, it } from 'vitest';
import { builtInModels, explore } from '../../src/explore/explore.ts';
import { programOf, type Source, statesOf } from './programs.ts';
import { runLitmus } from '../../src/explore/litmus.ts';
import { parseLitmus } from '../../src/memory-model/litmus/parse.ts';
import { litmusProgram } from '../../src/memory-model/litmus/program.ts';

const { arm, tso, sc } = builtInModels;

const store = (variable: number, value = 1): string => `mov w9, #${value}; str w9, [x${20 + variable}]`;

const storeBuffering = (fence = 'nop'): Source => ({
  threads: [`${store(0)}; ${fence}; ldr w0, [x21]`, `${store(1)}; ${fence}; ldr w0, [x20]`],
  variables: { x: 0, y: 0 },
  observed: ['0:X0', '1:X0'],
});
const messagePassing = (writer = 'nop', reader = 'nop'): Source => ({
  threads: [`${store(0)}; ${writer}; ${store(1)}`, `ldr w0, [x21]; ${reader}; ldr w1, [x20]`],
  variables: { x: 0, y: 0 },
  observed: ['1:X0', '1:X1'],
});
const loadBuffering = (between: string): Source => ({
  threads: [`ldr w0, [x20]; ${between}; str w1, [x21]`, `ldr w0, [x21]; ${between}; str w1, [x20]`],
  variables: { x: 0, y: 0 },
  observed: ['0:X0', '1:X0'],
});

describe('the explorer', () => {
  it('lets a write pass a read under TSO, and nothing under SC', () => {
    expect(statesOf(storeBuffering(), sc)).toEqual(['0 1', '1 0', '1 1']);
    expect(statesOf(storeBuffering(), tso)).toEqual(['0 0', '0 1', '1 0', '1 1']);
    expect(statesOf(storeBuffering('dmb sy'), tso)).toEqual(['0 1', '1 0', '1 1']);
    expect(statesOf(storeBuffering('dmb sy'), arm)).toEqual(['0 1', '1 0', '1 1']);
    expect(statesOf(storeBuffering('dmb ld'), arm)).toHaveLength(4);
  });

  it('keeps messages in order under TSO, and under Armv8 where barriers or dependencies on both sides ask for it', () => {
    const inOrder = ['0 0', '0 1', '1 1'];
    expect(statesOf(messagePassing(), tso)).toEqual(inOrder);
    expect(statesOf(messagePassing(), arm)).toHaveLength(4);
    expect(statesOf(messagePassing('dmb st'), arm)).toHaveLength(4);
    expect(statesOf(messagePassing('dmb st', 'dmb ld'), arm)).toEqual(inOrder);
    expect(statesOf(messagePassing('dmb st', 'cbnz w0, l; l: isb'), arm)).toEqual(inOrder);
    expect(statesOf(messagePassing('dmb st', 'cbnz w0, l; l: nop'), arm)).toHaveLength(4);
  });

  it('finds load buffering, in which each thread reads what comes later, and no values out of thin air', () => {
    expect(statesOf(loadBuffering('mov w1, #1'), arm)).toEqual(['0 0', '0 1', '1 0', '1 1']);
    expect(statesOf(loadBuffering('mov w1, #1'), tso)).toEqual(['0 0', '0 1', '1 0']);
    expect(statesOf(loadBuffering('mov w1, w0'), arm)).toEqual(['0 0']);
    expect(statesOf(loadBuffering('cbnz w0, l; l: mov w1, #1'), arm)).toEqual(['0 0', '0 1', '1 0']);
  });

  it('lets what follows a compare and swap depend on its register or on memory, but on one of them', () => {
    // The flag is y or z; both hold 1 when the compare and swap of z succeeds, and what it gives leads to x.
    const throughCas = (flag: number, use: string): Source => ({
      threads: [
        `${store(0)}; dmb st; ${store(flag)}`,
        `ldr w0, [x21]; mov w1, w0; mov w9, #2; cas w1, w9, [x22]; ${use}`,
      ],
      variables: { x: 0, y: flag === 1 ? 0 : 1, z: flag === 2 ? 0 : 1 },
      observed: ['1:X0', '1:X1', '1:X3'],
    });
    const address = 'eor w10, w1, w1; ldr w3, [x20, w10, sxtw]';
    const isBroken = (source: Source): boolean => statesOf(source, arm).includes('1 1 0');
    expect(isBroken(throughCas(1, address))).toBe(true);
    expect(isBroken(throughCas(2, address))).toBe(true);
    // An acquire of the one read leaves the choice, but not its consequence.
    const acquire = ({ threads, ...rest }: Source, from: string, to: string): Source => ({
      ...rest,
      threads: threads.map((text) => text.replace(from, to)),
    });
    expect(isBroken(acquire(throughCas(1, address), 'ldr w0', 'ldar w0'))).toBe(false);
    expect(isBroken(acquire(throughCas(2, address), 'cas ', 'casa '))).toBe(false);
  });

  it('tells the last write of coherence order, and only what it can be', () => {
    const twoWrites: Source = {
      threads: [`${store(0, 1)}; ${store(0, 2)}`, store(0, 3)],
      variables: { x: 0 },
      observed: ['x'],
    };
    expect(statesOf(twoWrites, arm)).toEqual(['2', '3']);
  });

  it('makes increments by exclusives and by atomics that do not get lost', () => {
    const exclusives = 'retry: ldxr w0, [x20]; add w1, w0, #1; stxr w2, w1, [x20]; cbnz w2, retry';
    const atomic = 'mov w9, #1; ldadd w9, w0, [x20]';
    const compareAndSwap =
      'retry: ldr w0, [x20]; add w1, w0, #1; mov w2, w0; cas w2, w1, [x20]; cmp w2, w0; b.ne retry';
    for (const threads of [
      [exclusives, exclusives],
      [exclusives, atomic, atomic],
      [compareAndSwap, atomic],
    ]) {
      const source: Source = { threads, variables: { x: 5 }, observed: ['x'] };
      expect(statesOf(source, arm)).toEqual([(5 + threads.length).toString(16)]);
    }
  });

  it('lets a store-exclusive fail for no reason', () => {
    const source: Source = {
      threads: ['ldxr w0, [x20]; mov w1, #1; stxr w2, w1, [x20]'],
      variables: { x: 0 },
      observed: ['0:X2', 'x'],
    };
    expect(statesOf(source, arm)).toEqual(['0 1', '1 0']);
  });

  it.each([
    {
      what: 'a read behind a compare and swap in an earlier place of the search',
      source: {
        threads: [
          'ldr w0, [x20]; mov w1, w0; mov w9, #2; cas w1, w9, [x21]',
          'mov w0, #0; mov w9, #5; cas w0, w9, [x21]; mov w11, #6; cmp w0, #1; csel w12, w11, w11, eq; str w12, [x20]',
        ],
        variables: { x: 0, y: 0 },
        observed: ['0:X0', '0:X1', '1:X0', 'y'],
      },
      states: ['0 0 2 2', '0 5 0 5', '6 0 0 5', '6 5 0 5'],
    },
    {
      what: 'load buffering through the other outcome of a compare and swap',
      source: {
        threads: [
          'ldr w0, [x20]; cbz w0, l; mov w9, #1; str w9, [x21]; l: nop',
          'mov w1, #0; mov w9, #2; cas w1, w9, [x21]; mov w9, #1; str w9, [x20]',
        ],
        variables: { x: 0, y: 0 },
        observed: ['0:X0', '1:X1', 'y'],
      },
      states: ['0 0 2', '1 0 1', '1 1 1'],
    },
  ])('finds $what', ({ source, states }) => {
    expect(statesOf(source, arm)).toEqual(states);
  });

  it('leaves out the idle iterations of loops that wait, and says so of no bound', () => {
    const spin: Source = {
      threads: [`${store(0, 7)}; dmb st; ${store(1)}`, 'wait: ldr w0, [x21]; cbz w0, wait; dmb ld; ldr w1, [x20]'],
      variables: { x: 0, y: 0 },
      observed: ['1:X1'],
    };
    expect(statesOf(spin, arm)).toEqual(['7']);
    const { hasBound, executions } = explore(programOf(spin), arm);
    expect(hasBound).toBe(false);
    expect(executions).toBeLessThan(4);
  });

  it('cuts a loop whose iterations differ at its bound, and says so', () => {
    const source: Source = {
      threads: ['loop: add w1, w1, #1; ldr w0, [x20]; cbz w0, loop'],
      variables: { x: 0 },
      observed: ['0:X1'],
    };
    expect(explore(programOf(source), arm)).toMatchObject({ outcomes: [], hasBound: true });
  });

  it('follows a loop that decides by known values to its end', () => {
    const source: Source = {
      threads: ['mov w0, #9; loop: sub w0, w0, #1; str w0, [x20]; cbnz w0, loop'],
      variables: { x: 0 },
      observed: ['x'],
    };
    expect(statesOf(source, arm)).toEqual(['0']);
  });

  it('cuts a thread that stores for ever, which decides nothing, and says so', () => {
    const source: Source = {
      threads: ['mov w0, #1; str w0, [x20]', 'mov w0, #2; loop: str w0, [x20]; b loop'],
      variables: { x: 0 },
      observed: ['x'],
    };
    expect(explore(programOf(source), arm)).toMatchObject({ outcomes: [], hasBound: true });
  });

  it('stops when it is told to, with what it has', () => {
    const source: Source = {
      threads: Array.from({ length: 4 }, (_, n) => `${store(0, n + 1)}; ldr w0, [x20]; ldr w1, [x20]; ldr w2, [x20]`),
      variables: { x: 0 },
      observed: ['0:X0', '1:X1', '2:X2', 'x'],
    };
    const stopped = explore(programOf(source), arm, { shouldStop: () => true });
    expect(stopped.isComplete).toBe(false);
    const all = explore(programOf(source), arm);
    expect(all.isComplete).toBe(true);
    expect(stopped.outcomes.length).toBeLessThan(all.outcomes.length);
  });

  it('reads a doubleword in one piece, and from two words in two', () => {
    const source: Source = {
      threads: [`mov x9, #-1; str x9, [x20]`, 'ldr x0, [x20]', 'ldr w1, [x20]; ldr w2, [x20, #4]'],
      variables: { x: 0 },
      observed: ['1:X0', '2:X1', '2:X2'],
      bytes: 8,
    };
    const ones = 'ffffffff';
    const expected = ['0', ones + ones].flatMap((whole) =>
      ['0', ones].flatMap((low) => ['0', ones].map((high) => `${whole} ${low} ${high}`)),
    );
    expect(statesOf(source, arm)).toEqual(expected.sort());
  });

  it('gives with each state an execution in which it comes about', () => {
    const { outcomes } = explore(programOf(messagePassing('dmb st', 'dmb ld')), arm, { witnesses: true });
    for (const { state, witness } of outcomes) {
      const reads = witness!.events.filter(({ kind }) => kind === 'R');
      expect(reads.map(({ value }) => value)).toEqual(state);
      expect([...witness!.relations.rf.pairs()]).toHaveLength(2);
      expect(witness!.events.filter(({ kind }) => kind === 'F').map(({ annotations }) => [...annotations])).toEqual([
        ['DMB.ST'],
        ['DMB.LD'],
      ]);
    }
  });
});

it('a store that others see in parts happens as a whole, also where it comes after a read that it is ordered after', () => {
  const text = `AArch64 parts
{ uint64_t x; 0:X0=x; 0:X2=y; 1:X0=y; 1:X3=x; 2:X0=x; }
P0             | P1           | P2              ;
LDR W1,[X0,#4] | LDR W1,[X0]  | MOV W1,#2       ;
CBNZ W1,E0     | CBNZ W1,E1   | STRB W1,[X0,#5] ;
E0: MOV W3,#1  | E1:          |                 ;
STR W3,[X2]    | MOV W4,#-1   |                 ;
               | STR W4,[X3,#4] |               ;
locations [0:X1;]`;
  const { states } = runLitmus(litmusProgram(parseLitmus(text, 'parts.litmus')), builtInModels.arm);
  expect(states).toEqual(['0:X1=0;', '0:X1=512;', '0:X1=-64769;', '0:X1=-1;']);
});
