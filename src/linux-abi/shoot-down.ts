// TLB maintenance after tables have changed: TLBI for this core, or broadcast by DVM where others may have translations of the space, and
// the DSB that waits for its completion. Only then do the frames go back. (arch/arm64/include/asm/tlbflush.h)

import { type Activity, dsb, work } from '../arch/resident.ts';
import { systemKey } from '../arch/system-key.ts';
import { releaseFrames } from './address-space.ts';
import { type Core, spacesOf, type StaleTranslations } from './kernel.ts';
import type { AddressSpace } from './state.ts';

/** TLBI VALE1, ASIDE1 and their Inner Shareable forms. */
const tlbi = {
  page: { local: systemKey(1, 0, 8, 7, 5), shared: systemKey(1, 0, 8, 3, 5) },
  space: { local: systemKey(1, 0, 8, 7, 2), shared: systemKey(1, 0, 8, 3, 2) },
} as const;

/** More pages are not named one by one: every core receives each operation as a message. */
const mostPages = 16;

function invalidate(core: Core, { space, pages }: StaleTranslations): void {
  const isOwn = space.cores.size === 0 || (space.cores.size === 1 && space.cores.has(core.index));
  const form = isOwn ? 'local' : 'shared';
  const asid = BigInt(space.asid) << 48n;
  if (pages === 'all' || pages.length > mostPages) core.system.execute(tlbi.space[form], asid);
  else for (const va of pages) core.system.execute(tlbi.page[form], asid | BigInt(va / 4096));
  if (pages === 'all') space.cores.clear();
}

const waitTicks = 100;
const isInUse = ({ state, index }: Core, space: AddressSpace): boolean =>
  state.cores.some((other) => other.index !== index && other.space === space && other.thread !== undefined);

/**
 * Until no core has translations by tables that have been changed. A page that fork has made read-only may be written by those that have not
 * heard of it: what was copied meanwhile would lack it.
 */
export function* awaitShootDown(space: AddressSpace): Activity {
  while (space.flushes > 0) yield* work(waitTicks);
}

export function* shootDown(core: Core): Activity {
  if (core.stale.length === 0) return;
  const stale = core.stale.splice(0);
  for (const entry of stale) invalidate(core, entry);
  yield* dsb(core.pe);
  for (const space of stale.flatMap(spacesOf)) space.flushes -= 1;
  // Another core may still be in the program that an execve has ended.
  for (const { space, pages } of stale) while (pages === 'all' && isInUse(core, space)) yield* work(waitTicks);
  for (const { space, pages, frames } of stale) {
    releaseFrames(core, frames);
    if (pages === 'all') core.state.freeAsids.push(space.asid);
  }
}
