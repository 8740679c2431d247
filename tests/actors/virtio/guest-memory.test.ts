import { describe, expect, it } from 'vitest';
import { windowedMemory } from '../../../actors/virtio/guest-memory.ts';
import { entropyDevice } from '../../../actors/virtio/entropy.ts';
import { Bench } from './bench.ts';

/** Two windows that touch in guest addresses and lie apart, and in the other order, behind. */
function windows() {
  const { memory: behind } = new Bench(entropyDevice(1));
  const { base } = behind;
  const guest = windowedMemory(behind, [
    { base: 0x8000_0000, sizeBytes: 0x1000, target: base + 0x4000 },
    { base: 0x8000_1000, sizeBytes: 0x1000, target: base + 0x2000, readOnly: true },
  ]);
  return { behind, base, guest };
}

describe('the memory of a virtual machine’s device', () => {
  it('is its windows, each where the hypervisor has put it', () => {
    const { behind, base, guest } = windows();
    expect(guest.writeBytes(0x8000_0ffe, Uint8Array.of(1, 2))).toBe(true);
    expect(behind.readWord(base + 0x4ffe, 2)).toBe(0x0201);
    behind.writeWord(base + 0x2004, 4, 0xdead_beef);
    expect(guest.readWord(0x8000_1004, 4)).toBe(0xdead_beef);
    expect(guest.readBytes(0x8000_1004, 2)).toEqual(Uint8Array.of(0xef, 0xbe));
  });

  it('holds nothing else: not the memory behind by its own address, nor a range over the edge of a window', () => {
    const { base, guest } = windows();
    for (const [address, sizeBytes] of [
      [base + 0x4000, 4],
      [0x7fff_ffff, 2],
      [0x8000_0fff, 2],
      [0x8000_1fff, 2],
      [2 ** 63, 1],
    ] as const) {
      expect(guest.holds(address, sizeBytes, 'read')).toBe(false);
      expect(guest.readBytes(address, sizeBytes)).toBeUndefined();
      expect(guest.writeBytes(address, new Uint8Array(sizeBytes))).toBe(false);
    }
  });

  it('cannot be written through a window that is for reading', () => {
    const { behind, base, guest } = windows();
    expect(guest.holds(0x8000_1000, 4, 'read')).toBe(true);
    expect(guest.holds(0x8000_1000, 4, 'write')).toBe(false);
    expect(guest.writeWord(0x8000_1000, 4, 7)).toBe(false);
    expect(behind.readWord(base + 0x2000, 4)).toBe(0);
  });
});
