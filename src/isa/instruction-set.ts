// A64 as Heddle has it: every row, in the order of the manual's top-level encoding groups.

import { branches } from './branches.ts';
import { commonShortSequences } from './common-short-sequences.ts';
import { crypto } from './crypto.ts';
import { dataProcessing } from './data-processing.ts';
import { makeDecoder, type Decoder } from './decoder.ts';
import type { Row } from './encoding.ts';
import { floatCompare } from './float-compare.ts';
import { floatConversion } from './float-conversion.ts';
import { floatDataProcessing } from './float-data-processing.ts';
import { loadsStores } from './loads-stores.ts';
import { loadsStoresLRCPC3 } from './loads-stores-lrcpc3.ts';
import { loadsStoresOrderedPair } from './loads-stores-ordered-pair.ts';
import { simd } from './simd.ts';
import { system } from './system.ts';

/** What a core implements and its ID registers announce. */
export const instructionSet: readonly Row[] = [
  ...dataProcessing,
  ...branches,
  ...system,
  ...loadsStores,
  ...floatDataProcessing,
  ...floatCompare,
  ...floatConversion,
  ...simd,
  ...crypto,
];

/** Rows of features that no core has: UNDEFINED there, but they can be assembled, and memory models know what they order. */
export const beyondCores: readonly Row[] = [...commonShortSequences, ...loadsStoresOrderedPair, ...loadsStoresLRCPC3];

export const everyInstruction: readonly Row[] = [...instructionSet, ...beyondCores];

/** Decodes the instructions of every feature. */
export const decodeAny: Decoder = makeDecoder(everyInstruction);
