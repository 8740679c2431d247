import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InternalError } from '../../src/report/assert.ts';
import { UserError } from '../../src/report/user-error.ts';
import { elfFile, goodElf } from '../board/elf-file.ts';
import { goodReport, heddle } from './command.ts';

let folder: string;
let image: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'heddle-cli-'));
  image = join(folder, 'prog.elf');
  writeFileSync(image, elfFile(goodElf));
});
afterAll(() => rmSync(folder, { recursive: true }));

const run = (...args: string[]) => heddle(['run', image, ...args]);
/** The one line with which the command line refuses. */
async function refused(...args: string[]): Promise<string> {
  const { code, stdout, stderr, options } = await heddle(args);
  expect({ code, stdout, options }).toEqual({ code: 2, stdout: '', options: undefined });
  expect(stderr).toMatch(/^heddle: [^\n]+\n$/);
  return stderr.slice('heddle: '.length, -1);
}

describe('heddle run', () => {
  it('has a default for everything but the image', async () => {
    const { options } = await run();
    expect(options).toMatchObject({
      cores: 1,
      memoryBytes: 0x2000_0000,
      gicVersion: 3,
      cpu: 'max',
      virtualization: true,
      secure: false,
      conductor: 'lockstep',
      hostThreads: 1,
      seed: 1,
      semihosting: true,
      stats: false,
      json: false,
    });
    expect(options?.image.bytes).toEqual(elfFile(goodElf));
    expect(options).not.toHaveProperty('maxInstructions');
  });

  it('passes on what was typed, in its own words or in those of QEMU', async () => {
    const own = await run(
      ...['--cores', '8', '--memory', '3G', '--seed', '7', '--host-threads', '2', '--kernel-args', '-x y'],
      ...[
        '--virtualization',
        'off',
        '--secure',
        'on',
        '--max-instructions',
        '5M',
        '--max-time',
        '1.5ms',
        '--no-semihosting',
      ],
    );
    expect(own.options).toMatchObject({
      cores: 8,
      memoryBytes: 0xc000_0000,
      seed: 7,
      hostThreads: 2,
      kernelArgs: '-x y',
      virtualization: false,
      secure: true,
      maxInstructions: 5_000_000,
      maxTimeNs: 1_500_000,
      semihosting: false,
    });
    const qemu = await heddle(
      `run -M virt,gic-version=3,secure=on -cpu max -smp 8 -m 3G -kernel ${image} -nographic -semihosting`.split(' '),
    );
    expect(qemu.options).toMatchObject({ cores: 8, memoryBytes: 0xc000_0000, secure: true, semihosting: true });
  });

  it('names version, memory model, machine, seed and conductor first', async () => {
    const { stderr, code } = await run('--cores', '4');
    expect(code).toBe(0);
    expect(stderr).toMatch(
      /^heddle \d+\.\d+\.\d+, model sc, virt,gic-version=3,virtualization=on,secure=off, 4 cores max, 512M, seed 1, conductor lockstep\n$/,
    );
  });

  it("passes the guest's console and exit code on", async () => {
    const { code, stdout } = await heddle(['run', image], (io) => {
      io.stdout(Uint8Array.of(0x68, 0x69, 0xff, 0x0a));
      return { ...goodReport, reason: 'exit', exitCode: 42 };
    });
    expect({ code, stdout }).toEqual({ code: 42, stdout: 'hi\xff\n' });
  });

  it('prints one JSON document and nothing else with --json', async () => {
    const { stdout, stderr } = await heddle(['run', image, '--json'], (io) => {
      io.stdout(Buffer.from('console\n'));
      return goodReport;
    });
    expect(JSON.parse(stdout)).toEqual(goodReport);
    expect(stderr).toContain('console\n');
    const withStats = JSON.parse((await run('--json', '--stats')).stdout) as Record<string, unknown>;
    expect(withStats).toEqual({ ...goodReport, hostTimeMs: expect.any(Number) as number });
  });

  it('prints a table per core with --stats', async () => {
    const { stdout } = await run('--stats');
    expect(stdout).toMatch(
      /core.*MPIDR.*instructions.*time.*asleep.*interrupts.*IPIs.*IPIs.*taken.*\n.*sent.*received.*to EL1.*to EL2.*to EL3/,
    );
    expect(stdout).toMatch(/1 │ 0x80000001 │ +1,500,000 │ 1\.500 ms │ +999 ns │ +12 │ +3 │ +4 │ +5 │ +6 │ +7 │/);
    expect(stdout).toMatch(/all │ +│ +3,000,000 │/);
    expect(stdout).toMatch(
      /simulated time 1\.500 ms, 3,000,000 instructions, trace 0123456789abcdef\nhost time .* million instructions a second\n$/,
    );
  });

  it('ends a run that did not end by itself with the command that does it again', async () => {
    const { stderr } = await heddle(
      ['run', image, '-smp', '2', '--seed', '9', '--max-time', '5ms', '--kernel-args', "it's"],
      () => ({ ...goodReport, reason: 'deadlock', exitCode: 1 }),
    );
    expect(stderr.split('\n').slice(1)).toEqual([
      'heddle: every core sleeps and no event is due: the machine would sleep for ever',
      `heddle run ${image} --cores 2 --memory 512M --seed 9 --kernel-args 'it'\\''s' --max-time 5000000ns`,
      '',
    ]);
  });

  it('refuses what it cannot run in one sentence, with exit code 2', async () => {
    expect(await refused()).toBe('which command? run, asm, disasm, litmus, vm, bench');
    expect(await refused('rnu')).toBe("unknown command 'rnu'; did you mean run?");
    expect(await refused('run')).toBe("missing required argument 'IMAGE'");
    expect(await refused('run', image, '--coress', '2')).toBe("unknown option '--coress'; did you mean --cores?");
    expect(await refused('run', image, '--cores')).toBe("option '--cores <N>' argument missing");
    expect(await refused('run', image, '--cores', '0')).toBe('--cores 0: it must be from 1 to 1024');
    expect(await refused('run', image, '--cores', '1e3')).toBe('--cores 1e3: not a whole number');
    expect(await refused('run', image, '--memory', '512')).toBe('--memory 512: write it like 512M or 3G');
    expect(await refused('run', image, '--memory', '4G')).toBe(
      'the board has from 1M to 3G of RAM, not 4294967296 bytes',
    );
    expect(await refused('run', image, '--gic', '2', '--cores', '9')).toBe(
      'a GIC of version 2 serves at most 8 cores, not 9; use GIC version 3 for more',
    );
    expect(await refused('run', image, '--conductor', 'explore')).toBe('--conductor explore: not supported yet');
    expect(await refused('run', image, '--secure', 'yes')).toBe('--secure yes: it must be on or off');
    expect(await refused('run', image, '--max-time', '5')).toBe('--max-time 5: write it like 5s, 200ms or 10us');
    expect(await refused('run', join(folder, 'none'))).toBe(`${join(folder, 'none')}: no such file`);
    expect(await refused('run', folder)).toBe(`${folder}: a directory, not a file`);
    expect(await refused('run', '/dev/zero')).toBe('/dev/zero: not a regular file');
    expect(await refused('hunt', 'x')).toBe('this version does not have "heddle hunt" yet');
    expect(await refused('run', image, '--gdb', '1234')).toBe('this version does not have "heddle run --gdb" yet');
  });

  it('tells a refusal of the machine from a fault of its own', async () => {
    const fails = (error: Error) =>
      heddle(['run', image], () => {
        throw error;
      });
    const refusal = await fails(new UserError('prog.elf: cut short', 'build it again'));
    expect([refusal.code, refusal.stderr.split('\n')[1]]).toEqual([2, 'heddle: prog.elf: cut short; build it again']);
    const fault = await fails(new InternalError('the queue is negative'));
    expect(fault.code).toBe(70);
    expect(fault.stderr).toMatch(
      /\nheddle \S+: this is a fault of Heddle itself: InternalError: the queue is negative\nheddle run .*\n$/,
    );
  });

  it('shows its options on request', async () => {
    const { code, stdout } = await heddle(['run', '--help']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/--cores <N>/);
  });
});
