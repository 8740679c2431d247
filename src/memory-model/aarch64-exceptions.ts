// What a thread of A64 instructions does when it takes a synchronous exception to EL1 (Arm DDI 0487, D1.3 "Exceptions"): where it goes
// on, and which of its exceptions are taken at all. Whatever is not here is refused by the explorer.

import type { TraceException } from '../engine/trace-state.ts';
import type { Decoded } from '../isa/decoder.ts';

/** Without a handler: the thread ends, the instruction is skipped, or it is done once more. */
export type UnhandledException = 'fatal' | 'skip' | 'handled';

export interface ExceptionSettings {
  readonly unhandled: UnhandledException;
  /** SCTLR_EL1.EIS: the entry of an SVC is a context synchronization event; that of other exceptions always is. */
  readonly entrySynchronizes: boolean;
  /** SCTLR_EL1.EOS: so is the return from an exception. */
  readonly returnSynchronizes: boolean;
}

export const usualExceptions: ExceptionSettings = {
  unhandled: 'fatal',
  entrySynchronizes: true,
  returnSynchronizes: true,
};

/** ELR_EL1: op0 3, op1 0, CRn 4, CRm 0, op2 1. */
export const keyELR_EL1 = 0b11_000_0100_0000_001;

/** An exception that is taken. */
export interface Taken {
  /** In the words of herd7, which tests ask for. */
  readonly type: string;
  readonly address?: bigint;
  /** Sets of cat besides EXC-ENTRY. */
  readonly sets: readonly string[];
  /** The preferred return address is that of the next instruction. */
  readonly isSystemCall: boolean;
}

/** That of an instruction that is undefined by its encoding. */
export const undefinedTaken: Taken = {
  type: 'UndefinedInstruction',
  sets: ['UndefinedInstruction'],
  isSystemCall: false,
};

/** op1 of system instructions and registers that EL0 may use. */
const op1OfEL0 = 3;

/** Whether an instruction that a thread can execute at EL1 is UNDEFINED at EL0. */
export function isUndefinedAtEL0({ row, fields }: Decoded): boolean {
  switch (row.name) {
    case 'ERET':
    case 'HVC':
    case 'SMC':
      return true;
    case 'SYS':
    case 'SYSL':
    case 'MRS':
    case 'MSR (register)':
    case 'MSR (immediate)':
      return fields.op1 !== op1OfEL0;
    default:
      return false;
  }
}

/** undefined for what is not modelled. */
export function takenException(exception: TraceException, instruction: Decoded): Taken | undefined {
  switch (exception.exception) {
    case 'SVC':
      return { type: 'SupervisorCall', sets: ['SVC'], isSystemCall: true };
    case 'UNDEFINED':
      // What is undefined only here, such as a system register that is not modelled, is not taken.
      return instruction.row.name === 'UDF' ? undefinedTaken : undefined;
    case 'Data Abort': {
      if (!exception.byDescriptor || exception.fault === 'alignment') return undefined;
      const type = faultTypes[exception.fault];
      const sets = ['FAULT', 'MMU', 'D-MMU', type];
      return { type: `D-MMU:${type}`, address: exception.address, sets, isSystemCall: false };
    }
    case 'GCS data check':
      return { type: `GCS:${exception.check}`, sets: [], isSystemCall: false };
    default:
      return undefined;
  }
}

const faultTypes = { translation: 'Translation', 'access flag': 'AccessFlag', permission: 'Permission' } as const;

/** The sets of cat of an exception's entry. */
export function entrySets({ sets, isSystemCall }: Taken, { entrySynchronizes }: ExceptionSettings): readonly string[] {
  return ['EXC-ENTRY', ...sets, ...(entrySynchronizes || !isSystemCall ? ['CSE'] : [])];
}

export const returnSets = ({ returnSynchronizes }: ExceptionSettings): readonly string[] => [
  'EXC-RET',
  ...(returnSynchronizes ? ['CSE'] : []),
];
