// heddle litmus: every outcome that a memory model allows, for litmus tests in the syntax of herd7.

import { dirname } from 'node:path';
import type { LitmusResult } from '../explore/litmus.ts';
import type { LitmusReplies } from '../explore/litmus-questions.ts';
import { litmusTable, type FolderResult } from '../report/litmus-table.ts';
import { litmusText } from '../report/litmus-text.ts';
import { UserError } from '../report/user-error.ts';
import { writeOutput } from './input.ts';
import { namedTests, readText } from './litmus-files.ts';
import { type LitmusSettings, parseLitmusOptions, type TypedLitmusOptions } from './litmus-options.ts';
import type { Terminal } from './terminal.ts';
import { version } from './version.ts';

interface TestFile {
  readonly path: string;
  readonly text: string;
}

type Answer =
  | { readonly result: LitmusResult; readonly replies: LitmusReplies; readonly seconds: number }
  | { readonly refusal: string; readonly hint?: string };

/** Runs the tests and tells the answers in their order; how many were answered. */
export type RunLitmusTests = (
  files: readonly TestFile[],
  options: LitmusSettings,
  io: {
    readonly answered: (file: TestFile, answer: Answer) => void;
    readonly progress: (done: number, of: number) => void;
    readonly signal: AbortSignal;
  },
) => Promise<number>;

interface TestDocument {
  readonly path: string;
  readonly name: string;
  readonly observation: string;
  readonly verdict: string;
  readonly condition: string;
  readonly states: readonly string[];
  readonly complete: boolean;
  readonly explanation?: readonly string[];
  readonly repair?: readonly string[];
  readonly seconds?: number;
}

const exitCode = { done: 0, failed: 1, usage: 2, inconclusive: 3 } as const;

const modelName = ({ model }: LitmusSettings): string => {
  if (model === undefined) return 'arm for AArch64, tso for x86';
  return model.kind === 'built-in' ? model.name : model.path;
};

/** A property that does not hold; that nothing was found of what was looked for is no failure. */
const isFailure = ({ quantifier, verdict }: LitmusResult): boolean => quantifier !== 'exists' && verdict === 'No';

/** Runs the tests and returns the exit code of the command. */
export async function litmus(
  paths: readonly string[],
  typed: TypedLitmusOptions,
  terminal: Terminal,
  runLitmusTests: RunLitmusTests,
): Promise<number> {
  const settings = parseLitmusOptions(typed);
  const named = namedTests(paths);
  const isOfMany = new Set(named.filter((test) => test.isOfMany).map(({ path }) => path));
  const [json, stats] = [typed.json ?? false, typed.stats ?? false];
  // A built-in model prunes the exploration; a cat file cannot.
  const fallsBack = settings.model?.kind === 'cat' ? ', which judges whole executions: all of them are enumerated' : '';
  const headline = `heddle ${version} litmus, model ${modelName(settings)}${fallsBack}`;
  if (!json) terminal.print(`% ${headline}\n`);
  const documents: TestDocument[] = [];
  const rows: FolderResult[] = [];
  const counts = { failed: 0, refused: 0, incomplete: 0 };
  const answered = ({ path }: TestFile, answer: Answer): void => {
    if (isOfMany.has(path))
      rows.push({ folder: dirname(path), result: 'result' in answer ? answer.result : undefined });
    if (!('result' in answer)) {
      counts.refused += 1;
      terminal.error(`heddle: ${answer.refusal}${answer.hint === undefined ? '' : `; ${answer.hint}`}\n`);
      return;
    }
    const { result, replies, seconds } = answer;
    if (isFailure(result)) counts.failed += 1;
    if (!result.isComplete) counts.incomplete += 1;
    if (settings.graph !== undefined) drawPicture(settings.graph, path, replies);
    if (json) documents.push(documentOf(path, result, replies, stats ? seconds : undefined));
    else if (!isOfMany.has(path) || typed.full) {
      terminal.print(litmusText(result, stats ? seconds : undefined));
      const lines = [...(replies.explanation ?? []), ...(replies.repair ?? [])];
      if (lines.length > 0) terminal.print(`${lines.join('\n')}\n\n`);
    }
  };
  if (settings.graph !== undefined && named.length !== 1)
    throw new UserError(`--graph draws one test, and ${named.length} are named`);
  const files = named.map(({ path }) => ({ path, text: readText(path) }));
  const told = await runLitmusTests(files, settings, {
    answered,
    progress: (done, of) => {
      terminal.progress(`${done} of ${of} tests`);
    },
    signal: terminal.signal,
  });
  const missing = files.length - told;
  if (json) {
    const document = { format: 'heddle-litmus', version: 1, model: modelName(settings), tests: documents };
    terminal.print(`${JSON.stringify(document, undefined, 2)}\n`);
  } else if (rows.length > 0) terminal.print(litmusTable(rows));
  if (missing > 0) terminal.error(`heddle: stopped: ${missing} of ${files.length} tests were not run\n`);
  if (counts.refused > 0) return exitCode.usage;
  if (counts.failed > 0) return exitCode.failed;
  return counts.incomplete > 0 || missing > 0 ? exitCode.inconclusive : exitCode.done;
}

function drawPicture(graph: string, path: string, { picture }: LitmusReplies): void {
  if (picture === undefined)
    throw new UserError(`${path}: no execution gives the outcome, whatever the model allows: there is nothing to draw`);
  writeOutput(graph, new TextEncoder().encode(picture));
}

function documentOf(
  path: string,
  result: LitmusResult,
  { explanation, repair }: LitmusReplies,
  seconds: number | undefined,
): TestDocument {
  const { name, observation, verdict, quantifier, proposition, states, isComplete } = result;
  return {
    path,
    name,
    observation,
    verdict,
    condition: `${quantifier} (${proposition})`,
    states,
    complete: isComplete,
    ...(explanation && { explanation }),
    ...(repair && { repair }),
    ...(seconds !== undefined && { seconds }),
  };
}
