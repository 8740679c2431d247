// Which reads could read from writes that were not there when they were decided: the races of the search.
//
// While the sources of a read are tried that are there, threads come to other writes to its location. One that does not need the read, in
// that its thread would come to it whatever the read had read, is a source of it, too: in executions in which all that the write needs has
// happened before the read is decided. What a write needs are the reads on which it depends by control or by address, or by an address
// before it, the sources of these, and what they need in turn. Since the model orders all that before the write, needs have no cycles
// in consistent executions, and each of them has a read from exactly one such write with exactly such needs.
//
// What comes after a compare and swap does not need its outcome for its own sake; so that is guessed both ways, and what it has read is
// decided at the end.
//
// (Kokologiannakis, Marmanis, Gladstein, Vafeiadis, "Truly stateless, optimal dynamic partial order reduction", 2022, has it for models in
// which program order is not given up.)

import { initialContents, undecided } from './graph.ts';
import type { Situation } from './situation.ts';

/** An event by its place among those of its thread. */
export interface Place {
  readonly thread: number;
  readonly local: number;
}

/** An event by its instruction, and its place among the events of that: whatever the outcome of a compare and swap before it. */
export interface InstructionPlace {
  readonly thread: number;
  readonly instruction: number;
  readonly nth: number;
}

function inInstruction({ paths }: Situation, { thread, local }: Place): InstructionPlace {
  const { events } = paths[thread]!;
  const { instruction } = events[local]!;
  let first = local;
  while (events[first - 1]?.instruction === instruction) first -= 1;
  return { thread, instruction, nth: local - first };
}

/** The number of an event in the graph, where its thread has come to it. */
export function eventAt(
  { paths, numbers }: Situation,
  { thread, instruction, nth }: InstructionPlace,
): number | undefined {
  const { events } = paths[thread]!;
  const first = events.findIndex((event) => event.instruction === instruction);
  return first >= 0 && events[first + nth]?.instruction === instruction ? numbers[thread]![first + nth] : undefined;
}

/** A write as a source of a read, and what has to happen before. */
export interface Revisit {
  readonly write: InstructionPlace;
  /** Reads, and what they read from: initial contents where that is undefined. */
  readonly sources: readonly { readonly read: InstructionPlace; readonly from: InstructionPlace | undefined }[];
  /** By thread, how far it has to come. */
  readonly until: ReadonlyMap<number, InstructionPlace>;
  /** By thread: the choices that it makes, by their places; none where it is not known. */
  readonly choices: ReadonlyMap<number, ReadonlyMap<number, boolean>>;
}

/** A read whose sources are being tried. */
export class TriedRead {
  readonly read: number;
  readonly #base: Situation;
  readonly #thread: number;
  readonly #location: number;
  readonly #keys = new Set<string>();
  readonly revisits: Revisit[] = [];

  /** `base` is where its source is not decided yet; it has to stay as it is. */
  constructor(base: Situation, read: number) {
    this.read = read;
    this.#base = base;
    this.#thread = base.graph.thread[read]!;
    this.#location = base.graph.location[read]!;
  }

  /** A thread has come to a write. */
  note(situation: Situation, write: Place): void {
    const { graph, numbers } = situation;
    if (write.thread === this.#thread) return;
    if (graph.location[numbers[write.thread]![write.local]!] !== this.#location) return;
    const needs = new Needs(situation, this.read);
    if (needs.isReachedFrom(write)) return;
    const found = needs.revisit(write, this.#base);
    if (found === undefined || this.#keys.has(found.key)) return;
    this.#keys.add(found.key);
    this.revisits.push(found.revisit);
  }
}

/** What events of a situation need, and whether a read is among it. */
class Needs {
  readonly #situation: Situation;
  readonly #read: number;
  readonly #isReached = new Map<number, boolean>();

  constructor(situation: Situation, read: number) {
    this.#situation = situation;
    this.#read = read;
  }

  #event({ thread, local }: Place): number {
    return this.#situation.numbers[thread]![local]!;
  }

  #placeOf(event: number): Place {
    const { graph } = this.#situation;
    return { thread: graph.thread[event]!, local: graph.local[event]! };
  }

  /** Reads without which a thread does not come to an event. */
  #before({ thread, local }: Place): readonly number[] {
    const { events, needed } = this.#situation.paths[thread]!;
    const compared = events[local]!.rmw?.read;
    const comparedWith = compared === undefined ? undefined : events[compared]!.comparedWith;
    return comparedWith ? [...needed[local]!, compared!, ...comparedWith] : needed[local]!;
  }

  /** Reads without which the value of a write is not known. */
  #ofValue({ thread, local }: Place): readonly number[] {
    const { data, rmw, handsOn } = this.#situation.paths[thread]!.events[local]!;
    const isComputed = rmw !== undefined && handsOn.deps.includes(rmw.read);
    return [...data.deps, ...data.picks, ...(isComputed ? [rmw.read] : [])];
  }

  /** Whether the outcome of a compare and swap, of which this is the read, comes from values: not where it has been guessed. */
  #isCompared(compared: Place): boolean {
    return this.#comparing(compared).every((read) => this.#situation.graph.value[this.#event(read)]! >= 0);
  }

  isReachedFrom(place: Place): boolean {
    return this.#before(place).some((local) => this.isReachedFromRead({ thread: place.thread, local }));
  }

  isReachedFromRead(place: Place): boolean {
    const event = this.#event(place);
    if (event === this.#read) return true;
    const known = this.#isReached.get(event);
    if (known !== undefined) return known;
    // Where needs go in a circle, nothing new is found on the second round.
    this.#isReached.set(event, false);
    const source = this.#situation.graph.source[event]!;
    const isReached = source >= 0 && this.#isReachedFromSource(this.#placeOf(source));
    this.#isReached.set(event, isReached);
    return isReached;
  }

  #isReachedFromSource(place: Place): boolean {
    if (this.isReachedFrom(place)) return true;
    return this.#ofValue(place).some((local) => this.isReachedFromRead({ thread: place.thread, local }));
  }

  /** The reads that decide the outcome of a compare and swap. */
  #comparing({ thread, local }: Place): readonly Place[] {
    const { comparedWith } = this.#situation.paths[thread]!.events[local]!;
    return [local, ...(comparedWith ?? [])].map((read) => ({ thread, local: read }));
  }

  /**
   * A write that does not need the read, as a source of it, with all that it needs and that has not happened in `base`; undefined where it
   * is only there because something has been guessed that is not decided.
   */
  revisit(write: Place, base: Situation): { readonly key: string; readonly revisit: Revisit } | undefined {
    const { graph, paths } = this.#situation;
    const sources: Revisit['sources'][number][] = [];
    const until = new Map<number, number>();
    const guessed: Place[] = [];
    const seen = new Set<number>();
    const found = { isGuess: false };

    const come = ({ thread, local }: Place): void => {
      until.set(thread, Math.max(local, until.get(thread) ?? 0));
    };
    const visit = (place: Place): void => {
      come(place);
      const { thread } = place;
      const { events } = paths[thread]!;
      const own = events[place.local]!.rmw?.read;
      if (own !== undefined && events[own]!.comparedWith && !this.#isCompared({ thread, local: own }))
        found.isGuess = true;
      for (const local of this.#before(place)) visitRead({ thread, local });
      for (const local of paths[thread]!.compared[place.local]!) if (local !== own) guessed.push({ thread, local });
    };
    const visitRead = (place: Place): void => {
      const event = this.#event(place);
      const source = graph.source[event]!;
      if (seen.has(event) || source === undecided) return;
      seen.add(event);
      come(place);
      const from = source === initialContents ? undefined : this.#placeOf(source);
      const read = inInstruction(this.#situation, place);
      const decided = eventAt(base, read);
      if (decided === undefined || base.graph.source[decided] === undecided)
        sources.push({ read, from: from && inInstruction(this.#situation, from) });
      if (!from) return;
      visit(from);
      for (const local of this.#ofValue(from)) visitRead({ thread: from.thread, local });
    };
    visit(write);
    if (found.isGuess) return undefined;

    const choices = new Map(
      [...until].map(([thread, local]) => {
        const { choices: made, choicePlaces, events } = paths[thread]!;
        const own = new Map(
          choicePlaces.slice(0, events[local]!.choices).map((place, n) => [place, made[n]!] as const),
        );
        for (const guess of guessed)
          if (guess.thread === thread && !seen.has(this.#event(guess)))
            own.delete(choicePlaces[events[guess.local]!.choices]!);
        return [thread, own] as const;
      }),
    );
    const text = ({ thread, instruction, nth }: InstructionPlace): string => `${thread}.${instruction}.${nth}`;
    const target = inInstruction(this.#situation, write);
    const key = [
      text(target),
      ...sources.map(({ read, from }) => `${text(read)}=${from ? text(from) : ''}`).sort(),
      ...[...choices].map(([thread, own]) => `${thread}:${[...own].join(';')}`).sort(),
    ].join(' ');
    const last = [...until].map(
      ([thread, local]) => [thread, inInstruction(this.#situation, { thread, local })] as const,
    );
    return { key, revisit: { write: target, sources, until: new Map(last), choices } };
  }
}
