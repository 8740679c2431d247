// The Command queue's entries (Arm IHI 0070, chapter "Commands"): what a command of four words asks for, or that it is illegal
// (CERROR_ILL). Commands of what the ID registers do not offer (ATS, PRI, stalls, EL3, another Security state) are illegal. Leaf, TTL
// and range fields make an invalidation no smaller.

import { inputNumber } from './translation.ts';
import { everything, type Invalidation, opcode, world } from './tlb.ts';

const other = { PREFETCH_CONFIG: 0x01, PREFETCH_ADDR: 0x02, SYNC: 0x46 } as const;

export type Command =
  | { readonly kind: 'illegal' }
  /** A prefetch: a hint that is not taken. */
  | { readonly kind: 'hint' }
  | { readonly kind: 'sync'; readonly isSignalled: boolean }
  | { readonly kind: 'invalidate'; readonly invalidation: Invalidation };

const known: ReadonlySet<number> = new Set(Object.values(opcode));
const configuration: ReadonlySet<number> = new Set([
  opcode.CFGI_STE,
  opcode.CFGI_STE_RANGE,
  opcode.CFGI_CD,
  opcode.CFGI_CD_ALL,
]);

/** CMD_SYNC.CS. */
const completionSignal = { none: 0, interrupt: 1, event: 2, reserved: 3 } as const;
/** log2 of the streams of CMD_CFGI_STE_RANGE; Range 31 (CMD_CFGI_ALL) holds every StreamID. */
const rangeOf = (third: number): number => (third & 31) + 1;

const illegal: Command = { kind: 'illegal' };

/** `isE2h`: SMMU_CR2.E2H. */
export function decodeCommand(words: readonly number[], isE2h: boolean): Command {
  const [first = 0, second = 0, third = 0, fourth = 0] = words;
  const operation = first & 0xff;
  const SSec = (first & (1 << 10)) !== 0;
  switch (operation) {
    case other.SYNC: {
      const CS = (first >>> 12) & 3;
      return CS === completionSignal.reserved
        ? illegal
        : { kind: 'sync', isSignalled: CS === completionSignal.interrupt };
    }
    case other.PREFETCH_CONFIG:
    case other.PREFETCH_ADDR:
      return SSec ? illegal : { kind: 'hint' };
    default:
  }
  const isConfiguration = configuration.has(operation);
  if (!known.has(operation) || (isConfiguration && SSec)) return illegal;
  const addressLow = (third & 0xffff_f000) >>> 0;
  const isIpa = operation === opcode.TLBI_S2_IPA;
  return {
    kind: 'invalidate',
    invalidation: {
      operation,
      vmid: second & 0xffff,
      asid: second >>> 16,
      address: isIpa ? (fourth & 0xffff) * 2 ** 32 + addressLow : inputNumber(addressLow, fourth),
      stream: isConfiguration ? second : 0,
      range: operation === opcode.CFGI_STE_RANGE ? rangeOf(third) : 0,
      substream: first >>> 12,
      world: isE2h ? world.EL2_E2H : world.EL2,
    },
  };
}

/** Removes all that is cached. */
export const invalidateEverything: Invalidation = {
  operation: everything,
  vmid: 0,
  asid: 0,
  address: 0,
  stream: 0,
  range: 0,
  substream: 0,
  world: world.EL2,
};
