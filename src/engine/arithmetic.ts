// The part of the semantics interface that computes: constants are folded, the rest becomes nodes of wasm operations.

import { crcTablesOffset } from '../arch/state-layout.ts';
import { crcTableOf } from '../isa/crc-tables.ts';
import type { Semantics, Value } from '../isa/semantics.ts';
import { Emitting } from './emitting.ts';
import {
  argumentOf,
  binary,
  type BinaryName,
  call,
  clz,
  constant,
  constant32,
  type Node,
  quotient,
  select,
  stateLoad,
  unary,
} from './expression.ts';
import { functionIndex } from './services.ts';
import { op } from './wasm/opcodes.ts';

type Computing =
  | 'constant'
  | 'add'
  | 'sub'
  | 'mul'
  | 'umulh'
  | 'smulh'
  | 'udiv'
  | 'sdiv'
  | 'and'
  | 'or'
  | 'xor'
  | 'not'
  | 'lsl'
  | 'lsr'
  | 'asr'
  | 'ror'
  | 'clz'
  | 'rbit'
  | 'rev'
  | 'eq'
  | 'ne'
  | 'ltU'
  | 'ltS'
  | 'select'
  | 'zeroExtend'
  | 'signExtend'
  | 'low32'
  | 'crc32';

/** Values of the generators are nodes. */
export const node = (value: Value): Node => value as Node;

export abstract class Arithmetic extends Emitting implements Pick<Semantics, Computing> {
  private op(name: BinaryName, a: Value, b: Value): Node {
    return binary(name, node(a), node(b));
  }

  constant(width: 32 | 64, value: number | bigint): Value {
    return constant(width, BigInt(value));
  }
  add(a: Value, b: Value): Value {
    return this.op('add', a, b);
  }
  sub(a: Value, b: Value): Value {
    return this.op('sub', a, b);
  }
  mul(a: Value, b: Value): Value {
    return this.op('mul', a, b);
  }
  and(a: Value, b: Value): Value {
    return this.op('and', a, b);
  }
  or(a: Value, b: Value): Value {
    return this.op('or', a, b);
  }
  xor(a: Value, b: Value): Value {
    return this.op('xor', a, b);
  }
  not(a: Value): Value {
    return this.op('xor', a, constant(a.width, -1n));
  }
  lsl(a: Value, amount: Value): Value {
    return this.op('lsl', a, amount);
  }
  lsr(a: Value, amount: Value): Value {
    return this.op('lsr', a, amount);
  }
  asr(a: Value, amount: Value): Value {
    return this.op('asr', a, amount);
  }
  ror(a: Value, amount: Value): Value {
    return this.op('ror', a, amount);
  }
  eq(a: Value, b: Value): Value {
    return this.op('eq', a, b);
  }
  ne(a: Value, b: Value): Value {
    return this.op('ne', a, b);
  }
  ltU(a: Value, b: Value): Value {
    return this.op('ltU', a, b);
  }
  ltS(a: Value, b: Value): Value {
    return this.op('ltS', a, b);
  }
  select(condition: Value, a: Value, b: Value): Value {
    return select(node(condition), node(a), node(b));
  }

  umulh(a: Value, b: Value): Value {
    return call(functionIndex.umulh, 64, [node(a), node(b)]);
  }
  smulh(a: Value, b: Value): Value {
    return call(functionIndex.smulh, 64, [node(a), node(b)]);
  }

  udiv(a: Value, b: Value): Value {
    const code = a.width === 64 ? op.i64_div_u : op.i32_div_u;
    return this.divide(code, node(a), node(b), this.constant(a.width as 32 | 64, 1));
  }

  sdiv(a: Value, b: Value): Value {
    // wasm traps on the minimum divided by -1, for which dividing by 1 gives the architected quotient.
    const width = a.width as 32 | 64;
    const overflows = this.and(
      this.eq(b, this.constant(width, -1)),
      this.eq(a, this.constant(width, 1n << BigInt(width - 1))),
    );
    const one = this.constant(width, 1);
    const code = width === 64 ? op.i64_div_s : op.i32_div_s;
    return this.divide(code, node(a), node(this.select(overflows, one, b)), one);
  }

  /** a / b, and 0 where b is 0. */
  private divide(code: number, a: Node, b: Node, one: Value): Value {
    const zero = constant(a.width, 0n);
    const byZero = this.eq(b, zero);
    const divisor = node(this.select(byZero, one, b));
    return this.select(byZero, zero, quotient(code, a, divisor));
  }

  clz(a: Value): Value {
    return clz(node(a));
  }

  rbit(a: Value): Value {
    if (a.width === 64) return call(functionIndex.rbit, 64, [node(a)]);
    const reversed = call(functionIndex.rbit, 64, [node(this.zeroExtend(a, 32, 64))]);
    return this.low32(this.lsr(reversed, this.constant(64, 32)));
  }

  rev(a: Value, containerBits: 16 | 32 | 64): Value {
    const width = a.width as 32 | 64;
    let result = this.swapAdjacent(a, 8, 0x00ff00ff00ff00ffn);
    if (containerBits >= 32) result = this.swapAdjacent(result, 16, 0x0000ffff0000ffffn);
    if (containerBits === 64) result = this.ror(result, this.constant(width, 32));
    return result;
  }

  private swapAdjacent(a: Value, bits: number, mask: bigint): Value {
    const width = a.width as 32 | 64;
    const distance = this.constant(width, bits);
    const low = this.constant(width, mask);
    return this.or(this.lsl(this.and(a, low), distance), this.and(this.lsr(a, distance), low));
  }

  zeroExtend(a: Value, fromBits: 8 | 16 | 32, width: 32 | 64): Value {
    const n = node(a);
    if (n.isConstant) return constant(width, BigInt.asUintN(fromBits, n.bits));
    if (a.width === 32 && width === 64) {
      const low = fromBits === 32 ? a : this.and(a, this.constant(32, 2 ** fromBits - 1));
      return unary(op.i64_extend_i32_u, 64, node(low));
    }
    const same = a.width === 64 && width === 32 ? this.low32(a) : a;
    return fromBits === width ? same : this.and(same, this.constant(width, 2 ** fromBits - 1));
  }

  signExtend(a: Value, fromBits: 8 | 16 | 32, width: 32 | 64): Value {
    const n = node(a);
    if (n.isConstant) return constant(width, BigInt.asIntN(fromBits, n.bits));
    if (width === 32) {
      const low = node(this.low32(a));
      return fromBits === 32 ? low : unary(fromBits === 8 ? op.i32_extend8_s : op.i32_extend16_s, 32, low);
    }
    if (a.width === 32 && fromBits === 32) return unary(op.i64_extend_i32_s, 64, n);
    const wide = a.width === 64 ? n : unary(op.i64_extend_i32_u, 64, n);
    const code = { 8: op.i64_extend8_s, 16: op.i64_extend16_s, 32: op.i64_extend32_s }[fromBits];
    return unary(code, 64, wide);
  }

  low32(a: Value): Value {
    const n = node(a);
    if (a.width === 32) return a;
    if (n.isConstant) return constant(32, n.bits);
    return argumentOf(n, op.i64_extend_i32_u) ?? unary(op.i32_wrap_i64, 32, n);
  }

  crc32(acc: Value, data: Value, bytes: 1 | 2 | 4 | 8, castagnoli: boolean): Value {
    // The remainder is added to the first four bytes; what of it has no byte to be added to moves down.
    const low = this.xor(acc, this.low32(data));
    const high = bytes === 8 ? this.low32(this.lsr(data, this.constant(64, 32))) : low;
    const rest = bytes < 4 ? this.lsr(acc, constant32(8 * bytes)) : constant32(0);
    return Array.from({ length: bytes }, (_, n): Value => {
      const entry = (byteAt: number): Value => {
        const word = n < 4 ? low : high;
        // A table's entries have 4 bytes.
        const scaled = byteAt === 0 ? this.lsl(word, constant32(2)) : this.lsr(word, constant32(8 * byteAt - 2));
        return this.and(scaled, constant32(0xff << 2));
      };
      return stateLoad(op.i32_load, 32, node(entry(n % 4)), crcTablesOffset + 4 * crcTableOf(castagnoli, bytes, n));
    }).reduce((sum, part) => this.xor(sum, part), rest);
  }
}
