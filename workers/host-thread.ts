// One thread of a run, carried by the piscina pool: an actor host, and on host 0 the conductor. The thread belongs to the run from its
// first window to its last; its event loop does not turn in between, so all it needs comes by shared memory.

import {
  type Command,
  commandKind,
  type ControlBlock,
  openControlBlock,
  type Reply,
  stopReason,
} from './control-block.ts';
import { consoleLines } from './console-lines.ts';
import { type ConductedHost, makeEnsemble } from './ensemble.ts';
import type { CoreWindow } from './host.ts';
import { type HostResult, type HostTask, outputOf, resultOf, resultOfDevices } from './host-task.ts';
import { conductLockstep } from './lockstep.ts';
import { buildMachine, hostOfCore, hostOf, type HostedMachine, type MachineConfig } from './machine.ts';
import { runParallelHost } from './parallel-thread.ts';
import { profiled } from './profiler.ts';
import { openRing, type Ring } from './ring.ts';

/** A host of this run, with its mailboxes. */
interface Member {
  readonly machine: HostedMachine;
  readonly drain: () => void;
  publish(): void;
  /** Hosts that have been sent something since the last call, as a mask. */
  readonly takeForwarded: () => number;
  syncCode(): void;
  /** A window is over. */
  windowPassed(): void;
  /** Says what is left to say. */
  leave(): void;
}

function join({ config, host, rings, output }: HostTask, control: ControlBlock): Member {
  const outgoing = rings[host]?.map((buffer) => (buffer ? openRing(buffer) : undefined)) ?? [];
  const incoming = rings.map((row) => row[host]).map((buffer) => (buffer ? openRing(buffer) : undefined));
  let forwarded = 0;
  let codeWritesSeen = 0;
  const said = outputOf(output, control);
  const lines = consoleLines(said.console, config.hosts === 1);
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
    console: lines.write,
    guestError: (sentence) => {
      lines.flush();
      said.guestError(sentence);
    },
    stop: (reason, code) => {
      control.stop(reason, code);
    },
    codeWritten: (line) => {
      control.logCodeWrite(line);
      // Only the host that works writes, and it has read the log before.
      codeWritesSeen = (codeWritesSeen + 1) | 0;
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
      const { lines: written, count } = control.codeWritesSince(codeWritesSeen);
      if (count === codeWritesSeen) return;
      codeWritesSeen = count;
      machine.engine.linesWrittenElsewhere(written);
    },
    windowPassed: lines.windowPassed,
    leave: () => {
      lines.flush();
      output.close();
    },
  };
}

/** Runs a window, and returns how many instructions were run. */
function work(member: Member, window: CoreWindow, withDevices: boolean): number {
  member.syncCode();
  member.drain();
  if (withDevices) member.machine.host.runDevices(window.untilTicks);
  const run = member.machine.host.runCores(window);
  member.publish();
  member.windowPassed();
  return run;
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
      const { firstCore: first, lastCore: last, untilTicks, alone, withDevices, instructionsLeft } = command;
      work(member, { first, last, untilTicks, alone, instructionsLeft }, withDevices);
    } else {
      member.drain();
    }
    control.reply(task.host, replyOf(member));
  }
}

/** Another host, as host 0 sees it by the control block. */
interface RemoteHost extends ConductedHost {
  /** It has been sent something: what it told last is out of date. */
  outdate(): void;
}

/** `noteForwarded`: hosts that have been sent something, as a mask. */
function remoteHost(
  control: ControlBlock,
  host: number,
  own: Member,
  noteForwarded: (mask: number) => void,
): RemoteHost {
  let last: Reply = { first: Infinity, core: -1, others: Infinity, instructions: 0, forwarded: 0 };
  let isOutdated = true;
  const command = (asked: Command): Reply => {
    last = control.command(host, asked, own.drain);
    isOutdated = false;
    noteForwarded(last.forwarded);
    return last;
  };
  const nothing = { untilTicks: 0, firstCore: 0, lastCore: 0, alone: false, withDevices: false, instructionsLeft: 0 };
  return {
    outdate: () => {
      isOutdated = true;
    },
    outlook: () => (isOutdated ? command({ kind: commandKind.outlook, ...nothing }) : last),
    run: ({ first: firstCore, last: lastCore, untilTicks, alone, instructionsLeft }, withDevices) => {
      const before = last;
      // What this window sends is due after it, so that an earlier answer still tells whether there is anything to do.
      if (before.first >= untilTicks) return 0;
      const asked = { kind: commandKind.run, untilTicks, firstCore, lastCore, alone, withDevices, instructionsLeft };
      return command(asked).instructions - before.instructions;
    },
    instructions: () => last.instructions,
  };
}

/** All hosts, as host 0 conducts them. */
function conductedHosts(config: MachineConfig, control: ControlBlock, own: Member): ConductedHost[] {
  const noteForwarded = (mask: number): void => {
    others.forEach((other, n) => {
      if (mask & (1 << (n + 1))) other.outdate();
    });
  };
  const others = Array.from({ length: config.hosts - 1 }, (_, n) => remoteHost(control, n + 1, own, noteForwarded));
  const itself: ConductedHost = {
    outlook: () => {
      own.drain();
      return own.machine.host.outlook();
    },
    run: (window, withDevices) => {
      const executed = work(own, window, withDevices);
      noteForwarded(own.takeForwarded());
      return executed;
    },
    instructions: own.machine.host.instructions,
  };
  return [itself, ...others];
}

/** The task of the pool: runs one host to the end of the run. */
export function runHost(task: HostTask): HostResult {
  if (!task.config.isProfiled) return takePart(task);
  const { result, profile } = profiled(() => takePart(task));
  return { ...result, profile };
}

function takePart(task: HostTask): HostResult {
  const { config, host } = task;
  if (config.conductor === 'parallel') return runParallelHost(task);
  const control = openControlBlock(task.control, config.hosts);
  const member = join(task, control);
  const { machine } = member;
  if (host > 0) {
    follow(task, control, member);
    member.leave();
    return resultOf(machine);
  }
  const coreCount = config.board.cores.length;
  const ensemble = makeEnsemble({
    hosts: conductedHosts(config, control, member),
    coreCount,
    hostOfCore: (core) => hostOfCore(config, core),
    stopped: () => control.stopReason !== stopReason.none,
    aborted: () => control.aborted,
  });
  const startMs = performance.now();
  const ended = conductLockstep(ensemble, {
    coreCount,
    lookaheadTicks: config.lookaheadTicks,
    seed: task.seed,
    maxInstructions: task.maxInstructions,
    maxTicks: task.maxTicks,
    progress: control.setProgress,
  });
  const ending = { ...ended, hostMs: performance.now() - startMs };
  for (let other = 1; other < config.hosts; other += 1) control.finish(other);
  member.leave();
  return { ...resultOf(machine), ...resultOfDevices(machine, config), ending };
}
