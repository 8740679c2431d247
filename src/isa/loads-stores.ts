// The loads and stores: Arm DDI 0487, C4.1 "Loads and Stores".

import type { Row } from './encoding.ts';

export const loadsStores: readonly Row[] = [];
