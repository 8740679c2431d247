// A picture as a graph for Graphviz's dot, with the threads as clusters.

import type { EdgeKind, Picture } from './picture.ts';

const colours: Record<EdgeKind, string> = {
  po: 'gray30',
  rf: 'firebrick',
  co: 'dodgerblue4',
  fr: 'darkorange3',
  dependency: 'purple4',
  atomic: 'gray30',
  order: 'darkgreen',
};

const quoted = (text: string): string => `"${text.replace(/["\\]/g, (sign) => `\\${sign}`)}"`;

/** Lines of a label; each ends with the sign that sets it to the left. */
const leftAligned = (lines: readonly string[]): string =>
  `"${lines.map((line) => `${quoted(line).slice(1, -1)}\\l`).join('')}"`;

export function dotOf(picture: Picture): string {
  const node = ({ id, text, kind }: Picture['initial'][number]): string =>
    `e${id} [label=${quoted(text)}${kind === 'access' ? '' : ', color=gray50, fontcolor=gray30'}];`;
  const lines = [
    `digraph ${quoted(picture.title)} {`,
    `  label=${leftAligned([picture.title, ...picture.caption])};`,
    '  labeljust=l; node [shape=box, style=rounded, fontname="monospace"]; edge [fontname="monospace", fontsize=11];',
    ...picture.initial.map((event) => `  ${node(event)}`),
    ...picture.columns.flatMap(({ name, events }, n) => [
      `  subgraph cluster_${n} { label=${quoted(name)}; color=gray80;`,
      ...events.map((event) => `    ${node(event)}`),
      '  }',
    ]),
    ...picture.edges.map(({ from, to, kind, label, isInCycle }) => {
      const weight = kind === 'po' ? ', weight=10' : ', constraint=false';
      const width = isInCycle ? ', penwidth=2.5' : '';
      return `  e${from} -> e${to} [label=${quoted(label)}, color=${colours[kind]}, fontcolor=${colours[kind]}${weight}${width}];`;
    }),
    '}',
  ];
  return `${lines.join('\n')}\n`;
}
