// Exception generation, hints, barriers and system register access: Arm DDI 0487, C4.1 "Branches, Exception Generating and
// System instructions".

import { row, type Row } from './encoding.ts';
import { hints } from './hints.ts';
import type { Semantics, Value } from './semantics.ts';
import { immediate, optionalImmediate } from './syntax/immediates.ts';
import { X } from './syntax/registers.ts';
import {
  barrierOption,
  controlRegister,
  isbOption,
  optionalRt,
  pstateField,
  systemAliases,
  systemRegister,
} from './syntax/system.ts';

const exceptions = (
  [
    { mnemonic: 'SVC', opc: '000', LL: '01', raise: (s, imm16) => s.svc(imm16) },
    { mnemonic: 'HVC', opc: '000', LL: '10', raise: (s, imm16) => s.hvc(imm16) },
    { mnemonic: 'SMC', opc: '000', LL: '11', raise: (s, imm16) => s.smc(imm16) },
    { mnemonic: 'BRK', opc: '001', LL: '00', raise: (s, imm16) => s.brk(imm16) },
    { mnemonic: 'HLT', opc: '010', LL: '00', raise: (s, imm16) => s.hlt(imm16) },
  ] as const satisfies readonly { raise: (s: Semantics, imm16: Value) => void; [bits: string]: unknown }[]
).map(({ mnemonic, opc, LL, raise }) =>
  row({
    name: mnemonic,
    pattern: `11010100 ${opc} imm16 000 ${LL}`,
    encoding: `${mnemonic}_EX_exception`,
    meaning: (s, _k, f) => {
      raise(s, f.imm16);
    },
    syntax: [{ mnemonic: mnemonic.toLowerCase(), operands: [immediate('imm16', 16)] }],
  }),
);

// UNDEFINED outside Debug state, which is not modelled.
const debugStateEntry = (
  [
    { mnemonic: 'DCPS1', LL: '01' },
    { mnemonic: 'DCPS2', LL: '10' },
    { mnemonic: 'DCPS3', LL: '11' },
  ] as const
).map(({ mnemonic, LL }) =>
  row({
    name: mnemonic,
    pattern: `11010100 101 imm16 000 ${LL}`,
    encoding: `${mnemonic}_DC_exception`,
    meaning: (s) => {
      s.undefined();
    },
    syntax: [{ mnemonic: mnemonic.toLowerCase(), operands: [optionalImmediate('imm16', 16, 0)] }],
  }),
);

const UDF = row({
  name: 'UDF',
  pattern: '0000000000000000 imm16',
  encoding: 'UDF_only_perm_undef',
  meaning: (s) => {
    s.undefined();
  },
  syntax: [{ mnemonic: 'udf', operands: [immediate('imm16', 16, { base: 'decimal' })] }],
});

const CLREX = row({
  name: 'CLREX',
  pattern: '1101010100 0 00 011 0011 CRm 010 11111',
  encoding: 'CLREX_BN_barriers',
  meaning: (s) => {
    s.clearExclusive();
  },
  syntax: [{ mnemonic: 'clrex', operands: [optionalImmediate('CRm', 4, 15)] }],
});

// CRm 0000 and 0100 are SSBB and PSSBB, aliases that order speculation only: the engine, which decodes CRm, may do more.
const DSB = row({
  name: 'DSB',
  pattern: '1101010100 0 00 011 0011 CRm 100 11111',
  encoding: 'DSB_BO_barriers',
  meaning: (s, _k, f) => {
    s.barrier('DSB', f.CRm);
  },
  syntax: [
    { mnemonic: 'ssbb', operands: [], where: { CRm: 0b0000 } },
    { mnemonic: 'pssbb', operands: [], where: { CRm: 0b0100 } },
    { mnemonic: 'dsb', operands: [barrierOption] },
  ],
});

const DMB = row({
  name: 'DMB',
  pattern: '1101010100 0 00 011 0011 CRm 101 11111',
  encoding: 'DMB_BO_barriers',
  meaning: (s, _k, f) => {
    s.barrier('DMB', f.CRm);
  },
  syntax: [{ mnemonic: 'dmb', operands: [barrierOption] }],
});

const ISB = row({
  name: 'ISB',
  pattern: '1101010100 0 00 011 0011 CRm 110 11111',
  encoding: 'ISB_BI_barriers',
  meaning: (s) => {
    s.instructionSynchronizationBarrier();
  },
  syntax: [{ mnemonic: 'isb', operands: [isbOption] }],
});

// Orders speculation only: the memory model (B2.3) does not know it, and nothing here runs ahead of the architecture. CRm is
// (0)(0)(0)(0): CONSTRAINED UNPREDICTABLE otherwise, here UNDEFINED.
const SB = row({
  name: 'SB',
  pattern: '1101010100 0 00 011 0011 0000 111 11111',
  encoding: 'SB_only_barriers',
  feature: 'FEAT_SB',
  meaning: () => {},
  syntax: [{ mnemonic: 'sb', operands: [] }],
});

/** op1:op2 of the PSTATE fields of Armv8.2: UAO, PAN, SPSel, DAIFSet, DAIFClr. CFINV has a row of its own. */
const pstateFields = new Set([0b000_011, 0b000_100, 0b000_101, 0b011_110, 0b011_111]);

const MSR_immediate = row({
  name: 'MSR (immediate)',
  pattern: '1101010100 0 00 op1 0100 CRm op2 11111',
  encoding: 'MSR_SI_pstate',
  allocated: (f) => pstateFields.has((f.op1 << 3) | f.op2),
  meaning: (s, _k, f) => {
    s.writePstateField(f.op1, f.op2, f.CRm);
  },
  syntax: [{ mnemonic: 'msr', operands: [pstateField, immediate('CRm', 4)] }],
});

/** op0:op1:CRn:CRm:op2. */
function systemKey(s: Semantics, op0: Value, f: { op1: Value; CRn: Value; CRm: Value; op2: Value }): Value {
  const at = (field: Value, lsb: number): Value => s.lsl(field, s.constant(32, lsb));
  return s.or(s.or(s.or(at(op0, 14), at(f.op1, 11)), s.or(at(f.CRn, 7), at(f.CRm, 3))), f.op2);
}

/** op0 of a register access is '1':o0. */
const registerKey = (s: Semantics, f: { sysop0: Value; op1: Value; CRn: Value; CRm: Value; op2: Value }): Value =>
  systemKey(s, s.or(s.constant(32, 2), f.sysop0), f);

/** `#op1, Cn, Cm, #op2`. */
const systemOperation = [
  immediate('op1', 3, { base: 'decimal' }),
  controlRegister('CRn'),
  controlRegister('CRm'),
  immediate('op2', 3, { base: 'decimal' }),
];

// Which system instructions and registers exist is for the engine's system register table to say; the others are UNDEFINED there.
const SYS = row({
  name: 'SYS',
  pattern: '1101010100 0 01 op1 CRn CRm op2 Rt',
  encoding: 'SYS_CR_systeminstrs',
  meaning: (s, _k, f) => {
    s.systemInstruction(systemKey(s, s.constant(32, 1), f), s.readX(f.Rt, 64));
  },
  syntax: [...systemAliases, { mnemonic: 'sys', operands: [...systemOperation, optionalRt] }],
});

const SYSL = row({
  name: 'SYSL',
  pattern: '1101010100 1 01 op1 CRn CRm op2 Rt',
  encoding: 'SYSL_RC_systeminstrs',
  meaning: (s, _k, f) => {
    s.writeX(f.Rt, s.systemInstructionWithResult(systemKey(s, s.constant(32, 1), f)));
  },
  syntax: [{ mnemonic: 'sysl', operands: [X('Rt'), ...systemOperation] }],
});

const MSR_register = row({
  name: 'MSR (register)',
  pattern: '1101010100 0 1 sysop0 op1 CRn CRm op2 Rt',
  encoding: 'MSR_SR_systemmove',
  meaning: (s, _k, f) => {
    s.writeSystemRegister(registerKey(s, f), s.readX(f.Rt, 64));
  },
  syntax: [{ mnemonic: 'msr', operands: [systemRegister, X('Rt')] }],
});

const MRS = row({
  name: 'MRS',
  pattern: '1101010100 1 1 sysop0 op1 CRn CRm op2 Rt',
  encoding: 'MRS_RS_systemmove',
  meaning: (s, _k, f) => {
    s.writeX(f.Rt, s.readSystemRegister(registerKey(s, f)));
  },
  syntax: [{ mnemonic: 'mrs', operands: [X('Rt'), systemRegister] }],
});

export const system: readonly Row[] = [
  UDF,
  ...exceptions,
  ...debugStateEntry,
  ...hints,
  CLREX,
  DSB,
  DMB,
  ISB,
  SB,
  MSR_immediate,
  SYS,
  SYSL,
  MSR_register,
  MRS,
];
