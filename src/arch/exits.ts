// Why an engine stopped running instructions of a PE.

/** Codes that translated code, step functions and the services return; 0 goes on with the next instruction in sequence. */
export const exit = {
  /** Go on with the next instruction. */
  none: 0,
  /** The budget is used up, or the next block does not fit into it. */
  budget: 1,
  /** No translated code is known for PC. */
  lookup: 2,
  /** PC, or what decides how PC is read, has changed: an exception was taken or returned from, or the context was synchronised. */
  redirect: 3,
  /** WFI with no wake-up event pending; PC is past the instruction. */
  waitForInterrupt: 4,
  /** WFE with the event register clear; PC is past the instruction. */
  waitForEvent: 5,
  /** A device access waits for its response; PC is at the instruction, which runs again when the response is there. */
  bus: 6,
  /** A DSB waits for the completion of DVM operations; PC is at the instruction, which runs again. */
  barrier: 7,
  /** The PE is off (PSCI CPU_OFF), suspended, or the machine has been stopped; PC is past the instruction. */
  stopped: 8,
  /** The instruction must be the last of a trace or of a run: PC is at it, and the stepper runs it (again), alone. */
  step: 9,
  /** YIELD, where PEs share a thread that does not run them by simulated time; PC is past the instruction. */
  yield: 10,
  /** The instruction, which the stepper runs, goes on to its end, and the run ends with it. */
  last: 11,
} as const;

export type Exit = (typeof exit)[keyof typeof exit];
