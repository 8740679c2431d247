import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Message } from '../../actors/actor.ts';
import { makeEventQueue } from '../../workers/event-queue.ts';

const message = (dueTicks: number, source: number, sequence: number): Message => ({
  code: 1,
  source,
  target: 0,
  sequence,
  dueTicks,
  payload: [],
});
const inTotalOrder = (a: Message, b: Message): number =>
  a.dueTicks - b.dueTicks || a.source - b.source || a.sequence - b.sequence;

const operations = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ do: fc.constant('push' as const), dueTicks: fc.nat(8), source: fc.nat(3) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('pop' as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('remove' as const), which: fc.nat(50) }) },
  ),
  { maxLength: 200 },
);

test('messages come out in the order of time, then sender, then sequence, whatever is pushed, popped and removed between', () => {
  fc.assert(
    fc.property(operations, (script) => {
      const queue = makeEventQueue();
      const model: Message[] = [];
      script.forEach((step, sequence) => {
        if (step.do === 'push') {
          const pushed = message(step.dueTicks, step.source, sequence);
          queue.push(pushed);
          model.push(pushed);
          model.sort(inTotalOrder);
        } else if (step.do === 'pop') {
          expect(queue.peek()).toBe(model[0]);
          expect(queue.pop()).toBe(model.shift());
        } else if (model.length > 0) {
          const [removed] = model.splice(step.which % model.length, 1);
          queue.remove(removed as Message);
        }
        expect(queue.size()).toBe(model.length);
      });
      expect(Array.from({ length: queue.size() }, () => queue.pop())).toEqual(model);
      expect(queue.pop()).toBeUndefined();
    }),
    { numRuns: 500 },
  );
});

test('a message that the queue does not hold is not removed', () => {
  const queue = makeEventQueue();
  queue.push(message(1, 1, 1));
  expect(() => {
    queue.remove(message(1, 1, 1));
  }).toThrow('the queue that holds it');
});
