// Bytes between two consoles whose other end is each other: as many messages as they need.

import type { ActorId, Message, Port } from '../actor.ts';
import { maxPayloadWords, type MessageRow } from '../protocol.ts';

export const consoleMessages = {
  ConsoleBytes: {
    code: 0x0d01,
    sender: 'console',
    receiver: 'console',
    /** `count`: of the bytes, which the words hold, little-endian. */
    fields: ['count', 'word0', 'word1', 'word2', 'word3', 'word4', 'word5', 'word6'],
    ordering: 'Bytes arrive in the order in which they were written; those that find no driver are dropped.',
  },
} as const satisfies Readonly<Record<string, MessageRow>>;

const bytesPerMessage = 4 * (maxPayloadWords - 1);

export function sendBytes(port: Pick<Port, 'send'>, target: ActorId, bytes: readonly number[]): void {
  for (let at = 0; at < bytes.length; at += bytesPerMessage) {
    const piece = bytes.slice(at, at + bytesPerMessage);
    const words = Array<number>(maxPayloadWords - 1).fill(0);
    piece.forEach((byte, n) => {
      words[n >> 2] = ((words[n >> 2] ?? 0) | (byte << (8 * (n & 3)))) >>> 0;
    });
    port.send(target, consoleMessages.ConsoleBytes.code, [piece.length, ...words]);
  }
}

/** The bytes of a message; undefined where it is none of this protocol's. */
export function bytesOfMessage({ code, payload }: Message): number[] | undefined {
  if (code !== consoleMessages.ConsoleBytes.code) return undefined;
  const [count = 0, ...words] = payload;
  return Array.from(
    { length: Math.min(count, bytesPerMessage) },
    (_, n) => ((words[n >> 2] ?? 0) >>> (8 * (n & 3))) & 0xff,
  );
}
