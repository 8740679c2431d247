// A processing element, put together: its context, reset, save and restore, and the services that the engines and the core call.

import { assert } from '../report/assert.ts';
import { clearExclusive, hasLostMonitor, watchMonitor } from './concurrent-access.ts';
import { answerBusRequest, createBusAccesses, forgetAnswers } from './bus-accesses.ts';
import { highestEl, midrMax } from './core-identity.ts';
import { flushJumpCache, flushSoftTlb, refreshDerivedState, worldWords } from './derived-state.ts';
import * as exceptions from './exceptions.ts';
import { exit, type Exit } from './exits.ts';
import { checkBranchTarget } from './branch-targets.ts';
import { translateFetch } from './instruction-fetch.ts';
import { attribute } from './translation-attributes.ts';
import * as interrupts from './interrupts.ts';
import { monitorsOf, pairsOf } from './monitors.ts';
import { accessMemory, compareAndSwap, loadExclusive, storeExclusive } from './memory-access.ts';
import {
  advancePc,
  copy,
  currentEl,
  isE2h,
  low,
  type PeContext,
  PSTATE,
  read64,
  scr,
  SCR,
  setLow,
  write64,
} from './pe-context.ts';
import type { Pe, PeOptions, ResetState, ResidentSoftware, SavedPe } from './pe.ts';
import { readMemory, writeMemory } from './resident-access.ts';
import { pe, peState, ramBase } from './state-layout.ts';
import {
  msrImmediate,
  readSystemRegister,
  readValue,
  systemInstruction,
  systemInstructionWithResult,
  writeSystemRegister,
  writeValue,
} from './system-register-access.ts';
import { offsetOf, registerNamed, slotOf, systemRegisters } from './system-registers.ts';
import { createTimerOutputs } from './timer-output.ts';
import { timerExpired, timerReset } from './timers.ts';
import { applyTlbi } from './tlb-maintenance.ts';
import { createTlb, restoreTlb, saveTlb } from './tlb.ts';
import { sev, sevl, wfe, wfi } from './waiting.ts';

const SCR_EL3 = slotOf('SCR_EL3');
const highestRvbar = { 1: slotOf('RVBAR_EL1'), 2: slotOf('RVBAR_EL2'), 3: slotOf('RVBAR_EL3') } as const;
/** The architectural part of the record: what follows it is derived. */
const recordBytes = pe.jumpCache;

export function createPe(options: PeOptions): Pe {
  const cx = createContext(options);
  const { base, environment } = cx;
  const { firmware, semihosting } = options;

  /** Resident software answers at the calling instruction; where it stops the PE, PC is past it. */
  function call(software: ResidentSoftware, immediate: number): Exit {
    const result = software(self, immediate);
    if (result === exit.stopped || result === exit.waitForInterrupt) advancePc(cx);
    return result;
  }

  const self: Pe = {
    index: cx.index,
    base,
    useSecondTlb: (address) => {
      cx.secondTlb = address;
    },
    reset: (state) => reset(cx, state),
    save: () => save(cx),
    restore: (saved) => restore(cx, saved),

    readSystemRegister: (key) => readSystemRegister(cx, key),
    writeSystemRegister: (key) => writeSystemRegister(cx, key),
    systemInstruction: (key) => systemInstruction(cx, key),
    systemInstructionWithResult: (key) => systemInstructionWithResult(cx, key),
    msrImmediate: (op1, op2, CRm) => msrImmediate(cx, op1, op2, CRm),

    svc: (imm16) => exceptions.svc(cx, imm16),
    hvc(imm16) {
      const isConduit = firmware?.conduit === 'hvc' && currentEl(cx) > 0;
      return isConduit ? call(firmware.call, imm16) : exceptions.hvc(cx, imm16);
    },
    smc(imm16) {
      const isConduit = firmware?.conduit === 'smc' && currentEl(cx) > 0;
      if (!isConduit) return exceptions.smc(cx, imm16);
      return exceptions.trapSmc(cx, imm16) ? exit.redirect : call(firmware.call, imm16);
    },
    brk: (imm16) => exceptions.brk(cx, imm16),
    // Outside Debug state HLT is UNDEFINED, except where a debugger, here semihosting, takes it.
    hlt(imm16) {
      const isSemihosting = semihosting !== undefined && imm16 === 0xf000 && currentEl(cx) > 0;
      return isSemihosting ? call(semihosting, imm16) : exceptions.undefinedInstruction(cx);
    },
    eret: () => eret(cx),
    exceptionLink: () => exceptionLink(cx),
    eretTo: () => eret(cx, pe.scratch),
    pointerTrap: () => exceptions.pointerTrap(cx),
    undefinedInstruction: () => exceptions.undefinedInstruction(cx),
    pcAlignment: () => exceptions.pcAlignment(cx),
    spAlignment: () => exceptions.spAlignment(cx),
    fpAccessTrap: () => exceptions.fpAccessTrap(cx),

    dsb: () => (environment.dvmComplete() ? exit.none : exit.barrier),
    isb() {
      advancePc(cx);
      return exit.redirect;
    },
    wfi: () => wfi(cx),
    wfe: (looks = 1) => wfe(cx, looks),
    sev: () => sev(cx),
    sevl: () => sevl(cx),
    clrex() {
      clearExclusive(cx);
      return exit.none;
    },

    accessMemory: (kind, sizeBytes, flags) => accessMemory(cx, kind, sizeBytes, flags),
    loadExclusive: (sizeBytes, flags) => loadExclusive(cx, sizeBytes, flags),
    storeExclusive: (sizeBytes, flags) => storeExclusive(cx, sizeBytes, flags),
    compareAndSwap: (sizeBytes, flags) => compareAndSwap(cx, sizeBytes, flags),
    translateFetch: () => translateFetch(cx),
    isFetchGuarded: () => (cx.translation.attributes & attribute.guarded) !== 0,
    checkBranchTarget: () => checkBranchTarget(cx),

    setLine: (kind, level) => interrupts.setLine(cx, kind, level),
    pendingInterrupt: () => interrupts.pendingInterrupt(cx),
    isInterruptHeldBack: () => interrupts.isInterruptHeldBack(cx),
    takeInterrupt: (kind) => interrupts.takeInterrupt(cx, kind),
    takePendingSError: () => interrupts.takePendingSError(cx),
    wakeUpPending: () => interrupts.wakeUpPending(cx),
    receiveEvent: () => setLow(cx, pe.eventRegister, 1),
    isMonitorSet: () => low(cx, pe.exclusiveAddress) !== 0,
    hasLostMonitor: () => hasLostMonitor(cx),
    watchMonitor: () => watchMonitor(cx),
    receiveDvm: (operation) => applyTlbi(cx, operation),
    timerExpired: (kind) => timerExpired(cx, kind),
    busResponse: (isOkay, valueLow, valueHigh) => answerBusRequest(cx.bus, isOkay, valueLow, valueHigh),

    currentEl: () => currentEl(cx),
    exceptionsTaken: cx.exceptionsTaken,
    readX: (n) => (n === 31 ? 0n : read64(cx, pe.x + n * 8)),
    writeX(n, value) {
      if (n !== 31) write64(cx, pe.x + n * 8, value);
    },
    readRegister(name) {
      const row = registerNamed(name);
      assert(row !== undefined, `there is no system register ${name}`);
      return readValue(cx, row) ?? 0n;
    },
    writeRegister(name, value) {
      const row = registerNamed(name);
      assert(row !== undefined, `there is no system register ${name}`);
      const pc = read64(cx, pe.pc);
      writeValue(cx, row, value);
      write64(cx, pe.pc, pc);
    },
    readMemory: (va, sizeBytes) => readMemory(cx, va, sizeBytes),
    writeMemory: (va, bytes) => writeMemory(cx, va, bytes),
  };
  return self;
}

function createContext(options: PeOptions): PeContext {
  const { index, memory, environment, concurrency } = options;
  assert(index < options.count, `PE ${index} of ${options.count}`);
  return {
    index,
    base: peState(index),
    memory,
    words: memory.words,
    environment,
    core: {
      midr: midrMax,
      mpidr: options.mpidr,
      hasEl2: options.hasEl2,
      hasEl3: options.hasEl3,
      hasGicRegisters: options.hasGicRegisters ?? true,
    },
    hasEl2: options.hasEl2,
    hasEl3: options.hasEl3,
    ramEnd: ramBase + options.ramBytes,
    monitors: monitorsOf(memory, options.count, concurrency),
    pairs: concurrency && pairsOf(memory, concurrency),
    monitorCleared: (target) => environment.event(target),
    tlb: createTlb(),
    translation: {
      fault: 0,
      isStage2: false,
      isWalk: false,
      ipa: 0,
      granted: 0,
      pa: 0,
      attributes: 0,
      entry: -1,
    },
    bus: createBusAccesses(),
    timers: createTimerOutputs(),
    lines: 0,
    exceptionsTaken: [0, 0, 0, 0],
    secondTlb: 0,
    // Memory that has never been written would hit at address 0.
    softTlbInUse: 0xf,
    userPagesInSoftTlb: 0,
    world: new Int32Array(worldWords),
    isWorldStale: true,
    wasE2h: false,
    cyclesCountedUntil: -1,
    eventsSeenUntil: 0,
  };
}

/** What ERETAA and ERETAB authenticate. */
function exceptionLink(cx: PeContext): Exit {
  if (currentEl(cx) === 0) return exceptions.undefinedInstruction(cx);
  copy(cx, pe.scratch, exceptions.elrOf(cx));
  return exit.none;
}

/** ERET. Where it sets PSTATE.IL, the Illegal Execution state exception of the instruction at the new PC is taken at once. */
function eret(cx: PeContext, from?: number): Exit {
  if (currentEl(cx) === 0) return exceptions.undefinedInstruction(cx);
  exceptions.exceptionReturn(cx, from);
  // A PC alignment fault or an Instruction Abort there has priority.
  const isIllegal = (low(cx, pe.pstate) & PSTATE.IL) !== 0;
  if (isIllegal && translateFetch(cx) >= 0) exceptions.illegalState(cx);
  return exit.redirect;
}

function emptyCaches(cx: PeContext): void {
  for (let el = 0; el <= 3; el++) flushSoftTlb(cx, el);
  flushJumpCache(cx);
  cx.isWorldStale = true;
  cx.wasE2h = isE2h(cx);
}

/** Interrupt lines come from outside and stay. */
function reset(cx: PeContext, state: ResetState): void {
  const { bytes } = cx.memory;
  bytes.fill(0, cx.base, cx.base + recordBytes);
  for (const row of systemRegisters) {
    if (row.slot >= 0) write64(cx, offsetOf(row), row.reset(cx.core));
  }
  const highest = highestEl(cx.core);
  assert(state.el <= highest && (state.el !== 2 || cx.hasEl2), `EL${state.el} is not implemented`);
  write64(cx, highestRvbar[highest], state.pc);
  if (cx.hasEl3 && state.el < 3) setLow(cx, SCR_EL3, scr(cx) | SCR.NS | SCR.HCE | SCR.APK | SCR.API);
  setLow(cx, pe.pstate, (state.el << PSTATE.elShift) | PSTATE.SP | PSTATE.D | PSTATE.A | PSTATE.I | PSTATE.F);
  write64(cx, pe.pc, state.pc);
  write64(cx, pe.x, state.x0);
  clearExclusive(cx);
  forgetAnswers(cx.bus);
  restoreTlb(cx.tlb, createTlb());
  cx.cyclesCountedUntil = -1;
  cx.eventsSeenUntil = cx.environment.now();
  timerReset(cx);
  emptyCaches(cx);
  refreshDerivedState(cx);
}

function save(cx: PeContext): SavedPe {
  return {
    version: 1,
    record: cx.memory.bytes.slice(cx.base, cx.base + recordBytes),
    tlb: saveTlb(cx.tlb),
    bus: structuredClone(cx.bus),
    timers: structuredClone(cx.timers),
    monitor: cx.monitors.save(cx.index),
    lines: cx.lines,
    exceptionsTaken: [...cx.exceptionsTaken],
    cyclesCountedUntil: cx.cyclesCountedUntil,
    eventsSeenUntil: cx.eventsSeenUntil,
  };
}

/** RAM is restored by whoever keeps it; the soft TLBs and the jump cache fill again. */
function restore(cx: PeContext, saved: SavedPe): void {
  cx.memory.bytes.set(saved.record, cx.base);
  restoreTlb(cx.tlb, saved.tlb);
  Object.assign(cx.bus, structuredClone(saved.bus));
  for (const [kind, output] of Object.entries(saved.timers)) {
    Object.assign(cx.timers[kind as keyof typeof saved.timers], output);
  }
  cx.monitors.restore(cx.index, saved.monitor);
  cx.lines = saved.lines;
  saved.exceptionsTaken.forEach((count, el) => (cx.exceptionsTaken[el] = count));
  cx.userPagesInSoftTlb = 0;
  cx.cyclesCountedUntil = saved.cyclesCountedUntil;
  cx.eventsSeenUntil = saved.eventsSeenUntil;
  emptyCaches(cx);
  refreshDerivedState(cx);
}
