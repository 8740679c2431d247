// The fields of a list register as ICH_LR<n>_EL2 has them (Arm IHI 0069), and of the two controls beside them. The records keep
// list registers in this layout for GICv2 too.

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

/** ICH_VMCR_EL2. */
export const vmcr = { VENG0: 1n, VENG1: 2n, VEOIM: 1n << 9n } as const;

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
