// What the hosts of a run under `parallel` share: here all of them are one thread, which takes their parts in turns.

import { describe, expect, it } from 'vitest';
import { limitMeeting, type Meeting, meetingBuffer, meetingEnd, openMeeting } from '../../workers/meeting.ts';

function meetings(hosts: number, maxInstructions = Infinity): Meeting[] {
  const buffer = meetingBuffer(hosts);
  limitMeeting(buffer, hosts, maxInstructions);
  return Array.from({ length: hosts }, (_, host) => openMeeting(buffer, hosts, host));
}
const never = Infinity;
const nothing = (): boolean => false;

describe('a host that is ready', () => {
  it('waits until all are, and looks at its mailboxes meanwhile', () => {
    const [a, b] = meetings(2) as [Meeting, Meeting];
    let looks = 0;
    a.awaitReady(() => {
      looks += 1;
      if (looks === 3) b.awaitReady(() => expect.unreachable('the last one does not wait'));
    });
    expect(looks).toBe(3);
  });
});

describe('when all hosts sleep', () => {
  it('the time to the first timer is skipped, and whose it is is rung', () => {
    const [a, b] = meetings(2) as [Meeting, Meeting];
    a.fallAsleep(5_000_000, true, false);
    a.conclude(() => 1000, nothing);
    expect(a.skipped()).toBe(0);
    const rings = [a.rings(), b.rings()];
    b.fallAsleep(9_000_000, true, false);
    b.conclude(() => 1000, nothing);
    expect(b.skipped()).toBe(4_999_000);
    expect([a.rings(), b.rings()]).toEqual([(rings[0] ?? 0) + 1, rings[1]]);
    expect(a.ended()).toBe(meetingEnd.none);
  });

  it('and nothing is due, the run ends', () => {
    const [a, b] = meetings(2) as [Meeting, Meeting];
    a.fallAsleep(never, true, false);
    b.fallAsleep(never, true, false);
    b.conclude(() => 1000, nothing);
    expect(a.ended()).toBe(meetingEnd.deadlock);
  });

  it('but a message is under way, nothing is skipped', () => {
    const [a, b] = meetings(2) as [Meeting, Meeting];
    a.fallAsleep(never, true, false);
    b.fallAsleep(never, true, false);
    b.conclude(
      () => 1000,
      () => true,
    );
    expect([a.ended(), a.skipped()]).toEqual([meetingEnd.none, 0]);
    a.wakeUp();
  });

  it('those that must have a look are rung for it first, again after anybody has worked', () => {
    const [a, b] = meetings(2) as [Meeting, Meeting];
    const look = (hasWorked: boolean): void => {
      a.wakeUp();
      a.looked();
      a.fallAsleep(never, hasWorked, true);
    };
    a.fallAsleep(never, true, true);
    b.fallAsleep(never, true, false);
    const rings = a.rings();
    b.conclude(() => 1000, nothing);
    expect([a.ended(), a.rings()]).toEqual([meetingEnd.none, rings + 1]);
    look(true);
    a.conclude(() => 1000, nothing);
    expect(a.ended()).toBe(meetingEnd.none);
    look(false);
    a.conclude(() => 1000, nothing);
    expect(a.ended()).toBe(meetingEnd.deadlock);
  });
});

it('a host that sleeps is rung, one that works is not; and one that has been rung since does not sleep', () => {
  const [a, b] = meetings(2) as [Meeting, Meeting];
  const rings = b.rings();
  a.wake(1);
  expect(b.rings()).toBe(rings);
  b.fallAsleep(never, true, false);
  a.wake(1);
  expect(b.rings()).toBe(rings + 1);
  b.sleep(rings, 100_000);
});

it('the first to end a run decides how', () => {
  const [a, b] = meetings(2) as [Meeting, Meeting];
  a.end(meetingEnd.maxTime);
  b.end(meetingEnd.aborted);
  expect([a.ended(), b.ended()]).toEqual([meetingEnd.maxTime, meetingEnd.maxTime]);
});

it('hosts together take as many instructions as the run has, and no more', () => {
  const [a, b] = meetings(2, 250) as [Meeting, Meeting];
  expect([a.claim(100), b.claim(100), a.claim(100), b.claim(100)]).toEqual([100, 100, 50, 0]);
  a.giveBack(30);
  expect([b.claim(100), a.claim(1)]).toEqual([30, 0]);
});

it('a wait for others is over for those that sleep, and that wait themselves', () => {
  const [a, b, c] = meetings(3) as [Meeting, Meeting, Meeting];
  b.fallAsleep(never, true, false);
  c.fallAsleep(never, true, false);
  a.awaitOthers();
});

describe('the log of written code', () => {
  it('tells each other host, once, which lines a host has written to', () => {
    const [a, b] = meetings(2) as [Meeting, Meeting];
    const heard: (readonly number[] | undefined)[] = [];
    a.logCodeWrite(7);
    a.logCodeWrite(8);
    for (let n = 0; n < 2; n += 1) b.codeWrites((lines) => heard.push(lines));
    a.codeWrites((lines) => heard.push(lines));
    expect(heard).toEqual([[7, 8]]);
  });

  it('says so where it has forgotten some', () => {
    const [a, b] = meetings(2) as [Meeting, Meeting];
    const heard: (readonly number[] | undefined)[] = [];
    for (let line = 0; line <= 1024; line += 1) a.logCodeWrite(line);
    b.codeWrites((lines) => heard.push(lines));
    a.logCodeWrite(5);
    b.codeWrites((lines) => heard.push(lines));
    expect(heard).toEqual([undefined, [5]]);
  });
});
