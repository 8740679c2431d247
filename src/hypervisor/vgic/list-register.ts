// The fields of a list register as ICH_LR<n>_EL2 has them (Arm IHI 0069), and of the two controls beside them. The records keep
// list registers in this layout for GICv2 too; what GICH_LR<n> has in other places (Arm IHI 0048) is moved on the way.

export interface ListRegister {
  /** Bit 0: pending, bit 1: active; with neither the interrupt is over. */
  readonly state: number;
  readonly intid: number;
  /** GICv2: the vCPU that has sent an SGI. */
  readonly source: number;
  readonly priority: number;
  /** Stands for the physical interrupt of the same INTID (HW). */
  readonly isPhysical: boolean;
  /** Its end asks for maintenance (EOI). */
  readonly wantsMaintenance: boolean;
  readonly group: number;
}

export const listState = { pending: 1, active: 2 } as const;

/** ICH_HCR_EL2, GICH_HCR; TC, TALL0, TALL1 and TDIR are GICv3's. */
export const hcr = {
  En: 1n << 0n,
  LRENPIE: 1n << 2n,
  NPIE: 1n << 3n,
  TC: 1n << 10n,
  TALL0: 1n << 11n,
  TALL1: 1n << 12n,
  TDIR: 1n << 14n,
  EOIcount: 0x1fn << 27n,
} as const;
export const eoiCountOf = (value: bigint): number => Number((value & hcr.EOIcount) >> 27n);

/** ICH_VMCR_EL2, GICH_VMCR. VAckCtl and VFIQEn are GICv2's to change. */
export const vmcr = {
  VENG0: 1n << 0n,
  VENG1: 1n << 1n,
  VAckCtl: 1n << 2n,
  VFIQEn: 1n << 3n,
  VCBPR: 1n << 4n,
  VEOIM: 1n << 9n,
} as const;
/** Where its numbers begin: binary points of three bits, and the priority mask. */
export const vmcrFields = { VBPR1: 18n, VBPR0: 21n, VPMR: 24n } as const;

const sourceShift = 10;
const intidBits = 0x3ff;
const eoi = 1 << 9;

export function decodeList(lr: bigint): ListRegister {
  const low = Number(lr & 0xffff_ffffn);
  const high = Number(lr >> 32n);
  const isPhysical = ((high >>> 29) & 1) === 1;
  return {
    state: high >>> 30,
    intid: low & intidBits,
    source: (low >>> sourceShift) & 7,
    priority: (high >>> 16) & 0xff,
    isPhysical,
    wantsMaintenance: !isPhysical && (high & eoi) !== 0,
    group: (high >>> 28) & 1,
  };
}

export function encodeList(list: ListRegister): bigint {
  const physical = list.isPhysical ? list.intid : list.wantsMaintenance ? eoi : 0;
  const high =
    (list.state << 30) | (list.isPhysical ? 1 << 29 : 0) | (list.group << 28) | (list.priority << 16) | physical;
  return (BigInt(high >>> 0) << 32n) | BigInt((list.source << sourceShift) | list.intid);
}

/** GICH_LR<n>: five bits of priority at [27:23], the physical INTID at [19:10], where EOI and CPUID are without one. */
const gich = { hw: 31, group: 30, state: 28, priority: 23, physical: 10 } as const;

export function toGichList(lr: bigint): number {
  const list = decodeList(lr);
  const physical = list.isPhysical ? list.intid : (list.wantsMaintenance ? eoi : 0) | list.source;
  return (
    ((list.isPhysical ? 1 << gich.hw : 0) |
      (list.group << gich.group) |
      (list.state << gich.state) |
      ((list.priority >>> 3) << gich.priority) |
      (physical << gich.physical) |
      list.intid) >>>
    0
  );
}

export function fromGichList(value: number): bigint {
  const isPhysical = value >>> gich.hw === 1;
  const physical = (value >>> gich.physical) & intidBits;
  return encodeList({
    state: (value >>> gich.state) & 3,
    intid: value & intidBits,
    source: isPhysical ? 0 : physical & 7,
    priority: ((value >>> gich.priority) & 0x1f) << 3,
    isPhysical,
    wantsMaintenance: !isPhysical && (physical & eoi) !== 0,
    group: (value >>> gich.group) & 1,
  });
}
