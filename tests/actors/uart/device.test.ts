import { describe, expect, it } from 'vitest';
import { busMessages, busResponse } from '../../../actors/bus/messages.ts';
import {
  type Device,
  noGuestErrors,
  type Register,
  RegisterFile,
  registerTable,
  serveBusRequest,
} from '../../../actors/device.ts';
import { FakePort, request } from './bench.ts';

function recorder(): { device: Device; accesses: unknown[][] } {
  const accesses: unknown[][] = [];
  const device: Device = {
    guestErrors: noGuestErrors(),
    read: (...access) => {
      accesses.push(['read', ...access]);
      return 0x1000 + access[0];
    },
    write: (...access) => void accesses.push(['write', ...access]),
  };
  return { device, accesses };
}

describe('the adapter of the bus', () => {
  it('splits an access of 64 bits, the lower address first', () => {
    const port = new FakePort();
    const { device, accesses } = recorder();
    expect(serveBusRequest(port, device, request(true, 8, 8, [1]))).toBe(true);
    serveBusRequest(port, device, request(false, 16, 8, [0xffff_fff0, 5, 0]));
    expect(accesses).toEqual([
      ['read', 8, 4, true],
      ['read', 12, 4, true],
      ['write', 16, 4, 0xffff_fff0, false],
      ['write', 20, 4, 5, false],
    ]);
    expect(port.sent).toEqual([
      { target: 1, code: busMessages.ReadResponse.code, payload: [busResponse.OKAY, 42, 0x1008, 0x100c] },
      { target: 1, code: busMessages.WriteResponse.code, payload: [busResponse.OKAY, 42] },
    ]);
  });

  it('answers a size that does not exist, and an unaligned access, with SLVERR', () => {
    const port = new FakePort();
    const { device, accesses } = recorder();
    serveBusRequest(port, device, request(true, 2, 4));
    serveBusRequest(port, device, request(false, 0, 3, [1]));
    expect(accesses).toEqual([]);
    expect(port.sent.map(({ payload }) => payload[0])).toEqual([busResponse.SLVERR, busResponse.SLVERR]);
    expect(device.guestErrors.unsupportedSize).toBe(2);
  });

  it('leaves other messages alone', () => {
    const port = new FakePort();
    expect(serveBusRequest(port, recorder().device, { ...request(true, 0, 4), code: 0x0401 })).toBe(false);
    expect(port.sent).toEqual([]);
  });
});

describe('a register file', () => {
  const rows: readonly Register[] = [
    { name: 'RW', offset: 0, reset: 0xf0, access: 'RW', mask: 0x0f },
    { name: 'W1C', offset: 4, reset: 0xff, access: 'W1C', mask: 0x3c },
    { name: 'RO', offset: 8, reset: 1, access: 'RO', mask: 0, count: 2 },
    { name: 'WO', offset: 16, reset: 0, access: 'WO', mask: 0xff },
  ];

  it('writes the bits of the mask, and clears those of a W1C register that are written 1', () => {
    const file = new RegisterFile(registerTable(rows, 32));
    file.store(file.rowToWrite(0)!, 0xffff_ffff);
    file.store(file.rowToWrite(4)!, 0xf0);
    expect(Array.from(file.values)).toEqual([0xff, 0xcf, 1, 0]);
  });

  it('counts accesses that the table forbids', () => {
    const file = new RegisterFile(registerTable(rows, 32));
    expect([file.rowToWrite(8), file.rowToRead(16), file.rowToRead(20), file.rowToRead(4096)]).toEqual(
      Array(4).fill(undefined),
    );
    expect(file.rowToRead(12)?.name).toBe('RO');
    expect(file.guestErrors).toMatchObject({ writeOfReadOnly: 1, readOfWriteOnly: 1, unknownOffset: 2 });
  });
});
