// Accesses of 16 bytes that happen at once: CASP and STXP of two doublewords. The host has none, so that they are made under a lock.
//
// The lock is of use where every store to those bytes takes it: the line map's bit `lineHoldsPair` sends the stores to a line on
// which there has been such an access to their slow path, for ever. A store that has looked at the map before the bit was set is
// over when every other thread has come out of translated code, for which the first access to a line waits.

import type { MemoryViews } from './memory-views.ts';

export interface PairLayout {
  /** Byte offset of the lock: 32 bits. */
  readonly lockOffset: number;
  readonly lineMapOffset: number;
  readonly lineShift: number;
  /** The line map's bits: stores to the line take the lock; and all of them do by now. */
  readonly holdsPair: number;
  readonly pairIsReady: number;
  /** Returns when every other thread has left the translated code that it was in. */
  readonly awaitOthers: () => void;
}

export interface Pairs {
  /** An access of 16 bytes to this line is about to happen, now and at any time. */
  prepare(pa: number): void;
  /** True where stores to these bytes have to take the lock. */
  concerns(pa: number, sizeBytes: number): boolean;
  /** Runs `access` while nobody else has the lock. */
  readonly locked: <T>(access: () => T) => T;
}

/** States of the lock: the last one says that somebody may sleep on it. */
const lock = { free: 0, taken: 1, awaited: 2 } as const;

export function createPairs({ signedWords, bytes }: MemoryViews, layout: PairLayout): Pairs {
  const { lineMapOffset, lineShift, holdsPair, pairIsReady, awaitOthers } = layout;
  const at = layout.lockOffset >>> 2;

  function take(): void {
    if (Atomics.compareExchange(signedWords, at, lock.free, lock.taken) === lock.free) return;
    while (Atomics.exchange(signedWords, at, lock.awaited) !== lock.free) Atomics.wait(signedWords, at, lock.awaited);
  }

  function release(): void {
    if (Atomics.exchange(signedWords, at, lock.free) === lock.awaited) Atomics.notify(signedWords, at, 1);
  }

  return {
    prepare: (pa) => {
      const line = pa >>> lineShift;
      if ((Atomics.load(bytes, lineMapOffset + line) & pairIsReady) !== 0) return;
      // A store that begins in the line before may reach into this one.
      for (const marked of [line - 1, line]) Atomics.or(bytes, lineMapOffset + marked, holdsPair);
      awaitOthers();
      Atomics.or(bytes, lineMapOffset + line, pairIsReady);
    },
    concerns: (pa, sizeBytes) => {
      for (let line = pa >>> lineShift; line <= (pa + sizeBytes - 1) >>> lineShift; line += 1) {
        if (((bytes[lineMapOffset + line] as number) & holdsPair) !== 0) return true;
      }
      return false;
    },
    locked: (access) => {
      take();
      try {
        return access();
      } finally {
        release();
      }
    },
  };
}
