// Words in the shared memory that count the rounds of traces down, from the number after which code gets a region. They tell, too, that a trace is
// no longer valid: exits of its module may lead straight to it (trace-links.ts).

import type { MemoryViews } from '../memory/memory-views.ts';

/** Words of worker `n` begin n times their bytes after this. */
const countersBase = 0x0c00_0000;
const counterWords = 1 << 15;

/** The word of a trace that is no longer valid. */
const endedWord = -1;

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
    if (counter >= 0) this.words[counter] = this.start - 1;
    return counter;
  }

  /** Its trace has ended: who comes to it all the same leaves it at once for what runs in its place. */
  end(counter: number): void {
    if (counter >= 0) this.words[counter] = endedWord;
  }

  /** Nobody comes to its trace any more. */
  giveBack(counter: number): void {
    if (counter >= 0) this.free.push(counter);
  }

  /** The address of its word, and with what that begins. */
  placeOf(counter: number): { readonly address: number; readonly start: number } {
    return { address: this.firstAddress + 4 * counter, start: this.start - 1 };
  }

  /** Rounds since it was started; Infinity where they are not counted. */
  rounds(counter: number): number {
    if (!this.areCounting) return Infinity;
    return counter < 0 ? 0 : this.start - 1 - (this.words[counter] as number);
  }
}
