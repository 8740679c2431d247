// The parts of a Markdown document that the tests care about: fenced blocks, and the regions that are generated.

export interface Fence {
  readonly language: string;
  readonly text: string;
}

export const fences = (document: string): Fence[] =>
  [...document.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(([, language = '', text = '']) => ({ language, text }));

/** Replaces what stands between `<!-- generated: NAME -->` and `<!-- end -->`; the generator sees what was there. */
export const regenerate = (document: string, generator: (name: string, before: string) => string): string =>
  document.replaceAll(
    /^<!-- generated: (.*?) -->$(.*?)^<!-- end -->$/gms,
    (_, name: string, before: string) =>
      `<!-- generated: ${name} -->\n\n${generator(name, before).trim()}\n\n<!-- end -->`,
  );

/** What in a document stands in backticks, outside of fences. */
export const codeSpans = (document: string): string[] =>
  [...document.replaceAll(/^```.*?^```$/gms, '').matchAll(/`([^`\n]+)`/g)].map(([, text = '']) => text);

/** Targets of links, without those to other sites. */
export const links = (document: string): string[] =>
  [...document.matchAll(/\]\(([^)#]+)\)/g)].map(([, target = '']) => target).filter((target) => !/^\w+:/.test(target));

const cell = (text: string): string => text.replaceAll('|', '\\|');

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
