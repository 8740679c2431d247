// Processes and threads: clone, execve, exit, wait (kernel/fork.c, kernel/exit.c, fs/exec.c).

import { releaseSpace } from '../address-space.ts';
import { fail } from '../errno.ts';
import { closeOnExec } from '../files/descriptors.ts';
import type { Inode } from '../files/inode.ts';
import { AT_FDCWD, lookUp, resolvePath } from '../files/paths.ts';
import { readContent } from '../files/content.ts';
import { argumentBytes, argumentStringBytes, pathBytes } from '../limits.ts';
import {
  cloneThread,
  dropTimers,
  endAllThreads,
  endOtherThreads,
  endThread,
  endVfork,
  exitStatus,
} from '../processes.ts';
import { becomeImage } from '../become.ts';
import { u64At, viewOf } from '../records.ts';
import { block, makeReady } from '../scheduler.ts';
import { loadProgram, type Image, type Refusal } from '../start.ts';
import { readDoubleword, readString, readUser, writeWord } from '../user-memory.ts';
import { openPidfd } from './pidfd.ts';
import { type Call, type Family, int, type Result, uint, unsigned } from './call.ts';

/** include/uapi/linux/sched.h. */
const CLONE = {
  signal: 0xff,
  VM: 0x100,
  FS: 0x200,
  FILES: 0x400,
  SIGHAND: 0x800,
  PIDFD: 0x1000,
  PTRACE: 0x2000,
  VFORK: 0x4000,
  PARENT: 0x8000,
  THREAD: 0x1_0000,
  NEWNS: 0x2_0000,
  SYSVSEM: 0x4_0000,
  SETTLS: 0x8_0000,
  PARENT_SETTID: 0x10_0000,
  CHILD_CLEARTID: 0x20_0000,
  DETACHED: 0x40_0000,
  UNTRACED: 0x80_0000,
  CHILD_SETTID: 0x100_0000,
} as const;
const CLONE_CLEAR_SIGHAND = 0x1_0000_0000;
/** Namespaces are not there. */
const understood =
  CLONE.VM |
  CLONE.FS |
  CLONE.FILES |
  CLONE.SIGHAND |
  CLONE.VFORK |
  CLONE.THREAD |
  CLONE.SYSVSEM |
  CLONE.SETTLS |
  CLONE.PARENT_SETTID |
  CLONE.CHILD_CLEARTID |
  CLONE.CHILD_SETTID |
  CLONE.DETACHED |
  CLONE.PIDFD |
  CLONE.UNTRACED |
  CLONE.PTRACE;

interface CloneArguments {
  readonly flags: number;
  readonly clearsHandlers: boolean;
  readonly stack: bigint;
  readonly parentTid: number;
  readonly childTid: number;
  readonly tls: bigint;
  /** Of CLONE_PIDFD: where the descriptor of the child goes. */
  readonly pidfdAt: number;
}

function clone(
  call: Call,
  { flags, clearsHandlers, stack, parentTid, childTid, tls, pidfdAt }: CloneArguments,
): Result {
  const { core, thread, process, space } = call;
  const has = (flag: number): boolean => (flags & flag) !== 0;
  if ((flags & ~(understood | CLONE.signal)) !== 0) return fail('EINVAL');
  if (has(CLONE.THREAD) && !has(CLONE.SIGHAND)) return fail('EINVAL');
  if (has(CLONE.SIGHAND) && !has(CLONE.VM)) return fail('EINVAL');
  if (has(CLONE.PIDFD) && (has(CLONE.THREAD) || has(CLONE.DETACHED))) return fail('EINVAL');
  if (clearsHandlers && has(CLONE.SIGHAND)) return fail('EINVAL');
  const child = cloneThread(core, thread, {
    sharesMemory: has(CLONE.VM),
    sharesFiles: has(CLONE.FILES),
    isThread: has(CLONE.THREAD),
    isVfork: has(CLONE.VFORK),
    clearsHandlers,
  });
  if (!child) return fail('EAGAIN');
  if (stack !== 0n) child.registers.sp = stack;
  if (has(CLONE.SETTLS)) child.registers.tpidr = tls;
  if (has(CLONE.PIDFD)) writeWord(core, space, pidfdAt, openPidfd(core, process, child.process, 0) >>> 0);
  if (has(CLONE.PARENT_SETTID)) writeWord(core, space, parentTid, child.tid);
  if (has(CLONE.CHILD_SETTID)) writeWord(core, child.process.space, childTid, child.tid);
  if (has(CLONE.CHILD_CLEARTID)) child.clearChildTid = childTid;
  makeReady(core, child);
  if (!has(CLONE.VFORK) || child.process === process) return child.tid;
  block(core, thread, { kind: 'vfork', child: child.process.pid });
  return undefined;
}

/** struct clone_args, of which the first version has 64 bytes. */
const cloneArgsBytes = { least: 64, most: 88 } as const;

function clone3(call: Call): Result {
  const sizeBytes = unsigned(call, 1);
  if (sizeBytes < cloneArgsBytes.least) return fail('EINVAL');
  if (sizeBytes > 4096) return fail('E2BIG');
  const bytes = readUser(call.core, call.space, unsigned(call, 0), sizeBytes);
  if (!bytes) return fail('EFAULT');
  if (bytes.subarray(cloneArgsBytes.least).some((byte) => byte !== 0)) return fail('EINVAL');
  const view = viewOf(bytes);
  const at = (n: number): bigint => view.getBigUint64(8 * n, true);
  const flags = at(0);
  const clearsHandlers = (flags & BigInt(CLONE_CLEAR_SIGHAND)) !== 0n;
  const rest = flags & ~BigInt(CLONE_CLEAR_SIGHAND);
  const signal = at(4);
  const isOrdinary = rest <= 0xffff_ffffn && (rest & BigInt(CLONE.signal | CLONE.DETACHED)) === 0n && signal <= 64n;
  if (!isOrdinary || (at(5) === 0n) !== (at(6) === 0n)) return fail('EINVAL');
  return clone(call, {
    flags: Number(rest | signal),
    clearsHandlers,
    stack: at(5) === 0n ? 0n : at(5) + at(6),
    childTid: u64At(view, 16),
    parentTid: u64At(view, 24),
    tls: at(7),
    pidfdAt: u64At(view, 8),
  });
}

/** A list of pointers to strings that ends with 0, or an error. */
function readStrings({ core, space }: Call, listAt: number): Uint8Array[] | number {
  const strings: Uint8Array[] = [];
  let sum = 0;
  for (let at = listAt; listAt !== 0; at += 8) {
    const pointer = readDoubleword(core, space, at);
    if (pointer === undefined) return fail('EFAULT');
    if (pointer === 0n) break;
    const text = readString(core, space, Number(pointer), argumentStringBytes);
    if (text === undefined) return fail('EFAULT');
    if (text === 'too long') return fail('E2BIG');
    sum += text.length + 9;
    if (sum > argumentBytes) return fail('E2BIG');
    strings.push(text.slice());
  }
  return strings;
}

const decoder = new TextDecoder();
const encoder = new TextEncoder();
/** BINPRM_BUF_SIZE, and how many interpreters of scripts may follow each other. */
const scriptLineBytes = 256;
const scriptDepth = 5;

/** The interpreter and its argument, of a file that begins with #!. */
function scriptOf(
  { core }: Call,
  inode: Inode,
): readonly [interpreter: string, argument: string | undefined] | undefined {
  const head = decoder.decode(readContent(core, inode, 0, scriptLineBytes));
  if (!head.startsWith('#!')) return undefined;
  const [, interpreter = '', argument] = /^#![ \t]*(\S+)(?:[ \t]+(.*?))?[ \t]*(?:\n|$)/.exec(head) ?? [];
  return [interpreter, argument === '' ? undefined : argument];
}

interface Loaded {
  readonly image: Image;
  readonly inode: Inode;
  readonly path: string;
}

/** The image of the file at a path: an executable's, or that of the interpreter which its first line names. */
function load(
  call: Call,
  path: string,
  argv: readonly Uint8Array[],
  envp: readonly Uint8Array[],
  inode: Inode,
  depth = 0,
): Loaded | number {
  const { core, process } = call;
  if (inode.kind !== 'file') return fail('EACCES');
  if ((inode.mode & 0o111) === 0) return fail('EACCES');
  const script = scriptOf(call, inode);
  if (script) {
    if (depth === scriptDepth) return fail('ELOOP');
    const [interpreter, argument] = script;
    const found = lookUp(core, process, interpreter);
    if (typeof found === 'number') return found;
    const words = [interpreter, ...(argument === undefined ? [] : [argument]), path].map((word) =>
      encoder.encode(word),
    );
    return load(call, interpreter, [...words, ...argv.slice(1)], envp, found, depth + 1);
  }
  const image: Image | Refusal = loadProgram(core, { inode, path }, argv, envp, (name) => {
    const found = lookUp(core, process, name);
    return typeof found === 'number' ? undefined : found;
  });
  return 'error' in image ? image.error : { image, inode, path };
}

function execve(call: Call, directory: number, pathAt: number, argvAt: number, envpAt: number, flags: number): Result {
  const { core, space } = call;
  const text = readString(core, space, pathAt, pathBytes);
  if (text === undefined) return fail('EFAULT');
  if (text === 'too long') return fail('ENAMETOOLONG');
  const argv = readStrings(call, argvAt);
  const envp = readStrings(call, envpAt);
  if (typeof argv === 'number') return argv;
  if (typeof envp === 'number') return envp;
  const path = decoder.decode(text);
  const found = resolvePath(core, call.process, directory, path, flags);
  if (typeof found === 'number') return found;
  const loaded = load(call, path, argv.length === 0 ? [new Uint8Array(0)] : argv, envp, found);
  if (typeof loaded === 'number') return loaded;
  replace(call, loaded);
  return undefined;
}

/** The point of no return: the process is the new program, and the calling thread all that is left of it. */
function replace(call: Call, { image, inode, path }: Loaded): void {
  const { core, process, thread, space } = call;
  endOtherThreads(core, thread);
  closeOnExec(core, process);
  dropTimers(core, process);
  becomeImage(core, thread, image, inode, path);
  endVfork(core, process);
  releaseSpace(core, space);
}

export const processCalls: Family = {
  clone: (call) => {
    // The two would go to one address.
    const both = CLONE.PIDFD | CLONE.PARENT_SETTID;
    if ((uint(call, 0) & both) === both) return fail('EINVAL');
    return clone(call, {
      flags: uint(call, 0),
      clearsHandlers: false,
      stack: call.x[1] as bigint,
      parentTid: unsigned(call, 2),
      tls: call.x[3] as bigint,
      childTid: unsigned(call, 4),
      pidfdAt: unsigned(call, 2),
    });
  },
  clone3,
  execve: (call) => execve(call, AT_FDCWD, unsigned(call, 0), unsigned(call, 1), unsigned(call, 2), 0),
  execveat: (call) => execve(call, int(call, 0), unsigned(call, 1), unsigned(call, 2), unsigned(call, 3), int(call, 4)),
  exit: (call) => {
    endThread(call.core, call.thread, exitStatus(int(call, 0)));
    return undefined;
  },
  exit_group: (call) => {
    endAllThreads(call.core, call.process, exitStatus(int(call, 0)));
    return undefined;
  },
  set_tid_address: (call) => {
    call.thread.clearChildTid = unsigned(call, 0);
    return call.thread.tid;
  },
};
