// The register map of virtio over MMIO (virtio 1.2, "MMIO Device Register Layout"). The device-specific configuration follows it.

import { type Register, registerTable } from '../device.ts';

export type TransportRegister = (typeof rows)[number]['name'];

const word = 0xffff_ffff;
const readOnly = <Name extends string>(name: Name, offset: number, reset = 0) =>
  ({ name, offset, reset, access: 'RO', mask: 0 }) as const;
const writeOnly = <Name extends string>(name: Name, offset: number, mask = word) =>
  ({ name, offset, reset: 0, access: 'WO', mask }) as const;
const readWrite = <Name extends string>(name: Name, offset: number, mask: number) =>
  ({ name, offset, reset: 0, access: 'RW', mask }) as const;

/** "virt" */
const magic = 0x7472_6976;
/** "HDDL" */
const vendor = 0x4c44_4448;

const rows = [
  readOnly('MagicValue', 0x000, magic),
  readOnly('Version', 0x004, 2),
  readOnly('DeviceID', 0x008),
  readOnly('VendorID', 0x00c, vendor),
  readOnly('DeviceFeatures', 0x010),
  writeOnly('DeviceFeaturesSel', 0x014),
  writeOnly('DriverFeatures', 0x020),
  writeOnly('DriverFeaturesSel', 0x024),
  writeOnly('QueueSel', 0x030),
  readOnly('QueueNumMax', 0x034),
  writeOnly('QueueNum', 0x038),
  readWrite('QueueReady', 0x044, 1),
  writeOnly('QueueNotify', 0x050),
  readOnly('InterruptStatus', 0x060),
  writeOnly('InterruptACK', 0x064, 3),
  readWrite('Status', 0x070, 0xff),
  writeOnly('QueueDescLow', 0x080),
  writeOnly('QueueDescHigh', 0x084),
  writeOnly('QueueDriverLow', 0x090),
  writeOnly('QueueDriverHigh', 0x094),
  writeOnly('QueueDeviceLow', 0x0a0),
  writeOnly('QueueDeviceHigh', 0x0a4),
  writeOnly('SHMSel', 0x0ac),
  // No device here shares memory: the length and the base of every region are -1.
  readOnly('SHMLenLow', 0x0b0, word),
  readOnly('SHMLenHigh', 0x0b4, word),
  readOnly('SHMBaseLow', 0x0b8, word),
  readOnly('SHMBaseHigh', 0x0bc, word),
  readWrite('QueueReset', 0x0c0, 1),
  readOnly('ConfigGeneration', 0x0fc),
] as const satisfies readonly Register[];

/** Where the device-specific configuration begins. */
export const configOffset = 0x100;

export const transportTable = registerTable<Register<TransportRegister>>(rows, configOffset);

/** InterruptStatus and InterruptACK. */
export const interruptBit = { usedBuffer: 1, configuration: 2 } as const;
