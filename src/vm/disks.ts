// The disks of a system file, and which block device has which sectors of which disk.

import { diskBytes } from '../board/devices.ts';
import { type DeviceDraft, usual, type VmDraft } from './draft.ts';
import type { LocatedFile } from './located-file.ts';
import { type ReadFile, readOr } from './read-file.ts';
import type { SystemFile } from './schema.ts';
import type { Disk } from './system.ts';

export const sectorBytes = 512;

/** The disks of a file, each read when it is first asked for. */
export function disksOf(
  file: LocatedFile,
  { disks = {} }: SystemFile,
  read: ReadFile,
): (name: string) => Disk | undefined {
  const known = new Map<string, Disk>();
  return (name) => {
    const disk = disks[name];
    if (!disk) return undefined;
    const path = ['disks', name];
    if ((disk.file === undefined) === (disk.size === undefined))
      file.refuse(path, 'a disk has either a file or a size');
    const made = known.get(name) ?? {
      name,
      readOnly: disk['read-only'] ?? false,
      bytes:
        disk.file === undefined
          ? diskBytes(new Uint8Array(disk.size ?? 0))
          : readOr(
              () => diskBytes(read(disk.file as string).bytes),
              (message) => file.refuse([...path, 'file'], message),
            ),
    };
    known.set(name, made);
    return made;
  };
}

const sectorsIn = (disk: Disk | undefined): number => Math.floor((disk?.bytes.length ?? 0) / sectorBytes);
const isBlock = ({ kind }: DeviceDraft): boolean => kind === 'virtioBlock' || kind === 'virtioBlockMediated';

/**
 * Block devices learn their disk, and how many sectors of it they have; the MVM gets a device for every disk on which it carries out
 * requests of others, and theirs learn its number among the MVM's. A mediated device without a disk is on the MVM's memory.
 */
export function placeOnDisks(
  vms: readonly VmDraft[],
  names: readonly string[],
  diskNamed: (name: string) => Disk | undefined,
): VmDraft[] {
  const placed = vms.map((vm) => ({
    ...vm,
    devices: vm.devices.map((device, n) => {
      if (!isBlock(device)) return device;
      const name = device.disk ?? names[0];
      const disk = name === undefined ? undefined : diskNamed(name);
      const [first = 0, sectors = 0] = device.arguments;
      if (name === undefined) {
        if (device.kind === 'virtioBlockMediated' && sectors > 0) return { ...device, arguments: [first, sectors] };
        return vm.refuse('devices', n, 'it needs a disk, and the file has none');
      }
      if (!disk) return vm.refuse('devices', n, `there is no disk "${name}"`);
      const { length } = disk.bytes;
      if ((first + sectors) * sectorBytes > length || first * sectorBytes >= length)
        vm.refuse('devices', n, `sectors ${first}-${first + sectors} are beyond the disk "${name}" of ${length} bytes`);
      const count = sectors === 0 ? sectorsIn(disk) - first : sectors;
      return { ...device, disk: name, arguments: [first, count] };
    }),
  }));
  const [manager, ...others] = placed;
  if (!manager) return placed;
  const mediated = others.flatMap(({ devices }) =>
    devices.flatMap(({ kind, disk }) => (kind === 'virtioBlockMediated' && disk !== undefined ? [disk] : [])),
  );
  const own = (name: string): boolean =>
    manager.devices.some(({ kind, disk }) => kind === 'virtioBlock' && disk === name);
  const missing = [...new Set(mediated)].filter((name) => !own(name));
  const devices = missing.reduce(
    (list, name) => [...list, blockDraft(list, manager.irqs, name, sectorsIn(diskNamed(name)))],
    manager.devices,
  );
  const owned = devices.filter(({ kind }) => kind === 'virtioBlock').map(({ disk }) => disk);
  return [{ ...manager, devices }, ...others].map((vm) => ({
    ...vm,
    devices: vm.devices.map((device) =>
      device.kind === 'virtioBlockMediated'
        ? { ...device, arguments: [...device.arguments, owned.indexOf(device.disk) + 1] }
        : device,
    ),
  }));
}

/** A further block device of the MVM: the whole of a disk, where there is room. */
function blockDraft(
  devices: readonly DeviceDraft[],
  irqs: readonly number[],
  disk: string,
  sectors: number,
): DeviceDraft {
  let { deviceIpa: ipa, deviceIntid: intid } = usual;
  while (devices.some((device) => ipa < device.ipa + device.bytes && device.ipa < ipa + usual.deviceBytes))
    ipa += usual.deviceBytes;
  while (irqs.includes(intid) || devices.some((device) => device.intid === intid)) intid += 1;
  const place = { ipa, bytes: usual.deviceBytes, intid };
  return { name: `virtio-block@${ipa.toString(16)}`, kind: 'virtioBlock', ...place, arguments: [0, sectors], disk };
}
