// Outcomes of small AArch64 tests, from their text to their states: what is special about pairs.

import { expect, test } from 'vitest';
import { builtInModels } from '../../../src/explore/explore.ts';
import { runLitmus } from '../../../src/explore/litmus.ts';
import { parseLitmus } from '../../../src/memory-model/litmus/parse.ts';
import { litmusProgram } from '../../../src/memory-model/litmus/program.ts';

const statesOf = (text: string): readonly string[] =>
  runLitmus(litmusProgram(parseLitmus(`AArch64 a\n${text}`, 'a.litmus')), builtInModels.arm).states;

test('CASP compares and swaps both registers of a pair, whatever their size', () => {
  const casp = (type: string, r: string) =>
    statesOf(`{ ${type} x[2]={5,6}; 0:X5=x; }
 P0 ;
 MOV ${r}0,#5 ;
 MOV ${r}1,#6 ;
 MOV ${r}2,#7 ;
 MOV ${r}3,#8 ;
 CASP ${r}0,${r}1,${r}2,${r}3,[X5] ;
 locations [x; x[1];]`);
  expect(casp('int', 'W')).toEqual(['x={7,8}; x[1]=8;']);
  expect(casp('int64_t', 'X')).toEqual(['x={7,8}; x[1]=8;']);
});

test('the accesses of LDIAPP are ordered, those of LDP are not', () => {
  const load = (pair: string) =>
    statesOf(`{ int x[2]; 0:X2=x; 1:X2=x; }
 P0              | P1              ;
 MOV W0,#1       | ${pair} W0,W1,[X2] ;
 STR W0,[X2,#4]  |                 ;
 DMB ST          |                 ;
 STR W0,[X2]     |                 ;
 exists (1:X0=1 /\\ 1:X1=0)`);
  const stale = '1:X0=1; 1:X1=0;';
  expect(load('LDP')).toContain(stale);
  expect(load('LDIAPP')).not.toContain(stale);
  expect(load('LDIAPP')).toHaveLength(3);
});

test('STILP stores upwards without write-back and downwards with it', () => {
  const store = (address: string, from: string, first: number, second: number) =>
    statesOf(`{ int x[2]; 0:X2=x; 1:X2=x; }
 P0                 | P1                ;
 ${from}            | LDR W0,[X2,#${first}] ;
 MOV W0,#1          | DMB LD            ;
 STILP W0,W0,${address} | LDR W1,[X2,#${second}] ;
 exists (1:X0=1 /\\ 1:X1=0)`);
  const overtaken = '1:X0=1; 1:X1=0;';
  expect(store('[X2]', 'NOP', 4, 0)).not.toContain(overtaken);
  expect(store('[X2]', 'NOP', 0, 4)).toContain(overtaken);
  expect(store('[X2,#-8]!', 'ADD X2,X2,#8', 0, 4)).not.toContain(overtaken);
  expect(store('[X2,#-8]!', 'ADD X2,X2,#8', 4, 0)).toContain(overtaken);
});

test('threads may run the code of others', () => {
  expect(
    statesOf(`{ 0:X1=P1:L; }
 P0        | P1           ;
 ADR X8,R  | B E          ;
 BR X1     | L:           ;
 R:        | ADD W9,W9,#2 ;
           | BR X8        ;
           | E:           ;
 locations [0:X9;1:X9;]`),
  ).toEqual(['0:X9=2; 1:X9=0;']);
});

test('a thread that writes to where there is nothing is refused where an execution does so', () => {
  const store = (address: string): string =>
    `{ ${address}; 0:X0=NOP; } P0 ; STR W0,[X1] ; L0: B L1 ; L1: ; exists (0:X0=1)`
      .replaceAll(' ; ', ' ;\n ')
      .replace('} ', '}\n ');
  expect(() => statesOf(store('0:X1=64'))).toThrow(
    'a.litmus:4:2: P0: "str w0, [x1]" accesses 0x40, where there is no variable',
  );
  // Only what an execution does counts: the pointer is never read as anything but 0 or x, and 0 is not followed.
  expect(
    statesOf(`{ int64_t y=0; 0:X1=x; 0:X2=y; 1:X2=y; }
 P0          | P1          ;
 STR X1,[X2] | LDR X0,[X2] ;
             | CBZ X0,end  ;
             | LDR W3,[X0] ;
             | end:        ;
exists (1:X3=1)`),
  ).toEqual(['1:X3=0;']);
});

test('a loop waits for a write that its thread does only behind a read of its own', () => {
  expect(
    statesOf(`{ 0:X0=x; 1:X0=x; 1:X1=y; }
 P0              | P1           ;
 L: LDR W2,[X0]  | LDR W2,[X1]  ;
 CBZ W2,L        | CBNZ W2,E    ;
                 | MOV W3,#1    ;
                 | STR W3,[X0]  ;
                 | E:           ;
 locations [0:X2; 1:X2;]`),
  ).toEqual(['0:X2=1; 1:X2=0;']);
});
