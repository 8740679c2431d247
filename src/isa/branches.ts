// Branches: Arm DDI 0487, C4.1 "Branches, Exception Generating and System instructions".

import type { Row } from './encoding.ts';

export const branches: readonly Row[] = [];
