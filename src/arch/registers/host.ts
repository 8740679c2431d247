// FEAT_VHE (Arm ARM, "Virtualization Host Extensions"): how a host at EL2 with HCR_EL2.E2H reaches the registers of EL2 by the names
// that an operating system at EL1 uses, and those of its guest by names of their own, _EL12 and _EL02.

import type { Encoding } from '../system-key.ts';
import { register, type RegisterRow } from '../register-row.ts';

interface HostRegister {
  /** The register that the name means everywhere but in a host. */
  readonly name: string;
  /** The register that it means in a host. */
  readonly ofHost: string;
  /** The name that means `name` in a host. */
  readonly alias: string;
  readonly encoding: Encoding;
  /** A host's EL0 means `ofHost` as well. */
  readonly atEl0?: boolean;
}

const el1 = (
  name: string,
  CRn: number,
  CRm: number,
  op2: number,
  ofHost = name.replace('_EL1', '_EL2'),
): HostRegister => ({
  name,
  ofHost,
  alias: name.replace('_EL1', '_EL12'),
  encoding: [3, 5, CRn, CRm, op2],
});

const timer = (name: string, ofHost: string, CRm: number): HostRegister[] =>
  ['TVAL', 'CTL', 'CVAL'].map((part, op2) => ({
    name: `${name}_${part}_EL0`,
    ofHost: `${ofHost}_${part}_EL2`,
    alias: `${name}_${part}_EL02`,
    encoding: [3, 5, 14, CRm, op2],
    atEl0: true,
  }));

export const hostRegisters: readonly HostRegister[] = [
  el1('SCTLR_EL1', 1, 0, 0),
  el1('CPACR_EL1', 1, 0, 2, 'CPTR_EL2'),
  el1('TTBR0_EL1', 2, 0, 0),
  el1('TTBR1_EL1', 2, 0, 1),
  el1('TCR_EL1', 2, 0, 2),
  el1('SPSR_EL1', 4, 0, 0),
  el1('ELR_EL1', 4, 0, 1),
  el1('AFSR0_EL1', 5, 1, 0),
  el1('AFSR1_EL1', 5, 1, 1),
  el1('ESR_EL1', 5, 2, 0),
  el1('FAR_EL1', 6, 0, 0),
  el1('MAIR_EL1', 10, 2, 0),
  el1('AMAIR_EL1', 10, 3, 0),
  el1('VBAR_EL1', 12, 0, 0),
  el1('CONTEXTIDR_EL1', 13, 0, 1),
  el1('CNTKCTL_EL1', 14, 1, 0, 'CNTHCTL_EL2'),
  ...timer('CNTP', 'CNTHP', 2),
  ...timer('CNTV', 'CNTHV', 3),
];

/** UNDEFINED unless HCR_EL2.E2H is 1. */
export const hostAliases: readonly RegisterRow[] = hostRegisters.map(({ name, alias, encoding }) =>
  register(alias, encoding, {
    storage: 'alias',
    needs: 'E2H',
    ...(name === 'CPACR_EL1' ? { traps: ['CPTR_EL3.TCPAC'] } : {}),
  }),
);
