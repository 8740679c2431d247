// A YAML or JSON file whose values know their lines, so that a refusal names the place: `system.yaml:14: unknown key "memroy"`.

import { isMap, isNode, isSeq, LineCounter, parseDocument } from 'yaml';
import type { Node, YAMLMap } from 'yaml';
import type { z } from 'zod';
import { UserError } from '../report/user-error.ts';

export type Path = readonly PropertyKey[];

/** Refuses what the file says at a path. */
export type Refuse = (path: Path, message: string) => never;

export interface LocatedFile {
  readonly value: unknown;
  readonly refuse: Refuse;
  /** The value as a type says; the first thing that is wrong in the order of lines is refused. */
  read<T>(type: z.ZodType<T>): T;
}

/** More is no description of a system, and costs more than a moment. */
const maxFileBytes = 0x10_0000;

const pairOf = (map: YAMLMap, key: PropertyKey) =>
  map.items.find((item) => isNode(item.key) && String((item.key as { value?: unknown }).value) === String(key));

export function locatedFile(path: string, bytes: Uint8Array): LocatedFile {
  if (bytes.length > maxFileBytes) throw new UserError(`${path}: too large for a description of a system`);
  const lines = new LineCounter();
  const document = parseDocument(new TextDecoder().decode(bytes), { lineCounter: lines, prettyErrors: false });
  const refuseAt = (offset: number, message: string): never => {
    throw new UserError(`${path}:${lines.linePos(offset).line}: ${message}`);
  };
  const [fault] = document.errors;
  if (fault) refuseAt(fault.pos[0], fault.message.split('\n')[0]?.replace(/:$/, '') ?? 'not YAML');

  /** Where the value of a path begins, or where the mapping does that should have it. */
  function offsetOf(where: Path, key?: string): number {
    let node = document.contents as Node | null;
    let offset = node?.range?.[0] ?? 0;
    for (const step of where) {
      if (isMap(node)) {
        const pair = pairOf(node, step);
        if (!pair) return offset;
        offset = (pair.key as Node).range?.[0] ?? offset;
        node = isNode(pair.value) ? pair.value : null;
      } else if (isSeq(node)) {
        const item = node.items[Number(step)];
        if (!isNode(item)) return offset;
        node = item;
        offset = node.range?.[0] ?? offset;
      } else {
        return offset;
      }
    }
    const unknown = key !== undefined && isMap(node) ? pairOf(node, key) : undefined;
    return unknown ? ((unknown.key as Node).range?.[0] ?? offset) : offset;
  }

  /** `memory: ` before what is wrong with the value of a key. */
  const named = (where: Path): string => {
    const last = where.at(-1);
    return typeof last === 'string' ? `${last}: ` : '';
  };
  const refuse: Refuse = (where, message) => refuseAt(offsetOf(where), `${named(where)}${message}`);
  const value: unknown = document.toJS();
  return {
    value,
    refuse,
    read: (type) => {
      const result = type.safeParse(value);
      if (result.success) return result.data;
      const faults = result.error.issues.map((issue) => {
        const keys = issue.code === 'custom' ? (issue.params as { keys?: string[] } | undefined)?.keys : undefined;
        const key = issue.code === 'unrecognized_keys' ? issue.keys[0] : keys?.[0];
        const text = key === undefined ? `${named(issue.path)}${issue.message}` : issue.message;
        return { offset: offsetOf(issue.path, key), text };
      });
      faults.sort((a, b) => a.offset - b.offset);
      const first = faults[0] as (typeof faults)[number];
      return refuseAt(first.offset, first.text);
    },
  };
}
