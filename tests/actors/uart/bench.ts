// A device on a port that records what it does.

import type { Message, Port } from '../../../actors/actor.ts';
import { busMessages } from '../../../actors/bus/messages.ts';
import { wireMessages } from '../../../actors/gic/wires.ts';

export interface Sent {
  readonly target: number;
  readonly code: number;
  readonly payload: readonly number[];
}

export class FakePort implements Port {
  readonly self = 7;
  readonly sent: Sent[] = [];
  readonly timers = new Map<number, number>();
  ticks = 0;

  now(): number {
    return this.ticks;
  }

  send(target: number, code: number, payload: readonly number[]): void {
    this.sent.push({ target, code, payload });
  }

  at(dueTicks: number, tag: number): void {
    this.timers.set(tag, dueTicks);
  }

  cancel(tag: number): void {
    this.timers.delete(tag);
  }

  /** Lets simulated time pass, and the timers that fall due in it. */
  pass(ticks: number, timer: (tag: number) => void): void {
    const end = this.ticks + ticks;
    for (;;) {
      const next = [...this.timers].sort(([, a], [, b]) => a - b).find(([, due]) => due <= end);
      if (next === undefined) break;
      this.timers.delete(next[0]);
      this.ticks = next[1];
      timer(next[0]);
    }
    this.ticks = end;
  }

  /** The level of the wire, by the messages that went out. */
  get wire(): boolean {
    const wires = this.sent.filter(
      ({ code }) => code === wireMessages.WireSet.code || code === wireMessages.WireClear.code,
    );
    return wires.at(-1)?.code === wireMessages.WireSet.code;
  }
}

export const request = (
  isRead: boolean,
  offset: number,
  sizeBytes: number,
  value: readonly number[] = [],
): Message => ({
  code: isRead ? busMessages.ReadRequest.code : busMessages.WriteRequest.code,
  source: 1,
  target: 7,
  sequence: 0,
  dueTicks: 0,
  payload: [offset, sizeBytes, 42, ...value],
});
