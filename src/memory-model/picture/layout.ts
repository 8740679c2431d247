// Where a picture's boxes, arrows and labels are: threads side by side, program order downwards. What orders two events of one thread
// curves beside the column, so that arrows between threads have the middle for themselves.

import type { Picture, PictureEdge, PictureEvent } from './picture.ts';

/** Sizes in pixels, of a monospaced font in which a character is about 0.6 of its height wide. */
const fontSize = 14;
const labelSize = 12;
const characterWidth = 0.602;
const boxHeight = 30;
const rowHeight = 78;
const fenceRowHeight = 58;
const columnGap = 120;
const margin = 24;
/** Beside a column: from its boxes to the first curve, and from one curve to the next. */
const laneOffset = 34;
const laneStep = 26;

export interface Box extends PictureEvent {
  /** Of its middle. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Arrow extends PictureEdge {
  /** A quadratic curve: its ends and the point between that it bends towards. */
  readonly start: Point;
  readonly bend: Point;
  readonly end: Point;
  readonly labelAt: Point;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly boxes: readonly Box[];
  readonly heads: readonly (Point & { readonly text: string })[];
  readonly arrows: readonly Arrow[];
  readonly captionTop: number;
  readonly caption: readonly string[];
}

export const sizes = { fontSize, labelSize, captionLine: 20, margin } as const;

export const textWidth = (text: string, size: number): number => text.length * size * characterWidth;

const boxWidth = (text: string): number => textWidth(text, fontSize) + 18;

/** Points of the curve: 0 is its start, 1 its end. */
const pointOn = ({ start, bend, end }: Pick<Arrow, 'start' | 'bend' | 'end'>, t: number): Point => {
  const along = (a: number, b: number, c: number): number => (1 - t) ** 2 * a + 2 * t * (1 - t) * b + t ** 2 * c;
  return { x: along(start.x, bend.x, end.x), y: along(start.y, bend.y, end.y) };
};

/** Where the way from the middle of a box to a point leaves the box, with a little air. */
function border(box: Box, towards: Point): Point {
  const [dx, dy] = [towards.x - box.x, towards.y - box.y];
  const air = 3;
  const reach = Math.min(
    dx === 0 ? Infinity : (box.width / 2 + air) / Math.abs(dx),
    dy === 0 ? Infinity : (box.height / 2 + air) / Math.abs(dy),
  );
  return Number.isFinite(reach) ? { x: box.x + dx * reach, y: box.y + dy * reach } : box;
}

/** How far an arrow between threads may bend, in the order of preference. */
const bows = [0, 30, -30, 60, -60, 90, -90, 130, -130];

/** Spots along a curve, as wide as its arrow with some air. */
const samples = (curve: Pick<Arrow, 'start' | 'bend' | 'end'>): readonly Area[] =>
  Array.from({ length: 23 }, (_, n) => ({ ...pointOn(curve, (n + 1) / 24), width: 8, height: 8 }));

interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const overlap = (a: Area, b: Area): number => {
  const [w, h] = [
    Math.min(a.x + a.width / 2, b.x + b.width / 2) - Math.max(a.x - a.width / 2, b.x - b.width / 2),
    Math.min(a.y + a.height / 2, b.y + b.height / 2) - Math.max(a.y - a.height / 2, b.y - b.height / 2),
  ];
  return w > 0 && h > 0 ? w * h : 0;
};

/** Lines of at most so many characters, broken between words. */
function wrapped(text: string, characters: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > characters) {
      lines.push(line);
      line = '    ';
    }
    line += line === '' || line === '    ' ? word : ` ${word}`;
  }
  return [...lines, line];
}

/** Curves beside a column, those over fewer rows nearer to it. */
function lanes(edges: readonly PictureEdge[], boxes: ReadonlyMap<number, Box>): Map<PictureEdge, number> {
  const span = ({ from, to }: PictureEdge): readonly [number, number] => {
    const [a, b] = [boxes.get(from)!.y, boxes.get(to)!.y];
    return a < b ? [a, b] : [b, a];
  };
  const sorted = [...edges].sort((a, b) => span(a)[1] - span(a)[0] - (span(b)[1] - span(b)[0]));
  const lane = new Map<PictureEdge, number>();
  for (const edge of sorted) {
    const [top, bottom] = span(edge);
    const taken = [...lane].filter(([other]) => span(other)[0] < bottom && top < span(other)[1]).map(([, n]) => n);
    let free = 0;
    while (taken.includes(free)) free += 1;
    lane.set(edge, free);
  }
  return lane;
}

export function layOut(picture: Picture): Layout {
  const { columns, edges, initial } = picture;
  const columnOf = new Map(columns.flatMap(({ events }, n) => events.map(({ id }) => [id, n] as const)));
  const isBeside = (edge: PictureEdge): boolean =>
    edge.kind !== 'po' && columnOf.has(edge.from) && columnOf.get(edge.from) === columnOf.get(edge.to);
  const beside = edges.filter(isBeside);

  const heightOf = (events: readonly PictureEvent[]): number =>
    events.slice(0, -1).reduce((sum, { kind }, n) => sum + stepAfter(kind, events[n + 1]?.kind), 0);
  const stepAfter = (kind: PictureEvent['kind'], next: PictureEvent['kind'] | undefined): number =>
    kind === 'fence' || next === 'fence' ? fenceRowHeight : rowHeight;
  const tallest = Math.max(0, ...columns.map(({ events }) => heightOf(events)));

  // Widths: a column, and beside it the curves with their labels; on the left for the first column, on the right for the others.
  const sideOf = (column: number): -1 | 1 => (column === 0 && columns.length > 1 ? -1 : 1);
  const laneCount = (column: number): number => beside.filter(({ from }) => columnOf.get(from) === column).length;
  const laneRoom = (column: number): number => {
    const own = beside.filter(({ from }) => columnOf.get(from) === column);
    if (own.length === 0) return 0;
    const label = Math.max(...own.map((edge) => textWidth(edge.label, labelSize)));
    return laneOffset + Math.min(laneCount(column), 4) * laneStep + label;
  };
  const widths = columns.map(({ name, events }) =>
    Math.max(...[name, ...events.map(({ text }) => text)].map(boxWidth)),
  );
  const top = margin + 80 + (initial.length > 0 ? 56 : 0);
  const boxes = new Map<number, Box>();
  const heads: (Point & { text: string })[] = [];
  let left = margin + laneRoom(0) * (sideOf(0) === -1 ? 1 : 0);
  let right = left;
  columns.forEach(({ name, events }, column) => {
    const width = widths[column]!;
    const x = left + width / 2;
    heads.push({ x, y: top - 38, text: name });
    let y = top + (tallest - heightOf(events)) / 2;
    events.forEach((event, n) => {
      boxes.set(event.id, {
        ...event,
        x,
        y,
        width: boxWidth(event.text),
        height: event.kind === 'fence' ? 22 : boxHeight,
      });
      y += stepAfter(event.kind, events[n + 1]?.kind);
    });
    right = left + width + (sideOf(column) === 1 ? laneRoom(column) : 0);
    left = right + columnGap;
  });
  initial.forEach((event, n) => {
    const x = margin + ((right - margin) * (n + 1)) / (initial.length + 1);
    boxes.set(event.id, { ...event, x, y: margin + 52, width: boxWidth(event.text), height: 24 });
  });

  const lane = new Map<PictureEdge, number>();
  columns.forEach((_, column) => {
    const own = beside.filter(({ from }) => columnOf.get(from) === column);
    for (const [edge, n] of lanes(own, boxes)) lane.set(edge, n);
  });

  const shapes = edges.flatMap((edge): Omit<Arrow, 'labelAt'>[] => {
    const [from, to] = [boxes.get(edge.from), boxes.get(edge.to)];
    if (!from || !to) return [];
    const n = lane.get(edge);
    if (n !== undefined) {
      const side = sideOf(columnOf.get(edge.from)!);
      const reach = Math.max(from.width, to.width) / 2;
      const start = { x: from.x + side * (from.width / 2 + 3), y: from.y + 5 };
      const end = { x: to.x + side * (to.width / 2 + 3), y: to.y - 5 };
      // The curve comes half as far out as the point that it bends towards.
      const bend = { x: from.x + side * (reach + 2 * (laneOffset - 14 + n * laneStep)), y: (from.y + to.y) / 2 };
      return [{ ...edge, start, bend, end }];
    }
    if (edge.kind === 'po') {
      const start = { x: from.x, y: from.y + from.height / 2 + 2 };
      const end = { x: to.x, y: to.y - to.height / 2 - 2 };
      return [{ ...edge, start, end, bend: { x: (start.x + end.x) / 2, y: (start.y + end.y) / 2 } }];
    }
    // Between threads: straight, or with a bow where it would pass over a box or lie on another arrow.
    const isTwin = edges.some(
      (other) =>
        other !== edge && [other.from, other.to].includes(edge.from) && [other.from, other.to].includes(edge.to),
    );
    const [dx, dy] = [to.x - from.x, to.y - from.y];
    const length = Math.hypot(dx, dy) || 1;
    const ways = (isTwin ? bows.slice(1) : bows).map((bow) => {
      const bend = { x: (from.x + to.x) / 2 + (dy / length) * bow, y: (from.y + to.y) / 2 - (dx / length) * bow };
      return { ...edge, start: border(from, bend), bend, end: border(to, bend) };
    });
    const others = [...boxes.values()].filter((box) => box !== from && box !== to);
    const crossed = (way: (typeof ways)[number]): number =>
      samples(way).filter((point) => others.some((box) => overlap(box, point) > 0)).length;
    return [ways.reduce((best, way) => (crossed(way) < crossed(best) ? way : best))];
  });

  const placed: Area[] = [...boxes.values()];
  const curves = shapes.map(samples);
  const arrows = shapes.map((shape, index): Arrow => {
    const near = curves.flatMap((points, other) => (other === index ? [] : points));
    const width = textWidth(shape.label, labelSize) + 6;
    const n =
      lane.get(shape) ??
      lane.get(edges.find((edge) => edge.from === shape.from && edge.to === shape.to && edge.label === shape.label)!);
    const side = n === undefined ? 0 : sideOf(columnOf.get(shape.from)!);
    const candidates = [0.5, 0.4, 0.6, 0.32, 0.68, 0.25, 0.75, 0.18, 0.82].map((t): Area => {
      const { x, y } = pointOn(shape, t);
      return { x: x + side * (width / 2 + 2), y, width, height: labelSize + 4 };
    });
    const cost = (area: Area): number => [...placed, ...near].reduce((sum, other) => sum + overlap(area, other), 0);
    const best = shape.label === '' ? candidates[0]! : candidates.reduce((a, b) => (cost(b) < cost(a) ? b : a));
    if (shape.label !== '') placed.push(best);
    return { ...shape, labelAt: { x: best.x, y: best.y } };
  });

  const width = Math.max(right + margin, 460, textWidth(picture.title, 16) + 2 * margin);
  const characters = Math.floor((width - 2 * margin) / (13 * 0.56));
  const caption = picture.caption.flatMap((line) => wrapped(line, characters));
  const captionTop = top + tallest + boxHeight / 2 + 34;
  const height = captionTop + caption.length * sizes.captionLine + (caption.length > 0 ? margin - 8 : 0);
  return { width, height, boxes: [...boxes.values()], heads, arrows, captionTop, caption };
}
