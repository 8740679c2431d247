// The symbol table of an executable: names for addresses in profiles and messages. A program runs without one, so that a file without
// symbols gives an empty map; only a table that points outside the file is refused.

import { elfHeader } from './elf.ts';
import { refuse } from './image.ts';
import type { InputFile } from './image.ts';

const sectionHeaderBytes = 64;
const symbolBytes = 24;
const sectionType = { symbols: 2, dynamicSymbols: 11 } as const;
const symbolType = { noType: 0, object: 1, function: 2 } as const;
const undefinedSection = 0;

/** A symbol name longer than this is cut: it is for reading. */
const maxNameBytes = 4096;

interface Section {
  readonly type: number;
  readonly offset: number;
  readonly sizeBytes: number;
  readonly link: number;
}

function sections(file: InputFile): Section[] {
  const { path, bytes } = file;
  const view = elfHeader(file);
  const tableOffset = view.getBigUint64(40, true);
  const count = tableOffset === 0n ? 0 : view.getUint16(60, true);
  if (count === 0) return [];
  if (view.getUint16(58, true) !== sectionHeaderBytes)
    refuse(path, 'its section headers have a size that ELF64 does not know');
  if (tableOffset + BigInt(count * sectionHeaderBytes) > BigInt(bytes.length))
    refuse(path, 'cut short: its section headers lie past the end of the file');
  return Array.from({ length: count }, (_, i) => {
    const at = Number(tableOffset) + i * sectionHeaderBytes;
    return {
      type: view.getUint32(at + 4, true),
      offset: Number(view.getBigUint64(at + 24, true)),
      sizeBytes: Number(view.getBigUint64(at + 32, true)),
      link: view.getUint32(at + 40, true),
    };
  });
}

export interface ElfSymbol {
  readonly name: string;
  /** Its virtual address. */
  readonly address: bigint;
  /** 0 where nobody has said it. */
  readonly sizeBytes: bigint;
  readonly isObject: boolean;
}

/**
 * Functions, objects and labels, in the order of the file. Of a stripped file, those that a dynamic linker needs.
 */
export function elfSymbols(file: InputFile): ElfSymbol[] {
  const { path, bytes } = file;
  const all = sections(file);
  const table =
    all.find(({ type }) => type === sectionType.symbols) ?? all.find(({ type }) => type === sectionType.dynamicSymbols);
  if (!table) return [];
  const names = all[table.link];
  if (!names) return refuse(path, `its symbol table names section ${table.link}, which does not exist`);
  for (const { offset, sizeBytes } of [table, names])
    if (offset + sizeBytes > bytes.length) refuse(path, 'cut short: its symbol table lies past the end of the file');

  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const namesEnd = names.offset + names.sizeBytes;
  const decoder = new TextDecoder();
  const symbols: ElfSymbol[] = [];
  for (let at = table.offset; at + symbolBytes <= table.offset + table.sizeBytes; at += symbolBytes) {
    const type = view.getUint8(at + 4) & 15;
    const isNamed = type === symbolType.noType || type === symbolType.object || type === symbolType.function;
    if (!isNamed || view.getUint16(at + 6, true) === undefinedSection) continue;
    const start = names.offset + view.getUint32(at, true);
    if (start >= namesEnd) refuse(path, `the name of the symbol at offset ${at} lies outside its string table`);
    const text = bytes.subarray(start, Math.min(namesEnd, start + maxNameBytes));
    const terminator = text.indexOf(0);
    const name = decoder.decode(terminator < 0 ? text : text.subarray(0, terminator));
    // $x and $d tell code from data; they name nothing.
    if (name === '' || name.startsWith('$')) continue;
    symbols.push({
      name,
      address: view.getBigUint64(at + 8, true),
      sizeBytes: view.getBigUint64(at + 16, true),
      isObject: type === symbolType.object,
    });
  }
  return symbols;
}

/** The addresses of symbols by their names. */
export const readSymbols = (file: InputFile): Map<string, bigint> =>
  new Map(elfSymbols(file).map(({ name, address }) => [name, address]));
