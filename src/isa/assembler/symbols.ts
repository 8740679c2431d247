// The symbols of an image over the passes of its assembly.
//
// The assembler goes over the source until no address changes. A name that is used before it is defined has, in the meantime, the
// value of the pass before; in the first pass it has none.

import type { Token } from './lexer.ts';
import { type Place, refusal } from './source.ts';

export interface Symbols {
  readonly symbol: (name: string) => bigint | undefined;
  readonly local: (number: bigint, direction: string) => bigint | undefined;
  readonly defineLabel: (head: Token, place: Place, address: bigint) => void;
  /** `.set`: the value from here on. */
  readonly assign: (head: Token, place: Place, value: bigint) => void;
  /** Starts the next pass. Whether any value differs from the pass before. */
  readonly nextPass: () => boolean;
  /** The named labels and the assigned symbols. */
  readonly named: () => Map<string, bigint>;
}

interface Pass {
  readonly values: Map<string, bigint>;
  /** Lines of the labels, for the message about a second definition. */
  readonly labels: Map<string, number>;
  readonly assigned: Set<string>;
  readonly locals: Map<bigint, bigint[]>;
}

const emptyPass = (): Pass => ({ values: new Map(), labels: new Map(), assigned: new Set(), locals: new Map() });

export function makeSymbols(): Symbols {
  let before = emptyPass();
  let now = emptyPass();
  return {
    symbol: (name) => now.values.get(name) ?? before.values.get(name),
    local: (number, direction) => {
      const defined = now.locals.get(number) ?? [];
      return direction === 'b' ? defined.at(-1) : before.locals.get(number)?.[defined.length];
    },
    defineLabel: (head, place, address) => {
      if (head.kind === 'number') {
        const addresses = now.locals.get(head.value);
        if (addresses === undefined) now.locals.set(head.value, [address]);
        else addresses.push(address);
        return;
      }
      const line = now.labels.get(head.text);
      if (line !== undefined || now.assigned.has(head.text)) {
        const where = line === undefined ? '' : `, in line ${line}`;
        throw refusal(place, head.column, `symbol "${head.text}" is defined already${where}`);
      }
      now.labels.set(head.text, place.line);
      now.values.set(head.text, address);
    },
    assign: (head, place, value) => {
      const line = now.labels.get(head.text);
      if (line !== undefined)
        throw refusal(place, head.column, `symbol "${head.text}" is a label already, in line ${line}`);
      now.assigned.add(head.text);
      now.values.set(head.text, value);
    },
    nextPass: () => {
      const changed = !sameValues(before, now);
      before = now;
      now = emptyPass();
      return changed;
    },
    named: () => new Map(now.values),
  };
}

function sameValues(a: Pass, b: Pass): boolean {
  const sameLocals = [...b.locals].every(([number, addresses]) =>
    addresses.every((address, n) => a.locals.get(number)?.[n] === address),
  );
  return (
    sameLocals &&
    a.values.size === b.values.size &&
    [...b.values].every(([name, value]) => a.values.get(name) === value)
  );
}
