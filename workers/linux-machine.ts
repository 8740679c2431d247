// A machine that runs a Linux program: no image, nothing at EL2 and EL3, the resident Linux ABI at EL1 from power-on.

import { memoryMap } from '../src/board/memory-map.ts';
import type { LinuxOptions, RunOptions } from '../src/board/run-options.ts';
import { resolveBoard } from '../src/board/virt.ts';
import { readExecutable } from '../src/linux-abi/elf.ts';
import { UserError } from '../src/report/user-error.ts';
import { hostsOf, lookaheadTicks, makeMemory } from './booted-machine.ts';
import type { MachineConfig } from './machine.ts';

/** All cores share one kernel (linux.ts), so that under lockstep more hosts would make nothing faster. */
export const linuxHostsOf = (options: RunOptions): number => (options.conductor === 'parallel' ? hostsOf(options) : 1);

/** Refuses what is no executable before anything is built. */
function checkExecutable({ image }: RunOptions, { sysroot }: LinuxOptions): void {
  const executable = readExecutable(image.bytes);
  if (typeof executable === 'string') throw new UserError(`${image.path}: ${executable}`);
  if (executable.interpreter !== undefined && sysroot === undefined)
    throw new UserError(
      `${image.path}: dynamically linked, and its interpreter ${executable.interpreter} is not there`,
      'give the directory that has it and the libraries as --sysroot',
    );
}

export function linuxConfig(options: RunOptions, linux: LinuxOptions, stepModule: WebAssembly.Module): MachineConfig {
  checkExecutable(options, linux);
  const board = resolveBoard({ ...options, virtualization: false, secure: false });
  const { image, seed } = options;
  return {
    board,
    memory: makeMemory(board.memoryBytes),
    entry: memoryMap.ram.base,
    x0: 0,
    reset: { el: 1, psciConduit: undefined, allCoresStart: true },
    semihosting: false,
    commandLine: '',
    devices: [],
    seed,
    conductor: options.conductor,
    hosts: linuxHostsOf(options),
    lookaheadTicks,
    engineMode: 'tiered',
    stepModule,
    isProfiled: options.profile === true,
    linux: { path: image.path, bytes: image.bytes, ...linux },
  };
}
