// Vectors of numbers that become wider or narrower, and the estimates of unsigned numbers, of the Advanced SIMD two-register miscellaneous
// class: Arm DDI 0487, C4.1 "Data Processing -- Scalar Floating-Point and Advanced SIMD".

import { row, type Row } from '../encoding.ts';
import { reciprocalEstimate, rootEstimate } from '../floating-point/estimate.ts';
import { type FormatBits, rounding } from '../floating-point/format.ts';
import { wordsOver } from '../floating-point/words.ts';
import type { Semantics, Value } from '../semantics.ts';
import { V, type VectorBytes } from '../syntax/registers.ts';
import { arrangedBy, type ArrangementText, T } from '../syntax/vectors.ts';
import { arrangementOf, mapLanes, truncated, writeHalf } from './elements.ts';
import { writeFloats } from './float-lanes.ts';

/** sz tells singles from doubles on the wide side, and halves from singles on the narrow one. */
const narrowBits = ({ sz }: { readonly sz: number }): 16 | 32 => (sz === 1 ? 32 : 16);
const wideBits = ({ sz }: { readonly sz: number }): 32 | 64 => (sz === 1 ? 64 : 32);
const narrowFloats: ArrangementText = (f) => arrangedBy(1 + f.sz!, f.Q!);
const wideFloats: ArrangementText = (f) => arrangedBy(2 + f.sz!, 1);

const narrowed = (s: Semantics, value: Value, from: FormatBits, to: 16 | 32, mode: Value): Value =>
  s.float(`convertTo${to}`, from, [value, mode]);

/** FCVTN rounds as FPCR says, FCVTXN to odd, so that a further rounding is as good as the first. */
const narrow = (
  [
    { name: 'FCVTN', U: '0', toOdd: false },
    { name: 'FCVTXN', U: '1', toOdd: true },
  ] as const
).map(({ name, U, toOdd }) =>
  row({
    name: `${name}, ${name}2`,
    pattern: `0 Q ${U} 01110 0 sz 10000 10110 10 Rn Rd`,
    encoding: `${name}_asimdmisc_N`,
    allocated: (f) => !toOdd || f.sz === 1,
    meaning: (s, k, f) => {
      s.checkFPEnabled();
      const [from, to] = [wideBits(k), narrowBits(k)];
      const n = s.readV(f.Rn, 128);
      const mode = toOdd ? s.constant(64, rounding.odd) : s.roundingMode();
      const half = mapLanes(s, n, { bits: to, lanes: 64 / to }, (lane) =>
        narrowed(s, s.laneOf(n, from, lane), from, to, mode),
      );
      writeHalf(s, f.Rd, k.Q, s.laneOf(half, 64, 0));
    },
    syntax: [
      {
        mnemonic: (k: { readonly Q: number }) => (k.Q === 1 ? `${name}2` : name).toLowerCase(),
        operands: [T('Rd', narrowFloats), T('Rn', wideFloats)],
      },
    ],
  }),
);

const narrowScalar = row({
  name: 'FCVTXN (scalar)',
  pattern: '01 1 11110 0 1 10000 10110 10 Rn Rd',
  encoding: 'FCVTXN_asisdmisc_N',
  meaning: (s, _k, f) => {
    s.checkFPEnabled();
    const result = narrowed(s, s.readV(f.Rn, 64), 64, 32, s.constant(64, rounding.odd));
    s.writeV(f.Rd, truncated(s, result, 32));
  },
  syntax: [{ mnemonic: 'fcvtxn', operands: [V('Rd', (): VectorBytes => 4), V('Rn', (): VectorBytes => 8)] }],
});

const lengthen = row({
  name: 'FCVTL, FCVTL2',
  pattern: '0 Q 0 01110 0 sz 10000 10111 10 Rn Rd',
  encoding: 'FCVTL_asimdmisc_L',
  meaning: (s, k, f) => {
    s.checkFPEnabled();
    const [from, to] = [narrowBits(k), wideBits(k)];
    const lanes = 128 / to;
    const n = s.readV(f.Rn, 128);
    const mode = s.roundingMode();
    const result = mapLanes(s, n, { bits: to, lanes }, (lane) =>
      s.float(`convertTo${to}`, from, [s.laneOf(n, from, k.Q * lanes + lane), mode]),
    );
    s.writeV(f.Rd, result);
  },
  syntax: [
    {
      mnemonic: (k: { readonly Q: number }) => (k.Q === 1 ? 'fcvtl2' : 'fcvtl'),
      operands: [T('Rd', wideFloats), T('Rn', narrowFloats)],
    },
  ],
});

const words: ArrangementText = (f) => arrangedBy(2, f.Q!);

/** UnsignedRecipEstimate and UnsignedRSqrtEstimate: fractions of 2^32, of which those that are too small give the largest. */
const unsignedEstimates = (
  [
    { name: 'URECPE', U: '0', estimate: reciprocalEstimate, least: 1n << 31n },
    { name: 'URSQRTE', U: '1', estimate: rootEstimate, least: 1n << 30n },
  ] as const
).map(({ name, U, estimate, least }) =>
  row({
    name,
    pattern: `0 Q ${U} 01110 1 0 10000 11100 10 Rn Rd`,
    encoding: `${name}_asimdmisc_R`,
    meaning: (s, k, f) => {
      s.checkFPEnabled();
      const w = wordsOver(s);
      const n = s.readV(f.Rn, 128);
      writeFloats(s, { n: f.Rd, Q: k.Q, shape: arrangementOf(2, k.Q) }, (lane) => {
        const element = s.laneOf(n, 32, lane);
        return w.choose(w.below(element, least), -1, w.shl(estimate(w, w.shr(element, 23)), 23));
      });
    },
    syntax: [{ mnemonic: name.toLowerCase(), operands: [T('Rd', words), T('Rn', words)] }],
  }),
);

export const floatWidth: readonly Row[] = [...narrow, narrowScalar, lengthen, ...unsignedEstimates];
