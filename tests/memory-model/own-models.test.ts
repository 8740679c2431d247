import { describe, expect, it } from 'vitest';
import { findCatFile, ownCatFile } from '../../workers/cat-model.ts';
import { loadCat } from '../../src/memory-model/cat/model.ts';
import { execution, F, R, W, type Given } from './hand-made-executions.ts';

const load = (name: 'arm' | 'tso' | 'sc') => loadCat(ownCatFile(name), { findFile: findCatFile });
const [arm, tso, sc] = [load('arm'), load('tso'), load('sc')];

const messagePassing = (writer: string[], reader: string[], given: Given = {}) =>
  execution(
    [
      [W('x', 1), ...writer.map(F), W('y', 1)],
      [R('y', 1), ...reader.map(F), R('x', 0)],
    ],
    {},
    given,
  );
const storeBuffering = (...fences: string[]) =>
  execution([
    [W('x', 1), ...fences.map(F), R('y', 0)],
    [W('y', 1), ...fences.map(F), R('x', 0)],
  ]);

describe("Armv8 as the project's own cat file states it", () => {
  it('allows message passing without barriers', () => {
    expect(arm.judge(messagePassing([], [])).isAllowed).toBe(true);
  });
  it('forbids message passing with DMB ST and an address dependency', () => {
    const forbidden = messagePassing(['DMB.ST'], [], {
      addr: [
        [
          [1, 0],
          [1, 1],
        ],
      ],
    });
    expect(arm.judge(forbidden)).toMatchObject({ isAllowed: false, axiom: 'external' });
    const [violation] = arm.violations(forbidden);
    expect(violation?.edges.map(({ names }) => names.at(-1))).toEqual(
      expect.arrayContaining(['dmb-st', 'rfe', 'addr', 'fr-external']),
    );
  });
  it('orders no load after a load by a control dependency without ISB', () => {
    const ctrl: Given = {
      ctrl: [
        [
          [1, 0],
          [1, 1],
        ],
      ],
    };
    expect(arm.judge(messagePassing(['DMB.SY'], [], ctrl)).isAllowed).toBe(true);
    const withIsb: Given = {
      ctrl: [
        [
          [1, 0],
          [1, 1],
        ],
        [
          [1, 0],
          [1, 2],
        ],
      ],
    };
    expect(arm.judge(messagePassing(['DMB.SY'], ['ISB'], withIsb)).isAllowed).toBe(false);
  });
  it('forbids store buffering with DMB SY, and allows it with DMB ST', () => {
    expect(arm.judge(storeBuffering('DMB.SY')).isAllowed).toBe(false);
    expect(arm.judge(storeBuffering('DMB.ST')).isAllowed).toBe(true);
  });
});

describe('x86-TSO', () => {
  it('forbids message passing out of order and allows store buffering until MFENCE', () => {
    expect(tso.judge(messagePassing([], [])).isAllowed).toBe(false);
    expect(tso.judge(storeBuffering()).isAllowed).toBe(true);
    expect(tso.judge(storeBuffering('MFENCE')).isAllowed).toBe(false);
  });
});

describe('sequential consistency', () => {
  it('forbids store buffering, and names the cycle', () => {
    const judgement = sc.judge(storeBuffering());
    expect(judgement).toMatchObject({ isAllowed: false, axiom: 'sc' });
    expect(judgement.isAllowed ? [] : judgement.cycle).toHaveLength(4);
  });
});
