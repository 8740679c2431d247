// The system registers of the PE: one table, put together from the groups of the Arm ARM, numbered and indexed.

import { assert } from '../report/assert.ts';
import { controlRegisters } from './registers/control.ts';
import { debugRegisters } from './registers/debug.ts';
import { exceptionRegisters } from './registers/exceptions.ts';
import { gicRegisters } from './registers/gic.ts';
import { hostAliases } from './registers/host.ts';
import { identificationRegisters } from './registers/identification.ts';
import { performanceRegisters } from './registers/performance.ts';
import { processStateRegisters } from './registers/process-state.ts';
import { timerRegisters } from './registers/timer.ts';
import { translationRegisters } from './registers/translation.ts';
import {
  type Access,
  type Affects,
  allBits,
  leastElOfOp1,
  type LeastEl,
  type Needs,
  type RegisterRow,
  type Storage,
} from './register-row.ts';
import { pe, systemRegisterSlots } from './state-layout.ts';
import { systemKey, systemKeys } from './system-key.ts';
import type { CoreIdentity } from './core-identity.ts';
import type { TrapName } from './traps.ts';

export interface SystemRegister {
  readonly name: string;
  readonly key: number;
  readonly access: Access;
  readonly readEl: LeastEl;
  readonly writeEl: LeastEl;
  readonly storage: Storage;
  /** Index of the 8-byte slot in the record of the PE; -1 without. */
  readonly slot: number;
  readonly reset: (core: CoreIdentity) => bigint;
  readonly writable: bigint;
  readonly ones: bigint;
  readonly needs: Needs | undefined;
  readonly traps: readonly TrapName[];
  readonly affects: Affects | undefined;
}

function numberRows(rows: readonly RegisterRow[]): SystemRegister[] {
  let slots = 0;
  return rows.map((row) => {
    const storage = row.storage ?? 'plain';
    const hasSlot = storage === 'plain' || row.backed === true;
    const reset = row.reset ?? 0n;
    const ones = row.ones ?? 0n;
    const readEl = row.readEl ?? leastElOfOp1(row.encoding[1]);
    return {
      name: row.name,
      key: systemKey(...row.encoding),
      access: row.access ?? 'RW',
      readEl,
      writeEl: row.writeEl ?? readEl,
      storage,
      slot: hasSlot ? slots++ : -1,
      reset: (core) => (typeof reset === 'function' ? reset(core) : reset) | ones,
      writable: row.writable ?? allBits,
      ones,
      needs: row.needs,
      traps: row.traps ?? [],
      affects: row.affects,
    };
  });
}

export const systemRegisters: readonly SystemRegister[] = numberRows([
  ...identificationRegisters,
  ...controlRegisters,
  ...translationRegisters,
  ...exceptionRegisters,
  ...processStateRegisters,
  ...debugRegisters,
  ...performanceRegisters,
  ...timerRegisters,
  ...gicRegisters,
  ...hostAliases,
]);

const indexOfKey = new Int16Array(systemKeys).fill(-1);
const registerOfName = new Map<string, SystemRegister>();

systemRegisters.forEach((row, index) => {
  assert(indexOfKey[row.key] === -1, `${row.name} has the encoding of ${systemRegisters[indexOfKey[row.key]!]?.name}`);
  assert(row.slot < systemRegisterSlots, `no slot is left for ${row.name}`);
  indexOfKey[row.key] = index;
  registerOfName.set(row.name, row);
});

/** The register with this encoding, or undefined where it is unallocated. */
export const registerAt = (key: number): SystemRegister | undefined => systemRegisters[indexOfKey[key]!];

export const registerNamed = (name: string): SystemRegister | undefined => registerOfName.get(name);

/** Byte offset, in the record of the PE, of the slot of a register that has one. */
export const offsetOf = ({ slot }: SystemRegister): number => pe.systemRegisters + slot * 8;

/** The same, of a register by its name. */
export function slotOf(name: string): number {
  const row = registerOfName.get(name);
  assert(row !== undefined && row.slot >= 0, `${name} has no slot`);
  return offsetOf(row);
}

/**
 * Where the record has the value of a register that everybody may read, always, and that is what was written there; undefined for others: reading
 * them may trap, or is more than a load.
 */
export function placeReadByAll(key: number): number | undefined {
  const row = registerAt(key);
  if (row?.storage !== 'plain' || row.access === 'WO' || row.readEl !== 0) return undefined;
  return row.needs === undefined && row.traps.length === 0 ? offsetOf(row) : undefined;
}
