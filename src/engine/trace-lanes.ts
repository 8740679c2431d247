// Vectors in the trace reading: elements taken and put, and operations element by element, on concrete values that carry what they depend on.

import { aesBoxes } from '../isa/crypto/aes-box.ts';
import type { ElementBits, LaneOperation, Semantics } from '../isa/semantics.ts';
import { extremes } from '../isa/simd/elements.ts';
import { concrete, merge, openName, openValue, traceValue, type TraceValue } from './trace-values.ts';

const laneOf: Semantics['laneOf'] = (vector, bits, lane) => {
  const whole = concrete(vector);
  if (whole.open !== undefined) return openValue(64, openName(`lane${bits}.${lane}`, 64, whole), whole);
  return traceValue(64, BigInt.asUintN(bits, whole.bits >> BigInt(bits * lane)), whole);
};

const withLane: Semantics['withLane'] = (vector, bits, lane, word) => {
  const [whole, element] = [concrete(vector), concrete(word)];
  if (whole.open !== undefined || element.open !== undefined) {
    const name = openName(`withLane${bits}.${lane}`, 128, whole, element);
    return openValue(128, name, merge(whole, element));
  }
  const shift = BigInt(bits * lane);
  const mask = ((1n << BigInt(bits)) - 1n) << shift;
  const inserted = BigInt.asUintN(bits, element.bits) << shift;
  return traceValue(128, (whole.bits & ~mask) | inserted, merge(whole, element));
};

/** The nearest number that an element can hold. */
function saturated(exact: bigint, bits: ElementBits, unsigned: boolean): bigint {
  const { least, most } = extremes(bits, unsigned);
  return exact < least ? least : exact > most ? most : exact;
}

/** One element, unsigned, of an operation element by element. */
function laneResult(operation: LaneOperation, bits: ElementBits, a: bigint, b: bigint): bigint {
  const [x, y] = [BigInt.asIntN(bits, a), BigInt.asIntN(bits, b)];
  const all = (holds: boolean): bigint => (holds ? (1n << BigInt(bits)) - 1n : 0n);
  const results: Readonly<Record<LaneOperation, () => bigint>> = {
    add: () => a + b,
    sub: () => a - b,
    mul: () => a * b,
    addSaturatingS: () => saturated(x + y, bits, false),
    addSaturatingU: () => saturated(a + b, bits, true),
    subSaturatingS: () => saturated(x - y, bits, false),
    subSaturatingU: () => saturated(a - b, bits, true),
    eq: () => all(a === b),
    gtS: () => all(x > y),
    gtU: () => all(a > b),
    geS: () => all(x >= y),
    geU: () => all(a >= b),
    minS: () => (x < y ? a : b),
    minU: () => (a < b ? a : b),
    maxS: () => (x > y ? a : b),
    maxU: () => (a > b ? a : b),
  };
  return BigInt.asUintN(bits, results[operation]());
}

const lanes: Semantics['lanes'] = (operation, bits, a, b) => {
  const [x, y] = [concrete(a), concrete(b)];
  const depends = merge(x, y);
  if (x.open !== undefined || y.open !== undefined) {
    return openValue(128, openName(`${operation}${bits}`, 128, x, y), depends);
  }
  let result = 0n;
  for (let lsb = 0n; lsb < 128n; lsb += BigInt(bits)) {
    const element = (vector: TraceValue): bigint => BigInt.asUintN(bits, vector.bits >> lsb);
    result |= laneResult(operation, bits, element(x), element(y)) << lsb;
  }
  return traceValue(128, result, depends);
};

/** What of the semantics interface has to do with the elements of vectors, but for floating point. */
export const laneOperations = {
  laneOf,
  withLane,
  lanes,
  splat: (bits, word) => {
    const element = concrete(word);
    if (element.open !== undefined) return openValue(128, openName(`splat${bits}`, 128, element), element);
    let whole = 0n;
    for (let at = 0; at < 128; at += bits) whole |= BigInt.asUintN(bits, element.bits) << BigInt(at);
    return traceValue(128, whole, element);
  },

  shuffle: (a, b, bytes) => {
    const [first, second] = [concrete(a), concrete(b)];
    if (first.open !== undefined || second.open !== undefined) {
      return openValue(128, openName(`shuffle${bytes.join('.')}`, 128, first, second), merge(first, second));
    }
    const both = first.bits | (second.bits << 128n);
    return traceValue(
      128,
      bytes.reduceRight((sum, byte) => (sum << 8n) | ((both >> BigInt(8 * byte)) & 0xffn), 0n),
      merge(first, second),
    );
  },
  shiftLanes: (shift, bits, vector, amount) => {
    const whole = concrete(vector);
    if (whole.open !== undefined) return openValue(128, openName(`${shift}${bits}.${amount}`, 128, whole), whole);
    let result = 0n;
    for (let lsb = 0n; lsb < 128n; lsb += BigInt(bits)) {
      const element = BigInt.asUintN(bits, whole.bits >> lsb);
      const by = BigInt(amount);
      const shifted =
        shift === 'left' ? element << by : (shift === 'rightS' ? BigInt.asIntN(bits, element) : element) >> by;
      result |= BigInt.asUintN(bits, shifted) << lsb;
    }
    return traceValue(128, result, whole);
  },
  lookUp: (table, indices) => {
    const [of, at] = [concrete(table), concrete(indices)];
    if (of.open !== undefined || at.open !== undefined) {
      return openValue(128, openName('lookUp', 128, of, at), merge(of, at));
    }
    let result = 0n;
    for (let lsb = 0n; lsb < 128n; lsb += 8n) {
      const index = (at.bits >> lsb) & 0xffn;
      if (index < 16n) result |= ((of.bits >> (8n * index)) & 0xffn) << lsb;
    }
    return traceValue(128, result, merge(of, at));
  },
  substituteBytes: (vector, box) => {
    const whole = concrete(vector);
    if (whole.open !== undefined) return openValue(128, openName(box, 128, whole), whole);
    let bits = 0n;
    for (let at = 0n; at < 128n; at += 8n) bits |= BigInt(aesBoxes[box][Number((whole.bits >> at) & 0xffn)]!) << at;
    return traceValue(128, bits, whole);
  },
} satisfies Partial<Semantics>;
