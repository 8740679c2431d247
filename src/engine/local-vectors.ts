// SIMD&FP registers in the locals of one wasm function. Each has a local of 128 bits; of a register that was last written as a number or a
// word, whose upper half is 0, that is known until another path joins, so that what computes with numbers never makes vectors of them:
// a local that nobody reads costs nothing.

import { pe } from '../arch/state-layout.ts';
import type { Value, Width } from '../isa/semantics.ts';
import { node } from './arithmetic.ts';
import { cpuLocal } from './emitting.ts';
import { constant, intOf, localNumber, localValue, type Node, vectorNode } from './expression.ts';
import { numberBehind, wordOf } from './host-numbers.ts';
import { LocalRegisters } from './local-registers.ts';
import { simd, type } from './wasm/opcodes.ts';

/** What is known of the registers where the text is. */
export interface VectorState {
  /** Of some, their low word; above it they are 0. */
  readonly words: ReadonlyMap<number, Node>;
  /** Those that differ from the record, a bit each. */
  readonly dirty: number;
}

/** The registers of a set, in ascending order. */
const vectorsOf = (set: number): number[] =>
  Array.from({ length: 32 }, (_, n) => n).filter((n) => ((set >>> n) & 1) !== 0);

export abstract class LocalVectors extends LocalRegisters {
  private vectorLocals = new Map<number, number>();
  private words = new Map<number, Node>();
  private dirtyVectors = 0;

  /** A register is read, or has got a new value. */
  protected noteVectorRead(_n: number): void {
    // Most readings have it from their facts.
  }
  protected noteVectorWrite(n: number): void {
    this.dirtyVectors |= 1 << n;
  }

  protected override startFunction(): void {
    super.startFunction();
    this.vectorLocals = new Map();
    this.setVectorState({ words: new Map(), dirty: 0 });
  }

  protected vectorState(): VectorState {
    return { words: new Map(this.words), dirty: this.dirtyVectors };
  }

  protected setVectorState({ words, dirty }: VectorState): void {
    this.words = new Map(words);
    this.dirtyVectors = dirty;
  }

  override readV(register: Value, width: Width): Value {
    const n = intOf(node(register));
    this.noteVectorRead(n);
    const word = width === 128 ? undefined : this.words.get(n);
    if (word) return width === 64 ? word : this.low32(word);
    const vector = localValue(128, this.vectorLocal(n), false);
    if (width === 128) return vector;
    return vectorNode(width === 64 ? simd.i64x2_extract_lane : simd.i32x4_extract_lane, width, vector, undefined, 0);
  }

  protected override commitVectorWrites(): void {
    const writes = this.vectorWrites.map(({ n, value }) => ({ n: intOf(n), value: this.keptValue(value) }));
    this.vectorWrites = [];
    for (const { n, value } of writes) {
      this.emit(value.vector);
      this.set(this.vectorLocal(n));
      if (value.word) this.words.set(n, value.word);
      else this.words.delete(n);
      this.noteVectorWrite(n);
    }
  }

  /** A value as it is after all writes of its instruction, and as a vector. */
  private keptValue(value: Node): { readonly vector: Node; readonly word: Node | undefined } {
    if (value.isConstant) {
      const word = value.width === 128 ? undefined : constant(64, value.bits);
      return { vector: constant(128, value.bits), word };
    }
    if (value.width === 128) {
      // One write alone is taken at once.
      return {
        vector: this.vectorWrites.length === 1 ? value : localValue(128, this.settle(value), true),
        word: undefined,
      };
    }
    const bits = value.width;
    const zero = constant(128, 0n);
    const number = numberBehind(this, value, bits);
    if (number) {
      const kept = localNumber(bits, this.settle(number), true);
      const code = bits === 64 ? simd.f64x2_replace_lane : simd.f32x4_replace_lane;
      return { vector: vectorNode(code, 128, zero, kept, 0), word: wordOf(kept, bits) };
    }
    const word = localValue(64, this.settle(node(bits === 64 ? value : this.zeroExtend(value, 32, 64))), true);
    return { vector: vectorNode(simd.i64x2_replace_lane, 128, zero, word, 0), word };
  }

  private vectorLocal(n: number): number {
    let local = this.vectorLocals.get(n);
    if (local === undefined) {
      local = this.allocate(type.v128);
      this.vectorLocals.set(n, local);
    }
    return local;
  }

  protected loadVectors(set: number): void {
    for (const n of vectorsOf(set)) {
      this.get(cpuLocal);
      this.vectorOperation(simd.v128_load, pe.vector + 16 * n);
      this.set(this.vectorLocal(n));
    }
  }

  /** record[x] = local, for each of them. */
  protected storeVectors(set = this.dirtyVectors): void {
    for (const n of vectorsOf(set)) this.storeState(pe.vector + 16 * n, localValue(128, this.vectorLocal(n), false));
  }

  /** The record has them all. */
  protected cleanVectors(): void {
    this.dirtyVectors = 0;
  }
}
