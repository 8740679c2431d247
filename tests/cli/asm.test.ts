import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { elfFile, goodElf } from '../board/elf-file.ts';
import { heddle } from './command.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'heddle-asm-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function put(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}
const source = '_start: mrs x0, mpidr_el1\n  cbz x0, _start\n';

describe('heddle asm', () => {
  it('lists the words of a source', async () => {
    expect(await heddle(['asm', put('a.s', source)])).toMatchObject({
      code: 0,
      stdout: '40200000: d53800a0\n40200004: b4ffffe0\n',
      stderr: '',
    });
  });

  it('writes a flat binary, and a document', async () => {
    const binary = join(folder, 'a.bin');
    const { stdout } = await heddle(['asm', put('a.s', source), '-o', binary, '--base', '0x1000', '--json']);
    expect(readFileSync(binary).toString('hex')).toBe('a00038d5e0ffffb4');
    expect(JSON.parse(stdout)).toEqual({
      format: 'heddle-asm',
      version: 1,
      base: '0x1000',
      bytes: 'a00038d5e0ffffb4',
      symbols: { _start: '0x1000' },
    });
  });

  it('refuses a typo with its place', async () => {
    const path = put('typo.s', 'nop\n  ad x0, x0, x0\n');
    const { code, stderr } = await heddle(['asm', path]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^heddle: .*typo\.s:2:3: [^\n]+\n$/);
    expect((await heddle(['asm', path, '--base', 'top'])).stderr).toBe(
      'heddle: --base top: write it like 0x40000000\n',
    );
    const nowhere = join(folder, 'none', 'a.bin');
    expect((await heddle(['asm', put('a.s', source), '-o', nowhere])).stderr).toBe(
      `heddle: ${nowhere}: its folder does not exist\n`,
    );
  });
});

describe('heddle disasm', () => {
  it('reads words, a flat binary and an executable', async () => {
    expect((await heddle(['disasm', '0xd503201f', '0x14000001'])).stdout).toBe(
      '00000000: d503201f  nop\n00000004: 14000001  b 0x8\n',
    );
    const binary = put('a.bin', Uint8Array.of(0xa0, 0x00, 0x38, 0xd5));
    expect((await heddle(['disasm', binary, '--base', '0x1000'])).stdout).toBe(
      '00001000: d53800a0  mrs x0, mpidr_el1\n',
    );
    const executable = put('a.elf', elfFile(goodElf));
    expect((await heddle(['disasm', executable])).stdout).toBe('_start:\n40200000: 14000000  b 0x40200000\n');
    expect(JSON.parse((await heddle(['disasm', '--json', '0xd503201f'])).stdout)).toEqual({
      format: 'heddle-disasm',
      version: 1,
      instructions: [{ address: '0x00000000', word: '0xd503201f', text: 'nop' }],
    });
  });

  it('refuses an executable for another machine', async () => {
    const { code, stderr } = await heddle(['disasm', put('x.elf', elfFile({ ...goodElf, machine: 62 }))]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^heddle: .*x\.elf: made for x86-64, not for AArch64\n$/);
  });
});
