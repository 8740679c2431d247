// README.md and docs/: what they tell to type works, what they show is what comes out, and their tables are those of the code.
//
// A difference in a generated region is a diff to review; `npx vitest run tests/readme -u` writes it.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { describe, expect, test } from 'vitest';
import { instructionSet } from '../../src/isa/instruction-set.ts';
import { heddle } from '../cli/command.ts';
import { armName, ENCODINGS } from '../vectors/encodings.ts';
import { encodingNames, featureTable, listedRows, rowTable } from './instruction-rows.ts';
import {
  genOptionTable,
  litmusOptionTable,
  memoryMapTable,
  privateInterruptTable,
  runOptionTable,
} from './machine-tables.ts';
import { codeSpans, fences, links, regenerate } from './markdown.ts';
import { protocolFiles, protocolTables } from './protocols.ts';
import { systemCallTable } from './system-calls.ts';
import { checkout, packageJson, shell, timeoutMs } from './shell.ts';

const documents = [
  'README.md',
  ...readdirSync(join(checkout, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
];
const read = (path: string): string => readFileSync(join(checkout, path), 'utf8');

const setUp = ['npm ci && npm start', 'npm ci && npm test'];

/** Lines that begin with `$` are commands, what follows them is replaced by what they print, without the host's own time. */
function session(before: string): string {
  const commands = before.split('\n').filter((line) => line.startsWith('$ '));
  const parts = commands.map((line) => `${line}\n${shell(line.slice(2)).replace(/^host time .*\n/m, '')}`);
  return `\`\`\`text\n${parts.join('')}\`\`\``;
}

const generators: Readonly<Record<string, (before: string) => string>> = {
  session,
  'memory map': memoryMapTable,
  'private interrupts': privateInterruptTable,
  'options of run': runOptionTable,
  'options of litmus': litmusOptionTable,
  'options of litmus gen': genOptionTable,
  protocols: protocolTables,
  rows: rowTable,
  features: featureTable,
  'system calls': systemCallTable,
};

function generate(name: string, before: string): string {
  const generator = generators[name];
  expect(generator, `a generator of "${name}"`).toBeDefined();
  return generator?.(before) ?? '';
}

describe.each(documents)('%s', (path) => {
  test('shows what the code and its commands give', { timeout: timeoutMs }, async () => {
    const file = join(checkout, path);
    const text = regenerate(read(path), generate);
    const style = await resolveConfig(file);
    await expect(await format(text, { ...style, parser: 'markdown' })).toMatchFileSnapshot(file);
  });

  const commands = fences(read(path))
    .filter(({ language }) => language === 'sh')
    .flatMap(({ text }) => text.trim().split('\n'))
    .filter((command) => !setUp.includes(command));
  test.runIf(commands.length > 0).each(commands)('%s', { timeout: timeoutMs }, (command) => {
    expect(() => shell(command)).not.toThrow();
  });

  test('names files that are there', () => {
    const folder = dirname(join(checkout, path));
    const linked = links(read(path)).map((target) => relative(checkout, resolve(folder, target)));
    const paths = codeSpans(read(path)).filter((text) =>
      /^(src|actors|workers|bench|tests|docs)(\/[\w.-]+)*\/?$/.test(text),
    );
    expect([...linked, ...paths].filter((name) => !existsSync(join(checkout, name)))).toEqual([]);
  });
});

describe('README.md', () => {
  const readme = read('README.md');
  const section = (title: string): string => readme.split(/^## /m).find((part) => part.startsWith(`${title}\n`)) ?? '';

  test('sets up and runs with one command, sets up and tests with another', () => {
    const typed = fences(section('Two commands'));
    expect(typed.filter(({ language }) => language === 'sh').map(({ text }) => text.trim())).toEqual(setUp);
    expect(packageJson.scripts).toMatchObject({
      start: expect.any(String) as string,
      test: expect.any(String) as string,
    });
  });

  test('lists the commands that there are, and no others', async () => {
    const listed = [...section('Commands').matchAll(/^\| `heddle (\w+)/gm)].map(([, name]) => name);
    const { stderr } = await heddle([]);
    expect(stderr).toBe(`heddle: which command? ${listed.filter((name) => name !== 'help').join(', ')}\n`);
  });

  test.each(['hunt', 'replay', 'scale', 'pipeline'])('says that "heddle %s" is not there yet', async (name) => {
    const { stderr } = await heddle([name]);
    expect(stderr).toBe(`heddle: this version does not have "heddle ${name}" yet\n`);
    expect(section('Not there yet')).toMatch(new RegExp(`\`(heddle )?${name}\``));
  });
});

describe('The tables of instructions', () => {
  test('hold every row', () => {
    expect(new Set(listedRows)).toEqual(new Set(instructionSet));
    expect(listedRows.length).toBe(instructionSet.length);
  });

  test('count every encoding that has vectors', () => {
    expect([...new Set(ENCODINGS.map(armName))].filter((name) => !encodingNames.has(name))).toEqual([]);
  });
});

test('The tables of messages hold every protocol of actors/', () => {
  const defining = readdirSync(join(checkout, 'actors'), { recursive: true, encoding: 'utf8' })
    .filter(
      (name) =>
        name.endsWith('.ts') && read(join('actors', name)).includes('satisfies Readonly<Record<string, MessageRow>>'),
    )
    .map((name) => `actors/${name}`);
  expect(defining.sort()).toEqual([...protocolFiles].sort());
});
