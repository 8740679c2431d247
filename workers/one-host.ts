// A machine on the calling thread: one actor host under the conductor, without a pool. It blocks until the run ends. Benchmarks measure
// an engine with it, and nothing else.

import type { CoreReport } from '../src/report/run-report.ts';
import type { VmDeviceCounts } from '../src/vm/device-report.ts';
import { stopReason } from './control-block.ts';
import type { EngineCounters } from '../src/engine/engine.ts';
import { makeEnsemble } from './ensemble.ts';
import { conductLockstep, type EndOfRun, type LockstepOptions } from './lockstep.ts';
import { buildMachine, type HostedMachine, type MachineConfig } from './machine.ts';

export interface OneHostRun {
  readonly end: EndOfRun;
  readonly ticks: number;
  /** Of the guest, if it has exited. */
  readonly exitCode: number;
  readonly cores: readonly CoreReport[];
  readonly engine: EngineCounters;
  /** What devices of virtual machines have done. */
  readonly vmDevices: readonly VmDeviceCounts[];
}

type Limits = Pick<LockstepOptions, 'seed' | 'maxInstructions' | 'maxTicks'>;

export interface OneHostMachine {
  run(limits: Limits): OneHostRun;
}

export function oneHostMachine(
  config: MachineConfig,
  console: (bytes: Uint8Array, source?: string) => void,
): OneHostMachine {
  let stopped: number = stopReason.none;
  let exitCode = 0;
  const stop = (reason: number, code: number): void => {
    if (stopped !== stopReason.none) return;
    stopped = reason;
    exitCode = code;
  };
  const machine: HostedMachine = buildMachine({ ...config, hosts: 1 }, 0, {
    forward: () => {},
    console: (bytes, source) => {
      console(new Uint8Array(bytes), source);
    },
    guestError: () => {
      stop(stopReason.guestError, 1);
    },
    stop,
    codeWritten: () => {},
  });
  const { host, engine } = machine;
  const coreCount = config.board.cores.length;
  const ensemble = makeEnsemble({
    hosts: [host],
    coreCount,
    hostOfCore: () => 0,
    stopped: () => stopped !== stopReason.none,
    aborted: () => false,
  });
  return {
    run: (limits) => {
      const { lookaheadTicks } = config;
      const ending = conductLockstep(ensemble, { coreCount, lookaheadTicks, ...limits });
      return {
        ...ending,
        exitCode,
        cores: machine.reports(),
        engine: engine.counters(),
        vmDevices: machine.vms.reports(),
      };
    },
  };
}
