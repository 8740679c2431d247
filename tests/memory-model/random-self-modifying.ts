// Random small tests whose threads modify code: each has an instruction, a branch over an ADD, that all of them may overwrite, clean,
// invalidate, read and call; how often the ADD was executed, and when, is in X9.

import fc from 'fast-check';

/** A step of a thread: the registers of addresses and instructions are X20, X21 (code), X22 (data), W18 and W19. */
type Step = (thread: { loads: number; labels: number }, target: number, choice: number) => readonly string[];

const pick = (from: readonly string[], choice: number): string => from[choice % from.length]!;
const loaded = ({ loads }: { loads: number }): string => `W${Math.max(0, loads - 1)}`;
const result = (thread: { loads: number }): string => {
  thread.loads += 1;
  return `W${thread.loads - 1}`;
};
const call = (target: number): readonly string[] => [`BLR X${20 + target}`, 'ADD W9,W9,W9'];

const steps: readonly (readonly [weight: number, step: Step])[] = [
  [
    4,
    (_, target, choice) => [
      `${pick(['STR', 'STR', 'STLR'], choice)} ${pick(['W18', 'W18', 'W19'], choice >> 2)},[X${20 + target}]`,
    ],
  ],
  [4, (_, target) => call(target)],
  [3, (_, target) => [`DC CVAU,X${20 + target}`]],
  [3, (_, target, choice) => [pick([`IC IVAU,X${20 + target}`, `IC IVAU,X${20 + target}`, 'IC IALLU'], choice)]],
  [5, (_, _target, choice) => [pick(['DSB ISH', 'DSB ISH', 'DSB ISHST', 'DSB ISHLD', 'DMB ISH', 'DMB ISHST'], choice)]],
  [3, () => ['ISB']],
  // The sequence that makes new code seen.
  [2, (_, target) => [`DC CVAU,X${20 + target}`, 'DSB ISH', `IC IVAU,X${20 + target}`, 'DSB ISH']],
  [2, (_, target) => ['DSB ISH', 'ISB', ...call(target)]],
  [2, (thread, target) => [`LDR ${result(thread)},[X${20 + target}]`]],
  [2, () => ['MOV W17,#1', 'STR W17,[X22]']],
  [2, (thread, _target, choice) => [`${pick(['LDR', 'LDAR'], choice)} ${result(thread)},[X22]`]],
  [
    2,
    (thread, _target, choice) => {
      thread.labels += 1;
      return [`CBNZ ${loaded(thread)},L${thread.labels}`, `L${thread.labels}: ${pick(['NOP', 'ISB'], choice)}`];
    },
  ],
  [
    1,
    (thread, target, choice) => [
      `EOR W16,${loaded(thread)},${loaded(thread)}`,
      `ADD X15,X${20 + target},W16,SXTW`,
      pick(['DC CVAU,X15', 'IC IVAU,X15', 'BLR X15'], choice),
    ],
  ],
  [
    1,
    (thread, target, choice) => [
      `CMP ${loaded(thread)},#1`,
      `CSEL X15,X${20 + target},X${20 + target},EQ`,
      pick(['DC CVAU,X15', 'IC IVAU,X15', 'STR W18,[X15]'], choice),
    ],
  ],
];

const stepArbitrary = fc.record({
  step: fc.oneof(...steps.map(([weight, step]) => ({ weight, arbitrary: fc.constant(step) }))),
  target: fc.integer({ min: 0, max: 1 }),
  choice: fc.nat({ max: 15 }),
});

const registers = (thread: number): string =>
  `${thread}:X18=NOP; ${thread}:X19=instr:"B .+4"; ${thread}:X20=P0:F0; ${thread}:X21=P1:F1; ${thread}:X22=x; `;

/** Two threads of one to five steps and one more, and what CTR_EL0 says of their caches. */
export const randomSelfModifying: fc.Arbitrary<string> = fc
  .tuple(
    fc.constantFrom('', 'CacheType=IDC\n', 'CacheType=DIC\n'),
    fc.tuple(
      fc.array(stepArbitrary, { minLength: 1, maxLength: 5 }),
      fc.array(stepArbitrary, { minLength: 1, maxLength: 5 }),
    ),
  )
  .filter(([, threads]) => threads.flat().length <= 7)
  .map(([caches, threads]) => {
    const observed: string[] = [];
    const columns = threads.map((own, thread) => {
      const state = { loads: 0, labels: 10 * thread };
      const random = own.flatMap(({ step, target, choice }) => step(state, target, choice));
      // Something is modified, and called.
      const body = thread === 0 ? ['STR W18,[X21]', ...random] : [...random, ...call(1)];
      for (let n = 0; n < state.loads; n += 1) observed.push(`${thread}:X${n};`);
      const f = thread;
      return [...body, `B E${f}`, `F${f}: B G${f}`, 'ADD W9,W9,#1', `G${f}: RET`, `E${f}:`];
    });
    const rows = Array.from({ length: Math.max(...columns.map(({ length }) => length)) }, (_, n) =>
      columns.map((column) => column[n] ?? '').join(' | '),
    );
    return `AArch64 random
${caches}{ ${registers(0)}${registers(1)} }
 P0 | P1 ;
${rows.map((row) => ` ${row} ;`).join('\n')}
locations [0:X9; 1:X9; x; ${observed.join(' ')}]`;
  });
