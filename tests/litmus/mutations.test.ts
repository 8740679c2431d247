// Two thousand litmus files that somebody has damaged: each is explored, or refused in one sentence that names file, line and column.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runTask } from '../../workers/litmus-thread.ts';
import { sharedTests, textOf } from './shared-tests.ts';

const folders = ['families', '../../docs/litmus'].map((name) => join(import.meta.dirname, name));
const own = folders.flatMap((folder) =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.litmus'))
    .map((name) => readFileSync(join(folder, name), 'utf8')),
);
const rich = `AArch64 rich
Stable=X1
{ uint64_t x=0x10; int y[2]={1,-2}; int *p=&y[1]; 0:X0=x; 0:X1=p; int8_t 0:X2=-1; 1:X0=y; 1:X3=P0:L0; 1:X4=instr:"B .+8"; }
 P0               | P1                ;
L0: LDXR X3,[X0]  | LDR W1,[X0,#4]    ;
 STLXR W4,X3,[X0] | CBZ W1,L1         ;
 CBNZ W4,L0       | SWPAL W1,W5,[X0]  ;
 DMB ISHST        | L1: LDP W6,W7,[X0] ;
 STR X0,[X1]      | CASP W6,W7,W8,W9,[X0] ;
locations [y; 0:X3; x;]
filter (0:X4=0 \\/ not (x=16))
exists (1:X1=-2 /\\ y={1,-2} \\/ 0:X2=255 => p=x)
`;
const published = sharedTests.filter((_, n) => n % 97 === 0).map(textOf);
const texts = [rich, ...own, ...published];

const damage = fc.oneof(
  fc.record({ kind: fc.constant('delete' as const), at: fc.nat(), length: fc.nat(12) }),
  fc.record({
    kind: fc.constant('insert' as const),
    at: fc.nat(),
    text: fc.oneof(
      fc.constantFrom(
        '(',
        ')',
        '{',
        '}',
        '[',
        ']',
        '|',
        ';',
        '"',
        '(*',
        '*)',
        ':',
        '=',
        '-',
        ',',
        '#',
        '/\\',
        '\\/',
        '=>',
        '~',
      ),
      fc.constantFrom(
        'exists',
        'forall',
        'P0',
        'P7',
        'X31',
        'W0',
        '0x',
        '99999999999999999999999999999999999999999',
        '\u0000',
        'é',
        '\n',
      ),
      fc.constantFrom(
        'x[9]',
        'int',
        'uint128_t z;',
        'B L0',
        'L0:',
        'fault(P0)',
        'PTE(x)',
        'MOV W0,#1',
        'LDR X0,[X0]',
        'CBNZ W0,.-8',
      ),
    ),
  }),
  fc.record({ kind: fc.constant('repeat' as const), at: fc.nat(), length: fc.nat(40) }),
  fc.record({ kind: fc.constant('swap' as const), at: fc.nat(), length: fc.integer({ min: 1, max: 20 }) }),
);

function damaged(text: string, damages: readonly (typeof damage extends fc.Arbitrary<infer T> ? T : never)[]): string {
  let result = text;
  for (const one of damages) {
    const at = one.at % (result.length + 1);
    if (one.kind === 'insert') result = result.slice(0, at) + one.text + result.slice(at);
    else if (one.kind === 'delete') result = result.slice(0, at) + result.slice(at + one.length);
    else {
      const [first, second] = [result.slice(at, at + one.length), result.slice(at + one.length, at + 2 * one.length)];
      const middle = one.kind === 'repeat' ? first + first : second + first;
      result = result.slice(0, at) + middle + result.slice(at + (one.kind === 'repeat' ? 1 : 2) * one.length);
    }
  }
  return result;
}

/** A damaged test that explodes is ended after this time; what ends is what counts. */
const timeoutMs = 100;

test('2,000 damaged tests end in an answer or in one sentence', () => {
  const stop = new SharedArrayBuffer(4);
  const outcomes = { explored: 0, refused: 0 };
  let longestMs = 0;
  fc.assert(
    fc.property(fc.nat(texts.length - 1), fc.array(damage, { minLength: 1, maxLength: 4 }), (n, damages) => {
      const text = damaged(texts[n]!, damages);
      const startMs = performance.now();
      const answer = runTask({
        path: 'd.litmus',
        text,
        model: undefined,
        variants: [],
        timeoutMs,
        unroll: 2,
        questions: {},
        stop,
      });
      longestMs = Math.max(longestMs, performance.now() - startMs);
      if ('result' in answer) outcomes.explored += 1;
      else {
        outcomes.refused += 1;
        expect(answer.refusal).toMatch(/^d\.litmus:\d+:\d+: [^\n]+$/);
      }
    }),
    { seed: 6, numRuns: 2000 },
  );
  expect(outcomes.explored).toBeGreaterThan(200);
  expect(outcomes.refused).toBeGreaterThan(200);
  // Stopping is asked for at every step of the search, so that no test goes on for long.
  expect(longestMs).toBeLessThan(20_000);
}, 600_000);
