import { describe, expect, it } from 'vitest';
import { buildStore } from '../../src/vm/store.ts';
import { systemOf } from './system-fixture.ts';

const base = 0x4_0000_0000;
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes).replace(/\0.*$/s, '');

/** Reads the store as the C side does. */
function openStore(store: Uint8Array) {
  const view = new DataView(store.buffer, store.byteOffset, store.length);
  const u64 = (at: number): number => Number(view.getBigUint64(at, true));
  const entries = Array.from({ length: view.getUint32(12, true) }, (_, n) => {
    const at = 32 + n * 64;
    const offset = u64(at + 48);
    return { name: text(store.subarray(at, at + 48)), offset, bytes: store.subarray(offset, offset + u64(at + 56)) };
  });
  const entry = (name: string) => {
    const found = entries.find((candidate) => candidate.name === name);
    if (!found) throw new Error(`no ${name}`);
    return found;
  };
  const calls = (name: string) => {
    const { offset } = entry(name);
    return Array.from({ length: view.getUint32(offset + 32, true) }, (_, n) =>
      Array.from({ length: 8 }, (__, word) => view.getBigUint64(offset + 64 + n * 64 + word * 8, true)),
    );
  };
  return { entries, entry, calls, view, u64, at: (ipa: bigint): number => Number(ipa) - base };
}

const system = systemOf(`
vms:
  - name: one
    cpus: {cores: [1, 2], master: 2}
    bootargs: hello world
    devices: [{type: virtio-net}]
  - {name: two, kind: app, device-tree: none}
`);
const vms = system.description.vms.slice(1);
const store = openStore(buildStore(vms, ['vm list'], base));

describe('the store', () => {
  it('begins with its name, its version and its size, and holds every file at a page of its own', () => {
    expect(text(new Uint8Array(store.view.buffer, 0, 8))).toBe('HEDDLEST');
    expect(store.view.getUint32(8, true)).toBe(1);
    expect(store.entries.map(({ name }) => name)).toEqual(['script', 'one.cfg', 'one.img', 'two.cfg', 'two.img']);
    for (const { offset } of store.entries) expect(offset % 0x1000).toBe(0);
    expect(store.entry('one.img').bytes).toEqual(vms[0]?.kernel.bytes);
    expect(text(store.entry('script').bytes)).toBe('vm list\n');
  });

  it('creates a VM by the calls of the ancestor, in their order', () => {
    const events = store.calls('one.cfg').map(([x7]) => Number(x7));
    const config = (event: number): number => 0x1100 + event;
    expect(events).toEqual([
      config(0),
      config(3),
      config(2),
      ...[config(4), config(4), config(4), config(4)],
      config(5),
      config(6),
      ...[config(8), config(8), config(8)],
      config(9),
    ]);
  });

  it('describes the VM in eight doublewords that ADD_VM points to', () => {
    const [add = []] = store.calls('one.cfg');
    const at = store.at(add[1] ?? 0n);
    const words = Array.from({ length: 8 }, (_, n) => store.u64(at + n * 8));
    const bytes = new Uint8Array(store.view.buffer);
    expect(text(bytes.subarray(words[0]! - base, words[0]! - base + 32))).toBe('one');
    expect(text(bytes.subarray(words[3]! - base, words[3]! - base + 32))).toBe('hello world');
    expect([words[1], words[2], words[4]]).toEqual([3, 0, 11]);
    expect(words.slice(5)).toEqual([0x8008_0000, 0x8000_0000, 0]);
    const [addTwo = []] = store.calls('two.cfg');
    expect(store.u64(store.at(addTwo[1] ?? 0n) + 16)).toBe(1);
    expect(store.u64(store.at(addTwo[1] ?? 0n) + 48)).toBe(0);
  });

  it('passes cores, memory, lists and the image by value or by an address in the store', () => {
    const calls = store.calls('one.cfg');
    const callOf = (event: number): bigint[] => calls.find(([x7]) => x7 === BigInt(0x1100 + event)) ?? [];
    expect(callOf(2).slice(2, 5)).toEqual([2n, 0b110n, 2n]);
    expect(callOf(3).slice(2, 4)).toEqual([0x8000_0000n, 0x400_0000n]);
    const [, , listIpa, count] = callOf(6);
    expect([count, store.u64(store.at(listIpa ?? 0n)), store.u64(store.at(listIpa ?? 0n) + 8)]).toEqual([2n, 27, 112]);
    const net = callOf(4);
    expect(net.slice(3, 6)).toEqual([0xa00_0000n, 0x1000n, 48n]);
    expect(net[7]).toBe(4n);
    const macAt = store.at(net[6] ?? 0n);
    expect(Array.from({ length: 7 }, (_, n) => store.u64(macAt + n * 8))).toEqual([
      0x74, 0x56, 0xaa, 0x0f, 0x47, 0xd1, 0,
    ]);
    const size = BigInt(vms[0]?.kernel.bytes.length ?? 0);
    expect(callOf(9).slice(2)).toEqual([size, BigInt(base + store.entry('one.img').offset), 0n, size, 0n, 0n]);
    expect(store.calls('two.cfg').find(([x7]) => x7 === 0x1102n)?.[4]).toBe(2n ** 64n - 1n);
  });
});
