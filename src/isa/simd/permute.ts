// Advanced SIMD permute, extract and table lookup: Arm DDI 0487, C4.1 "Data Processing -- Scalar Floating-Point and Advanced SIMD".

import { row, type Row } from '../encoding.ts';
import type { Value } from '../semantics.ts';
import type { Operand } from '../syntax.ts';
import { immediate } from '../syntax/immediates.ts';
import { arrangement, bytes, T, tableList } from '../syntax/vectors.ts';
import { arrangementOf, rearranged, writeVector } from './elements.ts';

/** Which element of the two sources, one after the other, goes to a lane; `part` is 1 or 2 of ZIP1 and ZIP2. */
const permutations = {
  UZP: (lane: number, part: number) => 2 * lane + part - 1,
  TRN: (lane: number, part: number, lanes: number) => (lane & ~1) + part - 1 + (lane & 1) * lanes,
  ZIP: (lane: number, part: number, lanes: number) => (lane >> 1) + ((part - 1) * lanes) / 2 + (lane & 1) * lanes,
} as const;

const pages = [
  { name: 'UZP', part: 1, opcode: '001' },
  { name: 'TRN', part: 1, opcode: '010' },
  { name: 'ZIP', part: 1, opcode: '011' },
  { name: 'UZP', part: 2, opcode: '101' },
  { name: 'TRN', part: 2, opcode: '110' },
  { name: 'ZIP', part: 2, opcode: '111' },
] as const;

const permute = pages.map(({ name, part, opcode }) =>
  row({
    name: `${name}${part}`,
    pattern: `0 Q 0 01110 size 0 Rm 0 ${opcode} 10 Rn Rd`,
    encoding: `${name}${part}_asimdperm_only`,
    allocated: (f) => f.size < 3 || f.Q === 1,
    meaning: (s, k, f) => {
      s.checkFPEnabled();
      const shape = arrangementOf(k.size, k.Q);
      const sources = [s.readV(f.Rn, 128), s.readV(f.Rm, 128)] as const;
      const result = rearranged(s, sources, shape, (lane) => permutations[name](lane, part, shape.lanes));
      writeVector(s, f.Rd, k.Q, result);
    },
    syntax: [
      {
        mnemonic: `${name}${part}`.toLowerCase(),
        operands: [T('Rd', arrangement), T('Rn', arrangement), T('Rm', arrangement)],
      },
    ],
  }),
);

const position: Operand = {
  print: (f) => `#${f.element!}`,
  read: (reader) => {
    const at = immediate('element', 4, { base: 'decimal' });
    return at.read(reader);
  },
};

const extract = row({
  name: 'EXT',
  pattern: '0 Q 1 01110 00 0 Rm 0 element 0 Rn Rd',
  encoding: 'EXT_asimdext_only',
  allocated: (f) => f.Q === 1 || f.element < 8,
  meaning: (s, k, f) => {
    s.checkFPEnabled();
    const sources = [s.readV(f.Rn, 128), s.readV(f.Rm, 128)] as const;
    writeVector(
      s,
      f.Rd,
      k.Q,
      rearranged(s, sources, arrangementOf(0, k.Q), (lane) => lane + k.element),
    );
  },
  syntax: [{ mnemonic: 'ext', operands: [T('Rd', bytes), T('Rn', bytes), T('Rm', bytes), position] }],
});

/** TBL gives 0 for an index beyond the table, TBX leaves the byte. */
const tables = (
  [
    { name: 'TBL', op: '0' },
    { name: 'TBX', op: '1' },
  ] as const
).map(({ name, op }) =>
  row({
    name,
    pattern: `0 Q 0 01110 00 0 Rm 0 len ${op} 00 Rn Rd`,
    encoding: (f) => `${name}_asimdtbl_L${f.len + 1}_${f.len + 1}`,
    meaning: (s, k, f) => {
      s.checkFPEnabled();
      const registers = Array.from({ length: k.len + 1 }, (_, n) =>
        s.readV(s.and(s.add(f.Rn, s.constant(32, n)), s.constant(32, 31)), 128),
      );
      const [m, d] = [s.readV(f.Rm, 128), s.readV(f.Rd, 128)];
      const bytesOf = (value: number): Value => s.splat(8, s.constant(64, value));
      // An index that is below this register's or beyond them is none of it: the difference is taken modulo 256.
      const found = registers
        .map((table, n) => s.lookUp(table, n === 0 ? m : s.lanes('sub', 8, m, bytesOf(16 * n))))
        .reduce((a, b) => s.or(a, b));
      const kept = s.and(d, s.lanes('geU', 8, m, bytesOf(16 * registers.length)));
      writeVector(s, f.Rd, k.Q, name === 'TBL' ? found : s.or(found, kept));
    },
    syntax: [{ mnemonic: name.toLowerCase(), operands: [T('Rd', bytes), tableList, T('Rm', bytes)] }],
  }),
);

export const permutes: readonly Row[] = [...permute, extract, ...tables];
