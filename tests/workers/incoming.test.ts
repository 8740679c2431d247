// What several hosts send to one: effects come after their causes.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Message } from '../../actors/actor.ts';
import { makeIncoming } from '../../workers/incoming.ts';
import { openRing, type Ring, ringBuffer } from '../../workers/ring.ts';
import { loneDevice } from './lone-device.ts';

const at = (dueTicks: number): Message => ({ code: 1, source: 2, target: 3, sequence: 1, dueTicks, payload: [] });

function pairOfEnds(): { writer: Ring; reader: Ring } {
  const buffer = ringBuffer();
  return { writer: openRing(buffer), reader: openRing(buffer) };
}
const send = (ring: Ring, dueTicks: number): void => {
  ring.write(at(dueTicks), () => expect.unreachable('the ring has room'));
  ring.publish();
};

describe('what comes from several hosts', () => {
  it('is heard in the order in which it was sent, whenever one listens', () => {
    const script = fc.array(fc.oneof(fc.nat(2), fc.constant('listen' as const)), { maxLength: 100 });
    fc.assert(
      fc.property(script, (steps) => {
        const ends = [pairOfEnds(), pairOfEnds(), pairOfEnds()];
        const incoming = makeIncoming(ends.map(({ reader }) => reader));
        const heard: number[] = [];
        steps.forEach((step, time) => {
          if (step === 'listen') incoming.drain(({ dueTicks }) => heard.push(dueTicks));
          else send(ends[step]!.writer, time);
        });
        incoming.drain(({ dueTicks }) => heard.push(dueTicks));
        expect(incoming.isEmpty()).toBe(true);
        expect(heard).toEqual([...steps.keys()].filter((time) => steps[time] !== 'listen'));
      }),
      { seed: 1 },
    );
  });

  it('has the cause with it where both come while it listens, in a mailbox that it has emptied already', () => {
    const [cause, effect] = [pairOfEnds(), pairOfEnds()] as const;
    const late: Ring = {
      ...effect.reader,
      isEmpty: () => effect.reader.isEmpty(),
      drain: (deliver) => {
        if (effect.reader.isEmpty()) return;
        send(cause.writer, 10);
        send(effect.writer, 20);
        effect.reader.drain(deliver);
      },
    };
    send(effect.writer, 5);
    const heard: number[] = [];
    makeIncoming([cause.reader, late]).drain(({ dueTicks }) => heard.push(dueTicks));
    expect(heard).toEqual([5, 10, 20]);
  });

  it('comes before a message within the host, which may be an effect of it', () => {
    const elsewhere: Message[] = [];
    const { host, port, heard } = loneDevice({
      clock: () => 7,
      receive: ({ accept }) => elsewhere.splice(0).forEach(accept),
    });
    elsewhere.push(at(6));
    port.send(3, 1, []);
    host.settle();
    expect(heard).toMatchObject([{ source: 2, dueTicks: 6 }, { source: 3 }]);
  });
});
