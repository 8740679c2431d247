// From an entry of a system file to a draft: everything that the entry leaves out has a default here.

import { memoryMap } from '../board/memory-map.ts';
import type { TreeDeviceDescription, VmKind, WindowDescription } from '../hypervisor/description.ts';
import { dmaEngine, dmaEngineCount } from '../board/memory-map.ts';
import { virtualTimerIntid } from '../hypervisor/limits.ts';
import { bytesOfPage, type DeviceDraft, kernelOfKind, usual, type VmDraft } from './draft.ts';
import type { Path, Refuse } from './located-file.ts';
import type { DeviceEntry, DeviceType, PassthroughEntry, VmEntry } from './schema.ts';

const MiB = 0x10_0000;
const memoryOfKind: Readonly<Record<VmKind, number>> = { mvm: 64 * MiB, gvm: 64 * MiB, rtvm: 32 * MiB, app: 16 * MiB };

const kindOfType: Readonly<Record<DeviceType, DeviceDraft['kind']>> = {
  'virtio-block': 'virtioBlock',
  'mediated-block': 'virtioBlockMediated',
  'virtio-net': 'virtioNet',
  'virtio-console': 'virtioConsole',
  'virtio-entropy': 'virtioEntropy',
  gicd: 'gicd',
  gppt: 'gppt',
  gicr: 'gicr',
  shyper: 'shyper',
};
const interruptControllers: readonly DeviceType[] = ['gicd', 'gppt', 'gicr'];

export interface EntryContext {
  readonly kind: VmKind;
  /** Position among all VMs of the file: the MVM is 0. */
  readonly position: number;
  readonly gicVersion: 2 | 3;
  readonly refuse: Refuse;
  /** Where the entry is in its file. */
  readonly path: Path;
}

const hex = (value: number): string => value.toString(16);

/** A real-time VM has its cores to itself unless it is told otherwise. */
const isExclusive = (entry: VmEntry, kind: VmKind): boolean => entry.cpus?.exclusive ?? kind === 'rtvm';

/** Interrupts go to a VM directly where its cores are its own; elsewhere the scheduler needs those of its tick. */
function defaultDevices(entry: VmEntry, kind: VmKind, gicVersion: 2 | 3): DeviceEntry[] {
  const given = entry.devices ?? [];
  const hasController = given.some(({ type }) => interruptControllers.includes(type));
  const controller: DeviceEntry[] = hasController
    ? []
    : [
        { type: kind === 'rtvm' && isExclusive(entry, kind) ? 'gppt' : 'gicd' },
        ...(gicVersion === 3 ? [{ type: 'gicr' } as const] : []),
      ];
  const isTold = kind === 'mvm' || kind === 'gvm';
  const notification: DeviceEntry[] =
    isTold && !given.some(({ type }) => type === 'shyper') ? [{ type: 'shyper' }] : [];
  const console: DeviceEntry[] = entry.console === 'virtio' ? [{ type: 'virtio-console' }] : [];
  return [...given, ...console, ...controller, ...notification];
}

/** The first of `from`, `from + step`, … that is not taken; it is taken then. */
function nextFree(taken: Set<number>, from: number, step: number): number {
  let value = from;
  while (taken.has(value)) value += step;
  taken.add(value);
  return value;
}

/** `earlier`: network devices of the VM before this one. */
function argumentsOf(device: DeviceEntry, position: number, earlier: number): readonly number[] {
  switch (device.type) {
    case 'virtio-block':
    case 'mediated-block':
      return [device['first-sector'] ?? 0, device.sectors ?? 0];
    case 'virtio-net':
      return device.mac ?? [0x74, 0x56, 0xaa, 0x0f, 0x47 + earlier, 0xd0 + position];
    default:
      return [];
  }
}

/** Keys that belong to some types only. */
const keyTypes: readonly (readonly [keyof DeviceEntry, readonly DeviceType[]])[] = [
  ['disk', ['virtio-block', 'mediated-block']],
  ['first-sector', ['virtio-block', 'mediated-block']],
  ['sectors', ['virtio-block', 'mediated-block']],
  ['mac', ['virtio-net']],
  ['group', ['virtio-net']],
  ['peer', ['virtio-console']],
];

function placeOf(device: DeviceEntry, gicVersion: 2 | 3, vcpus: number): { ipa: number; bytes: number } | undefined {
  switch (device.type) {
    case 'gicd':
    case 'gppt':
      return { ipa: usual.distributorIpa, bytes: gicVersion === 3 ? 0x1_0000 : bytesOfPage };
    case 'gicr':
      return { ipa: usual.redistributorIpa, bytes: vcpus * usual.redistributorBytes };
    case 'shyper':
      return { ipa: 0, bytes: 0 };
    default:
      return undefined;
  }
}

function devicesOf(entry: VmEntry, context: EntryContext, vcpus: number): DeviceDraft[] {
  const devices = defaultDevices(entry, context.kind, context.gicVersion);
  const takenIpas = new Set(devices.flatMap(({ at }) => at ?? []));
  const takenIntids = new Set([usual.notificationIntid, ...devices.flatMap(({ irq }) => irq ?? [])]);
  return devices.map((device, n) => {
    for (const [key, types] of keyTypes)
      if (device[key] !== undefined && !types.includes(device.type))
        context.refuse([...context.path, 'devices', n, key], `a ${device.type} has no such key`);
    const place = placeOf(device, context.gicVersion, vcpus);
    const ipa = device.at ?? place?.ipa ?? nextFree(takenIpas, usual.deviceIpa, usual.deviceBytes);
    const ownIntid = device.type === 'shyper' ? usual.notificationIntid : 0;
    const intid = device.irq ?? (place ? ownIntid : nextFree(takenIntids, usual.deviceIntid, 1));
    return {
      name: device.name ?? `${device.type}@${hex(ipa)}`,
      kind: kindOfType[device.type],
      intid,
      ipa,
      bytes: device.size ?? place?.bytes ?? usual.deviceBytes,
      arguments: argumentsOf(
        device,
        context.position,
        devices.slice(0, n).filter(({ type }) => type === 'virtio-net').length,
      ),
      ...(device.disk !== undefined && { disk: device.disk }),
      ...(device.group !== undefined && { group: device.group }),
      ...(device.peer !== undefined && device.peer !== 'host' && { peer: device.peer }),
    };
  });
}

/** What an entry of `passthrough` gives to the VM. */
interface PassedThrough {
  readonly windows: readonly WindowDescription[];
  readonly irqs: readonly number[];
  readonly streams: readonly number[];
  readonly treeDevices: readonly TreeDeviceDescription[];
}

const firstSpi = 32;

function engineOf({ dma = 0, at, ...rest }: PassthroughEntry, refuse: (message: string) => never): PassedThrough {
  const other = Object.keys(rest).find((key) => key !== 'name');
  if (other !== undefined) refuse(`beside dma, an entry may say at alone, not ${other}`);
  if (dma >= dmaEngineCount) refuse(`the board has DMA engines 0 to ${dmaEngineCount - 1}, not ${dma}`);
  const { base: pa, sizeBytes: bytes, spi, streamId } = dmaEngine(dma);
  const range = { ipa: at ?? pa, bytes };
  const intids = [firstSpi + spi];
  return {
    windows: [{ ...range, pa }],
    irqs: intids,
    streams: [streamId],
    treeDevices: [{ name: rest.name ?? `dma@${hex(range.ipa)}`, kind: 'dma', ...range, intids }],
  };
}

function passedThrough(entry: PassthroughEntry, refuse: (message: string) => never): PassedThrough {
  if (entry.dma !== undefined) return engineOf(entry, refuse);
  const { pa, at, size, irqs = [], stream } = entry;
  const hasWindow = pa !== undefined || at !== undefined || size !== undefined;
  if (hasWindow && (pa === undefined || size === undefined)) refuse('a window has a pa and a size');
  const readOnly = entry['read-only'];
  if (readOnly !== undefined && !hasWindow) refuse('read-only is said of a window: pa and size');
  return {
    windows:
      pa === undefined || size === undefined
        ? []
        : [{ pa, ipa: at ?? pa, bytes: size, ...(readOnly === true && { readOnly }) }],
    irqs,
    streams: stream === undefined ? [] : [stream],
    treeDevices: [],
  };
}

export function draftOfEntry(entry: VmEntry & { name: string }, context: EntryContext): VmDraft {
  const { kind, gicVersion, refuse, path } = context;
  const start = kind === 'mvm' ? usual.mvmMemoryIpa : usual.memoryIpa;
  let next = start;
  const memory = (entry.memory ?? [{ size: memoryOfKind[kind] }]).map(({ at, size: bytes }) => {
    const ipa = at ?? next;
    next = ipa + bytes;
    return { ipa, bytes };
  });
  const memoryStart = memory[0]?.ipa ?? start;
  const vcpus = entry.cpus?.count ?? entry.cpus?.cores?.length ?? 1;
  const devices = devicesOf(entry, context, vcpus);
  const passthrough = (entry.passthrough ?? []).map((given, n) =>
    passedThrough(given, (message) => refuse([...path, 'passthrough', n], message)),
  );
  const hasUart = (entry.console ?? 'uart') === 'uart';
  const direct = devices.some((device) => device.kind === 'gppt');
  const cpuInterface: WindowDescription = {
    ipa: usual.cpuInterfaceIpa,
    pa: (direct ? memoryMap.gicCpuInterface : memoryMap.gicVirtualCpuInterface).base,
    bytes: usual.cpuInterfaceBytes,
  };
  const controllers = devices.flatMap(({ kind: of, ipa, bytes }): TreeDeviceDescription[] => {
    if (of === 'gicd' || of === 'gppt') return [{ name: 'gicd', kind: 'gicd', ipa, bytes, intids: [] }];
    return of === 'gicr' ? [{ name: 'gicr', kind: 'gicr', ipa, bytes, intids: [] }] : [];
  });
  const tree = entry['device-tree'] ?? { file: kind === 'app' ? 'none' : 'generated' };
  const treeIpa = tree.at ?? memoryStart;
  return {
    name: entry.name,
    kind,
    boot: kind === 'mvm' ? 'power-on' : (entry.boot ?? 'mvm'),
    cpus: {
      count: entry.cpus?.count,
      cores: entry.cpus?.cores,
      master: entry.cpus?.master,
      exclusive: isExclusive(entry, kind),
    },
    memory,
    kernel: {
      file: entry.kernel?.file ?? kernelOfKind[kind],
      loadIpa: entry.kernel?.at ?? memoryStart + usual.kernelOffset,
      isLoadGiven: entry.kernel?.at !== undefined,
    },
    ...(entry.ramdisk && {
      ramdisk: {
        file: entry.ramdisk.file,
        loadIpa: entry.ramdisk.at ?? memoryStart + Math.floor((memory[0]?.bytes ?? 0) / 2 / bytesOfPage) * bytesOfPage,
      },
    }),
    ...(tree.file !== 'none' && {
      tree: tree.file === 'generated' ? { loadIpa: treeIpa } : { loadIpa: treeIpa, file: tree.file },
    }),
    commandLine: entry.bootargs ?? '',
    devices,
    windows: [...passthrough.flatMap(({ windows }) => windows), ...(gicVersion === 2 ? [cpuInterface] : [])],
    irqs: [virtualTimerIntid, ...passthrough.flatMap(({ irqs }) => irqs)],
    streams: passthrough.flatMap(({ streams }) => streams),
    treeDevices: [
      ...controllers,
      ...(gicVersion === 2
        ? [{ name: 'gicc', kind: 'gicc' as const, ipa: cpuInterface.ipa, bytes: cpuInterface.bytes, intids: [] }]
        : []),
      ...passthrough.flatMap(({ treeDevices }) => treeDevices),
    ],
    hasUart,
    refuse: (aspect, index, message) => {
      const keys = { tree: 'device-tree' } as Partial<Record<typeof aspect, string>>;
      const key = keys[aspect] ?? aspect;
      // A device that is there by default has no place of its own in the file.
      const isGiven = index !== undefined && (aspect !== 'devices' || index < (entry.devices?.length ?? 0));
      return refuse([...path, key, ...(isGiven ? [index] : [])], message);
    },
  };
}
