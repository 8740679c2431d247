// The flow graph of a region: basic blocks that are reached from a hot address, the nearest first. A direct call goes on in the callee,
// which is there once for each chain of calls that leads to it: its return then has one place where it usually goes. Whatever an
// edge is missing for (code beyond the region's bounds, code that has never run, an irreducible loop) leaves the region.

import { pageShift } from '../arch/state-layout.ts';
import type { InstructionSummary } from './instruction-summary.ts';

/** Calls within calls that are followed. */
const maxCalls = 4;

/** Where a region comes from; places are byte offsets from its first instruction. */
export interface RegionCode {
  /** Bits [11:0] of the first instruction's address. */
  readonly pageOffset: number;
  readonly summaryAt: (offset: number) => InstructionSummary;
  /** Whether the code that a branch leads to, in either way, can be fetched now, and has run. */
  readonly hasRun: (offset: number) => boolean;
  /** Whether the code there can be fetched now. */
  readonly isMapped: (offset: number) => boolean;
  /** The most instructions in the region. */
  readonly maxInstructions: number;
  /** Where indirect branches may lead, in ascending order. */
  readonly indirectTargets: () => readonly number[];
  /** What an indirect call has called lately, whether it has while the region was observed or not. */
  readonly calledFrom: (offset: number) => readonly number[];
}

/** The calls that lead to a block: where they return to, and what they have called. */
interface CallChain {
  readonly id: number;
  readonly returns: readonly number[];
  readonly callees: readonly number[];
}

export interface Block {
  /** Of the first instruction; the others follow. */
  readonly offset: number;
  readonly summaries: readonly InstructionSummary[];
  /** Where the call that it is in returns to. */
  readonly returnsTo: number | undefined;
  /**
   * The block after a branch that is taken, a call, or a return to `returnsTo`; after an indirect branch its dispatcher, and after a return
   * of the function that the region begins with, which calls itself, that of its returns.
   */
  taken: number | undefined;
  /** The block after the last instruction. */
  next: number | undefined;
  /** Of a dispatcher, which has no instructions: the blocks that it chooses from. Indirect branches share one, so that their loops have one entry. */
  targets?: readonly number[];
  /** A dispatcher of returns. */
  readonly isOfReturns?: boolean;
  /** Of an indirect call, which has no other successors: what it has called. */
  callees?: readonly Callee[];
}

/** The block of a function, and its offset. */
export interface Callee {
  readonly block: number;
  readonly offset: number;
}

export const successorsOf = ({ taken, next, targets, callees }: Block): number[] => {
  if (targets) return [...targets];
  if (callees) return callees.map(({ block }) => block);
  if (taken === undefined) return next === undefined ? [] : [next];
  return next === undefined || next === taken ? [taken] : [taken, next];
};

const outermost: CallChain = { id: 0, returns: [], callees: [] };

/** The blocks of a region; the first one is its entry. */
export function flowGraph(code: RegionCode): Block[] {
  // Offsets are less than 2^32 either way, and chains are few.
  const keyOf = (chain: CallChain, offset: number): number => chain.id * 2 ** 34 + offset;
  const pageOf = (offset: number): number => (code.pageOffset + offset) >> pageShift;
  const leaders = new Map<number, { readonly chain: CallChain; readonly offset: number }>();
  const visited = new Map<number, InstructionSummary>();
  const chains = new Map<string, CallChain>();
  /** Calls in which there are indirect branches. */
  const dispatching = new Set<CallChain>();
  /** Where the function that the region begins with goes on after it has called itself. */
  const ownReturns = new Set<number>();
  const isOwnCall = (chain: CallChain, target: number): boolean => chain === outermost && target === 0;
  let indirectTargets: readonly number[] | undefined;
  const targets = (): readonly number[] => (indirectTargets ??= code.indirectTargets());
  const queue: { readonly chain: CallChain; readonly offset: number }[] = [];

  function lead(chain: CallChain, offset: number): void {
    const key = keyOf(chain, offset);
    if (leaders.has(key)) return;
    leaders.set(key, { chain, offset });
    if (!visited.has(key)) queue.push({ chain, offset });
  }

  function chainOf(returns: readonly number[], callees: readonly number[]): CallChain {
    if (returns.length === 0) return outermost;
    const key = [...returns, ...callees].join();
    let chain = chains.get(key);
    if (!chain) {
      chain = { id: chains.size + 1, returns, callees };
      chains.set(key, chain);
    }
    return chain;
  }

  function called(chain: CallChain, target: number, returnTo: number): CallChain | undefined {
    if (chain.returns.length === maxCalls || target === 0 || chain.callees.includes(target)) return undefined;
    return chainOf([...chain.returns, returnTo], [...chain.callees, target]);
  }
  const returned = ({ returns, callees }: CallChain): CallChain => chainOf(returns.slice(0, -1), callees.slice(0, -1));

  /** Visits the instructions of a leader up to the end of its block. */
  function visit({ chain, offset: first }: { readonly chain: CallChain; readonly offset: number }): void {
    for (let offset = first; visited.size < code.maxInstructions; offset += 4) {
      const key = keyOf(chain, offset);
      if (visited.has(key) || pageOf(offset) !== pageOf(first)) {
        if (code.isMapped(offset)) lead(chain, offset);
        return;
      }
      const summary = code.summaryAt(offset);
      visited.set(key, summary);
      const { transfer } = summary;
      if (transfer.kind === 'none') continue;
      if (transfer.kind === 'direct' || transfer.kind === 'conditional') {
        if (code.hasRun(offset + transfer.offset)) lead(chain, offset + transfer.offset);
        if (transfer.kind === 'conditional' && code.hasRun(offset + 4)) lead(chain, offset + 4);
      } else if (transfer.kind === 'call' && code.hasRun(offset + transfer.offset)) {
        const inner = called(chain, offset + transfer.offset, offset + 4);
        if (inner) lead(inner, offset + transfer.offset);
        if (isOwnCall(chain, offset + transfer.offset) && code.isMapped(offset + 4)) {
          ownReturns.add(offset + 4);
          lead(chain, offset + 4);
        }
      } else if (transfer.kind === 'indirect call') {
        for (const target of code.calledFrom(offset)) {
          const inner = code.isMapped(target) ? called(chain, target, offset + 4) : undefined;
          if (inner) lead(inner, target);
        }
      } else if (transfer.kind === 'return' && chain.returns.length > 0) {
        const to = chain.returns.at(-1) as number;
        if (code.isMapped(to)) lead(returned(chain), to);
      } else if (transfer.kind === 'indirect') {
        dispatching.add(chain);
        for (const target of targets()) lead(chain, target);
      }
      return;
    }
  }

  lead(outermost, 0);
  for (let next = queue.shift(); next; next = queue.shift()) visit(next);

  const begun = [...leaders.entries()].filter(([key]) => visited.has(key));
  const indices = new Map(begun.map(([key], index) => [key, index]));
  const blockAt = (chain: CallChain | undefined, offset: number): number | undefined =>
    chain && indices.get(keyOf(chain, offset));
  const dispatchers = [...dispatching];
  const dispatcherOf = (chain: CallChain): number | undefined =>
    targets().length > 0 ? begun.length + dispatchers.indexOf(chain) : undefined;
  const returnTargets = [...ownReturns].flatMap((offset) => blockAt(outermost, offset) ?? []);
  const returnDispatcher = returnTargets.length > 0 ? begun.length + dispatchers.length : undefined;
  const blocks = begun.map(([, { chain, offset }]): Block => {
    const summaries: InstructionSummary[] = [];
    let end = offset;
    for (;;) {
      const summary = visited.get(keyOf(chain, end));
      const isPageEnd = pageOf(end) !== pageOf(offset);
      if (!summary || isPageEnd || (end !== offset && indices.has(keyOf(chain, end)))) {
        return { offset, summaries, returnsTo: chain.returns.at(-1), taken: undefined, next: blockAt(chain, end) };
      }
      summaries.push(summary);
      const { transfer } = summary;
      end += 4;
      if (transfer.kind === 'none') continue;
      const block = { offset, summaries, returnsTo: chain.returns.at(-1), next: undefined };
      switch (transfer.kind) {
        case 'conditional':
          return { ...block, taken: blockAt(chain, end - 4 + transfer.offset), next: blockAt(chain, end) };
        case 'direct':
          return { ...block, taken: blockAt(chain, end - 4 + transfer.offset) };
        case 'call': {
          const target = end - 4 + transfer.offset;
          const callee =
            isOwnCall(chain, target) && returnDispatcher !== undefined ? chain : called(chain, target, end);
          return { ...block, taken: blockAt(callee, target) };
        }
        case 'indirect call': {
          const callees = code.calledFrom(end - 4).flatMap((target): Callee[] => {
            const callee = blockAt(called(chain, target, end), target);
            return callee === undefined ? [] : [{ block: callee, offset: target }];
          });
          return { ...block, taken: undefined, callees };
        }
        case 'return':
          return {
            ...block,
            taken:
              chain.returns.length > 0 ? blockAt(returned(chain), chain.returns.at(-1) as number) : returnDispatcher,
          };
        case 'indirect':
          return { ...block, taken: dispatcherOf(chain) };
        default:
          return { ...block, taken: undefined };
      }
    }
  });
  const nothing = { offset: 0, summaries: [], returnsTo: undefined, taken: undefined, next: undefined };
  const chosen = dispatchers.map((chain): Block => {
    const among = targets()
      .map((offset) => blockAt(chain, offset))
      .filter((block) => block !== undefined);
    return { ...nothing, targets: among };
  });
  const returns = returnDispatcher === undefined ? [] : [{ ...nothing, targets: returnTargets, isOfReturns: true }];
  return [...blocks, ...chosen, ...returns];
}
