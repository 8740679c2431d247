// The translation of a test's accesses: which threads are at EL0, where the descriptors lie that walks read, and where hardware may set
// access flags at any time.

import { hardwareThread } from '../hardware-thread.ts';
import type { MemoryArea, Thread } from '../program.ts';
import { type Translation, withAccessFlag } from '../translation.ts';
import type { ValueNames } from './final-state.ts';
import { hardwareManagement } from './hardware-management.ts';
import { describedPages, descriptorAddress, type Layout, pagesOfVariable, physicalAddress } from './layout.ts';
import type { LitmusTest, Spot } from './test.ts';
import { clipped, refuse } from './text.ts';
import type { Variants } from './variants.ts';

const firstSpot = ({ file }: LitmusTest): Spot => ({ file, line: 1, column: 1 });

/** The threads of `EL0=P0,P2`. */
function threadsAtEL0(test: LitmusTest): ReadonlySet<number> {
  const words = (test.info.get('el0') ?? '').split(/[\s,]+/).filter((word) => word !== '');
  return new Set(
    words.map((word) => {
      const [, digits] = /^P?(\d{1,4})$/.exec(word) ?? [];
      if (digits === undefined)
        throw refuse(firstSpot(test), `EL0: expected threads, as in P0,P2, not "${clipped(word)}"`);
      return Number(digits);
    }),
  );
}

/** How the threads of a test translate, if they do: with the variant vmsa. */
export function translationOf(
  test: LitmusTest,
  layout: Layout,
  variants: Variants,
): (thread: number) => Translation | undefined {
  if (!variants.has('vmsa')) return () => undefined;
  const [atEL0, management] = [threadsAtEL0(test), hardwareManagement(test)];
  const sets = [
    ...(variants.has('ets2') || variants.has('ets3') ? ['ETS2'] : []),
    ...(variants.has('ets3') ? ['ETS3'] : []),
  ];
  return (thread) => ({
    isEL0: atEL0.has(thread),
    ...management(thread),
    sets,
    descriptorOf: (address) => (layout.isVirtual(address) ? descriptorAddress(address) : undefined),
    locationOf: (address, oa) => oa - physicalAddress(0n) + (address & 0xfffn),
  });
}

const descriptorBytes = 8;

/**
 * The descriptors of a test as locations. With translation these are those of all pages; without it only those that the test speaks of, and
 * their initial contents are no writes.
 */
export function descriptorAreas(
  test: LitmusTest,
  layout: Layout,
  names: ValueNames,
  isTranslated: boolean,
): MemoryArea[] {
  const described = isTranslated ? [...layout.variables.keys()] : [...describedPages(test)];
  const contents = new Map<string, bigint>();
  for (const item of test.initial) {
    if (item.kind !== 'location' || item.location.kind !== 'descriptor' || item.value === undefined) continue;
    contents.set(item.location.name, names.numberOf(item.value, item.at, item.location));
  }
  return described.flatMap((name) =>
    pagesOfVariable(layout.variables.get(name)!).map((page, n): MemoryArea => {
      const usual = names.descriptorOfPage(page);
      const bytes = new Uint8Array(descriptorBytes);
      new DataView(bytes.buffer).setBigUint64(0, (n === 0 ? contents.get(name) : undefined) ?? usual, true);
      return {
        name: n === 0 ? `PTE(${name})` : `PTE(${name}+${page - layout.variables.get(name)!.address})`,
        address: descriptorAddress(page),
        bytes,
        elementBytes: descriptorBytes,
        isSigned: false,
        spell: (value) => names.descriptorOf(value),
        ...(!isTranslated && { isUnwritten: true }),
      };
    }),
  );
}

/** Instructions that write to memory. */
const storing = /^(?:ST|SWP|CAS|LD(?:ADD|CLR|EOR|SET|[SU]M(?:AX|IN)))/i;

/** How often threads write to a descriptor, as their text tells: through registers that hold its address from the beginning. */
function storesTo(test: LitmusTest, variable: string): number {
  const count = (base: string, columns: LitmusTest['columns']): number => {
    const isBase = new RegExp(`\\[\\s*${base}\\b`, 'i');
    return columns
      .flatMap(({ lines }) => lines)
      .filter((line) => line.kind === 'instruction' && storing.test(line.text) && isBase.test(line.text)).length;
  };
  let stores = 0;
  for (const item of test.initial) {
    if (item.value?.kind !== 'descriptor address' || item.value.name !== variable) continue;
    if (item.kind === 'symbolic register') stores += count(`X%${item.name}`, test.columns);
    if (item.kind !== 'location' || item.location.kind !== 'register') continue;
    const { thread, name } = item.location;
    stores += count(name, test.columns.filter((column) => column.thread === thread)); // prettier-ignore
  }
  return stores;
}

/**
 * For each descriptor whose access flag hardware may set at any time, hardware as a thread. Without translation it sees the initial
 * contents only.
 */
export function hardwareThreads(
  test: LitmusTest,
  layout: Layout,
  areas: readonly MemoryArea[],
  isTranslated: boolean,
): Thread[] {
  const management = hardwareManagement(test);
  if (!test.columns.some(({ thread }) => management(thread).ha)) return [];
  return areas.flatMap(({ name, address, bytes }) => {
    const initial = new DataView(bytes.buffer).getBigUint64(0, true);
    const variable = layout.variableAt(address);
    const stores = variable === undefined ? 0 : storesTo(test, variable);
    const isInitial = withAccessFlag(initial) !== undefined;
    const updates = (isTranslated ? stores : 0) + (isInitial ? 1 : 0);
    return updates === 0 ? [] : [hardwareThread(`hardware for ${name}`, address, updates)];
  });
}
