// A hypervisor's memory and state, and the board's SMMU with its devices: for what programs the SMMU and for what devices then reach.

import type { Activity, ResidentAnswer, ResidentWait } from '../../src/arch/resident.ts';
import type { Rhyper } from '../../src/hypervisor/context.ts';
import type { Vm } from '../../src/hypervisor/state.ts';
import { createStage2 } from '../../src/hypervisor/stage2.ts';
import { initSmmu } from '../../src/hypervisor/smmu/streams.ts';
import { deviceRam } from '../../workers/device-ram.ts';
import { intids, SmmuBoard } from '../actors/smmu/system.ts';
import { memoryOnly, vmMemory } from './fixture.ts';

const smmuPa = 0x0905_0000;
const smmuBytes = 0x2_0000;

export interface BoardWithSmmu {
  readonly rhyper: Rhyper;
  readonly board: SmmuBoard;
  /** Carries an activity out: its accesses reach the SMMU, other devices take every write. */
  run<Result>(activity: Activity<Result>): Result;
  /** Carries so many waits of an activity out; true where it ends before. */
  runFor(activity: Activity, waits: number): boolean;
  /** A VM without memory. */
  vm(id: number): Vm;
}

/** The SMMU is on; `streams` are those of devices, by position. */
export function boardWithSmmu(streams: readonly number[]): BoardWithSmmu {
  const bare = memoryOnly();
  const rhyper: Rhyper = {
    ...bare,
    index: 0,
    platform: { ...bare.platform, smmu: { pa: smmuPa, gerrorIntid: intids.gerror } },
    description: { options: { quirks: [] }, vms: [], slots: [] } as unknown as Rhyper['description'],
    *serveIpis(): Activity {
      yield { kind: 'work', ticks: 1 };
    },
  };
  const ram = deviceRam(
    {
      views: rhyper.memory,
      ramBytes: vmMemory.pa + vmMemory.bytes - 0x4000_0000,
      engine: { codeWritten: () => false },
      cores: [0],
    },
    { send: () => {} },
  );
  const board = new SmmuBoard(streams, ram);
  const okay: ResidentAnswer = { isOkay: true, valueLow: 0, valueHigh: 0 };

  function answerTo(wait: ResidentWait): ResidentAnswer {
    if (wait.kind === 'work') board.pass(wait.ticks);
    if (wait.kind !== 'access') return okay;
    board.pass(1000);
    const offset = wait.pa - smmuPa;
    if (offset < 0 || offset >= smmuBytes) return okay;
    if (!wait.isWrite) return { ...okay, valueLow: board.smmu.read(offset, wait.sizeBytes) };
    board.smmu.write(offset, wait.sizeBytes, wait.valueLow);
    return okay;
  }

  function run<Result>(activity: Activity<Result>): Result {
    for (let answer = okay; ;) {
      const { done, value } = activity.next(answer);
      if (done) return value;
      answer = answerTo(value);
    }
  }

  function runFor(activity: Activity, waits: number): boolean {
    let answer = okay;
    for (let n = 0; n < waits; n += 1) {
      const { done, value } = activity.next(answer);
      if (done) return true;
      answer = answerTo(value);
    }
    return false;
  }

  run(initSmmu(rhyper));
  return {
    runFor,
    rhyper,
    board,
    run,
    vm: (id) => {
      const vm = rhyper.state.vms[id] as Vm;
      Object.assign(vm, { id, isConfigured: 1, isBuilt: 1, name: `vm${id}`, stage2Root: createStage2(rhyper) ?? 0 });
      return vm;
    },
  };
}
