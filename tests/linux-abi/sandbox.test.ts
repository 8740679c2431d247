// What a program can reach of the host: the directories that it was given, and nothing by any name, link or race.

import {
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  readdirSync,
} from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { applyChanges } from '../../workers/apply-changes.ts';
import { hostTree } from '../../workers/host-tree.ts';
import { heddleRun, inFolder, suite } from './suite.ts';

const secret = 'not for programs';

/** A directory with a secret beside the one that is given away, and ways from the one to the other. */
function besideSecret<Result>(act: (given: string, secretPath: string) => Result): Result {
  return inFolder((folder) => {
    const given = resolve(folder, 'given');
    const secretPath = resolve(folder, 'secret');
    mkdirSync(resolve(given, 'inside'), { recursive: true });
    writeFileSync(secretPath, secret);
    writeFileSync(resolve(given, 'plain'), 'for programs');
    symlinkSync(secretPath, resolve(given, 'absolute'));
    symlinkSync('../secret', resolve(given, 'relative'));
    symlinkSync('../..', resolve(given, 'inside/up'));
    symlinkSync('/proc/self/root', resolve(given, 'root'));
    symlinkSync('plain', resolve(given, 'good'));
    return act(given, secretPath);
  });
}

const paths = (secretPath: string): string[] => [
  'absolute',
  'relative',
  'inside/up/secret',
  'inside/up/../secret',
  '../secret',
  '../../../../../../../../../../../../secret',
  `root${secretPath}`,
  `/proc/self/root${secretPath}`,
  `/proc/self/cwd/../secret`,
  `/proc/1/root/..${secretPath}`,
  secretPath,
  `//..//..${secretPath}`,
  '/etc/hostname',
  '/proc/self/fd/../../../../etc/hostname',
  '/proc/self/fd/0/../../../../etc/hostname',
  `/proc/self/task/1/../../root/..${secretPath}`,
  `/proc/thread-self/../../cwd/../secret`,
  `/dev/fd/../../../..${secretPath}`,
  `/dev/stdin/..${secretPath}`,
  'inside/up/../../secret',
  'absolute/../secret',
  'root/proc/self/root/work/../secret',
  `/proc/self/exe/..${secretPath}`,
  `${'inside/../'.repeat(300)}../secret`,
];

/** What the suite says of each path. */
const tries = (options: readonly string[], tried: readonly string[]): string[] =>
  heddleRun([...options, suite, '--', 'open', ...tried])
    .stdout.trimEnd()
    .split('\n');

describe('a program', () => {
  it('opens what it was given, and a link within it', { timeout: 60_000 }, () => {
    besideSecret((given) => {
      expect(tries(['--workdir', given], ['plain', 'good', '/work/inside/../good'])).toEqual(
        Array.from({ length: 3 }, () => 'for programs'),
      );
      expect(tries(['--sysroot', given], ['/plain', 'good'])).toEqual(['for programs', 'for programs']);
    });
  });

  for (const option of ['--workdir', '--sysroot'])
    it(`reaches nothing beside ${option} by any path`, { timeout: 60_000 }, () => {
      besideSecret((given, secretPath) => {
        const tried = paths(secretPath);
        const said = tries([option, given], tried);
        expect(said).toHaveLength(tried.length);
        for (const [n, answer] of said.entries()) expect(answer, tried[n]).toMatch(/^errno (2|20|40)$/);
      });
    });

  it('changes nothing in --sysroot', { timeout: 60_000 }, () => {
    besideSecret((given) => {
      const { stdout } = heddleRun(['--sysroot', given, suite, '--', 'spoil', '/plain', '/good', '/new', '/inside']);
      expect(new Set(stdout.trimEnd().split('\n'))).toEqual(new Set(['errno 30']));
      expect(readdirSync(given).sort()).toEqual(['absolute', 'good', 'inside', 'plain', 'relative', 'root']);
      expect(readFileSync(resolve(given, 'plain'), 'utf8')).toBe('for programs');
    });
  });

  it('replaces a link that leads out, and does not write through it', { timeout: 60_000 }, () => {
    besideSecret((given, secretPath) => {
      heddleRun(['--workdir', given, suite, '--', 'spoil', 'relative', 'absolute', 'inside/up/secret']);
      expect(readFileSync(secretPath, 'utf8')).toBe(secret);
    });
  });
});

describe('the way to a directory of the host', () => {
  it('follows no link that has come in the place of a directory', () => {
    besideSecret((given, secretPath) => {
      const tree = hostTree(given);
      writeFileSync(resolve(given, 'inside/secret'), 'inner');
      expect(tree.list(['inside']).map(({ name }) => name)).toEqual(['secret', 'up']);
      renameSync(resolve(given, 'inside'), resolve(given, 'away'));
      symlinkSync(resolve(secretPath, '..'), resolve(given, 'inside'));
      expect(tree.list(['inside'])).toEqual([]);
      expect(tree.read(['inside', 'secret'])).toBeUndefined();
      expect(tree.read(['away', 'secret'])).toEqual(new TextEncoder().encode('inner'));
    });
  });

  it('reads no link, no directory, and nothing that is not a file', () => {
    besideSecret((given) => {
      const tree = hostTree(given);
      for (const name of ['absolute', 'relative', 'inside', 'root', 'nothing'])
        expect(tree.read([name])).toBeUndefined();
    });
  });

  it('writes back through no link that has come meanwhile', () => {
    besideSecret((given, secretPath) => {
      const bytes = new TextEncoder().encode('spoilt');
      rmSync(resolve(given, 'inside'), { recursive: true });
      symlinkSync(resolve(secretPath, '..'), resolve(given, 'inside'));
      const refused = applyChanges(given, [
        { kind: 'file', path: ['inside', 'secret'], mode: 0o644, bytes },
        { kind: 'file', path: ['relative'], mode: 0o644, bytes },
        { kind: 'remove', path: ['inside', 'secret'] },
        { kind: 'file', path: ['fresh'], mode: 0o600, bytes },
      ]);
      expect(refused).toEqual(['inside/secret', 'relative', 'inside/secret']);
      expect(readFileSync(secretPath, 'utf8')).toBe(secret);
      expect(statSync(resolve(given, 'fresh')).mode & 0o777).toBe(0o600);
    });
  });
});
