// Systems of files that exist in the test alone.

import type { InputFile } from '../../src/board/image.ts';
import { UserError } from '../../src/report/user-error.ts';
import { readSystem, type SystemOverrides } from '../../src/vm/system-file.ts';
import type { VmSystem } from '../../src/vm/system.ts';
import { arm64ImageFile } from '../board/elf-file.ts';
import { refusal } from '../board/refusal.ts';

/** Programs that come with Heddle are small here, and other files are the test's. */
function filesOf(files: Readonly<Record<string, Uint8Array | string>> = {}) {
  return (path: string): InputFile => {
    if (path.startsWith('builtin:')) return { path, bytes: arm64ImageFile({}) };
    const file = files[path];
    if (file === undefined) throw new UserError(`${path}: no such file`);
    return { path, bytes: typeof file === 'string' ? new TextEncoder().encode(file) : file };
  };
}

type Files = Readonly<Record<string, Uint8Array | string>>;

export const systemOf = (text: string, files: Files = {}, overrides: SystemOverrides = {}): VmSystem =>
  readSystem('system.yaml', new TextEncoder().encode(text), filesOf(files), overrides);

export const refused = (text: string, files: Files = {}): string => refusal(() => systemOf(text, files));

/** The sample of the ancestor's README, as its command line accepts it. */
export const ancestorSample = {
  name: 'guest-os-1',
  type: 'VM_T_LINUX',
  cmdline: 'earlycon console=hvc0,115200n8 root=/dev/vda rw audit=0',
  image: {
    kernel_filename: 'Image',
    kernel_load_ipa: '0x80080000',
    kernel_entry_point: '0x80080000',
    device_tree_filename: '-',
    device_tree_load_ipa: '0x80000000',
    ramdisk_filename: 'initrd.gz',
    ramdisk_load_ipa: '0',
  },
  memory: { region: [{ ipa_start: '0x80000000', length: '0x40000000' }] },
  cpu: { num: 1, allocate_bitmap: '0b0100', master: 2 },
  emulated_device: {
    emulated_device_list: [
      { name: 'intc@8000000', base_ipa: '0x8000000', length: '0x1000', irq_id: 0, type: 'EMU_DEVICE_T_GICD' },
      {
        name: 'virtio_net@a001000',
        base_ipa: '0xa001000',
        length: '0x1000',
        irq_id: 49,
        cfg_num: 6,
        cfg_list: ['0x74', '0x56', '0xaa', '0x0f', '0x47', '0xd1'],
        type: 'EMU_DEVICE_T_VIRTIO_NET',
      },
      {
        name: 'virtio_console@a002000',
        base_ipa: '0xa002000',
        length: '0x1000',
        irq_id: 50,
        cfg_num: 2,
        cfg_list: ['0', '0xa002000'],
        type: 'EMU_DEVICE_T_VIRTIO_CONSOLE',
      },
    ],
  },
  passthrough_device: {
    passthrough_device_list: [
      { name: 'gicv', base_pa: '0x3886000', base_ipa: '0x8010000', length: '0x2000', irq_num: 1, irq_list: [27] },
    ],
  },
  dtb_device: {
    dtb_device_list: [
      {
        name: 'gicd',
        type: 'DTB_DEVICE_T_GICD',
        irq_num: 0,
        irq_list: [],
        addr_region_ipa: '0x8000000',
        addr_region_length: '0x1000',
      },
    ],
  },
};
