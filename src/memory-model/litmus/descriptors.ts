// Translation table descriptors as a test writes them, `(oa:PA(x), valid:0)`, and as numbers.

import {
  decodeDescriptor,
  type Descriptor,
  encodeDescriptor,
  flagFields,
  isFlagField,
  mostAttributes,
  usualDescriptor,
} from '../descriptor.ts';
import { type Layout, nowhere, physicalAddress } from './layout.ts';
import { spellDescriptor } from './spelling.ts';
import type { DescriptorField, Spot } from './test.ts';
import { refuse } from './text.ts';

export interface DescriptorNames {
  /** A descriptor that does not say where its page lies maps it to `own`, or nowhere. */
  encode(fields: readonly DescriptorField[], at: Spot, own?: bigint): bigint;
  /** Of a page that is mapped to itself. */
  usual(page: bigint): bigint;
  /** undefined for what is no descriptor of a page of the test. */
  spell(bits: bigint): string | undefined;
  /** Descriptors in the order of herd7: by attributes, the name of the address, and flags; undefined for what is none. */
  orderOf(bits: bigint): bigint | undefined;
}

/** Other names of a field. */
const otherNames: Readonly<Record<string, string>> = { v: 'valid' };

export function descriptorNames(layout: Layout): DescriptorNames {
  /** Sets of attributes by their numbers, from 1. */
  const attributeSets: string[] = [];
  const attributesOf = (names: readonly string[], at: Spot): bigint => {
    const text = [...new Set(names)].sort().join(', ');
    if (text === '') return 0n;
    if (!attributeSets.includes(text)) attributeSets.push(text);
    if (attributeSets.length > mostAttributes) throw refuse(at, `more than ${mostAttributes} sets of attributes`);
    return BigInt(attributeSets.indexOf(text) + 1);
  };
  const physicalOf = (name: string): bigint => physicalAddress(layout.variables.get(name)!.address);

  const withField = (descriptor: Descriptor, { name, value }: DescriptorField, at: Spot): Descriptor => {
    const field = otherNames[name] ?? name;
    if (field === 'oa') {
      if (value.kind !== 'physical') throw refuse(at, 'oa is a physical address, such as PA(x)');
      return { ...descriptor, oa: physicalOf(value.name) };
    }
    if (field === 'attrs' && value.kind === 'attributes')
      return { ...descriptor, attributes: attributesOf(value.names, at) };
    if (!isFlagField(field))
      throw refuse(at, `no field "${name}" of a descriptor`, `known are oa, ${flagFields.join(', ')}, attrs`);
    if (value.kind !== 'number' || value.value < 0n || value.value > 1n) throw refuse(at, `${name} is 0 or 1`);
    return { ...descriptor, [field]: value.value };
  };

  /** Of a page of the test. */
  const decode = (bits: bigint): Descriptor | undefined => {
    const descriptor = decodeDescriptor(bits);
    if (descriptor === undefined) return undefined;
    return layout.nameAt(descriptor.oa)?.startsWith('PA(') ? descriptor : undefined;
  };

  const alphabetic = [...layout.variables.keys()].sort();
  const rankOf = (oa: bigint): bigint => BigInt(alphabetic.indexOf(layout.variableAt(oa) ?? '') + 1);

  return {
    encode: (fields, at, own = nowhere) =>
      encodeDescriptor(fields.reduce((sum, field) => withField(sum, field, at), { ...usualDescriptor, oa: own })),
    usual: (page) => encodeDescriptor({ ...usualDescriptor, oa: physicalAddress(page) }),
    spell: (bits) => {
      const descriptor = decode(bits);
      if (descriptor === undefined) return undefined;
      const { oa, attributes } = descriptor;
      const set = attributeSets[Number(attributes) - 1];
      return spellDescriptor([
        { name: 'oa', value: { kind: 'physical', name: layout.nameAt(oa)!.slice('PA('.length, -1) } },
        ...flagFields.map((name) => ({ name, value: { kind: 'number', value: descriptor[name] } }) as const),
        ...(set === undefined ? [] : [{ name: 'attrs', value: { kind: 'attributes', names: [set] } } as const]),
      ]);
    },
    orderOf: (bits) => {
      const descriptor = decode(bits);
      if (descriptor === undefined) return undefined;
      return flagFields.reduce(
        (order, name) => (order << 1n) | descriptor[name],
        (descriptor.attributes << 48n) | rankOf(descriptor.oa),
      );
    },
  };
}
