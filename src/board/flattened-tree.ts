// The flattened device tree format, version 17 (Devicetree Specification, chapter "Flattened Devicetree (DTB) Format"): a header, the
// memory reservation block, the structure block of tokens, and the strings block that holds each property name once.

import { UserError } from '../report/user-error.ts';

export interface Property {
  readonly name: string;
  readonly value: Uint8Array;
}

export interface TreeNode {
  /** The name with its unit address; empty for the root. */
  readonly name: string;
  readonly properties: readonly Property[];
  readonly children: readonly TreeNode[];
}

export interface Reservation {
  readonly address: bigint;
  readonly sizeBytes: bigint;
}

export interface DeviceTree {
  readonly reservations: readonly Reservation[];
  readonly root: TreeNode;
}

const magic = 0xd00dfeed;
const version = 17;
const lastCompatibleVersion = 16;
const headerBytes = 40;
const reservationBytes = 16;

const token = { beginNode: 1, endNode: 2, property: 3, nop: 4, end: 9 } as const;

/** A tree deeper than this is not a board; the reader stops before its stack does. */
const maxDepth = 64;

/** The specification stops at 31 characters, kernels tolerate more. */
const maxNameBytes = 255;

/** What an arm64 kernel maps for its tree; also keeps a hostile file from costing more than a moment. */
const maxTreeBytes = 0x20_0000;

const align4 = (offset: number): number => (offset + 3) & ~3;

const utf8 = new TextEncoder();

/** A growing row of big-endian words and strings. */
function block(): {
  word(value: number): void;
  bytes(value: Uint8Array): void;
  text(value: string): void;
  done(): Uint8Array;
} {
  let buffer = new Uint8Array(1024);
  let length = 0;
  const reserve = (count: number): void => {
    if (length + count <= buffer.length) return;
    const larger = new Uint8Array(Math.max(buffer.length * 2, length + count));
    larger.set(buffer);
    buffer = larger;
  };
  const bytes = (value: Uint8Array): void => {
    reserve(align4(value.length));
    buffer.set(value, length);
    length += align4(value.length);
  };
  return {
    word(value) {
      bytes(Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value));
    },
    bytes,
    text: (value) => bytes(utf8.encode(`${value}\0`)),
    done: () => buffer.subarray(0, length),
  };
}

/** Writes the blob; its length is the header's totalsize. */
export function flattenTree(tree: DeviceTree): Uint8Array<ArrayBuffer> {
  const structure = block();
  const offsetOf = new Map<string, number>();
  let names = '';

  const node = ({ name, properties, children }: TreeNode): void => {
    structure.word(token.beginNode);
    structure.text(name);
    for (const property of properties) {
      let offset = offsetOf.get(property.name);
      if (offset === undefined) {
        offset = names.length;
        offsetOf.set(property.name, offset);
        names += `${property.name}\0`;
      }
      structure.word(token.property);
      structure.word(property.value.length);
      structure.word(offset);
      structure.bytes(property.value);
    }
    children.forEach(node);
    structure.word(token.endNode);
  };
  node(tree.root);
  structure.word(token.end);

  const structureBlock = structure.done();
  const stringsBlock = utf8.encode(names);
  const structureOffset = headerBytes + (tree.reservations.length + 1) * reservationBytes;
  const stringsOffset = structureOffset + structureBlock.length;
  const blob = new Uint8Array(align4(stringsOffset + stringsBlock.length));
  const view = new DataView(blob.buffer);
  const header = [
    magic,
    blob.length,
    structureOffset,
    stringsOffset,
    headerBytes,
    version,
    lastCompatibleVersion,
    0, // boot_cpuid_phys: the boot core is core 0
    stringsBlock.length,
    structureBlock.length,
  ];
  header.forEach((word, i) => view.setUint32(i * 4, word));
  tree.reservations.forEach(({ address, sizeBytes }, i) => {
    view.setBigUint64(headerBytes + i * reservationBytes, address);
    view.setBigUint64(headerBytes + i * reservationBytes + 8, sizeBytes);
  });
  blob.set(structureBlock, structureOffset);
  blob.set(stringsBlock, stringsOffset);
  return blob;
}

/** Reads a blob that the user gave; `file` names it in a refusal. */
export function readTree(blob: Uint8Array, file: string): DeviceTree {
  const refuse = (what: string): never => {
    throw new UserError(`${file}: not a device tree blob: ${what}`);
  };
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
  if (blob.length < headerBytes || view.getUint32(0) !== magic) refuse('it does not begin with 0xd00dfeed');
  const totalBytes = view.getUint32(4);
  if (totalBytes > maxTreeBytes) refuse(`it has ${totalBytes} bytes, more than the 2 MiB that a kernel reads`);
  if (totalBytes > blob.length) refuse(`its header says ${totalBytes} bytes, the file has ${blob.length}`);
  if (view.getUint32(24) > version) refuse(`its format needs a reader of version ${view.getUint32(24)}`);
  if (view.getUint32(20) < lastCompatibleVersion) refuse(`its format version ${view.getUint32(20)} is too old`);

  const word = (offset: number): number =>
    offset + 4 <= totalBytes ? view.getUint32(offset) : refuse(`it ends at offset ${offset}`);
  const text = (offset: number): string => {
    const end = blob.subarray(0, totalBytes).indexOf(0, offset);
    if (offset >= totalBytes || end < 0 || end - offset > maxNameBytes)
      refuse(`the name at offset ${offset} has no end`);
    const name = new TextDecoder('latin1').decode(blob.subarray(offset, end));
    return /^[!-~]*$/.test(name) ? name : refuse(`the name at offset ${offset} is not one`);
  };

  const reservations: Reservation[] = [];
  for (let offset = word(16); ; offset += reservationBytes) {
    if (offset + reservationBytes > totalBytes) refuse('its memory reservation block has no end');
    const [address, sizeBytes] = [view.getBigUint64(offset), view.getBigUint64(offset + 8)];
    if (address === 0n && sizeBytes === 0n) break;
    reservations.push({ address, sizeBytes });
  }

  const stringsOffset = word(12);
  let cursor = word(8);
  const nextToken = (): number => {
    for (;;) {
      const value = word(cursor);
      cursor += 4;
      if (value !== token.nop) return value;
    }
  };
  const node = (depth: number): TreeNode => {
    if (depth > maxDepth) refuse(`its nodes lie more than ${maxDepth} deep`);
    const start = cursor;
    const name = text(start);
    cursor = align4(blob.indexOf(0, start) + 1);
    const properties: Property[] = [];
    const children: TreeNode[] = [];
    for (;;) {
      const at = cursor;
      const kind = nextToken();
      if (kind === token.endNode) return { name, properties, children };
      if (kind === token.beginNode) {
        children.push(node(depth + 1));
      } else if (kind === token.property) {
        const length = word(cursor);
        const propertyName = text(stringsOffset + word(cursor + 4));
        const valueOffset = cursor + 8;
        if (valueOffset + length > totalBytes) refuse(`the property "${propertyName}" is cut short`);
        properties.push({ name: propertyName, value: blob.slice(valueOffset, valueOffset + length) });
        cursor = align4(valueOffset + length);
      } else refuse(`the token at offset ${at} is ${kind}`);
    }
  };
  if (nextToken() !== token.beginNode) refuse('it has no root node');
  return { reservations, root: node(0) };
}
