// The encodings that the vectors cover: all of the Armv8.2-A base instruction set with FEAT_LSE, FEAT_LRCPC,
// FEAT_LRCPC2, FEAT_CRC32 and FEAT_FlagM, floating point and Advanced SIMD with FEAT_FP16, FEAT_RDM, FEAT_DotProd, FEAT_FHM and FEAT_FCMA,
// the Cryptographic Extension, and the loads and stores of SIMD&FP registers. Left out: MTE and MOPS.

import { strict as assert } from 'node:assert';
import { BRANCHES, SYSTEM } from './encodings/branches-system.ts';
import { CRYPTO } from './encodings/crypto.ts';
import { DATA_PROCESSING_IMMEDIATE } from './encodings/data-processing-immediate.ts';
import { DATA_PROCESSING_REGISTER } from './encodings/data-processing-register.ts';
import { FLOAT } from './encodings/float.ts';
import { LOADS_STORES, SIMD_LOADS_STORES } from './encodings/loads-stores.ts';
import { SIMD } from './encodings/simd.ts';
import { SIMD_FLOAT } from './encodings/simd-float.ts';
import { SIMD_PRODUCTS } from './encodings/simd-products.ts';
import { POINTER_AUTHENTICATION } from './encodings/pointer-authentication.ts';
import { STRUCTURES } from './encodings/structures.ts';
import { ATOMICS, EXCLUSIVES_AND_ORDERED } from './encodings/synchronization.ts';
import { type Encoding, matches } from './pattern.ts';

/** One file of vectors per group: tests/vectors/data/<group>.bin.gz. */
export const GROUPS = {
  'data-processing-immediate': DATA_PROCESSING_IMMEDIATE,
  'data-processing-register': DATA_PROCESSING_REGISTER,
  branches: BRANCHES,
  system: SYSTEM,
  'loads-stores': LOADS_STORES,
  'simd-loads-stores': SIMD_LOADS_STORES,
  'exclusives-ordered': EXCLUSIVES_AND_ORDERED,
  atomics: ATOMICS,
  float: FLOAT,
  simd: SIMD,
  'simd-products': SIMD_PRODUCTS,
  'simd-float': SIMD_FLOAT,
  structures: STRUCTURES,
  crypto: CRYPTO,
  'pointer-authentication': POINTER_AUTHENTICATION,
} as const satisfies Record<string, readonly Encoding[]>;

export type Group = keyof typeof GROUPS;

export const GROUP_NAMES = Object.keys(GROUPS) as readonly Group[];

export const ENCODINGS: readonly Encoding[] = GROUP_NAMES.flatMap((group) => GROUPS[group]);

const BY_NAME = new Map(ENCODINGS.map((encoding) => [encoding.name, encoding]));
assert.equal(BY_NAME.size, ENCODINGS.length, 'two encodings have one name');

export function encodingNamed(name: string): Encoding | undefined {
  return BY_NAME.get(name);
}

/** The Arm ARM's name: without the variant that the vectors add. */
export function armName(encoding: Encoding): string {
  return encoding.name.replace(/\(.*\)$/, '');
}

/** Whether the pattern of the row without a variant has its words, too: the system operations of EL0 repeat SYS, MSR and MRS. */
function repeats(encoding: Encoding): boolean {
  const plain = BY_NAME.get(armName(encoding));
  return plain !== undefined && plain !== encoding && matches(plain, encoding.value);
}

export const DISTINCT_ENCODINGS: readonly Encoding[] = ENCODINGS.filter((encoding) => !repeats(encoding));
