// The order, the dominators and the loops of a flow graph: Cooper, Harvey and Kennedy, "A Simple, Fast Dominance Algorithm". Structured
// code has a place for loops with one entry only: edges that enter a loop elsewhere are taken out of the graph.

import { type Block, successorsOf } from './flow-graph.ts';

export interface Dominance {
  /** Blocks in reverse postorder; the entry is the first. What cannot be reached is not there. */
  readonly order: readonly number[];
  /** Place of a block in `order`. */
  readonly rank: ReadonlyMap<number, number>;
  /** Blocks that a block dominates immediately, in the order of `order`. */
  readonly children: ReadonlyMap<number, readonly number[]>;
  /** Blocks with an edge from a block that they dominate. */
  readonly loopHeaders: ReadonlySet<number>;
  /** Blocks with more than one edge from blocks before them in the order, or with one from a dispatcher. */
  readonly merges: ReadonlySet<number>;
}

function reversePostorder(blocks: readonly Block[]): number[] {
  const order: number[] = [];
  const seen = new Set([0]);
  const stack = [{ block: 0, rest: successorsOf(blocks[0] as Block) }];
  for (let top = stack.at(-1); top; top = stack.at(-1)) {
    const successor = top.rest.shift();
    if (successor === undefined) {
      order.push(top.block);
      stack.pop();
    } else if (!seen.has(successor)) {
      seen.add(successor);
      stack.push({ block: successor, rest: successorsOf(blocks[successor] as Block) });
    }
  }
  return order.reverse();
}

/** The immediate dominator of each block, by rank; the entry is its own. */
function immediateDominators(predecessors: readonly (readonly number[])[]): number[] {
  const idom: number[] = predecessors.map((_, n) => (n === 0 ? 0 : -1));
  const common = (one: number, other: number): number => {
    let [a, b] = [one, other];
    while (a !== b) {
      while (a > b) a = idom[a] as number;
      while (b > a) b = idom[b] as number;
    }
    return a;
  };
  for (let hasChanged = true; hasChanged;) {
    hasChanged = false;
    for (let n = 1; n < predecessors.length; n += 1) {
      const known = (predecessors[n] as readonly number[]).filter((p) => (idom[p] as number) >= 0);
      const dominator = known.reduce(common);
      if (dominator === idom[n]) continue;
      idom[n] = dominator;
      hasChanged = true;
    }
  }
  return idom;
}

/** Takes the edges to such blocks out; false where there are none. */
function isCut(block: Block, isBad: (to: number) => boolean): boolean {
  const bad = successorsOf(block).filter(isBad);
  if (block.targets) block.targets = block.targets.filter((target) => !bad.includes(target));
  if (block.callees) block.callees = block.callees.filter((callee) => !bad.includes(callee.block));
  if (block.taken !== undefined && bad.includes(block.taken)) block.taken = undefined;
  if (block.next !== undefined && bad.includes(block.next)) block.next = undefined;
  return bad.length > 0;
}

/** Analyses a flow graph, whose edges into the middle of loops it takes out. */
export function dominance(blocks: readonly Block[]): Dominance {
  for (;;) {
    const order = reversePostorder(blocks);
    const rank = new Map(order.map((block, n) => [block, n]));
    const rankOf = (block: number): number => rank.get(block) as number;
    const predecessors: number[][] = order.map(() => []);
    order.forEach((block, n) => {
      for (const successor of successorsOf(blocks[block] as Block)) predecessors[rankOf(successor)]?.push(n);
    });
    const idom = immediateDominators(predecessors);
    const dominates = (a: number, b: number): boolean => {
      let at = b;
      while (at > a) at = idom[at] as number;
      return at === a;
    };
    const cuts = order.map((block, n) => {
      const isBad = (to: number): boolean => rankOf(to) <= n && !dominates(rankOf(to), n);
      return isCut(blocks[block] as Block, isBad);
    });
    if (cuts.includes(true)) continue;
    const blockAt = (n: number): number => order[n] as number;
    const children = new Map<number, number[]>(order.map((block) => [block, []]));
    idom.forEach((dominator, n) => {
      if (n > 0) children.get(blockAt(dominator))?.push(blockAt(n));
    });
    const isChosen = (n: number): boolean =>
      (predecessors[n] as number[]).some((p) => blocks[blockAt(p)]?.targets !== undefined);
    const forward = predecessors.map((of, n) => of.filter((p) => p < n).length);
    return {
      order,
      rank,
      children,
      loopHeaders: new Set(order.filter((_, n) => (predecessors[n] as number[]).some((p) => p >= n))),
      merges: new Set(
        order.filter((_, n) => (forward[n] as number) > 1 || ((forward[n] as number) > 0 && isChosen(n))),
      ),
    };
  }
}
