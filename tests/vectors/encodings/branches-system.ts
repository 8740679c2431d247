// Branches, Exception Generating and System instructions, in the order of the Arm ARM's encoding index. What EL0 may
// not run, what would stop the harness (WFE, WFI, SVC) and what names an IMPLEMENTATION DEFINED value is there to be
// decoded, not executed.

import { type Encoding, type Fields, encoding } from '../pattern.ts';

// A taken branch to itself would not come back.
const notToItself = (field: string) => ({ legal: (f: Fields) => f(field) !== 0 });

function branches(): Encoding[] {
  return [
    encoding('branch', 'B_only_condbranch', '0101010 0 imm19:19 0 cond:4', notToItself('imm19')),
    encoding('branch', 'BR_64_branch_reg', '1101011 0000 11111 000000 Rn:5 00000'),
    encoding('branch', 'BLR_64_branch_reg', '1101011 0001 11111 000000 Rn:5 00000'),
    encoding('branch', 'RET_64R_branch_reg', '1101011 0010 11111 000000 Rn:5 00000'),
    encoding('branch', 'ERET_64E_branch_reg', '1101011 0100 11111 000000 11111 00000', { executable: false }),
    encoding('branch', 'DRPS_64E_branch_reg', '1101011 0101 11111 000000 11111 00000', { executable: false }),
    encoding('branch', 'B_only_branch_imm', '0 00101 imm26:26', notToItself('imm26')),
    encoding('branch', 'BL_only_branch_imm', '1 00101 imm26:26', notToItself('imm26')),
    encoding('branch', 'CBZ_32_compbranch', '0 011010 0 imm19:19 Rt:5', notToItself('imm19')),
    encoding('branch', 'CBNZ_32_compbranch', '0 011010 1 imm19:19 Rt:5', notToItself('imm19')),
    encoding('branch', 'CBZ_64_compbranch', '1 011010 0 imm19:19 Rt:5', notToItself('imm19')),
    encoding('branch', 'CBNZ_64_compbranch', '1 011010 1 imm19:19 Rt:5', notToItself('imm19')),
    encoding('branch', 'TBZ_only_testbranch', 'b5:1 011011 0 b40:5 imm14:14 Rt:5', notToItself('imm14')),
    encoding('branch', 'TBNZ_only_testbranch', 'b5:1 011011 1 b40:5 imm14:14 Rt:5', notToItself('imm14')),
  ];
}

function exceptions(): Encoding[] {
  const decoded = { executable: false };
  return [
    encoding('system', 'UDF_only_perm_undef', '0000000000000000 imm16:16'),
    encoding('system', 'SVC_EX_exception', '11010100 000 imm16:16 000 01', decoded),
    encoding('system', 'HVC_EX_exception', '11010100 000 imm16:16 000 10', decoded),
    encoding('system', 'SMC_EX_exception', '11010100 000 imm16:16 000 11', decoded),
    encoding('system', 'BRK_EX_exception', '11010100 001 imm16:16 000 00'),
    encoding('system', 'HLT_EX_exception', '11010100 010 imm16:16 000 00', decoded),
    encoding('system', 'DCPS1_DC_exception', '11010100 101 imm16:16 000 01', decoded),
    encoding('system', 'DCPS2_DC_exception', '11010100 101 imm16:16 000 10', decoded),
    encoding('system', 'DCPS3_DC_exception', '11010100 101 imm16:16 000 11', decoded),
  ];
}

/** CRm:op2 of the allocated hints. Those of pointer authentication that use a key are NOPs where it is not enabled, and run as such. */
const HINTS = [
  ['NOP_HI_hints', 0, 'Armv8.0'],
  ['YIELD_HI_hints', 1, 'Armv8.0'],
  ['WFE_HI_hints', 2, 'Armv8.0'],
  ['WFI_HI_hints', 3, 'Armv8.0'],
  ['SEV_HI_hints', 4, 'Armv8.0'],
  ['SEVL_HI_hints', 5, 'Armv8.0'],
  ['DGH_HI_hints', 6, 'FEAT_DGH'],
  ['XPACLRI_HI_hints', 7, 'FEAT_PAuth'],
  ['PACIA1716_HI_hints', 8, 'FEAT_PAuth'],
  ['PACIB1716_HI_hints', 10, 'FEAT_PAuth'],
  ['AUTIA1716_HI_hints', 12, 'FEAT_PAuth'],
  ['AUTIB1716_HI_hints', 14, 'FEAT_PAuth'],
  ['ESB_HI_hints', 16, 'FEAT_RAS'],
  ['PSB_HC_hints', 17, 'FEAT_SPE'],
  ['TSB_HC_hints', 18, 'FEAT_TRF'],
  ['CSDB_HI_hints', 20, 'Armv8.0'],
  ['PACIAZ_HI_hints', 24, 'FEAT_PAuth'],
  ['PACIASP_HI_hints', 25, 'FEAT_PAuth'],
  ['PACIBZ_HI_hints', 26, 'FEAT_PAuth'],
  ['PACIBSP_HI_hints', 27, 'FEAT_PAuth'],
  ['AUTIAZ_HI_hints', 28, 'FEAT_PAuth'],
  ['AUTIASP_HI_hints', 29, 'FEAT_PAuth'],
  ['AUTIBZ_HI_hints', 30, 'FEAT_PAuth'],
  ['AUTIBSP_HI_hints', 31, 'FEAT_PAuth'],
] as const;

const BTI_HINTS = [32, 34, 36, 38];
const STOPS_THE_PE = ['WFE_HI_hints', 'WFI_HI_hints'];

function hints(): Encoding[] {
  const allocated = new Set<number>([...HINTS.map(([, number]) => number), ...BTI_HINTS]);
  return [
    encoding('system', 'HINT_HM_hints', '1101010100 0 00 011 0010 CRm:4 op2:3 11111', {
      legal: (f) => !allocated.has((f('CRm') << 3) | f('op2')),
    }),
    ...HINTS.map(([name, number, feature]) =>
      encoding('system', name, `1101010100 0 00 011 0010 ${number.toString(2).padStart(7, '0')} 11111`, {
        feature,
        executable: !STOPS_THE_PE.includes(name),
      }),
    ),
    encoding('system', 'BTI_HB_hints', '1101010100 0 00 011 0010 0100 op2:xx0 11111', { feature: 'FEAT_BTI' }),
  ];
}

function barriers(): Encoding[] {
  return [
    encoding('system', 'CLREX_BN_barriers', '1101010100 0 00 011 0011 CRm:4 010 11111'),
    encoding('system', 'DSB_BO_barriers', '1101010100 0 00 011 0011 CRm:4 100 11111'),
    encoding('system', 'DMB_BO_barriers', '1101010100 0 00 011 0011 CRm:4 101 11111'),
    encoding('system', 'ISB_BI_barriers', '1101010100 0 00 011 0011 CRm:4 110 11111'),
  ];
}

/** op1:op2 of the PSTATE fields of Armv8.2: UAO, PAN, SPSel, DAIFSet, DAIFClr. */
const PSTATE_FIELDS = [0o03, 0o04, 0o05, 0o36, 0o37];

/** op0 op1 CRn CRm op2 of well-known registers that are both readable and writable. */
const READ_WRITE_REGISTERS = new Set([
  '3,0,1,0,0', // SCTLR_EL1
  '3,0,1,0,2', // CPACR_EL1
  '3,0,2,0,0', // TTBR0_EL1
  '3,0,2,0,1', // TTBR1_EL1
  '3,0,2,0,2', // TCR_EL1
  '3,0,4,0,0', // SPSR_EL1
  '3,0,4,0,1', // ELR_EL1
  '3,0,4,1,0', // SP_EL0
  '3,0,4,2,0', // SPSel
  '3,0,4,6,0', // ICC_PMR_EL1
  '3,0,5,2,0', // ESR_EL1
  '3,0,6,0,0', // FAR_EL1
  '3,0,7,4,0', // PAR_EL1
  '3,0,10,2,0', // MAIR_EL1
  '3,0,12,0,0', // VBAR_EL1
  '3,0,13,0,1', // CONTEXTIDR_EL1
  '3,0,13,0,4', // TPIDR_EL1
  '3,0,14,1,0', // CNTKCTL_EL1
  '3,2,0,0,0', // CSSELR_EL1
  '3,3,4,2,0', // NZCV
  '3,3,4,2,1', // DAIF
  '3,3,4,4,0', // FPCR
  '3,3,4,4,1', // FPSR
  '3,3,13,0,2', // TPIDR_EL0
  '3,3,13,0,3', // TPIDRRO_EL0
  '3,3,14,0,0', // CNTFRQ_EL0
  '3,3,14,2,1', // CNTP_CTL_EL0
  '3,3,14,2,2', // CNTP_CVAL_EL0
  '3,3,14,3,1', // CNTV_CTL_EL0
  '3,3,14,3,2', // CNTV_CVAL_EL0
  '3,4,1,1,0', // HCR_EL2
  '3,4,2,1,0', // VTTBR_EL2
  '3,4,2,1,2', // VTCR_EL2
  '3,4,5,2,0', // ESR_EL2
  '3,4,12,0,0', // VBAR_EL2
  '3,4,14,0,3', // CNTVOFF_EL2
  '3,6,1,1,0', // SCR_EL3
  '3,6,4,0,1', // ELR_EL3
  '3,6,12,0,0', // VBAR_EL3
]);

const isReadWriteRegister = (f: Fields) =>
  READ_WRITE_REGISTERS.has([2 + f('o0'), f('op1'), f('CRn'), f('CRm'), f('op2')].join(','));

function system(): Encoding[] {
  const decoded = { executable: false };
  return [
    encoding('system', 'MSR_SI_pstate', '1101010100 0 00 op1:3 0100 CRm:4 op2:3 11111', {
      executable: false,
      // SPSel takes one bit, UAO and PAN as well.
      legal: (f) => PSTATE_FIELDS.includes((f('op1') << 3) | f('op2')) && (f('op1') === 3 || f('CRm') <= 1),
    }),
    encoding('system', 'CFINV_M_pstate', '1101010100 0 00 000 0100 0000 000 11111', { feature: 'FEAT_FlagM' }),
    encoding('system', 'SYS_CR_systeminstrs', '1101010100 0 01 op1:3 CRn:4 CRm:4 op2:3 Rt:5', decoded),
    encoding('system', 'SYSL_RC_systeminstrs', '1101010100 1 01 op1:3 CRn:4 CRm:4 op2:3 Rt:5', decoded),
    encoding('system', 'MSR_SR_systemmove', '1101010100 0 1 o0:1 op1:3 CRn:4 CRm:4 op2:3 Rt:5', {
      executable: false,
      legal: isReadWriteRegister,
    }),
    encoding('system', 'MRS_RS_systemmove', '1101010100 1 1 o0:1 op1:3 CRn:4 CRm:4 op2:3 Rt:5', {
      executable: false,
      legal: isReadWriteRegister,
    }),
  ];
}

/**
 * What EL0 can do with the system encodings above, one row each. DC CVAP (FEAT_DPB) is missing: qemu-aarch64 7.2 takes it
 * for UNDEFINED.
 */
function systemAtEl0(): Encoding[] {
  const registers = [
    ['NZCV', '1 011 0100 0010 000', 0xffff_ffff_ffff_ffffn],
    // AHP, DN, FZ, RMode.
    ['FPCR', '1 011 0100 0100 000', 0x07c0_0000n],
    // QC, IDC, IXC, UFC, OFC, DZC, IOC.
    ['FPSR', '1 011 0100 0100 001', 0x0800_009fn],
  ] as const;
  const cacheOperations = [
    ['IC IVAU', '011 0111 0101 001'],
    ['DC CVAC', '011 0111 1010 001'],
    ['DC CVAU', '011 0111 1011 001'],
    ['DC CIVAC', '011 0111 1110 001'],
  ] as const;
  return [
    ...registers.flatMap(([register, bits, mask]) => [
      encoding('system', `MSR_SR_systemmove(${register})`, `1101010100 0 1 ${bits} Rt:5`, {
        writes: { field: 'Rt', mask },
      }),
      encoding('system', `MRS_RS_systemmove(${register})`, `1101010100 1 1 ${bits} Rt:5`),
    ]),
    ...cacheOperations.map(([operation, bits]) =>
      encoding('system', `SYS_CR_systeminstrs(${operation})`, `1101010100 0 01 ${bits} Rn:5`, {
        legal: (f) => f('Rn') !== 31,
        access: { bytes: 1, alignment: 1, addressing: { kind: 'base' } },
      }),
    ),
    encoding('system', 'SYS_CR_systeminstrs(DC ZVA)', '1101010100 0 01 011 0111 0100 001 Rn:5', {
      legal: (f) => f('Rn') !== 31,
      access: { bytes: 1, alignment: 1, addressing: { kind: 'base' } },
    }),
  ];
}

export const BRANCHES: readonly Encoding[] = branches();

export const SYSTEM: readonly Encoding[] = [...exceptions(), ...hints(), ...barriers(), ...system(), ...systemAtEl0()];
