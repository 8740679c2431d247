// A64 as Heddle has it: every row, in the order of the manual's top-level encoding groups.

import { branches } from './branches.ts';
import { dataProcessing } from './data-processing.ts';
import type { Row } from './encoding.ts';
import { floatCompare } from './float-compare.ts';
import { floatConversion } from './float-conversion.ts';
import { floatDataProcessing } from './float-data-processing.ts';
import { loadsStores } from './loads-stores.ts';
import { system } from './system.ts';

export const instructionSet: readonly Row[] = [
  ...dataProcessing,
  ...branches,
  ...system,
  ...loadsStores,
  ...floatDataProcessing,
  ...floatCompare,
  ...floatConversion,
];
