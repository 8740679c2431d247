// What --fix proposes for the classic shapes.

import { describe, expect, it } from 'vitest';
import { builtInModels } from '../../src/explore/explore.ts';
import { changeSentence, findRepair, type Code } from '../../src/memory-model/explain/fix.ts';
import { statesOf } from '../explore/programs.ts';

const { arm } = builtInModels;

const codeOf = (threads: readonly string[]): Code =>
  threads.map((thread) => thread.split(';').map((text) => ({ isInstruction: true, text: text.trim() })));

function repairOf(threads: readonly string[], observed: readonly string[], bad: string) {
  const code = codeOf(threads);
  const isForbidden = (candidate: Code): boolean => {
    const source = {
      threads: candidate.map((lines) => lines.map(({ text }) => text).join('; ')),
      variables: { x: 0, y: 0 },
      observed,
    };
    return !statesOf(source, arm).includes(bad);
  };
  const repair = findRepair(code, { architecture: 'AArch64', isForbidden });
  return {
    repair,
    sentences: repair.kind === 'repaired' ? repair.changes.map((change) => changeSentence(change, code)) : [],
    isForbidden,
  };
}

describe('the weakest repair', () => {
  it('of message passing is a store-release and a load-acquire with RCpc', () => {
    const { repair, sentences, isForbidden } = repairOf(
      ['mov w9, #1; str w9, [x20]; str w9, [x21]', 'ldr w0, [x21]; ldr w1, [x20]'],
      ['1:X0', '1:X1'],
      '1 0',
    );
    expect(sentences).toEqual([
      'P0: "STLR w9, [x21]" in place of "str w9, [x21]"',
      'P1: "LDAPR w0, [x21]" in place of "ldr w0, [x21]"',
    ]);
    expect(repair.kind === 'repaired' && isForbidden(repair.code)).toBe(true);
  });
  it('of store buffering is a store-release before a load-acquire on each side, which LDAPR does not give', () => {
    const { sentences } = repairOf(
      ['mov w9, #1; str w9, [x20]; ldr w0, [x21]', 'mov w9, #1; str w9, [x21]; ldr w0, [x20]'],
      ['0:X0', '1:X0'],
      '0 0',
    );
    expect(sentences.filter((text) => text.includes('STLR'))).toHaveLength(2);
    expect(sentences.filter((text) => text.includes('LDAR'))).toHaveLength(2);
  });
  it('of a reader whose address depends is the release alone', () => {
    const { sentences } = repairOf(
      ['mov w9, #1; str w9, [x20]; str w9, [x21]', 'ldr w0, [x21, #0]; eor w10, w0, w0; ldr w1, [x20, w10, sxtw]'],
      ['1:X0', '1:X1'],
      '1 0',
    );
    expect(sentences).toEqual(['P0: "STLR w9, [x21]" in place of "str w9, [x21]"']);
  });
  it('does not exist for an outcome that sequential consistency allows', () => {
    const { repair } = repairOf(
      ['mov w9, #1; str w9, [x20]; str w9, [x21]', 'ldr w0, [x21]; ldr w1, [x20]'],
      ['1:X0', '1:X1'],
      '1 1',
    );
    expect(repair).toEqual({ kind: 'none', explored: 1 });
  });
});
