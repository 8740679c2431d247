// The attacks of tests/guests/src/vm/hostile.c by their names, and how each ends under Rhyper.

import { readFileSync } from 'node:fs';

export type End =
  /** Stopped for what it has done; the report says so. */
  | { readonly stopped: RegExp }
  /** It came to its own end, and has printed this. */
  | { readonly prints: readonly RegExp[] }
  /** It goes on for ever, and must not be felt. */
  | 'goes on';

export interface Attack {
  readonly name: string;
  readonly end: End;
  /** Further options of the command line. */
  readonly options?: string;
  /** Ticks until it has come to its end, where the usual ones are too few. */
  readonly ticks?: number;
  /** What is otherwise with a GICv2. */
  readonly withGicV2?: { readonly end?: End; readonly ticks?: number };
}

const stopped = (reason: RegExp): End => ({ stopped: reason });
const prints = (...lines: RegExp[]): End => ({ prints: lines });
const stray = /: a (read of|write to) IPA 0x\w+, where it has neither memory nor a device$/;
const noMemory = /: an instruction fetch from IPA 0x7\w+, where it has no memory$/;
const needsReset = prints(/^attack \d+: the device needs a reset, and a reset helps$/);
const long = 16_000_000;

export const attacks = {
  memory: [
    { name: 'read an unmapped IPA', end: stopped(/: a read of IPA 0x700000000, where/) },
    { name: 'write an unmapped IPA', end: stopped(/: a write to IPA 0x700000000, where/) },
    { name: 'execute at an unmapped IPA', end: stopped(noMemory) },
    { name: 'the words beside our RAM', end: stopped(/: a read of IPA 0x7ffffffc, where/) },
    { name: 'search the address space', end: stopped(stray) },
    { name: 'write all over the address space', end: stopped(stray) },
    { name: 'fetch instructions from a device', end: prints(/fault, ESR 0x8600000f$/) },
    { name: 'a translation table at an unmapped IPA', end: stopped(/: a stage 1 table at IPA 0x700000000, where/) },
    { name: 'a translation table in a device', end: stopped(/: a stage 1 table at IPA 0x8000000, where/) },
    { name: 'translation tables that map the frames of others', end: stopped(stray) },
    { name: 'our RAM under mismatched attributes', end: prints(/: 6 tried, 1 faults, the last EC 0x25$/) },
    { name: 'code that changes without maintenance', end: prints(/: 1000 rounds, 0 wrong$/) },
    { name: 'exclusives that are not pairs', end: prints(/: 5000 stores without a load, 0 succeeded, the word is 0$/) },
    { name: 'a fault with the vectors unmapped', end: stopped(stray) },
    { name: 'a stack that is not memory', end: stopped(/: a write to IPA 0x700010000, where/) },
    { name: 'TTBR0_EL1 outside RAM', end: stopped(noMemory) },
    { name: 'an SP that is not aligned', end: 'goes on' },
    { name: 'vectors that stage 1 does not map', end: 'goes on' },
    { name: 'vectors that are undefined instructions', end: 'goes on' },
    { name: 'faults in the handler of faults', end: 'goes on' },
  ],
  system: [
    { name: 'read every register of EL2 and EL3', ticks: long, end: prints(/: 8192 tried, 8192 faults/) },
    { name: 'write every register of EL2 and EL3', ticks: long, end: prints(/: 8192 tried, 8192 faults/) },
    { name: 'the list registers', end: prints(/: 128 tried, 128 faults/) },
    { name: 'the identification registers', end: prints(/read: 58 tried, no fault$/, /written: 64 tried, 64 faults/) },
    { name: 'the debug registers', end: prints(/still here$/) },
    { name: 'the performance monitors', end: prints(/there is something$/) },
    { name: 'every MRS', ticks: long, end: prints(/every MRS executed$/) },
    { name: 'every MSR of EL1 and EL0', ticks: long, end: prints(/every MSR of EL1 and EL0 executed$/) },
    { name: 'every system instruction', ticks: long, end: prints(/every SYS executed$/) },
    { name: 'address translation instructions', end: prints(/: 12 tried, 8 faults/, /translates to one of ours$/) },
    {
      name: 'TLB maintenance, also that of EL2',
      options: 'rounds=100',
      end: prints(/: 384 tried, 372 faults/, /100 times TLBI/),
    },
    { name: 'cache maintenance by set and way', end: prints(/still here$/) },
    { name: 'cache maintenance of what is not ours', end: stopped(/: a write to IPA 0x700000000, where/) },
    { name: 'illegal exception returns', end: prints(/: 9 tried, 9 faults, the last EC 0xe$/) },
    { name: 'undefined instructions', end: prints(/: 260 tried, 260 faults/) },
    { name: 'semihosting', end: prints(/UNDEFINED$/) },
    { name: 'a stack pointer that is not aligned', end: prints(/still here$/) },
    { name: 'a loop with everything masked', end: 'goes on' },
  ],
  interrupts: [
    {
      name: 'distributor registers of interrupts that are not ours',
      end: prints(/ISACTIVER: 31 tried/, /still here$/),
    },
    {
      name: 'routing of interrupts that are not ours',
      end: prints(/IROUTER: 224 tried, no fault$/),
      withGicV2: { end: prints(/ITARGETSR: 56 tried, no fault$/) },
    },
    { name: 'odd access sizes to the distributor', ticks: long, end: prints(/still here$/) },
    {
      name: 'accesses without a syndrome to a device',
      end: stopped(/gicd at IPA 0x8000080 by an instruction that says not/),
    },
    {
      name: 'redistributors and CPU interfaces that are not ours',
      end: prints(/still here$/),
      // GICH is the hypervisor’s.
      withGicV2: { end: stopped(/: a read of IPA 0x8030000, where/) },
    },
    { name: 'SGIs to cores that are not ours', end: prints(/still here$/) },
    {
      name: 'a storm of SGIs',
      options: 'rounds=1000',
      end: prints(/1000 SGIs to ourselves, some taken$/),
      withGicV2: { ticks: long },
    },
    {
      name: 'a storm of pending bits',
      options: 'rounds=500',
      end: prints(/500 times every PPI pending and not/),
      withGicV2: { ticks: long },
    },
    {
      name: 'a timer that expires all the time',
      options: 'rounds=500',
      end: prints(/500 expiries/),
      withGicV2: { ticks: long },
    },
    { name: 'timers at odd deadlines', end: prints(/the counter goes on$/) },
    { name: 'a loop of WFI', options: 'rounds=50', end: prints(/50 times WFI/) },
    { name: 'a storm of events', end: prints(/5000 times SEV/) },
    { name: 'the end of interrupts that were not taken', end: prints(/still here$/) },
    { name: 'a storm without end', end: 'goes on' },
  ],
  calls: [
    // One of them waits 20 ms for an answer of the management VM.
    {
      name: 'every HVC function with random arguments',
      ticks: 26_000_000,
      end: prints(/2048 functions with random arguments, \d+ not/),
    },
    { name: 'HVC functions that do not exist', end: prints(/256 functions that do not exist, 0 not refused$/) },
    { name: 'HVC about other VMs', end: prints(/99 calls about other VMs, 0 not refused$/) },
    { name: 'HVC with pointers that are not ours', end: prints(/120 pointers that are not ours, 0 not refused$/) },
    { name: 'shared windows without measure', end: prints(/56 windows asked for, 3 not refused$/) },
    { name: 'a live update', end: prints(/is refused$/) },
    { name: 'HVC and SMC with other immediates', end: prints(/still here$/) },
    { name: 'a storm of calls', end: prints(/2000 refused calls in a row$/) },
    { name: 'CPU_ON of cores that are not ours', end: prints(/CPU_ON of 255 cores that are not ours, 0 not refused$/) },
    { name: 'CPU_ON at odd entries', end: prints(/CPU_ON of the core that runs is refused$/) },
    { name: 'every function of PSCI', end: prints(/still here$/) },
    { name: 'CPU_SUSPEND with nothing that wakes', end: 'goes on' },
    { name: 'CPU_OFF of the last core', end: 'goes on' },
    { name: 'SYSTEM_RESET again and again', end: 'goes on' },
  ],
  devices: [
    { name: 'a descriptor outside RAM, to be written', end: needsReset },
    { name: 'a descriptor outside RAM, to be read', end: needsReset },
    { name: 'a descriptor across the end of RAM', end: needsReset },
    { name: 'a descriptor of 4 GiB', end: needsReset },
    { name: 'a descriptor in the interrupt controller', end: needsReset },
    { name: 'descriptors in a loop', end: needsReset },
    { name: 'a next descriptor outside the table', end: needsReset },
    { name: 'a head outside the table', end: needsReset },
    { name: 'an indirect table in an indirect table', end: needsReset },
    { name: 'an indirect table outside RAM', end: needsReset },
    { name: 'more available buffers than the ring has', end: needsReset },
    { name: 'rings outside RAM', end: needsReset },
    { name: 'garbage in every register of a device', ticks: long, end: prints(/a reset helps$/) },
    { name: 'odd sizes of a ring', end: prints(/a reset helps$/) },
    {
      name: 'a storm of notifications',
      options: 'rounds=500',
      end: prints(/500 notifications of an empty queue; a reset helps$/),
    },
    {
      name: 'a device that is not acknowledged',
      ticks: long,
      end: prints(/interrupted; a reset helps$/),
      withGicV2: { ticks: 2 * long },
    },
  ],
} as const satisfies Readonly<Record<string, readonly Attack[]>>;
export type Group = keyof typeof attacks;

const list = readFileSync(new URL('../../guests/expected/vm/hostile-list.txt', import.meta.url), 'utf8');
/** Names in the order of their numbers, from 1. */
export const listed = [...list.matchAll(/^\d+ (.*?)(?: \(does not come back\))?$/gm)].map(([, name]) => name as string);
export const numberOf = (name: string): number => listed.indexOf(name) + 1;
