// Random beginnings: registers that are often pointers into what is mapped, and controls that are mostly kind.

import type { InterruptKind } from '../../src/arch/pe.ts';
import { layout, type Levels, type Start } from './fuzz-machine.ts';
import type { Random } from './random.ts';

export const everyLevels: readonly Levels[] = [
  { hasEl2: false, hasEl3: false },
  { hasEl2: true, hasEl3: false },
  { hasEl2: true, hasEl3: true },
];

const edges = [0n, 1n, 2n ** 63n, 2n ** 63n - 1n, 2n ** 64n - 1n, 2n ** 31n, 2n ** 31n - 1n, 2n ** 32n - 1n, 2n ** 32n];
const interruptKinds: readonly InterruptKind[] = ['serror', 'fiq', 'irq', 'vserror', 'vfiq', 'virq'];

/** An address in the data, mostly aligned, at times close to the end of a page. */
export function dataAddress(random: Random): bigint {
  const page = layout.data + 0x1000 * random.below(random.oneIn(4) ? 8 : 4);
  if (random.oneIn(6)) return BigInt(page + 0x1000 - random.below(20));
  const offset = random.below(0x1000);
  return BigInt(page + (random.oneIn(4) ? offset : offset & ~15));
}

function registerValue(random: Random, code: number): bigint {
  switch (random.below(10)) {
    case 0:
      return BigInt(code + 4 * random.below(80));
    case 1:
      return BigInt(layout.device + 8 * random.below(512));
    case 2:
    case 3:
      return BigInt(random.below(256));
    case 4:
      return random.pick(edges);
    case 5:
    case 6:
      return random.doubleword();
    default:
      return dataAddress(random);
  }
}

/** Each of these bits set with a chance of one in `n`. */
function someBits(random: Random, n: number, bits: readonly number[]): bigint {
  return bits.reduce((sum, bit) => (random.oneIn(n) ? sum | (1n << BigInt(bit)) : sum), 0n);
}

function controls(random: Random, { hasEl2, hasEl3 }: Levels): Record<string, bigint> {
  // The RES1 bits, M, C, I, SA, SA0, UMA, DZE, UCT, nTWI, nTWE, UCI, SPAN; then some of SA, SA0, UMA, DZE, UCT, nTWI, nTWE, UCI, SPAN and A over.
  const SCTLR = 0x34d5_d91dn | (1n << 9n) | (1n << 14n) | (1n << 23n) | (1n << 26n);
  const registers: Record<string, bigint> = {
    SCTLR_EL1: SCTLR ^ someBits(random, 8, [1, 3, 4, 9, 14, 15, 16, 18, 23, 26]),
    // T0SZ 34, EPD1, at times TBI0.
    TCR_EL1: 34n | (1n << 23n) | someBits(random, 4, [37]),
    CPACR_EL1: random.oneIn(8) ? BigInt(random.below(4)) << 20n : 3n << 20n,
    TPIDR_EL0: random.doubleword(),
    CNTKCTL_EL1: random.oneIn(2) ? 0x3ffn : 0n,
    PMUSERENR_EL0: random.oneIn(2) ? 15n : 0n,
    FPCR: random.oneIn(4) ? random.doubleword() : 0n,
  };
  // EL1 is AArch64. Traps and routing: AMO, IMO, FMO; TWI, TWE, TID3, TSC, TACR, TTLB, TVM, TRVM, and virtual interrupts.
  if (hasEl2)
    registers['HCR_EL2'] = (1n << 31n) | someBits(random, 8, [3, 4, 5, 6, 7, 8, 13, 14, 18, 19, 21, 25, 26, 30]);
  // NS, EL2 is AArch64, HCE; IRQ, FIQ, EA, SMD, TWI, TWE, ST.
  if (hasEl3) registers['SCR_EL3'] = 1n | (1n << 8n) | (1n << 10n) | someBits(random, 8, [1, 2, 3, 7, 11, 12, 13]);
  return registers;
}

export function randomStart(random: Random, el: 0 | 1, levels: Levels): Start {
  const code = el === 0 ? layout.codeEl0 : layout.codeEl1;
  const mode = el === 0 ? 0n : random.oneIn(4) ? 4n : 5n;
  // NZCV, PAN, UAO, DAIF.
  const state =
    someBits(random, 2, [28, 29, 30, 31]) | someBits(random, 16, [22, 23]) | someBits(random, 2, [6, 7, 8, 9]);
  const stackPointer = (): bigint => (random.oneIn(8) ? registerValue(random, code) : dataAddress(random) & ~15n);
  return {
    levels,
    handler: random.oneIn(2) ? 'stay' : 'return',
    spsr: mode | state,
    pc: BigInt(code),
    x: Array.from({ length: 31 }, () => registerValue(random, code)),
    sp: [stackPointer(), stackPointer()],
    vectors: BigUint64Array.from({ length: 64 }, () => random.doubleword()),
    registers: controls(random, levels),
    lines: interruptKinds.filter(() => random.oneIn(12)),
    interruptEvery: 0,
    dataSeed: random.doubleword(),
  };
}
