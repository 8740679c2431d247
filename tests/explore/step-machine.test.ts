// Machine and model cannot disagree: PEs of the step engine, whose instructions are interleaved at random, end in states that Armv8
// allows. A sample of the published tests beside the checkout; all of them with HEDDLE_LITMUS=all. Those of the system are run as they
// are published, most of them without translation by their descriptors, and with translation.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { builtInModels, explore } from '../../src/explore/explore.ts';
import { type SharedTest, sharedTests, textOf } from '../litmus/shared-tests.ts';
import { randomTranslation } from '../memory-model/random-translation.ts';
import { unsupported } from '../litmus/unsupported.ts';
import {
  type LitmusMachineOptions,
  litmusMachine,
  machineTest,
  type MachineTest,
  missingFeature,
} from './litmus-machine.ts';

const all = process.env.HEDDLE_LITMUS === 'all';
const runsOfEach = all ? 40 : 24;

/** How many runs came to an end, and the states of those that Armv8 does not allow. */
function compare(
  test: MachineTest,
  options: LitmusMachineOptions = {},
  runs = runsOfEach,
): { readonly ended: number; readonly wrong: readonly string[] } {
  const { outcomes, hasBound } = explore(test.program, builtInModels.arm);
  const allowed = new Set(outcomes.map(({ state }) => state.join()));
  const machine = litmusMachine(test, options);
  let ended = 0;
  const wrong: string[] = [];
  for (let seed = 1; seed <= runs; seed += 1) {
    const state = machine.run(seed)?.join();
    if (state === undefined) continue;
    ended += 1;
    if (!allowed.has(state) && !hasBound) wrong.push(`seed ${seed}: ${state}`);
  }
  return { ended, wrong };
}

interface Selection {
  readonly group: SharedTest['group'];
  /** One of so many tests is run in every run of the suite. */
  readonly sampleStep: number;
  readonly isTranslated: boolean;
  /** At least this part of the runs ends; the others wait in a loop, read descriptors that nobody has written, or fault twice. */
  readonly leastEnded: number;
  /** How many of all tests are not run, by the feature that the machine does not have. */
  readonly missing: Readonly<Record<string, number>>;
}

const selections: readonly Selection[] = [
  {
    group: 'user',
    sampleStep: 60,
    isTranslated: false,
    leastEnded: 0.8,
    missing: { FEAT_LRCPC3: 3, FEAT_GCS: 3, FEAT_CSSC: 2, FEAT_LSCP: 1 },
  },
  { group: 'mixed', sampleStep: 4, isTranslated: false, leastEnded: 0.8, missing: {} },
  { group: 'ifetch', sampleStep: 4, isTranslated: false, leastEnded: 0.8, missing: {} },
  { group: 'system', sampleStep: 12, isTranslated: false, leastEnded: 0.5, missing: { FEAT_HAFDBS: 10 } },
  { group: 'system', sampleStep: 12, isTranslated: true, leastEnded: 0.8, missing: { FEAT_HAFDBS: 75 } },
];

describe.runIf(sharedTests.length > 0)('the step engine', () => {
  it.each(selections)(
    'ends in no state that Armv8 does not allow, on tests of the group $group (translated: $isTranslated)',
    (selection) => {
      const chosen = sharedTests
        .filter(({ group, path }) => group === selection.group && !unsupported.has(path))
        .filter((_, n) => all || n % selection.sampleStep === 0);
      let [ended, asked] = [0, 0];
      const missing: Record<string, number> = {};
      const wrong: string[] = [];
      for (const published of chosen) {
        const variants = [published.variant, selection.isTranslated ? 'vmsa' : ''].filter((name) => name !== '');
        const test = machineTest(textOf(published), published.path, variants);
        const feature = missingFeature(test);
        if (feature !== undefined) {
          missing[feature] = (missing[feature] ?? 0) + 1;
          continue;
        }
        const outcome = compare(test);
        ended += outcome.ended;
        asked += runsOfEach;
        wrong.push(...outcome.wrong.map((state) => `${published.path}, ${state}`));
      }
      expect(wrong).toEqual([]);
      expect(ended).toBeGreaterThan(selection.leastEnded * asked);
      if (all) expect(missing).toEqual(selection.missing);
    },
    all ? 3_600_000 : 120_000,
  );
});

describe('the step engine', () => {
  it(
    'ends in no state that Armv8 does not allow, on random tests of translation',
    () => {
      const texts = fc.sample(randomTranslation, { seed: 41, numRuns: all ? 2000 : 60 });
      let [ended, asked] = [0, 0];
      const wrong: string[] = [];
      for (const text of texts) {
        const test = machineTest(text, 'random.litmus', []);
        if (missingFeature(test) !== undefined) continue;
        const outcome = compare(test);
        ended += outcome.ended;
        asked += runsOfEach;
        wrong.push(...outcome.wrong.map((state) => `${text}\n${state}`));
      }
      expect(wrong).toEqual([]);
      expect(ended).toBeGreaterThan(0.8 * asked);
    },
    all ? 3_600_000 : 60_000,
  );

  const unmapping = `AArch64 MP+tlbi
Variant=vmsa
{ x=1;
  0:X1=PTE(x); 0:X2=(oa:PA(x), valid:0); 0:X3=x; 0:X5=y; 0:X6=1;
  1:X1=y; 1:X3=x; }
 P0              | P1           ;
 STR X2,[X1]     | LDAR W0,[X1] ;
 DSB ISH         | ISB          ;
 LSR X4,X3,#12   | LDR W2,[X3]  ;
 TLBI VAAE1IS,X4 |              ;
 DSB ISH         |              ;
 STR W6,[X5]     |              ;
exists (1:X0=1 /\\ 1:X2=1)
`;

  it('accesses no page behind a DSB that has waited for the invalidation of its translation', () => {
    expect(compare(machineTest(unmapping, 'unmapping.litmus', []), {}, 400).wrong).toEqual([]);
  });

  it('would be found if its DSB did not wait for it', () => {
    const { wrong } = compare(machineTest(unmapping, 'unmapping.litmus', []), { isDsbWaiting: false }, 400);
    expect(wrong).not.toEqual([]);
  });
});

it.runIf(sharedTests.length === 0)('skipped: the published tests are not beside the checkout', () => {
  expect(sharedTests).toEqual([]);
});
