import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { disassemble } from '../../src/isa/disassembler.ts';
import { instructionSet } from '../../src/isa/instruction-set.ts';
import { readObjdumpSample } from '../vectors/objdump-sample.ts';
import { names } from './register-names.ts';
import { randomWords } from './random-words.ts';

/** Text modulo white space. */
const plain = (text: string): string => text.trim().replace(/\s+/g, ' ');

describe('the disassembler', () => {
  test('agrees with objdump on the committed sample', () => {
    const sample = readObjdumpSample();
    expect(sample.length).toBeGreaterThanOrEqual(5000);
    const different = sample
      .map(({ word, address, text }) => ({ word, objdump: plain(text), ours: disassemble(word, address, names) }))
      .filter(({ objdump, ours }) => objdump !== ours);
    expect(different).toEqual([]);
  });

  test.each([
    [0x14000001, 0x4000_0000, 'b 0x40000004'],
    [0x17ffffff, 0, 'b 0xfffffffffffffffc'],
    [0x54000040, 8n, 'b.eq 0x10'],
    [0x90000000, 0xffff_8000_1234_5678n, 'adrp x0, 0xffff800012345000'],
    [0xd503201f, 0, 'nop'],
    [0xd50c879f, 0, 'tlbi alle1'],
    [0xd5380000, 0, 'mrs x0, midr_el1'],
  ] as const)('prints %i at %s as "%s"', (word, address, text) => {
    expect(disassemble(word, address, names)).toBe(text);
  });

  test('takes a word as signed or as unsigned', () => {
    expect(disassemble(0xd503201f | 0, 0)).toBe(disassemble(0xd503201f, 0));
  });

  test('prints a word that is not allocated as data', () => {
    expect(disassemble(0x04000000, 0)).toBe('.inst 0x04000000');
  });

  test('prints a system register without a name in its generic form', () => {
    expect(disassemble(0xd5380000, 0)).toBe('mrs x0, s3_0_c0_c0_0');
  });

  test('keeps a register that the operation does not take, which objdump drops', () => {
    expect(disassemble(0xd50c8785, 0)).toBe('sys #4, C8, C7, #4, x5');
  });
});

const hasObjdump = spawnSync('aarch64-linux-gnu-objdump', ['--version']).status === 0;

/**
 * What objdump prints otherwise, with reason: LDPSW of one register or into its base is CONSTRAINED UNPREDICTABLE and no instruction
 * to objdump; the register of a System instruction that takes none is dropped; so are bits of CRm above the one that PAN, UAO and SPSel
 * take; names of system registers that Heddle has not.
 */
const isJustified = (ours: string, objdump: string): boolean =>
  (ours.startsWith('ldpsw ') && objdump.startsWith('.inst ')) ||
  (ours.startsWith('sys #') && /^(ic|tlbi) /.test(objdump)) ||
  (/^msr (pan|uao|spsel), /.test(ours) && objdump.startsWith('msr s0_0_c4_')) ||
  (/^(mrs|msr) .*s[23]_/.test(ours) && /^(mrs|msr) /.test(objdump));

describe('the disassembler beside objdump', () => {
  const agrees = (): void => {
    const words = instructionSet.flatMap((row, n) => randomWords(row, 20, n + 1));
    const folder = mkdtempSync(join(tmpdir(), 'heddle-objdump-'));
    try {
      const file = join(folder, 'words.bin');
      writeFileSync(file, new Uint8Array(Uint32Array.from(words).buffer));
      const listing = execFileSync('aarch64-linux-gnu-objdump', ['-D', '-z', '-b', 'binary', '-m', 'aarch64', file], {
        encoding: 'utf8',
        maxBuffer: 1 << 26,
      });
      const lines = [...listing.matchAll(/^ *([0-9a-f]+):\t([0-9a-f]{8}) \t(.*)$/gm)];
      expect(lines.length).toBe(words.length);
      const different = lines
        .map(([, address = '', word = '', text = '']) => ({
          word,
          objdump: plain(text.replace(/\s*(\/\/|;|<).*/, '')),
          ours: disassemble(Number.parseInt(word, 16), Number.parseInt(address, 16), names),
        }))
        .filter(({ objdump, ours }) => objdump !== ours && !isJustified(ours, objdump));
      expect(different).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  };
  if (hasObjdump) test('agrees on random words of every row', agrees);
  else test('skipped: no objdump', () => expect(hasObjdump).toBe(false));
});
