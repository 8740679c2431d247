// What it takes to start: a run of the smallest guest is hardly anything else.

import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { elfOf } from './built.ts';

const built = resolve(import.meta.dirname, '../../dist');
const main = resolve(built, 'src/cli/main.js');

it('A run of the smallest guest needs less than 200 MiB of the memory of the host', { timeout: 60_000 }, () => {
  const script = `
    process.argv = [process.argv[0], ${JSON.stringify(main)}, 'run', ${JSON.stringify(elfOf('wfe-mutex'))}];
    process.on('exit', () => console.error('maxRSS', process.resourceUsage().maxRSS));
    await import(${JSON.stringify(pathToFileURL(main).href)});`;
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  expect(status).toBe(0);
  const [, kibibytes] = /maxRSS (\d+)/.exec(stderr) ?? [];
  expect(Number(kibibytes)).toBeGreaterThan(0);
  expect(Number(kibibytes) / 1024).toBeLessThan(200);
});

it('Each thread of a run is one file with what it needs, so that few files are loaded', () => {
  const importsOf = (path: string): number =>
    readFileSync(path, 'utf8').match(/^import .* from "\.\.?\//gm)?.length ?? 0;
  for (const thread of readdirSync(resolve(built, 'workers')).filter((name) => name.endsWith('-thread.js')))
    expect(importsOf(resolve(built, 'workers', thread)), thread).toBeLessThan(40);
  expect(importsOf(main)).toBeLessThan(10);
});
