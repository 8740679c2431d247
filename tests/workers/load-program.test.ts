import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compiledFileOf, loadProgram, writeCompiledCode } from '../../workers/load-program.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'heddle-load-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const fileOf = (name: string): string => join(folder, `${name}.cjs`);
const write = (name: string, body: string): void => {
  writeFileSync(fileOf(name), `(function (exports, require, module, __filename) { ${body} })`);
};
const load = (name: string) => loadProgram(pathToFileURL(join(folder, `${name}.js`)).href);

describe('a program of the build', () => {
  it('is loaded once, with what it requires, and the build writes the code of both', () => {
    write('part', 'exports.parts = require("node:path").basename(__filename);');
    write('whole', 'exports.answer = () => require("./part.cjs").parts;');
    const { answer } = load('whole') as { answer: () => string };
    expect(answer()).toBe('part.cjs');
    expect(load('whole').answer).toBe(answer);
    writeCompiledCode();
    expect(readdirSync(folder)).toContain(`whole.cjs.${process.platform}-${process.arch}-${process.version}`);
    expect(readdirSync(folder)).toContain(`part.cjs.${process.platform}-${process.arch}-${process.version}`);
  });

  it('is what its source says where the compiled code is older, or is none', () => {
    write('first', 'exports.value = 1;');
    write('same', 'exports.value = 1;');
    load('first');
    writeCompiledCode();
    const compiled = readFileSync(compiledFileOf(fileOf('first')));
    // Of the same length, which is all that V8 would see.
    write('changed', 'exports.value = 2;');
    writeFileSync(compiledFileOf(fileOf('changed')), compiled);
    utimesSync(compiledFileOf(fileOf('changed')), 1, 1);
    writeFileSync(compiledFileOf(fileOf('same')), compiled.subarray(0, compiled.length >> 1));
    write('other', 'exports.value = 3;');
    writeFileSync(compiledFileOf(fileOf('other')), 'no code at all');
    expect(['changed', 'same', 'other'].map((name) => load(name).value)).toEqual([2, 1, 3]);
  });
});
