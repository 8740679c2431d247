// The interrupts of the kernel: SGI 0, by which a core is told that there is something for it to do, and the virtual timer, for the end of
// a time slice and for whoever sleeps. GICv3 with one Security state, everything in Group 1 (Arm IHI 0069).

import { type Activity, readDevice, work, writeDevice } from '../arch/resident.ts';
import type { Core } from './kernel.ts';

const gicd = { CTLR: 0, ARE: 1 << 4, EnableGrp1: 1 << 1 } as const;
const gicr = {
  WAKER: 0x14,
  processorSleep: 1 << 1,
  childrenAsleep: 1 << 2,
  IGROUPR0: 0x1_0080,
  ISENABLER0: 0x1_0100,
} as const;
const intids = { ring: 0, timer: 27 } as const;
const firstSpecialIntid = 1020;
const lowestPriority = 0xf0n;
const everyInterrupt = 0xffff_ffff;
const waitTicks = 100;

export function* startInterrupts(core: Core): Activity {
  const { system, platform, index } = core;
  if (index === 0) yield* writeDevice(platform.distributorBase + gicd.CTLR, 4, gicd.ARE | gicd.EnableGrp1);
  const frame = platform.redistributorBases[index] as number;
  const before = (yield* readDevice(frame + gicr.WAKER, 4)) ?? 0;
  yield* writeDevice(frame + gicr.WAKER, 4, before & ~gicr.processorSleep);
  while ((((yield* readDevice(frame + gicr.WAKER, 4)) ?? 0) & gicr.childrenAsleep) !== 0) yield* work(waitTicks);
  yield* writeDevice(frame + gicr.IGROUPR0, 4, everyInterrupt);
  yield* writeDevice(frame + gicr.ISENABLER0, 4, (1 << intids.ring) | (1 << intids.timer));
  system.write('ICC_PMR_EL1', lowestPriority);
  system.write('ICC_IGRPEN1_EL1', 1n);
}

export type Interrupt = 'ring' | 'timer' | 'other';

/** Acknowledges and ends the interrupt that is pending with the highest priority; undefined where there is none. */
export function takeInterrupt({ system }: Core): Interrupt | undefined {
  const intid = Number(system.read('ICC_IAR1_EL1') & 0xff_ffffn);
  if (intid >= firstSpecialIntid) return undefined;
  if (intid === intids.timer) system.write('CNTV_CTL_EL0', 0n);
  system.write('ICC_EOIR1_EL1', BigInt(intid));
  return intid === intids.ring ? 'ring' : intid === intids.timer ? 'timer' : 'other';
}

/** ICC_SGI1R_EL1 for one core. */
export function ring({ system, platform }: Core, target: number): void {
  const mpidr = BigInt(platform.mpidrs[target] ?? 0);
  const aff = (n: bigint): bigint => (mpidr >> (8n * n)) & 0xffn;
  const list = 1n << (aff(0n) & 15n);
  system.write('ICC_SGI1R_EL1', (BigInt(intids.ring) << 24n) | (aff(1n) << 16n) | (aff(2n) << 32n) | list);
}

/** Ticks of simulated time for each count of the system counter: 62.5 MHz. */
const ticksPerCount = 16;

/** The timer fires at this time; never with Infinity. */
export function setTimer({ system }: Core, atTicks: number): void {
  if (atTicks === Infinity) {
    system.write('CNTV_CTL_EL0', 0n);
    return;
  }
  system.write('CNTV_CVAL_EL0', BigInt(Math.ceil(atTicks / ticksPerCount)));
  system.write('CNTV_CTL_EL0', 1n);
}
