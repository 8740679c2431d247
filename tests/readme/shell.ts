// Commands of documents as they are run here: what npm would start. `npx` and `npm` themselves are tested where the package is packed;
// here they would build the program again, under the other tests.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const checkout = resolve(import.meta.dirname, '../..');

/** A machine that is shared with other tests needs its time. */
export const timeoutMs = 120_000;

export const packageJson = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8')) as {
  scripts: Readonly<Record<string, string>>;
};

const started = (command: string): string =>
  command
    .replaceAll(/\bnpm start\b/g, packageJson.scripts.start ?? '')
    .replaceAll(/\bnpx heddle\b/g, 'node dist/src/cli/main.js');

/** Standard output of a command that ends with 0. */
export const shell = (command: string): string =>
  execFileSync('bash', ['-euo', 'pipefail', '-c', started(command)], {
    cwd: checkout,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: timeoutMs,
  });
