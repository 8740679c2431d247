// What --explain and --graph tell of threads that modify code.

import { expect, test } from 'vitest';
import { registerNames } from '../../../src/arch/register-names.ts';
import { builtInModels } from '../../../src/explore/explore.ts';
import { answerQuestions, type LitmusReplies } from '../../../src/explore/litmus-questions.ts';
import { parseLitmus } from '../../../src/memory-model/litmus/parse.ts';
import { litmusProgram } from '../../../src/memory-model/litmus/program.ts';
import { catModel, ownCatFile } from '../../../workers/cat-model.ts';

function ask(text: string): LitmusReplies {
  const remake = (litmus: ReturnType<typeof parseLitmus>) => litmusProgram(litmus, { names: registerNames });
  const litmus = remake(parseLitmus(`AArch64 a\n${text}`, 'a.litmus'));
  const models = {
    model: catModel(ownCatFile('arm'), [], litmus.program),
    sequentialConsistency: catModel(ownCatFile('sc'), [], litmus.program),
  };
  const asked = { test: litmus, remake, decides: () => builtInModels.arm, models, shouldStop: () => false };
  return answerQuestions(asked, { explain: true, picture: 'dot' });
}

const passing = (writer: readonly string[]): string => `{ 0:X0=NOP; 0:X1=P1:L0; 0:X3=z; 1:X3=z; }
 P0 | P1 ;
 STR W0,[X1] | LDR W2,[X3] ;
${writer.map((line) => ` ${line} | ;\n`).join('')} MOV W2,#1 | CBNZ W2,C ;
 STR W2,[X3] | C: ISB ;
 | L0: B L1 ;
 | MOV W9,#1 ;
 | L1: ;
exists (1:X2=1 /\\ 1:X9=0)`;

test('a stale instruction is forbidden in both orders of the IC and the fetch', () => {
  const { explanation, picture } = ask(passing(['DC CVAU,X1', 'DSB ISH', 'IC IVAU,X1', 'DSB ISH']));
  expect(explanation!.slice(2, 5)).toEqual([
    '  P0: a: W[P1:L0]=NOP; b: DC CVAU P1:L0; DSB ISH; c: IC IVAU P1:L0; DSB ISH; d: W[z]=1',
    '  P1: e: R[z]=1; ISB; f: F[P1:L0]=B .+8',
    'Forbidden by Armv8 AArch64 because (external: these would have to be ordered before themselves)',
  ]);
  expect(explanation!.slice(5).toSorted()).toEqual([
    '  b is before c: DSB ISH stands between b and c, and orders everything before it with everything after it',
    '  c is before b: f, which comes after c, does not fetch what b has cleaned',
    '  c is before d: DSB ISH stands between c and d, and orders everything before it with everything after it',
    '  d is before e: e reads what d wrote',
    '  e is before f: f is behind an ISB, and the branch before it depends on what e read',
    '  f is before c: f takes effect before c in this order',
    'or, where that takes effect in another order:',
  ]);
  expect(picture).toContain('f: F[P1:L0]=B .+8');
});

test('a stale instruction is allowed where nothing maintains caches, and the explanation says what sequential consistency forbids', () => {
  const { explanation } = ask(passing(['DSB ISH']));
  expect(explanation![1]).toBe('Allowed by Armv8 AArch64. An execution that gives it:');
  expect(explanation!.join('\n')).toContain('d is before a: d read P1:L0 before a overwrote it');
});
