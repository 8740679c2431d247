import { describe, expect, it } from 'vitest';
import { readTree, type TreeNode } from '../../src/board/flattened-tree.ts';
import { buildVmTree } from '../../src/vm/vm-tree.ts';
import type { VmTreeDescription } from '../../src/hypervisor/tree-description.ts';

const description: VmTreeDescription = {
  vmName: 'gvm1',
  cpuCount: 2,
  memory: [{ ipa: 0x8000_0000, bytes: 0x400_0000 }],
  commandLine: 'tests=blk rounds=3',
  gic: {
    version: 3,
    distributor: { ipa: 0x800_0000, bytes: 0x1_0000 },
    redistributors: { ipa: 0x80a_0000, bytes: 0x4_0000 },
  },
  devices: [
    { name: 'virtio_blk', kind: 'virtio,mmio', ipa: 0xa00_0000, bytes: 0x200, intids: [48] },
    { name: 'dma@90c0000', kind: 'heddle,dma-1', ipa: 0x90c_0000, bytes: 0x1000, intids: [42] },
    { name: 'rhyper', kind: 'heddle,rhyper', ipa: 0, bytes: 0, intids: [64] },
  ],
};

const words = ({ properties }: TreeNode, name: string): number[] => {
  const value = properties.find((property) => property.name === name)?.value ?? new Uint8Array(0);
  const view = new DataView(value.buffer, value.byteOffset, value.length);
  return Array.from({ length: value.length / 4 }, (_, n) => view.getUint32(n * 4));
};
const text = ({ properties }: TreeNode, name: string): string =>
  new TextDecoder().decode(properties.find((property) => property.name === name)?.value).replace(/\0$/, '');

describe("a VM's device tree", () => {
  const { root } = readTree(buildVmTree(description), 'gvm1');
  const child = (name: string): TreeNode => {
    const found = root.children.find((node) => node.name === name);
    if (!found) throw new Error(`${name} is one of ${root.children.map((node) => node.name).join()}`);
    return found;
  };

  it('has the memory, the PEs and the command line of the VM, and PSCI by SMC', () => {
    expect(words(child('memory@80000000'), 'reg')).toEqual([0, 0x8000_0000, 0, 0x400_0000]);
    expect(child('cpus').children.map(({ name }) => name)).toEqual(['cpu@0', 'cpu@1']);
    expect(text(child('chosen'), 'bootargs')).toBe('tests=blk rounds=3');
    expect(text(child('psci'), 'method')).toBe('smc');
  });

  it('has a GICv3, or a GICv2 whose CPU interface is where stage 2 puts the virtual one', () => {
    expect(text(child('intc@8000000'), 'compatible')).toBe('arm,gic-v3');
    expect(words(child('intc@8000000'), 'reg')).toEqual([0, 0x800_0000, 0, 0x1_0000, 0, 0x80a_0000, 0, 0x4_0000]);
    const gic = {
      version: 2,
      distributor: { ipa: 0x800_0000, bytes: 0x1000 },
      cpuInterface: { ipa: 0x801_0000, bytes: 0x2000 },
    } as const;
    const second = readTree(buildVmTree({ ...description, gic }), 'gvm1').root.children;
    const intc = second.find(({ name }) => name === 'intc@8000000');
    expect(intc && words(intc, 'reg')).toEqual([0, 0x800_0000, 0, 0x1000, 0, 0x801_0000, 0, 0x2000]);
  });

  it('gives virtual devices edge-triggered SPIs, by their number without the 32 private interrupts', () => {
    expect(words(child('virtio_blk@a000000'), 'interrupts')).toEqual([0, 16, 1]);
    expect(words(child('virtio_blk@a000000'), 'reg')).toEqual([0, 0xa00_0000, 0, 0x200]);
    expect(words(child('rhyper'), 'interrupts')).toEqual([0, 32, 1]);
  });

  it('has a DMA engine that is passed through, with a level-triggered SPI and no word of the SMMU in front of it', () => {
    const engine = child('dma@90c0000');
    expect(text(engine, 'compatible')).toBe('heddle,dma-1');
    expect(words(engine, 'interrupts')).toEqual([0, 10, 4]);
    expect(engine.properties.map(({ name }) => name)).not.toContain('iommus');
  });
});
