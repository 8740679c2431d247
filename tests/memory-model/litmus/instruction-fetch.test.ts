// Threads that modify code, from the text of a test to its states: what fetches, cache maintenance and context synchronization order. The
// built-in model and the project's cat file, which sees every execution, have to say the same.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { registerNames } from '../../../src/arch/register-names.ts';
import { builtInModels } from '../../../src/explore/explore.ts';
import { type LitmusResult, runLitmus } from '../../../src/explore/litmus.ts';
import { parseLitmus } from '../../../src/memory-model/litmus/parse.ts';
import { litmusProgram } from '../../../src/memory-model/litmus/program.ts';
import { catModel, ownCatFile } from '../../../workers/cat-model.ts';

const both = (text: string): LitmusResult => {
  const litmus = litmusProgram(parseLitmus(`AArch64 a\n${text}`, 'a.litmus'), { names: registerNames });
  const builtIn = runLitmus(litmus, builtInModels.arm);
  const cat = runLitmus(litmus, catModel(ownCatFile('arm'), [], litmus.program));
  expect(cat.states).toEqual(builtIn.states);
  return builtIn;
};
const statesOf = (text: string): readonly string[] => both(text).states;

type CacheType = '' | 'IDC' | 'DIC';
const info = (caches: CacheType): string => (caches === '' ? '' : `CacheType=${caches}\n`);

/** A thread that changes a branch behind it to NOP; X9 tells whether the new instruction was executed. */
const selfModifying = (
  between: readonly string[],
  caches: CacheType = '',
): string => `${info(caches)}{ 0:X0=NOP; 0:X1=P0:L0; }
 P0 ;
 STR W0,[X1] ;
${between.map((line) => ` ${line} ;\n`).join('')} L0: B L1 ;
 MOV W9,#1 ;
 L1: ;
exists (0:X9=0)`;

const stale = '0:X9=0;';
const clean = 'DC CVAU,X1';
const invalidate = 'IC IVAU,X1';

describe('a thread that changes its own code', () => {
  const isStale = (between: readonly string[], caches?: CacheType): boolean =>
    statesOf(selfModifying(between, caches)).includes(stale);

  test('may execute the old instruction until caches are maintained and the context is synchronized', () => {
    expect(isStale([])).toBe(true);
    expect(isStale([clean, 'DSB ISH', invalidate, 'DSB ISH', 'ISB'])).toBe(false);
    expect(statesOf(selfModifying([clean, 'DSB ISH', invalidate, 'DSB ISH', 'ISB']))).toEqual(['0:X9=1;']);
  });

  test.each([
    ['the DC', ['DSB ISH', invalidate, 'DSB ISH', 'ISB']],
    ['the DSB behind the DC', [clean, invalidate, 'DSB ISH', 'ISB']],
    ['the IC', [clean, 'DSB ISH', 'ISB']],
    ['the DSB behind the IC', [clean, 'DSB ISH', invalidate, 'ISB']],
    ['the ISB', [clean, 'DSB ISH', invalidate, 'DSB ISH']],
  ] as const)('needs %s where no cache is coherent', (_, between) => {
    expect(isStale(between)).toBe(true);
  });

  test('a DMB is no DSB: it does not hold an IC back', () => {
    expect(isStale([clean, 'DMB ISH', invalidate, 'DSB ISH', 'ISB'])).toBe(true);
  });

  test('an IC that is for all of a cache is for every instruction', () => {
    for (const all of ['IC IALLU', 'IC IALLUIS'])
      expect(isStale([clean, 'DSB ISH', all, 'DSB ISH', 'ISB'])).toBe(false);
  });

  test('needs no DC where CTR_EL0.IDC is 1, and no IC where DIC is', () => {
    expect(isStale(['DSB ISH', invalidate, 'DSB ISH', 'ISB'], 'IDC')).toBe(false);
    expect(isStale(['DSB ISH', 'ISB'], 'IDC')).toBe(true);
    expect(isStale(['DSB ISH', 'ISB'], 'DIC')).toBe(false);
    expect(isStale(['DSB ISH'], 'DIC')).toBe(true);
  });

  test('other operations on the data cache clean nothing to where instructions are fetched from', () => {
    expect(isStale(['DC CVAC,X1', 'DSB ISH', invalidate, 'DSB ISH', 'ISB'])).toBe(true);
  });
});

/** Message passing: P0 writes an instruction of P1 and says so. */
const passing = (
  writer: readonly string[],
  reader: readonly string[],
  { caches = '', initial = '' }: { caches?: CacheType; initial?: string } = {},
): string => {
  const left = ['STR W0,[X1]', ...writer, 'MOV W2,#1', 'STR W2,[X3]'];
  const right = ['LDR W2,[X3]', ...reader, 'L0: B L1', 'MOV W9,#1', 'L1:'];
  const rows = Array.from(
    { length: Math.max(left.length, right.length) },
    (_, n) => ` ${left[n] ?? ''} | ${right[n] ?? ''} ;`,
  );
  return `${info(caches)}{ 0:X0=NOP; 0:X1=P1:L0; 0:X3=z; 1:X3=z; 1:X1=P1:L0; ${initial} }
 P0 | P1 ;
${rows.join('\n')}
exists (1:X2=1 /\\ 1:X9=0)`;
};

describe('an instruction that another thread has changed', () => {
  const maintained = [clean, 'DSB ISH', invalidate, 'DSB ISH'];
  const isMissed = (...of: Parameters<typeof passing>): boolean => both(passing(...of)).observation !== 'Never';

  test('is fetched where the writer maintains caches and the reader has synchronized its context', () => {
    expect(isMissed(maintained, ['CBNZ W2,C', 'C: ISB'])).toBe(false);
    expect(isMissed(maintained, ['DSB ISH', 'ISB'])).toBe(false);
    expect(isMissed(maintained, ['EOR W4,W2,W2', 'LDR W5,[X3,W4,SXTW]', 'ISB'])).toBe(false);
  });

  test('is missed without a context synchronization event, or with one that does not wait for the message', () => {
    expect(isMissed(maintained, ['CBNZ W2,C', 'C: DSB ISH'])).toBe(true);
    expect(isMissed(maintained, ['ISB'])).toBe(true);
  });

  test('is fetched where the reader maintains caches itself, by the address or behind the branch that the message picks', () => {
    const own = [clean, 'DSB ISH', invalidate, 'DSB ISH', 'ISB'];
    expect(isMissed(['DMB ST'], own)).toBe(true);
    expect(isMissed(['DMB ST'], ['EOR W4,W2,W2', 'ADD X1,X1,X4', ...own])).toBe(false);
    expect(isMissed(['DMB ST'], ['CBNZ W2,C', `C: ${own[0]!}`, ...own.slice(1)])).toBe(false);
    expect(isMissed(['DMB ST'], ['CMP W2,#1', 'CSEL X1,X1,X6,EQ', ...own], { initial: '1:X6=x;' })).toBe(false);
  });

  test('is seen in order by all who see it where instruction caches are coherent', () => {
    expect(isMissed(['DMB ST'], ['CBNZ W2,C', 'C: ISB'], { caches: 'DIC' })).toBe(false);
    expect(isMissed(['DMB ST'], ['CBNZ W2,C', 'C: ISB'], { caches: 'IDC' })).toBe(true);
    expect(isMissed([], ['CBNZ W2,C', 'C: ISB'], { caches: 'DIC' })).toBe(true);
  });

  test('may be seen as data and not as an instruction', () => {
    expect(isMissed(['DMB ISH'], ['CBNZ W2,C', 'C: ISB', 'LDR W7,[X1]'])).toBe(true);
    expect(
      statesOf(`{ 0:X0=P0:L0; 0:X2=NOP; }
 P0 ;
 STR W2,[X0] ;
 L0: B .+8 ;
 ADD W1,W1,#2 ;
 LDR W3,[X0] ;
exists (0:X3=NOP /\\ 0:X1=2)`),
    ).toEqual(['0:X1=0; 0:X3=NOP;', '0:X1=2; 0:X3=NOP;']);
  });
});

test('the example of the documentation needs each of its steps', () => {
  const path = join(import.meta.dirname, '../../../docs/litmus/JIT.litmus');
  const text = readFileSync(path, 'utf8').replace(/^AArch64.*/, '');
  expect(both(text).observation).toBe('Never');
  const steps = ['DC CVAU,X1 ', 'IC IVAU,X1 ', 'ISB         ', 'CBZ W2,L1   '];
  for (const step of steps) expect(both(text.replace(step, 'NOP'.padEnd(step.length))).observation).toBe('Sometimes');
  const [first, second] = [...text.matchAll(/DSB ISH/g)].map(({ index }) => index);
  for (const at of [first!, second!]) {
    expect(both(`${text.slice(0, at)}NOP    ${text.slice(at + 7)}`).observation).toBe('Sometimes');
  }
});

test('fetches are not ordered by program order: the new instruction may be followed by the old one', () => {
  expect(
    statesOf(`{ 0:X0=NOP; 0:X1=P1:L0; }
 P0          | P1        ;
 STR W0,[X1] | BL L0     ;
             | MOV W1,W9 ;
             | BL L0     ;
             | MOV W2,W9 ;
             | B END     ;
             | L0: B L1  ;
             | MOV W9,#1 ;
             | RET       ;
             | L1: MOV W9,#0 ;
             | RET       ;
             | END:      ;
exists (1:X1=1 /\\ 1:X2=0)`),
  ).toHaveLength(4);
});

test('fetches behind one that saw a later write are no older than cache maintenance before that write', () => {
  const newThenOld = (between: readonly string[]): string => {
    const left = ['STR W0,[X1]', ...between, 'STR W0,[X2]'];
    const right = ['m1: B Lout', 'MOV W8,#1', 'm2: B Lout', 'MOV W9,#1', 'Lout:'];
    const rows = Array.from({ length: 6 }, (_, n) => ` ${left[n] ?? ''} | ${right[n] ?? ''} ;`);
    return `{ 0:X0=NOP; 0:X1=P1:m2; 0:X2=P1:m1; }\n P0 | P1 ;\n${rows.join('\n')}\nexists (1:X8=1 /\\ 1:X9=0)`;
  };
  expect(both(newThenOld([clean, 'DSB ISH', invalidate, 'DSB ISH'])).observation).toBe('Never');
  expect(both(newThenOld([clean, 'DSB ISH'])).observation).toBe('Sometimes');
});

test('what is fetched is decoded: an instruction that no register was given', () => {
  expect(
    statesOf(`{ int t[2]={1,2}; 0:X1=P1:L0; 0:X3=P1:L1; 1:X2=t; }
 P0          | P1                 ;
 LDR W0,[X3] | MOV W1,#3          ;
 STR W0,[X1] | L0: STR W1,[X2,#4] ;
             | B L2               ;
             | L1: STR W1,[X2]    ;
             | L2:                ;
locations [t;]`),
  ).toEqual(['t={1,3};', 't={3,2};']);
});

test('the address of an instruction without a label is a number', () => {
  expect(
    statesOf(`{ }
 P0    | P1    ;
 NOP   | BL L0 ;
 BL L1 | NOP   ;
 NOP   | L0:   ;
 L1:   |       ;
exists (0:X30=100008 /\\ 1:X30=200004)`),
  ).toEqual(['0:X30=100008; 1:X30=200004;']);
});
