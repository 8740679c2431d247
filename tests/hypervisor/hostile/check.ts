// An attack is a test: it ends as the table says, and nobody else has felt it.

import { describe, expect, it } from 'vitest';
import { vmState } from '../../../src/hypervisor/state.ts';
import type { System } from '../system.ts';
import {
  hostile,
  isSharerDone,
  lateTicks,
  longestWait,
  printed,
  runAttacked,
  seenBy,
  type Setting,
  sliceTicks,
  withoutIt,
} from './attacked.ts';
import { type Attack, attacks, type End, type Group, numberOf } from './attacks.ts';

const usualTicks = 3_000_000;
const timeout = 120_000;

/** Every other VM is as without the attack. */
export function expectUnharmed(system: System, setting: Setting, quiet = hostile('attack=0')): void {
  expect(seenBy(system)).toEqual(withoutIt(quiet, setting));
  expect(isSharerDone(system)).toBe(true);
  expect(longestWait(system)).toBeLessThan(sliceTicks + lateTicks[setting.gicVersion ?? 3]);
}

function expectEnd(system: System, end: End): void {
  const { state, stopReason } = system.vm('attacker');
  if (end === 'goes on') expect(stopReason).toBe('');
  else if ('stopped' in end) {
    expect([state, stopReason]).toEqual([vmState.inactive, expect.stringMatching(end.stopped)]);
    expect(system.console).toContain(`VM 4 (attacker) is stopped: ${stopReason}`);
  } else {
    const text = printed(system);
    expect(text.at(-1)).toBe('hostile: done');
    for (const line of end.prints) expect(text).toContainEqual(expect.stringMatching(line));
    expect([state, stopReason]).toEqual([vmState.inactive, '']);
  }
}

/** All attacks of a group on both GICs; `options`: further ones for each. */
export function describeAttacks(group: Group, title: string, options = ''): void {
  describe.each([3, 2] as const)(`${title}, with a GICv%i`, (gicVersion) => {
    it.each<Attack>(attacks[group])('$name', { timeout }, (attack) => {
      const { name, ticks = usualTicks, end, withGicV2 = {} } = attack;
      const words = [`attack=${numberOf(name)}`, attack.options ?? '', options].filter(Boolean);
      const setting = { maxTicks: (gicVersion === 2 && withGicV2.ticks) || ticks, gicVersion };
      const system = runAttacked(hostile(words.join(' ')), setting);
      expectEnd(system, (gicVersion === 2 && withGicV2.end) || end);
      expectUnharmed(system, setting);
    });
  });
}
