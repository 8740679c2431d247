// What a system file may say (docs/vm.md has it for its users). Everything but the names of VMs has a default.

import { z } from 'zod';
import { quirks as quirkTable } from '../hypervisor/options.ts';
import {
  address,
  formOf,
  isMapping,
  listOf,
  macAddress,
  name,
  number,
  oneOf,
  section,
  size,
  time,
  words,
  yesOrNo,
} from './values.ts';

export const profiles = ['rust-shyper-2023', 'rust-shyper-2025', 'rtshyper', 'textbook'] as const;
export const fidelities = ['strict', 'as-is'] as const;
export const injections = ['list-registers', 'hcr-bits'] as const;
export const quirkNames = Object.keys(quirkTable) as (keyof typeof quirkTable)[];

/** An error that the board reports to a core, as an SError interrupt. */
const boardError = section({ core: number, at: time });

const board = section({
  cores: number.optional(),
  memory: size.optional(),
  gic: number.optional(),
  errors: listOf(boardError).optional(),
});

const rhyper = section({
  profile: oneOf(profiles).optional(),
  fidelity: oneOf(fidelities).optional(),
  quirks: listOf(oneOf(quirkNames)).optional(),
  'wait-traps': yesOrNo.optional(),
  injection: oneOf(injections).optional(),
  tick: time.optional(),
  'block-patience': time.optional(),
});

/** A disk of a file, or an empty one of a size. */
const disk = section({ file: words.optional(), size: size.optional(), 'read-only': yesOrNo.optional() });

const network = section({ capture: words.optional(), user: yesOrNo.optional() });

/** A number of cores of the board, or which, and how. */
const cpuSection = section({
  count: number.optional(),
  cores: listOf(number).optional(),
  master: number.optional(),
  exclusive: yesOrNo.optional(),
});
type Cpus = z.output<typeof cpuSection>;
const cpus = formOf<Cpus>((value) => (isMapping(value) ? cpuSection : number.transform((count): Cpus => ({ count }))));

const region = section({ at: address.optional(), size });
type Region = z.output<typeof region>;
const memory = formOf<Region[]>((value) => {
  if (Array.isArray(value)) return listOf(region).min(1, { error: 'a VM has memory' });
  if (isMapping(value)) return region.transform((one): Region[] => [one]);
  return size.transform((bytes): Region[] => [{ size: bytes }]);
});

/** A file, and where it goes. */
const fileSection = section({ file: words, at: address.optional() });
type PlacedFile = z.output<typeof fileSection>;
const placedFile = formOf<PlacedFile>((value) =>
  isMapping(value) ? fileSection : words.transform((file): PlacedFile => ({ file })),
);

export const deviceTypes = [
  'virtio-block',
  'mediated-block',
  'virtio-net',
  'virtio-console',
  'virtio-entropy',
  'gicd',
  'gppt',
  'gicr',
  'shyper',
] as const;
export type DeviceType = (typeof deviceTypes)[number];

const device = section({
  type: oneOf(deviceTypes),
  name: name.optional(),
  at: address.optional(),
  size: size.optional(),
  irq: number.optional(),
  /** Block devices. */
  disk: name.optional(),
  'first-sector': number.optional(),
  sectors: number.optional(),
  /** Network devices. */
  mac: macAddress.optional(),
  /** Devices of different groups never see each other's frames. */
  group: name.optional(),
  /** Consoles: the other VM, or the host. */
  peer: name.optional(),
});

const passthrough = section({
  name: name.optional(),
  pa: address.optional(),
  at: address.optional(),
  size: size.optional(),
  'read-only': yesOrNo.optional(),
  irqs: listOf(number).optional(),
  stream: number.optional(),
  /** A DMA engine of the board, with all that belongs to it. */
  dma: number.optional(),
});

const consoles = ['uart', 'virtio', 'none'] as const;

const machine = {
  cpus: cpus.optional(),
  memory: memory.optional(),
  kernel: placedFile.optional(),
  ramdisk: placedFile.optional(),
  'device-tree': placedFile.optional(),
  bootargs: words.optional(),
  console: oneOf(consoles).optional(),
  devices: listOf(device).optional(),
  passthrough: listOf(passthrough).optional(),
};

const mvm = section({ name: name.optional(), ...machine });
const vm = section({
  name: name.optional(),
  kind: oneOf(['gvm', 'rtvm', 'app']).optional(),
  boot: oneOf(['mvm', 'power-on', 'none']).optional(),
  /** A file in the ancestor's JSON in place of everything else. */
  config: words.optional(),
  ...machine,
});

export const systemFile = section({
  board: board.optional(),
  rhyper: rhyper.optional(),
  disks: z.record(z.string(), disk, { error: 'a mapping of names to disks belongs here' }).optional(),
  network: network.optional(),
  mvm: mvm.optional(),
  vms: listOf(vm).optional(),
  /** Commands for the shell of the MVM, after the VMs have been booted. */
  commands: listOf(words).optional(),
});

export type SystemFile = z.output<typeof systemFile>;
export type VmEntry = z.output<typeof vm>;
export type DeviceEntry = z.output<typeof device>;
export type PassthroughEntry = z.output<typeof passthrough>;
