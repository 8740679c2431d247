// heddle disasm: machine code to text. What is given is an executable, a flat binary, or words.

import { executableCode, isElf } from '../board/elf.ts';
import { readSymbols } from '../board/elf-symbols.ts';
import { disassemble } from '../isa/disassembler.ts';
import { readInput } from './input.ts';
import { parseAddress } from './quantities.ts';
import { registerNames } from '../arch/register-names.ts';
import type { Code } from '../board/elf.ts';
import type { Terminal } from './terminal.ts';

export interface DisasmOptions {
  readonly base: string;
  readonly json?: true;
}

const wordBytes = 4;
const wordPattern = /^0x[0-9a-f]{1,8}$/i;

function codeOfWords(words: readonly string[], address: bigint): Code {
  const bytes = new Uint8Array(words.length * wordBytes);
  const view = new DataView(bytes.buffer);
  words.forEach((word, i) => view.setUint32(i * wordBytes, Number(word), true));
  return { address, bytes };
}

/** Code with the names of its addresses. */
function codeOfFile(path: string, base: bigint): { parts: readonly Code[]; names: ReadonlyMap<bigint, string> } {
  const file = readInput(path);
  if (!isElf(file.bytes)) return { parts: [{ address: base, bytes: file.bytes }], names: new Map() };
  const names = new Map([...readSymbols(file)].map(([name, address]) => [address, name]));
  return { parts: executableCode(file), names };
}

/** Disassembles words that begin with 0x, or else one file. */
export function disasm(inputs: readonly string[], options: DisasmOptions, terminal: Terminal): void {
  const base = parseAddress('--base', options.base);
  const { parts, names } = inputs.every((input) => wordPattern.test(input))
    ? { parts: [codeOfWords(inputs, base)], names: new Map<bigint, string>() }
    : codeOfFile(inputs[0] ?? '', base);
  const instructions = parts.flatMap(({ address: start, bytes }) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return Array.from({ length: Math.floor(bytes.length / wordBytes) }, (_, i) => {
      const [address, word] = [start + BigInt(i * wordBytes), view.getUint32(i * wordBytes, true)];
      return { address, word, text: disassemble(word, address, registerNames) };
    });
  });
  const hex = (value: bigint | number): string => value.toString(16).padStart(8, '0');
  if (options.json) {
    const rows = instructions.map(({ address, word, text }) => ({
      address: `0x${hex(address)}`,
      word: `0x${hex(word)}`,
      text,
    }));
    terminal.print(`${JSON.stringify({ format: 'heddle-disasm', version: 1, instructions: rows }, undefined, 2)}\n`);
    return;
  }
  for (const { address, word, text } of instructions) {
    const name = names.get(address);
    terminal.print(`${name === undefined ? '' : `${name}:\n`}${hex(address)}: ${hex(word)}  ${text}\n`);
  }
}
