// The form of a row in the tables of system registers, and in the table of System instructions.

import type { CoreIdentity } from './core-identity.ts';
import type { TrapName } from './traps.ts';
import { type Encoding } from './system-key.ts';

export type Access = 'RW' | 'RO' | 'WO';

/**
 * Where the value is: `plain` in the register's slot; `constant` is its reset value and ignores writes; `computed` by the
 * behaviour of the register's name (a slot may back it); `gic` in the CPU interface; `pstate` in the hot fields of the record;
 * `alias` in another register, which host-registers.ts names.
 */
export type Storage = 'plain' | 'constant' | 'computed' | 'timer' | 'pstate' | 'gic' | 'alias';

/**
 * What must exist for the register to exist. Without EL2, EL3 finds its registers RES0; `EL2 or identity` reads as its reset
 * value there. `E2H`: HCR_EL2.E2H in effect.
 */
export type Needs = 'EL2' | 'EL2 or identity' | 'E2H' | 'EL3' | 'EL1 highest' | 'EL2 highest';

/** What a write changes beyond the register: the stage 1 translation of a regime, a control of execution, a routing. */
export type Affects = 'EL1&0' | 'EL2' | 'EL3' | 'controls' | 'HCR_EL2' | 'SCR_EL3';

/** The least EL of an access; `highest` is the highest that is implemented. */
export type LeastEl = 0 | 1 | 2 | 3 | 'highest';

export interface RegisterDetails {
  readonly access?: Access;
  /** Default: as op1 says. */
  readonly readEl?: LeastEl;
  readonly writeEl?: LeastEl;
  readonly storage?: Storage;
  /** A computed register that also has a slot. */
  readonly backed?: boolean;
  readonly reset?: bigint | ((core: CoreIdentity) => bigint);
  /** Bits that software can change; the others are RES0, or RES1 in `ones`. */
  readonly writable?: bigint;
  readonly ones?: bigint;
  readonly needs?: Needs;
  readonly traps?: readonly TrapName[];
  readonly affects?: Affects;
}

export interface RegisterRow extends RegisterDetails {
  readonly name: string;
  readonly encoding: Encoding;
}

export const allBits = 0xffff_ffff_ffff_ffffn;
export const lowWord = 0xffff_ffffn;

/** Bits [high:low]. */
export const field = (high: number, low: number): bigint => ((1n << BigInt(high - low + 1)) - 1n) << BigInt(low);
/** The bits with these numbers. */
export const bits = (...numbers: readonly number[]): bigint => numbers.reduce((sum, n) => sum | (1n << BigInt(n)), 0n);

export const register = (name: string, encoding: Encoding, details: RegisterDetails = {}): RegisterRow => ({
  name,
  encoding,
  ...details,
});

/** Least EL by op1, as the Arm ARM assigns op1 to exception levels. Of op1 7, Secure EL1, the register's behaviour checks the state. */
export const leastElOfOp1 = (op1: number): LeastEl => {
  switch (op1) {
    case 3:
      return 0;
    case 4:
    case 5:
      return 2;
    case 6:
      return 3;
    default:
      return 1;
  }
};
