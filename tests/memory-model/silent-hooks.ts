// Hooks for a thread of which nothing is asked but what it does to registers and memory.

import type { ThreadHooks } from '../../src/memory-model/program.ts';

export const silentHooks: ThreadHooks = {
  fence: () => undefined,
  exceptionEntry: () => undefined,
  exceptionReturn: () => undefined,
  maintenance: () => undefined,
  updateAccessFlag: () => 'none',
  branch: () => undefined,
  fetch: () => undefined,
  cacheMaintenance: () => undefined,
};
