// The table of code of an engine: what function runs under which index. Indices are used again, so that the table is as long as what there is
// at a time, but not before every jump cache has been emptied that may still lead to them.

export interface CodeTable {
  /** Gives a function an index. */
  add(f: CallableFunction): number;
  at(index: number): CallableFunction;
  replace(index: number, f: CallableFunction): void;
  /** Nothing runs under the index any more: it leads to the `stale` function, later to another one's. */
  remove(index: number): void;
}

/** Indices that wait for the jump caches to be emptied: to do so takes about as long as to make one trace. */
const mostRetired = 1024;

export function makeCodeTable(
  table: WebAssembly.Table,
  stale: CallableFunction,
  emptyJumpCaches: () => void,
): CodeTable {
  /** Index 0 is given to nothing: an entry of a cache that has never been filled has it. */
  let used = 1;
  const free: number[] = [];
  let retired: number[] = [];

  return {
    add: (f) => {
      const index = free.pop() ?? used;
      if (index === used) {
        if (used === table.length) table.grow(table.length);
        used += 1;
      }
      table.set(index, f);
      return index;
    },
    at: (index) => table.get(index),
    replace: (index, f) => {
      table.set(index, f);
    },
    remove: (index) => {
      table.set(index, stale);
      retired.push(index);
      if (retired.length < mostRetired) return;
      emptyJumpCaches();
      for (const each of retired) free.push(each);
      retired = [];
    },
  };
}
