// Cores with their PEs and an engine, under the conductor, in a machine whose other actors are the test's: one that answers for every
// redistributor, one device, and one power controller. Everything that a core says is written down.

import type { ActorId, Message, Port, Ticks } from '../../../actors/actor.ts';
import { makeBusMap } from '../../../actors/bus/map.ts';
import { type Core, makeCore } from '../../../actors/core/core.ts';
import { createPe } from '../../../src/arch/create-pe.ts';
import {
  lineMapOffset,
  lineShift,
  monitorTableOffset,
  peStateBase,
  peStateStride,
  ramBase,
} from '../../../src/arch/state-layout.ts';
import { registerNames } from '../../../src/arch/register-names.ts';
import { type EngineMode, makeEngine } from '../../../src/engine/engine.ts';
import { createPsci } from '../../../src/firmware/psci.ts';
import { createSemihosting } from '../../../src/firmware/semihosting.ts';
import { assemble } from '../../../src/isa/assembler.ts';
import { type MemoryViews, memoryViews } from '../../../src/memory/memory-views.ts';
import { makeEnsemble } from '../../../workers/ensemble.ts';
import { type Host, makeHost } from '../../../workers/host.ts';
import { conductLockstep, type EndOfRun } from '../../../workers/lockstep.ts';

const lookaheadTicks = 500;
export const deviceBase = 0x0900_0000;
export const ramBytes = 1 << 20;
const pages = (ramBase + ramBytes) / 65_536;

export interface Sent {
  readonly atTicks: Ticks;
  readonly from: ActorId;
  readonly to: ActorId;
  readonly code: number;
  readonly payload: readonly number[];
}

export interface CoreMachineOptions {
  readonly cores?: number;
  readonly mode?: EngineMode;
  /** Cores that start at reset; the others are off. */
  readonly bootCores?: readonly number[];
  /** What an actor that is not a core does with a message. */
  readonly peer?: (message: Message, port: Port) => void;
  readonly hasEl2?: boolean;
  readonly seed?: number;
}

export interface CoreMachine {
  readonly cores: readonly Core[];
  readonly host: Host;
  readonly views: MemoryViews;
  readonly sent: Sent[];
  readonly guestErrors: string[];
  readonly ids: { readonly redistributors: readonly ActorId[]; readonly device: ActorId; readonly power: ActorId };
  /** Address of a label of the program. */
  address(label: string): number;
  /** The 64-bit word at a label. */
  doubleword(label: string): bigint;
  /** Messages that have been sent but are not due before this time. */
  messagesDueFrom(ticks: Ticks): Message[];
  /** Lets an actor that is not a core speak. */
  readonly portOf: (id: ActorId) => Port;
  run(maxTicks: Ticks): { readonly end: EndOfRun; readonly ticks: Ticks };
}

let shared: { memory: WebAssembly.Memory; views: MemoryViews } | undefined;

/** One memory for all machines of a file, empty again for each of them. */
function emptyMemory(cores: number): { memory: WebAssembly.Memory; views: MemoryViews } {
  if (!shared) {
    const memory = new WebAssembly.Memory({ initial: pages, maximum: 65_536, shared: true });
    shared = { memory, views: memoryViews(memory.buffer) };
  }
  const { bytes } = shared.views;
  bytes.fill(0, ramBase, ramBase + ramBytes);
  bytes.fill(0, lineMapOffset + (ramBase >>> lineShift), lineMapOffset + ((ramBase + ramBytes) >>> lineShift));
  bytes.fill(0, monitorTableOffset, monitorTableOffset + 4096);
  bytes.fill(0, peStateBase, peStateBase + cores * peStateStride);
  return shared;
}

export function coreMachine(program: string, options: CoreMachineOptions = {}): CoreMachine {
  const { cores: coreCount = 1, mode = 'tiered', bootCores = [0], peer, hasEl2 = false, seed = 1 } = options;
  const { memory, views } = emptyMemory(coreCount);
  const engine = makeEngine({ memory, views, worker: 0, mode });
  const { bytes, symbols } = assemble(program, { base: ramBase, names: registerNames });
  views.bytes.set(bytes, ramBase);
  const coreIds = Array.from({ length: coreCount }, (_, n) => n);
  const ids = { redistributors: coreIds.map((n) => coreCount + n), device: 2 * coreCount, power: 2 * coreCount + 1 };
  const sent: Sent[] = [];
  const guestErrors: string[] = [];
  const ports = new Map<ActorId, Port>();
  let stopped = false;

  const onTheWay: Message[] = [];
  /** Writes down what goes out by a port. */
  const recorded = (port: Port, said: (sentNow: Sent) => void): Port => ({
    ...port,
    send: (to, code, payload, extraTicks = 0) => {
      const atTicks = port.now();
      said({ atTicks, from: port.self, to, code, payload });
      const dueTicks = atTicks + lookaheadTicks + extraTicks;
      onTheWay.push({ code, source: port.self, target: to, sequence: onTheWay.length, dueTicks, payload });
      port.send(to, code, payload, extraTicks);
    },
  });
  const core = (index: number) => (port: Port) =>
    makeCore(
      recorded(port, (said) => sent.push(said)),
      {
        index,
        engine,
        views,
        bus: makeBusMap([{ name: 'device', base: deviceBase, sizeBytes: 0x1000, actor: ids.device }]),
        cores: coreIds,
        redistributor: ids.redistributors[index] as ActorId,
        powerController: ids.power,
        hasEl2,
        hasEl3: false,
        resetEl: hasEl2 ? 2 : 1,
        ppis: { CNTP: 30, CNTV: 27, CNTHP: 26, CNTHV: 28, CNTPS: 29, PMU: 23, maintenance: 25 },
        guestExit: () => {
          stopped = true;
        },
        guestError: (sentence) => {
          guestErrors.push(sentence);
          stopped = true;
        },
        makePe: (environment, control) =>
          createPe({
            index,
            count: coreCount,
            memory: views,
            ramBytes,
            environment,
            hasEl2,
            hasEl3: false,
            mpidr: BigInt(0x8000_0000 + index),
            firmware: { conduit: hasEl2 ? 'smc' : 'hvc', call: createPsci(control.power) },
            semihosting: createSemihosting({
              write: () => undefined,
              exit: control.exit,
              now: control.now,
              commandLine: '',
            }),
          }),
      },
    );
  const other = (given: Port) => {
    const port = recorded(given, () => undefined);
    ports.set(port.self, port);
    return {
      receive: (message: Message) => peer?.(message, port),
      timer: () => undefined,
      save: () => undefined,
      restore: () => undefined,
    };
  };
  const host = makeHost({
    actors: [
      ...coreIds.map((id) => ({ id, make: core(id) })),
      ...[...ids.redistributors, ids.device, ids.power].map((id) => ({ id, make: other })),
    ],
    coreCount,
    lookaheadTicks,
    forward: () => undefined,
  });
  const cores = coreIds.map((id) => host.actor(id) as Core);
  for (const n of bootCores) cores[n]?.start(BigInt(ramBase), BigInt(n));
  const ensemble = makeEnsemble({
    hosts: [host],
    coreCount,
    hostOfCore: () => 0,
    stopped: () => stopped,
    aborted: () => false,
  });
  const address = (label: string): number => Number(symbols.get(label));
  return {
    cores,
    host,
    views,
    sent,
    guestErrors,
    ids,
    address,
    doubleword: (label) => views.doublewords[address(label) / 8] as bigint,
    messagesDueFrom: (ticks) => onTheWay.filter(({ dueTicks }) => dueTicks >= ticks),
    portOf: (id) => ports.get(id) as Port,
    run: (maxTicks) =>
      conductLockstep(ensemble, { coreCount, lookaheadTicks, seed, maxInstructions: Infinity, maxTicks }),
  };
}
