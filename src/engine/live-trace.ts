// What the code cache keeps of translated code: of each entry to it, each trace and region, and each module.

import type { Code } from './entry-table.ts';
import type { Link } from './trace-links.ts';
import type { Trace } from './translate.ts';

/** Code that is translated, or is to be. */
export interface Entry extends Code {
  /** Function index of the trace or the region, or 0. */
  functionIndex: number;
  /** What it was made from. */
  live: LiveTrace | undefined;
}

/** A trace or a region that can run, and the lines that it was made from. */
export interface LiveTrace {
  readonly pa: number;
  readonly entry: Entry;
  readonly lines: ReadonlySet<number>;
  /** Of the words that count rounds, or -1. */
  readonly counter: number;
  readonly isRegion: boolean;
  /** Times that it has asked to become a region. */
  asked: number;
}

/** What is free again when nothing of a module can run any more. */
export interface ModuleParts {
  readonly links: readonly Link[];
  /** Of the words that count rounds. */
  readonly counters: readonly number[];
}

/** What a module in the making has. */
export interface Member {
  readonly live: LiveTrace;
  readonly trace: Trace;
}
