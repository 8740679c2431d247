// What --explain says of the classic outcomes, and what --graph draws.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findCatFile, ownCatFile } from '../../workers/cat-model.ts';
import { builtInModels } from '../../src/explore/explore.ts';
import { explainOutcome } from '../../src/explore/explanation.ts';
import { loadCat } from '../../src/memory-model/cat/model.ts';
import { layOut } from '../../src/memory-model/picture/layout.ts';
import { pictureOf } from '../../src/memory-model/picture/picture.ts';
import { dotOf } from '../../src/memory-model/picture/dot.ts';
import { svgOf } from '../../src/memory-model/picture/svg.ts';
import { programOf, type Source, statesOf } from '../explore/programs.ts';
import { randomProgram } from './random-programs.ts';

const load = (name: 'arm' | 'tso' | 'sc') => loadCat(ownCatFile(name), { findFile: findCatFile });
const cats = { arm: load('arm'), tso: load('tso'), sc: load('sc') };

/** The explanation of one final state, given as statesOf spells it. */
function explain(source: Source, state: string, name: 'arm' | 'tso' | 'sc' = 'arm') {
  const explanation = explainOutcome({
    program: programOf(source),
    wanted: (values) => values.map((value) => value.toString(16)).join(' ') === state,
    decides: builtInModels[name],
    models: { model: cats[name], sequentialConsistency: cats.sc },
  });
  expect(explanation).toBeDefined();
  return explanation!;
}

const messagePassing = (writer: string, reader: string): Source => ({
  threads: [`mov w9, #1; str w9, [x20]; ${writer}; str w9, [x21]`, `ldr w0, [x21]; ${reader}; ldr w1, [x20]`],
  variables: { x: 0, y: 0 },
  observed: ['1:X0', '1:X1'],
});
const storeBuffering = (between: string): Source => ({
  threads: [
    `mov w9, #1; str w9, [x20]; ${between}; ldr w0, [x21]`,
    `mov w9, #1; str w9, [x21]; ${between}; ldr w0, [x20]`,
  ],
  variables: { x: 0, y: 0 },
  observed: ['0:X0', '1:X0'],
});

describe('a forbidden outcome', () => {
  it('is told by the barrier and the dependency that forbid it', () => {
    const { isAllowed, sentences } = explain(messagePassing('dmb st', 'and w9, w0, wzr; add x20, x20, x9'), '1 0');
    expect(isAllowed).toBe(false);
    expect(sentences.slice(0, 4)).toEqual([
      'One execution would give it, forbidden for one reason.',
      '  P0: a: W[x]=1; DMB ST; b: W[y]=1',
      '  P1: c: R[y]=1; d: R[x]=0',
      'Forbidden by Armv8 AArch64 because (external: these would have to be ordered before themselves)',
    ]);
    expect(sentences.slice(4).toSorted()).toEqual([
      '  a is before b: DMB ST stands between a and b, and orders stores before it with stores after it',
      '  b is before c: c reads what b wrote',
      '  c is before d: the address of d depends on what c read',
      '  d is before a: d read x before a overwrote it',
    ]);
  });
  it('names MFENCE under TSO', () => {
    const { sentences } = explain(storeBuffering('dmb sy'), '0 0', 'tso');
    expect(sentences.join('\n')).toContain('DMB SY between a and b waits until the store buffer is empty');
  });
  it('names acquire and release', () => {
    const { sentences } = explain(
      {
        threads: ['mov w9, #1; str w9, [x20]; stlr w9, [x21]', 'ldar w0, [x21]; ldr w1, [x20]'],
        variables: { x: 0, y: 0 },
        observed: ['1:X0', '1:X1'],
      },
      '1 0',
    );
    expect(sentences.join('\n')).toContain('a is before b: b is a store-release, and a precedes it');
    expect(sentences.join('\n')).toContain('c is before d: c is a load-acquire, and d follows it');
  });
  it('names the own location that every model keeps', () => {
    const twice: Source = {
      threads: ['mov w9, #1; str w9, [x20]; ldr w0, [x20]'],
      variables: { x: 0 },
      observed: ['0:X0'],
    };
    expect(explain(twice, '0').sentences[0]).toMatch(/^Forbidden by every model/);
  });
});

describe('values out of thin air', () => {
  it('are in no execution, whatever a cat model allows', () => {
    const ring: Source = {
      threads: ['ldr w0, [x20]; str w0, [x21]', 'ldr w0, [x21]; str w0, [x20]'],
      variables: { x: 0, y: 0 },
      observed: ['0:X0', '1:X0', 'x', 'y'],
    };
    const everything = loadCat({ path: 'everything.cat', text: 'empty 0' }, { findFile: findCatFile });
    expect(statesOf(ring, everything)).toEqual(['0 0 0 0']);
  });
});

describe('an allowed outcome', () => {
  it('is told as turns that the threads take where there are any', () => {
    expect(explain(messagePassing('nop', 'nop'), '1 1').sentences.at(-1)).toBe('The threads take turns: a, b, c, d.');
  });
  it('is told by what the model leaves open where there are none', () => {
    const { isAllowed, sentences } = explain(storeBuffering('nop'), '0 0');
    expect(isAllowed).toBe(true);
    expect(sentences).toContain(
      'But nothing keeps a before b: a store followed by a load to another location may take effect in either order.',
    );
  });
});

describe('the picture of an execution', () => {
  const overlaps = (a: { x: number; y: number; width: number; height: number }, b: typeof a): boolean =>
    Math.abs(a.x - b.x) < (a.width + b.width) / 2 && Math.abs(a.y - b.y) < (a.height + b.height) / 2;

  it('has every event once, in its column, and no box over another; SVG and dot agree on what is drawn', () => {
    fc.assert(
      fc.property(randomProgram, (source) => {
        const program = programOf(source);
        const { shown } = explainOutcome({
          program,
          wanted: () => true,
          decides: builtInModels.arm,
          models: { model: cats.arm, sequentialConsistency: cats.sc },
        })!;
        const picture = pictureOf(shown!.telling, {
          title: 'a <test> & "more"',
          threads: program.threads.map(({ name }) => name),
          cycle: shown!.cycle,
          caption: shown!.caption,
        });
        const { boxes, arrows, width, height } = layOut(picture);
        const events = shown!.telling.execution.events.filter(({ thread }) => thread >= 0);
        expect(boxes.filter(({ kind }) => kind !== 'initial').map(({ id }) => id)).toEqual(events.map(({ id }) => id));
        for (const box of boxes) {
          expect(boxes.filter((other) => other !== box && overlaps(box, other))).toEqual([]);
          expect(box.x - box.width / 2).toBeGreaterThanOrEqual(0);
          expect(box.x + box.width / 2).toBeLessThanOrEqual(width);
          expect(box.y + box.height / 2).toBeLessThanOrEqual(height);
        }
        expect(arrows).toHaveLength(picture.edges.length);
        const svg = svgOf(picture);
        expect(svg).not.toMatch(
          /<(?!\/?(?:svg|title|defs|marker|path|rect|text)\b)|&(?!amp;|lt;|gt;|quot;)|NaN|undefined/,
        );
        expect(dotOf(picture).match(/ -> /g) ?? []).toHaveLength(picture.edges.length);
      }),
      { numRuns: 40, seed: 7 },
    );
  });

  it('highlights the cycle', () => {
    const { shown } = explain(messagePassing('dmb st', 'dmb ld'), '1 0');
    const picture = pictureOf(shown!.telling, { title: 'MP', threads: ['P0', 'P1'], cycle: shown!.cycle, caption: [] });
    expect(picture.edges.filter(({ isInCycle }) => isInCycle).map(({ label }) => label)).toEqual(
      expect.arrayContaining(['DMB ST', 'rf', 'DMB LD', 'fr']),
    );
  });
});
