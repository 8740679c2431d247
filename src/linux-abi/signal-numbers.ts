// Signals by number (include/uapi/asm-generic/signal.h), what each does where a program has not said, and the flags of sigaction.

export const SIG = {
  HUP: 1,
  INT: 2,
  QUIT: 3,
  ILL: 4,
  TRAP: 5,
  ABRT: 6,
  BUS: 7,
  FPE: 8,
  KILL: 9,
  USR1: 10,
  SEGV: 11,
  USR2: 12,
  PIPE: 13,
  ALRM: 14,
  TERM: 15,
  STKFLT: 16,
  CHLD: 17,
  CONT: 18,
  STOP: 19,
  TSTP: 20,
  TTIN: 21,
  TTOU: 22,
  URG: 23,
  XCPU: 24,
  XFSZ: 25,
  VTALRM: 26,
  PROF: 27,
  WINCH: 28,
  IO: 29,
  PWR: 30,
  SYS: 31,
} as const;

export const lastSignal = 64;
/** Several real-time signals of one number are pending one by one. */
export const firstRealTime = 32;

/** Without a handler nothing happens when they are taken. */
export const ignoredByDefault: ReadonlySet<number> = new Set([SIG.CHLD, SIG.CONT, SIG.URG, SIG.WINCH]);

/** Without a handler the process stops. */
export const stopsByDefault: ReadonlySet<number> = new Set([SIG.STOP, SIG.TSTP, SIG.TTIN, SIG.TTOU]);

/** An instruction's own: handled before others. */
export const synchronousSignals: ReadonlySet<number> = new Set([
  SIG.SEGV,
  SIG.BUS,
  SIG.ILL,
  SIG.TRAP,
  SIG.FPE,
  SIG.SYS,
]);

export const SA = {
  NOCLDSTOP: 0x1n,
  NOCLDWAIT: 0x2n,
  SIGINFO: 0x4n,
  RESTORER: 0x0400_0000n,
  ONSTACK: 0x0800_0000n,
  RESTART: 0x1000_0000n,
  NODEFER: 0x4000_0000n,
  RESETHAND: 0x8000_0000n,
} as const;
export const SIG_DFL = 0n;
export const SIG_IGN = 1n;

/** si_code. */
export const SI = { USER: 0, KERNEL: 0x80, QUEUE: -1, TIMER: -2, TKILL: -6 } as const;
export const CLD = { EXITED: 1, KILLED: 2, DUMPED: 3, TRAPPED: 4, STOPPED: 5, CONTINUED: 6, last: 6 } as const;

/** Bit of a signal in a set. */
export const maskOf = (signal: number): bigint => 1n << BigInt(signal - 1);
/** What cannot be blocked. */
export const unblockable = maskOf(SIG.KILL) | maskOf(SIG.STOP);

/** As strsignal's callers know it. */
export function nameOfSignal(signal: number): string {
  const found = Object.entries(SIG).find(([, number]) => number === signal);
  return found ? `SIG${found[0]}` : `signal ${signal}`;
}
