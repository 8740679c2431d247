// heddle asm: GNU assembler source to machine code.

import { assemble } from '../isa/assembler.ts';
import { readInput, writeOutput } from './input.ts';
import { parseAddress } from './quantities.ts';
import { registerNames } from '../arch/register-names.ts';
import type { Terminal } from './terminal.ts';

export interface AsmOptions {
  readonly base: string;
  readonly output?: string;
  readonly json?: true;
}

const wordBytes = 4;

/** One line for each word: its address, and its value as the processor reads it. */
function listing(bytes: Uint8Array, base: bigint): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += wordBytes) {
    const word = [...bytes.subarray(at, at + wordBytes)].reverse();
    const digits = word.map((byte) => byte.toString(16).padStart(2, '0')).join('');
    lines.push(`${(base + BigInt(at)).toString(16).padStart(8, '0')}: ${digits}\n`);
  }
  return lines.join('');
}

/** Assembles one file: to a flat binary with --output, to a listing without. */
export function asm(path: string, options: AsmOptions, terminal: Terminal): void {
  const file = readInput(path);
  const { bytes, symbols, base } = assemble(new TextDecoder().decode(file.bytes), {
    base: parseAddress('--base', options.base),
    file: path,
    names: registerNames,
  });
  if (options.output !== undefined) writeOutput(options.output, bytes);
  if (options.json) {
    const document = {
      format: 'heddle-asm',
      version: 1,
      base: `0x${base.toString(16)}`,
      bytes: Buffer.from(bytes).toString('hex'),
      symbols: Object.fromEntries([...symbols].map(([name, value]) => [name, `0x${value.toString(16)}`])),
    };
    terminal.print(`${JSON.stringify(document, undefined, 2)}\n`);
  } else if (options.output === undefined) terminal.print(listing(bytes, base));
}
