// ELF executables of Linux (System V ABI, "Object Files"; fs/binfmt_elf.c): what is to be loaded where. Refusals are sentences for the
// user; execve answers ENOEXEC.

import { taskBytes, pageBytes } from './limits.ts';
import { PROT } from './mappings.ts';
import { u64At, viewOf } from './records.ts';

const headerBytes = 64;
const programHeaderBytes = 56;
const elf = { class64: 2, littleEndian: 1, executable: 2, shared: 3, aarch64: 183 } as const;
const segmentType = { load: 1, interpreter: 3 } as const;
const segmentFlag = { X: 1, W: 2, R: 4 } as const;
/** ELF_MIN_ALIGN pages of program headers, as the kernel reads them. */
const headerLimitBytes = 0x1_0000;
const pathLimitBytes = 4096;

export interface LoadSegment {
  readonly offset: number;
  readonly address: number;
  readonly fileBytes: number;
  readonly memoryBytes: number;
  readonly protection: number;
}

export interface Executable {
  /** ET_DYN: it may lie anywhere. */
  readonly isMovable: boolean;
  readonly entry: number;
  readonly segments: readonly LoadSegment[];
  readonly headersAt: number;
  readonly headerCount: number;
  readonly interpreter: string | undefined;
  /** The strictest alignment of its segments. */
  readonly alignment: number;
}

const hex = (value: number): string => `0x${value.toString(16)}`;

function protectionOf(flags: number): number {
  return (
    ((flags & segmentFlag.R) === 0 ? 0 : PROT.READ) |
    ((flags & segmentFlag.W) === 0 ? 0 : PROT.WRITE) |
    ((flags & segmentFlag.X) === 0 ? 0 : PROT.EXEC)
  );
}

/** What is wrong with a segment, or undefined. */
function refuseSegment(segment: LoadSegment, n: number, lengthBytes: number): string | undefined {
  const { offset, address, fileBytes, memoryBytes } = segment;
  if (fileBytes > memoryBytes) return `segment ${n} has ${fileBytes} bytes in the file and room for ${memoryBytes}`;
  if (offset + fileBytes > lengthBytes)
    return `cut short: segment ${n} needs bytes up to ${hex(offset + fileBytes)}, the file has ${hex(lengthBytes)}`;
  if (address + memoryBytes > taskBytes - pageBytes)
    return `segment ${n} at ${hex(address)} is outside the address space of a program`;
  if (offset % pageBytes !== address % pageBytes)
    return `segment ${n} is at ${hex(offset)} in the file and at ${hex(address)} in memory, which are not the same place of a page`;
  return undefined;
}

/** Reads an executable; a string says why it is none. */
export function readExecutable(bytes: Uint8Array): Executable | string {
  if (bytes.length < headerBytes) return `cut short: ${bytes.length} bytes, and an ELF header has ${headerBytes}`;
  const view = viewOf(bytes);
  if (view.getUint32(0, false) !== 0x7f45_4c46) return 'not an ELF file';
  if (bytes[4] !== elf.class64 || bytes[5] !== elf.littleEndian) return 'not a 64-bit little-endian ELF file';
  const type = view.getUint16(16, true);
  if (type !== elf.executable && type !== elf.shared) return `the ELF type ${type} is not an executable`;
  const machine = view.getUint16(18, true);
  if (machine !== elf.aarch64) return `made for ELF machine ${machine}, not for AArch64`;
  const tableAt = u64At(view, 32);
  const count = view.getUint16(56, true);
  if (view.getUint16(54, true) !== programHeaderBytes)
    return `its program headers have ${view.getUint16(54, true)} bytes each, and ELF64 says ${programHeaderBytes}`;
  if (count === 0 || count * programHeaderBytes > headerLimitBytes) return `it has ${count} program headers`;
  if (tableAt + count * programHeaderBytes > bytes.length)
    return `cut short: its ${count} program headers at ${hex(tableAt)} lie past the end of the file`;

  const segments: LoadSegment[] = [];
  let interpreter: string | undefined;
  let headersAt = 0;
  let alignment = pageBytes;
  for (let n = 0; n < count; n += 1) {
    const at = tableAt + n * programHeaderBytes;
    const segmentKind = view.getUint32(at, true);
    const segment = {
      offset: u64At(view, at + 8),
      address: u64At(view, at + 16),
      fileBytes: u64At(view, at + 32),
      memoryBytes: u64At(view, at + 40),
      protection: protectionOf(view.getUint32(at + 4, true)),
    };
    if (segmentKind === segmentType.interpreter) {
      const { offset, fileBytes } = segment;
      if (
        fileBytes < 2 ||
        fileBytes > pathLimitBytes ||
        offset + fileBytes > bytes.length ||
        bytes[offset + fileBytes - 1] !== 0
      )
        return 'the name of its interpreter is not a path';
      interpreter ??= new TextDecoder().decode(bytes.subarray(offset, offset + fileBytes - 1));
    }
    if (segmentKind !== segmentType.load || segment.memoryBytes === 0) continue;
    const refusal = refuseSegment(segment, n, bytes.length);
    if (refusal !== undefined) return refusal;
    const align = u64At(view, at + 48);
    if (align > alignment && align <= taskBytes && Number.isInteger(Math.log2(align))) alignment = align;
    if (tableAt >= segment.offset && tableAt < segment.offset + segment.fileBytes)
      headersAt = segment.address + (tableAt - segment.offset);
    segments.push(segment);
  }
  if (segments.length === 0) return 'no program header asks to load anything';
  for (let n = 1; n < segments.length; n += 1) {
    const [before, after] = [segments[n - 1] as LoadSegment, segments[n] as LoadSegment];
    if (after.address < before.address + before.memoryBytes)
      return `its segments are not in the order of their addresses, or overlap, at ${hex(after.address)}`;
  }
  return {
    isMovable: type === elf.shared,
    entry: u64At(view, 24),
    segments,
    headersAt,
    headerCount: count,
    interpreter,
    alignment,
  };
}
