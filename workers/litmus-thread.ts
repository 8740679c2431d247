// One thread of a campaign of litmus tests, carried by the piscina pool: it makes the program of a test, explores it, and says what came
// of it. Refusals of the test are results like any other, so that one file does not end the campaign.

import { builtInModels } from '../src/explore/explore.ts';
import { type LitmusResult, runLitmus } from '../src/explore/litmus.ts';
import { answerQuestions, type LitmusQuestions, type LitmusReplies } from '../src/explore/litmus-questions.ts';
import { parseLitmus } from '../src/memory-model/litmus/parse.ts';
import { litmusProgram } from '../src/memory-model/litmus/program.ts';
import { UserError } from '../src/report/user-error.ts';
import { registerNames } from '../src/arch/register-names.ts';
import type { LitmusTest } from '../src/memory-model/litmus/test.ts';
import type { Program } from '../src/memory-model/program.ts';
import { catModel, ownCatFile } from './cat-model.ts';

/** A built-in model by its name, or a cat file by its path. */
export type LitmusModel =
  | { readonly kind: 'built-in'; readonly name: keyof typeof builtInModels }
  | { readonly kind: 'cat'; readonly path: string; readonly text: string };

export interface LitmusTask {
  readonly path: string;
  readonly text: string;
  /** Without one, that of the test's architecture. */
  readonly model: LitmusModel | undefined;
  readonly variants: readonly string[];
  readonly timeoutMs: number;
  readonly unroll: number;
  readonly questions: LitmusQuestions;
  /** Not 0: end with what has been found. */
  readonly stop: SharedArrayBuffer;
}

export type LitmusAnswer =
  | { readonly result: LitmusResult; readonly replies: LitmusReplies; readonly seconds: number }
  | { readonly refusal: string; readonly hint?: string };

/** Explores one test. */
export function runTask(task: LitmusTask): LitmusAnswer {
  const stop = new Int32Array(task.stop);
  const startMs = performance.now();
  const shouldStop = (): boolean => Atomics.load(stop, 0) !== 0 || performance.now() - startMs >= task.timeoutMs;
  try {
    const { unroll, variants } = task;
    const remake = (test: LitmusTest) => litmusProgram(test, { names: registerNames, unroll, variants });
    const test = remake(parseLitmus(task.text, task.path));
    const model = task.model ?? usualModel(test.test.architecture);
    const decides = (program: Program) => modelOf(model, variants, program);
    const result = runLitmus(test, decides(test.program), shouldStop);
    const models = {
      model: catModel(model.kind === 'cat' ? model : ownCatFile(model.name), variants, test.program),
      sequentialConsistency: catModel(ownCatFile('sc'), [], test.program),
    };
    const replies = answerQuestions({ test, remake, decides, models, shouldStop }, task.questions);
    return { result, replies, seconds: (performance.now() - startMs) / 1000 };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { refusal: error.message, ...(error.hint !== undefined && { hint: error.hint }) };
  }
}

const usualModel = (architecture: string): LitmusModel => ({
  kind: 'built-in',
  name: architecture === 'AArch64' ? 'arm' : 'tso',
});

const modelOf = (model: LitmusModel, variants: readonly string[], program: Program) =>
  model.kind === 'built-in' ? builtInModels[model.name] : catModel(model, variants, program);
