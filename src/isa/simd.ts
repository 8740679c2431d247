// Advanced SIMD, in the order of the manual's encoding groups.

import type { Row } from './encoding.ts';
import { copy } from './simd/copy.ts';
import { modifiedImmediate } from './simd/modified-immediate.ts';
import { permutes } from './simd/permute.ts';
import { shiftImmediate } from './simd/shift-immediate.ts';
import { threeSame } from './simd/three-same.ts';
import { twoRegister } from './simd/two-register.ts';

export const simd: readonly Row[] = [
  ...permutes,
  ...copy,
  ...threeSame,
  ...twoRegister,
  ...modifiedImmediate,
  ...shiftImmediate,
];
