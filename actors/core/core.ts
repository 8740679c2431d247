// A core: one processing element, its GIC CPU interface, and everything by which both reach the rest of the machine.
//
// The PE's slow paths call the core synchronously; what takes time leaves as a message, the PE waits, and the instruction runs again
// when the answer has come. One instruction takes one tick, also when it takes an exception, WFI and WFE included.

import { never, type PeEnvironment, type TimerKind } from '../../src/arch/environment.ts';
import { exit } from '../../src/arch/exits.ts';
import type { InterruptKind, Pe, SavedPe } from '../../src/arch/pe.ts';
import { lineShift, pe as record } from '../../src/arch/state-layout.ts';
import { assert } from '../../src/report/assert.ts';
import type { Message, Port, RunnableActor, Ticks } from '../actor.ts';
import { busMessages, busResponse, requestPayload, responseWords } from '../bus/messages.ts';
import { streamMessages } from '../gic/stream-protocol.ts';
import type { VirtualInterfaceState } from '../gic/virtual-interface.ts';
import { wireMessages } from '../gic/wires.ts';
import { interruptLines } from '../gic-v2/messages.ts';
import { powerMessages } from '../power/messages.ts';
import { decode } from '../protocol.ts';
import { type Deadline, makeCorePort } from './core-port.ts';
import { makeDvm, type SavedDvm } from './dvm.ts';
import { loopSentence, makeExceptionLoop } from './exception-loop.ts';
import { GicCpuInterface } from './gic-cpu-interface.ts';
import { GicVirtualInterface } from './gic-virtual-interface.ts';
import { iccAccess, refreshContext } from './icc-access.ts';
import type { CoreState } from './lifecycle.ts';
import { coreMessages, wholeCache } from './messages.ts';
import type { CoreControl, CoreCounters, CoreOptions } from './options.ts';
import { makePowerLink, type SavedPowerLink } from './power-link.ts';
import { makeRepetition } from './repetition.ts';
import { makeResidentLevel, type ResidentLevel, type SavedResidentLevel } from './resident-level.ts';
import { makeWaiting, type Wait } from './waiting.ts';

/** Timer tags: the kinds in this order, then the answer of the bus where nothing is. */
const timerKinds: readonly TimerKind[] = ['CNTP', 'CNTV', 'CNTHP', 'CNTHV', 'CNTPS', 'PMU', 'events'];
const decodeErrorTag = timerKinds.length;

/** The fields of InterruptLines. */
const signalKinds = interruptLines.InterruptLines.fields;

const virtualKinds: ReadonlySet<InterruptKind> = new Set(['vserror', 'vfiq', 'virq']);

/** The engine returns at least this often, so that code which loops inside one translated function gets its better version. */
const longestRun = 1 << 20;

interface SavedCore {
  readonly version: 1;
  readonly pe: SavedPe;
  readonly gic: unknown;
  readonly virtualGic: VirtualInterfaceState;
  readonly dvm: SavedDvm;
  readonly power: SavedPowerLink;
  readonly state: CoreState;
  readonly wait: Wait;
  readonly timeTicks: Ticks;
  readonly instructions: number;
  readonly levels: readonly [TimerKind, boolean][];
  readonly deadlines: readonly Deadline[];
  readonly counters: CoreCounters;
  readonly resident?: SavedResidentLevel;
}

export interface Core extends RunnableActor {
  readonly pe: Pe;
  readonly counters: Readonly<CoreCounters>;
  /** Exceptions taken, by target Exception level. */
  readonly exceptions: readonly number[];
  state(): CoreState;
  /** Turns the core on, as at the end of a cold reset. */
  start(entry: bigint, x0: bigint): void;
}

const doubleword = (low: number, high: number): bigint => BigInt(low) | (BigInt(high) << 32n);

export function makeCore(port: Port, options: CoreOptions): Core {
  const { engine, views, bus, redistributor, hasEl2, hasEl3 } = options;
  const { words } = views;
  let timeTicks: Ticks = 0;
  let instructions = 0;
  let running = false;
  let runBudget = 0;
  const levels = new Map<TimerKind, boolean>();
  const counters: CoreCounters = {
    asleepTicks: 0,
    residentTicks: 0,
    interrupts: 0,
    interruptsAtEl1: 0,
    ipisSent: 0,
    ipisReceived: 0,
  };

  const pcWord = (): number => (pe.base + record.pc) >>> 2;
  const readPc = (): bigint => views.doublewords[pcWord() >>> 1] as bigint;
  const budgetLeft = (): number => engine.budgetLeft(pe);
  const now = options.clock ?? ((): Ticks => (running ? timeTicks + runBudget - budgetLeft() : timeTicks));

  /** Everything that the core sends goes through here. */
  const corePort = makeCorePort(port, now, engine.pause);
  const dvm = makeDvm(corePort, options.cores);
  const gic = new GicCpuInterface(
    {
      send: (code, payload) => {
        if (code === streamMessages.GenerateSgi.code) counters.ipisSent += 1;
        corePort.send(redistributor, code, payload);
      },
      signal: (irq, fiq) => {
        pe.setLine('irq', irq);
        pe.setLine('fiq', fiq);
      },
    },
    { hasEl3, disableSecurity: !hasEl3 },
  );
  const virtualGic = new GicVirtualInterface(
    {
      signal: (virq, vfiq) => {
        pe.setLine('virq', virq);
        pe.setLine('vfiq', vfiq);
      },
      maintenance: (level) => {
        drive(options.ppis.maintenance, level);
      },
      deactivate: (intid) => {
        gic.deactivateForVirtual(intid);
      },
    },
    options.listRegisters ?? 4,
  );

  const power = makePowerLink(corePort, {
    controller: options.powerController,
    off: () => {
      waiting.apply('CPU_OFF');
    },
    suspended: () => {
      waiting.apply('SUSPEND');
    },
    halted,
  });

  function halted(): void {
    waiting.waitFor('end of the run');
  }

  function raise(kind: TimerKind, level: boolean): void {
    if (kind === 'events' || (levels.get(kind) ?? false) === level) return;
    levels.set(kind, level);
    drive(options.ppis[kind], level);
  }

  function drive(intid: number, level: boolean): void {
    const row = level ? wireMessages.WireSet : wireMessages.WireClear;
    corePort.send(redistributor, row.code, [intid]);
  }

  function busRequest(isWrite: boolean, pa: number, sizeBytes: number, valueLow: number, valueHigh: number): void {
    const region = bus.find(pa);
    if (!region) {
      corePort.at(now() + 1, decodeErrorTag);
      return;
    }
    const { code } = isWrite ? busMessages.WriteRequest : busMessages.ReadRequest;
    const offset = pa - region.base + (region.actorOffset ?? 0);
    corePort.send(region.actor, code, requestPayload(isWrite, offset, sizeBytes, valueLow, valueHigh, isNonSecure()));
  }

  /** Translated code follows the stores to its source; but it may have been made while another core was about to store. */
  function forgetCode(address: number): void {
    if (options.clock) engine.linesWrittenElsewhere(address === wholeCache ? undefined : [address >>> lineShift]);
  }

  const environment: PeEnvironment = {
    now,
    instructions: () => (running ? instructions + runBudget - budgetLeft() : instructions),
    codeWritten: engine.codeWritten,
    busRequest,
    broadcast: dvm.broadcast,
    dvmComplete: () => dvm.complete() && gic.isQuiet,
    instructionCache: (pa, isBroadcast) => {
      const address = pa < 0 ? wholeCache : pa;
      forgetCode(address);
      if (isBroadcast) dvm.invalidateInstructionCache(address);
    },
    event: dvm.event,
    timer: (kind, deadlineTicks, level) => {
      raise(kind, level);
      const tag = timerKinds.indexOf(kind);
      if (deadlineTicks === never) corePort.cancel(tag);
      else corePort.at(deadlineTicks, tag);
    },
    gic: iccAccess(gic, virtualGic, () => pe, {
      hasEl2,
      hasEl3,
      sgiAcknowledged: () => {
        counters.ipisReceived += 1;
      },
    }),
  };

  const control: CoreControl = {
    power,
    now,
    counts: () => ({ ...counters, ticks: now() }),
    port: corePort,
    exit: (code) => {
      options.guestExit(code);
      halted();
    },
  };
  const pe: Pe = options.makePe(environment, control);
  engine.attach(pe);
  const waiting = makeWaiting({
    index: options.index,
    words,
    pe,
    isBarrierComplete: () => environment.dvmComplete(),
    resumed: () => {
      power.resumed();
    },
  });

  const software = options.makeResident?.(pe, control);
  assert(!software || options.resetEl < 3, 'nothing is resident at EL3 but firmware');
  const resident: ResidentLevel | undefined =
    software &&
    makeResidentLevel(pe, options.resetEl === 1 ? 1 : 2, software, {
      pc: () => words[(pe.base + record.pc) >>> 2] as number,
      access: ({ isWrite, pa, sizeBytes, valueLow, valueHigh }) => {
        busRequest(isWrite, pa, sizeBytes, valueLow, valueHigh);
      },
      wait: waiting.waitFor,
      leave: () => {
        pe.eret();
        contextChanged();
      },
      sleep: () => {
        if (!pe.wakeUpPending()) waiting.sleep('WFI');
      },
    });

  function isNonSecure(): boolean {
    if (!hasEl3) return true;
    return pe.currentEl() !== 3 && (pe.readRegister('SCR_EL3') & 1n) === 1n;
  }

  function contextChanged(): void {
    if (!hasEl3) return;
    refreshContext(gic, pe, hasEl2, hasEl3);
    gic.contextChanged();
  }

  const exceptionsTaken = (): number => {
    const taken = pe.exceptionsTaken;
    return (taken[1] as number) + (taken[2] as number) + (taken[3] as number);
  };
  const loop = makeExceptionLoop();

  function run(untilTicks: Ticks): void {
    corePort.beginRun();
    loop.reset();
    while (timeTicks < untilTicks && waiting.isReady() && !corePort.hasSent()) {
      // Taking one leaves those pending that a higher Exception level takes.
      for (let kind = pe.pendingInterrupt(); kind !== undefined; kind = pe.pendingInterrupt()) {
        counters.interrupts += 1;
        pe.takeInterrupt(kind);
        if (!virtualKinds.has(kind) && pe.currentEl() === 1) counters.interruptsAtEl1 += 1;
      }
      if (resident?.isEntered()) {
        const passed = resident.run(untilTicks - timeTicks);
        timeTicks += passed;
        counters.residentTicks += passed;
        continue;
      }
      const beforeLow = words[pcWord()];
      const beforeHigh = words[pcWord() + 1];
      const takenBefore = exceptionsTaken();
      running = true;
      runBudget = pe.isInterruptHeldBack() ? 1 : Math.min(untilTicks - timeTicks, longestRun);
      const code = engine.run(pe, runBudget);
      const used = runBudget - budgetLeft();
      timeTicks += used;
      running = false;
      instructions += used;
      waiting.stoppedBy(code);
      if (code === exit.yield) break;
      if (code !== exit.redirect) continue;
      contextChanged();
      // The handler's first instruction has faulted into the same handler.
      const hasStayed = words[pcWord()] === beforeLow && words[pcWord() + 1] === beforeHigh;
      const isSamePlace = used === 1 && hasStayed && exceptionsTaken() > takenBefore;
      // What a virtual machine, or a program, does to itself is for what is resident above it to bound.
      if (!loop.isEndless(isSamePlace) || resident) continue;
      options.guestError(loopSentence(options.index, pe, readPc()));
      halted();
    }
  }

  function receive(message: Message): void {
    const { code, payload, source } = message;
    switch (code) {
      case busMessages.ReadResponse.code:
      case busMessages.WriteResponse.code:
        answered(
          payload[responseWords.response] === busResponse.OKAY,
          payload[responseWords.valueLow] ?? 0,
          payload[responseWords.valueHigh] ?? 0,
        );
        break;
      case coreMessages.Tlbi.code: {
        const { operation, ...rest } = decode(coreMessages.Tlbi, payload);
        pe.receiveDvm({ code: operation, ...rest });
        break;
      }
      case coreMessages.InstructionCacheInvalidate.code:
        forgetCode(payload[0] as number);
        break;
      case powerMessages.PsciResponse.code: {
        const { tag, status } = decode(powerMessages.PsciResponse, payload);
        if (power.answered(tag, status)) waiting.answered();
        break;
      }
      case powerMessages.Boot.code: {
        const { entryLow, entryHigh, contextIdLow, contextIdHigh } = decode(powerMessages.Boot, payload);
        boot(doubleword(entryLow, entryHigh), doubleword(contextIdLow, contextIdHigh));
        power.booted();
        break;
      }
      case coreMessages.Sync.code:
        dvm.answer(message);
        break;
      case coreMessages.Complete.code:
        dvm.answered();
        break;
      case coreMessages.Event.code:
        pe.receiveEvent();
        break;
      case coreMessages.AsynchronousError.code:
        pe.setLine('serror', true);
        break;
      case interruptLines.InterruptLines.code:
        signalKinds.forEach((kind, n) => pe.setLine(kind, payload[n] === 1));
        break;
      default:
        if (source === redistributor) gic.receive(code, payload);
        else if (software?.receive?.(message) === true) waiting.answered();
        else assert(false, `core ${options.index} does not know message 0x${code.toString(16)}`);
    }
    waiting.reconsider();
  }

  function boot(entry: bigint, x0: bigint): void {
    waiting.reset();
    waiting.apply('CPU_ON');
    pe.reset({ el: options.resetEl, pc: entry, x0 });
    gic.reset();
    virtualGic.reset();
    resident?.reset();
    waiting.apply('BOOTED');
  }

  function answered(isOkay: boolean, valueLow: number, valueHigh: number): void {
    if (resident?.isEntered()) resident.answered(isOkay, valueLow, valueHigh);
    else pe.busResponse(isOkay, valueLow, valueHigh);
    waiting.answered();
  }

  return {
    pe,
    counters,
    exceptions: pe.exceptionsTaken,
    state: waiting.state,
    isRunnable: waiting.isReady,
    nowTicks: now,
    instructions: () => instructions,
    start: boot,
    advanceTo: (ticks) => {
      // Where time passes by itself, instructions may have taken less.
      const passed = Math.max(ticks - timeTicks, 0);
      if (waiting.isDormant()) counters.asleepTicks += passed;
      timeTicks = ticks;
    },
    look: waiting.look,
    isRepeating: makeRepetition(views, pe),
    run,
    receive,
    timer: (tag) => {
      corePort.expired(tag);
      const kind = timerKinds[tag];
      if (kind === undefined) answered(false, 0, 0);
      else pe.timerExpired(kind);
      waiting.reconsider();
    },
    save: (): SavedCore => ({
      version: 1,
      pe: pe.save(),
      gic: gic.save(),
      virtualGic: virtualGic.save(),
      dvm: dvm.save(),
      power: power.save(),
      state: waiting.state(),
      wait: waiting.wait(),
      timeTicks,
      instructions,
      levels: [...levels],
      deadlines: corePort.deadlines(),
      counters: { ...counters },
      ...(resident ? { resident: resident.save() } : {}),
    }),
    restore: (saved) => {
      const s = saved as SavedCore;
      pe.restore(s.pe);
      refreshContext(gic, pe, hasEl2, hasEl3);
      gic.restore(s.gic);
      virtualGic.restore(s.virtualGic);
      dvm.restore(s.dvm);
      power.restore(s.power);
      if (s.resident) resident?.restore(s.resident);
      waiting.restore(s.state, s.wait);
      ({ timeTicks, instructions } = s);
      levels.clear();
      for (const [kind, level] of s.levels) levels.set(kind, level);
      corePort.restore(s.deadlines);
      Object.assign(counters, s.counters);
    },
  };
}
