import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const checkout = resolve(import.meta.dirname, '../..');
const built = join(checkout, 'dist/src/cli/main.js');
const { version } = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8')) as { version: string };

/** Installing takes seconds from a cache, and as long as the registry takes without one. */
const timeoutMs = 240_000;

let folder: string;
beforeAll(() => {
  expect(existsSync(built), 'npm run build comes first').toBe(true);
  folder = mkdtempSync(join(tmpdir(), 'heddle-pack-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const start = (cwd: string, command: string, ...args: string[]): string =>
  execFileSync(command, args, { cwd, encoding: 'utf8', timeout: timeoutMs, stdio: ['ignore', 'pipe', 'pipe'] });

describe('npx heddle', () => {
  it(
    'works from a packed tarball that is installed elsewhere',
    () => {
      // The build is there already; a second one would pull it away from under other tests.
      start(checkout, 'npm', 'pack', '--ignore-scripts', '--pack-destination', folder);
      const elsewhere = join(folder, 'elsewhere');
      mkdirSync(elsewhere);
      writeFileSync(join(elsewhere, 'package.json'), '{ "private": true }');
      const tarball = join(folder, `heddle-${version}.tgz`);
      start(elsewhere, 'npm', 'install', '--prefer-offline', '--no-audit', '--no-fund', tarball);
      expect(start(elsewhere, 'npx', 'heddle', '--version')).toBe(`${version}\n`);
      const sources = start(elsewhere, 'find', 'node_modules/heddle', '-name', '*.test.*', '-o', '-name', 'tsconfig*');
      expect(sources).toBe('');
    },
    timeoutMs,
  );

  it(
    'works from the checkout',
    () => {
      // npx links the checkout into a place of its own and would build it again.
      expect(start(checkout, 'npx', '--prefer-offline', '--ignore-scripts', 'heddle', '--version')).toBe(
        `${version}\n`,
      );
    },
    timeoutMs,
  );

  it('refuses in one line, as the command that users start', () => {
    expect(() => start(checkout, process.execPath, built, 'run', 'no-such-file')).toThrow(
      expect.objectContaining({ status: 2, stdout: '', stderr: 'heddle: no-such-file: no such file\n' }) as Error,
    );
  });
});
