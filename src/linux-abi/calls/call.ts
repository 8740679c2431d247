// A system call as the files of this folder see it: who makes it, its arguments, and how it ends.

import type { Core } from '../kernel.ts';
import type { AddressSpace, Process, Thread } from '../state.ts';

export interface Call {
  readonly core: Core;
  readonly thread: Thread;
  readonly process: Process;
  readonly space: AddressSpace;
  /** The arguments, X0 to X5. */
  readonly x: readonly bigint[];
}

/** What X0 holds afterwards; undefined where the thread waits, or where its registers have been replaced. */
export type Result = number | undefined;
export type Handler = (call: Call) => Result;

/** A family of calls, by name. */
export type Family = Readonly<Record<string, Handler>>;

/** A 64-bit unsigned argument: an address or a size. What has more than 53 bits is as near as that, and out of every range. */
export const unsigned = ({ x }: Call, n: number): number => Number(x[n]);
/** A 64-bit signed argument. */
export const signed = ({ x }: Call, n: number): number => Number(BigInt.asIntN(64, x[n] as bigint));
/** An `int`. */
export const int = ({ x }: Call, n: number): number => Number(BigInt.asIntN(32, x[n] as bigint));
/** An `unsigned int`. */
export const uint = ({ x }: Call, n: number): number => Number(BigInt.asUintN(32, x[n] as bigint));
