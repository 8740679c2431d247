import { describe, expect, it } from 'vitest';
import { exit } from '../../src/arch/exits.ts';
import type { InterruptKind } from '../../src/arch/pe.ts';
import { pe as record } from '../../src/arch/state-layout.ts';
import { onePe, type TestPe } from './fixture.ts';

const bit = (n: number): bigint => 1n << BigInt(n);
const vbar = 0x4000_8000n;

const physical = [
  { kind: 'serror', mask: 8, scr: 3, hcr: 5, offset: 0x180n },
  { kind: 'fiq', mask: 6, scr: 2, hcr: 3, offset: 0x100n },
  { kind: 'irq', mask: 7, scr: 1, hcr: 4, offset: 0x080n },
] as const;

interface Routing {
  readonly scr: boolean;
  readonly hcr: boolean;
  readonly tge: boolean;
}

const routings: readonly Routing[] = [false, true].flatMap((scr) =>
  [false, true].flatMap((hcr) => [false, true].map((tge) => ({ scr, hcr, tge }))),
);

/** The table "Routing of physical interrupts" and the table of masking, AArch64 state, Non-secure. */
function expectedTarget(el: number, { scr, hcr, tge }: Routing, isMasked: boolean): number | undefined {
  const target = scr ? 3 : hcr || tge ? 2 : 1;
  if (target < el) return undefined;
  if (target > el && target > 1) return target;
  return isMasked ? undefined : target;
}

describe.each(physical)('a physical $kind', ({ kind, mask, scr, hcr, offset }) => {
  it('is routed by SCR_EL3 and HCR_EL2 and masked by PSTATE, from every exception level', () => {
    for (const routing of routings) {
      for (const el of [0, 1, 2, 3] as const) {
        if (routing.tge && el === 1) continue;
        for (const isMasked of [false, true]) {
          const test = onePe();
          for (const level of [1, 2, 3]) test.setRegister(`VBAR_EL${level}`, vbar * BigInt(level));
          test.setRegister('HCR_EL2', (routing.hcr ? bit(hcr) : 0n) | (routing.tge ? bit(27) : 0n));
          test.setRegister('SCR_EL3', routing.scr ? bit(scr) : 0n);
          test.enter(el, isMasked ? bit(mask) : 0n);
          test.pe.setLine(kind, true);
          const expected = expectedTarget(el, routing, isMasked);
          const what = `EL${el} ${JSON.stringify(routing)} masked ${isMasked}`;
          expect(test.pe.pendingInterrupt(), what).toBe(expected === undefined ? undefined : kind);
          expect(test.pe.wakeUpPending()).toBe(true);
          if (expected === undefined) continue;
          const { pc } = test;
          test.pe.takeInterrupt(kind);
          expect(test.pe.currentEl(), what).toBe(expected);
          expect(test.pc).toBe(vbar * BigInt(expected) + offset + (expected > el ? 0x400n : 0x200n));
          expect(test.register(`ELR_EL${expected}`)).toBe(pc);
        }
      }
    }
  });
});

describe('virtual interrupts', () => {
  const cases = [
    { kind: 'virq', field: 4, pending: 7, mask: 7, offset: 0x80n },
    { kind: 'vfiq', field: 3, pending: 6, mask: 6, offset: 0x100n },
    { kind: 'vserror', field: 5, pending: 8, mask: 8, offset: 0x180n },
  ] as const;

  it.each(cases)(
    '$kind is pending by line or by HCR_EL2, where HCR_EL2 makes it virtual',
    ({ kind, field, pending, mask, offset }) => {
      const prepare = (hcr: bigint, spsr = 0n): TestPe => {
        const test = onePe({ hasEl3: false });
        test.setRegister('HCR_EL2', hcr);
        test.setRegister('VBAR_EL1', vbar);
        return test.enter(1, spsr);
      };
      const byLine = prepare(bit(field));
      byLine.pe.setLine(kind, true);
      expect(byLine.pe.pendingInterrupt()).toBe(kind);
      const byField = prepare(bit(field) | bit(pending));
      expect(byField.pe.pendingInterrupt()).toBe(kind);
      byField.pe.takeInterrupt(kind);
      expect(byField.pe.currentEl()).toBe(1);
      expect(byField.pc).toBe(vbar + 0x200n + offset);
      expect(prepare(bit(field) | bit(pending), bit(mask)).pe.pendingInterrupt()).toBeUndefined();
      expect(prepare(bit(pending)).pe.pendingInterrupt()).toBeUndefined();
      const atEl2 = onePe({ hasEl3: false });
      atEl2.setRegister('HCR_EL2', bit(field) | bit(pending));
      expect(atEl2.pe.pendingInterrupt()).toBeUndefined();
    },
  );

  it('a virtual SError takes itself back from HCR_EL2.VSE', () => {
    const test = onePe({ hasEl3: false });
    test.setRegister('HCR_EL2', bit(5) | bit(8));
    test.enter(1).pe.takeInterrupt('vserror');
    expect(test.register('HCR_EL2') & bit(8)).toBe(0n);
    expect(test.syndrome(1).EC).toBe(0x2f);
  });

  it('show in ISR_EL1 at EL1 in place of the physical ones', () => {
    const test = onePe({ hasEl3: false });
    test.setRegister('HCR_EL2', bit(4));
    test.pe.setLine('irq', true);
    expect(test.mrs('ISR_EL1')).toBe(bit(7));
    test.enter(1);
    expect(test.mrs('ISR_EL1')).toBe(0n);
    test.pe.setLine('virq', true);
    expect(test.mrs('ISR_EL1')).toBe(bit(7));
  });
});

describe('several interrupts', () => {
  it('are taken SError first, then FIQ, then IRQ', () => {
    const test = onePe().enter(1);
    const order: (InterruptKind | undefined)[] = [];
    for (const kind of ['irq', 'fiq', 'serror'] as const) test.pe.setLine(kind, true);
    for (const kind of ['serror', 'fiq', 'irq'] as const) {
      order.push(test.pe.pendingInterrupt());
      test.pe.setLine(kind, false);
    }
    expect(order).toEqual(['serror', 'fiq', 'irq']);
    expect(test.pe.pendingInterrupt()).toBeUndefined();
  });

  it('are asynchronous, except that an SError is taken once', () => {
    const test = onePe().enter(1);
    test.pe.setLine('serror', true);
    test.pe.takeInterrupt('serror');
    expect(test.pe.wakeUpPending()).toBe(false);
  });

  it('that an MSR unmasks are taken before the next instruction', () => {
    const test = onePe().enter(1, bit(7));
    test.pe.setLine('irq', true);
    const { pc } = test;
    expect(test.pe.msrImmediate(3, 6, 1)).toBe(exit.none);
    expect(test.pe.msrImmediate(3, 7, 2)).toBe(exit.redirect);
    expect(test.pc).toBe(pc + 4n);
    expect(test.pe.pendingInterrupt()).toBe('irq');
  });
});

describe('WFI', () => {
  it('waits after the instruction, and completes for an interrupt that PSTATE masks', () => {
    const test = onePe().enter(1, 0x3c0n);
    const { pc } = test;
    expect(test.pe.wfi()).toBe(exit.waitForInterrupt);
    expect(test.pc).toBe(pc + 4n);
    test.pe.setLine('irq', true);
    expect(test.pe.pendingInterrupt()).toBeUndefined();
    expect(test.pe.wfi()).toBe(exit.none);
  });

  it.each([
    { by: 'SCTLR_EL1.nTWI', register: 'SCTLR_EL1', value: 0n, el: 0 as const, target: 1 },
    { by: 'HCR_EL2.TWI', register: 'HCR_EL2', value: bit(13), el: 1 as const, target: 2 },
    { by: 'SCR_EL3.TWI', register: 'SCR_EL3', value: bit(12), el: 2 as const, target: 3 },
  ])('is trapped by $by where it would wait', ({ register, value, el, target }) => {
    const test = onePe();
    test.setRegister(register, value);
    test.enter(el);
    const { pc } = test;
    expect(test.pe.wfi()).toBe(exit.redirect);
    expect(test.syndrome(target)).toEqual({ EC: 1, ISS: 0x1e0_0000 });
    expect(test.register(`ELR_EL${target}`)).toBe(pc);
    const pending = onePe();
    pending.setRegister(register, value);
    pending.enter(el, 0x3c0n);
    // Masked at its own level: EL1 for all of these.
    pending.pe.setLine('irq', true);
    expect(pending.pe.wfi()).toBe(exit.none);
  });
});

describe('WFE', () => {
  it('waits until an event, and an event before it is not lost', () => {
    const test = onePe();
    expect(test.pe.wfe()).toBe(exit.waitForEvent);
    test.pe.receiveEvent();
    expect(test.word(record.eventRegister)).toBe(1);
    expect(test.pe.wfe()).toBe(exit.none);
    expect(test.pe.wfe()).toBe(exit.waitForEvent);
  });

  it('completes after SEVL, and after SEV here and everywhere', () => {
    const test = onePe();
    test.pe.sevl();
    expect(test.core.events).toEqual([]);
    expect(test.pe.wfe()).toBe(exit.none);
    test.pe.sev();
    expect(test.core.events).toEqual([-1]);
    expect(test.pe.wfe()).toBe(exit.none);
  });

  it('is trapped with TI 1 where it would wait, and not where an event is registered', () => {
    const test = onePe();
    test.setRegister('HCR_EL2', bit(14));
    test.enter(1);
    // ERET has set the event register.
    expect(test.pe.wfe()).toBe(exit.none);
    expect(test.pe.wfe()).toBe(exit.redirect);
    expect(test.syndrome(2)).toEqual({ EC: 1, ISS: 0x1e0_0001 });
  });
});
