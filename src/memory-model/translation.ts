// Stage 1 translation of a thread's accesses by last-level descriptors, which are locations like others (Arm DDI 0487, D8.4 "Memory
// accesses and translation table walks", D8.5 "Hardware management of the Access flag and dirty state"): what a descriptor lets an access
// do, and what hardware writes to it.

import { type Descriptor, decodeDescriptor, encodeDescriptor, fieldsOf } from './descriptor.ts';

/** The translation regime of a thread. */
export interface Translation {
  /** The thread runs at EL0, outside its handler. */
  readonly isEL0: boolean;
  /** TCR_EL1.HA and HD. */
  readonly ha: boolean;
  readonly hd: boolean;
  /** FEAT_ETS2 and FEAT_ETS3: sets of cat that walks belong to. */
  readonly sets: readonly string[];
  /** Where the descriptor of a virtual address lies; undefined where addresses are not translated: descriptors, code. */
  descriptorOf(address: bigint): bigint | undefined;
  /** The location at which an address of a page lies that has this output address. */
  locationOf(address: bigint, oa: bigint): bigint;
}

/** In the words of the manual. */
export type TranslationFault = 'translation' | 'access flag' | 'permission';

export interface Walked {
  readonly fault: TranslationFault | undefined;
  /** Bits [47:12] of the descriptor. */
  readonly oa: bigint;
  /** What hardware writes to the descriptor where the access is done, and the sets of cat that the write belongs to. */
  readonly update: { readonly bits: bigint; readonly sets: readonly string[] } | undefined;
}

/** What comes of a walk that has read these bits. */
export function walk(
  bits: bigint,
  access: { readonly isWrite: boolean; readonly isEL0: boolean },
  { ha, hd }: Translation,
): Walked {
  const { oa, valid, af, db, dbm, el0 } = fieldsOf(bits);
  const faultOf = (): TranslationFault | undefined => {
    if (valid === 0n) return 'translation';
    if (af === 0n && !ha) return 'access flag';
    if (access.isEL0 && el0 === 0n) return 'permission';
    return access.isWrite && db === 0n && !(hd && dbm === 1n) ? 'permission' : undefined;
  };
  const fault = faultOf();
  const setsAF = ha && af === 0n;
  const setsDB = hd && access.isWrite && db === 0n;
  if (fault !== undefined || (!setsAF && !setsDB)) return { fault, oa, update: undefined };
  const sets = [...(setsAF ? ['AF'] : []), ...(setsDB ? ['DB'] : [])];
  return {
    fault,
    oa,
    update: { bits: withFlags(bits, { ...(setsAF && { af: 1n }), ...(setsDB && { db: 1n }) }), sets },
  };
}

/** What hardware may write to a descriptor at any time, where it manages access flags: a walk for no access. */
export function withAccessFlag(bits: bigint): bigint | undefined {
  const { valid, af } = fieldsOf(bits);
  return valid === 1n && af === 0n ? withFlags(bits, { af: 1n }) : undefined;
}

function withFlags(bits: bigint, changes: Partial<Descriptor>): bigint {
  const descriptor = decodeDescriptor(bits);
  return descriptor === undefined ? bits : encodeDescriptor({ ...descriptor, ...changes });
}
