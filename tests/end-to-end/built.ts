// The built command line as child processes: what a user sees, types and waits for.

import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';

const checkout = resolve(import.meta.dirname, '../..');
const main = resolve(checkout, 'dist/src/cli/main.js');
const guestFolder = resolve(checkout, 'tests/guests');

interface Machine {
  readonly virtualization: boolean;
  readonly secure: boolean;
  /** Options for parts of the board that are there on request; only Heddle has them. */
  readonly board?: readonly string[];
  /** Version of the GIC; 3 unless told. */
  readonly gic?: number;
}

export interface Guest {
  readonly name: string;
  readonly file: string;
  readonly machine: Machine;
  readonly otherMachines: readonly Machine[];
  readonly timingIndependent: boolean;
  readonly exitCode: number | readonly number[] | null;
  readonly qemu: boolean;
}

/** A program of virtual machines with what it is run on; `heddle` says that the board has all of it. */
interface VmRun {
  readonly name: string;
  readonly program: string;
  readonly flat: boolean;
  readonly machine: { readonly gic: 2 | 3; readonly virtualization: boolean };
  readonly cores: number;
  readonly options: string;
  readonly devices: readonly string[];
  /** QEMU's devices offer packed rings. */
  readonly packed: boolean;
  readonly heddle: boolean;
}

export const { guests, vmRuns } = JSON.parse(readFileSync(resolve(guestFolder, 'guests.json'), 'utf8')) as {
  guests: readonly Guest[];
  vmRuns: readonly VmRun[];
};
export const elfOf = (name: string): string => resolve(guestFolder, 'bin', `${name}.elf`);
export const expectedOf = (name: string): string =>
  readFileSync(resolve(guestFolder, 'expected', `${name}.txt`), 'utf8');

export interface Ended {
  /** The exit code, or the signal that has ended the process. */
  readonly code: number | string;
  readonly stdout: string;
  readonly stderr: string;
  /** The largest resident set that /proc has told of, or 0 where there is no /proc. */
  readonly peakBytes: number;
}

export interface StartOptions {
  readonly timeoutMs?: number;
  /** Called with every piece of standard error; may send the process a signal. */
  readonly onStderr?: (text: string, kill: (signal: NodeJS.Signals) => void) => void;
  readonly measuresMemory?: boolean;
}

/** VmHWM: the peak of the resident set so far. */
function peakBytesOf(pid: number | undefined): number {
  try {
    const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid ?? 0}/status`, 'utf8')) ?? [];
    return 1024 * Number(kib ?? 0);
  } catch {
    return 0;
  }
}

/** Processes that a test file runs at once: a machine of two cores is shared with another file. */
const mostProcesses = 2;
let processes = 0;
const waiting: (() => void)[] = [];

async function start(command: string, args: readonly string[], options: StartOptions = {}): Promise<Ended> {
  if (processes === mostProcesses) await new Promise<void>((free) => waiting.push(free));
  else processes += 1;
  try {
    return await run(command, args, options);
  } finally {
    const next = waiting.shift();
    if (next) next();
    else processes -= 1;
  }
}

function run(command: string, args: readonly string[], options: StartOptions): Promise<Ended> {
  const { timeoutMs = 60_000, onStderr, measuresMemory = false } = options;
  return new Promise((done, failed) => {
    const child = spawn(command, args, { cwd: checkout, stdio: ['ignore', 'pipe', 'pipe'] });
    const text = { stdout: '', stderr: '' };
    let peakBytes = 0;
    let isLate = false;
    child.stdout.setEncoding('latin1').on('data', (piece: string) => (text.stdout += piece));
    child.stderr.setEncoding('utf8').on('data', (piece: string) => {
      text.stderr += piece;
      onStderr?.(text.stderr, (signal) => child.kill(signal));
    });
    const measure = measuresMemory
      ? setInterval(() => {
          peakBytes = Math.max(peakBytes, peakBytesOf(child.pid));
        }, 20)
      : undefined;
    const limit = setTimeout(() => {
      isLate = true;
      child.kill('SIGKILL');
    }, timeoutMs);
    child.on('error', failed);
    child.on('close', (code, signal) => {
      clearInterval(measure);
      clearTimeout(limit);
      done({ code: isLate ? `late after ${timeoutMs} ms` : (code ?? signal ?? 'lost'), ...text, peakBytes });
    });
  });
}

/** Runs `heddle` with these arguments. */
export const heddle = (args: readonly string[], options?: StartOptions): Promise<Ended> =>
  start(process.execPath, [main, ...args], options);

const onOff = (value: boolean): string => (value ? 'on' : 'off');

/** Runs a guest under Heddle. */
export const runGuest = (name: string, machine: Machine, cores: number, ...more: readonly string[]): Promise<Ended> =>
  heddle([
    'run',
    elfOf(name),
    `--cores=${cores}`,
    `--virtualization=${onOff(machine.virtualization)}`,
    `--secure=${onOff(machine.secure)}`,
    ...(machine.board ?? []),
    `--gic=${machine.gic ?? 3}`,
    ...more,
  ]);

/** Runs a program of virtual machines bare, under Heddle, with a fresh disk where it has one. */
export async function runVmProgram(run: VmRun, ...more: readonly string[]): Promise<Ended> {
  const { program, flat, machine, cores, options, devices } = run;
  const folder = mkdtempSync(resolve(tmpdir(), 'heddle-vm-'));
  try {
    const disk = resolve(folder, 'disk');
    writeFileSync(disk, new Uint8Array(1024 * 1024));
    return await heddle([
      'run',
      resolve(guestFolder, 'bin/vm', `${program}.${flat ? 'img' : 'elf'}`),
      ...[`--cores=${cores}`, `--gic=${machine.gic}`, `--virtualization=${onOff(machine.virtualization)}`],
      ...(devices.includes('block') ? [`--drive=${disk},serial=heddle-disk`] : []),
      ...(devices.includes('net') ? ['--net=user'] : []),
      ...(devices.includes('entropy') ? ['--rng'] : []),
      ...(devices.includes('console') ? ['--console'] : []),
      `--kernel-args=${options}`,
      ...more,
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The same under QEMU. */
export const runVmProgramUnderQemu = ({ name }: VmRun): Promise<Ended> =>
  start('sh', [resolve(guestFolder, 'run-vm-qemu.sh'), name]);

export const hasQemu = spawnSync('qemu-system-aarch64', ['--version']).status === 0;

/** Runs a guest under QEMU as run-qemu.sh does. */
export const runUnderQemu = (name: string, machine: Machine, cores: number, kernelArgs?: string): Promise<Ended> => {
  const properties = [
    `virt,gic-version=${machine.gic ?? 3}`,
    `virtualization=${onOff(machine.virtualization)}`,
    `secure=${onOff(machine.secure)}`,
    ...(machine.board ?? []).map((word) => word.slice('--'.length)),
  ];
  return start('qemu-system-aarch64', [
    ...['-accel', 'tcg,thread=single', '-M', properties.join(), '-cpu', 'max', '-smp', String(cores), '-m', '512'],
    ...['-nic', 'none', '-display', 'none', '-monitor', 'none', '-serial', 'stdio', '-semihosting'],
    ...['-kernel', elfOf(name)],
    ...(kernelArgs === undefined ? [] : ['-append', kernelArgs]),
  ]);
};

/** How QEMU spells a machine, for the names of tests. */
export const nameOfMachine = ({ virtualization, secure }: Machine): string =>
  [virtualization ? 'EL2' : '', secure ? 'EL3' : ''].filter(Boolean).join(' and ') || 'neither EL2 nor EL3';
