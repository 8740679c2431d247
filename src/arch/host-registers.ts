// Which register an access by a name reads or writes: FEAT_VHE redirects names in a host (Arm ARM, "Redirection of register
// accesses"); the table is registers/host.ts. Who may access it, and what traps it, goes by the name.

import { assert } from '../report/assert.ts';
import { currentEl, isE2h, isHost, type PeContext } from './pe-context.ts';
import { hostRegisters } from './registers/host.ts';
import { registerNamed, type SystemRegister } from './system-registers.ts';

function named(name: string): SystemRegister {
  const row = registerNamed(name);
  assert(row !== undefined, `${name} is not in the table of system registers`);
  return row;
}

interface Redirection {
  readonly to: SystemRegister;
  readonly atEl0: boolean;
}

const redirections = new Map<SystemRegister, Redirection>(
  hostRegisters.map(({ name, ofHost, atEl0 }) => [named(name), { to: named(ofHost), atEl0: atEl0 === true }]),
);
const guestRegisterOf = new Map(hostRegisters.map(({ name, alias }) => [named(alias), named(name)]));

export function redirected(cx: PeContext, row: SystemRegister): SystemRegister {
  if (row.storage === 'alias') return guestRegisterOf.get(row) ?? row;
  if (!isE2h(cx)) return row;
  const redirection = redirections.get(row);
  if (redirection === undefined) return row;
  const el = currentEl(cx);
  return el === 2 || (el === 0 && redirection.atEl0 && isHost(cx)) ? redirection.to : row;
}
