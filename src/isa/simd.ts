// Advanced SIMD, in the order of the manual's encoding groups.

import type { Row } from './encoding.ts';
import { byElement } from './simd/by-element.ts';
import { complex } from './simd/complex.ts';
import { copy } from './simd/copy.ts';
import { floatAcross } from './simd/float-across.ts';
import { floatByElement } from './simd/float-by-element.ts';
import { floatFixedPoint } from './simd/float-fixed-point.ts';
import { floatThreeSame } from './simd/float-three-same.ts';
import { floatTwoRegister } from './simd/float-two-register.ts';
import { floatWidth } from './simd/float-width.ts';
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
  ...floatThreeSame,
  ...floatTwoRegister,
  ...floatWidth,
  ...floatAcross,
  ...floatFixedPoint,
  ...floatByElement,
  ...complex,
];
