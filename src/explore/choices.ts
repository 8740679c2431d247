// The choices that a thread meets on its path, where what it does follows neither from values nor from other choices: whether a
// store-exclusive is done, whether a compare and swap finds what it expects in an open read, where the register of one has its value from,
// and whether hardware updates a descriptor.
//
// An instruction that meets a choice which has not been made ends there, and is run again once it has been made.

import type { TraceException } from '../engine/trace-state.ts';
import { independent, openValue } from '../engine/trace-values.ts';

/** Why the thread stands still at a choice; reads are those that would make it. */
export interface MissingChoice {
  readonly kind: 'store exclusive' | 'compare and swap' | 'source of a register' | 'hardware update';
  readonly reads: readonly number[];
  readonly place: number;
}

/** Those of one thread. */
export interface Choices {
  /** As the exploration has made them for this path; the thread may end before it comes to all of them. */
  readonly given: readonly boolean[];
  /** Those that the thread has come to, also those that values made, in program order. */
  readonly made: boolean[];
  /** Where each of them was made (placeOfChoice). */
  places: readonly number[];
  missing: MissingChoice | undefined;
  /** A choice that was made has turned out to be wrong. */
  isContradicted: boolean;
}

/** Where a thread meets a choice. */
export interface ChoicePoint {
  readonly choices: Choices;
  /** Place of the instruction in the thread. */
  readonly instruction: number;
}

/** Ends an instruction whose outcome is to be chosen. */
export const choiceMissing: TraceException = {
  exception: 'open value',
  value: openValue(32, 'choice', independent),
};

/** More than any instruction makes. */
const mostChoices = 16;

/** The n-th choice of an instruction. */
const placeOfChoice = (instruction: number, n: number): number => mostChoices * instruction + n;

/** The next choice: as it was made, or else as the values make it; undefined, and then missing, where neither is so. */
export function choose(
  { choices, instruction }: ChoicePoint,
  missing: Omit<MissingChoice, 'place'>,
  byValues?: boolean,
): boolean | undefined {
  const made = choices.given[choices.made.length] ?? byValues;
  const first = placeOfChoice(instruction, 0);
  const place = first + choices.places.filter((at) => at >= first).length;
  if (made === undefined) {
    choices.missing = { ...missing, place };
    return undefined;
  }
  choices.made.push(made);
  choices.places = [...choices.places, place];
  return made;
}
