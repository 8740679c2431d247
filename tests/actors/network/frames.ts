// Actors of the network on a port that keeps what they send, and frames to send them.

import type { Message, Port } from '../../../actors/actor.ts';
import { macToBytes } from '../../../actors/network/ethernet.ts';
import { FrameAssembler, sendFrame } from '../../../actors/network/messages.ts';

/** What an actor has sent. */
export class Wire implements Port {
  readonly self = 1;
  ticks = 0;
  readonly messages: Message[] = [];

  now(): number {
    return this.ticks;
  }

  send(target: number, code: number, payload: readonly number[]): void {
    const sequence = this.messages.length;
    this.messages.push({ code, source: this.self, target, sequence, dueTicks: this.ticks, payload });
  }

  at(): void {}

  cancel(): void {}

  /** Frames since the last call, with the actor that they went to. */
  take(): { to: number; frame: Uint8Array }[] {
    const assemblers = new Map<number, FrameAssembler>();
    return this.messages.splice(0).flatMap((message) => {
      const assembler = assemblers.get(message.target) ?? new FrameAssembler();
      assemblers.set(message.target, assembler);
      const frame = assembler.receive(message);
      return frame === undefined ? [] : [{ to: message.target, frame }];
    });
  }
}

/** The messages of a frame from an actor. */
export function messagesOf(source: number, frame: Uint8Array): Message[] {
  const messages: Message[] = [];
  const send = (target: number, code: number, payload: readonly number[]): void => {
    messages.push({ code, source, target, sequence: messages.length, dueTicks: 0, payload });
  };
  sendFrame({ send }, 1, frame);
  return messages;
}

export const frameOf = (to: number, from: number, type = 0x88b5, data: readonly number[] = [1, 2, 3]): Uint8Array =>
  Uint8Array.from([...macToBytes(to), ...macToBytes(from), type >> 8, type & 0xff, ...data]);
