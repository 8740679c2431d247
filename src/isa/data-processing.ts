// The data-processing instructions of the base set, in the order of the manual's encoding groups.

import { addSubtract } from './add-subtract.ts';
import { bitfield } from './bitfield.ts';
import { bitOperations } from './bit-operations.ts';
import { conditional } from './conditional.ts';
import { crc32 } from './crc32.ts';
import { divideShift } from './divide-shift.ts';
import type { Row } from './encoding.ts';
import { flags } from './flags.ts';
import { logical } from './logical.ts';
import { moveWide } from './move-wide.ts';
import { multiply } from './multiply.ts';
import { pointerAuthentication } from './pointer-authentication.ts';
import { pcRelative } from './pc-relative.ts';

export const dataProcessing: readonly Row[] = [
  ...pcRelative,
  ...addSubtract,
  ...logical,
  ...moveWide,
  ...bitfield,
  ...divideShift,
  ...crc32,
  ...bitOperations,
  ...pointerAuthentication,
  ...flags,
  ...conditional,
  ...multiply,
];
