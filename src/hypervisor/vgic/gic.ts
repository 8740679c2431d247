// The GIC of the board, by its version.

import type { Activity } from '../../arch/resident.ts';
import { coreAt, type Rhyper } from '../context.ts';
import type { GicAccess } from './gic-access.ts';
import { gicV2 } from './gic-v2.ts';
import { gicV3 } from './gic-v3.ts';
import { setEdge, writeBits } from './physical.ts';

export const gicOf = ({ platform }: Rhyper): GicAccess => (platform.gicVersion === 2 ? gicV2 : gicV3);

/** Ends the activity of a physical interrupt that was a guest's; it is no SGI. */
export const deactivatePhysical = (rhyper: Rhyper, intid: number): Activity =>
  gicOf(rhyper).deactivate(rhyper, { intid, value: intid, group: 1 });

/** Enables an edge-triggered SPI of the hypervisor's own use, for a core. */
export function* enableEdge(rhyper: Rhyper, intid: number, core: number): Activity {
  yield* setEdge(rhyper, intid);
  yield* gicOf(rhyper).route(rhyper, intid, coreAt(rhyper, core));
  yield* writeBits(rhyper, core, 'ISENABLER', intid >>> 5, 1 << (intid & 31));
}
