// Which programs are measured: those that are named, else those that are measured by default.

import { hint } from '../src/report/suggestion.ts';
import { UserError } from '../src/report/user-error.ts';
import { type AnyContest, contests, linuxContests } from './contests.ts';
import { type BenchGuest, benchGuests } from './guests.ts';

function checkNames(what: string, names: readonly string[], known: readonly string[]): void {
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new UserError(`there is no ${what} "${unknown}"`, hint(unknown, known) ?? `there are ${known.join(', ')}`);
}

/** Of `npm run bench`, in the order of the table. */
export function selectPrograms(names: readonly string[]): {
  readonly guests: readonly BenchGuest[];
  readonly linux: readonly AnyContest[];
} {
  checkNames(
    'benchmark',
    names,
    [...benchGuests, ...linuxContests].map(({ name }) => name),
  );
  return {
    guests: benchGuests.filter(({ name, byDefault }) => (names.length === 0 ? byDefault : names.includes(name))),
    linux: linuxContests.filter(({ name }) => names.length === 0 || names.includes(name)),
  };
}

/** Of `npm run bench:peers`. */
export function selectContests(names: readonly string[]): readonly AnyContest[] {
  checkNames(
    'contest',
    names,
    contests.map(({ name }) => name),
  );
  return contests.filter(({ name }) => names.length === 0 || names.includes(name));
}
