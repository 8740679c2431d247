// Cycles, and their tests, drawn from a seed: a family, with each edge inside a thread replaced by others between the same ends.

import { cycleOfFamily, familyNames } from './names.ts';
import { everyPart } from './accesses.ts';
import { readCycle, withAccesses } from './edges.ts';
import { type GeneratedTest, generateTest, type Size } from './write-test.ts';
import { UserError } from '../../../report/user-error.ts';

/** Numbers below a bound, from a seed (xorshift32; Marsaglia, "Xorshift RNGs"). */
function randomNumbers(seed: number): Random {
  let state = (seed ^ 0x9e37_79b9) >>> 0 || 1;
  return (bound) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state % bound;
  };
}

const operations = ['Add', 'Eor', 'Set', 'Clr'];
const atomics = [
  ...['Amo.Swp', 'Amo.Cas', 'LxSx', ...operations.map((name) => `Amo.Ld${name}`)],
  ...['LxSxAP', 'LxSxPL', 'LxSxAL', 'Amo.SwpAL', 'Amo.CasAL', 'Amo.LdAddAP', 'Amo.LdEorPL'],
  ...[...operations.map((name) => `Amo.St${name}`), 'Amo.StAddPL'],
];
const fences = [
  'DMB.SY',
  'DMB.LD',
  'DMB.ST',
  'DSB.SY',
  'ISB',
  'DMB.ISH',
  'DMB.OSHLD',
  'DMB.ISHST',
  'DSB.ISHLD',
  'DSB.OSHST',
];

/** What can stand between two events of a thread, on two locations or one. */
function innerEdges(from: string, to: string, place: 'd' | 's'): string[] {
  const plain = [`Po${place}${from}${to}`, ...fences.map((fence) => `${fence}${place}${from}${to}`)];
  const sides = (direction: string): string[] =>
    direction === 'R' ? ['P', 'A', 'Q', 'X', 'XA', 'XL'] : ['P', 'L', 'X', 'XL', 'XAL'];
  const annotated = sides(from).flatMap((a) => sides(to).map((b) => `Po${place}${from}${to}${a}${b}`));
  const dependencies = ['Addr', 'Ctrl', 'CtrlIsb', ...(to === 'W' ? ['Data'] : [])].flatMap((name) =>
    ['', 'Csel'].map((csel) => `Dp${name}${csel}${place}${to}`),
  );
  const own = [...plain, ...annotated, ...(from === 'R' ? dependencies : [])];
  if (place === 's') return own;
  // Another event of the location comes first: by communication inside the thread or through another one, or the write of an atomic.
  const excursion = `${from === 'W' ? 'Ws' : 'Fr'}Leave RfBack PodR${to}`;
  if (from === 'R') return [...own, excursion, ...['Fri', ...atomics].map((edge) => `${edge} PodW${to}`)];
  return [...own, excursion, `Wsi PodW${to}`, ...[`PodR${to}`, ...dependencies].map((edge) => `Rfi ${edge}`)];
}

type Random = (bound: number) => number;

/** Cycles without end: the n-th is the same for the same seed. */
function* randomCycles(random: Random): Generator<string, never> {
  for (;;) {
    const family = familyNames[random(familyNames.length)]!;
    const edges = readCycle(cycleOfFamily(family)!).map((edge) => {
      if (edge.isExternal) return edge.text;
      const choices = innerEdges(edge.from, edge.to, edge.isSameLocation ? 's' : 'd');
      return choices[random(choices.length)]!;
    });
    yield edges.join(' ');
  }
}

/** Every event accesses some part of its location; the two of an atomic the same one. */
function inParts(cycle: string, random: Random): string {
  const edges = readCycle(cycle);
  const parts = edges.map(() => everyPart[random(everyPart.length)]!);
  edges.forEach(({ what }, n) => {
    if (what.kind === 'atomic') parts[(n + 1) % edges.length] = parts[n]!;
  });
  return edges
    .map((edge, n) => {
      const [from, to] = [parts[n]!, parts[(n + 1) % edges.length]!];
      return withAccesses(edge, { ...edge.fromAccess, part: from }, { ...edge.toAccess, part: to }).text;
    })
    .join(' ');
}

/** As many cycles as can be drawn for one test that was not there before. */
const mostInVain = 100_000;

/**
 * Different tests from the cycles of a seed, of one size of access after the other, or of mixed sizes, until there is hardly another one; cycles that ask for
 * nothing are passed over.
 */
export function* randomTests(seed: number, inTurn: readonly (Size | 'mixed')[]): Generator<GeneratedTest> {
  const names = new Set<string>();
  const random = randomNumbers(seed);
  let inVain = 0;
  for (const cycle of randomCycles(random)) {
    const size = inTurn[names.size % inTurn.length]!;
    const test = size === 'mixed' ? testUnlessRefused(inParts(cycle, random), 'word') : testUnlessRefused(cycle, size);
    if (test === undefined || names.has(test.name)) {
      inVain += 1;
      if (inVain > mostInVain) return;
      continue;
    }
    inVain = 0;
    names.add(test.name);
    yield test;
  }
}

function testUnlessRefused(cycle: string, size: Size): GeneratedTest | undefined {
  try {
    return generateTest(cycle, size);
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}
