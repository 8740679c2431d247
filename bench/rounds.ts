// Interleaved rounds: every round takes one sample of everything that is measured, so that a disturbance of the host falls on all of it.
// tinybench calls and times; a run in a process of its own reports its time by `overriddenDuration`.

import { Bench, type FnReturnedObject } from 'tinybench';
import { assert } from '../src/report/assert.ts';

export interface Measured {
  readonly name: string;
  /** Takes one sample; returns its time in milliseconds, unless it is that of the whole call. */
  readonly take: () => Promise<number | undefined>;
}

/** Milliseconds by name, in the order of the rounds. */
export type Samples = ReadonlyMap<string, readonly number[]>;

export async function runRounds(
  measured: readonly Measured[],
  rounds: number,
  progress: (text: string) => void,
): Promise<Samples> {
  const samples = new Map<string, number[]>(measured.map(({ name }) => [name, []]));
  for (let round = 1; round <= rounds; round += 1) {
    const bench = new Bench({ iterations: 1, time: 0, warmup: false, retainSamples: true, throws: true });
    for (const { name, take } of measured) {
      const sample = async (): Promise<FnReturnedObject> => {
        progress(`round ${round} of ${rounds}: ${name}`);
        const overriddenDuration = await take();
        return overriddenDuration === undefined ? {} : { overriddenDuration };
      };
      // Told that it is asynchronous, tinybench does not call it once more to find out.
      bench.add(name, sample, { async: true });
    }
    for (const { name, result } of await bench.run()) {
      assert(result.state === 'completed', `the sample of ${name} is taken`);
      samples.get(name)?.push(...(result.latency.samples ?? []));
    }
  }
  return samples;
}
