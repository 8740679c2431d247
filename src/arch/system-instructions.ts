// System instructions: cache maintenance (IC, DC), address translation (AT) and TLB maintenance (TLBI), as a table of the same
// form as the table of system registers (Arm ARM, "System instructions"). `operation` names the behaviour in
// system-operations.ts. SYSL reads nothing: every one of its encodings is UNDEFINED.

import { assert } from '../report/assert.ts';
import { leastElOfOp1, type LeastEl, type Needs } from './register-row.ts';
import { systemKey, systemKeys } from './system-key.ts';
import type { TrapName } from './traps.ts';

export type SystemOperation =
  | { readonly kind: 'cache'; readonly needs: 'nothing' | 'address' | 'EL0 read' | 'write' }
  | { readonly kind: 'zero' }
  | { readonly kind: 'instruction cache'; readonly byAddress: boolean; readonly isBroadcast: boolean }
  | {
      readonly kind: 'translate';
      readonly el: 0 | 1 | 2 | 3;
      readonly isWrite: boolean;
      readonly usesPan: boolean;
      /** AT S12: stage 2 as well, where it is on. */
      readonly isBothStages: boolean;
    }
  | {
      readonly kind: 'TLBI';
      readonly regime: 1 | 2 | 3;
      readonly by: 'all' | 'VA' | 'VAA' | 'ASID' | 'all VMIDs' | 'all stages' | 'IPA';
      readonly isBroadcast: boolean;
    };

export interface SystemInstruction {
  readonly name: string;
  readonly key: number;
  readonly el: LeastEl;
  readonly needs: Needs | undefined;
  readonly traps: readonly TrapName[];
  readonly operation: SystemOperation;
}

function row(
  name: string,
  encoding: readonly [op1: number, CRn: number, CRm: number, op2: number],
  operation: SystemOperation,
  details: { traps?: readonly TrapName[]; needs?: Needs } = {},
): SystemInstruction {
  return {
    name,
    key: systemKey(1, ...encoding),
    el: leastElOfOp1(encoding[0]),
    needs: details.needs,
    traps: details.traps ?? [],
    operation,
  };
}

const clean: SystemOperation = { kind: 'cache', needs: 'EL0 read' };
const bySetWay: SystemOperation = { kind: 'cache', needs: 'nothing' };
const user = { traps: ['SCTLR_EL1.UCI', 'HCR_EL2.TPC'] } as const;

const cacheMaintenance: readonly SystemInstruction[] = [
  row(
    'IC IALLUIS',
    [0, 7, 1, 0],
    { kind: 'instruction cache', byAddress: false, isBroadcast: true },
    { traps: ['HCR_EL2.TPU', 'HCR_EL2.TICAB'] },
  ),
  row(
    'IC IALLU',
    [0, 7, 5, 0],
    { kind: 'instruction cache', byAddress: false, isBroadcast: false },
    { traps: ['HCR_EL2.TPU', 'HCR_EL2.TOCU'] },
  ),
  row(
    'IC IVAU',
    [3, 7, 5, 1],
    { kind: 'instruction cache', byAddress: true, isBroadcast: true },
    { traps: ['SCTLR_EL1.UCI', 'HCR_EL2.TPU', 'HCR_EL2.TOCU'] },
  ),
  row('DC IVAC', [0, 7, 6, 1], { kind: 'cache', needs: 'write' }, { traps: ['HCR_EL2.TPC'] }),
  row('DC ISW', [0, 7, 6, 2], bySetWay, { traps: ['HCR_EL2.TSW'] }),
  row('DC CSW', [0, 7, 10, 2], bySetWay, { traps: ['HCR_EL2.TSW'] }),
  row('DC CISW', [0, 7, 14, 2], bySetWay, { traps: ['HCR_EL2.TSW'] }),
  row('DC ZVA', [3, 7, 4, 1], { kind: 'zero' }, { traps: ['SCTLR_EL1.DZE', 'HCR_EL2.TDZ'] }),
  row('DC CVAC', [3, 7, 10, 1], clean, user),
  row('DC CVAU', [3, 7, 11, 1], clean, { traps: ['SCTLR_EL1.UCI', 'HCR_EL2.TPU', 'HCR_EL2.TOCU'] }),
  row('DC CVAP', [3, 7, 12, 1], clean, user),
  row('DC CIVAC', [3, 7, 14, 1], clean, user),
];

const at = (
  el: 0 | 1 | 2 | 3,
  isWrite: boolean,
  options: { usesPan?: boolean; isBothStages?: boolean } = {},
): SystemOperation => ({ kind: 'translate', el, isWrite, usesPan: false, isBothStages: false, ...options });
const both = { isBothStages: true } as const;

const addressTranslation: readonly SystemInstruction[] = [
  row('AT S1E1R', [0, 7, 8, 0], at(1, false)),
  row('AT S1E1W', [0, 7, 8, 1], at(1, true)),
  row('AT S1E0R', [0, 7, 8, 2], at(0, false)),
  row('AT S1E0W', [0, 7, 8, 3], at(0, true)),
  row('AT S1E1RP', [0, 7, 9, 0], at(1, false, { usesPan: true })),
  row('AT S1E1WP', [0, 7, 9, 1], at(1, true, { usesPan: true })),
  row('AT S1E2R', [4, 7, 8, 0], at(2, false), { needs: 'EL2' }),
  row('AT S1E2W', [4, 7, 8, 1], at(2, true), { needs: 'EL2' }),
  row('AT S12E1R', [4, 7, 8, 4], at(1, false, both), { needs: 'EL2' }),
  row('AT S12E1W', [4, 7, 8, 5], at(1, true, both), { needs: 'EL2' }),
  row('AT S12E0R', [4, 7, 8, 6], at(0, false, both), { needs: 'EL2' }),
  row('AT S12E0W', [4, 7, 8, 7], at(0, true, both), { needs: 'EL2' }),
  row('AT S1E3R', [6, 7, 8, 0], at(3, false), { needs: 'EL3' }),
  row('AT S1E3W', [6, 7, 8, 1], at(3, true), { needs: 'EL3' }),
];

type TlbiBy = Extract<SystemOperation, { kind: 'TLBI' }>['by'];

/** op1, and CRm of the local form; the Inner Shareable form has the CRm of the second column. */
function tlbi(
  op1: number,
  CRm: readonly [local: number, shared: number],
  regime: 1 | 2 | 3,
  forms: readonly (readonly [name: string, op2: number, by: TlbiBy])[],
  details: { traps?: readonly TrapName[]; needs?: Needs },
): SystemInstruction[] {
  return forms.flatMap(([name, op2, by]) => [
    row(`TLBI ${name}`, [op1, 8, CRm[0], op2], { kind: 'TLBI', regime, by, isBroadcast: false }, details),
    row(`TLBI ${name}IS`, [op1, 8, CRm[1], op2], { kind: 'TLBI', regime, by, isBroadcast: true }, details),
  ]);
}

const tlbMaintenance: readonly SystemInstruction[] = [
  ...tlbi(
    0,
    [7, 3],
    1,
    [
      ['VMALLE1', 0, 'all'],
      ['VAE1', 1, 'VA'],
      ['ASIDE1', 2, 'ASID'],
      ['VAAE1', 3, 'VAA'],
      ['VALE1', 5, 'VA'],
      ['VAALE1', 7, 'VAA'],
    ],
    { traps: ['HCR_EL2.TTLB'] },
  ),
  ...tlbi(4, [7, 3], 1, [['ALLE1', 4, 'all VMIDs']], { needs: 'EL2' }),
  ...tlbi(4, [7, 3], 1, [['VMALLS12E1', 6, 'all stages']], { needs: 'EL2' }),
  ...tlbi(
    4,
    [4, 0],
    1,
    [
      ['IPAS2E1', 1, 'IPA'],
      ['IPAS2LE1', 5, 'IPA'],
    ],
    { needs: 'EL2' },
  ),
  ...tlbi(
    4,
    [7, 3],
    2,
    [
      ['ALLE2', 0, 'all'],
      ['VAE2', 1, 'VA'],
      ['VALE2', 5, 'VA'],
    ],
    { needs: 'EL2' },
  ),
  ...tlbi(
    6,
    [7, 3],
    3,
    [
      ['ALLE3', 0, 'all'],
      ['VAE3', 1, 'VA'],
      ['VALE3', 5, 'VA'],
    ],
    { needs: 'EL3' },
  ),
];

export const systemInstructions: readonly SystemInstruction[] = [
  ...cacheMaintenance,
  ...addressTranslation,
  ...tlbMaintenance,
];

const indexOfKey = new Int16Array(systemKeys).fill(-1);
systemInstructions.forEach((instruction, index) => {
  assert(indexOfKey[instruction.key] === -1, `${instruction.name} has an encoding that is taken`);
  indexOfKey[instruction.key] = index;
});

/** The System instruction with this encoding, or undefined where it is unallocated. */
export const systemInstructionAt = (key: number): SystemInstruction | undefined => systemInstructions[indexOfKey[key]!];
