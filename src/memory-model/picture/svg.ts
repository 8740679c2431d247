// A picture as SVG: one file without scripts, fonts or links, so that any browser and any repository's pages show it.

import { layOut, sizes, textWidth, type Arrow, type Box } from './layout.ts';
import type { EdgeKind, Picture } from './picture.ts';

/** Dark enough for thin lines on white, and apart for the colour-blind (after Okabe and Ito). */
const colours: Record<EdgeKind, string> = {
  po: '#555555',
  rf: '#b3261e',
  co: '#0a5ea8',
  fr: '#b45f06',
  dependency: '#6a3d9a',
  atomic: '#555555',
  order: '#1b7a43',
};

const escape = (text: string): string =>
  text.replace(/[&<>"]/g, (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[sign]!);

const number = (value: number): string => String(Math.round(value * 10) / 10);

const mono = 'font-family="DejaVu Sans Mono, Menlo, Consolas, monospace"';
const sans = 'font-family="DejaVu Sans, Helvetica, Arial, sans-serif"';

function box({ x, y, width, height, text, kind }: Box): string {
  const style =
    kind === 'fence'
      ? 'fill="#e8f3ec" stroke="#1b7a43" stroke-width="0.8"'
      : kind === 'initial'
        ? 'fill="#f4f4f4" stroke="#bbbbbb" stroke-width="0.8"'
        : 'fill="#ffffff" stroke="#333333" stroke-width="1.1"';
  const size = kind === 'access' ? sizes.fontSize : sizes.labelSize;
  const ink = kind === 'fence' ? '#145c33' : kind === 'initial' ? '#666666' : '#111111';
  return (
    `<rect x="${number(x - width / 2)}" y="${number(y - height / 2)}" width="${number(width)}" height="${number(height)}" rx="5" ${style}/>` +
    `<text x="${number(x)}" y="${number(y + size * 0.35)}" ${mono} font-size="${size}" fill="${ink}" text-anchor="middle">${escape(text)}</text>`
  );
}

const curve = ({ start, bend, end }: Arrow): string =>
  `M${number(start.x)},${number(start.y)} Q${number(bend.x)},${number(bend.y)} ${number(end.x)},${number(end.y)}`;

/** The glow under the arrows of the cycle, which shows through whatever crosses them. */
const glow = (arrow: Arrow): string =>
  arrow.isInCycle
    ? `<path d="${curve(arrow)}" fill="none" stroke="#ffd54a" stroke-opacity="0.65" stroke-width="10" stroke-linecap="round"/>`
    : '';

function line(arrow: Arrow): string {
  const { kind, isInCycle } = arrow;
  const dashes = kind === 'dependency' ? ' stroke-dasharray="6 3"' : kind === 'atomic' ? ' stroke-dasharray="2 3"' : '';
  return `<path d="${curve(arrow)}" fill="none" stroke="${colours[kind]}" stroke-width="${isInCycle ? 2.4 : 1.2}"${dashes} marker-end="url(#${kind})"/>`;
}

function label({ label: text, labelAt: { x, y }, kind, isInCycle }: Arrow): string {
  if (text === '') return '';
  const width = textWidth(text, sizes.labelSize) + 6;
  return (
    `<rect x="${number(x - width / 2)}" y="${number(y - 8)}" width="${number(width)}" height="16" rx="3" fill="#ffffff" fill-opacity="0.9"/>` +
    `<text x="${number(x)}" y="${number(y + 4)}" ${mono} font-size="${sizes.labelSize}" fill="${colours[kind]}"${isInCycle ? ' font-weight="bold"' : ''} text-anchor="middle">${escape(text)}</text>`
  );
}

const marker = (kind: EdgeKind): string =>
  `<marker id="${kind}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="9" markerHeight="9" markerUnits="userSpaceOnUse" orient="auto">` +
  `<path d="M0,1 L10,5 L0,9 z" fill="${colours[kind]}"/></marker>`;

export function svgOf(picture: Picture): string {
  const { width, height, boxes, heads, arrows, caption, captionTop } = layOut(picture);
  const kinds = [...new Set(arrows.map(({ kind }) => kind))];
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${number(width)}" height="${number(height)}" viewBox="0 0 ${number(width)} ${number(height)}">`,
    `<title>${escape(picture.title)}</title>`,
    `<defs>${kinds.map(marker).join('')}</defs>`,
    `<rect width="100%" height="100%" fill="#ffffff"/>`,
    `<text x="${sizes.margin}" y="${sizes.margin + 8}" ${sans} font-size="16" font-weight="bold" fill="#111111">${escape(picture.title)}</text>`,
    ...heads.map(
      ({ x, y, text }) =>
        `<text x="${number(x)}" y="${number(y)}" ${sans} font-size="13" fill="#666666" text-anchor="middle">${escape(text)}</text>`,
    ),
    ...arrows.map(glow),
    ...arrows.map(line),
    ...boxes.map(box),
    ...arrows.map(label),
    ...caption.map(
      (text, n) =>
        `<text x="${sizes.margin}" y="${number(captionTop + n * sizes.captionLine)}" ${sans} font-size="13" fill="#222222" xml:space="preserve">${escape(text)}</text>`,
    ),
    '</svg>',
  ];
  return `${parts.filter((part) => part !== '').join('\n')}\n`;
}
