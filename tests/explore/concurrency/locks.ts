// Mutual exclusion: each thread adds one to a counter inside the lock, without an atomic instruction.

import type { Example } from './example.ts';

const critical = (counter: string): string => `
    ldr x10, [${counter}]
    add x10, x10, #1
    str x10, [${counter}]`;

const addsUp = (threads: number) => (values: Readonly<Record<string, number>>) => values.counter === threads;

/** Test and set by exclusives. */
const spinLockThread = `
lock:
    <ldaxr|ldxr> w0, [x20]
    cbnz w0, lock
    mov w1, #1
    stxr w2, w1, [x20]
    cbnz w2, lock
    ${critical('x21')}
    <stlr|str> xzr, [x20]
`;

const spinLock = (threads: number): Example => ({
  name: `spin lock, ${threads} threads`,
  threads: Array.from({ length: threads }, () => spinLockThread),
  shared: { lock: [0], counter: [0] },
  observed: ['counter'],
  holds: addsUp(threads),
  unroll: 2 * threads,
});

const ticketLockThread = `
    mov x9, #1
    ldadd x9, x0, [x20]
wait:
    <ldar|ldr> x1, [x21]
    cmp x1, x0
    b.ne wait
    ${critical('x22')}
    add x1, x1, #1
    <stlr|str> x1, [x21]
`;

const ticketLock = (threads: number): Example => ({
  name: `ticket lock, ${threads} threads`,
  threads: Array.from({ length: threads }, () => ticketLockThread),
  shared: { next: [0], owner: [0], counter: [0] },
  observed: ['counter'],
  holds: addsUp(threads),
  unroll: 2 * threads,
});

/** Peterson, "Myths about the mutual exclusion problem" (1981). */
const petersonThread = (mine: string, other: string, turn: number): string => `
    mov x9, #1
    mov x8, #${turn}
    str x9, [${mine}]
    <stlr|str> x8, [x22]
wait:
    <ldar|ldr> x0, [${other}]
    cbz x0, enter
    ldar x1, [x22]
    cmp x1, #${turn}
    b.eq wait
enter:
    ${critical('x23')}
    <stlr|str> xzr, [${mine}]
`;

const peterson: Example = {
  name: 'Peterson',
  threads: [petersonThread('x20', 'x21', 1), petersonThread('x21', 'x20', 0)],
  shared: { flag0: [0], flag1: [0], turn: [0], counter: [0] },
  observed: ['counter'],
  holds: addsUp(2),
  unroll: 4,
};

/** Dekker's algorithm, as in Dijkstra, "Cooperating sequential processes" (1965). */
const dekkerThread = (mine: string, other: string, me: number): string => `
    mov x9, #1
    str x9, [${mine}]
    <dmb ish|nop>
test:
    <ldar|ldr> x0, [${other}]
    cbz x0, enter
    ldr x1, [x22]
    cmp x1, #${me}
    b.eq test
    str xzr, [${mine}]
wait:
    ldr x1, [x22]
    cmp x1, #${me}
    b.ne wait
    str x9, [${mine}]
    dmb ish
    b test
enter:
    ${critical('x23')}
    mov x8, #${1 - me}
    str x8, [x22]
    <stlr|str> xzr, [${mine}]
`;

const dekker: Example = {
  name: 'Dekker',
  threads: [dekkerThread('x20', 'x21', 0), dekkerThread('x21', 'x20', 1)],
  shared: { flag0: [0], flag1: [0], turn: [0], counter: [0] },
  observed: ['counter'],
  holds: addsUp(2),
  unroll: 4,
};

export const locks: readonly Example[] = [
  spinLock(2),
  spinLock(3),
  ticketLock(2),
  ticketLock(3),
  ticketLock(4),
  peterson,
  dekker,
];
