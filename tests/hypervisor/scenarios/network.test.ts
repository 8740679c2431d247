import { describe, expect, it } from 'vitest';
import { type FileSystem, runFile } from '../file-system.ts';
import { kernel, note, pause } from '../kernels.ts';
import { kernelIpa } from '../system.ts';
import {
  awaitUsed,
  flag,
  listen,
  noteDeviceStatus,
  offer,
  openPair,
  pokeBytes,
  receive,
  receivedIpa,
  sentIpa,
  transmit,
  usedOf,
} from '../virtio-kernels.ts';

const stride = 0x100;
const headerBytes = 12;

/** Of the VM at this position of the file, the management VM being the first. */
const macOf = (position: number): number[] => [0x74, 0x56, 0xaa, 0x0f, 0x47, 0xd0 + position];
const etherType = { IPv4: 0x0800, ARP: 0x0806, IPv6: 0x86dd };
const broadcast = [255, 255, 255, 255, 255, 255];

interface Frame {
  readonly to: readonly number[];
  readonly from?: readonly number[];
  readonly type: number;
  /** The byte by which it is known again. */
  readonly mark: number;
}
const bytesOf = ({ to, from = macOf(1), type, mark }: Frame): number[] => [
  ...to,
  ...from,
  type >> 8,
  type & 0xff,
  mark,
  ...Array<number>(5).fill(0),
];

const open = openPair;
const send = (frames: readonly Frame[]): string =>
  [
    ...frames.map((frame, n) => pokeBytes(sentIpa + stride * n + headerBytes, bytesOf(frame))),
    offer(
      transmit,
      frames.map((frame, n) => ({
        address: sentIpa + stride * n,
        bytes: headerBytes + bytesOf(frame).length,
        flags: 0,
      })),
    ),
    awaitUsed(transmit, frames.length),
    noteDeviceStatus,
  ].join('\n');

interface Station {
  readonly buffers?: number;
  readonly sends?: readonly Frame[];
  readonly device?: string;
  readonly kind?: string;
}

/** VMs with a network card each; the first is the management VM. Those that send do so when all others listen. */
function network(stations: Readonly<Record<string, Station>>, profile = 'rust-shyper-2023'): FileSystem {
  const names = Object.keys(stations);
  const entry = (name: string): string =>
    `memory: {at: 0x80000000, size: 2M}, kernel: ${name}, console: none, devices: [{type: virtio-net${stations[name]?.device ?? ''}}]`;
  const sources = Object.fromEntries(
    Object.entries(stations).map(([name, { buffers = 8, sends }]) => [
      name,
      kernel(
        open,
        ...(buffers > 0 ? [listen(buffers, stride)] : []),
        ...(sends ? [pause(60_000), send(sends)] : []),
        'b .',
      ),
    ]),
  );
  return runFile(
    `
board: {cores: ${names.length}}
rhyper: {profile: ${profile}, wait-traps: false}
mvm: {${entry('mvm')}}
vms:
${names
  .slice(1)
  .map((name) => `  - {name: ${name}, kind: ${stations[name]?.kind ?? 'gvm'}, boot: power-on, ${entry(name)}}`)
  .join('\n')}
`,
    { sources, maxTicks: 1_000_000 },
  );
}

/** Marks of the frames that a VM has received. */
function heard(system: FileSystem, name: string): number[] {
  const used = new DataView(system.bytes(name, usedOf(receive), 0x100).buffer);
  return Array.from({ length: used.getUint16(2, true) }, (_, n) => {
    const id = used.getUint32(4 + 8 * n, true);
    return system.bytes(name, receivedIpa + stride * id + headerBytes + 14, 1)[0]!;
  });
}
const figures = (system: FileSystem, name: string) => system.devices.find(({ vm }) => vm === name);
const stateOfSender = (system: FileSystem): number =>
  Number(new BigUint64Array(system.bytes('one', kernelIpa + 0x1_0000, 8).buffer)[0]);
const driverOk = 15;

const sends: readonly Frame[] = [
  { to: macOf(2), type: etherType.IPv4, mark: 1 },
  { to: broadcast, type: etherType.ARP, mark: 2 },
  { to: broadcast, type: etherType.IPv4, mark: 3 },
  { to: [0x33, 0x33, 0, 0, 0, 1], type: etherType.IPv6, mark: 4 },
  { to: [0x33, 0x33, 0, 0, 0, 1], type: etherType.IPv4, mark: 5 },
  { to: [0x01, 0x00, 0x5e, 0, 0, 1], type: etherType.IPv4, mark: 6 },
  { to: [0x02, 1, 2, 3, 4, 5], type: etherType.IPv4, mark: 7 },
  { to: macOf(0), type: etherType.IPv4, mark: 8 },
];

describe('scenario 21: the network switch', () => {
  it('by the ancestor’s rule: unicast to its station, ARP and IPv6 multicast to all others, everything else to nobody', () => {
    const system = network({ mvm: {}, one: { sends }, two: {} });
    expect(heard(system, 'two')).toEqual([1, 2, 4]);
    expect(heard(system, 'mvm')).toEqual([2, 4, 8]);
    expect(heard(system, 'one')).toEqual([]);
    expect(stateOfSender(system)).toBe(driverOk);
    expect(figures(system, 'one')).toMatchObject({ requests: 8, bytesOut: 8 * 20, dropped: 0 });
    expect(figures(system, 'two')).toMatchObject({ requests: 3, bytesIn: 3 * 20 });
  });

  it('by the rule of a learning switch (textbook): everything for many, and for a station that is not known, to all others', () => {
    const system = network({ mvm: {}, one: { sends }, two: {} }, 'textbook');
    const all = sends.map(({ mark }) => mark);
    expect(heard(system, 'two')).toEqual(all);
    expect(heard(system, 'mvm')).toEqual(all);
    expect(heard(system, 'one')).toEqual([]);
  });

  it('a learning switch sends to a station that it has heard only where that is', () => {
    const hello: Frame = { to: broadcast, from: macOf(2), type: etherType.IPv4, mark: 20 };
    const later = kernel(
      open,
      listen(8, stride),
      pause(200_000),
      send([{ ...hello, to: macOf(2), from: macOf(1), mark: 21 }]),
      'b .',
    );
    const system = runFile(
      `
board: {cores: 3}
rhyper: {profile: textbook, wait-traps: false}
mvm: {memory: {at: 0x80000000, size: 2M}, kernel: mvm, console: none, devices: [{type: virtio-net}]}
vms:
  - {name: one, boot: power-on, memory: {at: 0x80000000, size: 2M}, kernel: one, console: none, devices: [{type: virtio-net}]}
  - {name: two, boot: power-on, memory: {at: 0x80000000, size: 2M}, kernel: two, console: none, devices: [{type: virtio-net}]}
`,
      {
        sources: {
          mvm: kernel(open, listen(8, stride), 'b .'),
          one: later,
          two: kernel(open, listen(8, stride), pause(60_000), send([hello]), 'b .'),
        },
        maxTicks: 1_000_000,
      },
    );
    expect(heard(system, 'two')).toEqual([21]);
    expect(heard(system, 'mvm')).toEqual([20]);
    expect(heard(system, 'one')).toEqual([20]);
  });

  it.each(['rust-shyper-2023', 'textbook'])(
    'a frame for an empty receive queue is dropped and counted, and the sender sees no error (%s)',
    (profile) => {
      const frames = [1, 2, 3].map((mark): Frame => ({ to: macOf(2), type: etherType.IPv4, mark }));
      const system = network({ mvm: {}, one: { sends: frames }, two: { buffers: 1 } }, profile);
      expect(heard(system, 'two')).toEqual([1]);
      expect(figures(system, 'two')).toMatchObject({ requests: 1, dropped: 2 });
      expect(figures(system, 'one')).toMatchObject({ requests: 3, dropped: 0, errors: 0 });
      expect(stateOfSender(system)).toBe(driverOk);
    },
  );

  it('a bare-metal application does not hear what is for many, as in the ancestor of 2023', () => {
    const stations = { mvm: {}, one: { sends }, app: { kind: 'app' } };
    expect(heard(network(stations), 'app')).toEqual([1]);
    expect(heard(network(stations, 'rust-shyper-2025'), 'app')).toEqual([1, 2, 4]);
  });

  it.each(['rust-shyper-2023', 'textbook'])('a VM of another group never sees a frame (%s)', (profile) => {
    const all = [...sends, { to: macOf(3), type: etherType.IPv4, mark: 10 }];
    const system = network(
      {
        mvm: { device: ', group: red' },
        one: { sends: all, device: ', group: red' },
        two: {},
        three: { device: ', group: blue' },
      },
      profile,
    );
    expect(heard(system, 'mvm')).toContain(2);
    expect(heard(system, 'two')).toEqual([]);
    expect(heard(system, 'three')).toEqual([]);
    expect(figures(system, 'two')).toMatchObject({ requests: 0, dropped: 0 });
  });

  it.each(['rust-shyper-2023', 'textbook'])('a forged source address gets nobody else’s group (%s)', (profile) => {
    const forged: Frame = { to: broadcast, from: macOf(0), type: etherType.ARP, mark: 30 };
    const system = network(
      { mvm: {}, one: { sends: [forged, { ...forged, to: macOf(0), mark: 31 }], device: ', group: red' }, two: {} },
      profile,
    );
    expect(heard(system, 'mvm')).toEqual([]);
    expect(heard(system, 'two')).toEqual([]);
  });

  it.each([
    ['is outside RAM', { address: 0x4000_0000, bytes: 64, flags: 0 }],
    ['loops', { address: sentIpa, bytes: 64, flags: flag.NEXT, next: 0 }],
    ['is shorter than its header', { address: sentIpa, bytes: 4, flags: 0 }],
  ])('a frame whose buffer %s breaks the card of its sender alone', (_what, part) => {
    const bad = kernel(open, offer(transmit, [part]), pause(20_000), noteDeviceStatus, 'b .');
    const memory = '{at: 0x80000000, size: 2M}';
    const card = 'console: none, devices: [{type: virtio-net}]';
    const system = runFile(
      `
board: {cores: 3}
mvm: {memory: ${memory}, kernel: mvm, ${card}}
vms:
  - {name: one, boot: power-on, memory: ${memory}, kernel: one, ${card}}
  - {name: two, boot: power-on, memory: ${memory}, kernel: two, ${card}}
`,
      {
        sources: {
          mvm: kernel(open, listen(8, stride), 'b .'),
          one: bad,
          two: kernel(
            open,
            pause(100_000),
            send([{ to: macOf(0), from: macOf(2), type: etherType.IPv4, mark: 40 }]),
            note(),
            'b .',
          ),
        },
        maxTicks: 1_000_000,
      },
    );
    expect(stateOfSender(system) & 64).toBe(64);
    expect(figures(system, 'one')).toMatchObject({ faults: 1 });
    expect(heard(system, 'mvm')).toEqual([40]);
  });

  it('carries pings of real programs to each other, and to the station of the group', () => {
    const system = runFile(
      `
network: {user: true}
mvm: {memory: 16M, bootargs: 'script="wait 60;exit"'}
vms:
  - name: server
    boot: power-on
    memory: 16M
    devices: [{type: virtio-net}]
    bootargs: tests=net ip=10.0.2.20 serve=4
  - name: client
    boot: power-on
    memory: 16M
    devices: [{type: virtio-net}]
    bootargs: tests=net ip=10.0.2.21 peer=10.0.2.20
`,
      { maxTicks: 100_000_000 },
    );
    expect(system.console('server')).toContain('net: 4 of 4 pings answered');
    expect(system.console('server')).toContain('net: 4 pings answered for others');
    expect(system.console('client')).toContain('net: 4 of 4 pings answered');
  }, 60_000);
});
