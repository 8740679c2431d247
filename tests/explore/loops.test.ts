// Loops that only wait: which iterations are left out of executions, and which are not.

import { describe, expect, test } from 'vitest';
import { builtInModels, explore } from '../../src/explore/explore.ts';
import { runLitmus } from '../../src/explore/litmus.ts';
import { assemble } from '../../src/isa/assembler.ts';
import { makeCode } from '../../src/memory-model/aarch64-thread.ts';
import { parseLitmus } from '../../src/memory-model/litmus/parse.ts';
import { type LitmusProgram, litmusProgram } from '../../src/memory-model/litmus/program.ts';
import { liveRegisters } from '../../src/memory-model/register-liveness.ts';
import { run } from './concurrency/example.ts';
import { examples } from './concurrency/examples.ts';

const programOf = (text: string): LitmusProgram => litmusProgram(parseLitmus(`AArch64 loop\n${text}`, 'loop.litmus'));

test.each([
  ['spin lock, 2 threads', 2],
  ['spin lock, 3 threads', 6],
  ['ticket lock, 2 threads', 2],
  ['ticket lock, 3 threads', 6],
  ['ticket lock, 4 threads', 24],
])('a %s has an execution for each order of its holders', (name, orders) => {
  const { executions } = run(
    examples.find((example) => example.name === name)!,
    builtInModels.arm,
  );
  expect(executions).toBe(orders);
});

describe('an iteration that changes a register only', () => {
  const counting = (ending: string): LitmusProgram =>
    programOf(
      `{ 0:X0=x; 1:X0=x; }\nP0 | P1;\nMOV W1,#1 | L: ADD W2,W2,#1;\nSTR W1,[X0] | LDR W1,[X0];\n | CBZ W1,L;\n${ending}`,
    );
  test('is left out where nothing looks at the register', () => {
    const { executions, hasBound } = explore(counting('exists 1:X1=1').program, builtInModels.arm);
    expect([executions, hasBound]).toEqual([1, false]);
  });
  test('is none to leave out where the end does', () => {
    const { states, hasBound } = runLitmus(counting('exists 1:X2=2'), builtInModels.arm);
    expect(states).toEqual(['1:X2=1;', '1:X2=2;', '1:X2=3;']);
    expect(hasBound).toBe(true);
  });
});

test('an iteration that ends with a load-exclusive, whose store is behind the loop, is not left out', () => {
  const text = `{ 0:X0=x; 0:X1=y; 1:X1=y; }
P0             | P1          ;
L: LDR W2,[X1] | MOV W2,#1   ;
CBNZ W2,E      | STR W2,[X1] ;
LDXR W3,[X0]   |             ;
B L            |             ;
E: MOV W4,#1   |             ;
STXR W5,W4,[X0]|             ;
exists 0:X5=0`;
  expect(runLitmus(programOf(text), builtInModels.arm).states).toEqual(['0:X5=0;', '0:X5=1;']);
});

describe('the registers that matter', () => {
  const liveIn = (source: string, ...observed: string[]): (string | undefined)[] =>
    liveRegisters(makeCode(0n, assemble(source).bytes).instructions, new Set(observed)).map(
      (names) => names && [...names].sort().join(' '),
    );

  test('are those that are read before they are written', () => {
    expect(liveIn('add x0, x1, x2\nmov x1, x0\nadd x3, x1, x0', 'X3')).toEqual(['X1 X2', 'X0', 'X0 X1']);
    expect(liveIn('mov x1, #1\nmov x2, #2', 'X1')).toEqual(['', 'X1']);
    expect(liveIn('add w0, w0, #1', 'X0')).toEqual(['X0']);
    expect(liveIn('ins v0.s[1], w1', 'V0')).toEqual(['V0 X1']);
  });

  test('are those of either way of a branch, and of the way round a loop', () => {
    expect(liveIn('l: cmp x0, x1\nb.ne l\nmov x2, x3', 'X2')).toEqual(['X0 X1 X3', 'X0 X1 X3 Z', 'X3']);
    expect(liveIn('b l\nmov x9, x8\nl: mov x1, x2', 'X1')).toEqual(['X2', 'X2', 'X2']);
  });

  test('have the monitor among them up to the next load-exclusive', () => {
    expect(liveIn('l: ldaxr w0, [x9]\ncbnz w0, l\nstxr w2, w1, [x9]\ncbnz w2, l')).toEqual([
      'X1 X9',
      'X0 X1 X9 monitor',
      'X1 X9 monitor',
      'X1 X2 X9',
    ]);
  });

  test('are all where it is not known what comes next', () => {
    expect(liveIn('mov x1, #1\nbr x1')).toEqual([undefined, undefined]);
    expect(liveIn('mov x1, #1\nsvc #0')).toEqual([undefined, undefined]);
  });
});
