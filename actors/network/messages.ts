// Ethernet frames between actors. A frame is longer than a message: it travels as several, the first of which tells its length.

import type { ActorId, Message, Port } from '../actor.ts';
import { maxPayloadWords, type MessageRow } from '../protocol.ts';
import { maxFrameBytes } from './ethernet.ts';

const words = ['word0', 'word1', 'word2', 'word3', 'word4', 'word5', 'word6', 'word7'] as const;

export const networkMessages = {
  FrameStart: {
    code: 0x0c01,
    sender: 'network device, switch or backend',
    receiver: 'switch, network device or backend',
    /** `sizeBytes`: of the whole frame; the words hold its first bytes, little-endian. */
    fields: ['sizeBytes', ...words.slice(0, maxPayloadWords - 1)],
    ordering:
      'A frame is a FrameStart and as many FrameMore as its length asks for, next to each other among the sender’s messages.',
  },
  FrameMore: {
    code: 0x0c02,
    sender: 'network device, switch or backend',
    receiver: 'switch, network device or backend',
    fields: words,
    ordering:
      'Follows the FrameStart of its frame at once; frames of one sender arrive in the order in which they were sent.',
  },
} as const satisfies Readonly<Record<string, MessageRow>>;

const startWords = maxPayloadWords - 1;

function wordsOf(frame: Uint8Array, from: number, count: number): number[] {
  return Array.from({ length: count }, (_, n) => {
    const at = from + 4 * n;
    const byte = (k: number): number => frame[at + k] ?? 0;
    return (byte(0) | (byte(1) << 8) | (byte(2) << 16) | (byte(3) << 24)) >>> 0;
  });
}

export function sendFrame(port: Pick<Port, 'send'>, target: ActorId, frame: Uint8Array): void {
  port.send(target, networkMessages.FrameStart.code, [frame.length, ...wordsOf(frame, 0, startWords)]);
  for (let at = 4 * startWords; at < frame.length; at += 4 * maxPayloadWords)
    port.send(target, networkMessages.FrameMore.code, wordsOf(frame, at, maxPayloadWords));
}

interface PartialFrame {
  readonly frame: Uint8Array;
  filled: number;
}

/** Puts the frames of each sender together again. */
export class FrameAssembler {
  private readonly partial = new Map<ActorId, PartialFrame>();

  /** The frame that this message completes, if it completes one; undefined too where it is none of this protocol's. */
  receive({ code, source, payload }: Message): Uint8Array | undefined {
    if (code === networkMessages.FrameStart.code) {
      const frame = new Uint8Array(Math.min(payload[0] ?? 0, maxFrameBytes));
      this.partial.set(source, { frame, filled: 0 });
      return this.fill(source, payload.slice(1));
    }
    return code === networkMessages.FrameMore.code ? this.fill(source, payload) : undefined;
  }

  private fill(source: ActorId, payload: readonly number[]): Uint8Array | undefined {
    const partial = this.partial.get(source);
    if (partial === undefined) return undefined;
    const { frame } = partial;
    for (const word of payload) {
      for (let n = 0; n < 4 && partial.filled < frame.length; n += 1) {
        frame[partial.filled] = (word >>> (8 * n)) & 0xff;
        partial.filled += 1;
      }
    }
    if (partial.filled < frame.length) return undefined;
    this.partial.delete(source);
    return frame;
  }

  save(): [ActorId, { frame: number[]; filled: number }][] {
    return [...this.partial].map(([source, { frame, filled }]) => [source, { frame: [...frame], filled }]);
  }

  restore(saved: ReturnType<FrameAssembler['save']>): void {
    this.partial.clear();
    for (const [source, { frame, filled }] of saved)
      this.partial.set(source, { frame: Uint8Array.from(frame), filled });
  }
}
