// The registers of a GICv2 that a hypervisor uses: the frames GICD, GICC and GICH of the board (Arm IHI 0048, "Programmers' Model" and
// "GIC Support for Virtualization"). The board has no Security Extensions: everything physical is in Group 0 and signalled as IRQ.
// Registers of SGIs and PPIs are banked: each core reaches its own and no other's.

import { type Activity, readDevice, writeDevice } from '../../arch/resident.ts';
import type { Rhyper } from '../context.ts';
import { limits, ownInterrupts } from '../limits.ts';
import type { CoreState } from '../state.ts';
import type { ControlRegister, GicAccess } from './gic-access.ts';
import { firstSpecialIntid } from './interrupt.ts';
import { fromGichList, toGichList, vmcr, vmcrFields } from './list-register.ts';
import { distributorAddress, registerOffset, writeBits } from './physical.ts';

const enableGroup0 = 1;

const GICC = { CTLR: 0x00, PMR: 0x04, BPR: 0x08, IAR: 0x0c, EOIR: 0x10, ABPR: 0x1c, APR0: 0xd0, DIR: 0x1000 } as const;
/** GICC_CTLR.EOImode: priority drop and deactivation are two writes. */
const eoiMode = 1 << 9;
const lowestPriority = 0xff;
const intidMask = 0x3ff;

const controlOffsets: Readonly<Record<ControlRegister, number>> = {
  HCR: 0x00,
  VTR: 0x04,
  VMCR: 0x08,
  AP0R: 0xf0,
  AP1R: 0xf0,
};
const listOffset = 0x100;

/** GICD_SGIR: the list of CPU interfaces. */
const sgirListShift = 16;

function* read(pa: number): Activity<number> {
  return (yield* readDevice(pa, 4)) ?? 0;
}
function* write(pa: number, value: number): Activity {
  yield* writeDevice(pa, 4, value);
}
const gicc = ({ platform }: Rhyper, register: keyof typeof GICC): number =>
  platform.gicV2.cpuInterface + GICC[register];
const gich = ({ platform }: Rhyper, offset: number): number => platform.gicV2.virtualControl + offset;

/** What the hypervisor runs with. */
function* ownCpuInterface(rhyper: Rhyper): Activity {
  yield* write(gicc(rhyper, 'PMR'), lowestPriority);
  yield* write(gicc(rhyper, 'BPR'), 0);
  yield* write(gicc(rhyper, 'CTLR'), enableGroup0 | eoiMode);
}

function* sendSgi(rhyper: Rhyper, { interfaceMask }: CoreState, intid: number): Activity {
  yield* write(distributorAddress(rhyper, registerOffset.SGIR), (interfaceMask << sgirListShift) | intid);
}

/** GICC_CTLR has its fields where GICH_VMCR has them. */
const controlFields = vmcr.VENG0 | vmcr.VENG1 | vmcr.VAckCtl | vmcr.VFIQEn | vmcr.VCBPR | vmcr.VEOIM;

export const gicV2: GicAccess = {
  activePriorities: ['AP0R'],
  *readControl(rhyper, register) {
    return BigInt(yield* read(gich(rhyper, controlOffsets[register])));
  },
  writeControl: (rhyper, register, value) => write(gich(rhyper, controlOffsets[register]), Number(value)),
  *readList(rhyper, n) {
    return fromGichList(yield* read(gich(rhyper, listOffset + 4 * n)));
  },
  writeList: (rhyper, n, value) => write(gich(rhyper, listOffset + 4 * n), toGichList(value)),

  *startDistributor(rhyper) {
    yield* write(rhyper.platform.distributorBase, 0);
    for (let word = 1; word < limits.intids / 32; word += 1) yield* writeBits(rhyper, rhyper.index, 'IGROUPR', word, 0);
    yield* write(rhyper.platform.distributorBase, enableGroup0);
  },

  *startCore(rhyper) {
    yield* writeBits(rhyper, rhyper.index, 'IGROUPR', 0, 0);
    // The byte of an SGI names the interface that reads it; with one interface it may read as zero.
    const mask = (yield* readDevice(distributorAddress(rhyper, registerOffset.ITARGETSR), 1)) ?? 0;
    rhyper.core.interfaceMask = mask === 0 ? 1 : mask;
    yield* ownCpuInterface(rhyper);
  },

  *acknowledge(rhyper, isDirect) {
    if (isDirect) return undefined;
    const value = yield* read(gicc(rhyper, 'IAR'));
    const intid = value & intidMask;
    return intid < firstSpecialIntid ? { intid, value, group: 0 } : undefined;
  },
  dropPriority: (rhyper, { value }) => write(gicc(rhyper, 'EOIR'), value),
  deactivate: (rhyper, { value }) => write(gicc(rhyper, 'DIR'), value),
  ring: (rhyper, core) => sendSgi(rhyper, core, ownInterrupts.ipi),
  *route(rhyper, intid, { interfaceMask }) {
    yield* writeDevice(distributorAddress(rhyper, registerOffset.ITARGETSR) + intid, 1, interfaceMask);
  },

  *enterDirect(rhyper, { vgic }) {
    const field = (shift: bigint, mask: bigint): number => Number((vgic.vmcr >> shift) & mask);
    yield* write(gicc(rhyper, 'PMR'), field(vmcrFields.VPMR, 0xffn));
    yield* write(gicc(rhyper, 'BPR'), field(vmcrFields.VBPR0, 7n));
    yield* write(gicc(rhyper, 'ABPR'), field(vmcrFields.VBPR1, 7n));
    yield* write(gicc(rhyper, 'APR0'), Number(vgic.ap0r));
    yield* write(gicc(rhyper, 'CTLR'), Number(vgic.vmcr & controlFields));
  },
  *leaveDirect(rhyper, { vgic }) {
    const control = BigInt(yield* read(gicc(rhyper, 'CTLR')));
    const points =
      (BigInt(yield* read(gicc(rhyper, 'BPR'))) << vmcrFields.VBPR0) |
      (BigInt(yield* read(gicc(rhyper, 'ABPR'))) << vmcrFields.VBPR1);
    vgic.vmcr = (control & controlFields) | points | (BigInt(yield* read(gicc(rhyper, 'PMR'))) << vmcrFields.VPMR);
    vgic.ap0r = BigInt(yield* read(gicc(rhyper, 'APR0')));
    yield* write(gicc(rhyper, 'APR0'), 0);
    yield* ownCpuInterface(rhyper);
  },
  sendDirectSgi: sendSgi,
};
