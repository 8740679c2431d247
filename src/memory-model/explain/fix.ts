// The weakest repair of a program that forbids an outcome: barriers between accesses, and loads and stores that become acquire and
// release, searched in the order of their cost and each explored again.
//
// Costs are those of order, not of time on one processor: what orders less costs less, and a repair of two parts costs the sum.
// LDAPR 2 (orders what follows, but not against an earlier store-release), LDAR and STLR 3, DMB LD and DMB ST 4, DMB SY 7. On x86 only
// MFENCE orders more than the processor does anyway. Dependencies are not proposed: they change what the program computes.

/** A line of a thread; labels stay where they are. */
export interface CodeLine {
  readonly isInstruction: boolean;
  readonly text: string;
}

export type Code = readonly (readonly CodeLine[])[];

/** One change of a repair. */
export interface Change {
  readonly thread: number;
  /** The line that is replaced, or behind which one is inserted. */
  readonly line: number;
  readonly kind: 'insert' | 'replace';
  readonly text: string;
  readonly cost: number;
}

export type Repair =
  | { readonly kind: 'repaired'; readonly changes: readonly Change[]; readonly code: Code; readonly explored: number }
  /** Not even the strongest barriers between all accesses forbid the outcome. */
  | { readonly kind: 'none'; readonly explored: number }
  /** The search was stopped, or came to its bound. */
  | { readonly kind: 'unfinished'; readonly explored: number };

export interface FixOptions {
  readonly architecture: 'AArch64' | 'x86';
  /** Whether the model forbids the outcome for this code; undefined where the exploration was not completed. */
  readonly isForbidden: (code: Code) => boolean | undefined;
  readonly shouldStop?: () => boolean;
}

/** Explorations after which the search ends: at a millisecond or two each, some seconds. */
const maxExplorations = 3000;

const access = /^(?:LD|ST|SWP|CAS)/i;
const x86Access = /\[/;

/** Acquire and release forms take an address without an offset. */
const upgrades: readonly { readonly from: RegExp; readonly to: string; readonly cost: number }[] = [
  { from: /^LDR(B|H)?(\s+[WX][\w%]*\s*,\s*\[\s*[\w%]+\s*\])$/i, to: 'LDAPR$1$2', cost: 2 },
  { from: /^LDR(B|H)?(\s+[WX][\w%]*\s*,\s*\[\s*[\w%]+\s*\])$/i, to: 'LDAR$1$2', cost: 3 },
  { from: /^STR(B|H)?(\s+[WX][\w%]*\s*,\s*\[\s*[\w%]+\s*\])$/i, to: 'STLR$1$2', cost: 3 },
  { from: /^LDX(R|P)/i, to: 'LDAX$1', cost: 3 },
  { from: /^STX(R|P)/i, to: 'STLX$1', cost: 3 },
];

const barriers: Readonly<
  Record<FixOptions['architecture'], readonly { readonly text: string; readonly cost: number }[]>
> = {
  AArch64: [
    { text: 'DMB LD', cost: 4 },
    { text: 'DMB ST', cost: 4 },
    { text: 'DMB SY', cost: 7 },
  ],
  x86: [{ text: 'MFENCE', cost: 7 }],
};

/** Places of the code and what may be done at each; of one place at most one change is made. */
function sitesOf(code: Code, architecture: FixOptions['architecture']): readonly (readonly Change[])[] {
  const isAccess = architecture === 'x86' ? x86Access : access;
  return code.flatMap((lines, thread) => {
    const accesses = lines.flatMap(({ isInstruction, text }, line) =>
      isInstruction && isAccess.test(text.trim()) ? [line] : [],
    );
    const between = accesses
      .slice(0, -1)
      .map((line) =>
        barriers[architecture].map(({ text, cost }): Change => ({ thread, line, kind: 'insert', text, cost })),
      );
    const upgraded = accesses.map((line) =>
      architecture === 'x86'
        ? []
        : upgrades.flatMap(({ from, to, cost }): Change[] => {
            const text = lines[line]!.text.trim();
            return from.test(text) ? [{ thread, line, kind: 'replace', text: text.replace(from, to), cost }] : [];
          }),
    );
    return [...between, ...upgraded].filter((changes) => changes.length > 0);
  });
}

function applied(code: Code, changes: readonly Change[]): Code {
  return code.map((lines, thread) =>
    lines.flatMap((line, n) => {
      const here = changes.filter((change) => change.thread === thread && change.line === n);
      const replaced = here.find(({ kind }) => kind === 'replace');
      const inserted = here.find(({ kind }) => kind === 'insert');
      return [
        replaced ? { isInstruction: true, text: replaced.text } : line,
        ...(inserted ? [{ isInstruction: true, text: inserted.text }] : []),
      ];
    }),
  );
}

/** Every choice of changes, at most one from each site, that costs exactly so much. */
function* choices(sites: readonly (readonly Change[])[], cost: number): Generator<readonly Change[]> {
  const [site, ...rest] = sites;
  if (cost === 0) yield [];
  if (cost <= 0 || !site) return;
  for (const change of site)
    if (change.cost <= cost) for (const others of choices(rest, cost - change.cost)) yield [change, ...others];
  yield* choices(rest, cost);
}

/** `code` allows the outcome; the cheapest change of it that does not. */
export function findRepair(code: Code, { architecture, isForbidden, shouldStop }: FixOptions): Repair {
  const sites = sitesOf(code, architecture);
  const strongest = sites.map((site) => site.at(-1)!);
  let explored = 1;
  const atBest = isForbidden(applied(code, strongest));
  if (atBest !== true) return { kind: atBest === undefined ? 'unfinished' : 'none', explored };
  const dearest = strongest.reduce((sum, { cost }) => sum + cost, 0);
  for (let cost = 1; cost <= dearest; cost += 1)
    for (const changes of choices(sites, cost)) {
      if (explored === maxExplorations || shouldStop?.()) return { kind: 'unfinished', explored };
      explored += 1;
      const repaired = applied(code, changes);
      if (isForbidden(repaired) === true) return { kind: 'repaired', changes, code: repaired, explored };
    }
  return { kind: 'unfinished', explored };
}

/** `P0: DMB ST behind "STR W0,[X1]"`. */
export function changeSentence({ thread, line, kind, text }: Change, code: Code): string {
  const old = code[thread]![line]!.text.trim();
  return kind === 'insert'
    ? `P${thread}: insert "${text}" behind "${old}"`
    : `P${thread}: "${text}" in place of "${old}"`;
}
