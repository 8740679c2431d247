// The redistributor of a vCPU in a VM's GICv3 (Arm IHI 0069, "The Redistributor register map"; section 7.7 of the ancestor's
// description): a pair of frames. There are no LPIs.

import { immediately } from '../../arch/resident.ts';
import { vmAt } from '../context.ts';
import { operate } from './delivery.ts';
import { interruptRows, physicalRow, type Row, word, wordOrDoubleword } from './frame.ts';
import { sgiFrame } from './physical.ts';

/** GICR_TYPER: Last and Processor_Number; the high word is the affinity. */
const gicrLast = 1 << 4;
const processorNumberShift = 8;
const waker = { processorSleep: 1 << 1, childrenAsleep: 1 << 2 } as const;

export const redistributorRows: readonly Row[] = [
  { name: 'GICR_CTLR', offset: 0x0000, sizeBytes: 4, widths: word, access: () => immediately(() => 0) },
  physicalRow('GICR_IIDR', 0x0004, 4, 0x0008),
  {
    name: 'GICR_TYPER',
    offset: 0x0008,
    sizeBytes: 8,
    widths: wordOrDoubleword,
    access: ({ rhyper, vcpu }, at) =>
      immediately(() => {
        if (at !== 0) return vcpu.id;
        const isLast = vcpu.id === vmAt(rhyper, vcpu.vm).vcpuCount - 1;
        return (vcpu.id << processorNumberShift) | (isLast ? gicrLast : 0);
      }),
  },
  {
    name: 'GICR_WAKER',
    offset: 0x0014,
    sizeBytes: 4,
    widths: word,
    access: function* ({ rhyper, vcpu, isWrite, value }) {
      const { vgic } = vcpu;
      if (!isWrite) return vgic.waker === 0 ? 0 : waker.processorSleep | waker.childrenAsleep;
      const before = vgic.waker;
      vgic.waker = value & waker.processorSleep;
      if (vgic.waker !== before) yield* operate(rhyper, vcpu, 'GichEn', 0);
      return 0;
    },
  },
  physicalRow('GICR_PIDR', 0xffd0, 0x30),
  ...interruptRows('GICR', sgiFrame, 0, 1),
];
