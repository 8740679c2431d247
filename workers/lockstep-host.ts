// The hosts of a run under lockstep: host 0 conducts, the others do as they are told. Between them everything goes by shared memory, so that a
// thread which carries one needs no turn of its event loop from the first window to the last.

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
import type { Host } from './host.ts';
import { type HostResult, type HostTask, outputOf, resultOf, resultOfDevices } from './host-task.ts';
import { type LockstepEnding, makeLockstep } from './lockstep.ts';
import { buildMachine, hostOfCore, hostOf, type HostedMachine, type MachineConfig } from './machine.ts';
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
  const isAlone = config.hosts === 1;
  let forwarded = 0;
  let codeWritesSeen = 0;
  const said = outputOf(output, control);
  const lines = consoleLines(said.console, isAlone);
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

/** Runs a window of a host that is not the only one. */
const work =
  (member: Member): Host['run'] =>
  (...window) => {
    member.syncCode();
    member.drain();
    const run = member.machine.host.run(...window);
    member.publish();
    member.windowPassed();
    return run;
  };

const replyOf = ({ machine: { host }, takeForwarded }: Member): Reply => ({
  ...host.outlook(),
  instructions: host.instructions(),
  forwarded: takeForwarded(),
});

/** Any host but 0: does as it is told, to the end of the run. */
export function followConductor(task: HostTask): HostResult {
  const control = openControlBlock(task.control, task.config.hosts);
  const member = join(task, control);
  const run = work(member);
  for (;;) {
    const command = control.await(task.host, member.drain);
    if (command.kind === commandKind.finish) break;
    if (command.kind === commandKind.run) {
      run(command, command.firstCore, command.lastCore, command.withDevices, 0);
    } else {
      member.drain();
    }
    control.reply(task.host, replyOf(member));
  }
  member.leave();
  return resultOf(member.machine);
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
    run: ({ untilTicks, alone, instructionsLeft: left }, firstCore, lastCore, withDevices, ran) => {
      const before = last;
      // What this window sends is due after it, so that an earlier answer still tells whether there is anything to do.
      if (before.first >= untilTicks) return 0;
      const instructionsLeft = left - ran;
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
  const { host } = own.machine;
  const { instructions } = host;
  if (config.hosts === 1) {
    const run: Host['run'] = (window, first, last, withDevices, ran) => {
      const executed = host.run(window, first, last, withDevices, ran);
      own.windowPassed();
      return executed;
    };
    return [{ outlook: host.outlook, run, instructions }];
  }
  const runOwn = work(own);
  const itself: ConductedHost = {
    outlook: () => {
      own.drain();
      return host.outlook();
    },
    run: (...window) => {
      const executed = runOwn(...window);
      noteForwarded(own.takeForwarded());
      return executed;
    },
    instructions,
  };
  return [itself, ...others];
}

/** A run as host 0 has it. */
export interface ConductedRun {
  /** Goes on to the end of the run, or to the first window before which `isPaused`; what the run leaves behind, at its end. */
  readonly proceed: (isPaused: () => boolean) => HostResult | undefined;
}

/** Makes host 0, and conducts. */
export function conductRun(task: HostTask): ConductedRun {
  const { config, seed, maxInstructions, maxTicks } = task;
  const control = openControlBlock(task.control, config.hosts);
  const member = join(task, control);
  const coreCount = config.board.cores.length;
  const ensemble = makeEnsemble({
    hosts: conductedHosts(config, control, member),
    coreCount,
    hostOfCore: (core) => hostOfCore(config, core),
    stopped: () => control.stopReason() !== stopReason.none,
    aborted: () => control.aborted(),
  });
  const { lookaheadTicks } = config;
  const progress = control.setProgress;
  const goOn = makeLockstep(ensemble, { coreCount, lookaheadTicks, seed, maxInstructions, maxTicks, progress });
  const startMs = performance.now();
  const resultAt = (ended: LockstepEnding): HostResult => {
    const ending = { ...ended, hostMs: performance.now() - startMs };
    for (let other = 1; other < config.hosts; other += 1) control.finish(other);
    member.leave();
    const { machine } = member;
    return { ...resultOf(machine), ...resultOfDevices(machine, config), ending };
  };
  return {
    proceed: (isPaused) => {
      const ended = goOn(isPaused);
      return ended && resultAt(ended);
    },
  };
}
