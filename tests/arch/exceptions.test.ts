import { describe, expect, it } from 'vitest';
import { exit } from '../../src/arch/exits.ts';
import { pe as record } from '../../src/arch/state-layout.ts';
import { codeAddress, modeOf, onePe, type TestPe } from './fixture.ts';

const DAIF = 0x3c0;
const IL = 1n << 20n;
const vbar = 0x4000_8000n;

/** Vector tables of all levels at different places. */
function withVectors(test: TestPe): TestPe {
  for (const el of [1, 2, 3]) test.setRegister(`VBAR_EL${el}`, vbar * BigInt(el));
  return test;
}

const HCR = { TSC: 1n << 19n, TGE: 1n << 27n, HCD: 1n << 29n } as const;
const SCR = { EA: 1n << 3n, SMD: 1n << 7n, HCE: 1n << 8n } as const;

describe('exception entry', () => {
  it('saves PSTATE and the preferred return address, and masks everything', () => {
    const test = withVectors(onePe()).enter(0, 0xa000_0000n);
    expect(test.pe.svc(0x1234)).toBe(exit.redirect);
    expect(test.register('SPSR_EL1')).toBe(0xa000_0000n);
    expect(test.register('ELR_EL1')).toBe(codeAddress + 4n);
    expect(test.syndrome(1)).toEqual({ EC: 0x15, ISS: 0x1234 });
    expect(test.register('ESR_EL1') & (1n << 25n)).not.toBe(0n);
    expect(test.pstate).toBe(DAIF | 0b0101);
  });

  it.each([
    { from: 'a lower level', enter: 0 as const, spsr: 0n, offset: 0x400n },
    { from: 'the current level with SP_ELx', enter: 1 as const, spsr: 0n, offset: 0x200n },
  ])('enters the synchronous vector of $from', ({ enter, spsr, offset }) => {
    const test = withVectors(onePe()).enter(enter, spsr);
    test.pe.svc(0);
    expect(test.pc).toBe(vbar + offset);
  });

  it('enters the first group of vectors from the current level with SP_EL0', () => {
    const test = withVectors(onePe()).enter(1);
    test.pe.msrImmediate(0, 5, 0);
    test.pe.svc(0);
    expect(test.pc).toBe(vbar);
    expect(test.register('SPSR_EL1') & 0xfn).toBe(0b0100n);
  });

  it('banks the stack pointer of each level', () => {
    const test = withVectors(onePe());
    test.sp = 0x33n;
    test.setRegister('SP_EL1', 0x11n);
    test.setRegister('SP_EL2', 0x22n);
    test.enter(1);
    expect(test.sp).toBe(0x11n);
    test.sp = 0x111n;
    test.pe.msrImmediate(0, 5, 0);
    test.sp = 0x1_0000n;
    test.pe.svc(0);
    expect(test.sp).toBe(0x111n);
    expect(test.register('SP_EL0')).toBe(0x1_0000n);
    test.pe.smc(0);
    expect(test.sp).toBe(0x33n);
    expect(test.mrs('SP_EL1')).toBe(0x111n);
    expect(test.mrs('SP_EL2')).toBe(0x22n);
  });

  it('sets PSTATE.PAN on entry to EL1 where SCTLR_EL1.SPAN is 0, and keeps it otherwise', () => {
    const test = withVectors(onePe());
    test.setRegister('SCTLR_EL1', test.register('SCTLR_EL1') & ~(1n << 23n));
    test.enter(0).pe.svc(0);
    expect(test.mrs('PAN')).toBe(1n << 22n);
    const other = withVectors(onePe()).enter(0);
    other.pe.svc(0);
    expect(other.mrs('PAN')).toBe(0n);
  });

  it('clears PSTATE.UAO', () => {
    const test = withVectors(onePe()).enter(1);
    test.pe.msrImmediate(0, 3, 1);
    test.pe.svc(0);
    expect(test.mrs('UAO')).toBe(0n);
    expect(test.register('SPSR_EL1') & (1n << 23n)).not.toBe(0n);
  });

  it('counts exceptions by target level', () => {
    const test = withVectors(onePe()).enter(0);
    test.pe.svc(0);
    test.pe.smc(0);
    expect(test.pe.exceptionsTaken).toEqual([0, 1, 0, 1]);
  });
});

describe('routing', () => {
  const from = [0, 1, 2, 3] as const;
  const cases: {
    readonly name: string;
    readonly take: (test: TestPe) => unknown;
    readonly setUp?: (test: TestPe) => void;
    readonly targets: readonly (1 | 2 | 3)[];
    readonly EC: readonly number[];
    readonly returnsPast?: boolean;
  }[] = [
    {
      name: 'SVC',
      take: ({ pe }) => pe.svc(1),
      targets: [1, 1, 2, 3],
      EC: [0x15, 0x15, 0x15, 0x15],
      returnsPast: true,
    },
    {
      name: 'SVC with HCR_EL2.TGE',
      setUp: (test) => test.setRegister('HCR_EL2', HCR.TGE),
      take: ({ pe }) => pe.svc(1),
      targets: [2, 1, 2, 3],
      EC: [0x15, 0x15, 0x15, 0x15],
      returnsPast: true,
    },
    {
      name: 'an undefined instruction',
      take: ({ pe }) => pe.undefinedInstruction(),
      targets: [1, 1, 2, 3],
      EC: [0, 0, 0, 0],
    },
    { name: 'HLT without semihosting', take: ({ pe }) => pe.hlt(0xf000), targets: [1, 1, 2, 3], EC: [0, 0, 0, 0] },
    { name: 'BRK', take: ({ pe }) => pe.brk(7), targets: [1, 1, 2, 3], EC: [0x3c, 0x3c, 0x3c, 0x3c] },
    {
      name: 'BRK with MDCR_EL2.TDE',
      setUp: (test) => test.setRegister('MDCR_EL2', 1n << 8n),
      take: ({ pe }) => pe.brk(7),
      targets: [2, 2, 2, 3],
      EC: [0x3c, 0x3c, 0x3c, 0x3c],
    },
    {
      name: 'a misaligned SP',
      take: ({ pe }) => pe.spAlignment(),
      targets: [1, 1, 2, 3],
      EC: [0x26, 0x26, 0x26, 0x26],
    },
    {
      name: 'a misaligned PC',
      take: ({ pe }) => pe.pcAlignment(),
      targets: [1, 1, 2, 3],
      EC: [0x22, 0x22, 0x22, 0x22],
    },
    {
      name: 'HVC where SCR_EL3.HCE permits it',
      setUp: (test) => test.setRegister('SCR_EL3', test.register('SCR_EL3') | SCR.HCE),
      take: ({ pe }) => pe.hvc(9),
      targets: [1, 2, 2, 3],
      EC: [0, 0x16, 0x16, 0x16],
    },
    { name: 'HVC where SCR_EL3.HCE is 0', take: ({ pe }) => pe.hvc(9), targets: [1, 1, 2, 3], EC: [0, 0, 0, 0] },
    { name: 'SMC', take: ({ pe }) => pe.smc(9), targets: [1, 3, 3, 3], EC: [0, 0x17, 0x17, 0x17] },
    {
      name: 'SMC where SCR_EL3.SMD disables it',
      setUp: (test) => test.setRegister('SCR_EL3', test.register('SCR_EL3') | SCR.SMD),
      take: ({ pe }) => pe.smc(9),
      targets: [1, 1, 2, 3],
      EC: [0, 0, 0, 0],
    },
    {
      name: 'SMC with HCR_EL2.TSC',
      setUp: (test) => test.setRegister('HCR_EL2', HCR.TSC),
      take: ({ pe }) => pe.smc(9),
      targets: [1, 2, 3, 3],
      EC: [0, 0x17, 0x17, 0x17],
    },
  ];

  describe.each(cases)('$name', ({ take, setUp, targets, EC, returnsPast }) => {
    it.each(from)('from EL%i', (el) => {
      // TGE forbids EL1.
      if (el === 1 && setUp?.toString().includes('TGE') === true) return;
      const test = withVectors(onePe());
      setUp?.(test);
      if (el !== 3) test.enter(el);
      const target = targets[el]!;
      expect(take(test)).toBe(exit.redirect);
      expect(test.pe.currentEl()).toBe(target);
      expect(test.syndrome(target).EC).toBe(EC[el]);
      expect(test.pc).toBe(vbar * BigInt(target) + (target > el ? 0x400n : 0x200n));
      if (returnsPast === true) expect(test.register(`ELR_EL${target}`)).toBe(codeAddress + 4n);
    });
  });

  it('reports a trapped SMC at the instruction, a completed one after it', () => {
    const trapped = withVectors(onePe());
    trapped.setRegister('HCR_EL2', HCR.TSC);
    trapped.enter(1).pe.smc(0);
    expect(trapped.register('ELR_EL2')).toBe(codeAddress);
    const completed = withVectors(onePe()).enter(1);
    completed.pe.smc(0);
    expect(completed.register('ELR_EL3')).toBe(codeAddress + 4n);
  });

  it('leaves HVC UNDEFINED by HCR_EL2.HCD where there is no EL3', () => {
    const test = withVectors(onePe({ hasEl3: false })).enter(1);
    test.setRegister('HCR_EL2', HCR.HCD);
    test.pe.hvc(0);
    expect(test.pe.currentEl()).toBe(1);
    test.reset(2).enter(1).pe.hvc(0);
    expect(test.pe.currentEl()).toBe(2);
  });

  it('leaves SMC UNDEFINED where there is no EL3 and no firmware', () => {
    const test = withVectors(onePe({ hasEl3: false })).enter(1);
    test.pe.smc(0);
    expect(test.syndrome(1).EC).toBe(0);
  });

  it('does not reach EL2 from Secure state', () => {
    const test = withVectors(onePe());
    test.setRegister('HCR_EL2', HCR.TGE | HCR.TSC);
    test.setRegister('SCR_EL3', SCR.HCE);
    test.enterSecure(1).pe.hvc(0);
    expect(test.pe.currentEl()).toBe(1);
    test.pe.smc(0);
    expect(test.pe.currentEl()).toBe(3);
  });

  it('puts the misaligned PC into FAR_ELx', () => {
    const test = withVectors(onePe()).enter(1);
    test.pc = codeAddress + 2n;
    expect(test.pe.translateFetch()).toBe(-1);
    expect(test.syndrome(1)).toEqual({ EC: 0x22, ISS: 0 });
    expect(test.register('FAR_EL1')).toBe(codeAddress + 2n);
    expect(test.register('ELR_EL1')).toBe(codeAddress + 2n);
  });

  it('takes external aborts to EL3 where SCR_EL3.EA says so', () => {
    const test = withVectors(onePe());
    test.setRegister('SCR_EL3', SCR.EA);
    test.enter(1);
    test.pc = 0x1000n;
    expect(test.pe.translateFetch()).toBe(-1);
    expect(test.pe.currentEl()).toBe(3);
    expect(test.syndrome(3)).toEqual({ EC: 0x20, ISS: 0x10 });
    expect(test.register('FAR_EL3')).toBe(0x1000n);
  });
});

describe('SIMD&FP traps', () => {
  const FPEN = (value: bigint): bigint => value << 20n;

  it.each([
    { fpen: 0n, el: 0 as const, target: 1 },
    { fpen: 0n, el: 1 as const, target: 1 },
    { fpen: 1n, el: 0 as const, target: 1 },
    { fpen: 1n, el: 1 as const, target: 0 },
    { fpen: 2n, el: 1 as const, target: 1 },
    { fpen: 3n, el: 0 as const, target: 0 },
  ])('CPACR_EL1.FPEN $fpen at EL$el', ({ fpen, el, target }) => {
    const test = withVectors(onePe());
    test.setRegister('CPACR_EL1', FPEN(fpen));
    test.enter(el);
    expect(test.word(record.fpTrapped)).toBe(target);
    if (target === 0) return;
    test.pe.fpAccessTrap();
    expect(test.syndrome(1)).toEqual({ EC: 7, ISS: 0x1e0_0000 });
  });

  it('goes to EL2 by CPTR_EL2.TFP, and to EL3 by CPTR_EL3.TFP from everywhere', () => {
    const test = withVectors(onePe());
    test.setRegister('CPACR_EL1', FPEN(3n));
    test.setRegister('CPTR_EL2', 1n << 10n);
    test.enter(1).pe.fpAccessTrap();
    expect(test.syndrome(2).EC).toBe(7);
    const el3 = withVectors(onePe());
    el3.setRegister('CPTR_EL3', 1n << 10n);
    expect(el3.word(record.fpTrapped)).toBe(3);
    expect(el3.mrs('FPCR')).toBeUndefined();
    expect(el3.syndrome(3)).toEqual({ EC: 7, ISS: 0x1e0_0000 });
  });

  it('is reported as an unknown reason at EL2 where HCR_EL2.TGE routes it there', () => {
    const test = withVectors(onePe());
    test.setRegister('HCR_EL2', HCR.TGE);
    test.enter(0).pe.fpAccessTrap();
    expect(test.syndrome(2)).toEqual({ EC: 0, ISS: 0 });
  });
});

describe('exception return', () => {
  it('restores PSTATE and PC', () => {
    const test = onePe();
    test.setRegister('SPSR_EL3', 0xf0c0_0240n | modeOf(2));
    test.setRegister('ELR_EL3', 0x4000_4444n);
    test.setRegister('SCR_EL3', 1n);
    expect(test.pe.eret()).toBe(exit.redirect);
    expect(test.pc).toBe(0x4000_4444n);
    expect(test.pstate).toBe(0x00c0_0240 | 9);
    expect(test.mrs('NZCV')).toBe(0xf000_0000n);
  });

  it('is UNDEFINED at EL0', () => {
    const test = withVectors(onePe()).enter(0);
    test.pe.eret();
    expect(test.syndrome(1)).toEqual({ EC: 0, ISS: 0 });
  });

  it('sets the event register and clears the local monitor', () => {
    const test = onePe();
    test.loadExclusive(codeAddress);
    test.enter(1);
    expect(test.word(record.eventRegister)).toBe(1);
    expect(test.storeExclusive(codeAddress, 1n)).toBe(1);
  });

  const illegal: { readonly what: string; readonly spsr: bigint; readonly setUp?: (test: TestPe) => void }[] = [
    { what: 'to AArch32', spsr: 0x10n },
    { what: 'to a reserved mode', spsr: 0b0110n },
    { what: 'to EL0 with SP_EL1', spsr: 0b0001n },
    { what: 'to a higher level', spsr: modeOf(3) },
    { what: 'to EL1 with HCR_EL2.TGE', spsr: modeOf(1), setUp: (test) => test.setRegister('HCR_EL2', HCR.TGE) },
  ];

  it.each(illegal)(
    '$what is illegal: EL stays, and the next instruction is an Illegal Execution state',
    ({ spsr, setUp }) => {
      const test = withVectors(onePe());
      setUp?.(test);
      test.enter(2);
      test.setRegister('SPSR_EL2', 0x8000_0000n | spsr);
      test.setRegister('ELR_EL2', 0x4000_4000n);
      expect(test.pe.eret()).toBe(exit.redirect);
      expect(test.pe.currentEl()).toBe(2);
      expect(test.syndrome(2)).toEqual({ EC: 0x0e, ISS: 0 });
      expect(test.register('ELR_EL2')).toBe(0x4000_4000n);
      expect(test.register('SPSR_EL2')).toBe(0x8000_0000n | IL | modeOf(2));
      expect(test.pstate & Number(IL)).toBe(0);
    },
  );

  it('to EL2 is illegal in Secure state, and where EL2 does not exist', () => {
    for (const options of [{}, { hasEl2: false }]) {
      const test = withVectors(onePe(options));
      test.setRegister('SCR_EL3', options.hasEl2 === false ? 1n : 0n);
      test.enterSecure(2);
      expect(test.pe.currentEl()).toBe(3);
      expect(test.syndrome(3).EC).toBe(0x0e);
    }
  });

  it('raises the Illegal Execution state of SPSR_ELx.IL at the level returned to', () => {
    const test = withVectors(onePe()).enter(1, IL);
    expect(test.pe.currentEl()).toBe(1);
    expect(test.syndrome(1)).toEqual({ EC: 0x0e, ISS: 0 });
    expect(test.register('SPSR_EL1')).toBe(IL | modeOf(1));
  });

  it('prefers an Instruction Abort at the new PC to the Illegal Execution state', () => {
    const test = withVectors(onePe()).enter(2);
    test.setRegister('SPSR_EL2', 0x10n);
    test.setRegister('ELR_EL2', 0x1000n);
    test.pe.eret();
    expect(test.syndrome(2).EC).toBe(0x21);
    expect(test.register('SPSR_EL2') & IL).toBe(IL);
  });
});

describe('MSR (immediate)', () => {
  it('sets and clears the bits of DAIF', () => {
    const test = onePe().enter(1);
    expect(test.pe.msrImmediate(3, 6, 0b1010)).toBe(exit.none);
    expect(test.mrs('DAIF')).toBe(0x280n);
    test.pe.msrImmediate(3, 7, 0b1000);
    expect(test.mrs('DAIF')).toBe(0x080n);
  });

  it('of DAIF is trapped at EL0 unless SCTLR_EL1.UMA permits it', () => {
    const test = withVectors(onePe()).enter(0);
    test.pe.msrImmediate(3, 6, 0xf);
    // op1 3, CRn 4, CRm 15, op2 6, Rt as in the instruction word at PC, which is 0 here.
    expect(test.syndrome(1)).toEqual({ EC: 0x18, ISS: (6 << 17) | (3 << 14) | (4 << 10) | (15 << 1) });
    const permitted = onePe();
    permitted.setRegister('SCTLR_EL1', permitted.register('SCTLR_EL1') | (1n << 9n));
    permitted.enter(0);
    expect(permitted.pe.msrImmediate(3, 6, 0xf)).toBe(exit.none);
    expect(permitted.mrs('DAIF')).toBe(0x3c0n);
  });

  it.each([
    { name: 'SPSel', op2: 5 },
    { name: 'PAN', op2: 4 },
    { name: 'UAO', op2: 3 },
  ])('of $name is UNDEFINED at EL0', ({ op2 }) => {
    const test = withVectors(onePe()).enter(0);
    test.pe.msrImmediate(0, op2, 1);
    expect(test.syndrome(1)).toEqual({ EC: 0, ISS: 0 });
  });
});

describe('the hot fields of the record', () => {
  it('follow the exception level', () => {
    const test = onePe();
    const tlb = test.word(record.tlb);
    expect(test.word(record.jumpTag)).toBe(3);
    expect(test.word(record.tlbUnprivileged)).toBe(tlb);
    test.enter(1);
    expect(test.word(record.jumpTag)).toBe(1);
    expect(test.word(record.tlbUnprivileged)).not.toBe(test.word(record.tlb));
    test.pe.msrImmediate(0, 3, 1);
    expect(test.word(record.tlbUnprivileged)).toBe(test.word(record.tlb));
  });

  it('check the alignment of SP by SCTLR_EL1.SA at EL1 and SA0 at EL0', () => {
    const test = onePe();
    test.setRegister('SCTLR_EL1', 1n << 4n);
    test.enter(1);
    expect(test.word(record.spAlignmentMask)).toBe(0);
    test.reset(3).setRegister('SCTLR_EL1', 1n << 4n);
    test.enter(0);
    expect(test.word(record.spAlignmentMask)).toBe(15);
  });
});
