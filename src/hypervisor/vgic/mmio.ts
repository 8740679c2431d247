// The frames of a VM's GICv3: GICD, and for each vCPU a GICR pair (Arm IHI 0069, "The Distributor register map", "The Redistributor
// register map"; section 7.7 of the ancestor's description). The view is the Non-secure one with affinity routing: interrupts are
// all Group 1, registers of groups, of LPIs, of GICv2 (ITARGETSR, SGIR) and of messages are RAZ/WI.
//
// Left out: GICD of a GICv2, whose SGIR, ITARGETSR and banked registers are here RAZ/WI.
//
// An access that is not aligned, or of a size that the register does not have, is refused: nothing happens, and it is counted.

import { type Activity, readDevice } from '../../arch/resident.ts';
import { hasQuirk, type Rhyper, vcpuOf, vmAt } from '../context.ts';
import type { Vcpu } from '../state.ts';
import { operate } from './delivery.ts';
import { forwardDistributor, forwardRedistributor } from './direct-mmio.ts';
import {
  type Access,
  accessConfiguration,
  accessEnables,
  accessPriorities,
  accessRoute,
  accessStates,
} from './interrupt-registers.ts';
import { registerOffset } from './physical.ts';
import { isDirect } from './direct.ts';

/** A register, or an array of them. */
interface Row {
  readonly name: string;
  readonly offset: number;
  readonly sizeBytes: number;
  readonly widths: readonly number[];
  /** Reads or writes 32 bits, or fewer where the row's widths have it, at an offset in the row. */
  readonly access: (access: Access, at: number, sizeBytes: number) => Activity<number>;
}

const word = [4] as const;
const wordOrByte = [1, 4] as const;
const wordOrDoubleword = [4, 8] as const;

// eslint-disable-next-line require-yield -- a row may wait
function* zero(): Activity<number> {
  return 0;
}

/** One bit for each interrupt: of 32 in the SGI frame, of the SPIs in the distributor. */
function bitRows(prefix: string, base: number, words: number): readonly Row[] {
  const row = (name: keyof typeof registerOffset, access: (access: Access, n: number) => Activity<number>): Row => ({
    name: `${prefix}_${name}`,
    offset: base + registerOffset[name],
    sizeBytes: 4 * words,
    widths: word,
    access: (access_, at) => access(access_, at / 4),
  });
  return [
    row('ISENABLER', (access, n) => accessEnables(access, n, true)),
    row('ICENABLER', (access, n) => accessEnables(access, n, false)),
    row('ISPENDR', (access, n) => accessStates(access, n, 'pending', true)),
    row('ICPENDR', (access, n) => accessStates(access, n, 'pending', false)),
    row('ISACTIVER', (access, n) => accessStates(access, n, 'active', true)),
    row('ICACTIVER', (access, n) => accessStates(access, n, 'active', false)),
    {
      name: `${prefix}_IPRIORITYR`,
      offset: base + registerOffset.IPRIORITYR,
      sizeBytes: 32 * words,
      widths: wordOrByte,
      access: (access, at, sizeBytes) => accessPriorities(access, at, sizeBytes),
    },
    {
      name: `${prefix}_ICFGR`,
      offset: base + registerOffset.ICFGR,
      sizeBytes: 8 * words,
      widths: word,
      access: (access, at) => accessConfiguration(access, 4 * at),
    },
  ];
}

/** What a VM may know of the physical distributor: its kind and identification. */
function* physicalWord({ rhyper }: Access, offset: number): Activity<number> {
  return (yield* readDevice(rhyper.platform.distributorBase + offset, 4)) ?? 0;
}

const gicdCtlr = { enables: 0b11, ARE_NS: 1 << 4 } as const;
/** GICD_TYPER without what a VM has not: CPUNumber, SecurityExtn, MBIS, LPIS, No1N. */
const typerMask = ~((7 << 5) | (1 << 10) | (1 << 16) | (1 << 17) | (1 << 25));

function* accessControl({ rhyper, vcpu, isWrite, value }: Access): Activity<number> {
  const vm = vmAt(rhyper, vcpu.vm);
  if (!isWrite) return vm.vgic.ctlr | gicdCtlr.ARE_NS;
  const before = vm.vgic.ctlr;
  vm.vgic.ctlr = value & gicdCtlr.enables;
  if (vm.vgic.ctlr === before) return 0;
  for (let id = 0; id < vm.vcpuCount; id += 1) {
    const each = vcpuOf(rhyper, vm, id);
    if (each) yield* operate(rhyper, each, 'GichEn', 0);
  }
  return 0;
}

const distributorWords = 32;
const identification = { offset: 0xffd0, sizeBytes: 0x30 } as const;

const distributorRows: readonly Row[] = [
  { name: 'GICD_CTLR', offset: 0x0000, sizeBytes: 4, widths: word, access: accessControl },
  {
    name: 'GICD_TYPER',
    offset: 0x0004,
    sizeBytes: 4,
    widths: word,
    access: function* (access) {
      return ((yield* physicalWord(access, 0x0004)) & typerMask) >>> 0;
    },
  },
  { name: 'GICD_IIDR', offset: 0x0008, sizeBytes: 4, widths: word, access: (access) => physicalWord(access, 0x0008) },
  // With affinity routing those of private interrupts are RES0 here.
  ...bitRows('GICD', 0, distributorWords).map((row): Row => ({
    ...row,
    access: (access, at, sizeBytes) =>
      at < row.sizeBytes / distributorWords ? zero() : row.access(access, at, sizeBytes),
  })),
  {
    name: 'GICD_IROUTER',
    offset: registerOffset.IROUTER,
    sizeBytes: 8 * 1020,
    widths: wordOrDoubleword,
    access: (access, at) => (at % 8 === 0 ? accessRoute(access, at / 8) : zero()),
  },
  {
    name: 'GICD_PIDR',
    ...identification,
    widths: word,
    access: (access, at) => physicalWord(access, identification.offset + at),
  },
];

/** GICR_TYPER: Last and Processor_Number; the high word is the affinity. */
const gicrLast = 1 << 4;
const processorNumberShift = 8;
const waker = { processorSleep: 1 << 1, childrenAsleep: 1 << 2 } as const;

const redistributorRows: readonly Row[] = [
  { name: 'GICR_CTLR', offset: 0x0000, sizeBytes: 4, widths: word, access: zero },
  { name: 'GICR_IIDR', offset: 0x0004, sizeBytes: 4, widths: word, access: (access) => physicalWord(access, 0x0008) },
  {
    name: 'GICR_TYPER',
    offset: 0x0008,
    sizeBytes: 8,
    widths: wordOrDoubleword,
    // eslint-disable-next-line require-yield -- a row may wait
    access: function* ({ rhyper, vcpu }, at) {
      if (at !== 0) return vcpu.id;
      const isLast = vcpu.id === vmAt(rhyper, vcpu.vm).vcpuCount - 1;
      return (vcpu.id << processorNumberShift) | (isLast ? gicrLast : 0);
    },
  },
  {
    name: 'GICR_WAKER',
    offset: 0x0014,
    sizeBytes: 4,
    widths: word,
    // eslint-disable-next-line require-yield -- a row may wait
    access: function* ({ vcpu, isWrite, value }) {
      if (isWrite) vcpu.vgic.waker = value & waker.processorSleep;
      return vcpu.vgic.waker === 0 ? 0 : waker.processorSleep | waker.childrenAsleep;
    },
  },
  {
    name: 'GICR_PIDR',
    ...identification,
    widths: word,
    access: (access, at) => physicalWord(access, identification.offset + at),
  },
  ...bitRows('GICR', 0x1_0000, 1),
];

const wordMask = 0xffff_ffffn;

/** Undefined where the access is refused. What has no row is reserved: RES0. */
function* accessRows(
  rows: readonly Row[],
  rhyper: Rhyper,
  vcpu: Vcpu,
  offset: number,
  sizeBytes: number,
  isWrite: boolean,
  value: bigint,
): Activity<bigint | undefined> {
  const row = rows.find((each) => offset >= each.offset && offset < each.offset + each.sizeBytes);
  if (offset % sizeBytes !== 0 || !(row?.widths ?? word).includes(sizeBytes)) return undefined;
  if (!row) return 0n;
  const at = offset - row.offset;
  const access = { rhyper, vcpu, isWrite, value: Number(value & wordMask) };
  if (sizeBytes < 8) return BigInt(yield* row.access(access, at, sizeBytes));
  const low = BigInt(yield* row.access(access, at, 4));
  const high = BigInt(yield* row.access({ ...access, value: Number((value >> 32n) & wordMask) }, at + 4, 4));
  return (high << 32n) | low;
}

/** A refused access: the caller hears of it where it is to bring the hypervisor down, else it reads as zero. */
function answerTo(rhyper: Rhyper, vcpu: Vcpu, answer: bigint | undefined): bigint | undefined {
  if (answer !== undefined) return answer;
  vcpu.vgic.refusedAccesses += 1;
  return hasQuirk(rhyper, 'panic-on-guest-fault') ? undefined : 0n;
}

/** An access of the active vCPU to its GICD. The value of a read; undefined where the access is refused. */
export function* accessDistributor(
  rhyper: Rhyper,
  vcpu: Vcpu,
  offset: number,
  sizeBytes: number,
  isWrite: boolean,
  value: bigint,
): Activity<bigint | undefined> {
  const vm = vmAt(rhyper, vcpu.vm);
  const forwarded = isDirect(vm)
    ? yield* forwardDistributor(rhyper, vcpu, offset, sizeBytes, isWrite, value)
    : undefined;
  if (forwarded !== undefined) return forwarded;
  return answerTo(rhyper, vcpu, yield* accessRows(distributorRows, rhyper, vcpu, offset, sizeBytes, isWrite, value));
}

/** An access of the active vCPU to the GICR of vCPU `which` of its VM. */
export function* accessRedistributor(
  rhyper: Rhyper,
  vcpu: Vcpu,
  which: number,
  offset: number,
  sizeBytes: number,
  isWrite: boolean,
  value: bigint,
): Activity<bigint | undefined> {
  const vm = vmAt(rhyper, vcpu.vm);
  const target = vcpuOf(rhyper, vm, which);
  if (!target) return answerTo(rhyper, vcpu, undefined);
  const forwarded = isDirect(vm)
    ? yield* forwardRedistributor(rhyper, target, offset, sizeBytes, isWrite, value)
    : undefined;
  if (forwarded !== undefined) return forwarded;
  return answerTo(
    rhyper,
    vcpu,
    yield* accessRows(redistributorRows, rhyper, target, offset, sizeBytes, isWrite, value),
  );
}
