// One PE at EL0 in an address space of a few pages: where instructions run one by one, and exceptions to EL1 tell how they ended.

import { never, type PeEnvironment } from '../../src/arch/environment.ts';
import { createPe } from '../../src/arch/create-pe.ts';
import type { Pe } from '../../src/arch/pe.ts';
import { ramBase } from '../../src/arch/state-layout.ts';
import { type Engine, type EngineMode, type EngineOptions, makeEngine } from '../../src/engine/engine.ts';
import { type MemoryViews, memoryViews } from '../../src/memory/memory-views.ts';

export interface Mapping {
  readonly va: number;
  readonly pa: number;
  readonly sizeBytes: number;
  readonly executable: boolean;
  /** GP (FEAT_BTI). */
  readonly guarded?: boolean;
}

const ramBytes = 0x100_0000;
const tableBase = ramBase + 0x80_0000;

export interface El0Machine {
  /** The present engine. */
  readonly engine: Engine;
  readonly pe: Pe;
  readonly views: MemoryViews;
  /** Puts a new engine in the place of the old one: the modules of many translations make every further one dearer. */
  renewEngine(): void;
  /** Back to EL0 with empty registers; PC, registers and flags are then the test's to set. */
  enterEl0(): void;
}

/** Tables of levels 0 to 3 for addresses below 1 GiB (T0SZ 16), 4 KiB granule. */
function mapPages(views: MemoryViews, mappings: readonly Mapping[]): void {
  const [level1, level2] = [tableBase + 0x1000, tableBase + 0x2000];
  let nextTable = tableBase + 0x3000;
  const descriptor = (pa: number, low: number, high: number): bigint =>
    BigInt(pa) | BigInt(low) | (BigInt(high) << 32n);
  views.doublewords[tableBase >>> 3] = descriptor(level1, 3, 0);
  views.doublewords[level1 >>> 3] = descriptor(level2, 3, 0);
  for (const { va, pa, sizeBytes, executable, guarded } of mappings) {
    for (let offset = 0; offset < sizeBytes; offset += 0x1000) {
      const page = va + offset;
      const entry = (level2 >>> 3) + (page >>> 21);
      if (views.doublewords[entry] === 0n) {
        views.doublewords[entry] = descriptor(nextTable, 3, 0);
        nextTable += 0x1000;
      }
      const table = Number((views.doublewords[entry] ?? 0n) & 0xffff_f000n);
      // AF, inner shareable, AP = read/write at EL0, AttrIndx 0; PXN, and UXN for data.
      views.doublewords[(table >>> 3) + ((page >>> 12) & 511)] = descriptor(
        pa + offset,
        0x743,
        (1 << 21) | (executable ? 0 : 1 << 22) | (guarded === true ? 1 << 18 : 0),
      );
    }
  }
}

export function el0Machine(
  mode: EngineMode,
  mappings: readonly Mapping[],
  options: Pick<EngineOptions, 'hotRuns' | 'regionRounds'> = {},
): El0Machine {
  const memory = new WebAssembly.Memory({ initial: (ramBase + ramBytes) / 65536, maximum: 65536, shared: true });
  const views = memoryViews(memory.buffer);
  let engine = makeEngine({ memory, views, worker: 0, mode, ...options });
  const environment: PeEnvironment = {
    now: () => 0,
    instructions: () => 0,
    codeWritten: (pa, sizeBytes) => engine.codeWritten(pa, sizeBytes),
    busRequest: () => {
      throw new Error('there is no bus here');
    },
    broadcast: () => undefined,
    dvmComplete: () => true,
    instructionCache: () => undefined,
    event: () => undefined,
    timer: (_kind, deadlineTicks) => {
      if (deadlineTicks !== never) throw new Error('there is no timer here');
    },
    gic: { read: () => undefined, write: () => false },
  };
  const pe = createPe({
    index: 0,
    count: 1,
    memory: views,
    ramBytes,
    environment,
    hasEl2: false,
    hasEl3: false,
    mpidr: 0x8000_0000n,
  });
  engine.attach(pe);
  mapPages(views, mappings);
  return {
    get engine() {
      return engine;
    },
    pe,
    views,
    renewEngine: () => {
      engine.linesWrittenElsewhere(undefined);
      engine = makeEngine({ memory, views, worker: 0, mode, ...options });
      engine.attach(pe);
    },
    enterEl0: () => {
      pe.reset({ el: 1, pc: BigInt(ramBase), x0: 0n });
      // T0SZ, EPD1, TBI0.
      pe.writeRegister('TCR_EL1', 16n | (1n << 23n) | (1n << 37n));
      pe.writeRegister('MAIR_EL1', 0xffn);
      pe.writeRegister('TTBR0_EL1', BigInt(tableBase));
      pe.writeRegister('CPACR_EL1', 3n << 20n);
      pe.writeRegister('VBAR_EL1', 0xffff_0000_0000_0000n);
      // M, C, I, SA, SA0, UMA, DZE, UCT, nTWI, nTWE, UCI and the RES1 bits.
      pe.writeRegister(
        'SCTLR_EL1',
        0x3490_d91dn | (1n << 9n) | (1n << 14n) | (1n << 15n) | (1n << 16n) | (1n << 18n) | (1n << 26n),
      );
      pe.writeRegister('SPSR_EL1', 0n);
      pe.eret();
    },
  };
}
