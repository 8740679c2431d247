// The device tree of a virtual machine: its PEs, memory, interrupt controller and virtual devices, and PSCI by SMC, in the bindings that
// kernels of today read.

import type { TreeDevice, VmTreeDescription } from '../hypervisor/tree-description.ts';
import { flattenTree, type TreeNode } from '../board/flattened-tree.ts';
import { cells, flag, hex, interruptType, node, pair, reg, strings, trigger } from '../board/tree-nodes.ts';
import { ppi } from '../board/virt.ts';

const gicPhandle = 0x8001;
const clockPhandle = 0x8000;
const firstSpi = 32;

type Range = VmTreeDescription['memory'][number];
const region = ({ ipa, bytes }: Range): { base: number; sizeBytes: number } => ({ base: ipa, sizeBytes: bytes });

function cpus({ cpuCount }: VmTreeDescription): TreeNode {
  return node(
    'cpus',
    [cells('#address-cells', 1), cells('#size-cells', 0)],
    Array.from({ length: cpuCount }, (_, id) =>
      node(`cpu@${hex(id)}`, [
        strings('device_type', 'cpu'),
        strings('compatible', 'arm,cortex-a57'),
        strings('enable-method', 'psci'),
        cells('reg', id),
      ]),
    ),
  );
}

/** A VM has no secure world and no EL2; the binding numbers the timers by position all the same. */
const timer = (): TreeNode =>
  node('timer', [
    strings('compatible', 'arm,armv8-timer'),
    flag('always-on'),
    cells(
      'interrupts',
      ...[ppi.secureTimer, ppi.physicalTimer, ppi.virtualTimer, ppi.hypervisorTimer].flatMap((number) => [
        interruptType.ppi,
        number,
        trigger.level,
      ]),
    ),
  ]);

function interruptController({ gic }: VmTreeDescription): TreeNode {
  const second = gic.version === 3 ? gic.redistributors : gic.cpuInterface;
  return node(`intc@${hex(gic.distributor.ipa)}`, [
    strings('compatible', gic.version === 3 ? 'arm,gic-v3' : 'arm,cortex-a15-gic'),
    flag('interrupt-controller'),
    cells('#interrupt-cells', 3),
    cells('#address-cells', 2),
    cells('#size-cells', 2),
    flag('ranges'),
    ...(gic.version === 3 ? [cells('#redistributor-regions', 1)] : []),
    reg(region(gic.distributor), region(second)),
    cells('phandle', gicPhandle),
  ]);
}

/** The interrupt of an emulated device is an edge; a passed-through one's a level. Names of devices may have their address in them. */
function device({ name, kind, intids, ...range }: TreeDevice): TreeNode {
  const isUart = kind === 'arm,pl011';
  const isEngine = kind === 'heddle,dma-1';
  const interrupts = intids.flatMap((intid) => [
    interruptType.spi,
    intid - firstSpi,
    isUart || isEngine ? trigger.level : trigger.edge,
  ]);
  const nodeName = isUart ? 'pl011' : name.replace(/@.*/, '');
  return node(range.bytes === 0 ? name : `${nodeName}@${hex(range.ipa)}`, [
    strings('compatible', kind, ...(isUart ? ['arm,primecell'] : [])),
    ...(range.bytes === 0 ? [] : [reg(region(range))]),
    ...(interrupts.length === 0 ? [] : [cells('interrupts', ...interrupts)]),
    ...(kind === 'virtio,mmio' || isEngine ? [flag('dma-coherent')] : []),
    ...(isUart ? [cells('clocks', clockPhandle, clockPhandle), strings('clock-names', 'uartclk', 'apb_pclk')] : []),
  ]);
}

const clock = (): TreeNode =>
  node('apb-pclk', [
    strings('compatible', 'fixed-clock'),
    cells('#clock-cells', 0),
    cells('clock-frequency', 24_000_000),
    cells('phandle', clockPhandle),
  ]);

function chosen({ commandLine, ramdisk, devices }: VmTreeDescription): TreeNode {
  const uart = devices.find(({ kind }) => kind === 'arm,pl011');
  return node('chosen', [
    strings('bootargs', commandLine),
    ...(uart ? [strings('stdout-path', `/pl011@${hex(uart.ipa)}`)] : []),
    ...(ramdisk
      ? [
          cells('linux,initrd-start', ...pair(ramdisk.ipa)),
          cells('linux,initrd-end', ...pair(ramdisk.ipa + ramdisk.bytes)),
        ]
      : []),
  ]);
}

/** The tree as a blob. */
export function buildVmTree(description: VmTreeDescription): Uint8Array<ArrayBuffer> {
  const root = node(
    '',
    [
      strings('compatible', 'linux,dummy-virt'),
      strings('model', description.vmName),
      cells('#address-cells', 2),
      cells('#size-cells', 2),
      cells('interrupt-parent', gicPhandle),
    ],
    [
      chosen(description),
      clock(),
      timer(),
      cpus(description),
      interruptController(description),
      ...description.devices.map(device),
      ...description.memory.map(({ ipa, bytes }) =>
        node(`memory@${hex(ipa)}`, [strings('device_type', 'memory'), reg({ base: ipa, sizeBytes: bytes })]),
      ),
      node('psci', [strings('compatible', 'arm,psci-1.0', 'arm,psci-0.2'), strings('method', 'smc')]),
    ],
  );
  return flattenTree({ reservations: [], root });
}
