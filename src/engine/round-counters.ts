// Words in the shared memory that count the rounds of traces down, from the number after which code gets a region. A word is more than 0
// while its trace can run and has not asked for a region: links (trace-links.ts) look at it.

import type { MemoryViews } from '../memory/memory-views.ts';

/** Words of worker `n` begin n times their bytes after this. */
const countersBase = 0x0c00_0000;
const counterWords = 1 << 15;
/** Of a trace that has ended: less than 0, however often it goes round before it is left. */
const ended = -(2 ** 30);

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
  stop(counter: number): void {
    if (counter >= 0) this.words[counter] = ended;
  }

  /** Nothing that can run looks at it any more. */
  giveBack(counter: number): void {
    if (counter >= 0) this.free.push(counter);
  }

  restart(counter: number): void {
    this.words[counter] = this.areCounting ? this.start : 1;
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
