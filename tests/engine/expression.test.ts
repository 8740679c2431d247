import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { binary, constant, constant32 } from '../../src/engine/expression.ts';
import { op } from '../../src/engine/wasm/opcodes.ts';
import { decodeBitMasks, isBitMask } from '../../src/isa/bit-masks.ts';
import type { Value } from '../../src/isa/semantics.ts';
import { Calculator, reversedBits } from './wasm-functions.ts';

type Width = 32 | 64;
/** The value of an operation on unsigned operands of a width. */
type Meaning = (width: Width, a: bigint, b: bigint, c: bigint) => bigint;
type Make = (s: Calculator, width: Width, a: Value, b: Value, c: Value) => Value;
interface Operation {
  readonly make: Make;
  readonly meaning: Meaning;
  readonly widths?: readonly Width[];
  /** The result's width, if it is not the operands'. */
  readonly result?: Width;
}

const signed = (width: number, value: bigint): bigint => BigInt.asIntN(width, value);
const bytesReversed = (container: number, width: number, value: bigint): bigint => {
  let out = 0n;
  for (let at = 0; at < width; at += 8) {
    const to = at - (at % container) + container - 8 - (at % container);
    out |= ((value >> BigInt(at)) & 0xffn) << BigInt(to);
  }
  return out;
};
const quotient = (a: bigint, b: bigint): bigint => (b === 0n ? 0n : a / b);
const shift = (width: number, b: bigint): bigint => b % BigInt(width);

const operations: Readonly<Record<string, Operation>> = {
  add: { make: (s, _w, a, b) => s.add(a, b), meaning: (_w, a, b) => a + b },
  sub: { make: (s, _w, a, b) => s.sub(a, b), meaning: (_w, a, b) => a - b },
  mul: { make: (s, _w, a, b) => s.mul(a, b), meaning: (_w, a, b) => a * b },
  umulh: { make: (s, _w, a, b) => s.umulh(a, b), meaning: (_w, a, b) => (a * b) >> 64n, widths: [64] },
  smulh: {
    make: (s, _w, a, b) => s.smulh(a, b),
    meaning: (_w, a, b) => (signed(64, a) * signed(64, b)) >> 64n,
    widths: [64],
  },
  udiv: { make: (s, _w, a, b) => s.udiv(a, b), meaning: (_w, a, b) => quotient(a, b) },
  sdiv: { make: (s, _w, a, b) => s.sdiv(a, b), meaning: (w, a, b) => quotient(signed(w, a), signed(w, b)) },
  and: { make: (s, _w, a, b) => s.and(a, b), meaning: (_w, a, b) => a & b },
  or: { make: (s, _w, a, b) => s.or(a, b), meaning: (_w, a, b) => a | b },
  xor: { make: (s, _w, a, b) => s.xor(a, b), meaning: (_w, a, b) => a ^ b },
  not: { make: (s, _w, a) => s.not(a), meaning: (_w, a) => ~a },
  lsl: { make: (s, _w, a, b) => s.lsl(a, b), meaning: (w, a, b) => a << shift(w, b) },
  lsr: { make: (s, _w, a, b) => s.lsr(a, b), meaning: (w, a, b) => a >> shift(w, b) },
  asr: { make: (s, _w, a, b) => s.asr(a, b), meaning: (w, a, b) => signed(w, a) >> shift(w, b) },
  ror: {
    make: (s, _w, a, b) => s.ror(a, b),
    meaning: (w, a, b) => (a >> shift(w, b)) | (a << (BigInt(w) - shift(w, b))),
  },
  clz: {
    make: (s, _w, a) => s.clz(a),
    meaning: (w, a) => BigInt(a === 0n ? w : w - a.toString(2).length),
  },
  rbit: { make: (s, _w, a) => s.rbit(a), meaning: (w, a) => reversedBits(w, a) },
  rev16: { make: (s, _w, a) => s.rev(a, 16), meaning: (w, a) => bytesReversed(16, w, a) },
  rev32: { make: (s, _w, a) => s.rev(a, 32), meaning: (w, a) => bytesReversed(32, w, a) },
  rev64: { make: (s, _w, a) => s.rev(a, 64), meaning: (w, a) => bytesReversed(64, w, a), widths: [64] },
  eq: { make: (s, _w, a, b) => s.eq(a, b), meaning: (_w, a, b) => (a === b ? 1n : 0n), result: 32 },
  ne: { make: (s, _w, a, b) => s.ne(a, b), meaning: (_w, a, b) => (a === b ? 0n : 1n), result: 32 },
  ltU: { make: (s, _w, a, b) => s.ltU(a, b), meaning: (_w, a, b) => (a < b ? 1n : 0n), result: 32 },
  ltS: {
    make: (s, _w, a, b) => s.ltS(a, b),
    meaning: (w, a, b) => (signed(w, a) < signed(w, b) ? 1n : 0n),
    result: 32,
  },
  select: {
    make: (s, _w, a, b, c) => s.select(s.low32(c), a, b),
    meaning: (_w, a, b, c) => (BigInt.asUintN(32, c) === 0n ? b : a),
  },
  // As after conditional comparisons.
  ...Object.fromEntries(
    ([0, 1] as const).flatMap((known) => [
      [
        `select ${known} or a comparison`,
        {
          make: (s, _w, a, b, c) => s.select(s.ltU(a, b), s.constant(32, known), s.eq(b, c)),
          meaning: (_w, a, b, c) => BigInt(a < b ? known : b === c ? 1 : 0),
          result: 32,
        } satisfies Operation,
      ],
      [
        `select a comparison or ${known}`,
        {
          make: (s, _w, a, b, c) => s.select(s.ltU(a, b), s.eq(b, c), s.constant(32, known)),
          meaning: (_w, a, b, c) => BigInt(a < b ? (b === c ? 1 : 0) : known),
          result: 32,
        } satisfies Operation,
      ],
    ]),
  ),
  low32: { make: (s, _w, a) => s.low32(a), meaning: (_w, a) => a, result: 32 },
  ...Object.fromEntries(
    ([8, 16, 32] as const).flatMap((from) =>
      ([32, 64] as const).flatMap((to) => [
        [
          `zeroExtend${from}to${to}`,
          { make: (s, _w, a) => s.zeroExtend(a, from, to), meaning: (_w, a) => BigInt.asUintN(from, a), result: to },
        ] satisfies [string, Operation],
        [
          `signExtend${from}to${to}`,
          { make: (s, _w, a) => s.signExtend(a, from, to), meaning: (_w, a) => signed(from, a), result: to },
        ] satisfies [string, Operation],
      ]),
    ),
  ),
};
const names = Object.keys(operations);

const value64 = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  fc.constantFrom(0n, 1n, 2n ** 63n, 2n ** 64n - 1n, 2n ** 31n, 2n ** 32n, 2n ** 32n - 1n, 2n ** 63n - 1n),
  fc.bigInt({ min: 0n, max: 70n }),
);
const programs = fc.record({
  inputs: fc.array(value64, { minLength: 4, maxLength: 4 }),
  steps: fc.array(
    fc.record({
      name: fc.constantFrom(...names),
      width: fc.constantFrom<Width>(32, 64),
      of: fc.tuple(fc.nat(), fc.nat(), fc.nat()),
    }),
    { minLength: 1, maxLength: 20 },
  ),
  /** Which inputs are known when the function is made. */
  known: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
});
type Program = typeof programs extends fc.Arbitrary<infer P> ? P : never;

const inputWidth = (n: number): Width => (n % 2 === 0 ? 64 : 32);

/** The steps' operands by position, and the program's values by the meanings of the operations. */
function reference({ inputs, steps }: Program): {
  values: bigint[];
  widths: Width[];
  operands: number[][];
  made: Program['steps'];
} {
  const values = inputs.map((value, n) => BigInt.asUintN(inputWidth(n), value));
  const widths: Width[] = values.map((_, n) => inputWidth(n));
  const operands: number[][] = [];
  const made: Program['steps'] = [];
  for (const step of steps) {
    const { meaning, widths: possible = [32, 64], result } = operations[step.name] as Operation;
    const width = possible.includes(step.width) ? step.width : 64;
    const candidates = widths.flatMap((w, at) => (w === width ? [at] : []));
    const of = step.of.map((pick) => candidates[pick % candidates.length] as number);
    const [a, b, c] = of.map((at) => values[at] as bigint) as [bigint, bigint, bigint];
    const out = result ?? width;
    values.push(BigInt.asUintN(out, meaning(width, a, b, c)));
    widths.push(out);
    operands.push(of);
    made.push({ ...step, width });
  }
  return { values, widths, operands, made };
}

function calculated(program: Program, isKnown: (n: number) => boolean, isPinned: boolean): bigint[] {
  const { made, operands } = reference(program);
  const calculator = new Calculator();
  return calculator.calculate(
    program.inputs.map((value, n) => BigInt.asUintN(inputWidth(n), value)),
    () => {
      const nodes: Value[] = program.inputs.map((value, n) =>
        isKnown(n) ? calculator.constant(inputWidth(n), value) : calculator.input(n, inputWidth(n)),
      );
      made.forEach(({ name, width }, i) => {
        const [a, b, c] = (operands[i] as number[]).map((at) => nodes[at] as Value) as [Value, Value, Value];
        nodes.push((operations[name] as Operation).make(calculator, width, a, b, c));
      });
      return nodes;
    },
    isPinned,
  );
}

describe('an expression', () => {
  it('has the value of the architecture’s arithmetic, folded, emitted, and in part both', () => {
    fc.assert(
      fc.property(programs, fc.boolean(), (program, isPinned) => {
        const { values } = reference(program);
        expect(calculated(program, () => false, isPinned)).toEqual(values);
        expect(calculated(program, () => true, isPinned)).toEqual(values);
        expect(calculated(program, (n) => program.known[n] === true, isPinned)).toEqual(values);
      }),
      { numRuns: 500 },
    );
  });

  it.each(names)('%s is right on the edges of its operands', (name) => {
    const edges = [0n, 1n, 31n, 32n, 63n, 64n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 63n, 2n ** 64n - 1n];
    const { widths: possible = [32, 64] } = operations[name] as Operation;
    for (const width of possible) {
      const of: [number, number, number] = [0, 1, 1];
      const program = (a: bigint, b: bigint): Program => {
        // Inputs 0 and 2 are wide, 1 and 3 are not.
        const inputs = width === 64 ? [a, 0n, b, 0n] : [0n, a, 0n, b];
        return { inputs, steps: [{ name, width, of }], known: [] };
      };
      for (const a of edges) {
        // One function for all b would hide nothing, but 100 modules for each operation take their time.
        const b = edges[(edges.indexOf(a) * 7 + 3) % edges.length] as bigint;
        for (const [first, second] of [
          [a, b],
          [a, a],
          [b, 0n],
        ] as const) {
          const tried = program(first, second);
          const expected = reference(tried).values.at(-1);
          expect(calculated(tried, () => true, false).at(-1)).toBe(expected);
          expect(calculated(tried, () => false, false).at(-1)).toBe(expected);
        }
      }
    }
  });

  it('of constants is a constant, and of an operation with its identity the operand itself', () => {
    const x = new Calculator().input(0, 64) as ReturnType<typeof constant>;
    for (const name of ['add', 'sub', 'or', 'xor', 'lsl', 'lsr', 'asr', 'ror'] as const) {
      expect(binary(name, x, constant(64, 0n))).toBe(x);
    }
    expect(binary('mul', constant(64, 1n), x)).toBe(x);
    expect(binary('and', x, constant(64, -1n))).toBe(x);
    expect(binary('and', constant(64, 0n), x).isConstant).toBe(true);
    expect(binary('lsl', constant(32, 3n), constant(32, 33n))).toMatchObject({ isConstant: true, bits: 6n });
  });

  it('of a logical immediate is a constant, whatever the pattern', () => {
    const calculator = new Calculator();
    for (const width of [32, 64] as const) {
      for (let N = 0; N < (width === 64 ? 2 : 1); N += 1) {
        for (let imms = 0; imms < 64; imms += 1) {
          if (!isBitMask(N, imms)) continue;
          const mask = decodeBitMasks(calculator, N, constant32(imms), constant32(5), width);
          expect(mask).toMatchObject({ isConstant: true });
        }
      }
    }
  });

  it('of a field at bit 0 is one mask in place of two shifts', () => {
    const x = new Calculator().input(0, 64) as ReturnType<typeof constant>;
    const field = (left: bigint, right: bigint): ReturnType<typeof constant> =>
      binary('lsr', binary('lsl', x, constant(64, left)), constant(64, right));
    expect(field(48n, 48n)).toMatchObject({ code: op.i64_and, b: { bits: 0xffffn } });
    expect(field(16n, 48n)).toMatchObject({ code: op.i64_and, a: { code: op.i64_shr_u }, b: { bits: 0xffffn } });
    expect(field(32n, 32n)).toMatchObject({ code: op.i64_and, b: { bits: 0xffff_ffffn } });
    // A mask that the host must load costs more than a shift.
    expect(field(24n, 24n)).toMatchObject({ code: op.i64_shr_u });
  });

  it('is made of operands of one width', () => {
    expect(() => binary('add', constant(32, 1n), constant(64, 1n))).toThrow('add of 32 and 64 bits');
  });
});
