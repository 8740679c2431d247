// Which exception level traps an access to a system register or a System instruction, if any (Arm ARM, the access pseudocode of
// each register): the table is traps.ts. Of several traps the one to the lowest exception level has priority.

import { currentEl, el2Enabled, hcr, isE2h, isHost, low, type PeContext } from './pe-context.ts';
import { systemInstructions } from './system-instructions.ts';
import { slotOf, systemRegisters } from './system-registers.ts';
import { type Trap, type TrapName, traps } from './traps.ts';

/** A trap with the offsets of its controlling word; `levels` has a bit for each exception level of `from`. */
interface ResolvedTrap extends Trap {
  readonly offset: number;
  /** For a host's EL0. */
  readonly hostOffset: number;
  readonly levels: number;
}

function resolve(names: readonly TrapName[]): readonly ResolvedTrap[] {
  return names
    .filter((name) => name !== 'SIMD&FP')
    .map((name) => {
      const trap: Trap = traps[name];
      const levels = trap.from.reduce((sum, el) => sum | (1 << el), 0);
      const offset = slotOf(trap.register) + (trap.high === true ? 4 : 0);
      const { inHost } = trap;
      const isElsewhere = inHost !== undefined && inHost !== 'always' && inHost !== 'never';
      return { ...trap, offset, hostOffset: isElsewhere ? slotOf(inHost) : offset, levels };
    });
}

/** The traps of each register and System instruction that has any, by its key. */
const trapsOfKey = new Map(
  [...systemRegisters, ...systemInstructions]
    .filter((row) => row.traps.length > 0)
    .map((row) => [row.key, resolve(row.traps)]),
);
const noTraps: readonly ResolvedTrap[] = [];

function conditionHolds(cx: PeContext, trap: ResolvedTrap, isFromHost: boolean): boolean {
  if (isFromHost && trap.inHost === 'always') return true;
  if (isFromHost && trap.inHost === 'never') return false;
  const mask = trap.maskWithE2h !== undefined && isE2h(cx) ? trap.maskWithE2h : trap.mask;
  const bits = low(cx, isFromHost ? trap.hostOffset : trap.offset) & mask;
  switch (trap.when) {
    case 'anySet':
      return bits !== 0;
    case 'allSet':
      return bits >>> 0 === mask;
    case 'allClear':
      return bits === 0;
  }
}

/** The exception level that traps an access, or 0. A trap to EL1 is taken to EL2 with HCR_EL2.TGE. */
export function trapTarget(cx: PeContext, key: number, isRead: boolean): number {
  const el = currentEl(cx);
  const isFromHost = el === 0 && isHost(cx);
  let target = 0;
  for (const trap of trapsOfKey.get(key) ?? noTraps) {
    if (target !== 0 && trap.to >= target) continue;
    if (((trap.levels >>> el) & 1) === 0) continue;
    if (trap.on !== undefined && trap.on !== (isRead ? 'read' : 'write')) continue;
    if ((trap.to === 2 && !el2Enabled(cx)) || (trap.to === 3 && !cx.hasEl3)) continue;
    if (trap.unlessHcr !== undefined && (hcr(cx) & trap.unlessHcr) !== 0) continue;
    if (conditionHolds(cx, trap, isFromHost)) target = trap.to;
  }
  return target;
}
