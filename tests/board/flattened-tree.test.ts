import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { boardTree } from '../../src/board/device-tree.ts';
import { flattenTree, readTree } from '../../src/board/flattened-tree.ts';
import { resolveBoard } from '../../src/board/virt.ts';
import { UserError } from '../../src/report/user-error.ts';
import { refusal } from './refusal.ts';
import type { TreeNode } from '../../src/board/flattened-tree.ts';

const name = fc.stringMatching(/^[a-z][a-z0-9,._+-]{0,12}$/);
const property = fc.record({ name, value: fc.uint8Array({ maxLength: 9 }) });
const node = (depth: number): fc.Arbitrary<TreeNode> =>
  fc.record({
    name,
    properties: fc.array(property, { maxLength: 4 }),
    children: depth === 0 ? fc.constant([]) : fc.array(node(depth - 1), { maxLength: 3 }),
  });
const reservation = fc.record({ address: fc.bigInt(1n, 1n << 40n), sizeBytes: fc.bigInt(1n, 1n << 30n) });

const board = resolveBoard({ cores: 3, memoryBytes: 1 << 28, gicVersion: 3, virtualization: true, secure: false });
const blob = boardTree(board, 'smc', { kernelArgs: 'quiet' });

describe('a flattened device tree', () => {
  it('reads back as it was written', () => {
    fc.assert(
      fc.property(node(3), fc.array(reservation, { maxLength: 3 }), (root, reservations) => {
        const tree = { reservations, root };
        expect(readTree(flattenTree(tree), 'tree')).toEqual(tree);
      }),
      { seed: 3, numRuns: 300 },
    );
  });

  it('is refused in one sentence if it is not one', () => {
    const refused = (change: (view: DataView) => void, length = blob.length): string => {
      const bytes = blob.slice(0, length);
      change(new DataView(bytes.buffer));
      return refusal(() => readTree(bytes, 'my.dtb'));
    };
    const nothing = () => {};
    expect(refused(nothing, 7)).toBe('my.dtb: not a device tree blob: it does not begin with 0xd00dfeed');
    expect(refused((view) => view.setUint32(0, 0xedfe0dd0))).toMatch(/it does not begin with 0xd00dfeed$/);
    expect(refused(nothing, 500)).toBe(
      `my.dtb: not a device tree blob: its header says ${blob.length} bytes, the file has 500`,
    );
    expect(refused((view) => view.setUint32(24, 18))).toMatch(/needs a reader of version 18$/);
    expect(refused((view) => view.setUint32(20, 3))).toMatch(/version 3 is too old$/);
    expect(refused((view) => view.setUint32(56, 7))).toBe('my.dtb: not a device tree blob: it has no root node');
    expect(refused((view) => view.setUint32(8, 0xffff_fff0))).toMatch(/it ends at offset 4294967280$/);
    expect(refused((view) => view.setUint32(4, 0x7fff_ffff))).toMatch(/more than the 2 MiB that a kernel reads$/);
  });

  it('never ends in anything but a tree or a refusal, whatever is changed', () => {
    const change = fc.record({ at: fc.nat(blob.length - 1), value: fc.nat(255) });
    let refusals = 0;
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 8 }), (changes) => {
        const bytes = blob.slice();
        for (const { at, value } of changes) bytes[at] = value;
        try {
          readTree(bytes, 'my.dtb');
        } catch (error) {
          if (!(error instanceof UserError)) throw error;
          refusals++;
          expect(error.message).toMatch(/^my\.dtb: not a device tree blob: [^\n]+$/);
        }
      }),
      { seed: 4, numRuns: 3000 },
    );
    expect(refusals).toBeGreaterThan(300);
  });
});
