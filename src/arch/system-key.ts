// How a System instruction names what it accesses: op0, op1, CRn, CRm and op2, packed into 16 bits in the order in which the
// instruction word holds them.

export type Encoding = readonly [op0: number, op1: number, CRn: number, CRm: number, op2: number];

export const systemKeys = 0x1_0000;

export const systemKey = (op0: number, op1: number, CRn: number, CRm: number, op2: number): number =>
  (op0 << 14) | (op1 << 11) | (CRn << 7) | (CRm << 3) | op2;

export const encodingOf = (key: number): Encoding => [
  key >>> 14,
  (key >>> 11) & 7,
  (key >>> 7) & 15,
  (key >>> 3) & 15,
  key & 7,
];

/** The ISS of a trapped MSR, MRS or System instruction (EC 0x18). */
export function systemIss(key: number, Rt: number, isRead: boolean): number {
  const [op0, op1, CRn, CRm, op2] = encodingOf(key);
  return (op0 << 20) | (op2 << 17) | (op1 << 14) | (CRn << 10) | (Rt << 5) | (CRm << 1) | (isRead ? 1 : 0);
}
