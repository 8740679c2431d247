// A TLB of the SMMU: complete translations (both stages in one entry), with the tags by which they are found and invalidated (Arm
// IHI 0070, "Translation table structures and TLB invalidation"). The TCU has one for each TBU; a TBU
// has a small one itself, whose entries CMD_CFGI_* remove too.

import { substreamValid } from './lti.ts';

/** StreamWorld. */
export const world = { EL1: 0, EL2: 1, EL2_E2H: 2 } as const;

/** What a stage of translation allows. */
export const permission = { userRead: 1, userWrite: 2, privilegedRead: 4, privilegedWrite: 8 } as const;
export const allPermissions = 15;

/** `context` of an entry. */
export const contextBit = {
  /** StreamWorld, two bits. */
  worldMask: 3,
  stage1: 1 << 2,
  stage2: 1 << 3,
  /** Matches every ASID. */
  global: 1 << 4,
} as const;
/** Bits that a lookup compares. */
const contextMask = contextBit.worldMask | contextBit.stage1 | contextBit.stage2;

export interface TlbEntry {
  /** First address of the input range; upper-range VAs have bit 48 set. */
  readonly input: number;
  readonly shift: number;
  readonly output: number;
  /** Start of the range's IPAs, where both stages translate. */
  readonly ipa: number;
  readonly stage1: number;
  readonly stage2: number;
  readonly context: number;
  readonly vmid: number;
  /** 0 where the regime has none. */
  readonly asid: number;
  /** Of a TBU's entry; -1 in the TCU. */
  readonly stream: number;
  readonly substream: number;
}

/** What a command removes. */
export interface Invalidation {
  /** The opcode of the command, or 0: everything. */
  readonly operation: number;
  readonly vmid: number;
  readonly asid: number;
  /** A VA as `TlbEntry.input`, or an IPA. */
  readonly address: number;
  readonly stream: number;
  /** log2 of the number of streams. */
  readonly range: number;
  readonly substream: number;
  /** StreamWorld of CMD_TLBI_EL2_VA and _VAA, as SMMU_CR2.E2H says. */
  readonly world: number;
}

export const everything = 0;

/** Opcodes of the commands that invalidate (IHI 0070, chapter "Commands"). */
export const opcode = {
  CFGI_STE: 0x03,
  CFGI_STE_RANGE: 0x04,
  CFGI_CD: 0x05,
  CFGI_CD_ALL: 0x06,
  TLBI_NH_ALL: 0x10,
  TLBI_NH_ASID: 0x11,
  TLBI_NH_VA: 0x12,
  TLBI_NH_VAA: 0x13,
  TLBI_EL2_ALL: 0x20,
  TLBI_EL2_ASID: 0x21,
  TLBI_EL2_VA: 0x22,
  TLBI_EL2_VAA: 0x23,
  TLBI_S12_VMALL: 0x28,
  TLBI_S2_IPA: 0x2a,
  TLBI_NSNH_ALL: 0x30,
} as const;

/** True where a CFGI command names the configuration of this stream, or that of its context descriptor `context`. */
export function namesStream(command: Invalidation, stream: number, context: number): boolean {
  const { operation, stream: first, range, substream } = command;
  switch (operation) {
    case everything:
      return true;
    case opcode.CFGI_STE:
    case opcode.CFGI_CD_ALL:
      return stream === first;
    case opcode.CFGI_STE_RANGE:
      return Math.floor(stream / 2 ** range) === Math.floor(first / 2 ** range);
    case opcode.CFGI_CD:
      return stream === first && context === substream;
    default:
      return false;
  }
}

/** True where the command removes the entry. CMD_TLBI_S2_IPA leaves entries of both stages, as the architecture lets it. */
function removes(command: Invalidation, entry: TlbEntry): boolean {
  const { operation, vmid, asid, address } = command;
  const { context } = entry;
  if (entry.stream >= 0 && namesStream(command, entry.stream, entry.substream % substreamValid)) return true;
  const entryWorld = context & contextBit.worldMask;
  const hasStage1 = (context & contextBit.stage1) !== 0;
  if ((context & (contextBit.stage1 | contextBit.stage2)) === 0) return operation === everything;
  const isVmid = entryWorld === world.EL1 && entry.vmid === vmid;
  const isGlobal = (context & contextBit.global) !== 0;
  const isAddress = address >= entry.input && address < entry.input + 2 ** entry.shift;
  switch (operation) {
    case everything:
      return true;
    case opcode.TLBI_NH_ALL:
      return isVmid && hasStage1;
    case opcode.TLBI_NH_ASID:
      return isVmid && hasStage1 && !isGlobal && entry.asid === asid;
    case opcode.TLBI_NH_VA:
      return isVmid && hasStage1 && isAddress && (isGlobal || entry.asid === asid);
    case opcode.TLBI_NH_VAA:
      return isVmid && hasStage1 && isAddress;
    case opcode.TLBI_S12_VMALL:
      return isVmid;
    case opcode.TLBI_S2_IPA:
      return isVmid && !hasStage1 && isAddress;
    case opcode.TLBI_NSNH_ALL:
      return entryWorld === world.EL1;
    case opcode.TLBI_EL2_ALL:
      return entryWorld !== world.EL1;
    case opcode.TLBI_EL2_ASID:
      return entryWorld === world.EL2_E2H && !isGlobal && entry.asid === asid;
    case opcode.TLBI_EL2_VA:
      return entryWorld === command.world && isAddress && (entryWorld === world.EL2 || isGlobal || entry.asid === asid);
    case opcode.TLBI_EL2_VAA:
      return entryWorld === command.world && isAddress;
    default:
      return false;
  }
}

export interface SavedTlb {
  readonly entries: readonly TlbEntry[];
  readonly next: number;
}

/** What a lookup compares besides the address. */
export type TlbKey = Pick<TlbEntry, 'context' | 'vmid' | 'asid' | 'stream' | 'substream'>;

const isSameKey = (one: TlbEntry, other: TlbEntry): boolean =>
  one.stream === other.stream &&
  one.substream === other.substream &&
  one.context === other.context &&
  one.vmid === other.vmid &&
  one.asid === other.asid;
const overlaps = (one: TlbEntry, other: TlbEntry): boolean =>
  one.input < other.input + 2 ** other.shift && other.input < one.input + 2 ** one.shift;

/** Entries are replaced in turn. */
export class Tlb {
  private entries: TlbEntry[] = [];
  private next = 0;
  private readonly capacity: number;

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  find(address: number, key: TlbKey): TlbEntry | undefined {
    return this.entries.find(
      (entry) =>
        address >= entry.input &&
        address < entry.input + 2 ** entry.shift &&
        entry.stream === key.stream &&
        entry.substream === key.substream &&
        (key.stream >= 0 ||
          ((entry.context & contextMask) === (key.context & contextMask) &&
            entry.vmid === key.vmid &&
            ((entry.context & contextBit.global) !== 0 || entry.asid === key.asid))),
    );
  }

  /** One place for a key and an address: what comes later is what is found. */
  add(entry: TlbEntry): void {
    const same = this.entries.findIndex((known) => isSameKey(known, entry) && overlaps(known, entry));
    if (same >= 0) {
      this.entries[same] = entry;
      return;
    }
    if (this.entries.length < this.capacity) {
      this.entries.push(entry);
      return;
    }
    this.entries[this.next] = entry;
    this.next = (this.next + 1) % this.capacity;
  }

  invalidate(command: Invalidation): void {
    const kept = this.entries.filter((entry) => !removes(command, entry));
    // Whose turn it is changes only where there is room now: a command about others is not felt.
    if (kept.length < this.entries.length) this.next = 0;
    this.entries = kept;
  }

  save(): SavedTlb {
    return { entries: [...this.entries], next: this.next };
  }

  restore({ entries, next }: SavedTlb): void {
    this.entries = [...entries];
    this.next = next;
  }
}
