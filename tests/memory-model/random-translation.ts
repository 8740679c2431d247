// Random small tests whose threads access two pages that are translated, change their descriptors, and invalidate TLBs; the variants and
// what hardware manages are drawn, too. A third page, z, maps to where x lies.

import fc from 'fast-check';

/** A step of a thread: the registers of addresses and descriptors are X20 to X24 (x, y, z, PTE(x), PTE(z)) and X25 to X29. */
type Step = (thread: { loads: number; labels: number }, choice: number) => readonly string[];

const pick = (from: readonly string[], choice: number): string => from[choice % from.length]!;
const page = (choice: number): string => pick(['X20', 'X20', 'X21', 'X22'], choice);
const table = (choice: number): string => pick(['X23', 'X23', 'X24'], choice);
const descriptor = (choice: number): string => `X${25 + (choice % 5)}`;
const loaded = ({ loads }: { loads: number }): string => `X${Math.max(0, loads - 1)}`;
const result = (thread: { loads: number }): number => {
  thread.loads += 1;
  return thread.loads - 1;
};
const tlbi = (choice: number): readonly string[] => [
  ...[`LSR X19,${page(choice)},#12`, pick(['TLBI VAAE1IS,X19', 'TLBI VAAE1IS,X19', 'TLBI VMALLE1IS', 'TLBI VAAE1,X19'], choice >> 2)],
]; // prettier-ignore

const steps: readonly (readonly [weight: number, step: Step])[] = [
  [6, (thread, choice) => [`${pick(['LDR', 'LDR', 'LDAR'], choice >> 2)} W${result(thread)},[${page(choice)}]`]],
  [5, (_, choice) => ['MOV W18,#1', `${pick(['STR', 'STR', 'STLR'], choice >> 2)} W18,[${page(choice)}]`]],
  [1, (thread, choice) => ['MOV W18,#2', `${pick(['SWP', 'LDADD', 'CAS'], choice >> 2)} W18,W${result(thread)},[${page(choice)}]`]],
  [6, (_, choice) => [`${pick(['STR', 'STR', 'STLR'], choice)} ${descriptor(choice >> 2)},[${table(choice)}]`]],
  [2, (thread, choice) => [`${pick(['LDR', 'LDAR'], choice)} X${result(thread)},[${table(choice)}]`]],
  [1, (thread, choice) => [`SWP ${descriptor(choice >> 2)},X${result(thread)},[${table(choice)}]`]],
  [5, (_, choice) => [pick(['DSB ISH', 'DSB ISH', 'DSB ISHST', 'DSB ISHLD', 'DMB ISH', 'DMB ISHST'], choice)]],
  [3, () => ['ISB']],
  [2, (_, choice) => tlbi(choice)],
  // The sequence that makes a new descriptor seen.
  [3, (_, choice) => ['DSB ISH', ...tlbi(choice), 'DSB ISH', ...(choice % 3 === 0 ? ['ISB'] : [])]],
  [
    2,
    (thread, choice) => {
      thread.labels += 1;
      return [`CBNZ ${loaded(thread)},L${thread.labels}`, `L${thread.labels}: ${pick(['NOP', 'ISB'], choice)}`];
    },
  ],
  [
    2,
    (thread, choice) => [
      `EOR X17,${loaded(thread)},${loaded(thread)}`,
      `ADD X16,${page(choice)},X17`,
      ...pick([`LDR W${thread.loads},[X16]`, 'STR W18,[X16]', 'LSR X19,X16,#12;TLBI VAAE1IS,X19'], choice >> 2).split(';'),
    ],
  ],
]; // prettier-ignore

const stepArbitrary = fc.record({
  step: fc.oneof(...steps.map(([weight, step]) => ({ weight, arbitrary: fc.constant(step) }))),
  choice: fc.nat({ max: 63 }),
});

const registers = (thread: number): string =>
  [
    ...['X20=x', 'X21=y', 'X22=z', 'X23=PTE(x)', 'X24=PTE(z)', 'X25=(oa:PA(x))', 'X26=(oa:PA(y))'],
    ...['X27=(oa:PA(x), valid:0)', 'X28=(oa:PA(x), af:0)', 'X29=(oa:PA(y), db:0, dbm:1)'],
  ]
    .map((text) => `${thread}:${text};`)
    .join(' ');

const fields = fc.constantFrom('', 'valid:0', 'af:0', 'db:0', 'db:0, dbm:1', 'el0:0', 'oa:PA(y)');

/** Two threads of two to four steps, and what they run under. */
export const randomTranslation: fc.Arbitrary<string> = fc
  .tuple(
    fc.constantFrom('', '', ',ets2', ',ets3', ',skip', ',handled'),
    fc.constantFrom('', '', '', 'TTHM=HA\n', 'TTHM=P1:HD\n', 'EL0=P1\n'),
    fields,
    fc.tuple(
      fc.array(stepArbitrary, { minLength: 2, maxLength: 4 }),
      fc.array(stepArbitrary, { minLength: 2, maxLength: 4 }),
    ),
  )
  .filter(([, , , threads]) => threads.flat().length <= 7)
  .map(([variant, setting, first, threads]) => {
    const observed: string[] = [];
    const columns = threads.map((own, n) => {
      const thread = { loads: 0, labels: 10 * n };
      const lines = own.flatMap(({ step, choice }) => step(thread, choice));
      for (let load = 0; load <= thread.loads; load += 1) observed.push(`${n}:X${load}`);
      return lines;
    });
    const rows = Array.from({ length: Math.max(...columns.map(({ length }) => length)) }, (_, n) =>
      columns.map((lines) => lines[n] ?? '').join(' | '),
    );
    return [
      'AArch64 random',
      `Variant=vmsa${variant}`,
      `${setting}{`,
      `x=1; y=2;${first === '' ? '' : ` [PTE(x)]=(${first});`} [PTE(z)]=(oa:PA(x));`,
      ...[registers(0), registers(1), '}', 'P0 | P1 ;'],
      ...rows.map((row) => `${row} ;`),
      `locations [${observed.join('; ')}; [x]; [y]; [PTE(x)]; [PTE(z)]; fault(P0); fault(P1);]`,
    ].join('\n');
  });
