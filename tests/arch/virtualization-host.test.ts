import { describe, expect, it } from 'vitest';
import { never } from '../../src/arch/environment.ts';
import { exit } from '../../src/arch/exits.ts';
import { pe as record } from '../../src/arch/state-layout.ts';
import { registerNamed } from '../../src/arch/system-registers.ts';
import { machine, onePe, type TestPe } from './fixture.ts';

// FEAT_VHE: what HCR_EL2.E2H and TGE make of names, traps and routing.

const bit = (n: number): bigint => 1n << BigInt(n);
const TGE = bit(27);
const E2H = bit(34);

/** At EL2, without EL3, with these bits of HCR_EL2. */
function atEl2(hcr: bigint): TestPe {
  const test = onePe({ hasEl3: false });
  test.setRegister('HCR_EL2', hcr);
  return test;
}

/** Name, register of EL2, alias, and bits that both registers keep. */
const names: readonly (readonly [name: string, ofEl2: string, alias: string, bits: bigint])[] = [
  ['SCTLR_EL1', 'SCTLR_EL2', 'SCTLR_EL12', bit(2) | bit(26)],
  ['CPACR_EL1', 'CPTR_EL2', 'CPACR_EL12', 3n << 20n],
  ['TTBR0_EL1', 'TTBR0_EL2', 'TTBR0_EL12', 0x1234_0000_4567_0000n],
  ['TTBR1_EL1', 'TTBR1_EL2', 'TTBR1_EL12', 0x1234_0000_4567_0000n],
  ['TCR_EL1', 'TCR_EL2', 'TCR_EL12', 0x12_b519_3519n],
  ['SPSR_EL1', 'SPSR_EL2', 'SPSR_EL12', 0x6000_03c5n],
  ['ELR_EL1', 'ELR_EL2', 'ELR_EL12', 0x4000_1234n],
  ['AFSR0_EL1', 'AFSR0_EL2', 'AFSR0_EL12', 0n],
  ['AFSR1_EL1', 'AFSR1_EL2', 'AFSR1_EL12', 0n],
  ['ESR_EL1', 'ESR_EL2', 'ESR_EL12', 0x5600_0001n],
  ['FAR_EL1', 'FAR_EL2', 'FAR_EL12', 0xffff_0000_1234_5678n],
  ['MAIR_EL1', 'MAIR_EL2', 'MAIR_EL12', 0x44_ff04_00bbn],
  ['AMAIR_EL1', 'AMAIR_EL2', 'AMAIR_EL12', 0n],
  ['VBAR_EL1', 'VBAR_EL2', 'VBAR_EL12', 0x4000_8000n],
  ['CONTEXTIDR_EL1', 'CONTEXTIDR_EL2', 'CONTEXTIDR_EL12', 0x1234_5678n],
  ['CNTKCTL_EL1', 'CNTHCTL_EL2', 'CNTKCTL_EL12', 0x331n],
  ['CNTP_CTL_EL0', 'CNTHP_CTL_EL2', 'CNTP_CTL_EL02', 2n],
  ['CNTP_CVAL_EL0', 'CNTHP_CVAL_EL2', 'CNTP_CVAL_EL02', 0x1234_5678_9abcn],
  ['CNTV_CTL_EL0', 'CNTHV_CTL_EL2', 'CNTV_CTL_EL02', 2n],
  ['CNTV_CVAL_EL0', 'CNTHV_CVAL_EL2', 'CNTV_CVAL_EL02', 0x1234_5678_9abcn],
];

describe.each(names)('%s', (name, ofEl2, alias, bits) => {
  it(`is ${ofEl2} at EL2 with HCR_EL2.E2H, where ${alias} is the register of EL1`, () => {
    const test = atEl2(E2H);
    test.setRegister(name, 0n);
    test.msr(name, bits);
    expect(test.register(ofEl2) & bits).toBe(bits);
    expect(test.register(name) & bits).toBe(0n);
    expect(test.mrs(name)! & bits).toBe(bits);
    expect(test.mrs(alias)! & bits).toBe(0n);
    test.msr(ofEl2, 0n);
    test.msr(alias, bits);
    expect(test.register(name) & bits).toBe(bits);
    expect(test.mrs(ofEl2)! & bits).toBe(0n);
  });

  it('is itself at EL2 without HCR_EL2.E2H, and at EL1 with it', () => {
    const test = atEl2(0n);
    test.msr(name, bits);
    expect(test.register(ofEl2) & bits).toBe(
      registerNamed(ofEl2)!.reset({ midr: 0n, mpidr: 0n, hasEl2: true, hasEl3: false, hasGicRegisters: true }) & bits,
    );
    expect(test.register(name) & bits).toBe(bits);
    test.setRegister('CNTHCTL_EL2', 0xc00n);
    test.setRegister('HCR_EL2', E2H);
    test.enter(1);
    expect(test.mrs(name)! & bits).toBe(bits);
  });

  it(`has an alias that is UNDEFINED without HCR_EL2.E2H, and below EL2`, () => {
    const test = atEl2(0n);
    expect(test.mrs(alias)).toBeUndefined();
    expect(test.msr(alias, 0n)).toBe(exit.redirect);
    expect(test.syndrome(2)).toEqual({ EC: 0, ISS: 0 });
    const guest = atEl2(E2H).enter(1);
    expect(guest.mrs(alias)).toBeUndefined();
    expect(guest.syndrome(1)).toEqual({ EC: 0, ISS: 0 });
  });

  it('is itself at EL3, where the alias follows HCR_EL2.E2H', () => {
    const test = onePe();
    test.setRegister('SCR_EL3', 1n);
    test.msr(name, bits);
    expect(test.register(name) & bits).toBe(bits);
    test.setRegister('HCR_EL2', E2H);
    expect(test.mrs(name)! & bits).toBe(bits);
    expect(test.mrs(alias)! & bits).toBe(bits);
    // HCR_EL2 has no effect in Secure state.
    test.setRegister('SCR_EL3', 0n);
    expect(test.mrs(alias)).toBeUndefined();
  });
});

describe('the timers of a host', () => {
  it('are what its EL0 reaches by the names of CNTP and CNTV', () => {
    const test = atEl2(E2H | TGE);
    test.setRegister('CNTHCTL_EL2', 0x300n);
    test.setRegister('CNTHP_CVAL_EL2', 0x11n);
    test.setRegister('CNTHV_CVAL_EL2', 0x22n);
    test.enter(0);
    expect(test.mrs('CNTP_CVAL_EL0')).toBe(0x11n);
    expect(test.mrs('CNTV_CVAL_EL0')).toBe(0x22n);
    test.msr('CNTV_CVAL_EL0', 0x33n);
    expect(test.register('CNTHV_CVAL_EL2')).toBe(0x33n);
    expect(test.register('CNTV_CVAL_EL0')).toBe(0n);
  });

  it('take no notice of CNTVOFF_EL2, nor does CNTVCT_EL0 in a host', () => {
    const test = atEl2(E2H);
    test.core.ticks = 16_000;
    test.setRegister('CNTVOFF_EL2', 900n);
    expect(test.mrs('CNTVCT_EL0')).toBe(1000n);
    test.msr('CNTHV_CVAL_EL2', 1001n);
    test.msr('CNTHV_CTL_EL2', 1n);
    expect(test.core.timers.get('CNTHV')).toEqual({ deadlineTicks: 16_016, level: false });
    test.setRegister('CNTV_CVAL_EL0', 101n);
    test.setRegister('CNTV_CTL_EL0', 1n);
    expect(test.core.timers.get('CNTV')).toEqual({ deadlineTicks: 16_016, level: false });
    test.core.ticks = 16_016;
    test.pe.timerExpired('CNTHV');
    expect(test.core.timers.get('CNTHV')).toEqual({ deadlineTicks: never, level: true });
    test.enter(1);
    expect(test.mrs('CNTVCT_EL0')).toBe(101n);
  });
});

describe('the fields of HCR_EL2 that TGE overrides', () => {
  const cases = [
    { what: 'E2H 0 and TGE 1', hcr: TGE, tid2: true },
    { what: 'E2H 1 and TGE 1', hcr: TGE | E2H, tid2: false },
  ];

  it.each(cases)('$what: VI, VF and VSE are not pending, whatever the lines say', ({ hcr }) => {
    const test = atEl2(hcr | bit(3) | bit(4) | bit(5) | bit(6) | bit(7) | bit(8));
    test.pe.setLine('virq', true);
    test.enter(0);
    expect(test.pe.pendingInterrupt()).toBeUndefined();
    expect(test.pe.wakeUpPending()).toBe(false);
  });

  it.each(cases)('$what: TID2 traps CTR_EL0 from EL0: $tid2', ({ hcr, tid2 }) => {
    const test = atEl2(hcr | bit(17));
    for (const name of ['SCTLR_EL1', 'SCTLR_EL2']) test.setRegister(name, bit(15));
    test.enter(0);
    expect(test.mrs('CTR_EL0') === undefined).toBe(tid2);
  });

  it.each(cases)('$what: TWI and TWE wait for no guest in a host', ({ hcr, tid2 }) => {
    const test = atEl2(hcr | bit(13));
    for (const name of ['SCTLR_EL1', 'SCTLR_EL2']) test.setRegister(name, bit(16) | bit(18));
    test.enter(0);
    expect(test.pe.wfi()).toBe(tid2 ? exit.redirect : exit.waitForInterrupt);
  });

  it('HCD: HVC is UNDEFINED at EL1 and EL2, and not while TGE is 1', () => {
    const disabled = atEl2(bit(29));
    disabled.pe.hvc(0);
    expect(disabled.syndrome(2).EC).toBe(0);
    const host = atEl2(bit(29) | TGE);
    host.pe.hvc(0);
    expect(host.syndrome(2).EC).toBe(0x16);
  });

  it('reads return what was written', () => {
    const test = atEl2(0n);
    const value = TGE | E2H | bit(4) | bit(13) | bit(17) | bit(31);
    test.msr('HCR_EL2', value);
    expect(test.mrs('HCR_EL2')).toBe(value);
  });
});

describe('interrupts', () => {
  it.each([
    ['irq', 7],
    ['fiq', 6],
    ['serror', 8],
  ] as const)('%s: PSTATE masks it at a host’s EL0, and not at EL0 with TGE alone', (kind, mask) => {
    for (const [hcr, expected] of [
      [TGE, kind],
      [TGE | E2H, undefined],
    ] as const) {
      const test = atEl2(hcr).enter(0, bit(mask));
      test.pe.setLine(kind, true);
      expect(test.pe.pendingInterrupt()).toBe(expected);
      const open = atEl2(hcr).enter(0);
      open.pe.setLine(kind, true);
      open.pe.takeInterrupt(kind);
      expect(open.pe.currentEl()).toBe(2);
    }
  });
});

describe('a host’s EL0', () => {
  /** The control of EL1 permits everything, so that what is seen is the one of EL2. */
  function host(sctlr: bigint): TestPe {
    const test = atEl2(TGE | E2H);
    test.setRegister('SCTLR_EL1', bit(9) | bit(14) | bit(15) | bit(16) | bit(18) | bit(26));
    test.setRegister('SCTLR_EL2', sctlr);
    return test.enter(0);
  }

  it.each([
    { field: 'UCT', n: 15, act: (test: TestPe) => test.mrs('CTR_EL0') === undefined },
    { field: 'UCI', n: 26, act: (test: TestPe) => test.sys('IC IVAU', test.pc) === exit.redirect },
    { field: 'nTWI', n: 16, act: (test: TestPe) => test.pe.wfi() === exit.redirect },
    {
      field: 'nTWE',
      n: 18,
      act: (test: TestPe) => {
        test.setWord(record.eventRegister, 0);
        return test.pe.wfe() === exit.redirect;
      },
    },
  ])('obeys SCTLR_EL2.$field', ({ n, act }) => {
    expect(act(host(bit(n)))).toBe(false);
    const trapped = host(0n);
    expect(act(trapped)).toBe(true);
    expect(trapped.pe.currentEl()).toBe(2);
    expect([0x18, 0x01]).toContain(trapped.syndrome(2).EC);
  });

  it('may not touch DAIF', () => {
    const test = host(bit(9));
    expect(test.mrs('DAIF')).toBeUndefined();
    expect(test.syndrome(2).EC).toBe(0x18);
  });

  it('reads DCZID_EL0.DZP by SCTLR_EL2.DZE', () => {
    expect(host(bit(14)).mrs('DCZID_EL0')).toBe(4n);
    expect(host(0n).mrs('DCZID_EL0')).toBe(0x14n);
  });

  it.each([
    { name: 'CNTPCT_EL0', n: 0 },
    { name: 'CNTVCT_EL0', n: 1 },
    { name: 'CNTV_CTL_EL0', n: 8 },
    { name: 'CNTP_CTL_EL0', n: 9 },
  ])('reads $name by CNTHCTL_EL2, in the place of CNTKCTL_EL1', ({ name, n }) => {
    const test = atEl2(TGE | E2H);
    test.setRegister('CNTHCTL_EL2', bit(n));
    test.enter(0);
    expect(test.mrs(name)).toBeDefined();
    const trapped = atEl2(TGE | E2H);
    trapped.setRegister('CNTKCTL_EL1', 0x303n);
    trapped.setRegister('CNTHCTL_EL2', 0xfffn & ~bit(n));
    trapped.enter(0);
    expect(trapped.mrs(name)).toBeUndefined();
    expect(trapped.syndrome(2).EC).toBe(0x18);
  });

  it('enters EL2 with PSTATE.PAN by SCTLR_EL2.SPAN', () => {
    for (const [sctlr, PAN] of [
      [0n, bit(22)],
      [bit(23), 0n],
    ] as const) {
      const test = host(sctlr);
      test.pe.svc(0);
      expect(test.pe.currentEl()).toBe(2);
      expect(test.mrs('PAN')).toBe(PAN);
    }
  });
});

describe('a guest of a host', () => {
  it.each([
    { name: 'CNTPCT_EL0', n: 10 },
    { name: 'CNTP_CTL_EL0', n: 11 },
  ])('has $name by bit $n of CNTHCTL_EL2', ({ name, n }) => {
    for (const el of [0, 1] as const) {
      const test = atEl2(E2H);
      test.setRegister('CNTKCTL_EL1', 0x303n);
      test.setRegister('CNTHCTL_EL2', bit(n));
      test.enter(el);
      expect(test.mrs(name)).toBeDefined();
      const trapped = atEl2(E2H);
      trapped.setRegister('CNTKCTL_EL1', 0x303n);
      trapped.setRegister('CNTHCTL_EL2', 0xfffn & ~bit(n));
      trapped.enter(el);
      expect(trapped.mrs(name)).toBeUndefined();
      expect(trapped.syndrome(2).EC).toBe(0x18);
    }
  });
});

describe('CNTHCTL_EL2 with HCR_EL2.E2H 0', () => {
  it('traps CNTPCT_EL0 by EL1PCTEN and CNTP by EL1PCEN, from EL0 too', () => {
    for (const el of [0, 1] as const) {
      for (const [value, trapped, open] of [
        [1n, 'CNTP_CTL_EL0', 'CNTPCT_EL0'],
        [2n, 'CNTPCT_EL0', 'CNTP_CTL_EL0'],
      ] as const) {
        const test = atEl2(0n);
        test.setRegister('CNTKCTL_EL1', 0x303n);
        test.setRegister('CNTHCTL_EL2', value);
        test.enter(el);
        expect(test.mrs(open)).toBeDefined();
        expect(test.mrs(trapped)).toBeUndefined();
        expect(test.pe.currentEl()).toBe(2);
      }
    }
  });
});

describe('CPTR_EL2.FPEN with HCR_EL2.E2H', () => {
  const trapped = (fpen: bigint, hcr: bigint, el: 0 | 1 | 2): number => {
    const test = atEl2(E2H | hcr);
    test.setRegister('CPACR_EL1', 3n << 20n);
    test.setRegister('CPTR_EL2', fpen << 20n);
    if (el !== 2) test.enter(el);
    return test.word(record.fpTrapped);
  };

  it('0 and 2 trap EL0, EL1 and EL2; 3 nothing', () => {
    for (const el of [0, 1, 2] as const) {
      expect([0n, 2n, 3n].map((fpen) => trapped(fpen, 0n, el))).toEqual([2, 2, 0]);
    }
  });

  it('1 traps EL0 of a host alone', () => {
    expect(([0, 1, 2] as const).map((el) => trapped(1n, 0n, el))).toEqual([0, 0, 0]);
    expect(([0, 2] as const).map((el) => trapped(1n, TGE, el))).toEqual([2, 0]);
  });

  it('takes the trap of a host’s EL0 with EC 0x07, whatever CPACR_EL1 says', () => {
    const test = atEl2(E2H | TGE);
    test.setRegister('CPTR_EL2', 1n << 20n);
    test.enter(0).pe.fpAccessTrap();
    expect(test.syndrome(2)).toEqual({ EC: 7, ISS: 0x1e0_0000 });
    const permitted = atEl2(E2H | TGE);
    permitted.setRegister('CPACR_EL1', 0n);
    permitted.setRegister('CPTR_EL2', 3n << 20n);
    expect(permitted.enter(0).word(record.fpTrapped)).toBe(0);
  });

  it('keeps the fields of the other format as they were written', () => {
    const test = atEl2(0n);
    test.msr('CPTR_EL2', 3n << 20n);
    expect(test.mrs('CPTR_EL2')).toBe(3n << 20n);
    expect(onePe({ hasEl3: false }).mrs('CPTR_EL2')).toBe(0x33ffn);
  });
});

it('without EL2 there is no FEAT_VHE', () => {
  const [test] = machine({ hasEl2: false });
  expect(test!.mrs('SCTLR_EL12')).toBeUndefined();
  expect(test!.mrs('ID_AA64DFR0_EL1')! & 0xfn).toBe(6n);
});
