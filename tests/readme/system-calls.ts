// The system calls of the resident Linux ABI, as its own table has them.

import { families } from '../../src/linux-abi/calls/table.ts';
import { table } from './markdown.ts';

export const systemCallTable = (): string =>
  table(
    ['family', 'calls'],
    Object.entries(families).map(([name, family]) => [
      name,
      Object.keys(family)
        .sort()
        .map((call) => `\`${call}\``)
        .join(', '),
    ]),
  );
