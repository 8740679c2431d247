// Words in the shared memory that count the rounds of traces down, from the number after which code gets a region.

import type { MemoryViews } from '../memory/memory-views.ts';

/** Words of worker `n` begin n times their bytes after this. */
const countersBase = 0x0c00_0000;
const counterWords = 1 << 15;

export class RoundCounters {
  private readonly words: Int32Array;
  private readonly firstAddress: number;
  private readonly start: number;
  private readonly free: number[] = [];
  private used = 0;

  /** `start`: from where they count down; Infinity where nobody asks: they stand still. */
  constructor({ signedWords }: MemoryViews, worker: number, start: number) {
    this.firstAddress = countersBase + worker * counterWords * 4;
    this.words = signedWords.subarray(this.firstAddress >>> 2, (this.firstAddress >>> 2) + counterWords);
    this.start = start;
  }

  get areCounting(): boolean {
    return this.start !== Infinity;
  }

  /** A counter; -1 where none is free. */
  take(): number {
    const counter = this.free.pop() ?? (this.used < counterWords ? this.used++ : -1);
    if (counter >= 0) this.restart(counter);
    return counter;
  }

  /** Its trace has ended. */
  giveBack(counter: number): void {
    if (counter >= 0) this.free.push(counter);
  }

  restart(counter: number): void {
    this.words[counter] = this.start;
  }

  addressOf(counter: number): number {
    return this.firstAddress + 4 * counter;
  }

  /** Rounds since it was started; Infinity where they are not counted. */
  rounds(counter: number): number {
    if (!this.areCounting) return Infinity;
    return counter < 0 ? 0 : this.start - (this.words[counter] as number);
  }
}
