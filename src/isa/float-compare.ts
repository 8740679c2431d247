// Floating-point compare and conditional compare: Arm DDI 0487, C4.1 "Data Processing -- Scalar Floating-Point and Advanced SIMD".

import { row, type Row } from './encoding.ts';
import { F, formatOf, isFormat, knownFormat, letterOf, readFloat } from './float-registers.ts';
import { bitOf, conditionHolds } from './pseudocode.ts';
import type { Flags, Semantics, Value } from './semantics.ts';
import { cond } from './syntax/conditions.ts';
import { floatZero } from './syntax/float-immediates.ts';
import { immediate } from './syntax/immediates.ts';

/** PSTATE.<N,Z,C,V> from bits 3 to 0 of a value. */
const flagsOf = (s: Semantics, nzcv: Value): Flags => ({
  N: bitOf(s, nzcv, 3),
  Z: bitOf(s, nzcv, 2),
  C: bitOf(s, nzcv, 1),
  V: bitOf(s, nzcv, 0),
});

const variants = [
  { mnemonic: 'FCMP', operation: 'compareQuiet', op: '0' },
  { mnemonic: 'FCMPE', operation: 'compareSignaling', op: '1' },
] as const;

const compare = variants.flatMap(({ mnemonic, operation, op }) => [
  row({
    name: mnemonic,
    pattern: `0 0 0 11110 ftype 1 Rm 00 1000 Rn ${op} 0 000`,
    encoding: (f) => `${mnemonic}_${letterOf(formatOf(f.ftype))}_floatcmp`,
    allocated: isFormat,
    meaning: (s, k, f) => {
      s.checkFPEnabled();
      const bits = knownFormat(k);
      s.writeFlags(flagsOf(s, s.float(operation, bits, [readFloat(s, f.Rn, bits), readFloat(s, f.Rm, bits)])));
    },
    syntax: [{ mnemonic: mnemonic.toLowerCase(), operands: [F('Rn'), F('Rm')] }],
  }),
  row({
    name: `${mnemonic} (zero)`,
    pattern: `0 0 0 11110 ftype 1 00000 00 1000 Rn ${op} 1 000`,
    encoding: (f) => `${mnemonic}_${letterOf(formatOf(f.ftype))}Z_floatcmp`,
    allocated: isFormat,
    meaning: (s, k, f) => {
      s.checkFPEnabled();
      const bits = knownFormat(k);
      s.writeFlags(flagsOf(s, s.float(operation, bits, [readFloat(s, f.Rn, bits), s.constant(64, 0)])));
    },
    syntax: [{ mnemonic: mnemonic.toLowerCase(), operands: [F('Rn'), floatZero] }],
  }),
]);

/** Where the condition fails nothing is compared, and no exception raised: the operands are then two zeros. */
const conditionalCompare = (
  [
    { mnemonic: 'FCCMP', operation: 'compareQuiet', op: '0' },
    { mnemonic: 'FCCMPE', operation: 'compareSignaling', op: '1' },
  ] as const
).map(({ mnemonic, operation, op }) =>
  row({
    name: mnemonic,
    pattern: `0 0 0 11110 ftype 1 Rm cond 01 Rn ${op} nzcv`,
    encoding: (f) => `${mnemonic}_${letterOf(formatOf(f.ftype))}_floatccmp`,
    allocated: isFormat,
    meaning: (s, k, f) => {
      s.checkFPEnabled();
      const bits = knownFormat(k);
      const holds = conditionHolds(s, k.cond);
      const zero = s.constant(64, 0);
      const compared = flagsOf(
        s,
        s.float(operation, bits, [
          s.select(holds, readFloat(s, f.Rn, bits), zero),
          s.select(holds, readFloat(s, f.Rm, bits), zero),
        ]),
      );
      const given = flagsOf(s, f.nzcv);
      s.writeFlags({
        N: s.select(holds, compared.N, given.N),
        Z: s.select(holds, compared.Z, given.Z),
        C: s.select(holds, compared.C, given.C),
        V: s.select(holds, compared.V, given.V),
      });
    },
    syntax: [{ mnemonic: mnemonic.toLowerCase(), operands: [F('Rn'), F('Rm'), immediate('nzcv', 4), cond] }],
  }),
);

export const floatCompare: readonly Row[] = [...compare, ...conditionalCompare];
