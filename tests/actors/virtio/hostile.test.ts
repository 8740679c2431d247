import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blockDevice } from '../../../actors/virtio/block.ts';
import { imageStore } from '../../../actors/virtio/block-store.ts';
import { ringFeature } from '../../../actors/virtio/features.ts';
import type { RingFault } from '../../../actors/virtio/virtqueue.ts';
import { Bench } from './bench.ts';
import { MirrorDevice } from './mirror-device.ts';

const { VERSION_1, INDIRECT_DESC, EVENT_IDX, RING_PACKED } = ringFeature;
const size = 8;

/** A driver that writes whatever it likes into its rings. */
class Hostile {
  readonly bench = new Bench((host) => new MirrorDevice(host));
  readonly memory = this.bench.memory;
  readonly packed: boolean;
  readonly end = this.memory.base + this.memory.sizeBytes;
  readonly descriptors = this.bench.allocate(16 * size);
  readonly available = this.bench.allocate(64);
  readonly used = this.bench.allocate(128);
  readonly table = this.bench.allocate(16 * size);
  readonly buffer = this.bench.allocate(4096);
  private added = 0;

  constructor(features: readonly number[], areas?: readonly [number, number, number]) {
    this.packed = features.includes(RING_PACKED);
    expect(this.bench.negotiate(features)).toBe(11);
    this.bench.placeQueue(0, size, areas ?? [this.descriptors, this.available, this.used]);
    this.bench.goLive();
  }

  describe(at: number, address: number, sizeBytes: number, flags: number, next = 0): void {
    this.memory.writeWord(at, 4, address % 2 ** 32);
    this.memory.writeWord(at + 4, 4, Math.floor(address / 2 ** 32));
    this.memory.writeWord(at + 8, 4, sizeBytes);
    const halves = this.packed ? [next, flags] : [flags, next];
    this.memory.writeWord(at + 12, 2, halves[0] as number);
    this.memory.writeWord(at + 14, 2, halves[1] as number);
  }

  /** Descriptor n of the ring; of a packed one, available on the first lap. */
  entry(n: number, address: number, sizeBytes: number, flags = 0, next = 0): void {
    this.describe(this.descriptors + 16 * n, address, sizeBytes, flags | (this.packed ? 0x80 : 0), next);
  }

  entryOfTable(n: number, address: number, sizeBytes: number, flags = 0, next = 0): void {
    this.describe(this.table + 16 * n, address, sizeBytes, flags, next);
  }

  /** Makes the chain that begins at a descriptor available. */
  supply(head = 0): void {
    if (this.packed) return;
    this.memory.writeWord(this.available + 4 + 2 * (this.added % size), 2, head);
    this.added += 1;
    this.memory.writeWord(this.available + 2, 2, this.added);
  }

  notify(): void {
    this.bench.write('QueueNotify', 0);
  }
}

const NEXT = 1;
const WRITE = 2;
const INDIRECT = 4;

type Attack = readonly [what: string, fault: RingFault, attack: (driver: Hostile) => void];

const both: readonly Attack[] = [
  ['a buffer below memory', 'buffer outside memory', (d) => d.entry(0, d.memory.base - 1, 1)],
  ['a buffer that ends one byte beyond memory', 'buffer outside memory', (d) => d.entry(0, d.end - 15, 16)],
  ['a buffer above memory', 'buffer outside memory', (d) => d.entry(0, d.end, 1)],
  ['a writable buffer at address 0', 'buffer outside memory', (d) => d.entry(0, 0, 512, WRITE)],
  ['a buffer whose end wraps around', 'buffer outside memory', (d) => d.entry(0, 2 ** 64 - 4096, 8192, WRITE)],
  ['a buffer of 4 GiB less one', 'buffer outside memory', (d) => d.entry(0, d.buffer, 0xffff_ffff, WRITE)],
  ['a buffer of no bytes', 'empty part', (d) => d.entry(0, d.buffer, 0)],
  [
    'a readable part after a writable one',
    'readable part after a writable one',
    (d) => {
      d.entry(0, d.buffer, 16, WRITE | NEXT, 1);
      d.entry(1, d.buffer, 16);
    },
  ],
  [
    'a chain whose second part is outside memory',
    'buffer outside memory',
    (d) => {
      d.entry(0, d.buffer, 16, NEXT, 1);
      d.entry(1, d.end, 16);
    },
  ],
  [
    'a loop of the whole ring',
    'descriptor loop',
    (d) => {
      for (let n = 0; n < size; n += 1) d.entry(n, d.buffer, 16, NEXT, (n + 1) % size);
    },
  ],
  ['a table of no entries', 'indirect table of a bad size', (d) => d.entry(0, d.table, 0, INDIRECT)],
  ['a table of a part of an entry', 'indirect table of a bad size', (d) => d.entry(0, d.table, 24, INDIRECT)],
  ['a table of a million entries', 'indirect table of a bad size', (d) => d.entry(0, d.table, 2 ** 24, INDIRECT)],
  ['a table outside memory', 'indirect table outside memory', (d) => d.entry(0, d.end, 32, INDIRECT)],
  ['a table half outside memory', 'indirect table outside memory', (d) => d.entry(0, d.end - 16, 32, INDIRECT)],
  [
    'a table with a buffer outside memory',
    'buffer outside memory',
    (d) => {
      d.entry(0, d.table, 16, INDIRECT);
      d.entryOfTable(0, d.end - 1, 2, WRITE);
    },
  ],
  [
    'a table with an empty part',
    'empty part',
    (d) => {
      d.entry(0, d.table, 32, INDIRECT);
      d.entryOfTable(0, d.buffer, 16, NEXT, 1);
    },
  ],
  [
    'a table with a readable part after a writable one',
    'readable part after a writable one',
    (d) => {
      d.entry(0, d.table, 32, INDIRECT);
      d.entryOfTable(0, d.buffer, 16, NEXT | WRITE, 1);
      d.entryOfTable(1, d.buffer, 16);
    },
  ],
  [
    'an indirect descriptor that goes on',
    'indirect descriptor with NEXT',
    (d) => {
      d.entry(0, d.table, 16, INDIRECT | NEXT, 1);
      d.entryOfTable(0, d.buffer, 16);
      d.entry(1, d.buffer, 16);
    },
  ],
];

const splitOnly: readonly Attack[] = [
  ['a head outside the table', 'descriptor index outside the table', (d) => d.supply(size)],
  ['a next outside the table', 'descriptor index outside the table', (d) => d.entry(0, d.buffer, 16, NEXT, 0xffff)],
  ['a descriptor that is its own next', 'descriptor loop', (d) => d.entry(0, d.buffer, 16, NEXT, 0)],
  [
    'an available index that is further ahead than the queue is long',
    'available index too far ahead',
    (d) => {
      d.memory.writeWord(d.available + 2, 2, size + 1);
      d.notify();
    },
  ],
  [
    'an available index that goes back',
    'available index too far ahead',
    (d) => {
      d.memory.writeWord(d.available + 2, 2, 0xffff);
      d.notify();
    },
  ],
  [
    'a table in a table',
    'indirect descriptor inside a table',
    (d) => {
      d.entry(0, d.table, 16, INDIRECT);
      d.entryOfTable(0, d.table, 16, INDIRECT);
    },
  ],
  [
    'a loop in a table',
    'descriptor loop',
    (d) => {
      d.entry(0, d.table, 32, INDIRECT);
      d.entryOfTable(0, d.buffer, 16, NEXT, 1);
      d.entryOfTable(1, d.buffer, 16, NEXT, 0);
    },
  ],
  [
    'a next outside a table',
    'descriptor index outside the table',
    (d) => {
      d.entry(0, d.table, 32, INDIRECT);
      d.entryOfTable(0, d.buffer, 16, NEXT, 2);
    },
  ],
  [
    'the same buffer more often than the queue has entries',
    'more buffers than the queue holds',
    (d) => {
      d.entry(0, d.buffer, 16);
      for (let n = 0; n < size - 1; n += 1) d.supply(0);
      d.notify();
      d.supply(0);
    },
  ],
];

const packedOnly: readonly Attack[] = [
  [
    'a table after another part',
    'indirect descriptor with NEXT',
    (d) => {
      d.entry(0, d.buffer, 16, NEXT);
      d.entry(1, d.table, 16, INDIRECT);
    },
  ],
];

describe.each([
  ['split', [VERSION_1, INDIRECT_DESC], [...both, ...splitOnly]],
  ['split, with event index,', [VERSION_1, INDIRECT_DESC, EVENT_IDX], both],
  ['packed', [VERSION_1, INDIRECT_DESC, RING_PACKED], [...both, ...packedOnly]],
  ['packed, with event index,', [VERSION_1, INDIRECT_DESC, RING_PACKED, EVENT_IDX], both],
] as const)('a driver that puts into a %s ring', (_kind, features, attacks) => {
  it.each(attacks)('%s sets DEVICE_NEEDS_RESET', (_what, fault, attack) => {
    const driver = new Hostile(features);
    const { bench } = driver;
    attack(driver);
    driver.supply();
    driver.notify();
    expect(bench.transport.fault).toBe(fault);
    expect(bench.read('Status')).toBe(0x4f);
    expect(bench.read('InterruptStatus') & 2).toBe(2);
    expect(bench.port.level).toBe(true);
    expect(bench.memory.fencesStand).toBe(true);
    // Until the reset the device is silent, and after it as good as new.
    const held = bench.device.held.length;
    driver.notify();
    expect(bench.device.held.length).toBe(held);
    bench.write('Status', 0);
    expect(bench.port.level).toBe(false);
    expect(bench.negotiate(features)).toBe(11);
  });

  it('a table without having negotiated tables sets DEVICE_NEEDS_RESET', () => {
    const driver = new Hostile(features.filter((bit) => bit !== INDIRECT_DESC));
    driver.entry(0, driver.table, 16, INDIRECT);
    driver.entryOfTable(0, driver.buffer, 16);
    driver.supply();
    driver.notify();
    expect(driver.bench.transport.fault).toBe('indirect descriptors were not negotiated');
  });

  // A device on a packed ring without event index has nothing to write into its area.
  const reached =
    features.some((bit) => bit === RING_PACKED) && !features.some((bit) => bit === EVENT_IDX) ? [0, 1] : [0, 1, 2];
  it.each(reached)('nothing, but has put area %i of it outside memory, sets DEVICE_NEEDS_RESET', (area) => {
    const outside = [0x1000, 2 ** 40, 2 ** 63] as const;
    for (const address of outside) {
      const trial = new Hostile(features);
      const areas: [number, number, number] = [trial.descriptors, trial.available, trial.used];
      areas[area] = address;
      const driver = new Hostile(features, areas);
      driver.entry(0, driver.buffer, 16);
      driver.supply();
      driver.notify();
      if (driver.bench.device.held.length > 0) driver.bench.device.answer(0);
      expect(driver.bench.transport.fault).toBe('ring outside memory');
      expect(driver.bench.memory.fencesStand).toBe(true);
    }
  });

  it('nothing, but has put it at an odd address, sets DEVICE_NEEDS_RESET at once', () => {
    const trial = new Hostile(features);
    for (const areas of [
      [trial.descriptors + 8, trial.available, trial.used],
      [trial.descriptors, trial.available + 1, trial.used],
      [trial.descriptors, trial.available, trial.used + 2],
    ] as const) {
      const { bench } = new Hostile(features, areas);
      expect(bench.transport.fault).toBe('ring not aligned');
      expect(bench.read('Status') & 0x40).toBe(0x40);
    }
  });

  it('random garbage gets no throw and no byte of anybody else', () => {
    const word = fc.oneof(fc.nat(0xffff_ffff), fc.nat(64), fc.constantFrom(0x4000_0000, 0x4000_1000, 0x4003_fff8));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(0x17f), word), { maxLength: 80 }),
        fc.array(fc.tuple(fc.nat(size - 1), word, fc.nat(64), fc.nat(7), fc.nat(size)), { maxLength: size }),
        (garbage, descriptors) => {
          const driver = new Hostile(features);
          for (const [n, address, sizeBytes, flags, next] of descriptors)
            driver.entry(n, address, sizeBytes, flags, next);
          for (const [at, value] of garbage) driver.memory.writeWord(driver.descriptors + 4 * (at >> 2), 4, value);
          for (let round = 0; round < 4; round += 1) {
            driver.supply(round);
            driver.notify();
            while (driver.bench.device.held.length > 0) driver.bench.device.answer(0);
          }
          expect(driver.bench.memory.fencesStand).toBe(true);
        },
      ),
      { seed: 5, numRuns: 300 },
    );
  });
});

it('a split queue whose size is no power of two sets DEVICE_NEEDS_RESET', () => {
  const bench = new Bench((host) => new MirrorDevice(host));
  bench.negotiate([VERSION_1]);
  const at = bench.allocate(4096);
  bench.placeQueue(0, 12, [at, at + 1024, at + 2048]);
  expect(bench.transport.fault).toBe('queue size is no power of two');
});

describe('a block driver that lies about the length of a request', () => {
  const store = (): Bench<ReturnType<ReturnType<typeof blockDevice>>> =>
    new Bench(
      blockDevice({
        store: imageStore(new Uint8Array(4096), false, () => {}),
        serial: 'x',
        service: { baseTicks: 0, ticksPerSector: 0 },
      }),
    );

  it.each([
    ['no room for a status', 16, 0],
    ['a header that is cut short', 15, 1],
    ['no header', 0, 1],
  ])('with %s gets DEVICE_NEEDS_RESET', (_what, headerBytes, statusBytes) => {
    const bench = store();
    bench.negotiate([VERSION_1]);
    const descriptors = bench.allocate(128);
    const available = bench.allocate(64);
    const used = bench.allocate(128);
    const buffer = bench.allocate(64);
    bench.placeQueue(0, size, [descriptors, available, used]);
    bench.goLive();
    const parts = [
      { sizeBytes: headerBytes, flags: 0 },
      { sizeBytes: statusBytes, flags: WRITE },
    ].filter(({ sizeBytes }) => sizeBytes > 0);
    parts.forEach(({ sizeBytes, flags }, n) => {
      const at = descriptors + 16 * n;
      bench.memory.writeWord(at, 4, buffer);
      bench.memory.writeWord(at + 8, 4, sizeBytes);
      bench.memory.writeWord(at + 12, 2, flags | (n + 1 < parts.length ? NEXT : 0));
      bench.memory.writeWord(at + 14, 2, n + 1);
    });
    bench.memory.writeWord(available + 2, 2, 1);
    bench.write('QueueNotify', 0);
    bench.settle();
    expect(bench.read('Status')).toBe(0x4f);
  });
});
