// What must be known of a region before its code is made: which registers it loads, which may be dirty where, where flags come from and
// whether anybody needs them, and where its budget is checked. All of it is data flow over the summaries of its instructions.

import type { Dominance } from './dominators.ts';
import { type Block, successorsOf } from './flow-graph.ts';

/** Instructions between two looks at the budget: what is left of a budget when a look fails is stepped. */
const maxUnchecked = 64;

export interface BlockFacts {
  /** Registers that may differ from the record when the block begins. */
  readonly dirtyIn: number;
  readonly flagsDirtyIn: boolean;
  /** Somebody may need the flags with which the block begins. */
  readonly flagsLiveIn: boolean;
  /** An instruction may read them: they are flags in locals. Otherwise they are operands, for where the region is left. */
  readonly flagsReadIn: boolean;
  /** The block that has written the flags with which this one begins: itself where several have, -1 for the region's entry. */
  readonly flagsFrom: number;
  /** Instructions up to the next look at the budget, at most. */
  readonly need: number;
  /** The budget is looked at on the way into the block. */
  readonly isChecked: boolean;
}

export interface RegionFacts {
  readonly blocks: ReadonlyMap<number, BlockFacts>;
  /** Registers that are loaded at the entry. */
  readonly loaded: number;
  readonly written: number;
}

/** Flags from the region's entry. */
const fromEntry = -1;

/** A block that can go on outside the region. */
function mayLeaveAtEnd(block: Block): boolean {
  if (block.targets) return true;
  const transfer = block.summaries.at(-1)?.transfer.kind ?? 'none';
  switch (transfer) {
    case 'none':
      return block.next === undefined;
    case 'conditional':
      return block.taken === undefined || block.next === undefined;
    case 'direct':
    case 'call':
      return block.taken === undefined;
    default:
      return true;
  }
}

/** Repeats until nothing changes any more. */
function fixpoint(order: readonly number[], change: (block: number) => boolean): void {
  for (let hasChanged = true; hasChanged;) {
    hasChanged = false;
    for (const block of order) if (change(block)) hasChanged = true;
  }
}

export function regionFacts(
  blocks: readonly Block[],
  { order, loopHeaders }: Dominance,
  isGuarded: (from: Block, to: Block) => boolean,
): RegionFacts {
  const at = (n: number): Block => blocks[n] as Block;
  const reversed = [...order].reverse();
  const written = order.reduce((set, n) => at(n).summaries.reduce((all, { writes }) => all | writes, set), 0);
  const predecessors = new Map<number, number[]>(order.map((n) => [n, []]));
  for (const n of order) for (const successor of successorsOf(at(n))) predecessors.get(successor)?.push(n);

  // The budget.
  const checked = new Set(loopHeaders);
  const need = new Map<number, number>();
  for (const n of reversed) {
    const { length } = at(n).summaries;
    const after = successorsOf(at(n)).filter((successor) => !checked.has(successor));
    const most = Math.max(0, ...after.map((successor) => need.get(successor) as number));
    if (length + most > maxUnchecked) for (const successor of after) checked.add(successor);
    need.set(n, length + most > maxUnchecked ? length : length + most);
  }

  // Dirty registers, forwards.
  const writesOf = (n: number): number => at(n).summaries.reduce((set, { writes }) => set | writes, 0);
  const dirtyIn = new Map<number, number>(order.map((n) => [n, 0]));
  const flagsDirtyIn = new Set<number>();
  const writesFlags = new Set(order.filter((n) => at(n).summaries.some((s) => s.writesFlags)));
  fixpoint(order, (n) => {
    const before = predecessors.get(n) as number[];
    const dirty = before.reduce((set, p) => set | (dirtyIn.get(p) as number) | writesOf(p), 0);
    const areFlagsDirty = before.some((p) => flagsDirtyIn.has(p) || writesFlags.has(p));
    const hasChanged = dirty !== dirtyIn.get(n) || areFlagsDirty !== flagsDirtyIn.has(n);
    dirtyIn.set(n, dirty);
    if (areFlagsDirty) flagsDirtyIn.add(n);
    return hasChanged;
  });

  // Where flags come from: as if they were the one variable of a program in static single assignment form.
  const flagsFrom = new Map<number, number>([[0, fromEntry]]);
  const flagsOut = (n: number): number | undefined => (writesFlags.has(n) ? n : flagsFrom.get(n));
  fixpoint(order, (n) => {
    if (flagsFrom.get(n) === n) return false;
    const sources = new Set((predecessors.get(n) as number[]).map(flagsOut).filter((source) => source !== undefined));
    if (n === 0) sources.add(fromEntry);
    const [first] = sources;
    const from = sources.size > 1 ? n : (first as number);
    const hasChanged = flagsFrom.get(n) !== from;
    flagsFrom.set(n, from);
    return hasChanged;
  });

  // What is needed, backwards. Wherever the region may be left in the middle, every register that it writes is stored.
  const liveIn = new Map<number, number>();
  const flagsLiveIn = new Set<number>();
  const flagsReadIn = new Set<number>();
  fixpoint(reversed, (n) => {
    const block = at(n);
    const after = successorsOf(block);
    const leaves =
      mayLeaveAtEnd(block) || after.some((successor) => checked.has(successor) || isGuarded(block, at(successor)));
    let live = after.reduce((set, successor) => set | (liveIn.get(successor) ?? 0), 0);
    let areFlagsLive = leaves || after.some((successor) => flagsLiveIn.has(successor));
    let areFlagsRead = after.some((successor) => flagsReadIn.has(successor));
    if (leaves) live |= written;
    for (const s of [...block.summaries].reverse()) {
      live = (live & ~s.writes) | s.reads;
      if (s.mayLeave) live |= written;
      areFlagsLive = s.mayLeave || s.readsFlags || (areFlagsLive && !s.writesAllFlags);
      areFlagsRead = s.readsFlags || (areFlagsRead && !s.writesAllFlags);
    }
    const hasChanged =
      live !== liveIn.get(n) || areFlagsLive !== flagsLiveIn.has(n) || areFlagsRead !== flagsReadIn.has(n);
    liveIn.set(n, live);
    if (areFlagsLive) flagsLiveIn.add(n);
    if (areFlagsRead) flagsReadIn.add(n);
    return hasChanged;
  });

  const facts = order.map((n): [number, BlockFacts] => [
    n,
    {
      dirtyIn: dirtyIn.get(n) as number,
      flagsDirtyIn: flagsDirtyIn.has(n),
      flagsLiveIn: flagsLiveIn.has(n),
      flagsReadIn: flagsReadIn.has(n),
      flagsFrom: flagsFrom.get(n) as number,
      need: need.get(n) as number,
      isChecked: checked.has(n),
    },
  ]);
  return { blocks: new Map(facts), loaded: liveIn.get(0) as number, written };
}
