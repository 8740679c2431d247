// The disks that the management VM offers (section 8.2 of the ancestor's description): each is a page of its memory, the MediatedBlk, by
// which it gets one request at a time, and a cache, through which the data go.
//
//   offset 0    u64 number of requests so far
//   offset 8    name (32 bytes), path (32 bytes), then u64 sectors, u64 the most bytes of a request, u64 size of the cache, u16 number of
//               the disk, u8 whether it is cached, u64 the cache's address in the VM's software, u64 its IPA, u64 its PA
//   offset 128  the request: u32 type, u64 sector, u64 number of sectors
//   offset 152  u32 status: 0 before the request; another value is the VM's way to say that it has failed. The ancestor has no such word.

import { type Rhyper, vmAt } from '../context.ts';
import { limits } from '../limits.ts';
import { pageBytes } from '../memory.ts';
import { deviceKind, type EmulatedDevice, type MediatedDisk, type Vm } from '../state.ts';
import { diskState } from './state.ts';

const layout = {
  requests: 0,
  mostBytes: 80,
  cacheBytes: 88,
  cacheIpa: 112,
  request: 128,
  requestBytes: 28,
  status: 152,
};
export const sectorBytes = 512;

/** Where a range of IPAs is in RAM that the VM may write, in one piece; undefined where it is not. */
function ramOf(vm: Vm, ipa: bigint, bytes: number): number | undefined {
  if (ipa >= 1n << 48n) return undefined;
  const at = Number(ipa);
  const region = vm.regions.find(
    (candidate, n) => n < vm.regionCount && at >= candidate.ipa && at + bytes <= candidate.ipa + candidate.bytes,
  );
  return region && region.pa + at - region.ipa;
}

/** A VM offers a disk by its page; false where the page or its cache is not the VM's own memory, or there is no room. */
export function offerDisk(rhyper: Rhyper, vm: Vm, pageIpa: bigint): boolean {
  const page = pageIpa % BigInt(pageBytes) === 0n ? ramOf(vm, pageIpa, pageBytes) : undefined;
  const disk = rhyper.state.disks.find(({ isOffered }) => isOffered === 0);
  if (page === undefined || !disk || diskAt(rhyper, page)) return false;
  const { view } = rhyper.memory;
  const mostBytes = view.getBigUint64(page + layout.mostBytes, true);
  const cacheBytes = view.getBigUint64(page + layout.cacheBytes, true);
  const usable = mostBytes !== 0n && mostBytes < cacheBytes ? mostBytes : cacheBytes;
  const bytes = Number(usable) - (Number(usable) % sectorBytes);
  const cache = bytes > 0 ? ramOf(vm, view.getBigUint64(page + layout.cacheIpa, true), bytes) : undefined;
  if (cache === undefined) return false;
  const fresh = {
    isOffered: 1,
    owner: vm.id,
    page,
    cache,
    cacheBytes: bytes,
    requests: 0n,
    state: diskState.free,
    tag: 0,
    turn: 0,
  };
  Object.assign(disk, fresh);
  return true;
}

const diskAt = ({ state }: Rhyper, page: number): MediatedDisk | undefined =>
  state.disks.find((disk) => disk.isOffered !== 0 && disk.page === page);

/** The disk whose page is at this IPA of the VM. */
export function diskOfPage(rhyper: Rhyper, vm: Vm, pageIpa: bigint): MediatedDisk | undefined {
  const page = ramOf(vm, pageIpa, pageBytes);
  return page === undefined ? undefined : diskAt(rhyper, page);
}

/** Puts a request into the page; the number, which shows that it is there, last. */
export function putRequest(rhyper: Rhyper, disk: MediatedDisk, type: number, sector: number, sectors: number): void {
  const bytes = new Uint8Array(layout.requestBytes);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, type, true);
  view.setBigUint64(8, BigInt(sector), true);
  view.setBigUint64(16, BigInt(sectors), true);
  rhyper.port.writeRam(disk.page + layout.request, bytes);
  disk.requests += 1n;
  const count = new Uint8Array(8);
  new DataView(count.buffer).setBigUint64(0, disk.requests, true);
  rhyper.port.writeRam(disk.page + layout.requests, count);
}

/** The owner says that the request has failed. */
export const hasFailed = ({ memory }: Rhyper, { page }: MediatedDisk): boolean =>
  memory.view.getUint32(page + layout.status, true) !== 0;

export const isMediated = ({ kind }: EmulatedDevice): boolean => kind === deviceKind.virtioBlockMediated;

/** The mediated devices of a VM, by their positions. */
export const mediatedDevices = ({ config }: Vm): { readonly device: EmulatedDevice; readonly n: number }[] =>
  config.devices.flatMap((device, n) => (n < config.deviceCount && isMediated(device) ? [{ device, n }] : []));

const isTaken = ({ state }: Rhyper, number: number): boolean =>
  state.vms.some((vm) => vm.isConfigured !== 0 && mediatedDevices(vm).some(({ device }) => device.disk === number));

/** Position of the third argument of a mediated device: the number of its disk, from 1, which it may share; 0 is any that is free. */
const diskArgument = 2;

/** The disk that a device is on; it gets one, if there is one for it, when it is asked about for the first time. */
export function diskOf(rhyper: Rhyper, device: EmulatedDevice): MediatedDisk | undefined {
  const { disks } = rhyper.state;
  if (device.disk === 0) {
    const wanted = Number(device.arguments[diskArgument]);
    if (wanted !== 0) device.disk = disks[wanted - 1]?.isOffered === 1 ? wanted : 0;
    else device.disk = 1 + disks.findIndex(({ isOffered }, n) => isOffered !== 0 && !isTaken(rhyper, n + 1));
  }
  const disk = device.disk === 0 ? undefined : disks[device.disk - 1];
  return disk?.isOffered === 1 ? disk : undefined;
}

/** A device that is about to be configured: whatever its record was used for before. */
export function forgetDisk(device: EmulatedDevice): void {
  device.disk = 0;
  device.request.tag = 0;
  device.request.isUnderWay = 0;
  device.request.isAnnounced = 0;
}

/** The VM's devices leave their disks, and its own disks are gone. */
export function forgetDisks(rhyper: Rhyper, vm: Vm): void {
  for (const { device } of mediatedDevices(vm)) forgetDisk(device);
  for (const disk of rhyper.state.disks) if (disk.owner === vm.id) disk.isOffered = 0;
}

/** Sectors of a device's request on its disk; undefined where the configuration does not give it so many. */
export function sectorsOf({ arguments: values, request }: EmulatedDevice): number | undefined {
  const [first, sectors] = [Number(values[0]), Number(values[1])];
  const { sector, bytes } = request;
  if (bytes % sectorBytes !== 0 || sector + bytes / sectorBytes > sectors) return undefined;
  return first + sector;
}

/** Any VM may be the one with the number `limits.vms`: none. */
export const vmsInTurn = (rhyper: Rhyper, last: number): Vm[] =>
  Array.from({ length: limits.vms }, (_, n) => vmAt(rhyper, (last + 1 + n) % limits.vms)).filter(
    ({ isBuilt }) => isBuilt !== 0,
  );
