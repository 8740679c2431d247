// Software that is resident at an Exception level as TypeScript (DESIGN, idea 6): a hypervisor at EL2, or a kernel at EL1 where there is no EL2.
// It is entered by reset and by every exception to its level, sees architectural state only, pays ticks for what it does, and leaves by ERET or by sleeping until an interrupt.
//
// What it does in one entry is an activity: a generator that yields wherever hardware would make it wait. Between activities it has
// no state outside memory and registers, so that a machine can be saved there. The general-purpose registers are those
// of the interrupted software, all through the activity; interrupts are masked as after any exception.

import { exit } from './exits.ts';
import type { Pe } from './pe.ts';
import { pe as record } from './state-layout.ts';
import { registerNamed } from './system-registers.ts';
import { assert } from '../report/assert.ts';

/** The memory of the machine, which resident software shares with its PE. */
export type { MemoryViews } from '../memory/memory-views.ts';

/** What an activity waits for. */
export type ResidentWait =
  /** So many ticks of work have to pass. */
  | { readonly kind: 'work'; readonly ticks: number }
  /** A read or write of a device; sizes are 1, 2, 4 and 8 bytes, aligned. */
  | {
      readonly kind: 'access';
      readonly isWrite: boolean;
      readonly pa: number;
      readonly sizeBytes: number;
      readonly valueLow: number;
      readonly valueHigh: number;
    }
  /** The answer of the firmware, or whatever message the software waits for. */
  | { readonly kind: 'firmware' }
  /** The completion of the DVM operations that this PE has sent: what a DSB waits for. */
  | { readonly kind: 'barrier' };

/** The answer to an access; of no meaning after the other waits. */
export interface ResidentAnswer {
  readonly isOkay: boolean;
  readonly valueLow: number;
  readonly valueHigh: number;
}

export type Activity<Result = void> = Generator<ResidentWait, Result, ResidentAnswer>;

/** How an entry ends: ERET by ELR_ELx and SPSR_ELx, or WFI at ELx until an interrupt is pending, which is then an entry. */
export type EntryEnd = 'return' | 'sleep';

/** The software of one PE. */
export interface ResidentLevelSoftware {
  /** After reset: X0 is what the firmware, or the board, has given. */
  reset(): Activity<EntryEnd>;
  /** An exception to its level: the offset of its vector (Arm ARM, "Exception vectors"); ESR_ELx and its kind are set. */
  exception(vectorOffset: number): Activity<EntryEnd>;
}

/** Vectors of exceptions from the level itself with SP_ELx, and from a lower level. */
export const vectorGroup = { currentEl: 0x200, lowerEl: 0x400 } as const;

export function* work(ticks: number): Activity {
  yield { kind: 'work', ticks };
}

/** What takes no time of its own, in the place of an activity. */
export function* immediately<Result>(act: () => Result): Activity<Result> {
  yield* [];
  return act();
}

/** Reads a device register of 1, 2 or 4 bytes; undefined after an error response. */
export function* readDevice(pa: number, sizeBytes: number): Activity<number | undefined> {
  const answer = yield { kind: 'access', isWrite: false, pa, sizeBytes, valueLow: 0, valueHigh: 0 };
  return answer.isOkay ? answer.valueLow : undefined;
}

/** Writes a device register of 1, 2 or 4 bytes; false after an error response. */
export function* writeDevice(pa: number, sizeBytes: number, value: number): Activity<boolean> {
  const answer = yield { kind: 'access', isWrite: true, pa, sizeBytes, valueLow: value >>> 0, valueHigh: 0 };
  return answer.isOkay;
}

const argumentCount = 4;

/** SMC to the firmware with X0 to X3; the registers of the interrupted software are kept. The result is X0. */
export function* callFirmware(pe: Pe, ...args: readonly bigint[]): Activity<bigint> {
  assert(args.length <= argumentCount, 'a call of the firmware has up to four arguments');
  const kept = Array.from({ length: argumentCount }, (_, n) => pe.readX(n));
  for (;;) {
    for (let n = 0; n < argumentCount; n += 1) pe.writeX(n, args[n] ?? 0n);
    const code = pe.smc(0);
    const result = pe.readX(0);
    kept.forEach((value, n) => {
      pe.writeX(n, value);
    });
    if (code !== exit.bus && code !== exit.stopped) return result;
    yield { kind: 'firmware' };
  }
}

/** DSB. */
export function* dsb(pe: Pe): Activity {
  while (pe.dsb() === exit.barrier) yield { kind: 'barrier' };
}

/**
 * DSB ISHST: stores to memory are complete for every observer. Those of resident software are as soon as they are made. Unlike DSB SY it
 * waits neither for TLB maintenance nor for the effects of accesses to the GIC.
 */
export const dsbStores = (): Activity => work(1);

/** The System registers and instructions of a PE as software at its level uses them. */
export interface SystemAccess {
  /** MRS. */
  read(name: string): bigint;
  /** MSR (register). */
  write(name: string, value: bigint): void;
  /** SYS with this key (system-key.ts): TLBI, AT, IC, DC. */
  execute(key: number, operand: bigint): void;
}

export function systemAccess(pe: Pe, doublewords: BigUint64Array): SystemAccess {
  const scratch = (pe.base + record.scratch) >>> 3;
  const keyOf = (name: string): number => {
    const row = registerNamed(name);
    assert(row !== undefined, `there is no system register ${name}`);
    return row.key;
  };
  return {
    read: (name) => {
      const code = pe.readSystemRegister(keyOf(name));
      assert(code === exit.none, `${name} can be read at EL${pe.currentEl()}`);
      return doublewords[scratch] as bigint;
    },
    write: (name, value) => {
      doublewords[scratch] = BigInt.asUintN(64, value);
      const level = pe.currentEl();
      pe.writeSystemRegister(keyOf(name));
      assert(pe.currentEl() === level, `${name} can be written at EL${level}`);
    },
    execute: (key, operand) => {
      doublewords[scratch] = BigInt.asUintN(64, operand);
      pe.systemInstruction(key);
    },
  };
}
