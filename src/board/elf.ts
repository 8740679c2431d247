// Executables in the ELF64 format (System V ABI; ELF for the Arm 64-bit Architecture): the segments go to their physical addresses, as
// a boot loader without an MMU puts them. Relocations are not applied, so that a position-independent executable is refused unless it
// has none. Sections are not needed to load; elf-symbols.ts reads the symbols.

import { UserError } from '../report/user-error.ts';
import { checkPlacement, endOf, hex, refuse } from './image.ts';
import type { Image, InputFile, Segment } from './image.ts';

const headerBytes = 64;
const programHeaderBytes = 56;

const fileClass = { elf32: 1, elf64: 2 } as const;
const encoding = { little: 1, big: 2 } as const;
const osabiLinux = 3;
const fileType = { relocatable: 1, executable: 2, shared: 3, core: 4 } as const;
const machineAArch64 = 183;
const segmentType = { load: 1, dynamic: 2, interpreter: 3, note: 4 } as const;
const dynamicTag = { end: 0n, rela: 7n, rel: 17n, relr: 36n } as const;
/** NT_GNU_ABI_TAG, whose first word is 0 in a program for Linux. */
const abiTag = { type: 1, linux: 0 } as const;

/** The machines whose executables people mistake for ours. */
const machineNames: Readonly<Record<number, string>> = {
  3: 'x86 (32-bit)',
  8: 'MIPS',
  20: 'PowerPC',
  21: 'PowerPC 64',
  22: 'S/390',
  40: 'Arm (32-bit)',
  62: 'x86-64',
  243: 'RISC-V',
  258: 'LoongArch',
};

interface ProgramHeader {
  readonly type: number;
  readonly executable: boolean;
  readonly offset: number;
  readonly virtualAddress: bigint;
  readonly physicalAddress: bigint;
  readonly fileBytes: number;
  readonly memoryBytes: bigint;
}

export const isElf = (bytes: Uint8Array): boolean =>
  bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;

export const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Checks the file header and returns a view of a file of at least its size. */
export function elfHeader({ path, bytes }: InputFile): DataView {
  if (!isElf(bytes)) refuse(path, 'not an ELF file');
  if (bytes[4] === fileClass.elf32) refuse(path, 'a 32-bit ELF file: Heddle runs AArch64 only');
  if (bytes.length < headerBytes)
    refuse(path, `cut short: ${bytes.length} bytes, and an ELF header has ${headerBytes}`);
  if (bytes[4] !== fileClass.elf64) refuse(path, `the ELF class ${bytes[4]} does not exist`);
  if (bytes[5] === encoding.big) refuse(path, 'a big-endian ELF file: Heddle runs little-endian only');
  if (bytes[5] !== encoding.little) refuse(path, `the ELF data encoding ${bytes[5]} does not exist`);
  const view = viewOf(bytes);
  const machine = view.getUint16(18, true);
  if (machine !== machineAArch64)
    refuse(path, `made for ${machineNames[machine] ?? `ELF machine ${machine}`}, not for AArch64`);
  return view;
}

function programHeaders({ path, bytes }: InputFile, view: DataView): ProgramHeader[] {
  const tableOffset = view.getBigUint64(32, true);
  const entryBytes = view.getUint16(54, true);
  const count = view.getUint16(56, true);
  if (count === 0) refuse(path, 'the ELF file has no program headers, so there is nothing to load');
  if (entryBytes !== programHeaderBytes)
    refuse(path, `its program headers have ${entryBytes} bytes each, and ELF64 says ${programHeaderBytes}`);
  if (tableOffset + BigInt(count * programHeaderBytes) > BigInt(bytes.length))
    refuse(path, `cut short: its ${count} program headers at ${hex(tableOffset)} lie past the end of the file`);
  return Array.from({ length: count }, (_, i) => {
    const at = Number(tableOffset) + i * programHeaderBytes;
    const offset = view.getBigUint64(at + 8, true);
    const fileBytes = view.getBigUint64(at + 32, true);
    if (offset + fileBytes > BigInt(bytes.length))
      refuse(
        path,
        `cut short: segment ${i} needs bytes up to ${hex(offset + fileBytes)}, the file has ${hex(bytes.length)}`,
      );
    return {
      type: view.getUint32(at, true),
      executable: (view.getUint32(at + 4, true) & 1) !== 0,
      offset: Number(offset),
      virtualAddress: view.getBigUint64(at + 16, true),
      physicalAddress: view.getBigUint64(at + 24, true),
      fileBytes: Number(fileBytes),
      memoryBytes: view.getBigUint64(at + 40, true),
    };
  });
}

/** True if the dynamic section names a relocation table of any kind. */
function hasRelocations(view: DataView, { offset, fileBytes }: ProgramHeader): boolean {
  for (let at = offset; at + 16 <= offset + fileBytes; at += 16) {
    const tag = view.getBigUint64(at, true);
    if (tag === dynamicTag.end) return false;
    if (tag === dynamicTag.rela || tag === dynamicTag.rel || tag === dynamicTag.relr) return true;
  }
  return false;
}

/** True if a note says that the program is for Linux. */
function isNotedAsLinux(view: DataView, { offset, fileBytes }: ProgramHeader): boolean {
  const end = offset + fileBytes;
  const gnu = 0x0055_4e47; // "GNU\0"
  for (let at = offset; at + 20 <= end;) {
    const [nameBytes, descriptionBytes] = [view.getUint32(at, true), view.getUint32(at + 4, true)];
    if (nameBytes === 4 && view.getUint32(at + 8, true) === abiTag.type && view.getUint32(at + 12, true) === gnu)
      return view.getUint32(at + 16, true) === abiTag.linux;
    at += 12 + Math.ceil(nameBytes / 4) * 4 + Math.ceil(descriptionBytes / 4) * 4;
  }
  return false;
}

/** A program that expects a Linux kernel below it, as far as its headers tell. */
const isForLinux = (bytes: Uint8Array, view: DataView, headers: readonly ProgramHeader[]): boolean =>
  bytes[7] === osabiLinux ||
  headers.some(({ type }) => type === segmentType.interpreter) ||
  headers.some((header) => header.type === segmentType.note && isNotedAsLinux(view, header));

/** The file is a Linux program. What is no sound ELF file is none: whoever loads it says what is wrong. */
export function isLinuxProgram(file: InputFile): boolean {
  if (!isElf(file.bytes)) return false;
  try {
    const view = elfHeader(file);
    return isForLinux(file.bytes, view, programHeaders(file, view));
  } catch (error) {
    if (error instanceof UserError) return false;
    throw error;
  }
}

/** Reads an executable; every segment lies in RAM of this size. */
export function readElf(file: InputFile, memoryBytes: number): Image {
  const { path, bytes } = file;
  const view = elfHeader(file);
  const type = view.getUint16(16, true);
  if (type === fileType.relocatable) refuse(path, 'an object file: link it first');
  if (type === fileType.core) refuse(path, 'a core dump, not an executable');
  if (type !== fileType.executable && type !== fileType.shared)
    refuse(path, `the ELF type ${type} is not an executable`);

  const headers = programHeaders(file, view);
  if (isForLinux(bytes, view, headers)) refuse(path, 'a Linux program, which needs no machine of its own');
  if (headers.some((header) => header.type === segmentType.dynamic && hasRelocations(view, header)))
    refuse(
      path,
      'a position-independent executable that needs relocations',
      'link it with -no-pie at an address in RAM',
    );

  const loads = headers.filter((header) => header.type === segmentType.load && header.memoryBytes !== 0n);
  if (loads.length === 0) refuse(path, 'no program header asks to load anything');
  const segments = loads.map(({ offset, fileBytes, memoryBytes: size, physicalAddress }): Segment => {
    if (BigInt(fileBytes) > size)
      refuse(path, `the segment at ${hex(physicalAddress)} has ${fileBytes} bytes in the file and room for ${size}`);
    // RAM ends at 4 GiB: what does not fit into 53 bits is refused with its full address, before it becomes a number.
    if (physicalAddress + size > BigInt(Number.MAX_SAFE_INTEGER))
      refuse(path, `${hex(physicalAddress)}-${hex(physicalAddress + size)} is outside RAM`);
    return {
      address: Number(physicalAddress),
      bytes: bytes.subarray(offset, offset + fileBytes),
      zeroBytes: Number(size) - fileBytes,
    };
  });
  checkPlacement(path, segments, memoryBytes);

  const virtualEntry = view.getBigUint64(24, true);
  const home = loads.find(
    ({ executable, virtualAddress, memoryBytes: size }) =>
      executable && virtualEntry >= virtualAddress && virtualEntry < virtualAddress + size,
  );
  if (!home) return refuse(path, `its entry point ${hex(virtualEntry)} is in no executable segment`);
  // The MMU is off at the entry: a kernel linked high is entered at the physical address of its entry point.
  const entry = Number(virtualEntry - home.virtualAddress + home.physicalAddress);
  if (entry % 4 !== 0) refuse(path, `its entry point ${hex(entry)} is not a multiple of 4`);
  return { kind: 'elf', segments, entry, end: Math.max(...segments.map(endOf)) };
}

/** Machine code at the (virtual) address where it runs. */
export interface Code {
  readonly address: bigint;
  readonly bytes: Uint8Array;
}

/** The executable segments of any AArch64 ELF file that has segments, also of one that cannot be run. */
export function executableCode(file: InputFile): Code[] {
  return programHeaders(file, elfHeader(file))
    .filter(({ type, executable }) => type === segmentType.load && executable)
    .map(({ offset, fileBytes, virtualAddress }) => ({
      address: virtualAddress,
      bytes: file.bytes.subarray(offset, offset + fileBytes),
    }));
}
