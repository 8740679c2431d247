// How requests of mediated block devices are served (section 8.2 of the ancestor's description). The core of the management VM's vCPU 0 does
// all of it: other cores tell it by a message that there is something to do, so that no two cores ever work on the same request.
//
//   a driver notifies its queue → MediatedDev to that core → the request goes into the page of its disk, data of OUT into the cache →
//   message {3, 0x32} to the management VM → it does the I/O, DEV_NOTIFY → data of IN go into the driver's buffer → status, used ring, interrupt
//
// VMs take turns: a request that is longer than the cache goes in pieces, and between two of them others have theirs. When the management
// VM is gone, every request is answered with IOERR.

import { type Activity, work } from '../../arch/resident.ts';
import { hasQuirk, type Rhyper, vcpuOf, vmAt } from '../context.ts';
import { type Ipi, sendIpi } from '../ipi.ts';
import { sendMessage } from '../messages.ts';
import { pageBytes } from '../memory.ts';
import { costs } from '../options.ts';
import { type EmulatedDevice, type MediatedDisk, type Vm, vmState } from '../state.ts';
import { countAfter, setPatience } from '../timer.ts';
import { isDirect } from '../vgic/direct.ts';
import { blockStatus, blockType, copyData, fetchRequest, finishRequest } from './device.ts';
import {
  diskOf,
  hasFailed,
  isMediated,
  mediatedDevices,
  putRequest,
  sectorBytes,
  sectorsOf,
  vmsInTurn,
} from './disks.ts';
import { diskState } from './state.ts';

/** DRV_NOTIFY. */
const message = { fid: 3, event: 0x32, arguments: [] } as const;

/** What MediatedDev says: look at a device of a VM, take the answer of a disk, or look at everything. */
const told = { request: 0, answer: 1, everything: 2 } as const;

const mediatorCore = (rhyper: Rhyper): number => vcpuOf(rhyper, vmAt(rhyper, 0), 0)?.core ?? 0;

function* tell(rhyper: Rhyper, vm: number, what: keyof typeof told, which = 0): Activity {
  yield* sendIpi(rhyper, mediatorCore(rhyper), { kind: 'MediatedDev', vm, a: told[what], b: which });
}

/** Registers of a transport by which a driver makes buffers available or gives the device up. */
const noticed: ReadonlySet<number> = new Set([0x50, 0x70]);

/** A driver has written to its mediated device. */
export function* noticeWrite(rhyper: Rhyper, vm: Vm, device: EmulatedDevice, offset: number): Activity {
  if (!isMediated(device) || !noticed.has(offset) || device.request.isAnnounced !== 0) return;
  device.request.isAnnounced = 1;
  yield* tell(rhyper, vm.id, 'request', vm.config.devices.indexOf(device));
}

/** The owner of a disk says that it is done with the request in its page. */
export function* noticeAnswer(rhyper: Rhyper, disk: MediatedDisk): Activity {
  yield* tell(rhyper, 0, 'answer', rhyper.state.disks.indexOf(disk));
}

/** There is a new disk, or somewhere to send messages, or the management VM is gone. */
export function* noticeManager(rhyper: Rhyper): Activity {
  yield* tell(rhyper, 0, 'everything');
}

export function* handleMediatedIpi(rhyper: Rhyper, { vm: id, a, b = 0 }: Ipi): Activity {
  if (a === told.request) {
    const vm = vmAt(rhyper, id);
    const device = vm.config.devices[b];
    if (!device) return;
    device.request.isAnnounced = 0;
    if (vm.isBuilt !== 0) yield* look(rhyper, vm, device);
  } else if (a === told.answer) {
    const disk = rhyper.state.disks[b];
    if (disk?.state === diskState.busy) yield* takeAnswer(rhyper, disk);
    else if (disk) disk.state = diskState.free;
  } else if (isManagerGone(rhyper)) yield* failEverything(rhyper);
  yield* beginWhatCan(rhyper);
  awaitAnswers(rhyper);
}

const isManagerGone = (rhyper: Rhyper): boolean => vmAt(rhyper, 0).state === vmState.inactive;

/** The next request of a device. What cannot be served is answered at once, and so on until one can, or there is none. */
function* look(rhyper: Rhyper, vm: Vm, device: EmulatedDevice): Activity {
  for (;;) {
    yield* fetchRequest(rhyper, device);
    const { request } = device;
    if (request.tag === 0 || request.isUnderWay !== 0) return;
    const isInside = request.type === blockType.FLUSH || sectorsOf(device) !== undefined;
    if (isInside && !isManagerGone(rhyper) && diskOf(rhyper, device)?.state !== diskState.silent) return;
    if (!isInside)
      rhyper.port.log(
        `VM ${vm.id} (${vm.name}): ${device.name}: ${request.bytes} bytes at sector ${request.sector} are out of its range`,
      );
    yield* finishRequest(rhyper, device, blockStatus.IOERR);
  }
}

function* failEverything(rhyper: Rhyper): Activity {
  for (const disk of rhyper.state.disks) {
    disk.isOffered = 0;
    disk.state = diskState.free;
  }
  for (const vm of vmsInTurn(rhyper, 0))
    for (const { device } of mediatedDevices(vm)) {
      if (device.request.isUnderWay !== 0) yield* finishRequest(rhyper, device, blockStatus.IOERR);
      yield* look(rhyper, vm, device);
    }
}

/** The timer is set for the first request whose answer will have taken too long. */
function awaitAnswers(rhyper: Rhyper): void {
  const busy = rhyper.state.disks.filter(({ isOffered, state }) => isOffered !== 0 && state === diskState.busy);
  const first = busy.reduce((end, { deadline }) => (end === 0n || deadline < end ? deadline : end), 0n);
  // The timer of a core whose VM takes its interrupts itself is not the hypervisor's.
  const isPatient = hasQuirk(rhyper, 'block-waits-forever') || isDirect(vmAt(rhyper, 0));
  setPatience(rhyper, isPatient ? 0n : first);
}

/**
 * Requests that the management VM has not answered in time end with IOERR. Its cache is its own until it answers all the same: until then
 * every request of that disk is an error.
 */
export function* giveUpRequests(rhyper: Rhyper): Activity {
  const now = rhyper.system.read('CNTPCT_EL0');
  for (const disk of rhyper.state.disks) {
    if (disk.isOffered === 0 || disk.state !== diskState.busy || disk.deadline > now) continue;
    disk.state = diskState.silent;
    const vm = vmAt(rhyper, disk.vm);
    const device = vm.config.devices[disk.device];
    if (!device || vm.isBuilt === 0 || device.slot !== disk.slot) continue;
    rhyper.port.log(
      `VM ${vm.id} (${vm.name}): ${device.name}: VM 0 does not answer, which is an I/O error from now on until it does`,
    );
    if (device.request.tag === disk.tag) yield* finishRequest(rhyper, device, blockStatus.IOERR);
  }
  for (const vm of vmsInTurn(rhyper, 0))
    for (const { device } of mediatedDevices(vm))
      if (diskOf(rhyper, device)?.state === diskState.silent) yield* look(rhyper, vm, device);
  yield* beginWhatCan(rhyper);
  awaitAnswers(rhyper);
}

interface Waiting {
  readonly vm: Vm;
  readonly device: EmulatedDevice;
  readonly n: number;
  readonly disk: MediatedDisk;
}

/** The first request after the turn of a VM that waits for one of these disks. */
function nextAfter(rhyper: Rhyper, turn: number, isWanted: (disk: MediatedDisk) => boolean): Waiting | undefined {
  for (const vm of vmsInTurn(rhyper, turn))
    for (const { device, n } of mediatedDevices(vm)) {
      if (device.request.tag === 0 || device.request.isUnderWay !== 0) continue;
      const disk = diskOf(rhyper, device);
      if (disk && isWanted(disk)) return { vm, device, n, disk };
    }
  return undefined;
}

/** What may begin now, if anything may. */
function nextToBegin(rhyper: Rhyper): Waiting | undefined {
  const { disks, blockTurn } = rhyper.state;
  if (vmAt(rhyper, 0).messagePage === 0 || isManagerGone(rhyper)) return undefined;
  if (hasQuirk(rhyper, 'one-block-request'))
    return disks.some((disk) => disk.isOffered !== 0 && disk.state === diskState.busy)
      ? undefined
      : nextAfter(rhyper, blockTurn, () => true);
  for (const disk of disks) {
    if (disk.isOffered === 0 || disk.state !== diskState.free) continue;
    const next = nextAfter(rhyper, disk.turn, (candidate) => candidate === disk);
    if (next) return next;
  }
  return undefined;
}

function* beginWhatCan(rhyper: Rhyper): Activity {
  for (let next = nextToBegin(rhyper); next; next = nextToBegin(rhyper)) yield* begin(rhyper, next);
}

const copyCost = (bytes: number): number => costs.copyPage * Math.ceil(bytes / pageBytes);

/** Puts a request, or as much of it as the cache holds, into the page of its disk. */
function* begin(rhyper: Rhyper, { vm, device, n, disk }: Waiting): Activity {
  const { request, slot } = device;
  const bytes = Math.min(request.bytes - request.done, disk.cacheBytes);
  request.isUnderWay = 1;
  const deadline = countAfter(rhyper, rhyper.options.blockPatienceTicks);
  const { tag } = request;
  Object.assign(disk, { state: diskState.busy, vm: vm.id, device: n, slot, tag, bytes, deadline, turn: vm.id });
  rhyper.state.blockTurn = vm.id;
  if (request.type === blockType.OUT) {
    yield* work(copyCost(bytes));
    if (!(yield* copyData(rhyper, device, { pa: disk.cache, offset: request.done, bytes }))) {
      yield* conclude(rhyper, disk, vm, device, blockStatus.IOERR);
      return;
    }
  }
  const sector = request.type === blockType.FLUSH ? 0 : (sectorsOf(device) ?? 0) + request.done / sectorBytes;
  putRequest(rhyper, disk, request.type, sector, bytes / sectorBytes);
  yield* sendMessage(rhyper, vmAt(rhyper, 0), message);
}

/** The I/O of the request in the page has been done, or has failed. The device may have forgotten the request meanwhile. */
function* takeAnswer(rhyper: Rhyper, disk: MediatedDisk): Activity {
  const vm = vmAt(rhyper, disk.vm);
  const device = vm.config.devices[disk.device];
  const { bytes } = disk;
  disk.state = diskState.free;
  if (!device || vm.isBuilt === 0 || device.slot !== disk.slot) return;
  const { request } = device;
  if (request.tag !== disk.tag) return;
  const isFailed = hasFailed(rhyper, disk);
  const isRead = request.type === blockType.IN && !isFailed;
  if (isRead) yield* work(copyCost(bytes));
  const isCopied = !isRead || (yield* copyData(rhyper, device, { pa: disk.cache, offset: request.done, bytes }));
  if (request.tag !== disk.tag) return;
  request.done += bytes;
  request.isUnderWay = 0;
  if (isFailed || !isCopied) yield* conclude(rhyper, disk, vm, device, blockStatus.IOERR);
  else if (request.done >= request.bytes) yield* conclude(rhyper, disk, vm, device, blockStatus.OK);
}

function* conclude(rhyper: Rhyper, disk: MediatedDisk, vm: Vm, device: EmulatedDevice, status: number): Activity {
  disk.state = diskState.free;
  yield* finishRequest(rhyper, device, status);
  yield* look(rhyper, vm, device);
}
