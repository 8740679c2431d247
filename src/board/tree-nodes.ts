// Nodes and properties of a device tree, as the Devicetree Specification writes their values.

import type { Property, TreeNode } from './flattened-tree.ts';
import type { Region } from './memory-map.ts';

/** The first and the third cell of an interrupt of Arm's GIC binding. */
export const interruptType = { spi: 0, ppi: 1 } as const;
export const trigger = { edge: 1, level: 4 } as const;

export function cells(name: string, ...values: number[]): Property {
  const view = new DataView(new ArrayBuffer(values.length * 4));
  values.forEach((value, i) => view.setUint32(i * 4, value));
  return { name, value: new Uint8Array(view.buffer) };
}

export function strings(name: string, ...values: string[]): Property {
  return { name, value: new TextEncoder().encode(values.map((value) => `${value}\0`).join('')) };
}

export const flag = (name: string): Property => ({ name, value: new Uint8Array(0) });

export const node = (name: string, properties: Property[], children: TreeNode[] = []): TreeNode => ({
  name,
  properties,
  children,
});

/** A number as two cells, most significant first. */
export const pair = (value: number): number[] => [Math.floor(value / 0x1_0000_0000), value >>> 0];
export const reg = (...regions: Region[]): Property =>
  cells('reg', ...regions.flatMap(({ base, sizeBytes }) => [...pair(base), ...pair(sizeBytes)]));

export const hex = (value: number): string => value.toString(16);
