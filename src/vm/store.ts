// The store: an archive in RAM by which the MVM gets the images and configurations of the VMs that it creates. It holds hypercalls ready
// to be made, so that code in the MVM parses nothing. Little-endian; the C side is tests/guests/src/kernel/store.h.
//
//   offset 0   magic "HEDDLEST", u32 version 1, u32 number of entries, u64 size of the store in bytes, u64 0
//   offset 32  entries of 64 bytes: name (48 bytes, ended by zeros), u64 offset from the start of the store, u64 size in bytes
//   then       the contents, each at a multiple of 4 KiB
//
// Entries, for every VM NAME that the MVM may create:
//
//   NAME.cfg   name (32 bytes), u32 number of calls, u32 type, 24 bytes of zeros; then the calls, 64 bytes each: X7, X0 to X6.
//              Made in this order they create the VM: the first is ADD_VM, which returns the id; in all others X0 is to be replaced
//              by that id. Addresses in X1 to X6, and X0 of ADD_VM, are IPAs of the store as the MVM sees it.
//   NAME.img   the kernel's flat image, which the last calls upload.
//   script     text: commands for the MVM's shell at power-on, one in a line.

import type { VmDescription } from '../hypervisor/description.ts';
import { treeDeviceKinds } from '../hypervisor/description.ts';
import { limits } from '../hypervisor/limits.ts';
import { deviceKind, vmKind } from '../hypervisor/state.ts';

const magic = 'HEDDLEST';
const version = 1;
const headerBytes = 32;
const entryBytes = 64;
const entryNameBytes = 48;
const pageBytes = 0x1000;
const callBytes = 64;
const configHeaderBytes = 64;

/** The ancestor's tool uploads no more at once. */
const uploadBytes = 32 * 0x10_0000;

const configFid = 0x11;
const event = {
  ADD_VM: 0,
  CPU: 2,
  MEMORY_REGION: 3,
  EMULATED_DEVICE: 4,
  PASSTHROUGH_REGION: 5,
  PASSTHROUGH_READ_ONLY: 0x20,
  PASSTHROUGH_IRQS: 6,
  PASSTHROUGH_STREAMS: 7,
  DTB_DEVICE: 8,
  UPLOAD_KERNEL_IMAGE: 9,
} as const;

interface Entry {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const utf8 = new TextEncoder();
const alignUp = (value: number, unit: number): number => Math.ceil(value / unit) * unit;

/** Text as the hypervisor reads a name: `length` bytes, ended by zeros. */
function fixedText(text: string, length: number): Uint8Array {
  const field = new Uint8Array(length);
  field.set(utf8.encode(text).subarray(0, length - 1));
  return field;
}

function doublewords(values: readonly number[]): Uint8Array {
  return new Uint8Array(BigUint64Array.from(values, (value) => BigInt.asUintN(64, BigInt(value))).buffer);
}

/** The calls that create one VM, and behind them what they point to. `base` is the IPA of the whole. */
function configuration(vm: VmDescription, base: number, imageIpa: number): Uint8Array {
  const calls: (readonly number[])[] = [];
  const call = (number: number, ...values: readonly number[]): void => {
    calls.push([configFid * 0x100 + number, ...values]);
  };
  // Addresses are known once the number of calls is: data are placed relative to their own start, which is added below.
  const data: Uint8Array[] = [];
  let dataBytes = 0;
  const uploads = (bytes: Uint8Array): number => Math.ceil(bytes.length / uploadBytes);
  const callCount =
    2 +
    vm.memory.length +
    vm.devices.length +
    vm.windows.length +
    (vm.irqs.length > 0 ? 1 : 0) +
    (vm.streams.length > 0 ? 1 : 0) +
    vm.treeDevices.length +
    uploads(vm.kernel.bytes);
  const dataBase = base + configHeaderBytes + callCount * callBytes;
  const put = (bytes: Uint8Array): number => {
    const at = dataBase + dataBytes;
    const padded = new Uint8Array(alignUp(bytes.length, 8));
    padded.set(bytes);
    data.push(padded);
    dataBytes += padded.length;
    return at;
  };
  const putName = (text: string): number => put(fixedText(text, limits.nameBytes));
  const later = 0;
  const upload = (number: number, bytes: Uint8Array, ipa: number): void => {
    for (let offset = 0; offset < bytes.length; offset += uploadBytes) {
      const size = Math.min(uploadBytes, bytes.length - offset);
      call(number, later, bytes.length, ipa + offset, offset, size);
    }
  };

  const type = vm.kind === 'app' ? vmKind.bareMetalApp : vmKind.operatingSystem;
  const commandLine = utf8.encode(`${vm.commandLine}\0`);
  const description = [
    putName(vm.name),
    utf8.encode(vm.name).length,
    type,
    put(commandLine),
    commandLine.length - 1,
    vm.kernel.loadIpa,
    vm.tree?.loadIpa ?? 0,
    vm.ramdisk?.loadIpa ?? 0,
  ];
  call(event.ADD_VM, put(doublewords(description)));
  for (const { ipa, bytes } of vm.memory) call(event.MEMORY_REGION, later, ipa, bytes);
  call(event.CPU, later, vm.cpus.count, vm.cpus.mask, vm.cpus.master ?? -1);
  for (const { name, ipa, bytes, intid, arguments: list, kind } of vm.devices) {
    const padded = Array.from({ length: limits.deviceArguments }, (_, n) => list[n] ?? 0);
    const listIpa = put(doublewords(padded));
    call(event.EMULATED_DEVICE, later, putName(name), ipa, bytes, intid, listIpa, deviceKind[kind]);
  }
  for (const { ipa, pa, bytes, readOnly } of vm.windows)
    call(readOnly === true ? event.PASSTHROUGH_READ_ONLY : event.PASSTHROUGH_REGION, later, ipa, pa, bytes);
  if (vm.irqs.length > 0) call(event.PASSTHROUGH_IRQS, later, put(doublewords(vm.irqs)), vm.irqs.length);
  if (vm.streams.length > 0) call(event.PASSTHROUGH_STREAMS, later, put(doublewords(vm.streams)), vm.streams.length);
  for (const { name, kind, intids, ipa, bytes } of vm.treeDevices) {
    const listIpa = put(doublewords(intids));
    call(event.DTB_DEVICE, later, putName(name), treeDeviceKinds.indexOf(kind), listIpa, intids.length, ipa, bytes);
  }
  upload(event.UPLOAD_KERNEL_IMAGE, vm.kernel.bytes, imageIpa);

  const result = new Uint8Array(configHeaderBytes + callCount * callBytes + dataBytes);
  result.set(fixedText(vm.name, limits.nameBytes));
  new DataView(result.buffer).setUint32(limits.nameBytes, calls.length, true);
  new DataView(result.buffer).setUint32(limits.nameBytes + 4, type, true);
  calls.forEach((words, n) => {
    result.set(doublewords(words), configHeaderBytes + n * callBytes);
  });
  let at = configHeaderBytes + callCount * callBytes;
  for (const bytes of data) {
    result.set(bytes, at);
    at += bytes.length;
  }
  return result;
}

/** Builds the store for these VMs; the MVM will see it at `ipa`. */
export function buildStore(vms: readonly VmDescription[], script: readonly string[], ipa: number): Uint8Array {
  // Sizes do not depend on addresses: a configuration for address 0 is as long as the real one.
  const sized = vms.flatMap((vm): Entry[] => [
    { name: `${vm.name}.cfg`, bytes: configuration(vm, 0, 0) },
    { name: `${vm.name}.img`, bytes: vm.kernel.bytes },
  ]);
  const entries: Entry[] = [
    { name: 'script', bytes: utf8.encode(script.map((line) => `${line}\n`).join('')) },
    ...sized,
  ];
  const offsets = new Map<string, number>();
  let end = alignUp(headerBytes + entries.length * entryBytes, pageBytes);
  for (const { name, bytes } of entries) {
    offsets.set(name, end);
    end = alignUp(end + bytes.length, pageBytes);
  }
  const offsetOf = (name: string): number => offsets.get(name) ?? 0;
  const store = new Uint8Array(end);
  const view = new DataView(store.buffer);
  store.set(utf8.encode(magic));
  view.setUint32(8, version, true);
  view.setUint32(12, entries.length, true);
  view.setBigUint64(16, BigInt(end), true);
  entries.forEach(({ name, bytes }, n) => {
    const at = headerBytes + n * entryBytes;
    store.set(fixedText(name, entryNameBytes), at);
    view.setBigUint64(at + entryNameBytes, BigInt(offsetOf(name)), true);
    view.setBigUint64(at + entryNameBytes + 8, BigInt(bytes.length), true);
    store.set(bytes, offsetOf(name));
  });
  for (const vm of vms) {
    const at = offsetOf(`${vm.name}.cfg`);
    store.set(configuration(vm, ipa + at, ipa + offsetOf(`${vm.name}.img`)), at);
  }
  return store;
}
