// From the options of a run to its report: builds the machine, has its hosts carried, and puts together what they leave behind.

import { createHash } from 'node:crypto';
import { pageShift, ramBase, touchedPageOffset } from '../src/arch/state-layout.ts';
import type { RunIo, RunOptions } from '../src/board/run-options.ts';
import { assert } from '../src/report/assert.ts';
import { type ProfileIo, summarise } from '../src/report/profile.ts';
import { exitCodeOf, type RunReason, type RunReport } from '../src/report/run-report.ts';
import { formatSpeedscope } from '../src/report/speedscope.ts';
import { applyChanges } from './apply-changes.ts';
import { bootedMachine, hostsOf } from './booted-machine.ts';
import { controlBuffer, openControlBlock, stopReason } from './control-block.ts';
import type { HostResult, OutputMessage, SharedTask } from './host-task.ts';
import { hostNanoseconds } from './host-clock.ts';
import { linuxConfig, linuxHostsOf } from './linux-machine.ts';
import type { EndOfRun } from './lockstep.ts';
import type { MachineConfig } from './machine.ts';
import { limitMeeting, meetingBuffer } from './meeting.ts';
import { ringBuffer } from './ring.ts';
import { readStepModule } from './step-module.ts';

/** Host time, in milliseconds, before a run begins to show how far it has come, and from then on between two times. */
const quietMs = 2000;
const progressMs = 500;

const pageBytes = 1 << pageShift;

const reasonOfStop: Readonly<Record<number, RunReason>> = {
  [stopReason.exit]: 'exit',
  [stopReason.systemOff]: 'system-off',
  [stopReason.systemReset]: 'system-reset',
  [stopReason.guestError]: 'guest-error',
};
const reasonOfEnd: Readonly<Record<Exclude<EndOfRun, 'stopped'>, RunReason>> = {
  aborted: 'interrupted',
  deadlock: 'deadlock',
  'max-instructions': 'max-instructions',
  'max-time': 'max-time',
};

/** Runs a machine that boots an image to its end. */
export async function runMachine(options: RunOptions, io: RunIo & ProfileIo): Promise<RunReport> {
  const { linux, conductor } = options;
  const hosts = linux ? linuxHostsOf(options) : hostsOf(options);
  // Threads load what they need while the machine is made.
  if (!isForThisThread({ hosts, conductor, ...(linux && { linux }) }))
    (await import('./host-pool.ts')).startThreads(hosts);
  const config = linux ? linuxConfig(options, linux, readStepModule()) : bootedMachine(options, 'tiered');
  const { report, results } = await runConfigured(config, options, io);
  writeFiles(options, results[0], io);
  if (config.isProfiled) await reportProfile(options, results, io);
  io.conducted?.(results[0]?.ending?.hostMs ?? 0);
  const smmu = results[0]?.smmu;
  const unknownCalls = results[0]?.linux?.unknownCalls ?? [];
  return {
    ...report,
    ...(smmu && { smmu }),
    ...(options.devices.length > 0 && { devices: results[0]?.devices ?? [] }),
    ...(unknownCalls.length > 0 && { unknownCalls }),
  };
}

type Carried = Pick<MachineConfig, 'hosts' | 'conductor'> & { readonly linux?: object };

/**
 * True where the thread that asks for a run carries it: one host, under lockstep. A Linux program has a thread of its own, since it may wait for
 * standard input, and the user must be heard meanwhile.
 */
const isForThisThread = ({ hosts, conductor, linux }: Carried): boolean =>
  hosts === 1 && conductor !== 'parallel' && !linux;

export type RunLimits = Pick<RunOptions, 'seed' | 'maxInstructions' | 'maxTimeNs'>;

/** Runs a machine to its end. */
export async function runConfigured(
  config: MachineConfig,
  options: RunLimits,
  io: Pick<RunIo, 'stdout' | 'progress' | 'signal'>,
): Promise<{ readonly report: RunReport; readonly results: readonly HostResult[] }> {
  const { board, hosts } = config;
  const control = controlBuffer(hosts);
  const block = openControlBlock(control, hosts);
  const rings = Array.from({ length: hosts }, (_, from) =>
    Array.from({ length: hosts }, (__, to) => (from === to ? undefined : ringBuffer())),
  );
  const maxInstructions = options.maxInstructions ?? Infinity;
  const isParallel = config.conductor === 'parallel';
  const meeting = meetingBuffer(hosts);
  limitMeeting(meeting, hosts, maxInstructions);
  let message: string | undefined;

  const abort = (): void => {
    block.abort();
  };
  io.signal.addEventListener('abort', abort);
  const startMs = performance.now();
  const startNanoseconds = hostNanoseconds();
  const watch = setInterval(() => {
    const { ticks, instructions } = block.progress();
    if (performance.now() - startMs >= quietMs) io.progress?.(ticks, instructions);
  }, progressMs);
  if (io.signal.aborted) abort();
  try {
    const say = inOrder((output) => {
      if ('console' in output) io.stdout(output.console, output.source);
      else message ??= output.guestError;
    });
    const task: SharedTask = {
      config,
      control,
      rings,
      ...(isParallel && { meeting }),
      startNanoseconds,
      seed: options.seed,
      maxInstructions,
      maxTicks: options.maxTimeNs ?? Infinity,
    };
    const results = isForThisThread(config)
      ? [await (await import('./own-thread.ts')).runOnThisThread(task, say)]
      : await (await import('./host-pool.ts')).runOnThreads(task, say);
    const ending = results[0]?.ending;
    assert(ending !== undefined, 'host 0 tells how the run has ended');
    const reason = ending.end === 'stopped' ? reasonOfStop[block.stopReason()] : reasonOfEnd[ending.end];
    assert(reason !== undefined, `a reason for stop ${block.stopReason()}`);
    const { ticks } = ending;
    const cores = results
      .flatMap((result) => result.cores)
      .sort((a, b) => a.core - b.core)
      // The clock goes on while hosts tell what they have done.
      .map((core) => (isParallel ? { ...core, timeNs: Math.min(core.timeNs, ticks) } : core));
    const report: RunReport = {
      format: 'heddle-run',
      version: 1,
      seed: options.seed,
      exitCode: exitCodeOf(reason, block.exitCode()),
      reason,
      // No two runs under `parallel` are alike.
      ...(!isParallel && { traceHash: traceHash(results, new Uint8Array(config.memory.buffer), board.memoryBytes) }),
      simulatedTimeNs: Math.max(ticks, ...cores.map(({ timeNs }) => timeNs)),
      instructions: cores.reduce((sum, { instructions }) => sum + instructions, 0),
      cores,
    };
    return { report: message === undefined ? report : { ...report, message }, results };
  } finally {
    clearInterval(watch);
    io.signal.removeEventListener('abort', abort);
  }
}

/** Puts the profiles of the threads together. */
async function reportProfile(
  { image, linux, speedscope }: RunOptions,
  results: readonly HostResult[],
  io: RunIo & ProfileIo,
): Promise<void> {
  // Reading symbols is no part of other runs.
  const { namesOfImage, namesOfPrograms } = await import('./guest-names.ts');
  const threads = results.flatMap(({ profile }) => (profile ? [profile] : []));
  const guestName = linux ? namesOfPrograms(results[0]?.linux?.code ?? []) : namesOfImage(image);
  io.profiled?.(summarise(threads, guestName));
  if (speedscope === undefined) return;
  io.writeFile(speedscope, new TextEncoder().encode(formatSpeedscope(image.path, threads, guestName)));
}

/** What the run leaves in files: disks that the guest has written to, unless the user has asked to forget it, and what devices made. */
function writeFiles({ devices, pcap, linux }: RunOptions, result: HostResult | undefined, io: RunIo): void {
  for (const device of devices) {
    if (device.kind !== 'block' || device.snapshot || result?.changedDisks?.includes(device.path) !== true) continue;
    io.writeFile(device.path, Uint8Array.from(device.bytes));
  }
  for (const [path, bytes] of result?.files ?? []) io.writeFile(path, bytes);
  if (pcap !== undefined && result?.capture !== undefined) io.writeFile(pcap, result.capture);
  if (linux?.workdir === undefined || !result?.linux) return;
  for (const path of applyChanges(linux.workdir, result.linux.changes))
    io.stderr(`heddle: ${linux.workdir}/${path} cannot be changed\n`);
}

/** Hands on what the hosts say by position: the ports of different threads overtake each other. */
function inOrder(handOn: (output: OutputMessage) => void): (output: OutputMessage) => void {
  const early = new Map<number, OutputMessage>();
  let position = 0;
  return (output) => {
    early.set(output.position, output);
    for (let next = early.get(position); next; next = early.get(position)) {
      early.delete(position);
      position = (position + 1) | 0;
      handOn(next);
    }
  };
}

/** Over every actor's hash, every core's instructions, and every page of RAM that was written to. */
function traceHash(results: readonly HostResult[], bytes: Uint8Array, memoryBytes: number): string {
  const hash = createHash('sha256');
  const actors = results.flatMap(({ hashes }) => [...hashes]).sort(([a], [b]) => a - b);
  for (const [id, digest] of actors) hash.update(`${id}:${digest};`);
  for (const { core, instructions } of results.flatMap(({ cores }) => [...cores]).sort((a, b) => a.core - b.core)) {
    hash.update(`${core}:${instructions};`);
  }
  const [page, blank] = [Buffer.alloc(pageBytes), Buffer.alloc(pageBytes)];
  const last = (ramBase + memoryBytes) / pageBytes;
  for (let n = ramBase / pageBytes; n < last; n += 1) {
    if (bytes[touchedPageOffset + n] === 0) continue;
    page.set(bytes.subarray(n * pageBytes, (n + 1) * pageBytes));
    if (page.equals(blank)) continue;
    hash.update(`${n}:`).update(page);
  }
  return hash.digest('hex').slice(0, 32);
}
