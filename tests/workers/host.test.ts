import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Message } from '../../actors/actor.ts';
import { casts, seeds } from './casts.ts';
import { loneDevice } from './lone-device.ts';
import { perform, type Step } from './scripted-actors.ts';

const nothing: Step = { do: 'nothing' };
const sleep: Step = { do: 'sleep' };
const send = (to: number, extraTicks = 0): Step => ({ do: 'send', to, extraTicks });
const timer = (tag: number, afterTicks: number): Step => ({ do: 'timer', tag, afterTicks });
const store: Step = { do: 'store' };
const times = (count: number, step: Step): Step[] => Array.from({ length: count }, () => step);

describe('a host', () => {
  it('delivers in the order of time, then sender, then the sender’s sequence', () => {
    const { host, heard } = loneDevice();
    const message = (dueTicks: number, source: number, sequence: number): Message => ({
      code: 1,
      source,
      target: 3,
      sequence,
      dueTicks,
      payload: [],
    });
    const ordered = [message(5, 9, 7), message(6, 1, 2), message(6, 1, 10), message(6, 2, 1), message(30, 0, 1)];
    for (const n of [3, 0, 4, 2, 1]) host.accept(ordered[n] as Message);
    host.runDevices(30);
    expect(heard).toEqual(ordered.slice(0, 4));
    host.runDevices(31);
    expect(heard).toEqual(ordered);
  });

  it('calls a timer that was set again only at its last time, and at once where that has passed', () => {
    const { host, port, heard } = loneDevice();
    port.at(50, 1);
    port.at(10, 2);
    port.at(30, 1);
    host.runDevices(30);
    expect(heard).toEqual([2]);
    expect(host.outlook().first).toBe(30);
    host.runDevices(100);
    expect(heard).toEqual([2, 1]);
    expect(port.now()).toBe(30);
    port.at(7, 2);
    expect(host.outlook().first).toBe(30);
  });

  it('keeps nothing of a timer that was cancelled', () => {
    const { host, port, heard } = loneDevice();
    for (let n = 0; n < 1000; n += 1) port.at(1e12 + n, 1);
    port.cancel(1);
    port.cancel(2);
    expect(host.outlook()).toEqual({ first: Infinity, core: -1, others: Infinity });
    host.runDevices(2e12);
    expect(heard).toEqual([]);
  });

  it('refuses words that a mailbox would change, and messages that are faster than the lookahead', () => {
    const { port } = loneDevice();
    expect(() => {
      port.send(3, 1, [-1]);
    }).toThrow('payload of message 0x1');
    expect(() => {
      port.send(3, 1, [2 ** 32]);
    }).toThrow('payload');
    expect(() => {
      port.send(3, 1, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    }).toThrow('payload');
    expect(() => {
      port.send(3, 1, [], -1);
    }).toThrow('lookahead');
  });

  it('names the one core that has the time until anything else happens to itself', () => {
    const quiet = perform({ cores: [times(100, nothing)], devices: [] }, { hosts: 1, seed: 1 });
    expect(quiet.windows).toMatchObject([{ alone: true, firstCore: 0 }]);
    // A device that is due in between is someone else.
    const visited = perform({ cores: [[send(1, 80), ...times(300, nothing)]], devices: [[]] }, { hosts: 1, seed: 1 });
    expect(visited.windows.map(({ untilTicks }) => untilTicks)).toContain(100);
  });
});

describe('a host where time passes by itself', () => {
  const words = (heard: readonly (Message | number)[]): unknown[] =>
    heard.map((what) => (typeof what === 'number' ? what : what.payload[0]));

  it('hands messages over in the order in which they have come, then those that they cause, and timers when they are due', () => {
    let now = 100;
    const { host, port, heard } = loneDevice({
      clock: () => now,
      answer: (own, { payload: [n = 0] }) => {
        if (n < 10) own.send(3, 1, [n + 10]);
      },
    });
    port.at(150, 77);
    // Who hands them over has put them in order.
    for (const [n, dueTicks] of [1, 2, 3].map((n) => [n, 1000 - n] as const))
      host.accept({ code: 1, source: 9, target: 3, sequence: n, dueTicks, payload: [n] });
    port.send(3, 1, [4]);
    expect(host.nextDue()).toBe(0);
    host.runDevices(now + 1);
    expect(words(heard)).toEqual([1, 2, 3, 4, 11, 12, 13, 14]);
    expect(host.nextDue()).toBe(150);
    now = 150;
    host.settle();
    expect(heard).toHaveLength(8);
    host.runDevices(now + 1);
    expect(heard.at(-1)).toBe(77);
    expect(host.nextDue()).toBe(Infinity);
  });
});

describe('a core', () => {
  it('that has a window to itself ends it by a message, and the receiver does not run on without it', () => {
    const cast = {
      cores: [
        [send(1), ...times(500, nothing)],
        [sleep, send(0), ...times(500, nothing)],
      ],
      devices: [],
    };
    const { deliveries } = perform(cast, { hosts: 1, seed: 3 });
    expect(deliveries.map(({ to, atTicks }) => [to, atTicks])).toEqual([
      [1, 20],
      [0, 40],
    ]);
  });

  it('is called by its timer at the tick, though it had a long window', () => {
    const cast = { cores: [[nothing, timer(0, 9), ...times(5000, nothing)]], devices: [] };
    expect(perform(cast, { hosts: 1, seed: 1 }).deliveries).toEqual([{ to: 0, atTicks: 10, message: { timer: 0 } }]);
  });

  it('takes part in races over RAM that the seed decides', () => {
    const cast = { cores: [times(400, store), times(400, store), times(400, store)], devices: [] };
    const outcomes = new Set(Array.from({ length: 20 }, (_, seed) => perform(cast, { hosts: 1, seed }).ram));
    expect(outcomes.size).toBeGreaterThan(10);
  });
});

describe('for any script of actors', () => {
  it('every message is delivered once, at the receiver’s time at which it is due', () => {
    fc.assert(
      fc.property(casts, seeds, (cast, seed) => {
        const { deliveries, sent } = perform(cast, { hosts: 1, seed });
        const messages = deliveries.filter(({ message }) => 'code' in message);
        expect(messages).toHaveLength(sent.length);
        for (const { atTicks, message } of messages) expect(atTicks).toBe((message as Message).dueTicks);
      }),
      { numRuns: 300 },
    );
  });

  it('what is sent in a shared window is due at its end or later', () => {
    fc.assert(
      fc.property(casts, seeds, (cast, seed) => {
        for (const { window, byTicks, dueTicks } of perform(cast, { hosts: 1, seed }).sent) {
          if (!window.alone) expect(dueTicks).toBeGreaterThanOrEqual(window.untilTicks);
          expect(dueTicks).toBeGreaterThanOrEqual(byTicks + 20);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('the run is the same to the last message on one host, two and three', () => {
    fc.assert(
      fc.property(casts, seeds, fc.option(fc.nat(300)), (cast, seed, limit) => {
        const staging = { seed, ...(limit === null ? {} : { maxInstructions: limit }) };
        const outcome = (hosts: number) => {
          const { end, ticks, instructions, hashes, ram, windows } = perform(cast, { ...staging, hosts });
          return { end, ticks, instructions, hashes, ram, windows };
        };
        const one = outcome(1);
        expect(outcome(Math.min(2, cast.cores.length))).toEqual(one);
        expect(outcome(Math.min(3, cast.cores.length))).toEqual(one);
      }),
      { numRuns: 400 },
    );
  });
});
