// The resident Linux ABI on the cores of a machine: what the board tells it, and how what its programs do reaches the world. All cores share
// one kernel, which is one object. Under lockstep a machine that runs Linux programs has one host, since more of them would not be faster;
// where its cores run on several at the same time, the kernel is an actor (actors/linux).

import type { Actor, ActorId, Port } from '../actors/actor.ts';
import type { CoreControl } from '../actors/core/options.ts';
import { type EnteredCore, makeLinuxKernel } from '../actors/linux/kernel.ts';
import { makeRandom } from '../actors/random.ts';
import { createPe } from '../src/arch/create-pe.ts';
import type { PeEnvironment } from '../src/arch/environment.ts';
import type { Concurrency, Pe, PeOptions } from '../src/arch/pe.ts';
import { type ResidentLevelSoftware, type SystemAccess, systemAccess } from '../src/arch/resident.ts';
import { memoryMap } from '../src/board/memory-map.ts';
import type { Board } from '../src/board/virt.ts';
import type { Engine } from '../src/engine/engine.ts';
import { codeAmong } from '../src/linux-abi/address-space.ts';
import { callNames } from '../src/linux-abi/call-names.ts';
import { type Change, collectChanges } from '../src/linux-abi/files/changes.ts';
import type { HostTree } from '../src/linux-abi/files/host-tree.ts';
import type { ProgramDescription } from '../src/linux-abi/kernel.ts';
import { createLinux, makeLinuxState } from '../src/linux-abi/linux.ts';
import type { MemoryViews } from '../src/memory/memory-views.ts';
import { InternalError } from '../src/report/assert.ts';
import type { UnknownCall } from '../src/report/run-report.ts';
import { deviceRam } from './device-ram.ts';
import { hostTree } from './host-tree.ts';
import type { MappedCode } from './guest-names.ts';
import { readStandardInput } from './standard-input.ts';

/** A program and what of the host it may see. */
export interface LinuxProgram extends ProgramDescription {
  /** Directories of the host. */
  readonly sysroot?: string;
  readonly workdir?: string;
}

interface LinuxHost {
  readonly board: Board;
  readonly views: MemoryViews;
  readonly engine: Engine;
  readonly cores: readonly ActorId[];
  /** The date at reset, in seconds since 1970. */
  readonly startSeconds: number;
  readonly seed: number;
  readonly console: (bytes: Uint8Array, source?: string) => void;
  readonly guestError: (sentence: string) => void;
  /** Given where cores run at the same time. */
  readonly concurrency?: Concurrency;
}

/** What the kernel needs of its thread: a core, or itself where it is an actor. */
type KernelControl = Pick<CoreControl, 'now' | 'exit' | 'port'>;

export interface LinuxMachine {
  ofCore(index: number, pe: Pe, control: CoreControl): ResidentLevelSoftware;
  /** The kernel as an actor. */
  actor(port: Port, options: KernelActorOptions): Actor;
  /** What the programs have changed in the workdir. */
  changes(): readonly Change[];
  unknownCalls(): readonly UnknownCall[];
  /** Files that programs have had in their memory as code, for a profile. */
  code(): readonly MappedCode[];
}

export interface KernelActorOptions {
  /** How the PE of a core is made. */
  readonly pe: (index: number) => Omit<PeOptions, 'environment'>;
  readonly exit: (code: number) => void;
}

/** A PE of another thread, which waits: its record is there to be read and written; whatever acts beyond it is that thread's. */
function recordOfPe(
  options: Omit<PeOptions, 'environment'>,
  environment: Pick<PeEnvironment, 'now' | 'dvmComplete'>,
): Pe {
  const refuse = (): never => {
    throw new InternalError('the kernel acts on a PE by messages to its core');
  };
  return createPe({
    ...options,
    environment: {
      instructions: refuse,
      codeWritten: refuse,
      busRequest: refuse,
      broadcast: refuse,
      instructionCache: refuse,
      event: refuse,
      timer: refuse,
      gic: { read: refuse, write: refuse },
      ...environment,
    },
  });
}

/** The stream of the console that is not standard output. */
const errorSource = 'stderr';

export function linuxMachine(host: LinuxHost, program: LinuxProgram): LinuxMachine {
  const { board, views, engine, cores, startSeconds, seed } = host;
  const platform = {
    coreCount: board.cores.length,
    mpidrs: board.cores.map(({ mpidr }) => mpidr),
    distributorBase: memoryMap.gicDistributor.base,
    redistributorBases: board.cores.map(({ redistributorBase }) => redistributorBase),
    ramBytes: board.memoryBytes,
    startSeconds,
  };
  const tree = (path: string | undefined): HostTree | undefined => (path === undefined ? undefined : hostTree(path));
  const sysroot = tree(program.sysroot);
  const workdir = tree(program.workdir);
  const random = makeRandom(seed);
  const state = makeLinuxState(platform, program, {
    hasSysroot: sysroot !== undefined,
    hasWorkdir: workdir !== undefined,
  });

  const acknowledgeRegister = 'ICC_IAR1_EL1';

  function software(index: number, pe: Pe, control: KernelControl, system?: SystemAccess): ResidentLevelSoftware {
    const { concurrency } = host;
    const ram = deviceRam(
      { views, ramBytes: board.memoryBytes, engine, cores, ...(concurrency && { concurrency }) },
      control.port,
    );
    return createLinux({
      index,
      pe,
      ...(system && { system }),
      memory: views,
      platform,
      program,
      state,
      port: {
        ram,
        now: control.now,
        exit: control.exit,
        refuse: host.guestError,
        say: (sentence) => {
          host.console(new TextEncoder().encode(`heddle: ${sentence}\n`), errorSource);
        },
        write: (stream, bytes) => {
          if (stream === 'stdout') host.console(Uint8Array.from(bytes));
          else host.console(Uint8Array.from(bytes), errorSource);
        },
        read: readStandardInput,
        randomBytes: (count) => Uint8Array.from({ length: count }, () => random.below(256)),
        sysroot,
        workdir,
      },
    });
  }

  /** The kernel's side of a core that has entered it on another thread. */
  function entered(index: number, core: EnteredCore, port: Port, { pe, exit }: KernelActorOptions) {
    const seen = recordOfPe(pe(index), { now: () => port.now(), dvmComplete: core.isBarrierComplete });
    const own = systemAccess(seen, views.doublewords);
    return software(
      index,
      seen,
      { now: () => port.now(), exit, port },
      {
        ...core.system,
        read: (name) => (name === acknowledgeRegister ? BigInt(core.acknowledge()) : own.read(name)),
      },
    );
  }

  return {
    ofCore: (index, pe, control) => software(index, pe, control),
    actor: (port, options) =>
      makeLinuxKernel(port, { cores, software: (index, core) => entered(index, core, port, options) }),
    changes: () => collectChanges(state, workdir, views),
    code: () => {
      const present = [...state.processes.values()].flatMap(({ space }) => codeAmong(space.mappings, state.formerCode));
      return [...state.formerCode, ...present].flatMap(({ start, end, offset, name, inode }) =>
        inode?.data ? [{ start, end, offset, file: { path: name, bytes: inode.data.slice(0, inode.sizeBytes) } }] : [],
      );
    },
    unknownCalls: () =>
      [...state.unknownCalls]
        .sort(([a], [b]) => a - b)
        .map(([number, count]) => ({ number, name: callNames.get(number) ?? 'unknown', count })),
  };
}
