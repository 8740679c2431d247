// One thread of a run, carried by the piscina pool: an actor host, and on host 0 the conductor. The thread belongs to the run from its
// first window to its last; its event loop does not turn in between, so all it needs comes by shared memory.

import type { MessagePort } from 'node:worker_threads';
import type { ActorId } from '../actors/actor.ts';
import type { CoreReport } from '../src/report/run-report.ts';
import { commandKind, type ControlBlock, openControlBlock, type Reply, stopReason } from './control-block.ts';
import type { Outlook } from './host.ts';
import { conductLockstep, type EndOfRun, type Ensemble } from './lockstep.ts';
import { buildMachine, hostOfCore, hostOf, type HostedMachine, type MachineConfig } from './machine.ts';
import { openRing, type Ring } from './ring.ts';

/** What a thread is given. */
export interface HostTask {
  readonly config: MachineConfig;
  readonly host: number;
  readonly control: SharedArrayBuffer;
  /** rings[from][to]; none from a host to itself. */
  readonly rings: readonly (readonly (SharedArrayBuffer | undefined)[])[];
  readonly seed: number;
  readonly maxInstructions: number;
  readonly maxTicks: number;
  /** Where console bytes and sentences about the guest go. */
  readonly output: MessagePort;
}

export type OutputMessage = { readonly console: Uint8Array } | { readonly guestError: string };

/** What is left of a host when the run has ended. */
export interface HostResult {
  readonly cores: readonly CoreReport[];
  /** Trace hashes by actor. */
  readonly hashes: readonly (readonly [ActorId, string])[];
  /** From host 0. */
  readonly ending?: { readonly end: EndOfRun; readonly ticks: number };
}

/** A host of this run, with its mailboxes. */
interface Member {
  readonly machine: HostedMachine;
  drain(): void;
  publish(): void;
  /** Hosts that have been sent something since the last call, as a mask. */
  takeForwarded(): number;
  syncCode(): void;
}

function join({ config, host, rings, output }: HostTask, control: ControlBlock): Member {
  const outgoing = rings[host]?.map((buffer) => (buffer ? openRing(buffer) : undefined)) ?? [];
  const incoming = rings.map((row) => row[host]).map((buffer) => (buffer ? openRing(buffer) : undefined));
  let forwarded = 0;
  let codeWritesSeen = 0;
  const machine = buildMachine(config, host, {
    forward: (message) => {
      const target = hostOf(config, message.target);
      forwarded |= 1 << target;
      (outgoing[target] as Ring).write(message, (ring) => {
        control.ring(target);
        drain();
        ring.waitUntilDrained(1);
      });
    },
    console: (bytes) => {
      output.postMessage({ console: bytes } satisfies OutputMessage);
    },
    guestError: (sentence) => {
      output.postMessage({ guestError: sentence } satisfies OutputMessage);
      control.stop(stopReason.guestError, 1);
    },
    stop: (reason, code) => {
      control.stop(reason, code);
    },
    codeWritten: (line) => {
      control.logCodeWrite(line);
    },
  });
  function drain(): void {
    for (const ring of incoming) ring?.drain(machine.host.accept);
  }
  return {
    machine,
    drain,
    publish: () => {
      for (const ring of outgoing) ring?.publish();
    },
    takeForwarded: () => {
      const mask = forwarded;
      forwarded = 0;
      return mask;
    },
    syncCode: () => {
      const { lines, count } = control.codeWritesSince(codeWritesSeen);
      if (count === codeWritesSeen) return;
      codeWritesSeen = count;
      machine.engine.linesWrittenElsewhere(lines);
    },
  };
}

function work(member: Member, from: ActorId, to: ActorId, untilTicks: number, alone: boolean, devices: boolean): void {
  member.syncCode();
  member.drain();
  if (devices) member.machine.host.runDevices(untilTicks);
  member.machine.host.runCores(from, to, untilTicks, alone);
  member.publish();
}

const replyOf = ({ machine: { host }, takeForwarded }: Member): Reply => ({
  ...host.outlook(),
  instructions: host.instructions(),
  forwarded: takeForwarded(),
});

/** A host other than 0: does as it is told. */
function follow(task: HostTask, control: ControlBlock, member: Member): void {
  for (;;) {
    const command = control.await(task.host, member.drain);
    if (command.kind === commandKind.finish) return;
    if (command.kind === commandKind.run) {
      const { firstCore, lastCore, untilTicks, alone, withDevices } = command;
      work(member, firstCore, lastCore, untilTicks, alone, withDevices);
    } else {
      member.drain();
    }
    control.reply(task.host, replyOf(member));
  }
}

/** Host 0's view of all hosts. */
function ensembleOf(task: HostTask, control: ControlBlock, own: Member): Ensemble {
  const { config } = task;
  const { hosts, board } = config;
  const coreCount = board.cores.length;
  const idle: Reply = { first: Infinity, core: -1, others: Infinity, instructions: 0, forwarded: 0 };
  const replies: Reply[] = Array.from({ length: hosts }, () => idle);
  /** Hosts whose reply is out of date: they have been sent something, or have not been asked. */
  let stale = -1;

  const note = (host: number, reply: Reply): void => {
    replies[host] = reply;
    stale = (stale & ~(1 << host)) | reply.forwarded;
  };
  const nothing = { untilTicks: 0, firstCore: 0, lastCore: 0, alone: false, withDevices: false };

  function runHost(host: number, from: ActorId, to: ActorId, untilTicks: number, alone: boolean, devices: boolean): void {
    if (host === 0) {
      work(own, from, to, untilTicks, alone, devices);
      stale |= own.takeForwarded();
      return;
    }
    // What this window sends is due after it, so that an earlier answer still tells whether there is anything to do.
    if ((replies[host] as Reply).first >= untilTicks) return;
    const command = { kind: commandKind.run, untilTicks, firstCore: from, lastCore: to, alone, withDevices: devices };
    note(host, control.command(host, command, own.drain));
  }

  return {
    outlook: () => {
      own.drain();
      const merged: Outlook = { ...own.machine.host.outlook() };
      for (let host = 1; host < hosts; host += 1) {
        if (stale & (1 << host)) note(host, control.command(host, { kind: commandKind.outlook, ...nothing }, own.drain));
        const { first, core, others } = replies[host] as Reply;
        if (first < merged.first) {
          merged.others = Math.min(merged.first, others);
          merged.first = first;
          merged.core = core;
        } else {
          merged.others = Math.min(merged.others, first);
        }
      }
      return merged;
    },
    runWindow: (untilTicks, firstCore, alone) => {
      const start = hostOfCore(config, firstCore);
      const last = coreCount - 1;
      // What a core that is alone sends ends its window: another core that it has woken must not run on to the window's end.
      if (alone) {
        runHost(start, firstCore, firstCore, untilTicks, true, true);
        return;
      }
      runHost(start, firstCore, last, untilTicks, false, true);
      for (let n = 1; n < hosts; n += 1) {
        const host = (start + n) % hosts;
        runHost(host, 0, last, untilTicks, false, true);
      }
      if (firstCore > 0) runHost(start, 0, firstCore - 1, untilTicks, false, false);
    },
    instructions: () =>
      replies.reduce((sum, { instructions }) => sum + instructions, own.machine.host.instructions()),
    stopped: () => control.stopReason !== stopReason.none,
    aborted: () => control.aborted,
  };
}

/** The task of the pool: runs one host to the end of the run. */
export function runHost(task: HostTask): HostResult {
  const { config, host } = task;
  const control = openControlBlock(task.control, config.hosts);
  const member = join(task, control);
  const { machine } = member;
  if (host > 0) {
    follow(task, control, member);
    task.output.close();
    return { cores: machine.reports(), hashes: machine.hashes() };
  }
  const ensemble = ensembleOf(task, control, member);
  const ending = conductLockstep(ensemble, {
    coreCount: config.board.cores.length,
    lookaheadTicks: config.lookaheadTicks,
    seed: task.seed,
    maxInstructions: task.maxInstructions,
    maxTicks: task.maxTicks,
  });
  for (let other = 1; other < config.hosts; other += 1) control.finish(other);
  task.output.close();
  return { cores: machine.reports(), hashes: machine.hashes(), ending };
}
