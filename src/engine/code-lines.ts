// Which lines of memory hold the source of translated code. A store to such a line has a mark in its way (line map) and asks what it ends.

import { lineHoldsCode, lineMapOffset } from '../arch/state-layout.ts';
import type { MemoryViews } from '../memory/memory-views.ts';

/** Something that was made from the lines. */
interface Watcher {
  readonly lines: ReadonlySet<number>;
}

export class CodeLines<W extends Watcher> {
  private readonly bytes: Uint8Array;
  private readonly isShared: boolean;
  private readonly watchers = new Map<number, Set<W>>();

  /** `isShared`: other workers mark lines too; a mark stays, since it may be theirs. */
  constructor({ bytes }: MemoryViews, isShared: boolean) {
    this.bytes = bytes;
    this.isShared = isShared;
  }

  watch(watcher: W): void {
    for (const line of watcher.lines) {
      const sharing = this.watchers.get(line);
      if (sharing) sharing.add(watcher);
      else this.watchers.set(line, new Set([watcher]));
      // A store that begins in the line before may reach into this one.
      for (const at of [line - 1, line]) Atomics.or(this.bytes, lineMapOffset + at, lineHoldsCode);
    }
  }

  /** The lines keep their marks. */
  unwatch(watcher: W): void {
    for (const line of watcher.lines) {
      const sharing = this.watchers.get(line);
      sharing?.delete(watcher);
      if (sharing?.size === 0) this.watchers.delete(line);
    }
  }

  /** Takes the marks from lines that nobody watches. */
  unmark(lines: ReadonlySet<number>): void {
    if (this.isShared) return;
    for (const line of lines) {
      for (const at of [line - 1, line]) {
        if (this.watchers.has(at) || this.watchers.has(at + 1)) continue;
        this.bytes[lineMapOffset + at] = (this.bytes[lineMapOffset + at] as number) & ~lineHoldsCode;
      }
    }
  }

  watchersOf(line: number): W[] {
    return [...(this.watchers.get(line) ?? [])];
  }

  everyWatcher(): ReadonlySet<W> {
    return new Set([...this.watchers.values()].flatMap((sharing) => [...sharing]));
  }
}
