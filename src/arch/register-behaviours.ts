// The registers whose value is not simply kept in their slot: what reading and writing them does. The table of system registers
// says who may do it. A written value has the bits of `writable` only.

import { ccsidrEl1, dczidBlockSize } from './core-identity.ts';
import { nzcv, sctlr, setNzcv, setPstate } from './derived-state.ts';
import { interruptStatus } from './interrupts.ts';
import { currentEl, el2Enabled, hcr, low, type PeContext, PSTATE, read64, setLow, write64 } from './pe-context.ts';
import { controlCycleCounter, synchroniseCycleCounter, updatePerformanceInterrupt } from './performance-monitors.ts';
import { cycleCounterBit, pmcrLongCycle } from './registers/performance.ts';
import { pe } from './state-layout.ts';
import { slotOf } from './system-registers.ts';
import {
  type CounterTimer,
  counterTimers,
  physicalCount,
  readControl,
  readTimerValue,
  timerControl,
  updateTimer,
  visibleVirtualCount,
  writeTimerValue,
} from './timers.ts';

export interface RegisterBehaviour {
  readonly read?: (cx: PeContext) => bigint;
  readonly write?: (cx: PeContext, value: bigint) => void;
  /** Accesses are UNDEFINED while this holds. */
  readonly isUndefined?: (cx: PeContext) => boolean;
}

const isVirtualised = (cx: PeContext): boolean => currentEl(cx) === 1 && el2Enabled(cx);
const pstate = (cx: PeContext): number => low(cx, pe.pstate);
const DAIF = PSTATE.D | PSTATE.A | PSTATE.I | PSTATE.F;

const slot = {
  VPIDR_EL2: slotOf('VPIDR_EL2'),
  VMPIDR_EL2: slotOf('VMPIDR_EL2'),
  CSSELR_EL1: slotOf('CSSELR_EL1'),
  SP_EL0: slotOf('SP_EL0'),
  OSLSR_EL1: slotOf('OSLSR_EL1'),
  DBGCLAIMCLR_EL1: slotOf('DBGCLAIMCLR_EL1'),
  PMCR_EL0: slotOf('PMCR_EL0'),
  PMCNTENSET_EL0: slotOf('PMCNTENSET_EL0'),
  PMOVSSET_EL0: slotOf('PMOVSSET_EL0'),
  PMINTENSET_EL1: slotOf('PMINTENSET_EL1'),
  PMCCNTR_EL0: slotOf('PMCCNTR_EL0'),
  PMCCFILTR_EL0: slotOf('PMCCFILTR_EL0'),
  PMSELR_EL0: slotOf('PMSELR_EL0'),
  CNTKCTL_EL1: slotOf('CNTKCTL_EL1'),
  CNTVOFF_EL2: slotOf('CNTVOFF_EL2'),
} as const;

const identification: Readonly<Record<string, RegisterBehaviour>> = {
  MIDR_EL1: { read: (cx) => (isVirtualised(cx) ? read64(cx, slot.VPIDR_EL2) : cx.core.midr) },
  MPIDR_EL1: { read: (cx) => (isVirtualised(cx) ? read64(cx, slot.VMPIDR_EL2) : cx.core.mpidr) },
  CCSIDR_EL1: { read: (cx) => ccsidrEl1(low(cx, slot.CSSELR_EL1)) },
  DCZID_EL0: {
    read(cx) {
      const el = currentEl(cx);
      const isProhibited = (el === 0 && (sctlr(cx, 0) & (1 << 14)) === 0) || (el <= 1 && (hcr(cx) & (1 << 28)) !== 0);
      return BigInt(dczidBlockSize | (isProhibited ? 16 : 0));
    },
  },
};

const processState: Readonly<Record<string, RegisterBehaviour>> = {
  SP_EL0: {
    isUndefined: (cx) => (pstate(cx) & PSTATE.SP) === 0,
    read: (cx) => read64(cx, slot.SP_EL0),
    write: (cx, value) => write64(cx, slot.SP_EL0, value),
  },
  SPSel: {
    read: (cx) => BigInt(pstate(cx) & PSTATE.SP),
    write: (cx, value) => setPstate(cx, (pstate(cx) & ~PSTATE.SP) | Number(value)),
  },
  CurrentEL: { read: (cx) => BigInt(currentEl(cx) << PSTATE.elShift) },
  PAN: {
    read: (cx) => BigInt(pstate(cx) & PSTATE.PAN),
    write: (cx, value) => setPstate(cx, (pstate(cx) & ~PSTATE.PAN) | Number(value)),
  },
  UAO: {
    read: (cx) => BigInt(pstate(cx) & PSTATE.UAO),
    write: (cx, value) => setPstate(cx, (pstate(cx) & ~PSTATE.UAO) | Number(value)),
  },
  NZCV: { read: (cx) => BigInt(nzcv(cx)), write: (cx, value) => setNzcv(cx, Number(value)) },
  DAIF: {
    read: (cx) => BigInt(pstate(cx) & DAIF),
    write: (cx, value) => setLow(cx, pe.pstate, (pstate(cx) & ~DAIF) | Number(value)),
  },
  ISR_EL1: { read: (cx) => BigInt(interruptStatus(cx)) },
};

const debug: Readonly<Record<string, RegisterBehaviour>> = {
  // OSLSR_EL1.OSLK.
  OSLAR_EL1: { write: (cx, value) => write64(cx, slot.OSLSR_EL1, 8n | ((value & 1n) << 1n)) },
  DBGCLAIMSET_EL1: {
    read: () => 0xffn,
    write: (cx, value) => write64(cx, slot.DBGCLAIMCLR_EL1, read64(cx, slot.DBGCLAIMCLR_EL1) | (value & 0xffn)),
  },
  DBGCLAIMCLR_EL1: {
    read: (cx) => read64(cx, slot.DBGCLAIMCLR_EL1),
    write: (cx, value) => write64(cx, slot.DBGCLAIMCLR_EL1, read64(cx, slot.DBGCLAIMCLR_EL1) & ~value),
  },
};

/** Changes a register that decides whether the cycle counter counts, and what hangs on it. */
function controlCounting(cx: PeContext, change: () => void): void {
  synchroniseCycleCounter(cx);
  change();
  synchroniseCycleCounter(cx);
  updatePerformanceInterrupt(cx);
}

/** A pair of registers, one of which sets the bits of a bitmap and the other clears them; both read it. */
const bitmap = (offset: number): { set: RegisterBehaviour; clear: RegisterBehaviour } => {
  const read = (cx: PeContext): bigint => read64(cx, offset);
  return {
    set: {
      read,
      write: (cx, value) => controlCounting(cx, () => write64(cx, offset, read64(cx, offset) | value)),
    },
    clear: {
      read,
      write: (cx, value) =>
        controlCounting(cx, () => write64(cx, offset, read64(cx, offset) & ~(value & cycleCounterBit))),
    },
  };
};

const enables = bitmap(slot.PMCNTENSET_EL0);
const overflows = bitmap(slot.PMOVSSET_EL0);
const interruptEnables = bitmap(slot.PMINTENSET_EL1);
const filter: RegisterBehaviour = {
  read: (cx) => read64(cx, slot.PMCCFILTR_EL0),
  write: (cx, value) => controlCounting(cx, () => write64(cx, slot.PMCCFILTR_EL0, value)),
};
/** PMSELR_EL0.SEL that names the cycle counter. */
const selectsCycleCounter = (cx: PeContext): boolean => low(cx, slot.PMSELR_EL0) === 31;

const performance: Readonly<Record<string, RegisterBehaviour>> = {
  PMCR_EL0: {
    read: (cx) => read64(cx, slot.PMCR_EL0),
    write: (cx, value) =>
      controlCounting(cx, () => {
        write64(cx, slot.PMCR_EL0, (value & 0x29n) | pmcrLongCycle);
        controlCycleCounter(cx, value);
      }),
  },
  PMCNTENSET_EL0: enables.set,
  PMCNTENCLR_EL0: enables.clear,
  PMOVSSET_EL0: overflows.set,
  PMOVSCLR_EL0: overflows.clear,
  PMINTENSET_EL1: interruptEnables.set,
  PMINTENCLR_EL1: interruptEnables.clear,
  PMCCNTR_EL0: {
    read(cx) {
      synchroniseCycleCounter(cx);
      return read64(cx, slot.PMCCNTR_EL0);
    },
    write: (cx, value) => controlCounting(cx, () => write64(cx, slot.PMCCNTR_EL0, value)),
  },
  PMCCFILTR_EL0: filter,
  // CONSTRAINED UNPREDICTABLE for a counter that does not exist: RAZ/WI.
  PMXEVTYPER_EL0: {
    read: (cx) => (selectsCycleCounter(cx) ? read64(cx, slot.PMCCFILTR_EL0) : 0n),
    write: (cx, value) => {
      if (selectsCycleCounter(cx)) filter.write?.(cx, value & 0xfc00_0000n);
    },
  },
};

function timerBehaviours(kind: CounterTimer): [string, RegisterBehaviour][] {
  const { names, CTL, CVAL } = timerControl(kind);
  const kept = (offset: number): RegisterBehaviour => ({
    read: (cx) => read64(cx, offset),
    write(cx, value) {
      write64(cx, offset, value);
      updateTimer(cx, kind);
    },
  });
  return [
    [names.TVAL, { read: (cx) => readTimerValue(cx, kind), write: (cx, value) => writeTimerValue(cx, kind, value) }],
    [names.CTL, { ...kept(CTL), read: (cx) => readControl(cx, kind) }],
    [names.CVAL, kept(CVAL)],
  ];
}

const timer: Readonly<Record<string, RegisterBehaviour>> = {
  CNTPCT_EL0: { read: physicalCount },
  CNTVCT_EL0: { read: visibleVirtualCount },
  CNTKCTL_EL1: {
    read: (cx) => read64(cx, slot.CNTKCTL_EL1),
    write(cx, value) {
      // The events of an event stream count from when it is enabled.
      cx.eventsSeenUntil = cx.environment.now();
      write64(cx, slot.CNTKCTL_EL1, value);
    },
  },
  CNTVOFF_EL2: {
    read: (cx) => read64(cx, slot.CNTVOFF_EL2),
    write(cx, value) {
      write64(cx, slot.CNTVOFF_EL2, value);
      updateTimer(cx, 'CNTV');
    },
  },
  ...Object.fromEntries(counterTimers.flatMap(timerBehaviours)),
};

export const registerBehaviours: Readonly<Record<string, RegisterBehaviour>> = {
  ...identification,
  ...processState,
  ...debug,
  ...performance,
  ...timer,
};
