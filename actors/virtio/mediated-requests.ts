// The requests of a block device as whoever carries them out sees them: registers beside those of the transport, which a driver does not
// reach. What a virtual machine asks of its disk, the hypervisor reads here, has it done by the VM that owns the disk, and answers.
//
// Data go between the driver's buffer, scattered as it may be, and a buffer in one piece. GET_ID is answered at once, and so are
// a write to a read-only device and what is neither IN, OUT nor FLUSH.

import { type Device, type Register, RegisterFile, registerTable } from '../device.ts';
import { type BlockDevice, blockDevice, type BlockOptions, type BlockRequest } from './block.ts';
import { remoteStore } from './block-store.ts';
import { blockFeature, requestStatus, requestType } from './block-requests.ts';
import type { DeviceFactory } from './device.ts';
import type { GuestMemory } from './guest-memory.ts';

type MediationRegister =
  'TAG' | 'TYPE' | 'SECTOR_LOW' | 'SECTOR_HIGH' | 'SIZE' | 'BUFFER_LOW' | 'BUFFER_HIGH' | 'OFFSET' | 'COPY' | 'FINISH';

const all = 0xffff_ffff;
const row = (
  name: MediationRegister,
  offset: number,
  access: Register['access'],
  mask = all,
): Register<MediationRegister> => ({ name, offset, reset: 0, access, mask });

/** `src/hypervisor/mediated/device.ts` has the same offsets from the other side. */
const table = registerTable(
  [
    /** Read: the request that is being served, 0 without. Written: the request that COPY and FINISH are about. */
    row('TAG', 0x00, 'RW'),
    row('TYPE', 0x04, 'RO'),
    row('SECTOR_LOW', 0x08, 'RO'),
    row('SECTOR_HIGH', 0x0c, 'RO'),
    /** Bytes of data. */
    row('SIZE', 0x10, 'RO'),
    /** Physical address of the buffer in one piece. */
    row('BUFFER_LOW', 0x14, 'RW'),
    row('BUFFER_HIGH', 0x18, 'RW'),
    /** Where in the request's data the buffer begins. */
    row('OFFSET', 0x1c, 'RW'),
    /** Written: moves so many bytes, as the type says. Read: 1 where the last move was made. */
    row('COPY', 0x20, 'RW'),
    /** Ends the request with this status. */
    row('FINISH', 0x24, 'WO', 0xff),
  ],
  0x28,
);

const mediated: readonly number[] = [requestType.IN, requestType.OUT, requestType.FLUSH];
const serial = 'virtio-blk';

export interface MediatedBlockOptions {
  readonly sizeBytes: number;
  readonly readOnly: boolean;
  /** FLUSH is offered. */
  readonly flushes: boolean;
  readonly answersEarly: boolean;
}

export class MediatedRequests implements Device {
  /** Of physical addresses. */
  private readonly memory: GuestMemory;
  private readonly registers = new RegisterFile(table);
  private readonly options: MediatedBlockOptions;
  private device: BlockDevice | undefined;
  private tag = 0;

  constructor(memory: GuestMemory, options: MediatedBlockOptions) {
    this.memory = memory;
    this.options = options;
  }

  get guestErrors(): Device['guestErrors'] {
    return this.registers.guestErrors;
  }

  /** The device whose requests these are. */
  readonly makeDevice: DeviceFactory<BlockDevice> = (host) => {
    const { sizeBytes, readOnly, flushes, answersEarly } = this.options;
    const { FLUSH, CONFIG_WCE, DISCARD, WRITE_ZEROES } = blockFeature;
    const options: BlockOptions = {
      store: remoteStore(sizeBytes, readOnly),
      serial,
      withheld: [CONFIG_WCE, DISCARD, WRITE_ZEROES, ...(flushes ? [] : [FLUSH])],
      answersEarly,
      service: {
        begin: (request) => {
          this.begin(request);
        },
      },
    };
    this.device = blockDevice(options)(host);
    return this.device;
  };

  private begin({ tag, type }: BlockRequest): void {
    const { readOnly } = this.options;
    if (type === requestType.GET_ID) this.device?.finish(tag);
    else if (type === requestType.OUT && readOnly) this.device?.end(tag, requestStatus.IOERR);
    else if (!mediated.includes(type) || (type === requestType.FLUSH && !this.options.flushes))
      this.device?.end(tag, requestStatus.UNSUPP);
  }

  read(offset: number, sizeBytes: number): number {
    const found = this.registers.rowToRead(offset);
    if (found === undefined || sizeBytes !== 4) return 0;
    const request = this.device?.inService;
    switch (found.name) {
      case 'TAG':
        return request?.tag ?? 0;
      case 'TYPE':
        return request?.type ?? 0;
      case 'SECTOR_LOW':
        return (request?.sector ?? 0) % 2 ** 32;
      case 'SECTOR_HIGH':
        return Math.floor((request?.sector ?? 0) / 2 ** 32) % 2 ** 32;
      case 'SIZE':
        return request?.sizeBytes ?? 0;
      default:
        return this.value(found.name);
    }
  }

  write(offset: number, sizeBytes: number, value: number): void {
    const found = this.registers.rowToWrite(offset);
    if (found === undefined) return;
    if (sizeBytes !== 4) {
      this.guestErrors.unsupportedSize++;
      return;
    }
    switch (found.name) {
      case 'TAG':
        this.tag = value;
        break;
      case 'COPY':
        this.registers.store(found, this.copy(value) ? 1 : 0);
        break;
      case 'FINISH':
        this.device?.end(this.tag, value & found.mask);
        break;
      default:
        this.registers.store(found, value);
    }
  }

  private value(name: MediationRegister): number {
    return this.registers.values[table.rows.findIndex((candidate) => candidate.name === name)] ?? 0;
  }

  private copy(sizeBytes: number): boolean {
    const request = this.device?.inService;
    if (request === undefined) return false;
    const buffer = this.value('BUFFER_HIGH') * 2 ** 32 + this.value('BUFFER_LOW');
    const offset = this.value('OFFSET');
    if (request.type === requestType.OUT) {
      const bytes = this.device?.takeData(this.tag, offset, sizeBytes);
      return bytes !== undefined && this.memory.writeBytes(buffer, bytes);
    }
    const bytes = this.memory.readBytes(buffer, sizeBytes);
    return bytes !== undefined && this.device?.giveData(this.tag, offset, bytes) === true;
  }

  save(): { readonly tag: number; readonly values: readonly number[] } {
    return { tag: this.tag, values: [...this.registers.values] };
  }

  restore({ tag, values }: ReturnType<MediatedRequests['save']>): void {
    this.tag = tag;
    this.registers.values.set(values);
  }
}
