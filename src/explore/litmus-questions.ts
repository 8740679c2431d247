// What a user asks of a litmus test besides its states: why, as a picture, and how to forbid it.

import { dotOf } from '../memory-model/picture/dot.ts';
import { pictureOf } from '../memory-model/picture/picture.ts';
import { svgOf } from '../memory-model/picture/svg.ts';
import type { Model } from '../memory-model/execution.ts';
import type { Explanation, Models } from '../memory-model/explain/explain.ts';
import { changeSentence, findRepair, type Code, type Repair } from '../memory-model/explain/fix.ts';
import type { LitmusProgram } from '../memory-model/litmus/program.ts';
import { arraysOf, spellProposition } from '../memory-model/litmus/spelling.ts';
import type { Column, ColumnLine, LitmusTest } from '../memory-model/litmus/test.ts';
import type { FinalState, Program } from '../memory-model/program.ts';
import { explainOutcome } from './explanation.ts';
import { explore } from './explore.ts';
import type { OrderingModel } from './local-event.ts';

export type PictureFormat = 'svg' | 'dot';

export interface LitmusQuestions {
  readonly explain?: boolean;
  readonly fix?: boolean;
  readonly picture?: PictureFormat;
}

export interface LitmusReplies {
  /** Sentences, one a line. */
  readonly explanation?: readonly string[];
  readonly picture?: string;
  readonly repair?: readonly string[];
}

export interface Asked {
  readonly test: LitmusProgram;
  /** Programs of tests that differ in their code. */
  readonly remake: (test: LitmusTest) => LitmusProgram;
  /** The model that decides, for a program. */
  readonly decides: (program: Program) => OrderingModel | Model;
  readonly models: Models;
  readonly shouldStop: () => boolean;
}

/** The states that a condition asks about: those that fulfil it, or those that break a `forall`. */
function wantedBy({ test, finalStates }: LitmusProgram): (state: FinalState) => boolean {
  const breaks = test.condition.quantifier === 'forall';
  return (state) => finalStates.isLookedAt(state) && finalStates.fulfils(state) !== breaks;
}

/** The outcome that is asked about, as herd7 spells it. */
function outcomeText({ test }: LitmusProgram): string {
  const { quantifier, proposition } = test.condition;
  const text = spellProposition(proposition, arraysOf(test));
  return quantifier === 'forall' ? `not (${text})` : text;
}

export function answerQuestions(asked: Asked, { explain, fix, picture }: LitmusQuestions): LitmusReplies {
  const { test, decides, models, shouldStop } = asked;
  const outcome = outcomeText(test);
  const { program } = test;
  const explanation =
    explain || picture
      ? explainOutcome({ program, wanted: wantedBy(test), decides: decides(program), models, shouldStop })
      : undefined;
  return {
    ...(explain && {
      explanation: explanation
        ? [`${outcome}:`, ...explanation.sentences]
        : [`${outcome}: not known, because the exploration was stopped before its end.`],
    }),
    ...(picture && explanation?.shown && { picture: draw(explanation, outcome, asked, picture) }),
    ...(fix && { repair: repairSentences(asked, outcome) }),
  };
}

function draw(
  { isAllowed, shown }: Explanation,
  outcome: string,
  { test, models }: Asked,
  format: PictureFormat,
): string {
  const picture = pictureOf(shown!.telling, {
    title: `${test.test.name}: ${outcome} is ${isAllowed ? 'allowed' : 'forbidden'} by ${models.model.name}`,
    threads: test.program.threads.map(({ name }) => name),
    cycle: shown!.cycle,
    caption: shown!.caption,
  });
  return format === 'svg' ? svgOf(picture) : dotOf(picture);
}

const codeOf = (columns: readonly Column[]): Code =>
  columns.map(({ lines }) =>
    lines.map((line) => ({
      isInstruction: line.kind === 'instruction',
      text: line.kind === 'instruction' ? line.text : line.name,
    })),
  );

/** The columns with other lines in them; a refusal of one of these would name the column. */
const withCode = (columns: readonly Column[], code: Code): readonly Column[] =>
  columns.map((column, n) => ({
    ...column,
    lines: code[n]!.map(({ isInstruction, text }): ColumnLine =>
      isInstruction ? { kind: 'instruction', text, at: column.at } : { kind: 'label', name: text, at: column.at },
    ),
  }));

function repairSentences({ test, remake, decides, shouldStop }: Asked, outcome: string): readonly string[] {
  const { columns, architecture } = test.test;
  /** Whether the outcome cannot happen; undefined where that was not found out. */
  const isForbidden = (candidate: LitmusProgram): boolean | undefined => {
    const wanted = wantedBy(candidate);
    const model = decides(candidate.program);
    const { outcomes, isComplete } = explore(candidate.program, model, { shouldStop });
    if (outcomes.some(({ state }) => wanted(state))) return false;
    return isComplete ? true : undefined;
  };
  if (isForbidden(test) === true) return [`${outcome} is forbidden as the test stands.`];
  const code = codeOf(columns);
  const repair = findRepair(code, {
    architecture: architecture === 'AArch64' ? 'AArch64' : 'x86',
    isForbidden: (changed) => isForbidden(remake({ ...test.test, columns: withCode(columns, changed) })),
    shouldStop,
  });
  return repairText(repair, code, outcome);
}

function repairText(repair: Repair, code: Code, outcome: string): readonly string[] {
  const explored = `${repair.explored} ${repair.explored === 1 ? 'variant' : 'variants'} of the test explored`;
  switch (repair.kind) {
    case 'repaired':
      return [
        `${outcome} is forbidden by ${repair.changes.length === 1 ? 'one change' : `${repair.changes.length} changes`} (${explored}):`,
        ...repair.changes.map((change) => `  ${changeSentence(change, code)}`),
      ];
    case 'none':
      return [
        `${outcome} is forbidden by no barrier and no acquire or release: the strongest everywhere still allow it.`,
      ];
    case 'unfinished':
      return [`no repair was found before the search was ended (${explored}).`];
  }
}
