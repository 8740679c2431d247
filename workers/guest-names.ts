// The names that a profile gives to translated code: the functions of the image, or of the programs and libraries that a Linux run had in
// its memory. Code without a symbol is named by its page.

import { type ElfSymbol, elfSymbols } from '../src/board/elf-symbols.ts';
import { isElf } from '../src/board/elf.ts';
import type { InputFile } from '../src/board/image.ts';
import { guestCodeNamed } from '../src/engine/profile-names.ts';
import { readExecutable } from '../src/linux-abi/elf.ts';
import type { GuestName } from '../src/report/profile.ts';
import { UserError } from '../src/report/user-error.ts';

/** A part of a file in the memory of a program. */
export interface MappedCode {
  readonly start: number;
  readonly end: number;
  readonly offset: number;
  readonly file: InputFile;
}

const pageMask = 0xfffn;

type SymbolAt = (address: bigint) => string | undefined;

/** The functions of a file by address; of one that cannot be read, none. */
function functionsOf(file: InputFile): SymbolAt {
  let symbols: ElfSymbol[] = [];
  try {
    if (isElf(file.bytes)) symbols = elfSymbols(file).filter(({ isObject }) => !isObject);
  } catch (error) {
    // Its run has ended well: what is wrong with its symbols is not worth a failure.
    if (!(error instanceof UserError)) throw error;
  }
  symbols.sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0));
  return (address) => {
    let low = 0;
    let high = symbols.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((symbols[middle] as ElfSymbol).address <= address) low = middle + 1;
      else high = middle;
    }
    // Several names may begin at one address; a label without a size ends at the next one.
    for (let at = low - 1; at >= 0; at -= 1) {
      const { name, address: start, sizeBytes } = symbols[at] as ElfSymbol;
      if (sizeBytes === 0n || address < start + sizeBytes) return name;
      if (symbols[at - 1]?.address !== start) return undefined;
    }
    return undefined;
  };
}

const pageOf = (address: bigint): string => `0x${(address & ~pageMask).toString(16)}`;

function cached(nameAt: (address: bigint) => string): GuestName {
  const names = new Map<string, string>();
  return ({ name }) => {
    const code = guestCodeNamed(name);
    if (!code) return undefined;
    let found = names.get(name);
    if (found === undefined) {
      found = nameAt(code.va);
      names.set(name, found);
    }
    return found;
  };
}

/** Of a machine that has booted an image. */
export function namesOfImage(image: InputFile): GuestName {
  const symbolAt = functionsOf(image);
  return cached((address) => symbolAt(address) ?? pageOf(address));
}

/** The virtual address that a file gives to what is at an offset in it. */
function addressIn({ bytes }: InputFile, offset: number): bigint {
  const executable = readExecutable(bytes);
  const segments = typeof executable === 'string' ? [] : executable.segments;
  const segment = segments.find((each) => offset >= each.offset && offset < each.offset + each.fileBytes);
  return BigInt(offset + (segment ? segment.address - segment.offset : 0));
}

/**
 * Of a machine that has run Linux programs. Two of them may have had different files at one address: then the name is that of the
 * first that has ended.
 */
export function namesOfPrograms(code: readonly MappedCode[]): GuestName {
  const mapped = code.map((mapping) => ({ ...mapping, symbolAt: functionsOf(mapping.file) }));
  return cached((address) => {
    const at = Number(address);
    const mapping = mapped.find(({ start, end }) => at >= start && at < end);
    if (!mapping) return pageOf(address);
    const { file, start, offset, symbolAt } = mapping;
    const name = file.path.slice(file.path.lastIndexOf('/') + 1);
    const own = addressIn(file, at - start + offset);
    return `${symbolAt(own) ?? pageOf(own)} (${name})`;
  });
}
