// Advanced SIMD modified immediate: Arm DDI 0487, C4.1 "Data Processing -- Scalar Floating-Point and Advanced SIMD".

import { row, type Row } from '../encoding.ts';
import { expandImmediate } from '../float-operations.ts';
import type { Semantics, Value } from '../semantics.ts';
import type { Fields, Operand } from '../syntax.ts';
import { floatImmediate } from '../syntax/float-immediates.ts';
import { hex, readNumber, unsigned64 } from '../syntax/numbers.ts';
import { V } from '../syntax/registers.ts';
import { type ArrangementText, T } from '../syntax/vectors.ts';
import { arrangementOf, mapLanes, writeVector } from './elements.ts';

/** abcdefgh, from imm3 and imm5. */
const immediate8 = (s: Semantics, f: { readonly imm3: Value; readonly imm5: Value }): Value =>
  s.zeroExtend(s.or(s.lsl(f.imm3, s.constant(32, 5)), f.imm5), 32, 64);
const value8 = (f: Fields): number => (f.imm3! << 5) | f.imm5!;

/** How cmode shifts the immediate in elements of 32 or 16 bits; `ones`: ones are shifted in (MSL). */
interface Shifted {
  readonly size: 1 | 2;
  readonly amount: number;
  readonly ones: boolean;
}

/** The elements of cmode 0xxx, 10xx and 110x. */
function shiftOf(cmode: number): Shifted | undefined {
  if (cmode < 8) return { size: 2, amount: 8 * (cmode >> 1), ones: false };
  if (cmode < 12) return { size: 1, amount: 8 * ((cmode >> 1) & 1), ones: false };
  if (cmode < 14) return { size: 2, amount: 8 << (cmode & 1), ones: true };
  return undefined;
}

/** Cmode 0xx1 and 10x1 change the register by the immediate, the others set it. */
const isLogical = (cmode: number): boolean => cmode < 12 && (cmode & 1) === 1;

const shiftedText: ArrangementText = (f) => {
  const shifted = shiftOf(f.cmode!);
  return shifted && (shifted.size === 2 ? (f.Q ? '4s' : '2s') : f.Q ? '8h' : '4h');
};

const shiftedImmediate: Operand = {
  print: (f) => {
    const { amount, ones } = shiftOf(f.cmode!) ?? { amount: 0, ones: false };
    return `#${hex(value8(f))}${amount === 0 ? '' : `, ${ones ? 'msl' : 'lsl'} #${amount}`}`;
  },
  read: (reader) => {
    const value = readNumber(reader, { what: 'immediate', least: 0, most: 255 });
    if (value === undefined) return false;
    const { amount: wanted, ones } = shiftOf(reader.fields.cmode!) ?? { amount: 0, ones: false };
    let amount = 0;
    if (reader.accept(',')) {
      const word = ones ? 'msl' : 'lsl';
      if (reader.word() !== word) return reader.expected(word);
      reader.next();
      const read = readNumber(reader, { what: 'shift amount', least: 0, most: 24, step: 8 });
      if (read === undefined) return false;
      amount = read;
    }
    if (amount !== wanted) return reader.refused(`an immediate is not shifted by ${amount} here`);
    return reader.set('imm3', value >> 5) && reader.set('imm5', value & 31);
  },
};

const names = (
  [
    { set: 'MOVI', change: 'ORR', op: '0' },
    { set: 'MVNI', change: 'BIC', op: '1' },
  ] as const
).flatMap(({ set, change, op }) =>
  ([set, change] as const).map((name) =>
    row({
      name: `${name} (vector, immediate)`,
      pattern: `0 Q ${op} 0111100000 imm3 cmode 0 1 imm5 Rd`,
      encoding: (f) => `${name}_asimdimm_${f.cmode < 8 ? 'L_sl' : f.cmode < 12 ? 'L_hl' : 'M_sm'}`,
      allocated: (f) => shiftOf(f.cmode) !== undefined && isLogical(f.cmode) === (name === change),
      meaning: (s, k, f) => {
        s.checkFPEnabled();
        const { size, amount, ones } = shiftOf(k.cmode) ?? { size: 2, amount: 0, ones: false };
        const shifted = s.lsl(immediate8(s, f), s.constant(64, amount));
        const element = ones ? s.or(shifted, s.constant(64, 2 ** amount - 1)) : shifted;
        const d = s.readV(f.Rd, 128);
        const shape = arrangementOf(size, k.Q);
        const vector = mapLanes(s, d, shape, () => element);
        const results = {
          MOVI: () => vector,
          MVNI: () => s.not(vector),
          ORR: () => s.or(d, vector),
          BIC: () => s.and(d, s.not(vector)),
        };
        writeVector(s, f.Rd, k.Q, results[name]());
      },
      syntax: [{ mnemonic: name.toLowerCase(), operands: [T('Rd', shiftedText), shiftedImmediate] }],
    }),
  ),
);

const byteImmediate: Operand = {
  print: (f) => `#${hex(value8(f))}`,
  read: (reader) => {
    const value = readNumber(reader, { what: 'immediate', least: 0, most: 255 });
    return value !== undefined && reader.set('imm3', value >> 5) && reader.set('imm5', value & 31);
  },
};

const moveBytes = row({
  name: 'MOVI (bytes)',
  pattern: '0 Q 0 0111100000 imm3 1110 0 1 imm5 Rd',
  encoding: 'MOVI_asimdimm_N_b',
  meaning: (s, k, f) => {
    s.checkFPEnabled();
    const value = immediate8(s, f);
    writeVector(
      s,
      f.Rd,
      k.Q,
      mapLanes(s, s.readV(f.Rd, 128), arrangementOf(0, k.Q), () => value),
    );
  },
  syntax: [{ mnemonic: 'movi', operands: [T('Rd', (f) => (f.Q ? '16b' : '8b')), byteImmediate] }],
});

/** Each bit of the immediate as a byte of zeros or ones. */
const mask64 = (imm8: number): bigint =>
  Array.from({ length: 8 }, (_, n) => ((imm8 >> n) & 1 ? 0xffn << BigInt(8 * n) : 0n)).reduce((a, b) => a | b);

const maskImmediate: Operand = {
  print: (f) => `#${hex(mask64(value8(f)))}`,
  read: (reader) => {
    const value = reader.expression();
    if (value === undefined) return false;
    const imm8 = Array.from({ length: 8 }, (_, n) => Number((unsigned64(value) >> BigInt(8 * n)) & 1n) << n).reduce(
      (a, b) => a | b,
    );
    if (mask64(imm8) !== unsigned64(value))
      return reader.refused(`a byte of ${hex(unsigned64(value))} is neither 0 nor 0xff`);
    return reader.set('imm3', imm8 >> 5) && reader.set('imm5', imm8 & 31);
  },
};

const moveMask = row({
  name: 'MOVI (64-bit)',
  pattern: '0 Q 1 0111100000 imm3 1110 0 1 imm5 Rd',
  encoding: (f) => (f.Q ? 'MOVI_asimdimm_D2_d' : 'MOVI_asimdimm_D_ds'),
  meaning: (s, k, f) => {
    s.checkFPEnabled();
    const value = immediate8(s, f);
    const bits = Array.from({ length: 8 }, (_, n) => {
      const bit = s.and(s.lsr(value, s.constant(64, n)), s.constant(64, 1));
      return s.lsl(s.mul(bit, s.constant(64, 0xff)), s.constant(64, 8 * n));
    });
    const mask = bits.reduce((a, b) => s.or(a, b));
    writeVector(
      s,
      f.Rd,
      k.Q,
      mapLanes(s, s.readV(f.Rd, 128), arrangementOf(3, k.Q), () => mask),
    );
  },
  syntax: [
    { mnemonic: (k) => (k.Q ? 'movi' : undefined), operands: [T('Rd', () => '2d'), maskImmediate] },
    { mnemonic: (k) => (k.Q ? undefined : 'movi'), operands: [V('Rd', () => 8), maskImmediate] },
  ],
});

/** As FMOV (scalar, immediate), whose eight bits are here in two fields. */
const splitFloat: Operand = {
  print: (f, context) => floatImmediate.print({ ...f, imm8: value8(f) }, context),
  read: (reader) =>
    floatImmediate.read({
      ...reader,
      set: (_field, value) => reader.set('imm3', value >> 5) && reader.set('imm5', value & 31),
    }),
};

const moveFloats = (
  [
    { bits: 32, o2: '0', encoding: 'FMOV_asimdimm_S_s', text: (f: Fields) => (f.Q ? '4s' : '2s') },
    { bits: 16, o2: '1', encoding: 'FMOV_asimdimm_H_h', text: (f: Fields) => (f.Q ? '8h' : '4h') },
    { bits: 64, o2: '0', encoding: 'FMOV_asimdimm_D2_d', text: () => '2d' },
  ] as const
).map(({ bits, o2, encoding, text }) =>
  row({
    name: `FMOV (vector, immediate, ${bits} bits)`,
    pattern: `0 Q ${bits === 64 ? '1' : '0'} 0111100000 imm3 1111 ${o2} 1 imm5 Rd`,
    encoding,
    ...(bits === 16 ? { feature: 'FEAT_FP16' } : {}),
    allocated: (f) => bits !== 64 || f.Q === 1,
    meaning: (s, k, f) => {
      s.checkFPEnabled();
      const value = expandImmediate(s, s.low32(immediate8(s, f)), bits);
      const shape = arrangementOf({ 16: 1, 32: 2, 64: 3 }[bits], k.Q);
      writeVector(
        s,
        f.Rd,
        k.Q,
        mapLanes(s, s.readV(f.Rd, 128), shape, () => value),
      );
    },
    syntax: [{ mnemonic: 'fmov', operands: [T('Rd', text), splitFloat] }],
  }),
);

export const modifiedImmediate: readonly Row[] = [...names, moveBytes, moveMask, ...moveFloats];
