// A thread of A64 instructions: where it starts and ends, its fences, and what it does while a read is open.

import { describe, expect, it } from 'vitest';
import type { TraceMemory } from '../../src/engine/trace-state.ts';
import { assemble } from '../../src/isa/assembler.ts';
import { aarch64Thread, makeCode } from '../../src/memory-model/aarch64-thread.ts';
import { windowMemory } from '../engine/trace-machine.ts';
import { silentHooks } from './silent-hooks.ts';

const base = 0x1000n;

function run(source: string, memory: TraceMemory = windowMemory(base, new Uint8Array(64))) {
  const { bytes } = assemble(source);
  const state = aarch64Thread('P0', makeCode(0x8000n, bytes), new Map([['X1', base]])).start();
  const fences: string[] = [];
  for (;;) {
    const outcome = state.step(memory, { ...silentHooks, fence: (name) => fences.push(name) });
    if (outcome.kind !== 'next') return { state, outcome, fences };
  }
}

/** The first read is open; everything else is as in a window. */
function openMemory(): TraceMemory & ReturnType<typeof windowMemory> {
  const memory = windowMemory(base, new Uint8Array(64));
  return {
    ...memory,
    load: (access) => {
      const read = memory.load(access);
      return 'read' in read ? { ...read, elements: [{ deps: [read.read], picks: [], open: 'r' }] } : read;
    },
  };
}

describe('an AArch64 thread', () => {
  it('ends where it leaves its code, and keeps its registers', () => {
    const { state, outcome } = run('mov x0, #7\nstr x0, [x1]\nldr x2, [x1]');
    expect(outcome).toEqual({ kind: 'end' });
    expect(state.pc).toBe(0x800cn);
    expect(state.register('X2')).toMatchObject({ bits: 7n, deps: [1] });
  });

  it('names a barrier by its domain and its types of access', () => {
    const source = ['dmb sy', 'dmb ishld', 'dmb st', 'dsb osh', 'dsb nshst', 'dmb #4', 'isb', '.inst 0xd503309f'];
    expect(run(source.join('\n')).fences).toEqual([
      ...['DMB.SY', 'DMB.ISHLD', 'DMB.ST', 'DSB.OSH', 'DSB.NSHST', 'DMB.SY', 'ISB'],
    ]);
  });

  it('stops at an exception that is not modelled, and ends with one that is', () => {
    expect(run('mov x0, #1\nhvc #3').outcome).toEqual({
      kind: 'exception',
      exception: { exception: 'HVC', imm16: 3 },
    });
    expect(run('mov x0, #1\nsvc #3').outcome).toEqual({ kind: 'end' });
    expect(run('.inst 0xffffffff').outcome).toMatchObject({ exception: { exception: 'UNDEFINED' } });
  });

  it('goes on with an open value as long as it decides nothing', () => {
    const { state, outcome } = run('ldr w2, [x1]\neor w3, w2, w2\nadd w4, w2, #1\nnop', openMemory());
    expect(outcome).toEqual({ kind: 'end' });
    expect(state.register('X3')).toEqual({ width: 64, bits: 0n, deps: [0], picks: [], open: undefined });
    expect(state.register('X4').open).toBeDefined();
    expect(state.register('X4').deps).toEqual([0]);
  });

  it('stops where a branch depends on an open value', () => {
    const { state, outcome } = run('ldr w2, [x1]\ncmp w2, #3\nb.eq next\nnext: nop', openMemory());
    expect(outcome).toMatchObject({ exception: { exception: 'open value', value: { deps: [0] } } });
    expect(state.pc).toBe(0x8008n);
  });

  it('tells a sum of 32 bits from one of 64 bits while they are open', () => {
    const { state } = run('ldr w2, [x1]\nadd w3, w2, #1\nadd x4, x2, #1\neor x5, x3, x4\nsub x6, x4, x4', openMemory());
    expect(state.register('X5').open).toBeDefined();
    expect(state.register('X6')).toMatchObject({ bits: 0n, open: undefined });
  });

  it('has a choice that depends on what both operands depend on until its condition is known', () => {
    const { state } = run('ldr w2, [x1]\ncmp w2, #1\ncsel x3, x2, x1, eq\ncsel x4, x2, x2, eq', openMemory());
    expect(state.register('X3')).toMatchObject({ deps: [], picks: [0] });
    expect(state.register('X4')).toMatchObject({ deps: [0], picks: [0] });
  });
});
