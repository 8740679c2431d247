import { describe, expect, it } from 'vitest';
import { allQuirks } from '../../src/hypervisor/options.ts';
import { arm64ImageFile, branchToSelf, elfFile } from '../board/elf-file.ts';
import { ancestorSample, refused, systemOf } from './system-fixture.ts';

const MiB = 0x10_0000;
const json = (change: (sample: typeof ancestorSample) => void): string => {
  const sample = structuredClone(ancestorSample);
  change(sample);
  return JSON.stringify(sample, undefined, 2);
};
const vmNamed = (text: string, name: string) => systemOf(text).description.vms.find((vm) => vm.name === name);

describe('a system file', () => {
  it('that is empty is the built-in MVM alone', () => {
    const { board, description } = systemOf('');
    expect(board).toEqual({ cores: 4, memoryBytes: 128 * MiB, gicVersion: 3, dmaEngines: 0, errors: [] });
    expect(description.vms).toHaveLength(1);
    expect(description.vms[0]).toMatchObject({
      name: 'mvm',
      kind: 'mvm',
      boot: 'power-on',
      cpus: { count: 1, mask: 1, exclusive: false },
      memory: [{ ipa: 0x5000_0000, bytes: 64 * MiB }],
      tree: { loadIpa: 0x5000_0000 },
      windows: [{ pa: 0x900_0000, ipa: 0x900_0000, bytes: 0x1000 }],
      irqs: [27, 33],
    });
  });

  it('needs only the names of its VMs', () => {
    const vm = vmNamed('vms:\n  - name: one', 'one');
    expect(vm).toMatchObject({ kind: 'gvm', boot: 'mvm', cpus: { count: 1, mask: 0b10 } });
    expect(vm?.devices.map(({ kind }) => kind)).toEqual(['gicd', 'gicr', 'shyper']);
    expect(vm?.memory).toEqual([{ ipa: 0x8000_0000, bytes: 64 * MiB }]);
  });

  it('passes interrupts on to a real-time VM directly where it has its cores to itself, and there only', () => {
    const controllerOf = (cpus: string): string | undefined =>
      vmNamed(`vms: [{name: rt, kind: rtvm, cpus: ${cpus}}]`, 'rt')?.devices[0]?.kind;
    expect(controllerOf('{cores: [3]}')).toBe('gppt');
    expect(controllerOf('{cores: [3], exclusive: false}')).toBe('gicd');
  });

  it('gives every VM that wants it a UART of the board', () => {
    const { uarts, description } = systemOf('vms: [{name: a}, {name: b, console: none}, {name: c}]');
    expect(uarts.map(({ vm, region }) => [vm, region.base, region.spi])).toEqual([
      ['mvm', 0x900_0000, 1],
      ['a', 0xb00_0000, 80],
      ['c', 0xb00_1000, 81],
    ]);
    expect(description.vms[1]?.irqs).toContain(112);
    expect(description.vms[2]?.irqs).toEqual([27]);
  });

  it('reads sizes with units, and numbers in hexadecimal and decimal', () => {
    const vm = vmNamed(
      'vms: [{name: a, memory: [{at: 0x90000000, size: 2M}, {size: 0x1000}, {at: 2684354560, size: 4096}]}]',
      'a',
    );
    expect(vm?.memory).toEqual([
      { ipa: 0x9000_0000, bytes: 2 * MiB },
      { ipa: 0x9020_0000, bytes: 0x1000 },
      { ipa: 0xa000_0000, bytes: 0x1000 },
    ]);
  });

  it('numbers VMs from the MVM over those of power-on to those of the MVM', () => {
    const { description, layout } = systemOf('vms: [{name: a}, {name: b, boot: power-on}, {name: c, boot: none}]');
    expect(description.vms.map(({ name }) => name)).toEqual(['mvm', 'b', 'a', 'c']);
    const text = new TextDecoder().decode(layout.store.bytes);
    expect(text).toContain('vm config a\nvm boot 2\n\0');
  });

  it('gives the shell of the MVM the commands that were typed after those of the file, whose last exit gives way', () => {
    const scriptOf = (typed: readonly string[]): string => {
      const { layout } = systemOf('commands: [vm list, exit]', {}, { commands: typed });
      return new TextDecoder().decode(layout.store.bytes.subarray(0x1000)).replaceAll('\0', '');
    };
    expect(scriptOf([])).toBe('vm list\nexit\n');
    expect(scriptOf(['vm id'])).toBe('vm list\nvm id\n');
  });

  it('lays out RAM: the hypervisor, the store, the VMs', () => {
    const { layout, board } = systemOf('vms: [{name: a}]');
    expect(layout.ownMemory).toEqual({ pa: 0x4000_0000, bytes: 16 * MiB });
    expect(layout.store.pa).toBe(0x4100_0000);
    expect(layout.vmMemory.pa).toBe(0x4120_0000);
    expect(layout.vmMemory.pa + layout.vmMemory.bytes).toBe(0x4000_0000 + board.memoryBytes);
  });

  it('places VMs that want cores for themselves from the last core down, the others where the fewest vCPUs are', () => {
    const { description } = systemOf(
      'vms: [{name: a}, {name: rt, kind: rtvm}, {name: b}, {name: c}, {name: two, cpus: {count: 2, cores: [0, 2]}}]',
    );
    const masks = description.vms.map(({ name, cpus }) => [name, cpus.mask]);
    expect(Object.fromEntries(masks)).toEqual({ mvm: 1, rt: 0b1000, two: 0b101, a: 0b10, b: 0b10, c: 0b100 });
  });

  it('passes a DMA engine through: its registers, its interrupt, its stream, and a node for the device tree', () => {
    const { description, board } = systemOf(`
vms:
  - {name: a, passthrough: [{dma: 1}]}
  - {name: b, passthrough: [{dma: 0, at: 0xb000000}]}
`);
    expect(board.dmaEngines).toBe(2);
    const [, a, b] = description.vms;
    expect(a?.windows).toContainEqual({ ipa: 0x90c_1000, pa: 0x90c_1000, bytes: 0x1000 });
    expect(a?.irqs).toContain(43);
    expect(a?.streams).toEqual([2]);
    expect(b?.windows).toContainEqual({ ipa: 0xb00_0000, pa: 0x90c_0000, bytes: 0x1000 });
    expect(b?.streams).toEqual([1]);
    expect(b?.treeDevices).toContainEqual({
      name: 'dma@b000000',
      kind: 'dma',
      ipa: 0xb00_0000,
      bytes: 0x1000,
      intids: [42],
    });
  });

  it('passes windows through that a VM may only read', () => {
    const { description } = systemOf(
      'vms: [{name: a, console: none, passthrough: [{pa: 0x9010000, size: 4K, read-only: true}, {pa: 0x9030000, size: 4K}]}]',
    );
    expect(description.vms[1]?.windows).toEqual([
      { ipa: 0x901_0000, pa: 0x901_0000, bytes: 0x1000, readOnly: true },
      { ipa: 0x903_0000, pa: 0x903_0000, bytes: 0x1000 },
    ]);
  });

  it('gives emulated devices addresses, interrupts, transports and what is behind them', () => {
    const { description, backends } = systemOf(`
disks: {root: {size: 1M}}
vms:
  - name: a
    devices:
      - {type: mediated-block, disk: root, first-sector: 8, sectors: 16}
      - {type: virtio-net, irq: 49}
      - {type: virtio-console, peer: b}
      - {type: virtio-entropy, at: 0xa001000}
  - name: b
    devices: [{type: virtio-console, peer: a}]
`);
    const devices = description.vms[1]?.devices.slice(0, 4) ?? [];
    expect(devices.map(({ ipa, intid }) => [ipa, intid])).toEqual([
      [0xa00_0000, 48],
      [0xa00_2000, 49],
      [0xa00_3000, 50],
      [0xa00_1000, 51],
    ]);
    expect(devices[0]?.arguments).toEqual([8, 16, 1]);
    expect(devices[2]?.arguments).toEqual([2, 0xa00_0000]);
    expect(description.slots.map(({ vm, pa, intid }) => [vm, pa, intid])).toEqual([
      ['mvm', 0xc00_0000, 144],
      ['a', 0xc00_1000, 145],
      ['a', 0xc00_2000, 146],
      ['a', 0xc00_3000, 147],
      ['a', 0xc00_4000, 148],
      ['b', 0xc00_5000, 149],
    ]);
    const kinds = ['block', 'mediated-block', 'net', 'console', 'entropy', 'console'];
    expect(backends.map(({ kind }) => kind)).toEqual(kinds);
    expect(backends[0]).toMatchObject({ vm: 'mvm', sectors: { first: 0, count: 2048 } });
    expect(backends[1]).toMatchObject({ vm: 'a', sizeBytes: 16 * 512, readOnly: false });
    expect(backends[2]).toMatchObject({ mac: [0x74, 0x56, 0xaa, 0x0f, 0x47, 0xd1] });
    expect(backends[3]).toMatchObject({ peer: 5 });
    expect(backends[5]).toMatchObject({ peer: 3 });
  });

  it('gives mediated devices disks of the MVM, which has a device for each, by their numbers', () => {
    const { description, backends } = systemOf(`
disks: {a: {size: 8K}, b: {size: 1M, read-only: true}, c: {size: 64K}}
mvm: {devices: [{type: virtio-block, disk: c}, {type: virtio-entropy, at: 0xa001000, irq: 49}]}
vms:
  - {name: one, devices: [{type: mediated-block, disk: b, first-sector: 48}, {type: mediated-block, disk: c}]}
  - {name: two, devices: [{type: mediated-block, disk: b, sectors: 48}, {type: virtio-block, first-sector: 4}]}
`);
    const [mvm, one, two] = description.vms;
    const blocks = mvm?.devices.filter(({ kind }) => kind === 'virtioBlock') ?? [];
    expect(blocks.map(({ ipa, intid }) => [ipa, intid])).toEqual([
      [0xa00_0000, 48],
      [0xa00_2000, 50],
    ]);
    expect(one?.devices.slice(0, 2).map((device) => device.arguments)).toEqual([
      [48, 2000, 2],
      [0, 128, 1],
    ]);
    expect(two?.devices.slice(0, 2).map((device) => device.arguments)).toEqual([
      [0, 48, 2],
      [4, 12],
    ]);
    const disks = backends.flatMap((backend) => (backend.kind === 'block' ? [[backend.vm, backend.disk.name]] : []));
    expect(disks).toEqual([
      ['mvm', 'c'],
      ['mvm', 'b'],
      ['two', 'a'],
    ]);
    expect(backends.filter(({ kind }) => kind === 'mediated-block')).toMatchObject([
      { vm: 'one', readOnly: true },
      { vm: 'one', readOnly: false },
      { vm: 'two', readOnly: true },
    ]);
  });

  it('puts network devices into groups, and the profile decides how the switch sends frames on', () => {
    const text = `
network: {user: true, capture: frames.pcap}
mvm: {devices: [{type: virtio-net, group: lab}]}
vms:
  - {name: a, devices: [{type: virtio-net}, {type: virtio-net, group: lab}]}
  - {name: b, kind: app, devices: [{type: virtio-net, group: office}]}
`;
    const { network, backends } = systemOf(text);
    expect(network).toEqual({ user: true, capture: 'frames.pcap', rule: 'table', groups: 3 });
    const cards = backends.flatMap((of) => (of.kind === 'net' ? [[of.vm, of.group, of.isDeaf]] : []));
    expect(cards).toEqual([
      ['mvm', 0, false],
      ['a', 1, false],
      ['a', 0, false],
      ['b', 2, true],
    ]);
    expect(systemOf(text, {}, { options: { profile: 'textbook' } }).network.rule).toBe('learning');
  });

  it('says how the hypervisor behaves, and the command line has the last word', () => {
    const text = 'rhyper: {profile: textbook, quirks: [lifo-ipi], injection: hcr-bits, tick: 10ms}';
    expect(systemOf(text).description.options).toEqual({
      profile: 'textbook',
      quirks: ['lifo-ipi'],
      trapsWaits: true,
      injection: 'hcr-bits',
      tickTicks: 10_000_000,
      blockPatienceTicks: 1_000_000_000,
    });
    expect(systemOf('rhyper: {block-patience: 50ms}').description.options.blockPatienceTicks).toBe(50_000_000);
    const overridden = systemOf(text, {}, { fidelity: 'as-is', options: { injection: 'list-registers' } });
    expect(overridden.description.options).toMatchObject({ quirks: allQuirks, injection: 'list-registers' });
  });

  it('has errors of the board at their times', () => {
    const { board } = systemOf('board: {errors: [{core: 1, at: 20ms}, {core: 0, at: 5us}]}');
    expect(board.errors).toEqual([
      { core: 1, atTicks: 20_000_000 },
      { core: 0, atTicks: 5_000 },
    ]);
    expect(systemOf('{}').board.errors).toEqual([]);
  });

  it('takes an ELF kernel to where it is linked, and enters it at its first byte', () => {
    const segments = [
      { address: 0x8010_0000, bytes: branchToSelf },
      { address: 0x8010_1000, bytes: Uint8Array.of(1, 2), memoryBytes: 0x1000 },
    ];
    const { description } = systemOf('vms: [{name: a, kernel: k}]', { k: elfFile({ segments }) });
    const kernel = description.vms[1]?.kernel;
    expect(kernel?.loadIpa).toBe(0x8010_0000);
    expect(kernel?.bytes).toEqual(
      Uint8Array.from({ length: 0x1002 }, (_, n) => (n === 3 ? 0x14 : Math.max(0, n - 0xfff))),
    );
    const elsewhere = 'vms: [{name: a, kernel: {file: k, at: 0x80080000}}]';
    expect(refused(elsewhere, { k: elfFile({ segments }) })).toBe(
      'system.yaml:1: kernel: k: it is linked for 0x80100000, not for 0x80080000',
    );
    const inside = [{ address: 0x8010_0000, bytes: new Uint8Array(8) }];
    expect(refused('vms: [{name: a, kernel: k}]', { k: elfFile({ segments: inside, entry: 0x8010_0004n }) })).toBe(
      'system.yaml:1: kernel: k: it is entered at 0x80100004, and a VM at the first byte of its image, 0x80100000',
    );
  });

  it.each([
    ['board:\n  cores: 4\n  memroy: 1G', 'system.yaml:3: unknown key "memroy", did you mean "memory"?'],
    ['vms:\n  - name: a\n    cpus:\n      core: [1]', 'system.yaml:4: unknown key "core", did you mean "cores"?'],
    ['colour: red', 'system.yaml:1: unknown key "colour": known are board, rhyper, disks, network, mvm, vms, commands'],
    ['vms:\n  - name: a\n    memory: 64X', 'system.yaml:3: memory: "64X" is not one: write it like 64M or 0x4000000'],
    ['vms:\n  - name: a\n    kind: rvtm', 'system.yaml:3: kind: unknown value "rvtm", did you mean "rtvm"?'],
    ['vms:\n  - kind: gvm', 'system.yaml:2: a VM has a name'],
    ['vms:\n  name: a', 'system.yaml:1: vms: a list belongs here'],
    ['board: 3', 'system.yaml:1: board: a mapping with keys belongs here'],
    ['board: {gic: 4}', 'system.yaml:1: gic: there is no GIC version 4'],
    ['board: {cores: 2, errors: [{core: 2, at: 1ms}]}', 'system.yaml:1: core: there is no core 2'],
    ['board:\n  errors:\n    - core: 1', 'system.yaml:3: at: it is missing: write it like 10ms'],
    ['a: [1\nb: 2', 'system.yaml:2: Flow sequence in block collection must be sufficiently indented and end with a ]'],
    ['board: {}\nboard: {}', 'system.yaml:2: Map keys must be unique'],
    ['vms:\n  - {name: a, cpus: {cores: [7]}}', 'system.yaml:2: cpus: there is no core 7: the board has 4'],
    [
      'vms:\n  - {name: a, kind: rtvm, cpus: {cores: [2]}}\n  - {name: b, kind: rtvm, cpus: {cores: [2]}}',
      'system.yaml:3: cpus: core 2 is also used by "a", and "b" wants it for itself',
    ],
    [
      'vms:\n  - {name: a, cpus: {cores: [2]}}\n  - {name: b, devices: [{type: gppt}, {type: gicr}], cpus: {cores: [2]}}',
      'system.yaml:3: cpus: core 2 is also used by "a", and "b" takes the interrupts of its core itself',
    ],
    [
      'vms:\n  - {name: a, cpus: {cores: [1], master: 2}}',
      'system.yaml:2: cpus: its master, core 2, is not one of its cores',
    ],
    [
      'vms:\n  - name: a\n    memory:\n      - {at: 0x80000000, size: 2M}\n      - {at: 0x80100000, size: 2M}',
      'system.yaml:5: memory at 0x80100000-0x80300000 overlaps memory at 0x80000000-0x80200000',
    ],
    [
      'vms:\n  - name: a\n    devices:\n      - {type: virtio-net, at: 0x8000000}',
      'system.yaml:3: devices: gicd@8000000 at 0x8000000-0x8010000 overlaps virtio-net@8000000 at 0x8000000-0x8001000',
    ],
    [
      'vms:\n  - name: a\n    devices:\n      - {type: virtio-net, irq: 50}\n      - {type: virtio-console, irq: 50}',
      'system.yaml:5: virtio-console@a001000: interrupt 50 is also that of virtio-net@a000000',
    ],
    [
      'vms:\n  - {name: a, passthrough: [{irqs: [40]}]}\n  - {name: b, passthrough: [{irqs: [40]}]}',
      'system.yaml:3: passthrough: interrupt 40 conflicts: it is already "a"\'s',
    ],
    [
      'vms:\n  - {name: a, passthrough: [{irqs: [26]}]}',
      "system.yaml:2: passthrough: interrupt 26 is the hypervisor's own",
    ],
    [
      'vms:\n  - {name: a, passthrough: [{irqs: [40], read-only: true}]}',
      'system.yaml:2: read-only is said of a window: pa and size',
    ],
    ['vms:\n  - {name: a, passthrough: [{dma: 4}]}', 'system.yaml:2: the board has DMA engines 0 to 3, not 4'],
    [
      'vms:\n  - {name: a, passthrough: [{dma: 0, irqs: [50]}]}',
      'system.yaml:2: beside dma, an entry may say at alone, not irqs',
    ],
    [
      'vms:\n  - {name: a, passthrough: [{dma: 0}]}\n  - {name: b, passthrough: [{dma: 0}]}',
      'system.yaml:3: passthrough: interrupt 42 conflicts: it is already "a"\'s',
    ],
    ['vms:\n  - {name: a, passthrough: [{pa: 0xa003000}]}', 'system.yaml:2: a window has a pa and a size'],
    ['vms: [{name: a}, {name: a}]', 'system.yaml:1: name: another VM is called "a"'],
    [
      'vms:\n  - name: a\n    passthrough: [{stream: 70000}]',
      'system.yaml:3: passthrough: there is no stream 70000: StreamIDs end at 65535',
    ],
    ['vms:\n  - {name: abcdefghijklmnopqrstuvwxyzabcdef}', 'system.yaml:2: name: at most 31 bytes, not 32'],
    [
      'board: {memory: 64M}\nvms: [{name: a}]',
      'system.yaml:1: memory: the VMs, the store and the hypervisor need 146M, and RAM has 64M',
    ],
    ['vms:\n  - {name: a, kernel: none.img}', 'system.yaml:2: kernel: none.img: no such file'],
    ['vms:\n  - {name: a, kernel: text}', 'system.yaml:2: kernel: text: neither an ELF executable nor an arm64 Image'],
    [
      'vms:\n  - {name: a, memory: 1M, kernel: large}',
      'system.yaml:2: kernel: 0x80080000-0x80180000 is outside the memory of "a"',
    ],
    [
      'vms:\n  - name: a\n    device-tree: {file: text, at: 0x80000000}',
      'system.yaml:3: device-tree: the MVM cannot load it: use boot: power-on',
    ],
    ['vms:\n  - name: a\n    ramdisk: text', 'system.yaml:3: ramdisk: the MVM cannot load it: use boot: power-on'],
    ['vms:\n  - {name: a, devices: [{type: mediated-block, disk: d}]}', 'system.yaml:2: there is no disk "d"'],
    [
      'vms:\n  - {name: a, devices: [{type: virtio-entropy, group: g}]}',
      'system.yaml:2: group: a virtio-entropy has no such key',
    ],
    ['vms:\n  - {name: a, devices: [{type: mediated-block}]}', 'system.yaml:2: it needs a disk, and the file has none'],
    [
      'disks: {d: {size: 4096}}\nvms:\n  - {name: a, devices: [{type: virtio-block, sectors: 9}]}',
      'system.yaml:3: sectors 0-9 are beyond the disk "d" of 4096 bytes',
    ],
    [
      'vms:\n  - name: a\n    devices:\n      - {type: virtio-net, disk: d}',
      'system.yaml:4: disk: a virtio-net has no such key',
    ],
    [
      'vms:\n  - {name: a, devices: [{type: virtio-console, peer: mvm}]}',
      'system.yaml:2: "mvm" has no console whose peer is "a"',
    ],
    [
      'vms: [{name: a}, {name: b}, {name: c}, {name: d}, {name: e}, {name: f}, {name: g},\n  {name: h}]',
      'system.yaml:2: name: at most 8 VMs, the MVM included',
    ],
  ])('refuses %j', (text, sentence) => {
    expect(refused(text, { text: 'no image', large: arm64ImageFile({}, MiB) })).toBe(sentence);
  });
});

describe("the ancestor's configuration", () => {
  const files = { Image: arm64ImageFile({}) };

  it('by itself is one GVM beside the built-in MVM', () => {
    const { description, board } = systemOf(
      json(() => {}),
      files,
    );
    expect(board.cores).toBe(4);
    expect(description.vms.map(({ name }) => name)).toEqual(['mvm', 'guest-os-1']);
    expect(description.vms[1]).toMatchObject({
      kind: 'gvm',
      boot: 'mvm',
      cpus: { count: 1, mask: 0b100, master: 2 },
      kernel: { loadIpa: 0x8008_0000 },
      tree: { loadIpa: 0x8000_0000 },
      memory: [{ ipa: 0x8000_0000, bytes: 0x4000_0000 }],
      windows: [{ pa: 0x388_6000, ipa: 0x801_0000, bytes: 0x2000 }],
      irqs: [27],
      treeDevices: [{ name: 'gicd', kind: 'gicd', ipa: 0x800_0000, bytes: 0x1000, intids: [] }],
    });
    expect(description.vms[1]?.devices[1]).toEqual({
      name: 'virtio_net@a001000',
      kind: 'virtioNet',
      ipa: 0xa00_1000,
      bytes: 0x1000,
      intid: 49,
      arguments: [0x74, 0x56, 0xaa, 0x0f, 0x47, 0xd1],
    });
  });

  it('is an entry of a system file', () => {
    const text = 'vms:\n  - {config: vm.json, boot: power-on}';
    const app = json((sample) => {
      sample.type = 'VM_T_BARE_MATEL_APP';
    });
    const { description } = systemOf(text, { ...files, 'vm.json': app });
    expect(description.vms[1]).toMatchObject({ name: 'guest-os-1', kind: 'app', boot: 'power-on' });
    expect(refused('vms:\n  - config: vm.json\n    cpus: 2', { ...files, 'vm.json': app })).toBe(
      'system.yaml:3: cpus: beside config, an entry may say boot alone',
    );
  });

  it('is refused by the line of its own file', () => {
    const refusedJson = (change: (sample: typeof ancestorSample) => void): string =>
      refused('vms:\n  - config: vm.json', { ...files, 'vm.json': json(change) });
    expect(
      refusedJson((sample) => {
        sample.type = 'VM_T_FREERTOS';
      }),
    ).toBe('vm.json:3: type: VM_T_FREERTOS has no meaning for the hypervisor: use VM_T_LINUX');
    expect(
      refusedJson((sample) => {
        sample.cpu.allocate_bitmap = '0b2';
      }),
    ).toBe('vm.json:24: allocate_bitmap: "0b2" is not one: write it like 16 or 0x10');
    expect(
      refusedJson((sample) => {
        Object.assign(sample.memory, { colors: '0-13' });
      }),
    ).toMatch(/^vm\.json:\d+: colors: this machine has no cache colours$/);
    expect(
      refusedJson((sample) => {
        sample.cpu.allocate_bitmap = '0b10000';
      }),
    ).toBe('vm.json:24: allocate_bitmap: there is no core 4: the board has 4');
  });
});
