// The loads and stores: Arm DDI 0487, C4.1 "Loads and Stores". Left out, and so UNDEFINED: FEAT_MTE, FEAT_MOPS and
// FEAT_LS64.

import { atomics } from './atomics.ts';
import type { Row } from './encoding.ts';
import { loadsStoresExclusive } from './loads-stores-exclusive.ts';
import { loadsStoresOrdered } from './loads-stores-ordered.ts';
import { loadsStoresPair } from './loads-stores-pair.ts';
import { loadsStoresRegister } from './loads-stores-register.ts';
import { pointerLoads } from './pointer-authentication.ts';
import { loadsStoresStructures } from './loads-stores-structures.ts';

export const loadsStores: readonly Row[] = [
  ...loadsStoresStructures,
  ...loadsStoresExclusive,
  ...loadsStoresOrdered,
  ...loadsStoresPair,
  ...loadsStoresRegister,
  ...pointerLoads,
  ...atomics,
];
