// Exception generation, hints, barriers and system register access: Arm DDI 0487, C4.1.

import type { Row } from './encoding.ts';

export const system: readonly Row[] = [];
