import { describe, expect, it } from 'vitest';
import { exit } from '../../src/arch/exits.ts';
import { systemKey } from '../../src/arch/system-key.ts';
import { onePe, type TestPe } from './fixture.ts';

const bit = (n: number): bigint => 1n << BigInt(n);

interface TrapCase {
  readonly by: string;
  readonly value: bigint;
  readonly access: string;
  readonly from: 0 | 1 | 2;
  readonly to: 1 | 2 | 3;
  readonly write?: boolean;
}

const cases: readonly TrapCase[] = [
  { by: 'SCTLR_EL1', value: 0n, access: 'CTR_EL0', from: 0, to: 1 },
  { by: 'SCTLR_EL1', value: 0n, access: 'DAIF', from: 0, to: 1 },
  { by: 'CNTKCTL_EL1', value: 0n, access: 'CNTVCT_EL0', from: 0, to: 1 },
  { by: 'CNTKCTL_EL1', value: bit(1), access: 'CNTPCT_EL0', from: 0, to: 1 },
  { by: 'CNTKCTL_EL1', value: 0n, access: 'CNTFRQ_EL0', from: 0, to: 1 },
  { by: 'CNTKCTL_EL1', value: bit(9), access: 'CNTV_CTL_EL0', from: 0, to: 1 },
  { by: 'CNTKCTL_EL1', value: bit(8), access: 'CNTP_CTL_EL0', from: 0, to: 1 },
  { by: 'PMUSERENR_EL0', value: 0n, access: 'PMCCNTR_EL0', from: 0, to: 1 },
  { by: 'MDSCR_EL1', value: bit(12), access: 'MDCCSR_EL0', from: 0, to: 1 },
  { by: 'CNTHCTL_EL2', value: bit(1), access: 'CNTPCT_EL0', from: 1, to: 2 },
  { by: 'CNTHCTL_EL2', value: bit(0), access: 'CNTP_CVAL_EL0', from: 1, to: 2 },
  { by: 'HCR_EL2', value: bit(16), access: 'AIDR_EL1', from: 1, to: 2 },
  { by: 'HCR_EL2', value: bit(17), access: 'CLIDR_EL1', from: 1, to: 2 },
  { by: 'HCR_EL2', value: bit(18), access: 'ID_AA64PFR0_EL1', from: 1, to: 2 },
  { by: 'HCR_EL2', value: bit(21), access: 'ACTLR_EL1', from: 1, to: 2 },
  { by: 'HCR_EL2', value: bit(26), access: 'TTBR0_EL1', from: 1, to: 2, write: true },
  { by: 'HCR_EL2', value: bit(30), access: 'TTBR0_EL1', from: 1, to: 2 },
  { by: 'HCR_EL2', value: bit(4), access: 'ICC_SGI1R_EL1', from: 1, to: 2, write: true },
  { by: 'ICH_HCR_EL2', value: bit(10), access: 'ICC_PMR_EL1', from: 1, to: 2 },
  { by: 'ICH_HCR_EL2', value: bit(10), access: 'ICC_SGI1R_EL1', from: 1, to: 2, write: true },
  { by: 'ICH_HCR_EL2', value: bit(11), access: 'ICC_IAR0_EL1', from: 1, to: 2 },
  { by: 'ICH_HCR_EL2', value: bit(12), access: 'ICC_IGRPEN1_EL1', from: 1, to: 2, write: true },
  { by: 'ICH_HCR_EL2', value: bit(14), access: 'ICC_DIR_EL1', from: 1, to: 2, write: true },
  { by: 'CPTR_EL2', value: bit(31), access: 'CPACR_EL1', from: 1, to: 2 },
  { by: 'MDCR_EL2', value: bit(6), access: 'PMCCNTR_EL0', from: 1, to: 2 },
  { by: 'MDCR_EL2', value: bit(9), access: 'MDSCR_EL1', from: 1, to: 2 },
  { by: 'MDCR_EL2', value: bit(8), access: 'MDSCR_EL1', from: 1, to: 2 },
  { by: 'MDCR_EL2', value: bit(10), access: 'OSLSR_EL1', from: 1, to: 2 },
  { by: 'CPTR_EL3', value: bit(31), access: 'CPTR_EL2', from: 2, to: 3 },
  { by: 'MDCR_EL3', value: bit(9), access: 'MDSCR_EL1', from: 2, to: 3 },
  { by: 'SCR_EL3', value: bit(1), access: 'ICC_IAR1_EL1', from: 1, to: 3 },
  { by: 'SCR_EL3', value: bit(2), access: 'ICC_IAR0_EL1', from: 2, to: 3 },
  { by: 'SCR_EL3', value: bit(1) | bit(2), access: 'ICC_PMR_EL1', from: 1, to: 3 },
];

/** Everything else is permitted, so that the trap under test is the one that is seen. */
function permissive(test: TestPe): TestPe {
  test.setRegister('SCTLR_EL1', bit(9) | bit(14) | bit(15) | bit(26));
  test.setRegister('CNTKCTL_EL1', 0x303n);
  test.setRegister('PMUSERENR_EL0', 0xfn);
  return test;
}

/** True where the access is made, false where it takes an exception. */
function access(test: TestPe, { access: name, write }: TrapCase): boolean {
  if (write === true) test.msr(name, 0n);
  else test.mrs(name);
  return test.pe.exceptionsTaken.every((count) => count === 0);
}

describe('traps of system register accesses', () => {
  it.each(cases)('$by traps $access from EL$from to EL$to', (trap) => {
    const open = permissive(onePe()).enter(trap.from);
    expect(access(open, trap)).toBe(true);

    const test = permissive(onePe());
    test.setRegister(trap.by, trap.value);
    test.enter(trap.from);
    expect(access(test, trap)).toBe(false);
    expect(test.pe.currentEl()).toBe(trap.to);
    const { EC, ISS } = test.syndrome(trap.to);
    expect(EC).toBe(0x18);
    expect(ISS & 1).toBe(trap.write === true ? 0 : 1);
  });

  it('reports the encoding and Rt of the instruction at PC', () => {
    const test = permissive(onePe());
    test.setRegister('HCR_EL2', bit(18));
    test.enter(1);
    // MRS X17, ID_AA64PFR0_EL1.
    test.memory.view.setUint32(Number(test.pc), 0xd538_0411, true);
    test.mrs('ID_AA64PFR0_EL1');
    expect(test.syndrome(2).ISS).toBe((3 << 20) | (4 << 1) | (17 << 5) | 1);
  });

  it('goes to EL2 instead of EL1 with HCR_EL2.TGE', () => {
    const test = onePe();
    test.setRegister('HCR_EL2', bit(27));
    test.enter(0);
    test.mrs('CTR_EL0');
    expect(test.pe.currentEl()).toBe(2);
    expect(test.syndrome(2).EC).toBe(0x18);
  });

  it('by EL2 does not apply in Secure state', () => {
    const test = onePe();
    test.setRegister('HCR_EL2', bit(18));
    test.enterSecure(1);
    expect(test.mrs('ID_AA64PFR0_EL1')).toBeDefined();
  });

  it('of ICC_* registers by SCR_EL3 do not apply where HCR_EL2 makes ICV_* registers of them', () => {
    const test = permissive(onePe());
    test.setRegister('SCR_EL3', bit(1) | bit(2));
    test.setRegister('HCR_EL2', bit(4));
    test.enter(1);
    expect(test.mrs('ICC_IAR1_EL1')).toBeDefined();
    expect(test.mrs('ICC_PMR_EL1')).toBeDefined();
    test.mrs('ICC_IAR0_EL1');
    expect(test.pe.currentEl()).toBe(3);
  });

  it('of GIC registers give way to UNDEFINED with a GICv2, which has none', () => {
    const test = permissive(onePe({ hasGicRegisters: false }));
    expect((test.mrs('ID_AA64PFR0_EL1')! >> 24n) & 15n).toBe(0n);
    test.setRegister('HCR_EL2', bit(4));
    test.enter(1);
    test.msr('ICC_SGI1R_EL1', 0n);
    expect([test.pe.currentEl(), test.syndrome(1).EC]).toEqual([1, 0]);
  });

  it('by EL1 has priority over one by EL2', () => {
    const test = onePe();
    test.setRegister('SCTLR_EL1', 0n);
    test.setRegister('HCR_EL2', bit(17));
    test.enter(0);
    test.mrs('CTR_EL0');
    expect(test.pe.currentEl()).toBe(1);
  });
});

describe('System instructions', () => {
  it.each([
    { name: 'DC CIVAC', by: 'HCR_EL2', bits: bit(23) },
    { name: 'DC CVAU', by: 'HCR_EL2', bits: bit(24) },
    { name: 'DC CISW', by: 'HCR_EL2', bits: bit(22) },
    { name: 'DC ZVA', by: 'HCR_EL2', bits: bit(28) },
    { name: 'TLBI VMALLE1', by: 'HCR_EL2', bits: bit(25) },
    { name: 'IC IALLUIS', by: 'HCR_EL2', bits: bit(24) },
  ])('$name is trapped from EL1 by $by', ({ name, by, bits }) => {
    const test = onePe();
    test.setRegister(by, bits);
    test.enter(1);
    expect(test.sys(name, test.pc)).toBe(exit.redirect);
    expect(test.syndrome(2).EC).toBe(0x18);
  });

  it('at EL0 need SCTLR_EL1.UCI and DZE, and the others are UNDEFINED', () => {
    const test = onePe();
    test.setRegister('SCTLR_EL1', 0n);
    test.enter(0);
    test.sys('DC CVAC', test.pc);
    expect(test.syndrome(1).EC).toBe(0x18);
    test.enter(0);
    test.sys('DC ZVA', test.pc);
    expect(test.syndrome(1).EC).toBe(0x18);
    test.enter(0);
    test.sys('DC CISW');
    expect(test.syndrome(1).EC).toBe(0);
  });

  it('that do not exist are UNDEFINED, as SYSL always is', () => {
    const test = onePe().enter(1);
    expect(test.pe.systemInstruction(systemKey(1, 0, 7, 3, 3))).toBe(exit.redirect);
    expect(test.syndrome(1)).toEqual({ EC: 0, ISS: 0 });
    expect(test.pe.systemInstructionWithResult(systemKey(1, 3, 7, 1, 1))).toBe(exit.redirect);
  });

  it('of EL2 are UNDEFINED at EL3 where there is no EL2', () => {
    const test = onePe({ hasEl2: false });
    expect(test.sys('TLBI ALLE2')).toBe(exit.redirect);
    expect(test.syndrome(3).EC).toBe(0);
    // Its registers are RES0.
    expect(test.mrs('HCR_EL2')).toBe(0n);
    expect(test.msr('HCR_EL2', 1n)).toBe(exit.none);
    expect(test.mrs('VMPIDR_EL2')).toBe(0x8000_0000n);
  });

  it('in the IMPLEMENTATION DEFINED space are UNDEFINED, or trapped by HCR_EL2.TIDCP', () => {
    const key = systemKey(3, 0, 15, 2, 0);
    const test = onePe().enter(1);
    test.pe.readSystemRegister(key);
    expect(test.syndrome(1).EC).toBe(0);
    const trapped = onePe();
    trapped.setRegister('HCR_EL2', bit(20));
    trapped.enter(1).pe.readSystemRegister(key);
    expect(trapped.syndrome(2).EC).toBe(0x18);
  });
});

describe('special registers', () => {
  it('SP_EL0 is UNDEFINED while it is the stack pointer in use', () => {
    const test = onePe().enter(1);
    expect(test.msr('SP_EL0', 0x5000n)).toBe(exit.none);
    expect(test.mrs('SP_EL0')).toBe(0x5000n);
    test.pe.msrImmediate(0, 5, 0);
    expect(test.sp).toBe(0x5000n);
    expect(test.mrs('SP_EL0')).toBeUndefined();
  });

  it('CNTFRQ_EL0 is writable at the highest level only', () => {
    const test = onePe();
    expect(test.mrs('CNTFRQ_EL0')).toBe(62_500_000n);
    expect(test.msr('CNTFRQ_EL0', 1n)).toBe(exit.none);
    test.enter(2);
    expect(test.msr('CNTFRQ_EL0', 2n)).toBe(exit.redirect);
    expect(test.mrs('CNTFRQ_EL0')).toBe(1n);
  });

  it('RVBAR exists at the highest level only', () => {
    expect(onePe({ hasEl3: false }).mrs('RVBAR_EL2')).toBeDefined();
    expect(onePe().mrs('RVBAR_EL2')).toBeUndefined();
    expect(onePe({ hasEl2: false, hasEl3: false }).mrs('RVBAR_EL1')).toBeDefined();
  });

  it('the Secure physical timer is EL3’s, and Secure EL1’s where SCR_EL3.ST says so', () => {
    const test = onePe();
    expect(test.mrs('CNTPS_CTL_EL1')).toBe(0n);
    test.enterSecure(1);
    expect(test.mrs('CNTPS_CTL_EL1')).toBeUndefined();
    expect(test.syndrome(3).EC).toBe(0x18);
    test.reset(3).setRegister('SCR_EL3', bit(11));
    test.enterSecure(1);
    expect(test.mrs('CNTPS_CTL_EL1')).toBe(0n);
    test.reset(3).setRegister('SCR_EL3', bit(11));
    test.enter(1);
    expect(test.mrs('CNTPS_CTL_EL1')).toBeUndefined();
    expect(test.syndrome(1).EC).toBe(0);
  });

  it('the OS Lock is locked by reset and released through OSLAR_EL1', () => {
    const test = onePe().enter(1);
    expect(test.mrs('OSLSR_EL1')).toBe(10n);
    test.msr('OSLAR_EL1', 0n);
    expect(test.mrs('OSLSR_EL1')).toBe(8n);
  });

  it('claim tags are set and cleared by bits', () => {
    const test = onePe();
    test.msr('DBGCLAIMSET_EL1', 0x0fn);
    test.msr('DBGCLAIMCLR_EL1', 0x05n);
    expect(test.mrs('DBGCLAIMCLR_EL1')).toBe(0x0an);
    expect(test.mrs('DBGCLAIMSET_EL1')).toBe(0xffn);
  });

  it('the GIC CPU interface answers for ICC registers, told who asks', () => {
    const test = onePe().enter(1);
    expect(test.mrs('ICC_IAR1_EL1')).toBe(0x3ffn);
    test.msr('ICC_EOIR1_EL1', 0x1bn);
    const [read, write] = test.core.gicAccesses;
    expect(read?.slice(2)).toEqual([1, false]);
    expect(write?.[1]).toBe(0x1bn);
    expect(test.mrs('ICC_SRE_EL1')).toBe(7n);
  });
});
