// All examples.

import type { Example } from './example.ts';
import { locks } from './locks.ts';
import { readers } from './readers.ts';
import { structures } from './structures.ts';

export const examples: readonly Example[] = [...locks, ...structures, ...readers];
