// The names of system registers, for the assembler and the disassembler: those of the table of the PE.

import { systemRegisters } from './system-registers.ts';
import type { SystemRegisterNames } from '../isa/syntax.ts';

const nameOfKey = new Map(systemRegisters.map(({ key, name }) => [key, name.toLowerCase()]));
const keyOfName = new Map(systemRegisters.map(({ key, name }) => [name.toLowerCase(), key]));

export const registerNames: SystemRegisterNames = {
  nameOf: (key) => nameOfKey.get(key),
  keyOf: (name) => keyOfName.get(name),
};
