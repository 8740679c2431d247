// A mailbox between two threads: a ring of fixed-size records over a SharedArrayBuffer, for one writer and one reader.
//
// It promises: first in, first out; bounded; a full ring makes the writer wait; nothing is ever dropped. Records become visible
// when they are published, a batch at a time.

import type { Message } from '../actors/actor.ts';
import { maxPayloadWords } from '../actors/protocol.ts';
import { assert } from '../src/report/assert.ts';

/** 32-bit words of a record: code, source, target, sequence, due time (2), payload length, then the payload. */
const headerWords = 7;
const recordWords = headerWords + maxPayloadWords + 1;
const recordBytes = recordWords * 4;

/** Control words before the records: records written, and records read, since the ring was made (modulo 2^32). */
const writtenWord = 0;
const readWord = 1;
const controlBytes = 64;

/** Records of a ring between two threads: more than a window of 1,024 busy cores sends at once. */
const ringCapacity = 4096;

export interface Ring {
  /** Appends a message; `waitForSpace` is called, and may return early, as long as the ring is full. */
  write(message: Message, waitForSpace: (ring: Ring) => void): void;
  /** Makes what was written visible to the reader. */
  publish(): void;
  /** Nothing that has been published waits for the reader. */
  isEmpty(): boolean;
  /** Removes every published message, in order. */
  drain(deliver: (message: Message) => void): void;
  /** Blocks the writer until the reader has drained, at most `timeoutMs`. */
  waitUntilDrained(timeoutMs: number): void;
}

/** The shared memory of a ring; `capacity` is a power of two. */
export function ringBuffer(capacity = ringCapacity): SharedArrayBuffer {
  assert((capacity & (capacity - 1)) === 0, `ring capacity ${capacity}`);
  return new SharedArrayBuffer(controlBytes + capacity * recordBytes);
}

/** One thread's view of a ring. */
export function openRing(buffer: SharedArrayBuffer): Ring {
  const capacity = (buffer.byteLength - controlBytes) / recordBytes;
  const control = new Int32Array(buffer, 0, controlBytes / 4);
  const words = new Uint32Array(buffer, controlBytes);
  const dueView = new Float64Array(1);
  const dueWords = new Uint32Array(dueView.buffer);
  let written = Atomics.load(control, writtenWord);
  let published = written;

  const publish = (): void => {
    if (published === written) return;
    Atomics.store(control, writtenWord, written);
    published = written;
  };

  const ring: Ring = {
    write: (message, waitForSpace) => {
      while (((written - Atomics.load(control, readWord)) | 0) >= capacity) {
        publish();
        waitForSpace(ring);
      }
      const at = (written & (capacity - 1)) * recordWords;
      dueView[0] = message.dueTicks;
      words[at] = message.code;
      words[at + 1] = message.source;
      words[at + 2] = message.target;
      words[at + 3] = message.sequence;
      words[at + 4] = dueWords[0] as number;
      words[at + 5] = dueWords[1] as number;
      words[at + 6] = message.payload.length;
      const fits = message.payload.length <= maxPayloadWords;
      if (!fits) assert(fits, `payload of message 0x${message.code.toString(16)}`);
      for (let i = 0; i < message.payload.length; i += 1) words[at + headerWords + i] = message.payload[i] as number;
      written = (written + 1) | 0;
    },
    publish,
    isEmpty: () => Atomics.load(control, readWord) === Atomics.load(control, writtenWord),
    drain: (deliver) => {
      let read = Atomics.load(control, readWord);
      const end = Atomics.load(control, writtenWord);
      if (read === end) return;
      while (read !== end) {
        const at = (read & (capacity - 1)) * recordWords;
        dueWords[0] = words[at + 4] as number;
        dueWords[1] = words[at + 5] as number;
        const length = words[at + 6] as number;
        const payload: number[] = [];
        for (let i = 0; i < length; i += 1) payload.push(words[at + headerWords + i] as number);
        deliver({
          code: words[at] as number,
          source: words[at + 1] as number,
          target: words[at + 2] as number,
          sequence: words[at + 3] as number,
          dueTicks: dueView[0] as number,
          payload,
        });
        read = (read + 1) | 0;
      }
      Atomics.store(control, readWord, read);
      Atomics.notify(control, readWord);
    },
    waitUntilDrained: (timeoutMs) => {
      const read = Atomics.load(control, readWord);
      if (((written - read) | 0) < capacity) return;
      Atomics.wait(control, readWord, read, timeoutMs);
    },
  };
  return ring;
}
