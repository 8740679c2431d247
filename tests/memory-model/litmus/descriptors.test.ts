import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { builtInModels } from '../../../src/explore/explore.ts';
import { runLitmus } from '../../../src/explore/litmus.ts';
import {
  decodeDescriptor,
  encodeDescriptor,
  flagFields,
  usualDescriptor,
} from '../../../src/memory-model/descriptor.ts';
import { parseLitmus } from '../../../src/memory-model/litmus/parse.ts';
import { litmusProgram } from '../../../src/memory-model/litmus/program.ts';

const statesOf = (text: string): readonly string[] =>
  runLitmus(litmusProgram(parseLitmus(`AArch64 a\n${text}`, 'a.litmus')), builtInModels.arm).states;

describe('a descriptor', () => {
  test('is what it was made of', () => {
    const bit = fc.constantFrom(0n, 1n);
    const flags = fc.record(Object.fromEntries(flagFields.map((name) => [name, bit])));
    fc.assert(
      fc.property(flags, fc.bigInt(0n, (1n << 36n) - 1n), fc.bigInt(0n, 15n), (chosen, page, attributes) => {
        const descriptor = { ...usualDescriptor, ...chosen, oa: page << 12n, attributes };
        expect(decodeDescriptor(encodeDescriptor(descriptor))).toEqual(descriptor);
      }),
    );
  });

  test('has its bits where the architecture has them', () => {
    const bitsOf = (fields: Partial<typeof usualDescriptor>): bigint =>
      encodeDescriptor({ ...usualDescriptor, oa: 0x1000n, ...fields });
    // Valid page, AP[1], AF; UXN is clear.
    expect(bitsOf({})).toBe(0x1443n);
    expect(bitsOf({ af: 0n })).toBe(0x1043n);
    expect(bitsOf({ db: 0n })).toBe(0x14c3n);
    expect(bitsOf({ dbm: 1n })).toBe(0x1443n | (1n << 51n));
    expect(bitsOf({ x: 0n })).toBe(0x1443n | (1n << 54n));
  });
});

describe('descriptors in tests without vmsa', () => {
  test('are locations, and values that instructions compute with', () => {
    expect(
      statesOf(`{ 0:X0=PTE(x); 0:X2=(oa:PA(y)); }
P0;
MOV X1,#1;
BIC X3,X2,X1,LSL #10;
STR X3,[X0];
locations [0:X0; 0:X2; 0:X3; [PTE(x)]; [PTE(y)];]`),
    ).toEqual(['0:X0=PTE(x); 0:X2=(oa:PA(y)); 0:X3=(oa:PA(y), af:0); [PTE(x)]=(oa:PA(y), af:0); [PTE(y)]=(oa:PA(y));']);
  });

  test('do not translate, so that nothing faults', () => {
    expect(
      statesOf(`{ x=1; y=2; [PTE(x)]=(valid:0); 0:X0=PTE(x); 0:X1=x; 0:X2=(oa:PA(y)); }
P0;
STR X2,[X0];
DSB ISH;
LSR X3,X1,#12;
TLBI VAAE1IS,X3;
DSB ISH;
LDR W4,[X1];
exists fault(P0,x) \\/ 0:X4=2`),
    ).toEqual(['0:X4=1;  ~Fault(P0,x);']);
  });

  test('have no initial write that is read', () => {
    expect(statesOf('{ 0:X0=PTE(x); }\nP0;\nLDR X1,[X0];\nlocations [0:X1;]')).toEqual([]);
    expect(
      statesOf('{ 0:X0=PTE(x); 1:X0=PTE(x); 1:X2=(valid:0,oa:PA(x)); }\nP0|P1;\nLDR X1,[X0]|STR X2,[X0];\nlocations [0:X1;]'),
    ).toEqual(['0:X1=(oa:PA(x), valid:0);']); // prettier-ignore
  });

  test('are ordered by their addresses, then by their flags, clear ones first', () => {
    expect(
      statesOf(`{ 0:X0=PTE(x); 0:X2=(oa:PA(x)); 1:X0=PTE(x); 1:X2=(oa:PA(y)); 2:X0=PTE(x); 2:X2=(oa:PA(x),db:0); y=1; }
P0|P1|P2;
STR X2,[X0]|STR X2,[X0]|STR X2,[X0];
locations [[PTE(x)];]`),
    ).toEqual(['[PTE(x)]=(oa:PA(x), db:0);', '[PTE(x)]=(oa:PA(x));', '[PTE(x)]=(oa:PA(y));']);
  });
});

test.each([
  ['[PTE(x)]=(valid:2);', 'a.litmus:2:3: valid is 0 or 1'],
  ['[PTE(x)]=(size:1);', 'a.litmus:2:3: no field "size" of a descriptor'],
  ['[PTE(x)]=(oa:1);', 'a.litmus:2:3: oa is a physical address, such as PA(x)'],
  ['0:X0=parel1_t:(f:1);', 'a.litmus:2:3: (parel1_t:(f:1)): a structure of type parel1_t is not supported'],
])('%s is refused', (initial, sentence) => {
  expect(() => statesOf(`{ ${initial} }\nP0;\nNOP;\n`)).toThrow(sentence);
});
