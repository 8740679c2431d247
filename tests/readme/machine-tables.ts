// Tables about the machine: its memory map, its private interrupts, and the options of commands.

import { memoryMap, type Region } from '../../src/board/memory-map.ts';
import { ppi } from '../../src/board/virt.ts';
import { genOptionRows } from '../../src/cli/litmus-gen.ts';
import { litmusOptionRows } from '../../src/cli/litmus-options.ts';
import { type OptionRow, runOptionRows } from '../../src/cli/run-options.ts';
import { formatSize } from '../../src/report/figures.ts';
import { table } from './markdown.ts';

type RegionName = keyof typeof memoryMap;

/** What is there; the other regions of `virt` are empty. */
const parts: Readonly<Partial<Record<RegionName, string>>> = {
  gicDistributor: 'GIC distributor',
  gicCpuInterface: 'GICv2: CPU interface',
  gicVirtualControl: 'GICv2: virtual interface control (GICH)',
  gicVirtualCpuInterface: 'GICv2: virtual CPU interface (GICV)',
  gicRedistributors: 'GICv3: redistributors of cores 0 to 122, 128 KiB each',
  uart: 'PL011 UART: the console',
  rtc: 'PL031 real time clock',
  smmu: 'SMMUv3, with `iommu=smmuv3`: eventq, then (not used) priq, cmdq-sync, gerror',
  dma: 'DMA engines, with `dma=N`: 4 KiB and an interrupt each',
  virtio: 'virtio over MMIO: slot 0; 31 more follow',
  ram: 'RAM, as much as `--memory` says',
  gicHighRedistributors: 'GICv3: redistributors from core 123 on',
};

const firstSpi = 32;
const firstPpi = 16;
const address = (value: number): string => `0x${value.toString(16).padStart(8, '0')}`;

export const memoryMapTable = (): string =>
  table(
    ['from', 'size', 'what', 'INTID'],
    Object.entries(memoryMap as Readonly<Record<RegionName, Region>>).flatMap(([name, { base, sizeBytes, spi }]) => {
      const what = parts[name as RegionName];
      if (what === undefined) return [];
      return [[address(base), formatSize(sizeBytes), what, spi === undefined ? '' : `${firstSpi + spi}`]];
    }),
  );

export const privateInterruptTable = (): string =>
  table(
    ['INTID', 'of'],
    [
      ['23', 'PMU: overflow of the cycle counter'],
      [`${firstPpi + ppi.gicMaintenance}`, 'maintenance interrupt of the virtual CPU interface'],
      [`${firstPpi + ppi.hypervisorTimer}`, 'CNTHP: EL2 physical timer'],
      [`${firstPpi + ppi.virtualTimer}`, 'CNTV: virtual timer'],
      [`${firstPpi + ppi.hypervisorVirtualTimer}`, 'CNTHV: EL2 virtual timer'],
      [`${firstPpi + ppi.secureTimer}`, 'CNTPS: Secure physical timer'],
      [`${firstPpi + ppi.physicalTimer}`, 'CNTP: EL1 physical timer'],
    ],
  );

const optionTable = (rows: readonly OptionRow[]): string =>
  table(
    ['option', 'meaning', 'default'],
    rows.map(({ flags, says, byDefault }) => [
      `\`${flags}\``,
      says,
      typeof byDefault === 'string' ? byDefault : byDefault ? 'on' : '',
    ]),
  );

export const runOptionTable = (): string => optionTable(runOptionRows);
export const genOptionTable = (): string => optionTable(genOptionRows);
export const litmusOptionTable = (): string => optionTable(litmusOptionRows);
