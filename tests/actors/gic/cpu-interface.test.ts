import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GicCpuInterface } from '../../../actors/core/gic-cpu-interface.ts';
import { iccNames } from '../../../actors/gic/cpu-interface-registers.ts';
import { allGroups, group } from '../../../actors/gic/groups.ts';
import { streamMessages } from '../../../actors/gic/stream-protocol.ts';

const { Set: set, Clear, Quiesce, Activate, Release, Deactivate, GenerateSgi } = streamMessages;

interface Bench {
  readonly gic: GicCpuInterface;
  readonly sent: { readonly code: number; readonly payload: readonly number[] }[];
  signals: string;
  /** Sends a Set for an interrupt. */
  readonly pend: (intid: number, priority: number, of?: number) => void;
  /** Puts the PE where it runs: the Security state below EL3, and SCR_EL3.FIQ. */
  readonly enter: (el: number, nonSecure: boolean, fiqToEl3?: boolean) => void;
}

function bench(options: { readonly disableSecurity?: boolean; readonly hasEl3?: boolean } = {}): Bench {
  const sent: Bench['sent'] = [];
  const signal = (irq: boolean, fiq: boolean): void => {
    made.signals = `${irq ? 'IRQ' : ''}${fiq ? 'FIQ' : ''}`;
  };
  const gic = new GicCpuInterface(
    { send: (code, payload) => sent.push({ code, payload }), signal },
    { hasEl3: options.hasEl3 ?? false, disableSecurity: options.disableSecurity ?? true },
  );
  const made: Bench = {
    gic,
    sent,
    signals: '',
    pend: (intid, priority, of = group.group1NonSecure) => gic.receive(set.code, [intid, priority, of, 0]),
    enter: (el, nonSecure, fiqToEl3 = false) => {
      Object.assign(gic.context, { el, nonSecure, fiqToEl3 });
      gic.contextChanged();
    },
  };
  gic.context.el = options.hasEl3 ? 3 : 1;
  if (options.hasEl3) gic.write('ICC_IGRPEN1_EL3', 3);
  gic.write('ICC_IGRPEN0_EL1', 1);
  gic.write('ICC_IGRPEN1_EL1', 1);
  gic.write('ICC_PMR_EL1', 0xff);
  sent.length = 0;
  return made;
}

const twoStates = (): Bench => bench({ disableSecurity: false, hasEl3: true });

describe('the CPU interface', () => {
  it('has the reset values of QEMU 7.2 with five bits of priority', () => {
    const gic = new GicCpuInterface({ send: () => {}, signal: () => {} }, { hasEl3: false, disableSecurity: true });
    const values = iccNames.map((name) => [name, gic.read(name)]);
    expect(Object.fromEntries(values)).toMatchObject({
      ICC_SRE_EL1: 7,
      ICC_SRE_EL2: 0xf,
      ICC_CTLR_EL1: 0x8c00,
      ICC_PMR_EL1: 0,
      ICC_BPR0_EL1: 2,
      ICC_BPR1_EL1: 3,
      ICC_RPR_EL1: 0xff,
      ICC_HPPIR0_EL1: 1023,
      ICC_HPPIR1_EL1: 1023,
      ICC_IAR1_EL1: 1023,
      ICC_AP1R0_EL1: 0,
    });
    gic.write('ICC_PMR_EL1', 0xff);
    gic.write('ICC_BPR0_EL1', 0);
    gic.write('ICC_BPR1_EL1', 0);
    gic.write('ICC_CTLR_EL1', 0xffff_ffff);
    expect([gic.read('ICC_PMR_EL1'), gic.read('ICC_BPR0_EL1'), gic.read('ICC_BPR1_EL1')]).toEqual([0xf8, 2, 3]);
    expect(gic.read('ICC_CTLR_EL1') & 0xff3f).toBe(0x8c03);
  });

  it('signals Group 1 as IRQ and Group 0 as FIQ with one Security state', () => {
    const b = bench();
    b.pend(40, 0xa0);
    expect(b.signals).toBe('IRQ');
    b.pend(41, 0x90, group.group0);
    expect(b.signals).toBe('FIQ');
  });

  it('signals by the current Security state and Exception level with two', () => {
    const b = twoStates();
    const signalled = (of: number): string[] => {
      b.pend(40, 0xa0, of);
      return (
        [
          [3, true],
          [2, true],
          [1, true],
          [1, false],
        ] as const
      ).map(([el, nonSecure]) => {
        b.enter(el, nonSecure);
        return b.signals;
      });
    };
    expect(signalled(group.group0)).toEqual(['FIQ', 'FIQ', 'FIQ', 'FIQ']);
    expect(signalled(group.group1Secure)).toEqual(['FIQ', 'FIQ', 'FIQ', 'IRQ']);
    expect(signalled(group.group1NonSecure)).toEqual(['FIQ', 'IRQ', 'IRQ', 'FIQ']);
  });

  it('acknowledges with a read of ICC_IAR1_EL1, and drops priority and deactivates with ICC_EOIR1_EL1', () => {
    const { gic, pend, sent } = bench();
    pend(40, 0xa0);
    expect(gic.read('ICC_HPPIR1_EL1')).toBe(40);
    expect(gic.read('ICC_IAR1_EL1')).toBe(40);
    expect([gic.read('ICC_RPR_EL1'), gic.read('ICC_AP1R0_EL1')]).toEqual([0xa0, 1 << 20]);
    expect(gic.read('ICC_IAR1_EL1')).toBe(1023);
    gic.write('ICC_EOIR1_EL1', 40);
    expect(gic.read('ICC_RPR_EL1')).toBe(0xff);
    expect(sent.map(({ code, payload }) => [code, payload[0]])).toEqual([
      [Activate.code, 40],
      [Deactivate.code, 40],
    ]);
    expect(gic.isQuiet).toBe(false);
  });

  it('with EOImode 1 drops priority with ICC_EOIR1_EL1 and deactivates with ICC_DIR_EL1', () => {
    const { gic, pend, sent } = bench();
    gic.write('ICC_CTLR_EL1', 2);
    pend(40, 0xa0);
    gic.read('ICC_IAR1_EL1');
    gic.write('ICC_EOIR1_EL1', 40);
    expect(gic.read('ICC_RPR_EL1')).toBe(0xff);
    expect(sent.length).toBe(1);
    gic.write('ICC_DIR_EL1', 40);
    expect(sent[1]).toEqual({ code: Deactivate.code, payload: [40, allGroups] });
  });

  it('ignores ICC_DIR_EL1 with EOImode 0, EOI of the other group, and EOI of a special INTID', () => {
    const { gic, pend, sent } = bench();
    pend(40, 0xa0);
    gic.read('ICC_IAR1_EL1');
    gic.write('ICC_DIR_EL1', 40);
    gic.write('ICC_EOIR0_EL1', 40);
    gic.write('ICC_EOIR1_EL1', 1023);
    expect(gic.read('ICC_RPR_EL1')).toBe(0xa0);
    expect(sent.length).toBe(1);
  });

  it('masks interrupts whose priority is not higher than ICC_PMR_EL1', () => {
    const b = bench();
    b.gic.write('ICC_PMR_EL1', 0xa0);
    b.pend(40, 0xa0);
    expect([b.signals, b.gic.read('ICC_IAR1_EL1')]).toEqual(['', 1023]);
    expect(b.gic.read('ICC_HPPIR1_EL1')).toBe(40);
    b.gic.write('ICC_PMR_EL1', 0xa8);
    expect([b.signals, b.gic.read('ICC_IAR1_EL1')]).toEqual(['IRQ', 40]);
  });

  it('preempts only by a higher group priority, as ICC_BPR1_EL1 divides the field', () => {
    const b = bench();
    b.gic.write('ICC_BPR1_EL1', 5);
    b.pend(40, 0xb8);
    b.gic.read('ICC_IAR1_EL1');
    expect(b.gic.read('ICC_RPR_EL1')).toBe(0xa0);
    b.pend(41, 0xa0);
    expect(b.signals).toBe('');
    b.pend(42, 0x98);
    expect(b.signals).toBe('IRQ');
    expect(b.gic.read('ICC_IAR1_EL1')).toBe(42);
    expect(b.gic.read('ICC_AP1R0_EL1')).toBe((1 << 20) | (1 << 16));
    b.gic.write('ICC_EOIR1_EL1', 42);
    expect(b.gic.read('ICC_RPR_EL1')).toBe(0xa0);
  });

  it('with CBPR uses ICC_BPR0_EL1 for Group 1 and shows it one higher', () => {
    const { gic } = bench();
    gic.write('ICC_CTLR_EL1', 1);
    gic.write('ICC_BPR0_EL1', 4);
    gic.write('ICC_BPR1_EL1', 7);
    expect(gic.read('ICC_BPR1_EL1')).toBe(5);
    gic.write('ICC_CTLR_EL1', 0);
    expect(gic.read('ICC_BPR1_EL1')).toBe(3);
  });

  it('releases what it holds when another interrupt is set, and on Clear, Quiesce and the loss of the group enable', () => {
    const { gic, pend, sent } = bench();
    pend(40, 0xa0);
    pend(41, 0x90);
    gic.receive(Clear.code, [41]);
    pend(42, 0x90);
    gic.receive(Quiesce.code, []);
    pend(43, 0x90);
    gic.write('ICC_IGRPEN1_EL1', 0);
    pend(44, 0x90);
    expect(sent.filter(({ code }) => code === Release.code).map(({ payload }) => payload[0])).toEqual([
      40, 41, 42, 43, 44,
    ]);
    expect(gic.read('ICC_HPPIR1_EL1')).toBe(1023);
  });

  it('acknowledges a Clear of an interrupt that it has activated, and no more', () => {
    const { gic, pend, sent } = bench();
    pend(40, 0xa0);
    gic.read('ICC_IAR1_EL1');
    gic.receive(Clear.code, [40]);
    expect(sent.map(({ code }) => code)).toEqual([Activate.code, streamMessages.ClearAcknowledge.code]);
  });

  it('shows Non-secure software its half of the priorities when SCR_EL3.FIQ is set', () => {
    const { gic, enter, pend } = twoStates();
    enter(1, true, true);
    expect(gic.read('ICC_PMR_EL1')).toBe(0xf0);
    gic.write('ICC_PMR_EL1', 0x40);
    enter(3, true);
    expect(gic.read('ICC_PMR_EL1')).toBe(0xa0);
    gic.write('ICC_PMR_EL1', 0x40);
    enter(1, true, true);
    expect(gic.read('ICC_PMR_EL1')).toBe(0);
    gic.write('ICC_PMR_EL1', 0xff);
    enter(3, true);
    expect(gic.read('ICC_PMR_EL1')).toBe(0x40);
    gic.write('ICC_PMR_EL1', 0xff);
    pend(40, 0x20, group.group0);
    gic.read('ICC_IAR0_EL1');
    enter(1, true, true);
    expect(gic.read('ICC_RPR_EL1')).toBe(0);
  });

  it('hides Secure interrupts from Non-secure software, and tells EL3 whose interrupt is pending', () => {
    const { gic, enter, pend } = twoStates();
    pend(40, 0x20, group.group1Secure);
    enter(1, true);
    expect([gic.read('ICC_IAR1_EL1'), gic.read('ICC_IAR0_EL1')]).toEqual([1023, 1023]);
    enter(3, true);
    expect(gic.read('ICC_IAR0_EL1')).toBe(1020);
    enter(1, false);
    expect(gic.read('ICC_IAR1_EL1')).toBe(40);
    gic.write('ICC_EOIR1_EL1', 40);
    pend(41, 0xa0, group.group1NonSecure);
    expect(gic.read('ICC_IAR1_EL1')).toBe(1023);
    enter(3, false);
    expect(gic.read('ICC_IAR0_EL1')).toBe(1021);
    enter(2, true);
    expect(gic.read('ICC_IAR1_EL1')).toBe(41);
  });

  it('banks ICC_IGRPEN1_EL1, ICC_BPR1_EL1 and ICC_CTLR_EL1 by Security state', () => {
    const { gic, enter } = twoStates();
    enter(1, true);
    gic.write('ICC_BPR1_EL1', 6);
    gic.write('ICC_CTLR_EL1', 3);
    gic.write('ICC_IGRPEN1_EL1', 0);
    enter(1, false);
    expect([gic.read('ICC_BPR1_EL1'), gic.read('ICC_CTLR_EL1'), gic.read('ICC_IGRPEN1_EL1')]).toEqual([2, 0x8c00, 1]);
    enter(3, false);
    expect([gic.read('ICC_IGRPEN1_EL3'), gic.read('ICC_CTLR_EL3')]).toEqual([2, 0x8c10]);
    gic.write('ICC_CTLR_EL3', 0x1f);
    expect(gic.read('ICC_CTLR_EL1')).toBe(0x8c03);
  });

  it('limits what Non-secure software may claim in ICC_AP1R0_EL1 and deactivate', () => {
    const { gic, enter, sent } = twoStates();
    enter(1, true);
    gic.write('ICC_AP1R0_EL1', 0xffff_ffff);
    expect(gic.read('ICC_AP1R0_EL1')).toBe(0xffff_0000);
    gic.write('ICC_CTLR_EL1', 2);
    gic.write('ICC_DIR_EL1', 33);
    expect(sent.at(-1)).toEqual({ code: Deactivate.code, payload: [33, 1 << group.group1NonSecure] });
  });

  it('asks for SGIs with the fields of ICC_SGI1R_EL1', () => {
    const { gic, sent, enter } = twoStates();
    enter(1, true);
    gic.write('ICC_SGI1R_EL1', (4n << 48n) | (3n << 32n) | (7n << 24n) | (2n << 16n) | 0x8001n);
    gic.write('ICC_ASGI1R_EL1', (1n << 40n) | (5n << 24n));
    enter(1, false);
    gic.write('ICC_SGI0R_EL1', 9 * 2 ** 24 + 1);
    expect(sent).toEqual([
      { code: GenerateSgi.code, payload: [7, 0x0403_0200, 0x8001, 0, group.group1NonSecure, 1] },
      { code: GenerateSgi.code, payload: [5, 0, 0, 1, group.group1Secure, 1] },
      { code: GenerateSgi.code, payload: [9, 0, 1, 0, group.group0, 0] },
    ]);
  });

  it('takes any sequence of accesses without a fault, and every answer it owes is given', () => {
    const step = fc.tuple(
      fc.nat(3),
      fc.constantFrom(...iccNames),
      fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
      fc.nat(255),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), fc.boolean(), (steps, disableSecurity) => {
        const { gic, sent } = bench({ disableSecurity, hasEl3: !disableSecurity });
        let sets = 0;
        for (const [kind, name, value, small] of steps) {
          if (kind === 0) gic.read(name);
          else if (kind === 1) gic.write(name, value);
          else if (kind === 2) {
            sets++;
            gic.receive(set.code, [32 + small, (small * 8) & 0xf8, small % (disableSecurity ? 2 : 3), 0]);
          } else {
            Object.assign(gic.context, {
              el: disableSecurity ? 1 + (small & 1) : small & 3,
              nonSecure: disableSecurity || small > 99,
            });
            gic.contextChanged();
          }
        }
        gic.receive(Quiesce.code, []);
        const answers = sent.filter(({ code }) => code === Activate.code || code === Release.code);
        expect(answers.length).toBe(sets);
      }),
      { numRuns: 300, seed: 5 },
    );
  });
});
