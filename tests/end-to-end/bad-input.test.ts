// Bad input ends in one clear sentence, the documented exit code and nothing else; a run that does not end can be ended.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { elfOf, type Ended, heddle } from './built.ts';
import { badImages, endless, writeImage } from './images.ts';

const timeout = 60_000;
/** Nothing here does any work; what takes longer hangs. */
const soonMs = 30_000;

let folder: string;
let loop: string;
let sleep: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'heddle-bad-input-'));
  loop = writeImage(folder, 'loop', endless.loop);
  sleep = writeImage(folder, 'sleep', endless.sleep);
});
afterAll(() => rmSync(folder, { recursive: true }));

const stackTrace = /\n\s+at |node:internal|file:\/\//;
const headline = /^heddle \d+\.\d+\.\d+, .*\n/;

/** What standard error says after the headline, which a run that begins has. */
function complaint({ stderr }: Ended): string {
  expect(stderr).not.toMatch(stackTrace);
  return stderr.replace(headline, '');
}

/** A refusal: exit code 2, one line, nothing on standard output. */
async function refused(...args: readonly string[]): Promise<string> {
  const ended = await heddle(args, { timeoutMs: soonMs });
  const said = complaint(ended);
  expect({ code: ended.code, stdout: ended.stdout, said }).toMatchObject({ code: 2, stdout: '' });
  expect(said).toMatch(/^heddle: [^\n]+\n$/);
  return said;
}

describe('an image that cannot be run is refused in one sentence', () => {
  test.concurrent.each(badImages)('%s', { timeout }, async (what, bytes, says) => {
    const path = writeImage(folder, what.replaceAll(/\W+/g, '-'), bytes);
    const said = await refused('run', path);
    expect(said).toContain(`heddle: ${path}: `);
    expect(said).toContain(says);
  });

  test('a file that is not there, a directory, a device', { timeout }, async () => {
    expect(await refused('run', join(folder, 'none.elf'))).toContain('no such file');
    expect(await refused('run', folder)).toContain('a directory');
    expect(await refused('run', '/dev/zero')).toContain('not a regular file');
  });
});

describe('words of the command line that mean nothing are refused in one sentence', () => {
  test.concurrent.each([
    [['--cores', '0'], /--cores 0: it must be from 1 to 1024/],
    [['--cores', '1025'], /--cores 1025: it must be from 1 to 1024/],
    [['--cores', '-1'], /--cores -1: not a whole number/],
    [['--cores', '4.5'], /not a whole number/],
    [['--memory', '0M'], /1M to 3G/],
    [['--memory=-512M'], /write it like 512M/],
    [['--memory', '100G'], /1M to 3G/],
    [['--memory', '99999999999999999999G'], /too large/],
    [['--memory', '1.3M'], /whole number/],
    [['--seed', 'seven'], /--seed seven: not a whole number/],
    [['--seed', '99999999999999999999'], /--seed/],
    [['--host-threads', '0'], /--host-threads 0: it must be from 1 to 32/],
    [['--host-threads', '1000000'], /from 1 to 32/],
    [['--max-instructions', 'many'], /--max-instructions many: write it like/],
    [['--max-time', '-1s'], /--max-time -1s: write it like/],
    [['--max-time', '5'], /write it like 5s/],
    [['--conductor', 'explore'], /--conductor explore: not supported yet/],
    [['--conductor', 'chaos'], /no such conductor/],
    [['--gic', '2', '--cores', '9'], /GIC of version 2 serves at most 8 cores, not 9/],
    [['--gic', '5'], /--gic 5/],
    [['--cpu', 'pentium'], /pentium/],
    [['--virtualization', 'maybe'], /on or off/],
    [['--frobnicate'], /unknown option '--frobnicate'/],
    [['-M', 'raspi3b'], /raspi3b/],
    [['-smp', '2,sockets=2'], /-smp/],
    [['another.elf'], /too many arguments/],
    [['--dtb', '/nowhere/tree.dtb'], /no such file/],
    [['--initrd', '/nowhere/initrd'], /no such file/],
  ] as const)('run %s', { timeout }, async (args, says) => {
    expect(await refused('run', loop, ...args)).toMatch(says);
  });

  test.concurrent.each([
    [[], /which command\?/],
    [['fly'], /unknown command 'fly'/],
    [['run'], /missing required argument/],
    [['hunt', 'prog'], /does not have "heddle hunt" yet/],
    [['asm', '/nowhere/source.s'], /no such file/],
    [['disasm', '/nowhere/prog.elf'], /no such file/],
  ] as const)('heddle %s', { timeout }, async (args, says) => {
    expect(await refused(...args)).toMatch(says);
  });
});

describe('a guest that cannot go on ends the run with a sentence, the command that replays it, and exit code 1', () => {
  const replay = (image: string): RegExp => new RegExp(`^heddle: ([^\\n]+)\\nheddle run ${image} [^\\n]+\\n$`);

  test.concurrent.each(['no-vectors', 'no-vectors-mmu-off'])(
    '%s, which branches to nowhere',
    { timeout },
    async (name) => {
      for (const cores of ['1', '4']) {
        const ended = await heddle(['run', elfOf(name), '--cores', cores], { timeoutMs: soonMs });
        expect(ended.code).toBe(1);
        expect(ended.stdout).toMatch(new RegExp(`^${name}: on the way to 0x[0-9a-f]+\n$`));
        const said = complaint(ended);
        expect(said).toMatch(replay(elfOf(name)));
        expect(said).toMatch(/core 0 takes exceptions for ever: its EL1 vector at 0x[0-9a-f]+/);
      }
    },
  );

  test('a machine whose cores all sleep for ever', { timeout }, async () => {
    const ended = await heddle(['run', sleep, '--cores', '2'], { timeoutMs: soonMs });
    expect({ code: ended.code, stdout: ended.stdout }).toEqual({ code: 1, stdout: '' });
    expect(complaint(ended)).toMatch(replay(sleep));
    expect(complaint(ended)).toContain('sleep for ever');
  });
});

interface Report {
  readonly exitCode: number;
  readonly reason: string;
  readonly instructions: number;
  readonly simulatedTimeNs: number;
  readonly cores: readonly { readonly instructions: number; readonly timeNs: number }[];
}

describe('a run that never ends is ended', () => {
  test.concurrent.each(['1', '2'])(
    'by --max-instructions, to the instruction, on %s cores',
    { timeout },
    async (cores) => {
      for (const most of [1, 7, 1000, 123_457, 5_000_000]) {
        const args = ['run', loop, '--cores', cores, '--json', '--max-instructions', String(most)];
        const { code, stdout, stderr } = await heddle(args, { timeoutMs: soonMs });
        const report = JSON.parse(stdout) as Report;
        expect({ code, exitCode: report.exitCode, reason: report.reason }).toEqual({
          code: 3,
          exitCode: 3,
          reason: 'max-instructions',
        });
        expect(report.instructions).toBe(most);
        expect(stderr).toContain('heddle: stopped: --max-instructions is reached\nheddle run ');
      }
    },
  );

  test.concurrent('by --max-time, to the nanosecond', { timeout }, async () => {
    for (const [time, ns] of [
      ['1ns', 1],
      ['12345ns', 12_345],
      ['3ms', 3_000_000],
    ] as const) {
      const { code, stdout } = await heddle(['run', loop, '--json', '--max-time', time], { timeoutMs: soonMs });
      const report = JSON.parse(stdout) as Report;
      expect({ code, reason: report.reason }).toEqual({ code: 3, reason: 'max-time' });
      expect([report.simulatedTimeNs, report.cores[0]?.timeNs, report.instructions]).toEqual([ns, ns, ns]);
    }
  });

  test.concurrent.each([
    { how: 'the table with --stats', option: '--stats', says: /0 │ 0x80000000 │[^]*host time/ },
    { how: 'one JSON document with --json', option: '--json', says: /^\{[^]*"reason": "interrupted"[^]*\}\n$/ },
  ])('by Ctrl-C, with $how and exit code 3', { timeout }, async ({ option, says }) => {
    for (const cores of ['1', '4']) {
      let isSent = false;
      const { code, stdout, stderr } = await heddle(['run', loop, '--cores', cores, option], {
        timeoutMs: soonMs,
        onStderr: (text, kill) => {
          // The headline is there before the machine runs; a second later it does.
          if (isSent || !headline.test(text)) return;
          isSent = true;
          setTimeout(() => kill('SIGINT'), 1000);
        },
      });
      expect(stderr).not.toMatch(stackTrace);
      expect({ code, stderr }).toEqual({
        code: 3,
        stderr: expect.stringContaining('heddle: stopped: interrupted\n') as string,
      });
      expect(Buffer.from(stdout, 'latin1').toString()).toMatch(says);
    }
  });
});
