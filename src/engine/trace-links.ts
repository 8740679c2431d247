// Exits of translated code that lead straight to other code, without a look-up. A module has a table of its own, with a place for each code that
// its exits lead to. There stands the function of that code; where it is not translated, one that leaves for its address by `chain`.
// The places are kept up to date whenever code begins and ends to be translated, so that an exit is one jump and looks at nothing.
//
// Where the code is of the same module and looks, at its entry, whether it is still valid, the exit becomes a direct jump: the host foresees it,
// and finds it without a table. It stays one when the code is no longer valid.
//
// A link leads to code at its physical address. Where a trace runs, its page is fetched from where it was made from, at the same Exception
// level and under the same checks; an exit to another page looks first whether that one is, too.

import { pe } from '../arch/state-layout.ts';
import { type Code, isSameCode } from './entry-table.ts';
import { functionIndex } from './services.ts';
import { Text } from './text.ts';
import { codeSignature, type ModuleFunction, ownTable } from './wasm/module.ts';
import { op } from './wasm/opcodes.ts';
import { wideBytes, type Writer } from './wasm/writer.ts';

/** Code that exits lead to, by its physical address, too. */
export interface LinkTarget {
  readonly pa: number;
  readonly code: Code;
}

/** An exit, with its operands on the stack, to the code of a place in the table of the module. */
export function exitTo(w: Writer, place: number): void {
  w.exits.push({ position: w.length, place });
  w.byte(op.i32_const);
  w.wide(place);
  w.byte(op.return_call_indirect);
  w.byte(codeSignature);
  w.byte(ownTable);
}

/** Makes the exits of a text direct whose places have a function of the module, by its index. */
export function makeDirect(text: Writer, functionOf: (place: number) => number | undefined): void {
  for (const { position, place } of text.exits) {
    const index = functionOf(place);
    if (index === undefined) continue;
    text.setByte(position, op.return_call);
    text.setWide(position + 1, index);
    for (let n = 0; n < 3; n += 1) text.setByte(position + 1 + wideBytes + n, op.nop);
  }
}

/** The links of a module in the making. */
export class ModuleLinks {
  readonly targets: LinkTarget[] = [];
  private readonly placesByPa = new Map<number, number[]>();

  /** The place of code in the table of the module. */
  placeOf(target: LinkTarget): number {
    const places = this.placesByPa.get(target.pa) ?? [];
    const known = places.find((place) => isSameCode((this.targets[place] as LinkTarget).code, target.code));
    if (known !== undefined) return known;
    const place = this.targets.push(target) - 1;
    this.placesByPa.set(target.pa, [...places, place]);
    return place;
  }

  /** What stands in the places at first. */
  unlinked(): ModuleFunction[] {
    return this.targets.map(({ code }) => leaveFor(code.va));
  }
}

/** (cpu, budget) → exit: goes on at an address by a look-up. */
function leaveFor(va: bigint): ModuleFunction {
  const t = new Text(2);
  const [cpu, budget] = [0, 1];
  t.get(cpu).i64(va).memory(op.i64_store, pe.pc);
  t.get(cpu).get(budget).i32(functionIndex.chain).returnCallIndirect();
  return { signature: codeSignature, locals: [], body: t.w };
}

/** A place in the table of a module. */
export interface Link extends LinkTarget {
  readonly table: WebAssembly.Table;
  readonly place: number;
  readonly unlinked: CallableFunction;
}

/** The links of all modules of an engine. */
export class CodeLinks {
  private readonly linksByPa = new Map<number, Set<Link>>();

  /** The links of a module that has been made; `functionOf`: what runs code now. */
  add(
    targets: readonly LinkTarget[],
    table: WebAssembly.Table,
    functionOf: (target: LinkTarget) => CallableFunction | undefined,
  ): Link[] {
    return targets.map((target, place) => {
      const link = { ...target, table, place, unlinked: table.get(place) };
      const others = this.linksByPa.get(target.pa);
      if (others) others.add(link);
      else this.linksByPa.set(target.pa, new Set([link]));
      const f = functionOf(target);
      if (f) table.set(place, f);
      return link;
    });
  }

  /** The module of these links cannot run any more. */
  remove(links: readonly Link[]): void {
    for (const link of links) {
      const others = this.linksByPa.get(link.pa);
      others?.delete(link);
      if (others?.size === 0) this.linksByPa.delete(link.pa);
    }
  }

  /** From now on a function runs the code; undefined: none does. */
  lead({ pa, code }: LinkTarget, f: CallableFunction | undefined): void {
    for (const { code: to, table, place, unlinked } of this.linksByPa.get(pa) ?? []) {
      if (isSameCode(to, code)) table.set(place, f ?? unlinked);
    }
  }
}
