// Random small programs of A64 threads: loads and stores of all orders, barriers, dependencies, atomics, exclusives on two variables.

import fc from 'fast-check';
import type { Source } from '../explore/programs.ts';

/** A step of a thread: what it may refer to are the registers that earlier loads wrote. */
type Step = (thread: { loads: number; labels: number }, variable: number, value: number, choice: number) => string;

const address = (variable: number): string => `[x${20 + variable}]`;
const loaded = ({ loads }: { loads: number }): string => `w${Math.max(0, loads - 1)}`;
const result = (thread: { loads: number }): string => {
  thread.loads += 1;
  return `w${thread.loads - 1}`;
};
const pick = (from: readonly string[], choice: number): string => from[choice % from.length]!;

const steps: readonly (readonly [weight: number, step: Step])[] = [
  [5, (_, variable, value) => `mov w9, #${value}; str w9, ${address(variable)}`],
  [5, (thread, variable) => `ldr ${result(thread)}, ${address(variable)}`],
  [2, (_, variable, value) => `mov w9, #${value}; stlr w9, ${address(variable)}`],
  [
    3,
    (thread, variable, _value, choice) => `${pick(['ldar', 'ldapr'], choice)} ${result(thread)}, ${address(variable)}`,
  ],
  [
    4,
    (_thread, _variable, _value, choice) =>
      pick(['dmb sy', 'dmb ld', 'dmb st', 'dmb ishld', 'dmb ishst', 'dsb sy', 'dsb ld', 'dsb st', 'isb'], choice),
  ],
  // Address, data, control and pick dependencies on the last load.
  [
    2,
    (thread, variable) =>
      `eor w10, ${loaded(thread)}, ${loaded(thread)}; ldr ${result(thread)}, [x${20 + variable}, w10, sxtw]`,
  ],
  [
    1,
    (thread, variable, value) =>
      `eor w10, ${loaded(thread)}, ${loaded(thread)}; mov w9, #${value}; str w9, [x${20 + variable}, w10, sxtw]`,
  ],
  [
    2,
    (thread, variable, value) =>
      `eor w10, ${loaded(thread)}, ${loaded(thread)}; add w10, w10, #${value}; str w10, ${address(variable)}`,
  ],
  [1, (thread, variable) => `str ${loaded(thread)}, ${address(variable)}`],
  [
    2,
    (thread, _variable, _value, choice) => {
      thread.labels += 1;
      const label = `l${thread.labels}`;
      return `cbnz ${loaded(thread)}, ${label}; ${label}: ${pick(['nop', 'isb'], choice)}`;
    },
  ],
  [
    2,
    (thread, variable, value) =>
      `mov w11, #${value}; cmp ${loaded(thread)}, #1; csel w12, w11, w11, eq; str w12, ${address(variable)}`,
  ],
  [
    1,
    (thread, variable) =>
      `cmp ${loaded(thread)}, #1; csel x12, x${20 + variable}, x${20 + variable}, eq; ldr ${result(thread)}, [x12]`,
  ],
  // Atomics and exclusives.
  [
    2,
    (thread, variable, value, choice) =>
      `mov w9, #${value}; ${pick(['swp', 'swpa', 'swpl', 'swpal', 'ldadd', 'ldadda', 'ldaddl', 'ldaddal'], choice)} w9, ${result(thread)}, ${address(variable)}`,
  ],
  [
    1,
    (_, variable, value, choice) => `mov w9, #${value}; ${pick(['stadd', 'staddl'], choice)} w9, ${address(variable)}`,
  ],
  [
    1,
    (thread, variable, value, choice) => {
      const expected = result(thread);
      return `mov ${expected}, #${choice % 2}; mov w9, #${value}; ${pick(['cas', 'casa', 'casl', 'casal'], choice)} ${expected}, w9, ${address(variable)}`;
    },
  ],
  // What it expects depends on a load, and what depends on its result may depend on either.
  [
    2,
    (thread, variable, value, choice) => {
      const from = loaded(thread);
      const expected = result(thread);
      const use = `eor w10, ${expected}, ${expected}; ldr ${result(thread)}, [x${21 - variable}, w10, sxtw]`;
      return `mov ${expected}, ${from}; mov w9, #${value}; ${pick(['cas', 'casa', 'casl', 'casal'], choice)} ${expected}, w9, ${address(variable)}${choice < 8 ? `; ${use}` : ''}`;
    },
  ],
  [
    1,
    (thread, variable, value, choice) =>
      `${pick(['ldxr', 'ldaxr'], choice)} ${result(thread)}, ${address(variable)}; mov w9, #${value}; ${pick(['stxr', 'stlxr'], choice >> 1)} w13, w9, ${address(variable)}`,
  ],
];

const stepArbitrary = fc.record({
  step: fc.oneof(...steps.map(([weight, step]) => ({ weight, arbitrary: fc.constant(step) }))),
  variable: fc.integer({ min: 0, max: 1 }),
  choice: fc.nat({ max: 15 }),
});

/** Two or three threads of two to four steps; every value that is stored is stored once. */
export const randomProgram: fc.Arbitrary<Source> = fc
  .array(fc.array(stepArbitrary, { minLength: 2, maxLength: 4 }), { minLength: 2, maxLength: 3 })
  .filter((threads) => threads.flat().length <= 9)
  .map((threads) => {
    let value = 0;
    const observed: string[] = [];
    const sources = threads.map((own, thread) => {
      const state = { loads: 0, labels: 0 };
      const text = own.map(({ step, variable, choice }) => step(state, variable, (value += 1), choice));
      for (let n = 0; n < state.loads; n += 1) observed.push(`${thread}:X${n}`);
      return text.join('; ');
    });
    return { threads: sources, variables: { x: 0, y: 0 }, observed: [...observed, 'x', 'y'] };
  });
