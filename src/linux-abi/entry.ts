// Entries to the kernel: which exception it is, who deals with it, and which thread goes on afterwards (arch/arm64/kernel/entry-common.c).
//
// What an entry does to the state of the kernel, it does without waiting: other cores see it wholly or not at all. What has to wait, the
// completion of TLB maintenance, comes after it.

import { EC, vector } from '../arch/exceptions.ts';
import { type Activity, dsb, type EntryEnd, vectorGroup, work } from '../arch/resident.ts';
import { installSpace } from './become.ts';
import { systemCall } from './calls/table.ts';
import { type Access, type Fault, resolve } from './faults.ts';
import { emulateMrs } from './hwcap.ts';
import { ring, setTimer, takeInterrupt } from './interrupts.ts';
import type { Core } from './kernel.ts';
import { costs, taskBytes } from './limits.ts';
import { endAllThreads, endThread } from './processes.ts';
import { loadRegisters } from './registers.ts';
import {
  beginSlice,
  endSlice,
  giveUpCore,
  instructionBytes,
  makeReady,
  mayRunOn,
  nextDeadline,
  renewSlice,
  takeNext,
} from './scheduler.ts';
import { awaitShootDown, shootDown } from './shoot-down.ts';
import { nameOfSignal, SIG } from './signal-numbers.ts';
import { deliverSignals, forceSignal } from './delivery.ts';
import { hasSignal } from './signal-queues.ts';
import { interrupt } from './signals.ts';
import type { Signal, Thread } from './state.ts';
import { expireTimers, nextExpiry } from './timers.ts';
import { readWord } from './user-memory.ts';
import { abandon, endDueWaits } from './waits.ts';

const FSC_ALIGNMENT = 0x21;
const iss = { WnR: 1 << 6, CM: 1 << 8, statusCode: 0x3f } as const;
/** Translation, access flag and permission faults, of any level. */
const isOfTables = (statusCode: number): boolean => statusCode >= 4 && statusCode < 0x10;
/** TBI: the top byte of an address is the program's own. */
const addressBits = 56;

const BUS_ADRALN = 1;
const BUS_OBJERR = 3;
const ILL_ILLOPC = 1;
const TRAP_BRKPT = 1;

/** What a signal says of an address: bit 55 decides which half it is of. */
const untagged = (address: bigint): bigint => BigInt.asUintN(64, BigInt.asIntN(addressBits, address));

const raise = (core: Core, thread: Thread, fault: Fault, address: bigint): void => {
  forceSignal(core, thread, { number: fault.signal, code: fault.code, address: untagged(address) });
};

function* abort(core: Core, thread: Thread, access: Access, syndrome: number): Activity {
  const address = core.system.read('FAR_EL1');
  const statusCode = syndrome & iss.statusCode;
  if (statusCode === FSC_ALIGNMENT) {
    raise(core, thread, { signal: SIG.BUS, code: BUS_ADRALN }, address);
    return;
  }
  if (!isOfTables(statusCode)) {
    raise(core, thread, { signal: SIG.BUS, code: BUS_OBJERR }, address);
    return;
  }
  const { space } = thread.process;
  const va = Number(BigInt.asUintN(addressBits, address));
  const found = va < taskBytes ? resolve(core, space, va, access) : { signal: SIG.SEGV, code: 1 };
  yield* work(costs.fault);
  if (typeof found !== 'number') raise(core, thread, found, address);
}

/** An instruction that EL0 may not have, or that there is none of: an ID register is answered. */
function undefinedInstruction(core: Core, thread: Thread): void {
  const pc = core.pe.readRegister('ELR_EL1');
  const word = readWord(core, thread.process.space, Number(pc));
  const answer = word === undefined ? undefined : emulateMrs(core, word);
  if (!answer) {
    raise(core, thread, { signal: SIG.ILL, code: ILL_ILLOPC }, pc);
    return;
  }
  core.pe.writeX(answer.Rt, answer.value);
  core.pe.writeRegister('ELR_EL1', pc + instructionBytes);
}

/** A call does not wait where its thread has a signal, or is to end, and came here before its core has heard of it. */
function heedSignals(core: Core, thread: Thread): void {
  if (thread.state !== 'blocked') return;
  if (thread.process.ending !== undefined) {
    abandon(core, thread);
    makeReady(core, thread);
  } else if (hasSignal(thread)) interrupt(core, thread);
}

function* synchronous(core: Core, thread: Thread): Activity {
  yield* awaitShootDown(thread.process.space);
  const esr = Number(core.system.read('ESR_EL1'));
  const pc = (): bigint => core.pe.readRegister('ELR_EL1');
  switch (esr >>> 26) {
    case EC.SVC:
      systemCall(core, thread);
      heedSignals(core, thread);
      break;
    case EC.dataAbort:
      yield* abort(core, thread, (esr & iss.WnR) !== 0 && (esr & iss.CM) === 0 ? 'write' : 'read', esr);
      break;
    case EC.instructionAbort:
      yield* abort(core, thread, 'execute', esr);
      break;
    case EC.WFx:
      core.pe.writeRegister('ELR_EL1', pc() + instructionBytes);
      break;
    case EC.pcAlignment:
    case EC.spAlignment:
      raise(
        core,
        thread,
        { signal: SIG.BUS, code: BUS_ADRALN },
        esr >>> 26 === EC.pcAlignment ? core.system.read('FAR_EL1') : core.pe.readRegister('SP_EL0'),
      );
      break;
    case EC.BRK:
      raise(core, thread, { signal: SIG.TRAP, code: TRAP_BRKPT }, pc());
      break;
    default:
      undefinedInstruction(core, thread);
  }
}

function handleInterrupts(core: Core): void {
  for (let taken = takeInterrupt(core); taken; taken = takeInterrupt(core))
    if (taken === 'ring') core.own.isRung = false;
}

function* payDebts(core: Core): Activity {
  if (core.toRing.size > 0) {
    // What the others will find is there before the interrupt is.
    yield* dsb(core.pe);
    for (const target of core.toRing) if (target !== core.index) ring(core, target);
    core.toRing.clear();
  }
  yield* shootDown(core);
}

function* switchTo(core: Core, thread: Thread): Activity {
  yield* work(costs.switch);
  thread.core = core.index;
  if (thread.state === 'dead') return;
  thread.state = 'running';
  core.own.thread = thread;
  core.own.runningSince = core.port.now();
  renewSlice(thread);
  installSpace(core, thread.process.space);
  loadRegisters(core, thread.registers);
}

function endBySignal(core: Core, thread: Thread, { number, address }: Signal): void {
  const { process } = thread;
  const pc = core.pe.readRegister('ELR_EL1').toString(16);
  const where = address === undefined ? '' : `, address 0x${address.toString(16)}`;
  if (process.pid === core.state.firstPid)
    core.port.say(`${process.executablePath} was ended by ${nameOfSignal(number)} at PC 0x${pc}${where}`);
  endAllThreads(core, process, number);
}

/** What there is to do for the thread on this core before it goes on; false where it does not go on, or not yet. */
function settle(core: Core, thread: Thread): boolean {
  if (thread.state === 'dead') {
    core.own.thread = undefined;
    return false;
  }
  const { ending } = thread.process;
  if (ending !== undefined) {
    endThread(core, thread, ending);
    return false;
  }
  if (!mayRunOn(thread, core.index)) {
    giveUpCore(core);
    makeReady(core, thread);
    return false;
  }
  const fatal = thread.process.stop === undefined ? deliverSignals(core, thread) : undefined;
  if (fatal) endBySignal(core, thread, fatal);
  if (thread.process.stop === undefined) return !fatal;
  giveUpCore(core);
  thread.state = 'stopped';
  return false;
}

/** Until there is nothing left to do, and a thread for this core, or none for it to have. */
export function* leave(core: Core): Activity<EntryEnd> {
  const { own } = core;
  for (;;) {
    endDueWaits(core);
    expireTimers(core);
    endSlice(core);
    yield* payDebts(core);
    const next = own.thread ? undefined : takeNext(core);
    if (next) yield* switchTo(core, next);
    const { thread } = own;
    if (thread) yield* awaitShootDown(thread.process.space);
    const isSettled = thread ? settle(core, thread) : !next;
    if (isSettled && core.stale.length === 0 && core.toRing.size === 0) break;
  }
  own.isIdle = own.thread === undefined;
  beginSlice(core);
  setTimer(core, Math.min(nextDeadline(core), nextExpiry(core)));
  if (own.isIdle) return 'sleep';
  yield* work(costs.exit);
  return 'return';
}

export function* enter(core: Core, vectorOffset: number): Activity<EntryEnd> {
  const { own } = core;
  own.isIdle = false;
  yield* work(costs.entry);
  const kind = vectorOffset & 0x180;
  if (kind === vector.synchronous && vectorOffset >= vectorGroup.lowerEl && own.thread)
    yield* synchronous(core, own.thread);
  else handleInterrupts(core);
  if (core.copiedBytes > 0) {
    const ticks = Math.ceil(core.copiedBytes / 64) * costs.line;
    core.copiedBytes = 0;
    yield* work(ticks);
  }
  return yield* leave(core);
}
