import { describe, expect, it } from 'vitest';
import { coreMessages } from '../../../actors/core/messages.ts';
import { ErrorSource } from '../../../actors/error-source/error-source.ts';
import { FakePort } from '../uart/bench.ts';

const errors = [
  { core: 3, atTicks: 700 },
  { core: 1, atTicks: 200 },
  { core: 2, atTicks: 200 },
];
const toCore = (target: number) => ({ target, code: coreMessages.AsynchronousError.code, payload: [] });

describe('the board’s source of errors', () => {
  it('reports each to its core, at its time', () => {
    const port = new FakePort();
    const source = new ErrorSource(port, errors);
    const pass = (ticks: number): number => {
      port.pass(ticks, () => source.timer());
      return port.sent.length;
    };
    expect([pass(199), pass(1), pass(499), pass(1), pass(10_000)]).toEqual([0, 2, 2, 3, 3]);
    expect(port.sent).toEqual([toCore(1), toCore(2), toCore(3)]);
    expect(port.timers.size).toBe(0);
  });

  it('goes on after save and restore with those that have not been reported', () => {
    const port = new FakePort();
    const source = new ErrorSource(port, errors);
    port.pass(300, () => source.timer());
    const later = new FakePort();
    later.ticks = 300;
    const restored = new ErrorSource(later, errors);
    restored.restore(structuredClone(source.save()));
    later.pass(1000, () => restored.timer());
    expect(later.sent).toEqual([toCore(3)]);
  });
});
