// The configuration of one VM as the ancestor's command line reads it (Rust-Shyper, `vm config FILE.json`): JSON with addresses as
// strings in hexadecimal, bitmaps as strings in binary, and lists inside of sections.
//
// As there: the entry point is the load address whatever `kernel_entry_point` says, and counts beside lists (`num`, `irq_num`,
// `cfg_num`) are as long as the lists are. Colours and budgets of memory are refused: this machine has neither.

import { z } from 'zod';
import { deviceKind } from '../hypervisor/state.ts';
import { treeDeviceKinds } from '../hypervisor/description.ts';
import type { TreeDeviceDescription } from '../hypervisor/description.ts';
import type { Aspect, DeviceDraft, VmDraft } from './draft.ts';
import { type LocatedFile, locatedFile, type Path } from './located-file.ts';
import { listOf, number, oneOf, parsed, section, words } from './values.ts';

/** The numbers of these types are those of the hypercall. */
const deviceTypes = [
  'EMU_DEVICE_T_CONSOLE',
  'EMU_DEVICE_T_GICD',
  'EMU_DEVICE_T_GPPT',
  'EMU_DEVICE_T_VIRTIO_BLK',
  'EMU_DEVICE_T_VIRTIO_NET',
  'EMU_DEVICE_T_VIRTIO_CONSOLE',
  'EMU_DEVICE_T_SHYPER',
  'EMU_DEVICE_T_VIRTIO_BLK_MEDIATED',
  'EMU_DEVICE_T_IOMMU',
  'EMU_DEVICE_T_ICC_SRE',
  'EMU_DEVICE_T_SGIR',
  'EMU_DEVICE_T_GICR',
] as const;
const kinds = Object.entries(deviceKind) as [DeviceDraft['kind'], number][];

const treeTypes: readonly (readonly [string, TreeDeviceDescription['kind']])[] = [
  ['DTB_DEVICE_T_SERIAL', 'serial'],
  ['DTB_DEVICE_T_CONSOLE', 'serial'],
  ['DTB_DEVICE_T_GICD', 'gicd'],
  ['DTB_DEVICE_T_GICC', 'gicc'],
  ['DTB_DEVICE_T_GICR', 'gicr'],
];
const vmTypes = ['VM_T_LINUX', 'VM_T_BARE_MATEL_APP', 'VM_T_FREERTOS'] as const;

const signed = parsed('2, or -1 for none', (text) => (/^-?\d+$/.test(text) ? Number(text) : undefined));
const count = number.optional();

const configuration = section({
  name: words,
  type: oneOf(vmTypes),
  cmdline: words,
  image: section({
    kernel_filename: words,
    kernel_load_ipa: number,
    kernel_entry_point: number.optional(),
    device_tree_filename: words.optional(),
    device_tree_load_ipa: number,
    ramdisk_filename: words.optional(),
    ramdisk_load_ipa: number.optional(),
  }),
  memory: section({
    num: count,
    region: listOf(section({ ipa_start: number, length: number })),
    colors: z.never({ error: 'this machine has no cache colours' }).optional(),
    budget: z.never({ error: 'this machine has no bandwidth budgets' }).optional(),
  }),
  cpu: section({ num: number, allocate_bitmap: number, master: signed }),
  emulated_device: section({
    num: count,
    emulated_device_list: listOf(
      section({
        name: words,
        base_ipa: number,
        length: number,
        irq_id: number,
        cfg_num: count,
        cfg_list: listOf(number).optional(),
        type: oneOf(deviceTypes),
      }),
    ),
  }),
  passthrough_device: section({
    num: count,
    passthrough_device_list: listOf(
      section({
        name: words,
        base_pa: number,
        base_ipa: number,
        length: number,
        smmu_id: number.optional(),
        irq_num: count,
        irq_list: listOf(number),
      }),
    ),
  }),
  dtb_device: section({
    num: count,
    dtb_device_list: listOf(
      section({
        name: words,
        type: oneOf(treeTypes.map(([type]) => type)),
        irq_num: count,
        irq_list: listOf(number),
        addr_region_ipa: number,
        addr_region_length: number,
      }),
    ),
  }),
});

type Configuration = z.output<typeof configuration>;

const pathOf: Readonly<Record<Aspect, Path>> = {
  name: ['name'],
  cpus: ['cpu', 'allocate_bitmap'],
  memory: ['memory', 'region'],
  kernel: ['image', 'kernel_filename'],
  ramdisk: ['image', 'ramdisk_filename'],
  tree: ['image', 'device_tree_filename'],
  bootargs: ['cmdline'],
  devices: ['emulated_device', 'emulated_device_list'],
  passthrough: ['passthrough_device', 'passthrough_device_list'],
};

function coresOf(bitmap: number): number[] {
  return Array.from({ length: 32 }, (_, core) => core).filter((core) => (Math.floor(bitmap / 2 ** core) & 1) === 1);
}

function deviceOf(device: Configuration['emulated_device']['emulated_device_list'][number]): DeviceDraft {
  const [kind] = kinds[deviceTypes.indexOf(device.type)] as (typeof kinds)[number];
  return {
    name: device.name,
    kind,
    intid: device.irq_id,
    ipa: device.base_ipa,
    bytes: device.length,
    arguments: device.cfg_list ?? [],
  };
}

const isFile = (path: string | undefined): path is string => path !== undefined && path !== '' && path !== '-';

/** Is this file the ancestor's, and not a system file? */
export const isAncestorFile = ({ value }: LocatedFile): boolean =>
  typeof value === 'object' && value !== null && 'image' in value && 'emulated_device' in value;

export function draftOfAncestorFile(path: string, bytes: Uint8Array, boot: VmDraft['boot']): VmDraft {
  const file = locatedFile(path, bytes);
  const { name, type, cmdline, image, memory, cpu, ...lists } = file.read(configuration);
  if (type === 'VM_T_FREERTOS')
    return file.refuse(['type'], `${type} has no meaning for the hypervisor: use VM_T_LINUX`);
  const passthrough = lists.passthrough_device.passthrough_device_list;
  const treeIpa = image.device_tree_load_ipa;
  return {
    name,
    kind: type === 'VM_T_LINUX' ? 'gvm' : 'app',
    boot,
    cpus: {
      count: cpu.num,
      cores: coresOf(cpu.allocate_bitmap),
      master: cpu.master < 0 ? undefined : cpu.master,
      exclusive: false,
    },
    memory: memory.region.map(({ ipa_start: ipa, length }) => ({ ipa, bytes: length })),
    kernel: { file: image.kernel_filename, loadIpa: image.kernel_load_ipa, isLoadGiven: true },
    ...(isFile(image.ramdisk_filename) &&
      (image.ramdisk_load_ipa ?? 0) > 0 && {
        ramdisk: { file: image.ramdisk_filename, loadIpa: image.ramdisk_load_ipa as number },
      }),
    ...(treeIpa > 0 && {
      tree: isFile(image.device_tree_filename)
        ? { loadIpa: treeIpa, file: image.device_tree_filename }
        : { loadIpa: treeIpa },
    }),
    commandLine: cmdline,
    devices: lists.emulated_device.emulated_device_list.map(deviceOf),
    windows: passthrough
      .filter(({ length }) => length > 0)
      .map(({ base_pa: pa, base_ipa: ipa, length }) => ({ pa, ipa, bytes: length })),
    irqs: passthrough.flatMap(({ irq_list: irqs }) => irqs),
    streams: passthrough.flatMap(({ smmu_id: stream }) => stream ?? []),
    treeDevices: lists.dtb_device.dtb_device_list.map((device) => ({
      name: device.name,
      kind: treeTypes.find(([known]) => known === device.type)?.[1] ?? treeDeviceKinds[0],
      ipa: device.addr_region_ipa,
      bytes: device.addr_region_length,
      intids: device.irq_list,
    })),
    hasUart: false,
    refuse: (aspect, index, message) =>
      file.refuse([...pathOf[aspect], ...(index === undefined ? [] : [index])], message),
  };
}
