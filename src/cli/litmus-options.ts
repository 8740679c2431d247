// The options of `heddle litmus`: the table that the parser and the help are made from, and the checks of what was typed.

import { availableParallelism } from 'node:os';
import type { LitmusQuestions, PictureFormat } from '../explore/litmus-questions.ts';
import { isUnsupportedVariant, variantNamed, variantNames } from '../memory-model/litmus/variants.ts';
import { UserError } from '../report/user-error.ts';
import { suggestion } from '../report/suggestion.ts';
import { readText } from './litmus-files.ts';
import { parseCount, parseTime } from './quantities.ts';
import { maxHostThreads, type OptionRow } from './run-options.ts';

/** What was typed, by the option's name in camel case. */
export interface TypedLitmusOptions {
  readonly model?: string;
  readonly variant?: string;
  readonly timeout: string;
  readonly unroll: string;
  readonly explain?: true;
  readonly fix?: true;
  readonly graph?: string;
  readonly hostThreads?: string;
  readonly full?: true;
  readonly stats?: true;
  readonly json?: true;
}

const builtIn = ['arm', 'tso', 'sc'] as const;

/** As the campaign takes them. */
export interface LitmusSettings {
  readonly model:
    | { readonly kind: 'built-in'; readonly name: (typeof builtIn)[number] }
    | { readonly kind: 'cat'; readonly path: string; readonly text: string }
    | undefined;
  readonly variants: readonly string[];
  readonly timeoutMs: number;
  readonly unroll: number;
  readonly questions: LitmusQuestions;
  /** Where the picture goes. */
  readonly graph: string | undefined;
  readonly hostThreads: number;
}

export const litmusOptionRows: readonly OptionRow[] = [
  { flags: '--model <NAME>', says: 'arm, tso, sc or a cat file; arm for AArch64 and tso for x86 unless told' },
  {
    flags: '--variant <NAMES>',
    says: 'variants of herd7, with commas between them; "mixed" and "ifetch" are always on',
  },
  { flags: '--timeout <T>', says: 'end a test after so much time, with what it has found', byDefault: '60s' },
  { flags: '--unroll <N>', says: 'how often a thread may pass the same backward branch', byDefault: '2' },
  { flags: '--explain', says: 'tell why the outcome that the condition asks about is allowed, or what forbids it' },
  { flags: '--fix', says: 'propose the weakest barriers or acquire and release forms that forbid it' },
  { flags: '--graph <FILE>', says: 'draw an execution of one test, and its cycle, as .svg or as .dot for Graphviz' },
  { flags: '--host-threads <N>', says: 'threads of the host to use; all of its cores unless told' },
  { flags: '--full', says: 'print the states of the tests of folders and index files, too' },
  { flags: '--stats', says: 'print host time' },
  { flags: '--json', says: 'print one JSON document' },
];

export function parseLitmusOptions(typed: TypedLitmusOptions): LitmusSettings {
  return {
    model: typed.model === undefined ? undefined : parseModel(typed.model),
    variants: parseVariants(typed.variant),
    timeoutMs: parseTime('--timeout', typed.timeout) / 1e6,
    unroll: parseCount('--unroll', typed.unroll, 0, 1000),
    questions: {
      explain: typed.explain ?? false,
      fix: typed.fix ?? false,
      ...(typed.graph !== undefined && { picture: parsePicture(typed.graph) }),
    },
    graph: typed.graph,
    hostThreads:
      typed.hostThreads === undefined
        ? availableParallelism()
        : parseCount('--host-threads', typed.hostThreads, 1, maxHostThreads),
  };
}

function parsePicture(path: string): PictureFormat {
  if (path.endsWith('.svg')) return 'svg';
  if (path.endsWith('.dot')) return 'dot';
  throw new UserError(`--graph ${path}: a picture is a file that ends in .svg or .dot`);
}

function parseModel(name: string): LitmusSettings['model'] {
  const known = builtIn.find((model) => model === name);
  if (known !== undefined) return { kind: 'built-in', name: known };
  if (name.endsWith('.cat')) return { kind: 'cat', path: name, text: readText(name) };
  throw new UserError(
    `--model ${name}: there is no such${suggestion(name, builtIn) || ` one: ${builtIn.join(', ')}, or a file that ends in .cat`}`,
  );
}

function parseVariants(text: string | undefined): string[] {
  const names = text?.split(',').map((name) => name.trim()) ?? [];
  for (const name of names) {
    if (variantNamed(name) !== undefined) continue;
    throw new UserError(
      isUnsupportedVariant(name)
        ? `--variant ${name}: this version does not have it yet`
        : `--variant ${name}: there is no such${suggestion(name, variantNames) || ` one: ${variantNames.join(', ')}`}`,
    );
  }
  return names;
}
