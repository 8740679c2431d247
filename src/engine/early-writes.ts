// Which code is written over so soon that it is not worth while to translate it: a program that makes code, or loads one piece of it after the
// other into the same place. Kept by line; each time that a translation has been too early, its lines must be entered twice as often to be
// translated again.

import { lineShift } from '../arch/state-layout.ts';

/** A trace that has run so many rounds before it was written over has been worth its translation. */
export const worthwhileRounds = 1000;
/** The power of two by which it takes longer, at most. */
const mostBackOff = 8;
/** Lines that are known, 4 MiB of code; of more, those that were noted first are forgotten. */
const mostLines = 1 << 16;

export class EarlyWrites {
  /** How often what was translated from a line has been written over too early, less how often it has not. */
  private readonly backOffs = new Map<number, number>();

  /** The power of two by which it takes longer for the code at an address to be hot. */
  backOff(pa: number): number {
    return this.backOffs.get(pa >>> lineShift) ?? 0;
  }

  /** A line of what was translated, or its first one, has been written over. */
  note(line: number, isWorthwhile: boolean): void {
    const before = this.backOffs.get(line) ?? 0;
    if (isWorthwhile && before <= 1) this.backOffs.delete(line);
    else this.backOffs.set(line, isWorthwhile ? before - 1 : Math.min(before + 1, mostBackOff));
    if (this.backOffs.size > mostLines) this.backOffs.delete(this.backOffs.keys().next().value as number);
  }
}
