// The data-processing instructions of the base set.

import { addSubtract } from './add-subtract.ts';
import type { Row } from './encoding.ts';

export const dataProcessing: readonly Row[] = [...addSubtract];
