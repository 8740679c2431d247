import { describe, expect, it } from 'vitest';
import { dominance } from '../../src/engine/dominators.ts';
import { type Block, flowGraph } from '../../src/engine/flow-graph.ts';
import { makeSummaries } from '../../src/engine/instruction-summary.ts';
import { assemble } from '../../src/isa/assembler.ts';
import { makeDecoder } from '../../src/isa/decoder.ts';
import { instructionSet } from '../../src/isa/instruction-set.ts';

/** A block without instructions. */
const block = (taken?: number, next?: number): Block => ({
  ...{ offset: 0, summaries: [], returnsTo: undefined },
  ...{ taken, next },
});

describe('the dominators of a flow graph', () => {
  it('give loops their headers, and joins their merges', () => {
    // 0 → 1 → (2 | 3) → 4 → (1 | 5)
    const { order, loopHeaders, merges, children } = dominance([
      block(1),
      block(2, 3),
      block(4),
      block(4),
      block(1, 5),
      block(),
    ]);
    expect(order[0]).toBe(0);
    expect([...loopHeaders]).toEqual([1]);
    expect([...merges]).toEqual([4]);
    expect([...(children.get(1) ?? [])].sort()).toEqual([2, 3, 4]);
  });

  it('are of a graph without the edges that enter a loop beside its header', () => {
    const blocks = [block(1, 2), block(2), block(1, 3), block()];
    const { loopHeaders } = dominance(blocks);
    expect(loopHeaders.size).toBe(0);
    // One of the two ways round has been cut.
    expect([blocks[1]?.taken, blocks[2]?.taken].filter((edge) => edge === undefined)).toHaveLength(1);
  });
});

const summaries = makeSummaries(makeDecoder(instructionSet), { isConcurrent: false, yields: false });

/** The flow graph of a program, whose indirect calls have called what stands at these labels; all of it has run, but for some. */
function graphOf(
  program: string,
  called: readonly string[] = [],
  notRun: readonly string[] = [],
): { blocks: Block[]; at: (label: string) => number } {
  const { bytes, symbols } = assemble(program, { base: 0 });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at = (label: string): number => Number(symbols.get(label));
  const blocks = flowGraph({
    pageOffset: 0,
    summaryAt: (offset) => summaries(view.getUint32(offset, true)),
    hasRun: (offset) => !notRun.map(at).includes(offset),
    isMapped: () => true,
    maxInstructions: 100,
    indirectTargets: () => [],
    calledFrom: () => called.map(at),
  });
  return { blocks, at };
}

describe('the flow graph of a region', () => {
  it('has what an indirect call has called, once for each call, and where it returns to', () => {
    const { blocks, at } = graphOf(
      `
start:  blr     x1
first:  blr     x1
second: b       start
one:    ret
two:    add     x0, x0, #1
        ret`,
      ['one', 'two'],
    );
    const blockAt = (n: number | undefined): Block => blocks[n as number] as Block;
    for (const [call, after] of [
      ['start', 'first'],
      ['first', 'second'],
    ] as const) {
      const callees = blocks.find(({ offset }) => offset === at(call))?.callees ?? [];
      expect(callees.map(({ offset }) => offset)).toEqual([at('one'), at('two')]);
      for (const { block } of callees) expect(blockAt(blockAt(block).taken).offset).toBe(at(after));
    }
  });

  it('has what an indirect call has called before, though it has not while the region was observed', () => {
    const { blocks, at } = graphOf(
      `
start:  blr     x1
        b       start
one:    add     x0, x0, #1
        ret`,
      ['one'],
      ['one'],
    );
    expect(blocks.map(({ offset }) => offset)).toContain(at('one'));
  });

  it('has the calls of a function to itself lead to its beginning, and its returns to where it has called', () => {
    const { blocks, at } = graphOf(`
start:  cbz     x0, out
call:   bl      start
again:  bl      start
out:    ret`);
    const calls = blocks.filter((block) => block.summaries.at(-1)?.transfer.kind === 'call');
    expect(calls.map(({ offset, taken }) => [offset, taken])).toEqual([
      [at('call'), 0],
      [at('again'), 0],
    ]);
    const out = blocks.find((block) => block.offset === at('out') && block.summaries.length > 0);
    const { targets, isOfReturns } = blocks[out?.taken as number] as Block;
    expect(isOfReturns).toBe(true);
    expect(targets?.map((n) => blocks[n]?.offset)).toEqual([at('again'), at('out')]);
  });
});
