// What the values of a test stand for as numbers, and what numbers are called: addresses of variables and labels, and instructions.

import type { Layout } from './layout.ts';
import type { ValueNames } from './final-state.ts';
import { spellValue } from './spelling.ts';
import type { Spot, Value } from './test.ts';
import { refuse } from './text.ts';

/** Where labels are, thread by thread, and what instruction words are called. */
export interface CodeNames {
  labelAt(thread: number, label: string): bigint | undefined;
  nameAt(address: bigint): string | undefined;
  labelsAt(address: bigint): readonly string[];
  /** The word of an instruction that the test writes as a value. */
  wordOf(text: string, at: Spot): bigint;
  instructionOf(word: bigint): string | undefined;
}

export function valueNames(layout: Layout, code: CodeNames, registerOf: ValueNames['registerOf']): ValueNames {
  const numberOf = (value: Value, at: Spot): bigint => {
    switch (value.kind) {
      case 'number':
        return value.value;
      case 'address': {
        if (value.tag !== undefined) throw refuse(at, `${spellValue(value)}: memory tags are not supported`);
        const variable = layout.variables.get(value.name)!;
        return variable.address + BigInt((value.index ?? 0) * variable.type.bytes) + (value.offset ?? 0n);
      }
      case 'label': {
        const address = code.labelAt(value.thread, value.label);
        if (address === undefined) throw refuse(at, `P${value.thread} has no label ${value.label}`);
        return address;
      }
      case 'instruction':
        return code.wordOf(value.text, at);
      case 'descriptor address':
      case 'physical address':
      case 'descriptor':
        throw refuse(at, `${spellValue(value)}: translation tables are not supported`);
      case 'list':
        throw refuse(at, `${spellValue(value)}: a list is the value of an array`);
    }
  };
  return {
    registerOf,
    numberOf,
    labelsAt: (pc) => code.labelsAt(pc),
    nameOf: (address) => layout.nameAt(address) ?? code.nameAt(address),
    instructionOf: (word) => code.instructionOf(word),
  };
}
