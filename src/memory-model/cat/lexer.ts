// Words of the cat language (herd7's documentation, "Writing simple models" and "Language constructs"): names may hold dots and
// hyphens, comments nest, and `//` or `#` comment the rest of a line.

import { refuse, type Source, type Span } from './source.ts';

export interface Token extends Span {
  readonly kind: 'name' | 'keyword' | 'tag' | 'string' | 'symbol' | 'end';
  readonly text: string;
}

const keywords: ReadonlySet<string> = new Set(
  (
    'let rec and when acyclic irreflexive empty show unshow as fun in assert undefined_unless flag include begin end procedure call ' +
    'enum debug match with forall from do try if then else subset instructions default'
  ).split(' '),
);

const name = /_?[A-Za-z][A-Za-z0-9_.-]*'?/y;
const blank = /[ \t\r\n\f\u00a0]+|(?:\/\/|#)[^\n]*/y;
const symbol = /\|\||&&|\+\+|->|-1|[()[\]{}_0|&*~+^\\?=;,]/y;
const string = /"([^"\n]*)"/y;
const tag = /'(_?[A-Za-z][A-Za-z0-9_.-]*)/y;

/** Where the comment that opens at `start` ends. */
function endOfComment(source: Source, start: number): number {
  const delimiter = /\(\*|\*\)/g;
  delimiter.lastIndex = start;
  let depth = 0;
  for (let found = delimiter.exec(source.text); found; found = delimiter.exec(source.text)) {
    depth += found[0] === '(*' ? 1 : -1;
    if (depth === 0) return delimiter.lastIndex;
  }
  return refuse('this comment is not closed', { source, start, end: start + 2 });
}

export function tokens(source: Source): readonly Token[] {
  const { text } = source;
  const result: Token[] = [];
  let at = 0;
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    return pattern.exec(text);
  };
  const push = (kind: Token['kind'], length: number, word: string): void => {
    result.push({ kind, text: word, source, start: at, end: at + length });
    at += length;
  };
  while (at < text.length) {
    const space = match(blank);
    if (space) {
      at += space[0].length;
    } else if (text.startsWith('(*', at)) {
      at = endOfComment(source, at);
    } else {
      const word = match(name);
      const quoted = match(string);
      const tagged = match(tag);
      const sign = match(symbol);
      if (word) push(keywords.has(word[0]) ? 'keyword' : 'name', word[0].length, word[0]);
      else if (quoted) push('string', quoted[0].length, quoted[1]!);
      else if (tagged) push('tag', tagged[0].length, tagged[1]!);
      else if (sign) push('symbol', sign[0].length, sign[0]);
      else {
        const span = { source, start: at, end: at + 1 };
        if (text[at] === '"') refuse('this string is not closed on its line', span);
        refuse(`cat has no sign ${JSON.stringify(String.fromCodePoint(text.codePointAt(at)!))}`, span);
      }
    }
  }
  push('end', 0, 'the end of the file');
  return result;
}
