// Advanced SIMD, in the order of the manual's encoding groups.

import type { Row } from './encoding.ts';
import { byElement } from './simd/by-element.ts';
import { copy } from './simd/copy.ts';
import { modifiedImmediate } from './simd/modified-immediate.ts';
import { permutes } from './simd/permute.ts';
import { shiftImmediate } from './simd/shift-immediate.ts';
import { threeDifferent } from './simd/three-different.ts';
import { threeSame } from './simd/three-same.ts';
import { threeSameExtra } from './simd/three-same-extra.ts';
import { twoRegister } from './simd/two-register.ts';

export const simd: readonly Row[] = [
  ...permutes,
  ...copy,
  ...threeSame,
  ...threeSameExtra,
  ...threeDifferent,
  ...byElement,
  ...twoRegister,
  ...modifiedImmediate,
  ...shiftImmediate,
];
