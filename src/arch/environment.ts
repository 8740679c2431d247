// What a PE needs from the core actor that hosts it: time, the bus, the other PEs of its shareability domain, the interrupt
// wires of its timers, and the GIC's CPU interface. Small and synchronous: what takes time is answered with "not yet", and the
// instruction runs again.

/** DVM operations: the maintenance that one PE asks of every PE of its Inner Shareable domain. */
export interface DvmOperation {
  /** One of `dvm`. */
  readonly code: number;
  /** Bits [31:0] and [63:32] of the address of a TLBI by VA or by IPA, else 0. */
  readonly vaLow: number;
  readonly vaHigh: number;
  readonly asid: number;
  /** The translation context: regime, Security state and VMID, as translation-attributes.ts numbers them. */
  readonly context: number;
}

export const dvm = {
  /** Every entry of the context with a part of stage 1. */
  tlbiAll: 0,
  /** The entries of the context that translate the address, for the ASID or global. */
  tlbiVa: 1,
  /** The entries of the context that translate the address, for any ASID. */
  tlbiVaa: 2,
  /** The non-global entries of the context and ASID. */
  tlbiAsid: 3,
  /** Every entry of both stages of the EL1&0 regime in this Security state, whatever the VMID. */
  tlbiAllVmids: 4,
  /** Every entry of both stages of the context. */
  tlbiAllStages: 5,
  /** The entries of the context that stage 2 of the intermediate physical address has had a part in. */
  tlbiIpa: 6,
} as const;

/** What drives an interrupt line by time: the timers and the PMU; and the event stream, which has no line and wakes WFE. */
export type TimerKind = 'CNTP' | 'CNTV' | 'CNTHP' | 'CNTHV' | 'CNTPS' | 'PMU' | 'events';

/** `deadlineTicks` of a timer that will not fire by itself. */
export const never = Infinity;

/**
 * The GIC CPU interface: the ICC_* registers. Traps that the table of system registers states have been checked before.
 * Values are 64 bits wide; `undefined` makes the access UNDEFINED.
 */
export interface GicCpuInterface {
  read(key: number, el: number, secure: boolean): bigint | undefined;
  /** False makes the access UNDEFINED. */
  write(key: number, value: bigint, el: number, secure: boolean): boolean;
}

export interface PeEnvironment {
  /** Simulated time of the present instruction, in ticks of 1 ns. */
  now(): number;
  /** Instructions that the PE has run before the present one: the same number as long as that waits, and runs again. */
  instructions(): number;

  /**
   * A store is about to write `sizeBytes` bytes at `pa`, in RAM, to a line that the line map says holds code. True when translations
   * have been ended: the instruction that stores may be one of them, and is run again by the stepper (exit.step).
   */
  codeWritten(pa: number, sizeBytes: number): boolean;

  /**
   * Sends a request to whatever answers at `pa` outside RAM; sizes are 1, 2, 4 and 8 bytes, aligned. The PE then returns
   * `exit.bus`; the core calls `Pe.busResponse` when the response has come and runs the instruction again.
   */
  busRequest(isWrite: boolean, pa: number, sizeBytes: number, valueLow: number, valueHigh: number): void;

  /** Sends a DVM operation to every other PE. */
  broadcast(operation: DvmOperation): void;

  /** True when every DVM operation that this PE has broadcast is complete; else the core runs the DSB again when it is. */
  dvmComplete(): boolean;

  /** IC IVAU of the line at this physical address, or IC IALLU(IS) with -1. `isBroadcast`: for the Inner Shareable domain. */
  instructionCache(pa: number, isBroadcast: boolean): void;

  /** Signals an event (SEV, or a cleared global monitor) to the PE with this index, or to every other PE with -1. */
  event(targetPe: number): void;

  /**
   * The state of a timer has changed: `level` is its output line, `deadlineTicks` the time at which the core calls
   * `Pe.timerExpired(kind)` (it replaces the earlier one; `never` cancels it). It is never called for what has not changed.
   */
  timer(kind: TimerKind, deadlineTicks: number, level: boolean): void;

  readonly gic: GicCpuInterface;
}
