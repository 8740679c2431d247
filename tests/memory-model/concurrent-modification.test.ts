// Which instructions may be modified while they are executed, and that cat models are told.

import { expect, test } from 'vitest';
import { assemble } from '../../src/isa/assembler.ts';
import { builtInModels, explore } from '../../src/explore/explore.ts';
import { registerNames } from '../../src/arch/register-names.ts';
import { loadCat } from '../../src/memory-model/cat/model.ts';
import { isRestrictedToModify } from '../../src/memory-model/concurrent-modification.ts';
import { parseLitmus } from '../../src/memory-model/litmus/parse.ts';
import { litmusProgram } from '../../src/memory-model/litmus/program.ts';
import { findCatFile } from '../../workers/cat-model.ts';

const wordOf = (text: string): number => {
  const { bytes } = assemble(text, { base: 0n });
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
};

test.each([
  ...['b .+8', 'b.eq .+8', 'bl .+8', 'cbz x0, .+8', 'cbnz x0, .+8', 'tbz x0, #1, .+8', 'tbnz x0, #1, .+8'],
  ...['nop', 'isb', 'svc #0', 'hvc #0', 'smc #0', 'brk #0'],
])('%s may be modified while it is executed', (text) => {
  expect(isRestrictedToModify(wordOf(text))).toBe(false);
});

test.each(['add w0, w0, #1', 'ldr w0, [x1]', 'ret', 'blr x0', 'yield', 'dsb sy', 'udf #0'])(
  '%s may not be modified while it is executed',
  (text) => {
    expect(isRestrictedToModify(wordOf(text))).toBe(true);
  },
);

test('a cat model flags a change of an instruction that is not synchronized with its execution', () => {
  const flagged = (instruction: string): boolean => {
    const text = `AArch64 a
{ 0:X0=NOP; 0:X1=P1:L0; }
 P0 | P1 ;
 STR W0,[X1] | L0: ${instruction} ;
exists (1:X2=1)`;
    const { program } = litmusProgram(parseLitmus(text, 'a.litmus'), { names: registerNames });
    const flag = 'flag ~empty (NExp & R & Restricted-CMODX) as violates-CMODX-requirements';
    const model = loadCat({ path: 'flags.cat', text: flag }, { findFile: findCatFile });
    const { outcomes } = explore(program, builtInModels.arm, { witnesses: true });
    return outcomes.some(({ witness }) => model.flags(witness!).length > 0);
  };
  expect(flagged('ADD W2,W2,#1')).toBe(true);
  expect(flagged('B .+4')).toBe(false);
});
