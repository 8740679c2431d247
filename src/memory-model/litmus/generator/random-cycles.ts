// Cycles drawn from a seed: a family, with each edge inside a thread replaced by one that has the same ends.

import { cycleOfFamily, familyNames } from './names.ts';
import { readCycle } from './edges.ts';

/** Numbers below a bound, from a seed (xorshift32; Marsaglia, "Xorshift RNGs"). */
function randomNumbers(seed: number): (bound: number) => number {
  let state = (seed ^ 0x9e37_79b9) >>> 0 || 1;
  return (bound) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state % bound;
  };
}

const fences = ['DMB.SY', 'DMB.LD', 'DMB.ST', 'DSB.SY', 'ISB'];

/** Edges inside a thread with these ends, on two locations or one. */
function innerEdges(from: string, to: string, place: 'd' | 's'): string[] {
  const plain = [`Po${place}${from}${to}`, ...fences.map((fence) => `${fence}${place}${from}${to}`)];
  const sides = (direction: string): string[] => (direction === 'R' ? ['P', 'A', 'Q', 'X'] : ['P', 'L', 'X']);
  const annotated = sides(from).flatMap((a) => sides(to).map((b) => `Po${place}${from}${to}${a}${b}`));
  if (from !== 'R') return [...plain, ...annotated];
  const dependencies = ['Addr', 'Ctrl', 'CtrlIsb', ...(to === 'W' ? ['Data'] : [])].map(
    (name) => `Dp${name}${place}${to}`,
  );
  const atomics =
    to === 'W' && place === 'd'
      ? ['Amo.Swp', 'Amo.LdAdd', 'Amo.Cas', 'LxSx'].map((atomic) => `${atomic} PodWW`)
      : to === 'R' && place === 'd'
        ? ['Amo.Swp', 'Amo.Cas', 'LxSx'].map((atomic) => `${atomic} PodWR`)
        : [];
  return [...plain, ...annotated, ...dependencies, ...atomics];
}

/** The n-th of the cycles that a seed stands for is the same however many are drawn. */
export function randomCycles(count: number, seed: number): string[] {
  const random = randomNumbers(seed);
  return Array.from({ length: count }, () => {
    const family = familyNames[random(familyNames.length)]!;
    const edges = readCycle(cycleOfFamily(family)!).map((edge) => {
      if (edge.isExternal) return edge.text;
      const choices = innerEdges(edge.from, edge.to, edge.isSameLocation ? 's' : 'd');
      return choices[random(choices.length)]!;
    });
    return edges.join(' ');
  });
}
