// What the values of a test stand for as numbers, and what numbers are called: addresses of variables and labels, and instructions.

import type { DescriptorNames } from './descriptors.ts';
import { descriptorAddress, type Layout, physicalAddress } from './layout.ts';
import type { ValueNames } from './final-state.ts';
import { spellValue } from './spelling.ts';
import type { Location, Spot, Value } from './test.ts';
import { refuse } from './text.ts';

/** Where labels are, thread by thread, and what instruction words are called. */
export interface CodeNames {
  labelAt(thread: number, label: string): bigint | undefined;
  nameAt(address: bigint): string | undefined;
  labelsAt(address: bigint): readonly string[];
  /** The number that stands for the address of an instruction. */
  numberAt(address: bigint): bigint | undefined;
  /** The word of an instruction that the test writes as a value. */
  wordOf(text: string, at: Spot): bigint;
  instructionOf(word: bigint): string | undefined;
}

export function valueNames(
  layout: Layout,
  code: CodeNames,
  descriptors: DescriptorNames,
  registerOf: ValueNames['registerOf'],
): ValueNames {
  const ownPage = (name: string): bigint => physicalAddress(layout.variables.get(name)!.address);
  const numberOf = (value: Value, at: Spot, location?: Location): bigint => {
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
        return descriptorAddress(layout.variables.get(value.name)!.address);
      case 'physical address':
        return ownPage(value.name);
      case 'descriptor':
        if (value.type !== undefined && value.type !== 'pteval_t')
          throw refuse(at, `${spellValue(value)}: a structure of type ${value.type} is not supported`);
        return descriptors.encode(
          value.fields,
          at,
          location?.kind === 'descriptor' ? ownPage(location.name) : undefined,
        );
      case 'list':
        throw refuse(at, `${spellValue(value)}: a list is the value of an array`);
    }
  };
  return {
    registerOf,
    numberOf,
    labelsAt: (pc) => code.labelsAt(pc),
    codeNumberOf: (address) => code.numberAt(address),
    nameOf: (address) => layout.nameAt(address) ?? code.nameAt(address),
    descriptorOf: (bits) => descriptors.spell(bits),
    descriptorOfPage: (page) => descriptors.usual(page),
    descriptorOrder: (bits) => descriptors.orderOf(bits),
    instructionOf: (word) => code.instructionOf(word),
  };
}
