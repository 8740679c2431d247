import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { never } from '../../src/arch/environment.ts';
import { exit } from '../../src/arch/exits.ts';
import { onePe } from './fixture.ts';

const ENABLE = 1n;
const IMASK = 2n;
const ISTATUS = 4n;

describe('the system counter', () => {
  it('counts at 62.5 MHz', () => {
    const test = onePe();
    test.core.ticks = 1_000_000_000;
    expect(test.mrs('CNTPCT_EL0')).toBe(62_500_000n);
    test.core.ticks += 15;
    expect(test.mrs('CNTPCT_EL0')).toBe(62_500_000n);
    test.core.ticks += 1;
    expect(test.mrs('CNTPCT_EL0')).toBe(62_500_001n);
    expect(test.mrs('CNTFRQ_EL0')).toBe(62_500_000n);
  });

  it('less CNTVOFF_EL2 is the virtual count, modulo 2^64', () => {
    const test = onePe();
    test.core.ticks = 1600;
    test.msr('CNTVOFF_EL2', 101n);
    expect(test.mrs('CNTVCT_EL0')).toBe(0xffff_ffff_ffff_ffffn);
    test.msr('CNTVOFF_EL2', 40n);
    expect(test.mrs('CNTVCT_EL0')).toBe(60n);
  });
});

describe.each([
  { kind: 'CNTP', el: 'EL0' },
  { kind: 'CNTV', el: 'EL0' },
  { kind: 'CNTHP', el: 'EL2' },
  { kind: 'CNTPS', el: 'EL1' },
])('$kind', ({ kind, el }) => {
  const CTL = `${kind}_CTL_${el}`;
  const CVAL = `${kind}_CVAL_${el}`;
  const TVAL = `${kind}_TVAL_${el}`;

  it('fires when the count reaches CVAL, and its line stays while the condition holds', () => {
    const test = onePe();
    test.core.ticks = 160;
    test.msr(CVAL, 30n);
    test.msr(CTL, ENABLE);
    expect(test.core.timers.get(kind)).toEqual({ deadlineTicks: 480, level: false });
    expect(test.mrs(CTL)).toBe(ENABLE);
    test.core.ticks = 480;
    test.pe.timerExpired(kind as 'CNTP');
    expect(test.core.timers.get(kind)).toEqual({ deadlineTicks: never, level: true });
    expect(test.mrs(CTL)).toBe(ENABLE | ISTATUS);
    test.msr(CVAL, 31n);
    expect(test.core.timers.get(kind)).toEqual({ deadlineTicks: 496, level: false });
  });

  it('is silent while it is masked, with its status visible', () => {
    const test = onePe();
    test.core.ticks = 160;
    test.msr(CTL, ENABLE | IMASK);
    expect(test.core.timers.get(kind)).toBeUndefined();
    expect(test.mrs(CTL)).toBe(ENABLE | IMASK | ISTATUS);
    test.msr(CTL, ENABLE);
    expect(test.core.timers.get(kind)?.level).toBe(true);
    test.msr(CTL, 0n);
    expect(test.core.timers.get(kind)?.level).toBe(false);
    expect(test.mrs(CTL)).toBe(0n);
  });

  it('has in TVAL the signed distance to CVAL', () => {
    fc.assert(
      fc.property(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), fc.nat(2 ** 30), (distance, ticks) => {
        const test = onePe();
        test.core.ticks = ticks + 2 ** 36;
        test.msr(TVAL, BigInt(distance) & 0xffff_ffff_ffff_ffffn);
        expect(test.mrs(TVAL)).toBe(BigInt.asUintN(32, BigInt(distance)));
        expect(test.mrs(CVAL)).toBe(BigInt(Math.floor(test.core.ticks / 16)) + BigInt(distance));
      }),
      { numRuns: 20, seed: 4 },
    );
  });

  it('never fires where CVAL is out of reach', () => {
    const test = onePe();
    test.msr(CVAL, 0xffff_ffff_ffff_ffffn);
    test.msr(CTL, ENABLE);
    expect(test.core.timers.get(kind)?.deadlineTicks ?? never).toBe(never);
  });
});

it('CNTV follows CNTVOFF_EL2', () => {
  const test = onePe();
  test.msr('CNTV_CVAL_EL0', 10n);
  test.msr('CNTV_CTL_EL0', ENABLE);
  expect(test.core.timers.get('CNTV')?.deadlineTicks).toBe(160);
  test.msr('CNTVOFF_EL2', 5n);
  // The virtual count is negative, modulo 2^64 beyond CVAL.
  expect(test.core.timers.get('CNTV')?.level).toBe(true);
  test.core.ticks = 80;
  test.msr('CNTVOFF_EL2', 4n);
  expect(test.core.timers.get('CNTV')).toEqual({ deadlineTicks: 224, level: false });
});

describe('the event stream', () => {
  /** EVNTEN, EVNTDIR, EVNTI. */
  const control = (bit: number, isFalling: boolean): bigint => 4n | (isFalling ? 8n : 0n) | (BigInt(bit) << 4n);

  it.each([
    { isFalling: false, first: 8 * 16, second: 24 * 16 },
    { isFalling: true, first: 16 * 16, second: 32 * 16 },
  ])('wakes WFE when bit EVNTI changes, falling: $isFalling', ({ isFalling, first, second }) => {
    const test = onePe();
    test.msr('CNTKCTL_EL1', control(3, isFalling));
    expect(test.pe.wfe()).toBe(exit.waitForEvent);
    expect(test.core.timers.get('events')).toEqual({ deadlineTicks: first, level: false });
    test.core.ticks = first;
    test.pe.timerExpired('events');
    expect(test.pe.wfe()).toBe(exit.none);
    expect(test.pe.wfe()).toBe(exit.waitForEvent);
    expect(test.core.timers.get('events')?.deadlineTicks).toBe(second);
  });

  it('registers an event that comes while the PE runs', () => {
    const test = onePe();
    test.msr('CNTHCTL_EL2', 3n | control(3, false));
    test.core.ticks = 7 * 16;
    expect(test.pe.wfe()).toBe(exit.waitForEvent);
    test.core.ticks = 9 * 16;
    expect(test.pe.wfe()).toBe(exit.none);
  });

  it('asks for nothing while it is disabled', () => {
    const test = onePe();
    test.pe.wfe();
    expect(test.core.timers.has('events')).toBe(false);
  });
});

describe('the performance monitors', () => {
  const cycle = 1n << 31n;

  it('have a cycle counter that counts ticks while it is enabled', () => {
    const test = onePe();
    test.core.ticks = 100;
    test.msr('PMCNTENSET_EL0', 0xffff_ffffn);
    expect(test.mrs('PMCNTENSET_EL0')).toBe(cycle);
    expect(test.mrs('PMCCNTR_EL0')).toBe(0n);
    test.msr('PMCR_EL0', 1n);
    test.core.ticks = 150;
    expect(test.mrs('PMCCNTR_EL0')).toBe(50n);
    test.msr('PMCNTENCLR_EL0', cycle);
    test.core.ticks = 250;
    expect(test.mrs('PMCCNTR_EL0')).toBe(50n);
    test.msr('PMCR_EL0', 4n);
    expect(test.mrs('PMCCNTR_EL0')).toBe(0n);
    expect(test.mrs('PMCR_EL0')).toBe(0x40n);
  });

  it('do not count at the exception levels that PMCCFILTR_EL0 excludes', () => {
    const test = onePe();
    test.msr('PMCCFILTR_EL0', 1n << 30n);
    test.msr('PMCNTENSET_EL0', cycle);
    test.msr('PMCR_EL0', 1n);
    test.enter(1);
    test.core.ticks = 100;
    test.enter(0);
    test.core.ticks = 1000;
    test.pe.svc(0);
    test.core.ticks = 1010;
    expect(test.mrs('PMCCNTR_EL0')).toBe(110n);
  });

  it('raise their interrupt when the counter overflows', () => {
    const test = onePe();
    test.msr('PMCCNTR_EL0', 0xffff_ffff_ffff_fff0n);
    test.msr('PMINTENSET_EL1', cycle);
    test.msr('PMCNTENSET_EL0', cycle);
    test.msr('PMCR_EL0', 1n);
    expect(test.core.timers.get('PMU')).toEqual({ deadlineTicks: 16, level: false });
    test.core.ticks = 16;
    test.pe.timerExpired('PMU');
    expect(test.core.timers.get('PMU')).toEqual({ deadlineTicks: never, level: true });
    expect(test.mrs('PMOVSSET_EL0')).toBe(cycle);
    test.msr('PMOVSCLR_EL0', cycle);
    expect(test.core.timers.get('PMU')?.level).toBe(false);
  });
});
