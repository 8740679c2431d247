// A campaign of litmus tests over the cores of the host: each test is a task of the pool, and results are told in the order of the tests.

import { Piscina } from 'piscina';
import type { LitmusQuestions } from '../src/explore/litmus-questions.ts';
import { builtFile } from './package-file.ts';
import type { LitmusAnswer, LitmusModel, LitmusTask } from './litmus-thread.ts';

export interface LitmusTestFile {
  readonly path: string;
  readonly text: string;
}

export interface LitmusOptions {
  readonly model: LitmusModel | undefined;
  readonly variants: readonly string[];
  readonly timeoutMs: number;
  readonly unroll: number;
  readonly questions: LitmusQuestions;
  readonly hostThreads: number;
}

export interface LitmusIo {
  /** Called in the order of the tests. */
  readonly answered: (file: LitmusTestFile, answer: LitmusAnswer) => void;
  readonly progress: (done: number, of: number) => void;
  /** Ends the tests that run with what they have, and starts no other. */
  readonly signal: AbortSignal;
}

/** Host time before a campaign begins to show how far it has come, and from then on between two times. */
const quietMs = 2000;
const progressMs = 200;

/** Runs all tests; how many of them were answered. */
export async function runLitmusTests(
  files: readonly LitmusTestFile[],
  options: LitmusOptions,
  io: LitmusIo,
): Promise<number> {
  const stop = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  const abort = (): void => {
    Atomics.store(new Int32Array(stop), 0, 1);
  };
  io.signal.addEventListener('abort', abort);
  if (io.signal.aborted) abort();
  const pool = new Piscina<LitmusTask, LitmusAnswer>({
    filename: builtFile('workers/litmus-thread.ts'),
    name: 'runTask',
    minThreads: Math.min(options.hostThreads, files.length),
    maxThreads: options.hostThreads,
    concurrentTasksPerWorker: 1,
    atomics: 'disabled',
  });
  const { model, variants, timeoutMs, unroll, questions } = options;
  const answers: (LitmusAnswer | undefined)[] = [];
  let [next, told, done] = [0, 0, 0];
  const startMs = performance.now();
  const watch = setInterval(() => {
    if (performance.now() - startMs >= quietMs) io.progress(done, files.length);
  }, progressMs);
  const tell = (): void => {
    for (let answer = answers[told]; answer !== undefined; answer = answers[told]) {
      io.answered(files[told]!, answer);
      // What has been told is not kept.
      answers[told] = undefined;
      told += 1;
    }
  };
  /** Each thread of the pool takes the next test when it is done with one. */
  const work = async (): Promise<void> => {
    while (next < files.length && !io.signal.aborted) {
      const n = next;
      next += 1;
      answers[n] = await pool.run({ ...files[n]!, model, variants, timeoutMs, unroll, questions, stop });
      done += 1;
      tell();
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(options.hostThreads, files.length) }, work));
  } finally {
    clearInterval(watch);
    io.signal.removeEventListener('abort', abort);
    await pool.destroy();
  }
  return told;
}
