import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Message } from '../../../actors/actor.ts';
import { busMessages, busResponse, requestPayload, responseWords } from '../../../actors/bus/messages.ts';
import { type Device, noGuestErrors, serveBusRequest } from '../../../actors/device.ts';
import { decode, encode, maxPayloadWords } from '../../../actors/protocol.ts';

const { ReadRequest, ReadResponse, WriteRequest, WriteResponse } = busMessages;
const word = fc.integer({ min: 0, max: 0xffff_ffff });

/** Serves one request of a device that keeps its accesses; what it answers, and what the device saw. */
function serve(row: typeof ReadRequest | typeof WriteRequest, payload: readonly number[]) {
  const accesses: number[][] = [];
  const device: Device = {
    guestErrors: noGuestErrors(),
    read: (offset, sizeBytes, nonSecure) => {
      accesses.push([offset, sizeBytes, Number(nonSecure)]);
      return offset + 1;
    },
    write: (offset, sizeBytes, value, nonSecure) => {
      accesses.push([offset, sizeBytes, value, Number(nonSecure)]);
    },
  };
  const sent: { target: number; code: number; payload: readonly number[] }[] = [];
  const port = {
    self: 9,
    now: () => 0,
    send: (target: number, code: number, words: readonly number[]) => sent.push({ target, code, payload: words }),
    at: () => undefined,
    cancel: () => undefined,
  };
  const message: Message = { code: row.code, source: 4, target: 9, sequence: 1, dueTicks: 0, payload };
  expect(serveBusRequest(port, device, message)).toBe(true);
  return { accesses, sent, guestErrors: device.guestErrors };
}

describe('the bus protocol', () => {
  it('fits its messages into a mailbox, and takes apart what it has put together', () => {
    for (const row of Object.values(busMessages)) expect(row.fields.length).toBeLessThanOrEqual(maxPayloadWords);
    fc.assert(
      fc.property(fc.record({ offset: word, sizeBytes: word, tag: word, nonSecure: word }), (fields) => {
        expect(decode(ReadRequest, encode(ReadRequest, fields))).toEqual(fields);
      }),
    );
  });

  it('has requests put together as their rows say', () => {
    fc.assert(
      fc.property(word, fc.constantFrom(1, 2, 4, 8), word, word, fc.boolean(), (offset, sizeBytes, low, high, isNs) => {
        const fields = { offset, sizeBytes, tag: 0, nonSecure: Number(isNs) };
        const written = { ...fields, valueLow: low, valueHigh: high };
        expect(requestPayload(false, offset, sizeBytes, low, high, isNs)).toEqual(encode(ReadRequest, fields));
        expect(requestPayload(true, offset, sizeBytes, low, high, isNs)).toEqual(encode(WriteRequest, written));
      }),
    );
    for (const row of [ReadResponse, WriteResponse]) {
      expect(row.fields.map((name) => responseWords[name])).toEqual(row.fields.map((_, n) => n));
    }
  });

  it('answers the sender with the tag of the request', () => {
    fc.assert(
      fc.property(word, fc.nat(1000), (tag, n) => {
        const read = serve(ReadRequest, [4 * n, 4, tag, 1]);
        expect(read.sent).toEqual([
          { target: 4, code: ReadResponse.code, payload: [busResponse.OKAY, tag, 4 * n + 1, 0] },
        ]);
        const write = serve(WriteRequest, [4 * n, 4, tag, 5, 0, 1]);
        expect(write.sent).toEqual([{ target: 4, code: WriteResponse.code, payload: [busResponse.OKAY, tag] }]);
        expect(write.accesses).toEqual([[4 * n, 4, 5, 1]]);
      }),
    );
  });

  it('makes two accesses of one of 64 bits, the lower address first', () => {
    expect(serve(ReadRequest, [8, 8, 0, 0]).accesses).toEqual([
      [8, 4, 0],
      [12, 4, 0],
    ]);
    expect(serve(WriteRequest, [8, 8, 0, 1, 2, 1]).accesses).toEqual([
      [8, 4, 1, 1],
      [12, 4, 2, 1],
    ]);
  });

  it('refuses sizes that are none and addresses that are not aligned, without an access', () => {
    for (const [offset, sizeBytes] of [
      [0, 3],
      [2, 4],
      [4, 8],
      [0, 16],
      [1, 2],
    ] as const) {
      const { accesses, sent, guestErrors } = serve(ReadRequest, [offset, sizeBytes, 7, 1]);
      expect(accesses).toEqual([]);
      expect(sent[0]?.payload).toEqual([busResponse.SLVERR, 7, 0, 0]);
      expect(guestErrors.unsupportedSize).toBe(1);
    }
  });
});
