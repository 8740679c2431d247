// Cache maintenance instructions as a memory model sees them (Arm DDI 0487, B2.3, and C5.3 for the instructions): DC CVAU and the IC
// instructions order stores and instruction fetches. The other DC instructions clean or invalidate what is coherent here anyway; those
// that write memory (DC ZVA and its kind) are none of them.

import { systemOperations } from '../isa/syntax/system-operations.ts';
import type { CacheMaintenance } from './program.ts';

/** op0 is 1 in the key of a System instruction. */
const op0 = 1 << 14;

const orderingNames: readonly CacheMaintenance[] = ['DC.CVAU', 'IC.IVAU', 'IC.IALLU', 'IC.IALLUIS'];

const nameOf = (mnemonic: string, name: string): string => `${mnemonic}.${name}`.toUpperCase();

const ordering: ReadonlyMap<number, CacheMaintenance> = new Map(
  systemOperations.flatMap(({ mnemonic, name, key }) => {
    const known = orderingNames.find((candidate) => candidate === nameOf(mnemonic, name));
    return known === undefined ? [] : [[op0 | key, known] as const];
  }),
);

const dataCacheOperations: ReadonlySet<number> = new Set(
  systemOperations
    .filter(({ mnemonic, name }) => mnemonic === 'dc' && /^c?i?(?:v?ac|vap|vadp|vau|sw)$/.test(name))
    .map(({ key }) => op0 | key),
);

/** The maintenance that a System instruction is, by its op0:op1:CRn:CRm:op2, if it orders anything. */
export const cacheMaintenanceAt = (key: number): CacheMaintenance | undefined => ordering.get(key);

/** A DC instruction that changes no contents of memory. */
export const isDataCacheOperation = (key: number): boolean => dataCacheOperations.has(key);
