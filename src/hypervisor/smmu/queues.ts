// The two queues that the hypervisor shares with the SMMU (Arm IHI 0070, "SMMU circular queues"), each in a page of its own memory.
// Commands are issued in batches that end with a CMD_SYNC and are awaited, so that the Command queue is empty between them.
//
// Cores take turns with the Command queue: a core that waits for another one goes on serving messages.

import { type Activity, readDevice, work, writeDevice } from '../../arch/resident.ts';
import { assert } from '../../report/assert.ts';
import type { Rhyper } from '../context.ts';
import { pageBytes } from '../memory.ts';
import { costs } from '../options.ts';
import type { Vm } from '../state.ts';
import {
  type Command,
  command,
  commandBytes,
  commandErrorMask,
  eventBytes,
  overflowFlag,
  register,
  type SmmuRegister,
} from './registers.ts';

export const log2Commands = Math.log2(pageBytes / commandBytes);
export const log2Events = Math.log2(pageBytes / eventBytes);
const commandCount = 2 ** log2Commands;
const eventCount = 2 ** log2Events;

/** 10 ms: a device that has been granted an access makes it much sooner. */
const mostPolls = 10_000;

function addressOf({ platform }: Rhyper, name: SmmuRegister): number {
  assert(platform.smmu !== undefined, 'the board has an SMMU');
  return platform.smmu.pa + register[name];
}

export function* readSmmu(rhyper: Rhyper, name: SmmuRegister): Activity<number> {
  return (yield* readDevice(addressOf(rhyper, name), 4)) ?? 0;
}

export function* writeSmmu(rhyper: Rhyper, name: SmmuRegister, value: number): Activity {
  yield* writeDevice(addressOf(rhyper, name), 4, value);
}

/** Waits until a register has a value. */
export function* awaitSmmu(rhyper: Rhyper, name: SmmuRegister, is: (value: number) => boolean): Activity {
  for (let n = 0; !is(yield* readSmmu(rhyper, name)); n += 1) {
    assert(n < mostPolls, `SMMU_${name} follows`);
    yield* work(costs.ipi);
  }
}

/** Takes the Command queue for this core; nobody else touches it until it has been given back. */
export function* lock(rhyper: Rhyper): Activity {
  const { smmu } = rhyper.state;
  while (smmu.isLocked !== 0) {
    yield* rhyper.serveIpis();
    yield* work(costs.ipi);
  }
  smmu.isLocked = 1;
}

export function unlock({ state }: Rhyper): void {
  state.smmu.isLocked = 0;
}

/** Issues commands and waits until they are complete, for every access under way too. The caller has the queue. */
export function* issue(rhyper: Rhyper, ...commands: readonly Command[]): Activity {
  const { smmu } = rhyper.state;
  assert(commands.length < commandCount, 'a batch of commands fits into the queue');
  for (const words of [...commands, command.SYNC]) {
    const at = smmu.commandQueue + commandBytes * (smmu.commandProducer % commandCount);
    rhyper.port.writeRam(at, new Uint8Array(Uint32Array.from(words).buffer));
    smmu.commandProducer = (smmu.commandProducer + 1) % (2 * commandCount);
  }
  yield* writeSmmu(rhyper, 'CMDQ_PROD', smmu.commandProducer);
  yield* awaitSmmu(rhyper, 'CMDQ_CONS', (CONS) => {
    assert((CONS & commandErrorMask) === 0, 'the hypervisor issues no command that the SMMU refuses');
    return (CONS & (2 * commandCount - 1)) === smmu.commandProducer;
  });
}

/** Removes every translation of a VM from the SMMU's TLBs, and waits for the accesses that still use one. */
export function* flushStreams(rhyper: Rhyper, vm: Vm): Activity {
  if (rhyper.state.smmu.isOn === 0) return;
  yield* lock(rhyper);
  yield* issue(rhyper, command.TLBI_S12_VMALL(vm.id));
  unlock(rhyper);
}

/**
 * Calls `note` for each event record that nobody has read yet. Cores do not wait for each other here, and the time is the same for
 * any number of records: SMMU_EVENTQ_PROD is read, and _CONS written, once. A core whose _PROD is older than what
 * another core has read meanwhile finds nothing.
 */
export function* takeEvents(rhyper: Rhyper, note: (words: readonly number[]) => void): Activity {
  const { smmu } = rhyper.state;
  const index = (value: number): number => value & (2 * eventCount - 1);
  const PROD = yield* readSmmu(rhyper, 'EVENTQ_PROD');
  const count = index(PROD - smmu.eventConsumer);
  if (count > 0 && count <= eventCount) {
    if (((PROD ^ smmu.eventConsumer) & overflowFlag) !== 0) smmu.overflows += 1;
    for (let n = 0; n < count; n += 1) {
      const first = (smmu.eventQueue + eventBytes * ((smmu.eventConsumer + n) % eventCount)) / 4;
      note([...rhyper.memory.words.subarray(first, first + eventBytes / 4)]);
    }
    smmu.eventConsumer = PROD;
  }
  yield* writeSmmu(rhyper, 'EVENTQ_CONS', smmu.eventConsumer);
}
