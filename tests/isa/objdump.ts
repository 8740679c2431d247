// What GNU objdump calls words.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const OBJDUMP = 'aarch64-linux-gnu-objdump';
export const hasObjdump = spawnSync(OBJDUMP, ['--version']).status === 0;

/** The text of each word, as if they followed one another from address 0; undefined where it has none. */
export function objdumpTexts(words: readonly number[]): (string | undefined)[] {
  const scratch = mkdtempSync(join(tmpdir(), 'heddle-objdump-'));
  const file = join(scratch, 'words.bin');
  writeFileSync(file, new Uint8Array(Uint32Array.from(words).buffer));
  const flags = ['-D', '-z', '-m', 'aarch64', '-b', 'binary', file];
  const text = execFileSync(OBJDUMP, flags, { encoding: 'utf8', maxBuffer: 1 << 28 });
  rmSync(scratch, { recursive: true });
  const lines = [...text.matchAll(/^ *[0-9a-f]+:\t[0-9a-f]{8} \t(.*)$/gm)].map((line) => line[1] ?? '');
  return lines.map((line) => (line.includes('undefined') ? undefined : line));
}

/** The mnemonic of each word. */
export const objdumpMnemonics = (words: readonly number[]): (string | undefined)[] =>
  objdumpTexts(words).map((text) => text?.split(/\s/)[0]);
