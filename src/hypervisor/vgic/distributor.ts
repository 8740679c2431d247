// The distributor of a VM: that of a GICv3 (Arm IHI 0069, "The Distributor register map"; section 7.7 of the ancestor's description) or of
// a GICv2 (Arm IHI 0048, "Distributor register map"; section 7.2). Both have one Security state and two groups. Registers of messages,
// and those of the other version, are RAZ/WI.

import { vmAt } from '../context.ts';
import {
  controlRow,
  interruptRows,
  physicalRow,
  physicalWord,
  type Row,
  word,
  wordOrByte,
  wordOrDoubleword,
} from './frame.ts';
import { registerOffset } from './physical.ts';
import { accessRoute, accessTargets } from './routing-registers.ts';
import { accessSgiPending, accessSgir } from './sgi-registers.ts';

const words = 32;
const spis = 1020;
/** GICD_CTLR of a GICv3 with affinity routing and one Security state: ARE and DS are RAO/WI. */
const version3Control = (1 << 4) | (1 << 6);
/** GICD_TYPER without what a VM has not: CPUNumber, SecurityExtn, MBIS, LPIS, No1N. */
const typerMask = ~((7 << 5) | (1 << 10) | (1 << 16) | (1 << 17) | (1 << 25));
const cpuNumberShift = 5;

const typerRow = (cpuNumber: (vcpus: number) => number): Row => ({
  name: 'GICD_TYPER',
  offset: 0x0004,
  sizeBytes: 4,
  widths: word,
  access: function* (access) {
    const { vcpuCount } = vmAt(access.rhyper, access.vcpu.vm);
    return (((yield* physicalWord(access, 0x0004)) & typerMask) | (cpuNumber(vcpuCount) << cpuNumberShift)) >>> 0;
  },
});

const version3Rows: readonly Row[] = [
  controlRow(version3Control),
  typerRow(() => 0),
  physicalRow('GICD_IIDR', 0x0008, 4),
  // With affinity routing those of private interrupts are in the redistributors.
  ...interruptRows('GICD', 0, 1, words),
  {
    name: 'GICD_IROUTER',
    offset: registerOffset.IROUTER,
    sizeBytes: 8 * spis,
    widths: wordOrDoubleword,
    access: (access, at) => accessRoute(access, at / 8),
  },
  physicalRow('GICD_PIDR', 0xffd0, 0x30),
];

const sgiRow = (name: string, offset: number, isSet: boolean): Row => ({
  name,
  offset,
  sizeBytes: 16,
  widths: wordOrByte,
  access: (access, at, sizeBytes) => accessSgiPending(access, at, sizeBytes, isSet),
});

const version2Rows: readonly Row[] = [
  controlRow(0),
  typerRow((vcpus) => vcpus - 1),
  physicalRow('GICD_IIDR', 0x0008, 4),
  ...interruptRows('GICD', 0, 0, words),
  {
    name: 'GICD_ITARGETSR',
    offset: registerOffset.ITARGETSR,
    sizeBytes: spis,
    widths: wordOrByte,
    access: (access, at, sizeBytes) => accessTargets(access, at, sizeBytes),
  },
  { name: 'GICD_SGIR', offset: registerOffset.SGIR, sizeBytes: 4, widths: word, access: accessSgir },
  sgiRow('GICD_CPENDSGIR', 0x0f10, false),
  sgiRow('GICD_SPENDSGIR', 0x0f20, true),
  physicalRow('GICD_PIDR', 0x0fd0, 0x30),
];

export const distributorRows: Readonly<Record<2 | 3, readonly Row[]>> = { 2: version2Rows, 3: version3Rows };
