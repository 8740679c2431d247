import { describe, expect, it } from 'vitest';
import { exit } from '../../src/arch/exits.ts';
import { systemInstructionAt, systemInstructions } from '../../src/arch/system-instructions.ts';
import { encodingOf } from '../../src/arch/system-key.ts';
import { slotOf, systemRegisters } from '../../src/arch/system-registers.ts';
import { type Trap, traps } from '../../src/arch/traps.ts';
import { onePe, type TestPe } from './fixture.ts';

// Every trap of the table, against the accesses that the Arm ARM lists for its control, in both directions: nothing else names it, and
// each of them is taken to the right exception level with EC 0x18 and its own encoding.

const numbered = (name: string, count: number): string[] =>
  Array.from({ length: count }, (_, n) => name.replace('<n>', `${n}`));
const byEncoding = (from: number, to: number): string[] =>
  systemRegisters.filter(({ key }) => key >= from && key <= to).map(({ name }) => name);
const timer = (name: string, el: string): string[] => ['TVAL', 'CTL', 'CVAL'].map((part) => `${name}_${part}_${el}`);

const virtualMemory = [
  ...['SCTLR_EL1', 'TTBR0_EL1', 'TTBR1_EL1', 'TCR_EL1', 'ESR_EL1', 'FAR_EL1', 'AFSR0_EL1', 'AFSR1_EL1'],
  ...['MAIR_EL1', 'AMAIR_EL1', 'CONTEXTIDR_EL1'],
];
const cacheIdentification = ['CCSIDR_EL1', 'CLIDR_EL1', 'CSSELR_EL1'];
const toCoherency = ['DC CVAC', 'DC CVAP', 'DC CIVAC'];
const user = ['PMCNTENSET_EL0', 'PMCNTENCLR_EL0', 'PMOVSCLR_EL0', 'PMOVSSET_EL0', 'PMCEID0_EL0', 'PMCEID1_EL0'];
const enabledByEn = ['PMCR_EL0', ...user, 'PMXEVTYPER_EL0', 'PMCCFILTR_EL0'];
const performance = [
  ...[...enabledByEn, 'PMSWINC_EL0', 'PMSELR_EL0', 'PMCCNTR_EL0', 'PMXEVCNTR_EL0', 'PMUSERENR_EL0'],
  ...['PMINTENSET_EL1', 'PMINTENCLR_EL1'],
];
const debugCommunications = ['MDCCSR_EL0', 'DBGDTR_EL0', 'DBGDTRRX_EL0'];
const debug = [
  ...['OSDTRRX_EL1', 'MDCCINT_EL1', 'MDSCR_EL1', 'OSDTRTX_EL1', 'OSECCR_EL1', ...debugCommunications],
  ...['DBGBVR<n>_EL1', 'DBGBCR<n>_EL1', 'DBGWVR<n>_EL1', 'DBGWCR<n>_EL1'].flatMap((name) => numbered(name, 2)),
  ...['DBGCLAIMSET_EL1', 'DBGCLAIMCLR_EL1', 'DBGAUTHSTATUS_EL1'],
];
const osLock = ['OSLAR_EL1', 'OSLSR_EL1', 'OSDLR_EL1', 'DBGPRCR_EL1'];
const regions = ['LORSA_EL1', 'LOREA_EL1', 'LORN_EL1', 'LORC_EL1', 'LORID_EL1'];
const pointerKeys = ['IA', 'IB', 'DA', 'DB', 'GA'].flatMap((key) => [`AP${key}KeyLo_EL1`, `AP${key}KeyHi_EL1`]);
const sgi = ['ICC_SGI1R_EL1', 'ICC_ASGI1R_EL1', 'ICC_SGI0R_EL1'];
const iccCommon = ['ICC_PMR_EL1', 'ICC_DIR_EL1', 'ICC_RPR_EL1', 'ICC_CTLR_EL1', ...sgi];
const iccGroup = (group: number): string[] => [
  ...['IAR', 'EOIR', 'HPPIR', 'BPR', 'IGRPEN'].map((name) => `ICC_${name}${group}_EL1`),
  ...numbered(`ICC_AP${group}R<n>_EL1`, 4),
];
const tlbiEl1 = ['VMALLE1', 'VAE1', 'ASIDE1', 'VAAE1', 'VALE1', 'VAALE1'].flatMap((name) => [
  `TLBI ${name}`,
  `TLBI ${name}IS`,
]);

const trapped: Readonly<Record<keyof typeof traps, readonly string[]>> = {
  'SCTLR_EL1.UMA': ['DAIF'],
  'SCTLR_EL1.DZE': ['DC ZVA'],
  'SCTLR_EL1.UCT': ['CTR_EL0'],
  'SCTLR_EL1.UCI': ['IC IVAU', 'DC CVAU', ...toCoherency],
  'MDSCR_EL1.TDCC': debugCommunications,
  'PMUSERENR_EL0.EN': enabledByEn,
  'PMUSERENR_EL0.EN write': ['PMCCNTR_EL0', 'PMXEVCNTR_EL0'],
  'PMUSERENR_EL0.SW': ['PMSWINC_EL0'],
  'PMUSERENR_EL0.CR': ['PMCCNTR_EL0'],
  'PMUSERENR_EL0.ER': ['PMSELR_EL0'],
  'PMUSERENR_EL0.ER read': ['PMXEVCNTR_EL0'],
  'CNTKCTL_EL1.EL0PCTEN': ['CNTPCT_EL0'],
  'CNTKCTL_EL1.EL0VCTEN': ['CNTVCT_EL0'],
  'CNTKCTL_EL1.EL0xCTEN': ['CNTFRQ_EL0'],
  'CNTKCTL_EL1.EL0VTEN': timer('CNTV', 'EL0'),
  'CNTKCTL_EL1.EL0PTEN': timer('CNTP', 'EL0'),
  'CNTHCTL_EL2.EL1PCTEN': ['CNTPCT_EL0'],
  'CNTHCTL_EL2.EL1PCEN': timer('CNTP', 'EL0'),
  'HCR_EL2.TID1': ['REVIDR_EL1', 'AIDR_EL1'],
  'HCR_EL2.TID2': [...cacheIdentification, 'CTR_EL0'],
  'HCR_EL2.TID3': byEncoding((3 << 14) | (1 << 3), (3 << 14) | (7 << 3) | 7),
  'HCR_EL2.TACR': ['ACTLR_EL1'],
  'HCR_EL2.TSW': ['DC ISW', 'DC CSW', 'DC CISW'],
  'HCR_EL2.TPC': [...toCoherency, 'DC IVAC'],
  'HCR_EL2.TPU': ['IC IVAU', 'IC IALLU', 'IC IALLUIS', 'DC CVAU'],
  'HCR_EL2.TTLB': tlbiEl1,
  'HCR_EL2.TVM': virtualMemory,
  'HCR_EL2.TDZ': ['DC ZVA'],
  'HCR_EL2.TRVM': virtualMemory,
  'HCR_EL2.TLOR': regions,
  'HCR_EL2.APK': pointerKeys,
  'HCR_EL2.TID4': cacheIdentification,
  'HCR_EL2.TICAB': ['IC IALLUIS'],
  'HCR_EL2.TOCU': ['IC IVAU', 'IC IALLU', 'DC CVAU'],
  'HCR_EL2.FMO|IMO': sgi,
  'HCR_EL2.TGE': debugCommunications,
  'ICC_SRE_EL2.Enable': ['ICC_SRE_EL1'],
  'ICH_HCR_EL2.TC': iccCommon,
  'ICH_HCR_EL2.TALL0': iccGroup(0),
  'ICH_HCR_EL2.TALL1': iccGroup(1),
  'ICH_HCR_EL2.TDIR': ['ICC_DIR_EL1'],
  'CPTR_EL2.TCPAC': ['CPACR_EL1'],
  'MDCR_EL2.TPMCR': ['PMCR_EL0'],
  'MDCR_EL2.TPM': performance,
  'MDCR_EL2.TDA': debug,
  'MDCR_EL2.TDOSA': osLock,
  'MDCR_EL2.TDRA': ['MDRAR_EL1'],
  'CPTR_EL3.TCPAC': ['CPACR_EL1', 'CPACR_EL12', 'CPTR_EL2'],
  'MDCR_EL3.TPM': performance,
  'MDCR_EL3.TDA': [...debug, 'MDRAR_EL1'],
  'MDCR_EL3.TDOSA': osLock,
  'SCR_EL3.APK': pointerKeys,
  'SCR_EL3.TLOR': regions,
  'SCR_EL3.ST': timer('CNTPS', 'EL1'),
  'SCR_EL3.FIQ of EL1': iccGroup(0),
  'SCR_EL3.IRQ of EL1': iccGroup(1),
  'SCR_EL3.FIQ&IRQ of EL1': iccCommon,
  'SCR_EL3.FIQ': iccGroup(0),
  'SCR_EL3.IRQ': iccGroup(1),
  'SCR_EL3.FIQ&IRQ': iccCommon,
};

interface Access {
  readonly name: string;
  readonly key: number;
  readonly isRead: boolean;
  readonly leastEl: number;
}

const registerAccesses: readonly Access[] = systemRegisters.flatMap((row) => [
  ...(row.access === 'WO' ? [] : [{ name: row.name, key: row.key, isRead: true, leastEl: Number(row.readEl) }]),
  ...(row.access === 'RO' ? [] : [{ name: row.name, key: row.key, isRead: false, leastEl: Number(row.writeEl) }]),
]);
const accesses: readonly Access[] = [
  ...registerAccesses.filter(({ leastEl }) => !Number.isNaN(leastEl)),
  ...systemInstructions.map(({ name, key, el }) => ({ name, key, isRead: false, leastEl: Number(el) })),
];

/** Nothing is trapped from Non-secure state, and CNTPS is Secure EL1's. */
function open(): TestPe {
  const test = onePe();
  for (const [name, value] of [
    ['SCTLR_EL1', 0x0400_c200n],
    ['CNTKCTL_EL1', 0x303n],
    ['PMUSERENR_EL0', 0xfn],
    ['HCR_EL2', 1n << 40n],
    ['SCR_EL3', (1n << 11n) | (1n << 16n)],
  ] as const) {
    test.setRegister(name, test.register(name) | value);
  }
  return test;
}

/** Makes the condition of a trap hold, and no more. `bit`: of several that do each, this one. */
function enable(test: TestPe, trap: Trap, bit: number): void {
  const offset = slotOf(trap.register) + (trap.high === true ? 4 : 0);
  const before = test.word(offset);
  const after =
    trap.when === 'anySet' ? before | bit : trap.when === 'allSet' ? before | trap.mask : before & ~trap.mask;
  test.setWord(offset, after >>> 0);
}

function make(test: TestPe, access: Access): number {
  // MRS or MSR with X21; what is trapped never reads the operand.
  test.memory.view.setUint32(Number(test.pc), 21, true);
  test.setScratch(0, test.pc);
  if (systemInstructionAt(access.key) !== undefined) return test.pe.systemInstruction(access.key);
  return access.isRead ? test.pe.readSystemRegister(access.key) : test.pe.writeSystemRegister(access.key);
}

function issOf({ key, isRead }: Access): number {
  const [op0, op1, CRn, CRm, op2] = encodingOf(key);
  return (op0 << 20) | (op2 << 17) | (op1 << 14) | (CRn << 10) | (21 << 5) | (CRm << 1) | (isRead ? 1 : 0);
}

const bitsOf = (trap: Trap): number[] =>
  trap.when === 'anySet'
    ? Array.from({ length: 32 }, (_, n) => (1 << n) >>> 0).filter((bit) => (trap.mask & bit) !== 0)
    : [trap.mask];

describe.each(Object.entries(traps) as [keyof typeof traps, Trap][])('%s', (name, trap) => {
  it('is a trap of the accesses that the manual lists', () => {
    const named = [...systemRegisters, ...systemInstructions].filter((row) => row.traps.includes(name));
    expect(named.map((row) => row.name).sort()).toEqual([...trapped[name]].sort());
  });

  const cases = accesses
    .filter((access) => trapped[name].includes(access.name))
    .filter(({ isRead }) => trap.on === undefined || (trap.on === 'read') === isRead)
    .flatMap((access) => trap.from.filter((el) => el >= access.leastEl).map((el) => ({ access, el })))
    // Names of a host's own are UNDEFINED without E2H.
    .filter(({ access }) => access.name !== 'CPACR_EL12');

  it(`takes them to EL${trap.to} with EC 0x18 and their encoding`, () => {
    expect(cases.length).toBeGreaterThan(0);
    for (const { access, el } of cases) {
      for (const bit of bitsOf(trap)) {
        const test = open();
        enable(test, trap, bit);
        if (name === 'SCR_EL3.ST') test.enterSecure(1);
        else test.enter(el as 0 | 1 | 2);
        const { pc } = test;
        const what = `${access.isRead ? 'MRS' : 'MSR'} ${access.name} at EL${el}`;
        expect(make(test, access), what).toBe(exit.redirect);
        // TGE makes a trap to EL1 one to EL2, which is what HCR_EL2.TGE as a trap is about.
        expect(test.pe.currentEl(), what).toBe(trap.to);
        expect(test.syndrome(trap.to), what).toEqual({ EC: 0x18, ISS: issOf(access) });
        expect(test.register(`ELR_EL${trap.to}`), what).toBe(pc);
      }
    }
  });

  const expectMade = (test: TestPe, access: Access): void => {
    // With the MMU off memory is Device, where DC ZVA is an alignment fault: it has got that far.
    if (access.name === 'DC ZVA') expect([0x24, 0x25]).toContain(test.syndrome(test.pe.currentEl()).EC);
    else expect(test.pe.exceptionsTaken, access.name).toEqual([0, 0, 0, 0]);
  };

  it('leaves them alone where it is not set, and from other exception levels', () => {
    for (const { access, el } of cases) {
      if (name === 'SCR_EL3.ST') continue;
      const test = open().enter(el as 0 | 1 | 2);
      make(test, access);
      expectMade(test, access);
    }
    for (const { access } of cases) {
      const other = [1, 2, 3].find((el) => !trap.from.includes(el) && el >= access.leastEl && el >= trap.to);
      if (other === undefined) continue;
      const test = open();
      for (const bit of bitsOf(trap)) enable(test, trap, bit);
      // Not by the traps of EL2 and EL3 that the same bit is besides.
      if (other < 3 && trap.register !== 'SCR_EL3') test.enter(other as 1 | 2);
      make(test, access);
      expectMade(test, access);
    }
  });
});
