// Readers that do not block writers.

import type { Example } from './example.ts';

/** Boehm, "Can seqlocks get along with programming language memory models?" (2012). */
const seqlockWriter = (value: number): string => `
    ldr x0, [x20]
    add x0, x0, #1
    str x0, [x20]
    <dmb ishst|nop>
    mov x9, #${value}
    str x9, [x21]
    str x9, [x22]
    add x0, x0, #1
    <stlr|str> x0, [x20]
`;
/** Gives up, with 1 in X5, where a writer was there. */
const seqlockReader = `
    mov x5, #1
    <ldar|ldr> x0, [x20]
    tbnz x0, #0, done
    ldr x1, [x21]
    ldr x2, [x22]
    <dmb ishld|nop>
    ldr x3, [x20]
    cmp x3, x0
    b.ne done
    mov x5, #0
done:
`;

const seqlock = (readers: number, writes: number): Example => {
  const ids = Array.from({ length: readers }, (_, n) => n + 1);
  return {
    name: `seqlock, ${writes} write${writes === 1 ? '' : 's'}, ${readers} reader${readers === 1 ? '' : 's'}`,
    threads: [Array.from({ length: writes }, (_, n) => seqlockWriter(n + 1)).join(''), ...ids.map(() => seqlockReader)],
    shared: { sequence: [0], low: [0], high: [0] },
    observed: ids.flatMap((id) => [`${id}:X5`, `${id}:X1`, `${id}:X2`]),
    holds: (values) => ids.every((id) => values[`${id}:X5`] === 1 || values[`${id}:X1`] === values[`${id}:X2`]),
  };
};

/**
 * McKenney and Slingwine, "Read-copy update" (1998), with one flag for each reader: the updater publishes a new version, waits until the
 * readers of the old one have left, and takes that apart.
 */
const rcuReader = (flag: string): string => `
    mov x9, #1
    str x9, [${flag}]
    <dmb ish|nop>
    ldr x0, [x20]
    ldr x1, [x0]
    <stlr|str> xzr, [${flag}]
`;
const rcuUpdater = (flags: readonly string[]): string => `
    mov x9, #2
    str x9, [x22]
    <stlr|str> x22, [x20]
${flags.map((flag, n) => `wait${n}:\n    ${n === 0 ? '<ldar|ldr>' : 'ldr'} x0, [${flag}]\n    cbnz x0, wait${n}`).join('\n')}
    str xzr, [x21]
`;

const rcu = (readers: number): Example => {
  const flags = Array.from({ length: readers }, (_, n) => `x${23 + n}`);
  return {
    name: `RCU, ${readers} reader${readers === 1 ? '' : 's'}`,
    threads: [rcuUpdater(flags), ...flags.map(rcuReader)],
    shared: {
      ...{ pointer: ['&old'], old: [1], new: [0] },
      ...Object.fromEntries(flags.map((_, n) => [`reader${n}`, [0]])),
    },
    observed: flags.map((_, n) => `${n + 1}:X1`),
    // Neither what is taken apart, nor what is not written yet.
    holds: (values) => Object.values(values).every((value) => value !== 0),
  };
};

export const readers: readonly Example[] = [seqlock(1, 1), seqlock(1, 2), seqlock(2, 1), rcu(1), rcu(2)];
