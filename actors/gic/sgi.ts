// Software generated interrupts: which PEs one reaches, and whether a target takes it (Arm IHI 0069, "Software Generated
// Interrupts", and the table of ICC_SGI0R_EL1, ICC_SGI1R_EL1 and ICC_ASGI1R_EL1 forwarding).

import { group, type Group } from './groups.ts';
import type { GicTopology } from './topology.ts';

/** Calls `send` for every PE that an SGI is sent to, in the order of PE numbers or of the target list. */
export function forEachSgiTarget(
  topology: GicTopology,
  self: number,
  affinity: number,
  targetList: number,
  allButSelf: boolean,
  send: (pe: number) => void,
): void {
  if (allButSelf) {
    for (let pe = 0; pe < topology.cores.length; pe++) if (pe !== self) send(pe);
    return;
  }
  for (let rest = targetList & 0xffff; rest !== 0; rest &= rest - 1) {
    const aff0 = 31 - Math.clz32(rest & -rest);
    const pe = topology.peOfAffinity.get(((affinity & 0xffff_ff00) | aff0) >>> 0);
    // An affinity without a PE is ignored, as the architecture says.
    if (pe !== undefined) send(pe);
  }
}

/**
 * Whether an SGI that was asked for in group `asked` becomes pending at a target that has configured it in group `configured`.
 * `nonSecureAccess` is the SGI's field of the target's GICR_NSACR.
 */
export function sgiIsTaken(
  asked: Group,
  configured: Group,
  nonSecure: boolean,
  nonSecureAccess: number,
  disableSecurity: boolean,
): boolean {
  if (disableSecurity) return (asked === group.group0) === (configured === group.group0);
  // Asked for as Secure Group 1 and configured as Secure Group 0: still within the Secure state.
  const matches = asked === configured || (asked === group.group1Secure && configured === group.group0);
  if (!matches || !nonSecure) return matches;
  if (configured === group.group0) return nonSecureAccess >= 1;
  return configured === group.group1NonSecure || nonSecureAccess >= 2;
}
