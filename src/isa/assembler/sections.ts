// Sections: the statements of each section, gathered.
//
// There is one flat image and no linker. `.text` comes first, then every other section in the order in which the source first
// names it, each at a multiple of 16 bytes; what a source says in several parts of a section is put together in order.

import { here } from './expressions.ts';
import { described, type Statement } from './lexer.ts';
import { refusal } from './source.ts';

export interface Section {
  readonly name: string;
  readonly isCode: boolean;
  readonly statements: readonly Statement[];
}

/** Alignment of a section's start: the largest access is 16 bytes. */
export const sectionAlignment = 16n;

/** The section that a directive changes to; undefined for any other statement. */
function sectionNamed(statement: Statement): string | undefined {
  const directive = statement.head.text.toLowerCase();
  if (directive === '.text' || directive === '.data' || directive === '.bss' || directive === '.rodata')
    return directive;
  if (directive !== '.section' && directive !== '.pushsection') return undefined;
  const name = here({ tokens: statement.operands, at: 0 });
  if (name.kind !== 'word' && name.kind !== 'string') {
    throw refusal(statement.place, name.column, `expected the name of a section, not ${described(name)}`);
  }
  return name.text;
}

export function gatherSections(all: readonly Statement[]): Section[] {
  const text: Statement[] = [];
  const sections = new Map<string, Statement[]>([['.text', text]]);
  let current = '.text';
  let previous = '.text';
  const stack: string[] = [];
  for (const statement of all) {
    const directive = statement.kind === 'operation' ? statement.head.text.toLowerCase() : '';
    if (directive === '.previous') {
      [current, previous] = [previous, current];
    } else if (directive === '.popsection') {
      const outer = stack.pop();
      if (outer === undefined)
        throw refusal(statement.place, statement.head.column, '.popsection without .pushsection');
      [current, previous] = [outer, current];
    } else {
      const name = directive === '' ? undefined : sectionNamed(statement);
      if (name === undefined) {
        sections.get(current)!.push(statement);
        continue;
      }
      if (directive === '.pushsection') stack.push(current);
      [current, previous] = [name, current];
    }
    if (!sections.has(current)) sections.set(current, []);
  }
  return [...sections].map(([name, statements]) => ({ name, isCode: name.startsWith('.text'), statements }));
}
