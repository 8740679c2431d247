// System register names for tests of the assembler and disassembler, from the table of the PE.

import { registerAt, registerNamed } from '../../src/arch/system-registers.ts';
import type { SystemRegisterNames } from '../../src/isa/syntax.ts';

export const names: SystemRegisterNames = {
  nameOf: (key) => registerAt(key)?.name.toLowerCase(),
  keyOf: (name) => registerNamed(name.toUpperCase())?.key,
};
