import { describe, expect, test } from 'vitest';
import { registerNames } from '../../../src/arch/register-names.ts';
import { builtInModels } from '../../../src/explore/explore.ts';
import { runLitmus } from '../../../src/explore/litmus.ts';
import { loadCat } from '../../../src/memory-model/cat/model.ts';
import { parseLitmus } from '../../../src/memory-model/litmus/parse.ts';
import { litmusProgram } from '../../../src/memory-model/litmus/program.ts';
import { findCatFile, ownCatFile } from '../../../workers/cat-model.ts';

const cat = loadCat(ownCatFile('arm'), { findFile: findCatFile });

/** The states under Armv8, on which the engine and the cat file agree. */
function statesOf(text: string): readonly string[] {
  const program = litmusProgram(parseLitmus(`AArch64 a\n${text}`, 'a.litmus'), { names: registerNames });
  const { states } = runLitmus(program, builtInModels.arm);
  expect(runLitmus(program, cat).states).toEqual(states);
  return states;
}

const refusalOf = (text: string): unknown => {
  try {
    return statesOf(text);
  } catch (error) {
    return error instanceof Error ? error.message : error;
  }
};

describe('an exception', () => {
  test('without a handler ends the thread, and is told of with the label of its instruction', () => {
    expect(statesOf('{}\nP0;\nMOV W1,#1;\nL0: SVC #3;\nMOV W1,#2;\nforall 0:X1=1 /\\ fault(P0:L0)')).toEqual([
      '0:X1=1; Fault(P0:L0,SupervisorCall);',
    ]);
  });

  test('is skipped under faultToNext', () => {
    expect(statesOf('Variant=faultToNext\n{}\nP0;\nUDF #0;\nMOV W1,#2;\nforall 0:X1=2 /\\ fault(P0)')).toEqual([
      '0:X1=2; Fault(P0,UndefinedInstruction);',
    ]);
  });

  test('goes on behind an SVC that is handled elsewhere, and never past an undefined instruction that stays so', () => {
    const text = (instruction: string) => `Variant=handled\n{}\nP0;\n${instruction};\nMOV W1,#2;\nlocations [0:X1;]`;
    expect(statesOf(text('SVC #0'))).toEqual(['0:X1=2;']);
    expect(statesOf(text('UDF #0'))).toEqual([]);
  });

  test('that nobody takes is told of as none', () => {
    expect(
      statesOf('{}\nP0 | P1;\nNOP | SVC #0;\nexists fault(P0:L0) \\/ fault(P0,MMU:Translation) \\/ fault(P1)'),
    ).toEqual([' Fault(P1,SupervisorCall); ~Fault(P0:L0); ~Fault(P0,MMU:Translation);']);
  });
});

describe('a handler', () => {
  test('is entered with the address behind an SVC in ELR_EL1, and returns there', () => {
    expect(statesOf('{}\nP0 | P0.F;\nMOV W0,#1 | MRS X2,ELR_EL1;\nSVC #0 | ADD W0,W0,W0;\nL0: ADD W0,W0,#1 | ERET;\nlocations [0:X0; 0:X2;]')).toEqual([
      '0:X0=3; 0:X2=label:"P0:L0";',
    ]); // prettier-ignore
  });

  test('is entered with the address of an undefined instruction, and returns where it wants', () => {
    expect(
      statesOf('{}\nP0 | P0.F;\nL0: UDF #1 | MRS X2,ELR_EL1;\nL1: ADD W0,W0,#1 | ADR X3,L1;\n | MSR ELR_EL1,X3;\n | ERET;\nlocations [0:X0; 0:X2;]'),
    ).toEqual(['0:X0=1; 0:X2=label:"P0:L0";']); // prettier-ignore
  });

  test('that does not return ends the thread', () => {
    expect(statesOf('{}\nP0 | P0.F;\nSVC #0 | MOV W1,#1;\nMOV W2,#1 | ;\nlocations [0:X1; 0:X2;]')).toEqual([
      '0:X1=1; 0:X2=0;',
    ]);
  });

  test('takes no exception of its own', () => {
    const text = '{}\nP0 | P0.F;\nSVC #0 | SVC #1;\nlocations [0:X1;]';
    expect(refusalOf(text)).toBe(
      'a.litmus:4:10: P0: "svc #0x1" takes an exception in the handler of another one, which is not modelled',
    );
  });

  test('of an exclusive pair: the return clears the local monitor', () => {
    const text = `{ 0:X1=x; }\nP0 | P0.F;\nLDXR W0,[X1] | ERET;\nSVC #0 | ;\nSTXR W2,W3,[X1] | ;\nlocations [0:X2;]`;
    expect(statesOf(text)).toEqual(['0:X2=1;']);
  });
});

describe('an exception entry is a context synchronization event', () => {
  const messagePassing = (variant: string) => `${variant}
{ 0:X1=x; 0:X3=y; 1:X0=y; 1:X2=x; }
 P0          | P1           | P1.F        ;
 MOV W0,#1   | LDR W1,[X0]  | LDR W3,[X2] ;
 STR W0,[X1] | CBNZ W1,L0   |             ;
 DMB ST      | L0: SVC #1   |             ;
 STR W0,[X3] |              |             ;
exists 1:X1=1 /\\ 1:X3=0`;
  const relaxed = '1:X1=1; 1:X3=0;';

  test('so that no load behind it overtakes the load that led to it', () => {
    expect(statesOf(messagePassing(''))).not.toContain(relaxed);
  });

  test('unless FEAT_ExS turns it off for system calls', () => {
    expect(statesOf(messagePassing('Variant=exs'))).toContain(relaxed);
    expect(statesOf(messagePassing('Variant=exs,eis'))).not.toContain(relaxed);
  });

  test('and so is the return, unless FEAT_ExS turns it off', () => {
    const text = (variant: string) => `${variant}
{ 0:X1=x; 0:X3=y; 1:X0=y; 1:X2=x; }
 P0          | P1           | P1.F        ;
 MOV W0,#1   | LDR W1,[X0]  | ERET        ;
 STR W0,[X1] | CBNZ W1,L0   |             ;
 DMB ST      | L0: SVC #1   |             ;
 STR W0,[X3] | LDR W3,[X2]  |             ;
exists 1:X1=1 /\\ 1:X3=0`;
    expect(statesOf(text('Variant=exs'))).toContain(relaxed);
    expect(statesOf(text('Variant=exs,eos'))).not.toContain(relaxed);
  });
});
