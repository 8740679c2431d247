// A program in a new address space, as execve leaves it (fs/binfmt_elf.c): segments, interpreter, stack with arguments, environment and
// auxiliary vector. Nothing of the process changes until all of it has succeeded.

import { anonymous, makeSpace, mapRange, releaseSpace } from './address-space.ts';
import { type Executable, type LoadSegment, readExecutable } from './elf.ts';
import { fail } from './errno.ts';
import { loadContent, wholeContent } from './files/content.ts';
import type { Inode } from './files/inode.ts';
import { hwcap, hwcap2 } from './hwcap.ts';
import type { Core } from './kernel.ts';
import { executableBase, firstStackBytes, pageBytes, stackTop } from './limits.ts';
import { findRoom, isFree, PROT, roundDown, roundUp } from './mappings.ts';
import { concatenate, fields } from './records.ts';
import { frameBytes, frameRecordBytes, uid } from './sigframe.ts';
import { mapSignalPage } from './signal-page.ts';
import type { AddressSpace } from './state.ts';
import { writeUser } from './user-memory.ts';

/** What a process becomes. */
export interface Image {
  readonly space: AddressSpace;
  readonly entry: number;
  readonly stackPointer: number;
  readonly argumentRange: readonly [number, number];
  readonly environmentRange: readonly [number, number];
  readonly auxiliary: Uint8Array;
}

export interface ProgramFile {
  readonly inode: Inode;
  /** As AT_EXECFN has it. */
  readonly path: string;
}

const AT = {
  NULL: 0,
  PHDR: 3,
  PHENT: 4,
  PHNUM: 5,
  PAGESZ: 6,
  BASE: 7,
  FLAGS: 8,
  ENTRY: 9,
  UID: 11,
  EUID: 12,
  GID: 13,
  EGID: 14,
  PLATFORM: 15,
  HWCAP: 16,
  CLKTCK: 17,
  SECURE: 23,
  RANDOM: 25,
  HWCAP2: 26,
  EXECFN: 31,
  MINSIGSTKSZ: 51,
} as const;
const clockTicks = 100;
const programHeaderBytes = 56;
const randomBytes = 16;

const endOf = ({ address, memoryBytes }: LoadSegment): number => address + memoryBytes;

/** Maps a segment at its address: the file's pages, then zeros. False where there is no memory. */
function mapSegment(
  core: Core,
  space: AddressSpace,
  { inode, path }: ProgramFile,
  segment: LoadSegment,
  bias: number,
): boolean {
  const { protection, offset, fileBytes } = segment;
  const address = segment.address + bias;
  const start = roundDown(address);
  const fileEnd = address + fileBytes;
  const zeroStart = fileBytes === 0 ? start : roundUp(fileEnd);
  const zeroEnd = roundUp(endOf(segment) + bias);
  if (fileBytes > 0)
    mapRange(core, space, { ...anonymous(start, zeroStart, protection, path), inode, offset: roundDown(offset) });
  if (zeroEnd > zeroStart) mapRange(core, space, anonymous(zeroStart, zeroEnd, protection));
  const tail = Math.min(zeroStart, endOf(segment) + bias) - fileEnd;
  if (fileBytes === 0 || tail <= 0 || (protection & PROT.WRITE) === 0) return true;
  return writeUser(core, space, fileEnd, new Uint8Array(zeroStart - fileEnd));
}

/** Where an executable's segments go, less the addresses that it names; undefined where there is no room. */
function biasOf(space: AddressSpace, executable: Executable, isInterpreter: boolean): number | undefined {
  const { segments, isMovable, alignment } = executable;
  const lowest = roundDown((segments[0] as LoadSegment).address);
  const highest = Math.max(...segments.map((segment) => roundUp(endOf(segment))));
  if (!isMovable) return isFree(space, lowest, highest) ? 0 : undefined;
  const room = isInterpreter ? findRoom(space, highest - lowest + alignment) : executableBase;
  return room === undefined ? undefined : Math.ceil(room / alignment) * alignment - roundDown(lowest);
}

function mapExecutable(
  core: Core,
  space: AddressSpace,
  file: ProgramFile,
  executable: Executable,
  isInterpreter: boolean,
): number | undefined {
  const bias = biasOf(space, executable, isInterpreter);
  if (bias === undefined) return undefined;
  return executable.segments.every((segment) => mapSegment(core, space, file, segment, bias)) ? bias : undefined;
}

const encoder = new TextEncoder();
const zero = new Uint8Array(1);

interface Stack {
  readonly stackPointer: number;
  readonly argumentRange: readonly [number, number];
  readonly environmentRange: readonly [number, number];
  readonly auxiliary: Uint8Array;
}

/** The strings at the top of the stack, from the top down: the name of the file, environment, arguments; then what points to them. */
function buildStack(
  core: Core,
  space: AddressSpace,
  path: string,
  argv: readonly Uint8Array[],
  envp: readonly Uint8Array[],
  values: readonly (readonly [number, number | bigint])[],
): Stack | undefined {
  let top = stackTop - 8;
  const place = (bytes: Uint8Array): number => {
    top -= bytes.length;
    return top;
  };
  const strings = (list: readonly Uint8Array[]): { bytes: Uint8Array; addresses: number[] } => {
    const bytes = concatenate(list.flatMap((text) => [text, zero]));
    let at = place(bytes);
    const addresses = list.map((text) => {
      const here = at;
      at += text.length + 1;
      return here;
    });
    return { bytes, addresses };
  };
  const name = concatenate([encoder.encode(path), zero]);
  const nameAt = place(name);
  const environment = strings(envp);
  const environmentAt = top;
  const args = strings(argv);
  const argumentsAt = top;
  const platform = encoder.encode('aarch64\0');
  const platformAt = place(platform);
  top -= top % 16;
  const random = core.port.randomBytes(randomBytes);
  const randomAt = place(random);

  const auxiliary = [
    ...values,
    [AT.RANDOM, randomAt],
    [AT.HWCAP2, hwcap2(core)],
    [AT.EXECFN, nameAt],
    [AT.PLATFORM, platformAt],
    [AT.NULL, 0],
  ] as const;
  const words: (number | bigint)[] = [
    argv.length,
    ...args.addresses,
    0,
    ...environment.addresses,
    0,
    ...auxiliary.flat(),
  ];
  top -= words.length * 8;
  const stackPointer = top - (top % 16);
  const block = fields(words.length * 8);
  words.forEach((word, n) => block.i64(8 * n, word));
  const vector = block.bytes.slice((words.length - auxiliary.length * 2) * 8);
  const writes: readonly (readonly [number, Uint8Array])[] = [
    [nameAt, name],
    [environmentAt, environment.bytes],
    [argumentsAt, args.bytes],
    [platformAt, platform],
    [randomAt, random],
    [stackPointer, block.bytes],
  ];
  if (!writes.every(([at, bytes]) => writeUser(core, space, at, bytes))) return undefined;
  return {
    stackPointer,
    argumentRange: [argumentsAt, argumentsAt + args.bytes.length],
    environmentRange: [environmentAt, environmentAt + environment.bytes.length],
    auxiliary: vector,
  };
}

/** A refusal is a sentence, or the error of execve. */
export type Refusal = { readonly sentence: string; readonly error: number };
const refuse = (sentence: string, error: number): Refusal => ({ sentence, error });
const noMemory = (): Refusal => refuse('there is not enough RAM for it', fail('ENOMEM'));

/** Finds the interpreter that an executable names. */
export type FindInterpreter = (path: string) => Inode | undefined;

export function loadProgram(
  core: Core,
  { inode, path }: ProgramFile,
  argv: readonly Uint8Array[],
  envp: readonly Uint8Array[],
  findInterpreter: FindInterpreter,
): Image | Refusal {
  if (!loadContent(core, inode)) return refuse('it cannot be read', fail('EACCES'));
  const executable = readExecutable(wholeContent(core, inode));
  if (typeof executable === 'string') return refuse(executable, fail('ENOEXEC'));
  let interpreter: { readonly file: ProgramFile; readonly executable: Executable } | undefined;
  if (executable.interpreter !== undefined) {
    const found = findInterpreter(executable.interpreter);
    if (!found || !loadContent(core, found))
      return refuse(
        `its interpreter ${executable.interpreter} is not there: it needs a --sysroot that has it`,
        fail('ENOENT'),
      );
    const read = readExecutable(wholeContent(core, found));
    if (typeof read === 'string')
      return refuse(`its interpreter ${executable.interpreter} is ${read}`, fail('ENOEXEC'));
    interpreter = { file: { inode: found, path: executable.interpreter }, executable: read };
  }
  const space = makeSpace(core);
  if (!space) return noMemory();
  const image = fill(core, space);
  if ('error' in image) releaseSpace(core, space);
  return image;

  function fill(kernel: Core, made: AddressSpace): Image | Refusal {
    const program = executable as Executable;
    mapRange(kernel, made, {
      ...anonymous(stackTop - firstStackBytes, stackTop, PROT.READ | PROT.WRITE, '[stack]'),
      growsDown: true,
    });
    if (!mapSignalPage(kernel, made)) return noMemory();
    const bias = mapExecutable(kernel, made, { inode, path }, program, false);
    if (bias === undefined) return noMemory();
    const breakStart = Math.max(...program.segments.map((segment) => roundUp(endOf(segment)))) + bias;
    Object.assign(made, { breakStart, breakEnd: breakStart });
    const base = interpreter && mapExecutable(kernel, made, interpreter.file, interpreter.executable, true);
    if (interpreter && base === undefined) return noMemory();
    const entry = interpreter ? interpreter.executable.entry + (base ?? 0) : program.entry + bias;
    const stack = buildStack(kernel, made, path, argv, envp, [
      [AT.MINSIGSTKSZ, frameBytes + frameRecordBytes + 16],
      [AT.HWCAP, hwcap(kernel)],
      [AT.PAGESZ, pageBytes],
      [AT.CLKTCK, clockTicks],
      [AT.PHDR, program.headersAt === 0 ? 0 : program.headersAt + bias],
      [AT.PHENT, programHeaderBytes],
      [AT.PHNUM, program.headerCount],
      [AT.BASE, base ?? 0],
      [AT.FLAGS, 0],
      [AT.ENTRY, program.entry + bias],
      [AT.UID, uid],
      [AT.EUID, uid],
      [AT.GID, uid],
      [AT.EGID, uid],
      [AT.SECURE, 0],
    ]);
    return stack ? { space: made, entry, ...stack } : noMemory();
  }
}
