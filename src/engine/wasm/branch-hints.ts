// Branch hints (WebAssembly branch hinting proposal): a custom section `metadata.code.branch_hint` in front of the code, which names
// conditional branches that are seldom taken. V8's optimising compiler lays out what they lead to behind the rest, and spills registers there
// and not on the way that is usual.

import { setFlagsFromString } from 'node:v8';
import type { Writer } from './writer.ts';

/** Function bodies with such branches: offsets from the beginning of the body, its locals included. */
interface Hinted {
  readonly index: number;
  readonly seldom: readonly number[];
}

const notTaken = 0;

export const branchHints =
  (functions: readonly Hinted[]) =>
  (w: Writer): void => {
    w.name('metadata.code.branch_hint');
    w.u32(functions.length);
    for (const { index, seldom } of functions) {
      w.u32(index);
      w.u32(seldom.length);
      for (const offset of seldom) {
        w.u32(offset);
        // The size of the hint.
        w.u32(1);
        w.byte(notTaken);
      }
    }
  };

/** Versions of V8 that read hints only when they are told to; others do so by themselves, or never. */
const askedByFlag = [11, 12];

/** To be called before modules are compiled. */
export function letHostReadHints(): void {
  if (askedByFlag.includes(Number.parseInt(process.versions.v8, 10)))
    setFlagsFromString('--experimental-wasm-branch-hinting');
}
