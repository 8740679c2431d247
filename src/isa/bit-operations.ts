// Data-processing (1 source): Arm DDI 0487, C4.1 "Data Processing -- Register".

import { row, type Row } from './encoding.ts';
import type { Semantics, Value } from './semantics.ts';
import { never } from './syntax.ts';
import { R, Rof } from './syntax/registers.ts';

/** CountLeadingSignBits(x): the bits below the highest that equal it. */
function countLeadingSignBits(s: Semantics, x: Value): Value {
  const width = x.width as 32 | 64;
  const one = s.constant(width, 1);
  return s.sub(s.clz(s.xor(x, s.asr(x, one))), one);
}

const ofEitherWidth = (
  [
    { mnemonic: 'RBIT', opcode: '000000' },
    { mnemonic: 'REV16', opcode: '000001' },
    { mnemonic: 'CLZ', opcode: '000100' },
    { mnemonic: 'CLS', opcode: '000101' },
  ] as const
).map(({ mnemonic, opcode }) =>
  row({
    name: mnemonic,
    pattern: `sf 1 0 11010110 00000 ${opcode} Rn Rd`,
    encoding: (f) => `${mnemonic}_${f.sf ? 64 : 32}_dp_1src`,
    meaning: (s, k, f) => {
      const operand = s.readX(f.Rn, k.sf ? 64 : 32);
      const result = ((): Value => {
        switch (mnemonic) {
          case 'RBIT':
            return s.rbit(operand);
          case 'REV16':
            return s.rev(operand, 16);
          case 'CLZ':
            return s.clz(operand);
          case 'CLS':
            return countLeadingSignBits(s, operand);
        }
      })();
      s.writeX(f.Rd, result);
    },
    syntax: [{ mnemonic: mnemonic.toLowerCase(), operands: [R('Rd'), R('Rn')] }],
  }),
);

const reverseBytes = (
  [
    { mnemonic: 'REV', sf: '0', opcode: '000010', width: 32, container: 32 },
    { mnemonic: 'REV32', sf: '1', opcode: '000010', width: 64, container: 32 },
    { mnemonic: 'REV', sf: '1', opcode: '000011', width: 64, container: 64 },
  ] as const
).map(({ mnemonic, sf, opcode, width, container }) =>
  row({
    name: mnemonic,
    pattern: `${sf} 1 0 11010110 00000 ${opcode} Rn Rd`,
    encoding: `${mnemonic}_${width}_dp_1src`,
    meaning: (s, _k, f) => {
      s.writeX(f.Rd, s.rev(s.readX(f.Rn, width), container));
    },
    syntax: [
      { mnemonic: mnemonic.toLowerCase(), operands: [Rof('Rd', width), Rof('Rn', width)] },
      ...(container === 64
        ? [{ mnemonic: 'rev64', operands: [Rof('Rd', width), Rof('Rn', width)], preferred: never }]
        : []),
    ],
  }),
);

export const bitOperations: readonly Row[] = [...ofEitherWidth, ...reverseBytes];
