// Translation table walks of the SMMU (Arm IHI 0070, "Translation"; Arm DDI 0487, "Translation table walk"): stage 1, stage 2, and stage 1
// whose tables lie in IPAs that stage 2 translates. A walk changes nothing; it counts its reads of memory. The Contiguous bit is a
// hint that is not taken.

import {
  addressField,
  deniesUser,
  deniesWrites,
  isAccessed,
  isNotGlobal,
  isReadOnly,
  isStage2Device,
  isUserAccessible,
  kindOf,
  shiftOfLevel,
  stage2Reads,
  stage2Writes,
} from '../../src/arch/table-descriptor.ts';
import { type Fault, faultClass, event, stage1Fault } from './events.ts';
import type { Context, Range, Stage2 } from './structures.ts';
import { allPermissions, permission, world } from './tlb.ts';

/** A descriptor, as its words. */
export interface Descriptor {
  readonly low: number;
  readonly high: number;
}

/** Reads a descriptor at a physical address; undefined is an external abort. */
export type ReadDescriptor = (pa: number) => Descriptor | undefined;

export interface Leaf {
  /** Of the input address. */
  readonly output: number;
  /** log2 of the range that the leaf maps. */
  readonly shift: number;
  readonly permissions: number;
  readonly isGlobal: boolean;
}

export const isFault = (result: object): result is Fault => 'event' in result;

/** A walk from its first lookup on. */
interface Walk {
  readonly input: number;
  readonly inputBits: number;
  readonly startLevel: number;
  readonly table: number;
  readonly outputBits: number;
  readonly ignoresAccessFlag: boolean;
  readonly fetch: (address: number) => Descriptor | Fault;
  readonly fault: (event: number) => Fault;
}

interface Walked extends Descriptor {
  readonly output: number;
  readonly shift: number;
  /** Of all tables on the way. */
  readonly deniesUser: boolean;
  readonly deniesWrites: boolean;
}

function walkTables(walk: Walk): Walked | Fault {
  const limit = 2 ** walk.outputBits;
  let level = walk.startLevel;
  let indexBits = walk.inputBits - shiftOfLevel(level);
  let table = walk.table - (walk.table % 2 ** (indexBits + 3));
  let user = false;
  let writes = false;
  for (;;) {
    const shift = shiftOfLevel(level);
    const index = Math.floor(walk.input / 2 ** shift) % 2 ** indexBits;
    const descriptor = walk.fetch(table + 8 * index);
    if (isFault(descriptor)) return descriptor;
    const { low, high } = descriptor;
    const kind = kindOf(low, level);
    if (kind === 'invalid') return walk.fault(event.F_TRANSLATION);
    const address = addressField(low, high);
    if (address >= limit) return walk.fault(event.F_ADDR_SIZE);
    if (kind === 'leaf') {
      if (!walk.ignoresAccessFlag && !isAccessed(low)) return walk.fault(event.F_ACCESS);
      const size = 2 ** shift;
      const output = address - (address % size) + (walk.input % size);
      return { low, high, output, shift, deniesUser: user, deniesWrites: writes };
    }
    user ||= deniesUser(high);
    writes ||= deniesWrites(high);
    table = address;
    indexBits = 9;
    level += 1;
  }
}

/** Translates an IPA; `kind`: what it is of, one of `faultClass`. Permissions are the caller's to check, but for those of a walk. */
export function walkStage2(stage2: Stage2, ipa: number, kind: number, read: ReadDescriptor): Leaf | Fault {
  const fault = (of: number, fetchAddress = 0): Fault => ({ event: of, stage: 2, class: kind, ipa, fetchAddress });
  if (ipa >= 2 ** stage2.inputBits) return fault(event.F_TRANSLATION);
  const walked = walkTables({
    ...stage2,
    input: ipa,
    fetch: (pa) => read(pa) ?? fault(event.F_WALK_EABT, pa),
    fault,
  });
  if (isFault(walked)) return walked;
  const { low, output, shift } = walked;
  const readable = stage2Reads(low);
  const isWalk = kind !== faultClass.IN;
  if (isWalk && (!readable || (stage2.protectsWalks && isStage2Device(low)))) return fault(event.F_PERMISSION);
  const permissions =
    (readable ? permission.userRead | permission.privilegedRead : 0) |
    (stage2Writes(low) ? permission.userWrite | permission.privilegedWrite : 0);
  return { output, shift, permissions, isGlobal: false };
}

/** What stage 1 lets each privilege do (CD.PAN takes from the privileged what the other has). */
function stage1Permissions(walked: Walked, range: Range, context: Context, streamWorld: number): number {
  const { low } = walked;
  const obeys = !range.ignoresHierarchy;
  const canWrite = !isReadOnly(low) && !(obeys && walked.deniesWrites);
  // A regime of one exception level knows no other privilege.
  const isUser = streamWorld === world.EL2 || (isUserAccessible(low) && !(obeys && walked.deniesUser));
  const hasPrivileged = !(context.deniesPrivileged && isUser);
  let granted = allPermissions;
  if (!canWrite) granted &= ~(permission.userWrite | permission.privilegedWrite);
  if (!isUser) granted &= ~(permission.userRead | permission.userWrite);
  if (!hasPrivileged) granted &= ~(permission.privilegedRead | permission.privilegedWrite);
  return granted;
}

/** The range of a context that translates a VA, given by its words, and the VA inside it. */
export function rangeOf(context: Context, low: number, high: number): { range: Range; input: number } | undefined {
  const upper = (high >>> 23) & 1;
  const range = context.ranges[upper === 1 ? 1 : 0];
  // Without TTB1 every VA is of TTB0, and is out of range where its upper bits are set.
  if (range === undefined) return undefined;
  const top = context.ignoresTopByte[upper === 1 ? 1 : 0] ? 0xff_ffff : 0xffff_ffff;
  const address = (high & top & 0xff_ffff) * 2 ** 32 + low;
  const above = Math.floor(address / 2 ** range.inputBits);
  const isExtended = above === (upper === 1 ? 2 ** (56 - range.inputBits) - 1 : 0);
  const topByte = (high & top) >>> 24;
  const isTopByteRight = top === 0xff_ffff || topByte === (upper === 1 ? 0xff : 0);
  return isExtended && isTopByteRight ? { range, input: address % 2 ** range.inputBits } : undefined;
}

/** Translates a VA by stage 1; its tables are read through `stage2` where there is one. */
export function walkStage1(
  context: Context,
  streamWorld: number,
  vaLow: number,
  vaHigh: number,
  stage2: Stage2 | undefined,
  read: ReadDescriptor,
): Leaf | Fault {
  const found = rangeOf(context, vaLow, vaHigh);
  if (found === undefined) return stage1Fault(event.F_TRANSLATION);
  const { range, input } = found;
  const fetch = (address: number): Descriptor | Fault => {
    const place = stage2 === undefined ? { output: address } : walkStage2(stage2, address, faultClass.TT, read);
    if (isFault(place)) return place;
    const aborted: Fault = { ...stage1Fault(event.F_WALK_EABT), class: faultClass.TT, fetchAddress: place.output };
    return read(place.output) ?? aborted;
  };
  const walked = walkTables({
    ...range,
    input,
    startLevel: range.inputBits > 39 ? 0 : range.inputBits > 30 ? 1 : 2,
    outputBits: context.outputBits,
    ignoresAccessFlag: context.ignoresAccessFlag,
    fetch,
    fault: stage1Fault,
  });
  if (isFault(walked)) return walked;
  const { output, shift, low } = walked;
  return {
    output,
    shift,
    permissions: stage1Permissions(walked, range, context, streamWorld),
    isGlobal: streamWorld === world.EL2 || !isNotGlobal(low),
  };
}
