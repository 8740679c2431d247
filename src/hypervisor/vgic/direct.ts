// The CPU interface of a VM that takes its interrupts itself (partial passthrough, section 7.6 of the ancestor's description): with
// HCR_EL2.IMO 0 its ICC_* registers are the physical ones. They change hands with the vCPU; in its record they have the
// layout of ICH_VMCR_EL2. EOImode is 0 for the VM until it says otherwise, 1 for the hypervisor.
// An interrupt that is active when the vCPU leaves stays active; its priority is carried over.
// ICH_HCR_EL2.TC traps what reaches beyond the core: SGIs, and the deactivation of interrupts by number; PMR, CTLR and RPR with them.
// No interrupt of the VM needs any of these to be taken and ended.

import { hasQuirk, type Rhyper } from '../context.ts';
import { deviceKind, type Vcpu, type Vm } from '../state.ts';
import { hcr } from './list-register.ts';

/** ICC_CTLR_EL1.EOImode. */
const eoiMode = 2n;
const lowestPriority = 0xffn;

const fields = { PMR: 24n, BPR1: 18n, EOImode: 9n, IGRPEN1: 1n } as const;

/** The VM takes its interrupts at EL1, from the physical GIC. */
export function isDirect({ config }: Vm): boolean {
  for (let n = 0; n < config.deviceCount; n += 1) if (config.devices[n]?.kind === deviceKind.gppt) return true;
  return false;
}

/** What the hypervisor runs with. */
export function ownCpuInterface({ system }: Rhyper): void {
  system.write('ICC_PMR_EL1', lowestPriority);
  system.write('ICC_BPR1_EL1', 0n);
  system.write('ICC_CTLR_EL1', eoiMode);
  system.write('ICC_IGRPEN1_EL1', 1n);
}

/** ICH_HCR_EL2 for such a VM; in the ancestor it reaches other cores. */
export const directControls = (rhyper: Rhyper): bigint => (hasQuirk(rhyper, 'gppt-unfiltered') ? 0n : hcr.TC);

export function leaveDirect(rhyper: Rhyper, { vgic }: Vcpu): void {
  const { system } = rhyper;
  vgic.vmcr =
    (system.read('ICC_PMR_EL1') << fields.PMR) |
    (system.read('ICC_BPR1_EL1') << fields.BPR1) |
    ((system.read('ICC_CTLR_EL1') & eoiMode) << (fields.EOImode - 1n)) |
    (system.read('ICC_IGRPEN1_EL1') << fields.IGRPEN1);
  vgic.ap1r = system.read('ICC_AP1R0_EL1');
  system.write('ICC_AP1R0_EL1', 0n);
  system.write('ICH_HCR_EL2', 0n);
  ownCpuInterface(rhyper);
}

export function enterDirect(rhyper: Rhyper, { vgic }: Vcpu): void {
  const { system } = rhyper;
  vgic.hcr = directControls(rhyper);
  system.write('ICH_HCR_EL2', vgic.hcr);
  system.write('ICC_PMR_EL1', (vgic.vmcr >> fields.PMR) & 0xffn);
  system.write('ICC_BPR1_EL1', (vgic.vmcr >> fields.BPR1) & 7n);
  system.write('ICC_CTLR_EL1', (vgic.vmcr >> (fields.EOImode - 1n)) & eoiMode);
  system.write('ICC_IGRPEN1_EL1', (vgic.vmcr >> fields.IGRPEN1) & 1n);
  system.write('ICC_AP1R0_EL1', vgic.ap1r);
}
