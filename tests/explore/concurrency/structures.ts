// Lock-free structures. Nodes are pairs of doublewords: value, next.

import type { Example } from './example.ts';

/** Values that were taken out: no 0 (not initialised), and none twice. */
const isFineTaking = (taken: readonly number[]): boolean => {
  const values = taken.filter((value) => value !== empty);
  return !values.includes(0) && new Set(values).size === values.length;
};
/** What an operation gives that finds nothing. */
const empty = 0xff;

/** Treiber, "Systems programming: coping with parallelism" (1986). */
const push = (node: string, value: number, label: string): string => `
    mov x9, #${value}
    str x9, [${node}]
${label}:
    ldr x0, [x20]
    str x0, [${node}, #8]
    mov x1, x0
    <casl|cas> x1, ${node}, [x20]
    cmp x1, x0
    b.ne ${label}
`;
/** The loads through X0 are ordered by their address. */
const pop = (result: string, label: string): string => `
    mov ${result}, #${empty}
${label}:
    ldr x0, [x20]
    cbz x0, ${label}_done
    ldr x2, [x0, #8]
    mov x1, x0
    cas x1, x2, [x20]
    cmp x1, x0
    b.ne ${label}
    ldr ${result}, [x0]
${label}_done:
`;

const treiber = (threads: readonly string[], observed: readonly string[], operations: string): Example => ({
  name: `Treiber stack, ${operations}`,
  threads,
  shared: { top: [0], n1: [0, 0], n2: [0, 0], n3: [0, 0] },
  observed,
  holds: (values) => isFineTaking(observed.map((name) => values[name]!)),
  unroll: 6,
});

const stacks: readonly Example[] = [
  treiber([push('x21', 1, 'a'), pop('x5', 'a')], ['1:X5'], '1 push, 1 pop'),
  treiber(
    [push('x21', 1, 'a'), push('x22', 2, 'a'), pop('x5', 'a') + pop('x6', 'b')],
    ['2:X5', '2:X6'],
    '2 pushes, 2 pops',
  ),
  treiber(
    [push('x21', 1, 'a'), push('x22', 2, 'a'), pop('x5', 'a'), pop('x5', 'a')],
    ['2:X5', '3:X5'],
    '4 threads of 1 operation',
  ),
  treiber(
    [push('x21', 1, 'a') + push('x22', 2, 'b'), pop('x5', 'a') + pop('x6', 'b'), push('x23', 3, 'a')],
    ['1:X5', '1:X6'],
    '3 pushes, 2 pops',
  ),
];

/** Michael and Scott, "Simple, fast, and practical non-blocking and blocking concurrent queue algorithms" (1996), without reuse of nodes. */
const enqueue = (node: string, value: number, label: string): string => `
    mov x9, #${value}
    str x9, [${node}]
${label}:
    ldr x0, [x21]
    add x5, x0, #8
    ldr x1, [x5]
    cbnz x1, ${label}_help
    mov x1, #0
    <casl|cas> x1, ${node}, [x5]
    cbnz x1, ${label}
    mov x3, x0
    casl x3, ${node}, [x21]
    b ${label}_done
${label}_help:
    mov x3, x0
    cas x3, x1, [x21]
    b ${label}
${label}_done:
`;
const dequeue = (result: string, label: string): string => `
    mov ${result}, #${empty}
${label}:
    ldar x0, [x20]
    ldar x6, [x21]
    add x5, x0, #8
    ldr x1, [x5]
    cmp x0, x6
    b.ne ${label}_take
    cbz x1, ${label}_done
    mov x3, x6
    cas x3, x1, [x21]
    b ${label}
${label}_take:
    cbz x1, ${label}
    ldr x2, [x1]
    mov x3, x0
    cas x3, x1, [x20]
    cmp x3, x0
    b.ne ${label}
    mov ${result}, x2
${label}_done:
`;

const queue = (threads: readonly string[], observed: readonly string[], operations: string): Example => ({
  name: `Michael–Scott queue, ${operations}`,
  threads,
  shared: { head: ['&dummy'], tail: ['&dummy'], dummy: [0, 0], n1: [0, 0], n2: [0, 0], n3: [0, 0] },
  observed,
  holds: (values) => isFineTaking(observed.map((name) => values[name]!)),
  unroll: 6,
});

const queues: readonly Example[] = [
  queue([enqueue('x23', 1, 'a'), dequeue('x7', 'a')], ['1:X7'], '1 enqueue, 1 dequeue'),
  queue([enqueue('x23', 1, 'a'), enqueue('x24', 2, 'a'), dequeue('x7', 'a')], ['2:X7'], '2 enqueues, 1 dequeue'),
  queue([enqueue('x23', 1, 'a'), dequeue('x7', 'a'), dequeue('x7', 'a')], ['1:X7', '2:X7'], '1 enqueue, 2 dequeues'),
  queue(
    [enqueue('x23', 1, 'a'), enqueue('x24', 2, 'a'), dequeue('x7', 'a'), dequeue('x7', 'a')],
    ['2:X7', '3:X7'],
    '4 threads of 1 operation',
  ),
];

/**
 * Lê, Pop, Cohen, Zappa Nardelli, "Correct and efficient work-stealing for weak memory models" (2013): Chase and Lev's deque. X20 top,
 * X21 bottom, X22 the buffer.
 */
const dequePush = (value: number, store = '<stlr|str>'): string => `
    mov x9, #${value}
    ldr x0, [x21]
    str x9, [x22, x0, lsl #3]
    add x0, x0, #1
    ${store} x0, [x21]
`;
const dequeTake = (result: string, label: string, fence = 'dmb ish'): string => `
    mov ${result}, #${empty}
    ldr x0, [x21]
    sub x0, x0, #1
    str x0, [x21]
    ${fence}
    ldr x1, [x20]
    cmp x1, x0
    b.gt ${label}_empty
    ldr x2, [x22, x0, lsl #3]
    b.lt ${label}_taken
    mov x3, x1
    add x4, x1, #1
    cas x3, x4, [x20]
    cmp x3, x1
    b.ne ${label}_empty
    mov ${result}, x2
    b ${label}_empty
${label}_taken:
    mov ${result}, x2
    b ${label}_done
${label}_empty:
    add x0, x0, #1
    str x0, [x21]
${label}_done:
`;
const dequeSteal = (result: string): string => `
    mov ${result}, #${empty}
    ldar x1, [x20]
    <ldar|ldr> x0, [x21]
    cmp x1, x0
    b.ge steal_done
    ldr x2, [x22, x1, lsl #3]
    mov x3, x1
    add x4, x1, #1
    cas x3, x4, [x20]
    cmp x3, x1
    b.ne steal_done
    mov ${result}, x2
steal_done:
`;

const deque = (threads: readonly string[], observed: readonly string[], operations: string): Example => ({
  name: `Chase–Lev deque, ${operations}`,
  threads,
  shared: { top: [0], bottom: [0], buffer: [0, 0, 0] },
  observed,
  holds: (values) => isFineTaking(observed.map((name) => values[name]!)),
});

/** The barrier of take matters where a thief can come between two of the owner's looks: with more than one element, and two thieves. */
const deques: readonly Example[] = [
  deque([dequePush(1) + dequeTake('x7', 'a'), dequeSteal('x7')], ['0:X7', '1:X7'], '1 thief'),
  deque(
    [dequePush(1) + dequePush(2, 'stlr') + dequeTake('x7', 'a') + dequeTake('x8', 'b'), dequeSteal('x7')],
    ['0:X7', '0:X8', '1:X7'],
    '4 operations, 1 thief',
  ),
  deque(
    [dequePush(1) + dequePush(2) + dequeTake('x7', 'a', '<dmb ish|nop>'), dequeSteal('x7'), dequeSteal('x7')],
    ['0:X7', '1:X7', '2:X7'],
    '2 thieves',
  ),
  deque(
    [dequePush(1) + dequeTake('x7', 'a') + dequePush(2, 'stlr'), dequeSteal('x7'), dequeSteal('x7')],
    ['0:X7', '1:X7', '2:X7'],
    '3 operations, 2 thieves',
  ),
  deque(
    [
      dequePush(1) + dequePush(2, 'stlr') + dequeTake('x7', 'a') + dequePush(3, 'stlr') + dequeTake('x8', 'b'),
      dequeSteal('x7'),
      dequeSteal('x7'),
    ],
    ['0:X7', '0:X8', '1:X7', '2:X7'],
    '5 operations, 2 thieves',
  ),
];

export const structures: readonly Example[] = [...stacks, ...queues, ...deques];
