// What has run from a hot place on: a region is made of that, and of nothing that only could run. The stepper runs some thousand blocks,
// in the place of the trace that has asked to become a region; they are noted one by one.
//
// A block here is what runs from the target of a branch up to the next branch that is taken.

/** Enough to see what a loop does in most of its rounds; stepping them takes less time than making the region. */
const mostBlocks = 4096;

export class ObservedCode {
  /** How often so many instructions have run from an address on, by both. */
  private readonly blocks = new Map<bigint, Map<number, number>>();
  /** How many are still to be noted. */
  private left: number;
  private runs: Map<bigint, number> | undefined;

  /** `rounds`: after which a trace asks to become a region; it is not observed for longer than that. */
  constructor(rounds: number) {
    this.left = Math.min(rounds, mostBlocks);
  }

  get isComplete(): boolean {
    return this.left <= 0;
  }

  note(start: bigint, instructions: number): void {
    this.left -= 1;
    let ofStart = this.blocks.get(start);
    if (!ofStart) {
      ofStart = new Map();
      this.blocks.set(start, ofStart);
    }
    ofStart.set(instructions, (ofStart.get(instructions) ?? 0) + 1);
  }

  /** How often the instruction at an address has run. */
  runsOf(va: bigint): number {
    this.runs ??= this.byInstruction();
    return this.runs.get(va) ?? 0;
  }

  /** How many instructions it is, those that run most often, that have nine tenths of all runs. */
  get spread(): number {
    this.runs ??= this.byInstruction();
    const runs = [...this.runs.values()].sort((a, b) => b - a);
    const most = 0.9 * runs.reduce((sum, times) => sum + times, 0);
    let sum = 0;
    let count = 0;
    for (const times of runs) {
      if (sum >= most) break;
      sum += times;
      count += 1;
    }
    return count;
  }

  private byInstruction(): Map<bigint, number> {
    const runs = new Map<bigint, number>();
    for (const [start, ofStart] of this.blocks) {
      for (const [instructions, times] of ofStart) {
        for (let n = 0; n < instructions; n += 1) {
          const va = start + BigInt(4 * n);
          runs.set(va, (runs.get(va) ?? 0) + times);
        }
      }
    }
    return runs;
  }
}
