// The registers of a GICv3 that a hypervisor uses: ICC_* and ICH_* of its core (Arm IHI 0069, "AArch64 System register descriptions").
// There is one Security state (GICD_CTLR.DS): both groups are the hypervisor's. Everything is in Group 1 but the SGI of its messages:
// Group 0 is signalled as FIQ, which HCR_EL2.FMO brings to EL2 also from a VM that takes its IRQs itself.
//
// While such a VM runs, its ICC_* registers of Group 1 are the physical ones. FMO makes those that both groups share
// (PMR, CTLR, DIR, RPR) and SGIs virtual ones, which would not concern the physical interrupts: they are trapped (ICH_HCR_EL2.TC), and
// done to the physical ones (direct.ts).

import { type Activity, immediately, readDevice, work, writeDevice } from '../../arch/resident.ts';
import { hasQuirk, type Rhyper } from '../context.ts';
import { limits, ownInterrupts } from '../limits.ts';
import { costs } from '../options.ts';
import type { CoreState } from '../state.ts';
import { directMask } from './direct.ts';
import type { Acknowledged, ControlRegister, GicAccess } from './gic-access.ts';
import { firstSpecialIntid } from './interrupt.ts';
import { hcr, vmcr, vmcrFields } from './list-register.ts';
import { distributorAddress, redistributorBase, registerOffset, writeBits } from './physical.ts';

/** GICD_CTLR with DS: ARE, and the enables of both groups. */
const gicdCtlr = { ARE: 1 << 4, EnableGrp1: 1 << 1, EnableGrp0: 1 << 0 } as const;
/** GICR_WAKER. */
const waker = { offset: 0x14, processorSleep: 1 << 1, childrenAsleep: 1 << 2 } as const;
const all = 0xffff_ffff;
/** Enable, DIB, DFB, SRE; without Enable a VM's accesses of ICC_SRE_EL1 are trapped, as in the later ancestor. */
const icc_sre_el2 = { all: 0xfn, withoutEnable: 7n } as const;

const controlNames: Readonly<Record<ControlRegister, string>> = {
  HCR: 'ICH_HCR_EL2',
  VTR: 'ICH_VTR_EL2',
  VMCR: 'ICH_VMCR_EL2',
  AP0R: 'ICH_AP0R0_EL2',
  AP1R: 'ICH_AP1R0_EL2',
};
const listNames = Array.from({ length: limits.listRegisters }, (_, n) => `ICH_LR${n}_EL2`);
const listName = (n: number): string => listNames[n] as string;

/** ICC_CTLR_EL1.EOImode: priority drop and deactivation are two writes. */
const eoiMode = 2n;
const lowestPriority = 0xffn;

/** With the quirk the hypervisor's SGI is an IRQ as any other. */
const ringsByIrq = (rhyper: Rhyper): boolean => hasQuirk(rhyper, 'direct-deaf');

/**
 * What a VM that takes its interrupts itself does to registers of both groups, to SGIs and to deactivations by number comes to the
 * hypervisor: it would reach beyond the VM, or not its interrupts. In the ancestor it is the VM's affair.
 */
const trapsCommon = (rhyper: Rhyper): boolean => !ringsByIrq(rhyper) || !hasQuirk(rhyper, 'gppt-unfiltered');

/** ICC_SGI0R_EL1 or ICC_SGI1R_EL1 for one PE: INTID [27:24], Aff1 [23:16], Aff2 [39:32], Aff3 [55:48], TargetList [15:0]. */
function sgiTo({ mpidr }: CoreState, intid: number): bigint {
  const affinity = (shift: bigint): bigint => (mpidr >> shift) & 0xffn;
  return (
    (BigInt(intid) << 24n) |
    (affinity(8n) << 16n) |
    (affinity(16n) << 32n) |
    (affinity(32n) << 48n) |
    (1n << (affinity(0n) & 15n))
  );
}

function* wakeRedistributor(rhyper: Rhyper): Activity {
  const pa = redistributorBase(rhyper, rhyper.index) + waker.offset;
  const before = (yield* readDevice(pa, 4)) ?? 0;
  if ((before & waker.processorSleep) !== 0) yield* writeDevice(pa, 4, before & ~waker.processorSleep);
  while ((((yield* readDevice(pa, 4)) ?? 0) & waker.childrenAsleep) !== 0) yield* work(costs.interrupt);
}

/** What the hypervisor runs with. */
function ownCpuInterface({ system }: Rhyper): void {
  system.write('ICC_PMR_EL1', lowestPriority);
  system.write('ICC_BPR0_EL1', 0n);
  system.write('ICC_BPR1_EL1', 0n);
  system.write('ICC_CTLR_EL1', eoiMode);
  system.write('ICC_IGRPEN0_EL1', 1n);
  system.write('ICC_IGRPEN1_EL1', 1n);
}

/** What IAR of a group says, if it is an interrupt. */
function acknowledgeIn({ system }: Rhyper, group: 0 | 1): Acknowledged | undefined {
  const intid = Number(system.read(`ICC_IAR${group}_EL1`) & 0xff_ffffn);
  return intid < firstSpecialIntid ? { intid, value: intid, group } : undefined;
}

/** The VM's own fields of ICH_VMCR_EL2 while its ICC_* registers of Group 1 are physical. */
const virtualFields = vmcr.VENG0 | (7n << vmcrFields.VBPR0);

export const gicV3: GicAccess = {
  activePriorities: ['AP0R', 'AP1R'],
  readControl: ({ system }, register) => immediately(() => system.read(controlNames[register])),
  writeControl: ({ system }, register, value) =>
    immediately(() => {
      system.write(controlNames[register], value);
    }),
  readList: ({ system }, n) => immediately(() => system.read(listName(n))),
  writeList: ({ system }, n, value) =>
    immediately(() => {
      system.write(listName(n), value);
    }),

  *startDistributor(rhyper) {
    const { distributorBase } = rhyper.platform;
    yield* writeDevice(distributorBase, 4, gicdCtlr.ARE);
    for (let word = 1; word < limits.intids / 32; word += 1)
      yield* writeBits(rhyper, rhyper.index, 'IGROUPR', word, all);
    yield* writeDevice(distributorBase, 4, gicdCtlr.ARE | gicdCtlr.EnableGrp1 | gicdCtlr.EnableGrp0);
  },

  *startCore(rhyper) {
    const { profile } = rhyper.options;
    rhyper.system.write('ICC_SRE_EL2', profile === 'rust-shyper-2025' ? icc_sre_el2.withoutEnable : icc_sre_el2.all);
    yield* wakeRedistributor(rhyper);
    const group0 = ringsByIrq(rhyper) ? 0 : 1 << ownInterrupts.ipi;
    yield* writeBits(rhyper, rhyper.index, 'IGROUPR', 0, all & ~group0);
    ownCpuInterface(rhyper);
  },

  acknowledge: (rhyper, isDirect) =>
    immediately(() => acknowledgeIn(rhyper, 0) ?? (isDirect ? undefined : acknowledgeIn(rhyper, 1))),
  dropPriority: ({ system }, { value, group }) =>
    immediately(() => {
      system.write(`ICC_EOIR${group}_EL1`, BigInt(value));
    }),
  deactivate: ({ system }, { value }) =>
    immediately(() => {
      // With EOImode 0, which a VM may have set that takes its interrupts itself, the priority drop has done it.
      if ((system.read('ICC_CTLR_EL1') & eoiMode) !== 0n) system.write('ICC_DIR_EL1', BigInt(value));
    }),
  ring: (rhyper, core) =>
    immediately(() => {
      rhyper.system.write(ringsByIrq(rhyper) ? 'ICC_SGI1R_EL1' : 'ICC_SGI0R_EL1', sgiTo(core, ownInterrupts.ipi));
    }),
  *route(rhyper, intid, { mpidr }) {
    const at = distributorAddress(rhyper, registerOffset.IROUTER) + 8 * intid;
    yield* writeDevice(at + 4, 4, Number((mpidr >> 32n) & 0xffn));
    yield* writeDevice(at, 4, Number(mpidr & 0xff_ffffn));
  },

  enterDirect: (rhyper, vcpu) =>
    immediately(() => {
      const { system } = rhyper;
      const { vgic } = vcpu;
      const field = (shift: bigint, mask: bigint): bigint => (vgic.vmcr >> shift) & mask;
      system.write('ICC_PMR_EL1', trapsCommon(rhyper) ? directMask(vcpu) : field(vmcrFields.VPMR, 0xffn));
      system.write('ICC_BPR1_EL1', field(vmcrFields.VBPR1, 7n));
      system.write('ICC_CTLR_EL1', (vgic.vmcr & vmcr.VEOIM) === 0n ? 0n : eoiMode);
      system.write('ICC_IGRPEN1_EL1', (vgic.vmcr & vmcr.VENG1) === 0n ? 0n : 1n);
      system.write('ICC_AP1R0_EL1', vgic.ap1r);
      if (!ringsByIrq(rhyper)) system.write('ICH_VMCR_EL2', vgic.vmcr & virtualFields);
      if (trapsCommon(rhyper)) system.write('ICH_HCR_EL2', hcr.TC);
    }),
  leaveDirect: (rhyper, { vgic }) =>
    immediately(() => {
      const { system } = rhyper;
      const isVirtual = !ringsByIrq(rhyper);
      // What is trapped is in the record already.
      const mask = trapsCommon(rhyper) ? (vgic.vmcr >> vmcrFields.VPMR) & 0xffn : system.read('ICC_PMR_EL1');
      const splits = (system.read('ICC_CTLR_EL1') & eoiMode) !== 0n;
      vgic.vmcr =
        (mask << vmcrFields.VPMR) |
        (system.read('ICC_BPR1_EL1') << vmcrFields.VBPR1) |
        (splits ? vmcr.VEOIM : 0n) |
        (system.read('ICC_IGRPEN1_EL1') === 0n ? 0n : vmcr.VENG1) |
        (isVirtual ? system.read('ICH_VMCR_EL2') & virtualFields : 0n);
      vgic.ap1r = system.read('ICC_AP1R0_EL1');
      system.write('ICC_AP1R0_EL1', 0n);
      system.write('ICH_HCR_EL2', 0n);
      ownCpuInterface(rhyper);
    }),
  sendDirectSgi: ({ system }, core, intid) =>
    immediately(() => {
      system.write('ICC_SGI1R_EL1', sgiTo(core, intid));
    }),
};
