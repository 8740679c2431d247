// How the vectors describe an encoding: the Arm ARM's encoding name, its bit pattern, and what a random operand set
// must respect. It is written from the manual's encoding index, apart from src/isa, so that the two can check each other.

import { strict as assert } from 'node:assert';
import type { State } from './state.ts';

/** Where an encoding's vectors live and how their operands are chosen. */
export type Kind = 'data' | 'memory' | 'branch' | 'system';

interface Field {
  readonly name: string;
  readonly lsb: number;
  readonly width: number;
}

/** The value of a field of the word at hand; asking for a field that the encoding lacks is our own bug. */
export type Fields = (name: string) => number;

export type Addressing =
  /** The base register alone. */
  | { readonly kind: 'base' }
  /** base + immediate; post-indexed forms access the base itself. */
  | {
      readonly kind: 'immediate';
      readonly field: string;
      readonly scale: number;
      readonly signed: boolean;
      readonly post: boolean;
    }
  /** base + (extended Rm << (S ? shift : 0)). */
  | { readonly kind: 'register'; readonly shift: number }
  /** PC + imm19 * 4. */
  | { readonly kind: 'literal' };

export interface Access {
  /** Bytes touched at the address, over all registers of the instruction. */
  readonly bytes: number;
  /** 1: any address will do while SCTLR_ELx.A is 0. Otherwise a multiple of this, or an Alignment fault. */
  readonly alignment: number;
  readonly addressing: Addressing;
  /** Never given a misaligned address, because the emulator does not check it. */
  readonly alignedOnly?: boolean;
  /** A store-exclusive, which is to follow the load-exclusive that sets its monitor. */
  readonly storeExclusive?: 'single' | 'pair';
  /** A compare and swap: the comparands are in this many registers from Rs on. */
  readonly compares?: 1 | 2;
}

export interface Encoding {
  /** The Arm ARM's encoding name, then "(variant)" where several rows share one. */
  readonly name: string;
  readonly mask: number;
  readonly value: number;
  readonly fields: readonly Field[];
  readonly feature: string;
  readonly kind: Kind;
  /** False for an encoding that user mode cannot run, or whose result depends on the implementation: decoded only. */
  readonly executable: boolean;
  /** Refuses RESERVED, UNDEFINED and CONSTRAINED UNPREDICTABLE combinations. */
  readonly legal: (f: Fields) => boolean;
  readonly access?: Access;
  /** The source register of a system register write, and the bits of that register that are implemented everywhere. */
  readonly writes?: { readonly field: string; readonly mask: bigint };
  /** SIMD&FP registers hold numbers of this format, and FPCR.FZ16 is drawn as well. */
  readonly floats?: 16 | 32 | 64;
  readonly erratum?: Erratum;
}

/** Where the emulator departs from the manual: the vectors hold what the manual says. */
export interface Erratum {
  readonly reason: string;
  readonly correct: (f: Fields, state: State) => void;
}

export interface Options {
  readonly feature?: string;
  readonly executable?: boolean;
  readonly legal?: (f: Fields) => boolean;
  readonly access?: Access;
  readonly writes?: { readonly field: string; readonly mask: bigint };
  readonly floats?: 16 | 32 | 64;
  readonly erratum?: Erratum;
}

/**
 * Reads a pattern, most significant bit first: runs of 0 and 1, `name:width` for a field, and `name:bits` for a field
 * of which some bits are fixed (`immr:0xxxxx`); such bits hold an x or begin with 0, unlike a width.
 */
export function encoding(kind: Kind, name: string, pattern: string, options: Options = {}): Encoding {
  const fields: Field[] = [];
  let bits = '';
  for (const token of pattern.trim().split(/\s+/)) {
    const [head = '', tail] = token.split(':');
    if (tail === undefined) {
      bits += head;
      continue;
    }
    const shape = /^0|x/.test(tail) ? tail : 'x'.repeat(Number(tail));
    bits += shape;
    fields.push({ name: head, lsb: 32 - bits.length, width: shape.length });
  }
  assert.match(bits, /^[01x]{32}$/, `${name}: ${pattern}`);
  return {
    name,
    mask: Number.parseInt(bits.replace(/[01]/g, '1').replace(/x/g, '0'), 2),
    value: Number.parseInt(bits.replace(/x/g, '0'), 2),
    fields,
    feature: options.feature ?? 'Armv8.0',
    kind,
    executable: options.executable ?? true,
    legal: options.legal ?? (() => true),
    ...(options.access ? { access: options.access } : {}),
    ...(options.writes ? { writes: options.writes } : {}),
    ...(options.floats ? { floats: options.floats } : {}),
    ...(options.erratum ? { erratum: options.erratum } : {}),
  };
}

export function fieldsOf(encoding: Encoding, word: number): Fields {
  return (name) => {
    const field = encoding.fields.find((candidate) => candidate.name === name);
    assert.ok(field, `${encoding.name} has no field ${name}`);
    return (word >>> field.lsb) & (2 ** field.width - 1);
  };
}

export function hasField(encoding: Encoding, name: string): boolean {
  return encoding.fields.some((field) => field.name === name);
}

/** Whether the word is this encoding, with its RESERVED and UNPREDICTABLE combinations excluded. */
export function matches(encoding: Encoding, word: number): boolean {
  return (word & encoding.mask) >>> 0 === encoding.value && encoding.legal(fieldsOf(encoding, word));
}
