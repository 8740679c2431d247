// A thread becomes a new program: what execve keeps of its process, and what it does not (begin_new_exec(), start_thread()).

import type { Inode } from './files/inode.ts';
import { baseName } from './files/names.ts';
import type { Core } from './kernel.ts';
import { emptyRegisters, loadRegisters } from './registers.ts';
import { noAlternateStack } from './delivery.ts';
import { SIG_IGN } from './signal-numbers.ts';
import type { Image } from './start.ts';
import type { AddressSpace, Thread } from './state.ts';

/** TTBR0_EL1: the tables that EL0 is translated by on this core. */
export function installSpace(core: Core, space: AddressSpace): void {
  if (core.own.space === space) return;
  core.own.space = space;
  space.cores.add(core.index);
  core.system.write('TTBR0_EL1', (BigInt(space.asid) << 48n) | BigInt(space.root));
}

const RLIMIT_STACK = 3;
/** TASK_COMM_LEN without the terminating zero. */
const commLength = 15;

export function becomeImage(core: Core, thread: Thread, image: Image, inode: Inode, path: string): void {
  const { process } = thread;
  const { space, entry, stackPointer, argumentRange, environmentRange, auxiliary } = image;
  Object.assign(process, {
    space,
    argumentRange,
    environmentRange,
    auxiliary,
    executable: inode,
    executablePath: path,
    actions: process.actions.map((action) => (action?.handler === SIG_IGN ? action : undefined)),
  });
  Object.assign(thread, {
    name: baseName(path).slice(0, commLength),
    clearChildTid: 0,
    robustList: 0,
    alternateStack: noAlternateStack,
    suspendedSignals: undefined,
  });
  const stackLimit = process.limits.get(RLIMIT_STACK)?.[0];
  if (stackLimit !== undefined) space.stackBytes = Number(stackLimit);
  thread.registers = { ...emptyRegisters(), pc: BigInt(entry), sp: BigInt(stackPointer) };
  if (core.own.thread !== thread) return;
  loadRegisters(core, thread.registers);
  installSpace(core, space);
}
