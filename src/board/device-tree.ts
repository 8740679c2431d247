// The device tree of the board: the nodes and properties that QEMU 7.2 generates for `virt`, for the devices that this board has.
// It holds no random seed: two runs see the same tree.

import { dmaEngine, memoryMap, virtioSlot } from './memory-map.ts';
import { ppi } from './virt.ts';
import { flattenTree } from './flattened-tree.ts';
import { cells, flag, hex, interruptType, node, pair, reg, strings, trigger } from './tree-nodes.ts';
import type { Board, Reset } from './virt.ts';
import type { DeviceTree, Property, TreeNode } from './flattened-tree.ts';
import type { Region } from './memory-map.ts';

/** What the boot loader tells the kernel in /chosen. */
export interface Chosen {
  readonly kernelArgs?: string;
  readonly initrd?: { readonly start: number; readonly end: number };
}

type PsciConduit = Reset['psciConduit'];

/** The functions of PSCI 0.1 had no fixed numbers, so the tree carries them; a later kernel reads "arm,psci-0.2" and ignores them. */
const psciFunction = {
  migrate: 0xc4000005,
  cpu_on: 0xc4000003,
  cpu_off: 0x84000002,
  cpu_suspend: 0xc4000001,
} as const;

/** Handles as QEMU numbers them: the clock, the cores from the last to the first, the interrupt controller. */
const firstPhandle = 0x8000;
const clockPhandle = firstPhandle;
const corePhandle = (board: Board, index: number): number => firstPhandle + board.cores.length - index;
const gicPhandle = (board: Board): number => firstPhandle + board.cores.length + 1;
const smmuPhandle = (board: Board): number => gicPhandle(board) + 1;

function cpus(board: Board): TreeNode {
  const core = (index: number): TreeNode => node(`core${index}`, [cells('cpu', corePhandle(board, index))]);
  const map = node(
    'cpu-map',
    [],
    [
      node(
        'socket0',
        [],
        [
          node(
            'cluster0',
            [],
            board.cores.map(({ index }) => core(index)),
          ),
        ],
      ),
    ],
  );
  const affinityMask = 0xff_ffff;
  return node(
    'cpus',
    [cells('#address-cells', 1), cells('#size-cells', 0)],
    [
      map,
      ...board.cores.map(({ index, mpidr }) =>
        // The unit address counts cores, as QEMU's does; what identifies the core is reg.
        node(`cpu@${index}`, [
          strings('device_type', 'cpu'),
          // QEMU's `max` calls itself a Cortex-A57: a name that every kernel knows.
          strings('compatible', board.cpu === 'max' ? 'arm,cortex-a57' : `arm,${board.cpu}`),
          ...(board.cores.length > 1 ? [strings('enable-method', 'psci')] : []),
          cells('reg', mpidr & affinityMask),
          cells('phandle', corePhandle(board, index)),
        ]),
      ),
    ],
  );
}

function timer(board: Board): TreeNode {
  // The binding of a GICv2 names the cores that have a PPI.
  const cpuMask = board.gicVersion === 2 ? ((1 << board.cores.length) - 1) << 8 : 0;
  const interrupts = [ppi.secureTimer, ppi.physicalTimer, ppi.virtualTimer, ppi.hypervisorTimer];
  return node('timer', [
    strings('compatible', 'arm,armv8-timer', 'arm,armv7-timer'),
    flag('always-on'),
    cells('interrupts', ...interrupts.flatMap((number) => [interruptType.ppi, number, trigger.level | cpuMask])),
  ]);
}

function interruptController(board: Board): TreeNode {
  const { gicDistributor, gicCpuInterface, gicVirtualControl, gicVirtualCpuInterface } = memoryMap;
  const isGicV2 = board.gicVersion === 2;
  const frames = [gicCpuInterface, ...(board.virtualization ? [gicVirtualControl, gicVirtualCpuInterface] : [])];
  return node(`intc@${hex(gicDistributor.base)}`, [
    strings('compatible', isGicV2 ? 'arm,cortex-a15-gic' : 'arm,gic-v3'),
    flag('interrupt-controller'),
    cells('#interrupt-cells', 3),
    cells('#address-cells', 2),
    cells('#size-cells', 2),
    flag('ranges'),
    ...(isGicV2 ? [] : [cells('#redistributor-regions', board.redistributorRegions.length)]),
    reg(gicDistributor, ...(isGicV2 ? frames : board.redistributorRegions)),
    ...(board.virtualization ? [cells('interrupts', interruptType.ppi, ppi.gicMaintenance, trigger.level)] : []),
    cells('phandle', gicPhandle(board)),
  ]);
}

function primeCell(name: string, region: Required<Region>, clockNames: string[]): TreeNode {
  return node(`${name}@${hex(region.base)}`, [
    strings('compatible', `arm,${name}`, 'arm,primecell'),
    reg(region),
    cells('interrupts', interruptType.spi, region.spi, trigger.level),
    cells('clocks', ...clockNames.map(() => clockPhandle)),
    strings('clock-names', ...clockNames),
  ]);
}

/** Which stream of the SMMU a device's accesses are. */
const iommus = (board: Board, streamId: number): Property[] =>
  board.iommu === 'none' ? [] : [cells('iommus', smmuPhandle(board), streamId)];

function virtioTransport(board: Board, slot: number): TreeNode {
  const { streamId, ...region } = virtioSlot(slot);
  return node(`virtio_mmio@${hex(region.base)}`, [
    strings('compatible', 'virtio,mmio'),
    reg(region),
    cells('interrupts', interruptType.spi, region.spi, trigger.edge),
    ...iommus(board, streamId),
    flag('dma-coherent'),
  ]);
}

function smmu(board: Board): TreeNode {
  const { smmu: region } = memoryMap;
  const names = ['eventq', 'priq', 'cmdq-sync', 'gerror'];
  return node(`smmuv3@${hex(region.base)}`, [
    strings('compatible', 'arm,smmu-v3'),
    reg(region),
    cells('interrupts', ...names.flatMap((_, n) => [interruptType.spi, region.spi + n, trigger.edge])),
    strings('interrupt-names', ...names),
    flag('dma-coherent'),
    cells('#iommu-cells', 1),
    cells('phandle', smmuPhandle(board)),
  ]);
}

function dma(board: Board, n: number): TreeNode {
  const { streamId, ...region } = dmaEngine(n);
  return node(`dma@${hex(region.base)}`, [
    strings('compatible', 'heddle,dma-1'),
    reg(region),
    cells('interrupts', interruptType.spi, region.spi, trigger.level),
    ...iommus(board, streamId),
    flag('dma-coherent'),
  ]);
}

function clock(): TreeNode {
  return node('apb-pclk', [
    strings('compatible', 'fixed-clock'),
    cells('#clock-cells', 0),
    cells('clock-frequency', 24_000_000),
    strings('clock-output-names', 'clk24mhz'),
    cells('phandle', clockPhandle),
  ]);
}

function psci(conduit: PsciConduit): TreeNode[] {
  if (conduit === undefined) return [];
  return [
    node('psci', [
      strings('compatible', 'arm,psci-1.0', 'arm,psci-0.2', 'arm,psci'),
      strings('method', conduit),
      ...Object.entries(psciFunction).map(([name, id]) => cells(name, id)),
    ]),
  ];
}

function memory(board: Board): TreeNode {
  const { base } = memoryMap.ram;
  return node(`memory@${hex(base)}`, [strings('device_type', 'memory'), reg({ base, sizeBytes: board.memoryBytes })]);
}

function chosenProperties({ kernelArgs, initrd }: Chosen): Property[] {
  return [
    ...(kernelArgs === undefined ? [] : [strings('bootargs', kernelArgs)]),
    ...(initrd === undefined
      ? []
      : [cells('linux,initrd-start', ...pair(initrd.start)), cells('linux,initrd-end', ...pair(initrd.end))]),
  ];
}

/** The board's own tree, as a blob. */
export function boardTree(board: Board, conduit: PsciConduit, chosen: Chosen): Uint8Array<ArrayBuffer> {
  const uart = primeCell('pl011', memoryMap.uart, ['uartclk', 'apb_pclk']);
  const root = node(
    '',
    [
      strings('compatible', 'linux,dummy-virt'),
      strings('model', 'linux,dummy-virt'),
      cells('#address-cells', 2),
      cells('#size-cells', 2),
      cells('interrupt-parent', gicPhandle(board)),
    ],
    [
      node('chosen', [strings('stdout-path', `/${uart.name}`), ...chosenProperties(chosen)]),
      clock(),
      timer(board),
      cpus(board),
      interruptController(board),
      uart,
      primeCell('pl031', memoryMap.rtc, ['apb_pclk']),
      ...(board.iommu === 'none' ? [] : [smmu(board)]),
      ...Array.from({ length: board.dmaEngines }, (_, n) => dma(board, n)),
      ...board.virtioSlots.map((slot) => virtioTransport(board, slot)),
      memory(board),
      ...psci(conduit),
    ],
  );
  return flattenTree({ reservations: [], root });
}

/**
 * The user's tree, with what a boot loader owes the kernel: the RAM of this board, /chosen, and /psci unless the tree has one, which is
 * then taken as it is.
 */
export function amendTree(
  tree: DeviceTree,
  board: Board,
  conduit: PsciConduit,
  chosen: Chosen,
): Uint8Array<ArrayBuffer> {
  const { properties, children } = tree.root;
  const amended = chosenProperties(chosen);
  const replaced = new Set(amended.map(({ name }) => name));
  const old = children.find(({ name }) => name === 'chosen') ?? node('chosen', []);
  const knowsPsci = children.some(({ name }) => name === 'psci');
  const kept = children.filter(({ name }) => !/^(memory(@.*)?|chosen)$/.test(name));
  const root = node(
    '',
    [...properties],
    [
      { ...old, properties: [...old.properties.filter(({ name }) => !replaced.has(name)), ...amended] },
      ...kept,
      memory(board),
      ...(knowsPsci ? [] : psci(conduit)),
    ],
  );
  return flattenTree({ reservations: tree.reservations, root });
}
