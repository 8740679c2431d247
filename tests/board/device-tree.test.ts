import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { boardTree } from '../../src/board/device-tree.ts';
import { resolveBoard, resetOf } from '../../src/board/virt.ts';
import { decompile, hasTool, nodesOf } from './tools.ts';
import type { BoardOptions } from '../../src/board/virt.ts';

const hasDtc = hasTool('dtc');
const hasQemu = hasTool('qemu-system-aarch64');

const good: BoardOptions = {
  cores: 2,
  memoryBytes: 0x2000_0000,
  gicVersion: 3,
  virtualization: true,
  secure: false,
};

function treeOf(options: Partial<BoardOptions>): Uint8Array {
  const board = resolveBoard({ ...good, ...options });
  return boardTree(board, resetOf(board, 'elf').psciConduit, {});
}

function qemuTreeOf({ cores, gicVersion, virtualization, secure }: BoardOptions, more = ''): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), 'heddle-tree-'));
  try {
    const blob = join(folder, 'virt.dtb');
    const onOff = (value: boolean): string => (value ? 'on' : 'off');
    const machine = `virt,gic-version=${gicVersion},virtualization=${onOff(virtualization)},secure=${onOff(secure)}${more},dumpdtb=${blob}`;
    const args = ['-M', machine, '-smp', `${cores}`, '-m', '512M', '-nic', 'none', '-cpu', 'max', '-nographic'];
    execFileSync('qemu-system-aarch64', args, { stdio: 'ignore' });
    return readFileSync(blob);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What QEMU's board has and ours has not. */
const absent = /fw-cfg|gpio|pl061|pcie|platform-bus|flash|pmu|its@|v2m@|secram|secure-chosen|pl011@9040000/;
const isSeed = (line: string): boolean => /^(rng|kaslr)-seed/.test(line);

describe('the device tree', () => {
  it('decompiles to the nodes of the board', (context) => {
    if (!hasDtc) context.skip('skipped: no dtc');
    expect(decompile(treeOf({ virtioSlots: [0, 31] }))).toBe(
      readFileSync(join(import.meta.dirname, 'virt.dts'), 'utf8'),
    );
  });

  const boards = [1, 4, 16, 124].flatMap((cores) =>
    [false, true].flatMap((virtualization) =>
      [false, true].map((secure) => ({ ...good, cores, virtualization, secure })),
    ),
  );
  const withGicV2 = [1, 8].flatMap((cores) =>
    [false, true].map((virtualization) => ({ ...good, cores, virtualization, gicVersion: 2 })),
  );
  it.for([...boards, ...withGicV2])(
    'is what QEMU gives for $cores cores, GIC $gicVersion, virtualization $virtualization, secure $secure',
    (options, context) => {
      if (!hasDtc) context.skip('skipped: no dtc');
      if (!hasQemu) context.skip('skipped: no qemu');
      const ours = nodesOf(decompile(treeOf(options)));
      const theirs = nodesOf(decompile(qemuTreeOf(options)));
      for (const [path, lines] of theirs)
        if (!absent.test(path)) expect([path, ours.get(path)]).toEqual([path, lines.filter((line) => !isSeed(line))]);
      for (const path of ours.keys()) expect(theirs.has(path), path).toBe(true);
    },
  );

  it('has the SMMU that QEMU has', (context) => {
    if (!hasDtc) context.skip('skipped: no dtc');
    if (!hasQemu) context.skip('skipped: no qemu');
    const ours = nodesOf(decompile(treeOf({ iommu: 'smmuv3' })));
    const theirs = nodesOf(decompile(qemuTreeOf(good, ',its=off,iommu=smmuv3')));
    const path = '//smmuv3@9050000';
    expect(ours.get(path)).toEqual(theirs.get(path));
    expect(ours.get(path)?.length).toBeGreaterThan(0);
  });

  it('gives each DMA engine its stream', (context) => {
    if (!hasDtc) context.skip('skipped: no dtc');
    const tree = treeOf({ iommu: 'smmuv3', dmaEngines: 2 });
    const nodes = nodesOf(decompile(tree));
    expect(nodes.get('//smmuv3@9050000')).toContain('phandle = <0x8004>;');
    expect(nodes.get('//dma@90c1000')).toEqual([
      'compatible = "heddle,dma-1";',
      'dma-coherent;',
      'interrupts = <0x00 0x0b 0x04>;',
      'iommus = <0x8004 0x02>;',
      'reg = <0x00 0x90c1000 0x00 0x1000>;',
    ]);
    const direct = nodesOf(decompile(treeOf({ dmaEngines: 1 })));
    expect(direct.get('//dma@90c0000')?.join()).not.toContain('iommus');
  });

  it('gives each virtio transport its stream', (context) => {
    if (!hasDtc) context.skip('skipped: no dtc');
    const nodes = nodesOf(decompile(treeOf({ iommu: 'smmuv3' })));
    const iommusOf = (path: string): string[] => (nodes.get(path) ?? []).filter((line) => line.startsWith('iommus'));
    expect(iommusOf('//virtio_mmio@a000000')).toEqual(['iommus = <0x8004 0x20>;']);
    expect(iommusOf('//virtio_mmio@a003e00')).toEqual(['iommus = <0x8004 0x3f>;']);
  });

  it('has a second redistributor region, large enough, for 1,024 cores', (context) => {
    if (!hasDtc) context.skip('skipped: no dtc');
    const nodes = nodesOf(decompile(treeOf({ cores: 1024 })));
    expect(nodes.get('//intc@8000000')).toContain(
      'reg = <0x00 0x8000000 0x00 0x10000 0x00 0x80a0000 0x00 0xf60000 0x40 0x00 0x00 0x8000000>;',
    );
    expect(nodes.get('//cpus/cpu@1023')).toContain('reg = <0x3f0f>;');
  });
});
