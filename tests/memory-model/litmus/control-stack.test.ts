// Guarded Control Stacks (FEAT_GCS) in litmus tests: what calls, returns and the GCS instructions push, pop and check. A thread may find on
// its stack what was there before it pushed, so that a check may fail that would hold in order.

import { expect, test } from 'vitest';
import { registerNames } from '../../../src/arch/register-names.ts';
import { builtInModels } from '../../../src/explore/explore.ts';
import { runLitmus } from '../../../src/explore/litmus.ts';
import { parseLitmus } from '../../../src/memory-model/litmus/parse.ts';
import { litmusProgram } from '../../../src/memory-model/litmus/program.ts';
import { catModel, ownCatFile } from '../../../workers/cat-model.ts';

function statesOf(initial: string, lines: readonly string[], ending: string): readonly string[] {
  const text = `AArch64 a\nvariant=shadowstack\n{ ${initial} }\n P0 ;\n${lines.map((line) => ` ${line} ;\n`).join('')}${ending}`;
  const litmus = litmusProgram(parseLitmus(text, 'a.litmus'), { names: registerNames });
  const { states } = runLitmus(litmus, builtInModels.arm);
  expect(runLitmus(litmus, catModel(ownCatFile('arm'), [], litmus.program)).states).toEqual(states);
  return states;
}

test('GCSPUSHM pushes, and GCSPOPM pops what was pushed or what was there before', () => {
  expect(
    statesOf('SS(x,1); 0:GCSPR_EL1=&x[1]; 0:X0=8;', ['GCSPUSHM X0', 'GCSPOPM X1'], 'locations [0:X1; x[0];]'),
  ).toEqual(['0:X1=0; x[0]=8;', '0:X1=8; x[0]=8;']);
});

test('GCSPOPM checks that an entry is aligned as code is', () => {
  const pop = (entry: number): readonly string[] =>
    statesOf(
      `SS(x,1) = ssval_t: {${entry}}; 0:GCSPR_EL1=&x[0];`,
      ['L0: GCSPOPM X1'],
      'locations [0:X1; fault(P0:L0,GCS:POPM);]',
    );
  expect(pop(4)).toEqual(['0:X1=4;  ~Fault(P0:L0,GCS:POPM);']);
  expect(pop(6)).toEqual(['0:X1=0; Fault(P0:L0,GCS:POPM);']);
});

test('a return goes to where the stack says, or it is a GCS exception', () => {
  const call = (link: readonly string[]): readonly string[] =>
    statesOf(
      'SS(x,1); 0:GCSPR_EL1=&x[1];',
      ['BL F', 'B E', 'F: MOV W0,#1', ...link, 'R: RET', 'E:'],
      'locations [0:X0; fault(P0:R,GCS:PRET);]',
    );
  expect(call([])).toEqual(['0:X0=1;  ~Fault(P0:R,GCS:PRET);', '0:X0=1; Fault(P0:R,GCS:PRET);']);
  expect(call(['ADR X30,E'])).toEqual(['0:X0=1; Fault(P0:R,GCS:PRET);']);
});

test('GCSSS1 and GCSSS2 switch to a stack whose token is valid, and leave one on the other', () => {
  const initial = 'SS(x,1); SS(y,1) = ssval_t: {y+1}; 0:GCSPR_EL1=&x[1]; 0:X0=y;';
  const states = statesOf(initial, ['L0: GCSSS1 X0', 'L1: GCSSS2 X1'], 'locations [0:X1; x[0]; fault(P0,GCS:SS2);]');
  expect(states).toHaveLength(2);
  // The token that GCSSS1 leaves on the new stack names the old one: GCSSS2 finds it, or what was there before.
  expect(states.some((state) => state.includes('0:X1=x;') && state.includes('~Fault'))).toBe(true);
  expect(states.some((state) => state.includes('Fault(P0:L1,GCS:SS2)'))).toBe(true);
  expect(
    statesOf('SS(x,1); SS(y,1); 0:GCSPR_EL1=&x[1]; 0:X0=y;', ['L0: GCSSS1 X0'], 'forall fault(P0:L0,GCS:SS1)'),
  ).toEqual([' Fault(P0:L0,GCS:SS1);']);
});
