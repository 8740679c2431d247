// The resident Linux ABI at EL1 of one core, from reset on: core 0 makes the kernel's state and the first process, the others wait for work.

import type { Pe } from '../arch/pe.ts';
import {
  type Activity,
  type EntryEnd,
  type MemoryViews,
  type ResidentLevelSoftware,
  type SystemAccess,
  systemAccess,
  work,
} from '../arch/resident.ts';
import { ramBase } from '../arch/state-layout.ts';
import { becomeImage } from './become.ts';
import { enter, leave } from './entry.ts';
import { makeFileSystem, type Mounts } from './files/tree.ts';
import { baseName } from './files/names.ts';
import { lookUp } from './files/paths.ts';
import { installConsole } from './files/console.ts';
import type { Inode } from './files/inode.ts';
import { makeFrames } from './frames.ts';
import { startInterrupts } from './interrupts.ts';
import type { Core, LinuxPort, Platform, ProgramDescription } from './kernel.ts';
import { makeReady } from './scheduler.ts';
import { loadProgram } from './start.ts';
import type { CoreState, LinuxState, Process } from './state.ts';
import { freshTimers, makeThread } from './processes.ts';

export interface LinuxParts {
  readonly index: number;
  readonly pe: Pe;
  readonly memory: MemoryViews;
  readonly platform: Platform;
  readonly program: ProgramDescription;
  readonly port: LinuxPort;
  /** How it reaches the System registers, where it is not on the PE's own thread. */
  readonly system?: SystemAccess;
  /** Of all cores. */
  readonly state: LinuxState;
}

const firstPid = 1;

export function makeLinuxState(platform: Platform, program: ProgramDescription, mounts: Mounts): LinuxState {
  return {
    frames: makeFrames(ramBase, platform.ramBytes),
    cores: Array.from({ length: platform.coreCount }, (_, index): CoreState => ({
      index,
      thread: undefined,
      space: undefined,
      isIdle: false,
      isRung: false,
      sliceEnd: Infinity,
      runningSince: 0,
    })),
    threads: new Map(),
    processes: new Map(),
    queue: [],
    sleepers: new Set(),
    timers: new Set(),
    futexes: new Map(),
    fileSystem: makeFileSystem(platform, program, mounts),
    firstPid,
    nextTid: firstPid + 1,
    nextAsid: 1,
    freeAsids: [],
    nextOrder: 0,
    coresReady: 0,
    formerCode: [],
    unknownCalls: new Map(),
  };
}

/** MAIR_EL1: attribute 0 is Normal memory, Write-Back, Read- and Write-Allocate. */
const MAIR = 0xffn;
/** T0SZ 16, Write-Back walks of Inner Shareable memory, EPD1, IPS 48 bits, AS 16 bits, TBI0. */
const TCR = 16n | (1n << 8n) | (1n << 10n) | (3n << 12n) | (1n << 23n) | (5n << 32n) | (1n << 36n) | (1n << 37n);
const bitsOf = (...bits: readonly number[]): bigint => bits.reduce((sum, bit) => sum | (1n << BigInt(bit)), 0n);
/** M, C, SA, SA0, I, DZE, UCT, nTWE, SPAN, UCI: as SCTLR_EL1 is under Linux. */
const SCTLR = bitsOf(0, 2, 3, 4, 12, 14, 15, 18, 23, 26);
/** CPACR_EL1.FPEN. */
const CPACR = 3n << 20n;
/** EL0VCTEN, and the event stream at about 10 kHz: EVNTEN, EVNTI 12. */
const CNTKCTL = (1n << 1n) | (1n << 2n) | (12n << 4n);

/** Gives the first process its program; false where it cannot be started. */
function startProcess(core: Core): boolean {
  const { state, program, port } = core;
  const { fileSystem } = state;
  const viewer = { directory: fileSystem.start, pid: firstPid };
  const find = (path: string): Inode | undefined => {
    const found = lookUp(core, viewer, path);
    return typeof found === 'number' ? undefined : found;
  };
  const inode = (program.guestPath === undefined ? undefined : find(program.guestPath)) ?? fileSystem.program;
  const encode = (texts: readonly string[]): Uint8Array[] => texts.map((text) => new TextEncoder().encode(text));
  const argv = encode([program.path, ...program.arguments]);
  const image = loadProgram(core, { inode, path: program.path }, argv, encode(program.environment), find);
  if ('sentence' in image) {
    port.refuse(`${program.path}: ${image.sentence}`);
    return false;
  }
  const process: Process = {
    pid: firstPid,
    parent: undefined,
    threads: [],
    children: [],
    space: image.space,
    files: [],
    directory: fileSystem.start,
    umask: 0o022,
    actions: [],
    pending: [],
    ending: undefined,
    isZombie: false,
    stop: undefined,
    unreported: undefined,
    watch: undefined,
    group: firstPid,
    session: firstPid,
    isVfork: false,
    executable: undefined,
    executablePath: '',
    argumentRange: image.argumentRange,
    environmentRange: image.environmentRange,
    auxiliary: image.auxiliary,
    limits: new Map(),
    ...freshTimers(firstPid),
    endedTicks: 0,
    childrenTicks: 0,
  };
  state.processes.set(process.pid, process);
  installConsole(fileSystem, process);
  const thread = makeThread(core, process, firstPid, undefined);
  becomeImage(core, thread, image, inode, program.guestPath ?? `/${baseName(program.path)}`);
  makeReady(core, thread);
  return true;
}

export function createLinux(parts: LinuxParts): ResidentLevelSoftware {
  const { index, pe, memory, platform, program, port, state } = parts;
  const core: Core = {
    index,
    pe,
    memory,
    system: parts.system ?? systemAccess(pe, memory.doublewords),
    state,
    own: state.cores[index] as CoreState,
    platform,
    program,
    port,
    stale: [],
    toRing: new Set(),
    copiedBytes: 0,
  };

  function startRegisters(): void {
    const { system } = core;
    system.write('VBAR_EL1', 0n);
    system.write('MAIR_EL1', MAIR);
    system.write('TCR_EL1', TCR);
    system.write('CPACR_EL1', CPACR);
    system.write('CNTKCTL_EL1', CNTKCTL);
    system.write('PMUSERENR_EL0', 0n);
    system.write('SCTLR_EL1', SCTLR);
  }

  return {
    *reset(): Activity<EntryEnd> {
      startRegisters();
      yield* startInterrupts(core);
      state.coresReady += 1;
      while (index === 0 && state.coresReady < platform.coreCount) yield* work(readyTicks);
      if (index === 0 && !startProcess(core)) return 'sleep';
      return yield* leave(core);
    },
    exception: (vectorOffset) => enter(core, vectorOffset),
  };
}

const readyTicks = 500;
