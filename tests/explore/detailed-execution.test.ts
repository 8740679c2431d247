// The detailed form of executions: dependencies defined over register events are those that the trace reading tells.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findCatFile } from '../../workers/cat-model.ts';
import { detailedForm } from '../../src/explore/detailed-execution.ts';
import { builtInModels, explore } from '../../src/explore/explore.ts';
import { loadCat } from '../../src/memory-model/cat/model.ts';
import { parseLitmus } from '../../src/memory-model/litmus/parse.ts';
import { litmusProgram } from '../../src/memory-model/litmus/program.ts';
import { randomProgram } from '../memory-model/random-programs.ts';
import { programOf, statesOf, type Source } from './programs.ts';

/** The dependencies of Armv8 over register events, and axioms that they are the given ones. */
const overRegisters = `
let po-write = [W]; po-loc
let through-memory = (po-write \\ (po-write; [W]; po-loc)); [R]
let flow = (rf-reg | iico_data | through-memory)+
let pick = (rf-reg | iico_data | through-memory | iico_ctrl)+
let data-reg = [R]; flow; [DATA]; iico_data; [W] \\ same-instance
let addr-reg = [R]; flow; [Rreg \\ DATA]; iico_data; [M] \\ same-instance
let ctrl-reg = [R]; flow; [BCC]; po
empty data \\ [M]; (data-reg | addr-reg | iico_data); [M] as every-data-dependency
empty data-reg \\ data as only-data-dependencies
empty ctrl-reg \\ ctrl | (ctrl; [M | F]) \\ ctrl-reg as control-dependencies
`;

const source: Source = {
  threads: ['ldr w0, [x20]; eor w1, w0, w0; add w2, w1, #1; str w2, [x21]; cbnz w0, l; l: str w9, [x22]'],
  variables: { x: 0, y: 0, z: 0 },
  observed: ['0:X0'],
};

describe('the detailed form of an execution', () => {
  it('has a register read for each operand and a register write for each result', () => {
    const program = programOf(source);
    const [{ witness } = {}] = explore(program, builtInModels.arm, { witnesses: true }).outcomes;
    const { sets, relations } = detailedForm(program)(witness!);
    const count = (name: string) => [...sets.get(name)!].length;
    // x20 · w0 w0 · w1 · w2 x21 · w0 · w9 x22, and EOR reads w0 twice.
    expect([count('Rreg'), count('Wreg'), count('BCC'), count('DATA')]).toEqual([9, 3, 1, 2]);
    expect([...relations.get('rf-reg')!.pairs()]).toHaveLength(5);
  });

  it('gives models that speak of register events the dependencies of the others', () => {
    fc.assert(
      fc.property(randomProgram, (random) => {
        const program = programOf(random);
        const detail = detailedForm(program);
        const model = loadCat({ path: 'over-registers.cat', text: overRegisters }, { findFile: findCatFile, detail });
        for (const { witness } of explore(program, builtInModels.arm, { witnesses: true }).outcomes)
          expect(model.violations(witness!)).toEqual([]);
      }),
      { numRuns: 15, seed: 3 },
    );
  });

  it('has what decides behind a fetch which instruction it is', () => {
    const text = `AArch64 a
{ 0:X0=instr:"ADD W3,W3,#1"; 0:X1=P0:L0; }
 P0 ;
 STR W0,[X1] ;
 L0: ADD W3,W3,#2 ;
exists (0:X3=1)`;
    const { program } = litmusProgram(parseLitmus(text, 'a.litmus'));
    const fetches = `
let Fetch = NExp & Instr & R
let fetch-intrinsically-before = [Fetch]; iico_data; [B]; iico_ctrl; [_]
empty ([Fetch]; same-instance; [Rreg | Wreg]) \\ fetch-intrinsically-before as all-of-the-instruction
empty fetch-intrinsically-before \\ same-instance as nothing-else
~empty Fetch as there-is-one
`;
    const model = loadCat(
      { path: 'fetches.cat', text: fetches },
      { findFile: findCatFile, detail: detailedForm(program) },
    );
    const { outcomes } = explore(program, builtInModels.arm, { witnesses: true });
    expect(outcomes).toHaveLength(2);
    for (const { witness } of outcomes) expect(model.violations(witness!)).toEqual([]);
  });

  it('is refused where it cannot be had', () => {
    expect(() => loadCat({ path: 'm.cat', text: 'empty rf-reg' }, { findFile: findCatFile })).toThrow(
      'm.cat:1:1: this model speaks of register events',
    );
    expect(statesOf(source, builtInModels.arm)).toEqual(['0']);
  });
});
