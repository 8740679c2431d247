// An execution as cat sees it: sets and relations by name. Which names there are, and which of them depend on coherence order, is
// known before there is an execution.

import { isRestrictedToModify } from '../concurrent-modification.ts';
import { EventSet, Relation } from '../relation.ts';
import { initialThread, type Execution, type MemoryEvent } from '../execution.ts';

/** Register events and the order of effects inside an instruction (herd7's names), on top of an execution. */
export interface Detail {
  /** Memory events first, as in the execution. */
  readonly size: number;
  readonly sets: ReadonlyMap<string, EventSet>;
  readonly relations: ReadonlyMap<string, Relation>;
  /** Thread and instruction of each event. */
  readonly thread: readonly number[];
  readonly instruction: readonly number[];
}

export interface Candidate {
  readonly size: number;
  readonly set: (name: string) => EventSet;
  readonly relation: (name: string) => Relation;
  readonly value: (event: number) => bigint | undefined;
}

const words = (text: string): readonly string[] => text.trim().split(/\s+/);

/** Sets that an event is in by its kind or by an annotation of that name; empty where no event has it. */
const setNames = words(`
  R W F B M IW FW I Exp NExp A Q L X NoRet GCS
  DMB.SY DMB.LD DMB.ST DMB.ISH DMB.ISHLD DMB.ISHST DMB.OSH DMB.OSHLD DMB.OSHST DMB.NSH DMB.NSHLD DMB.NSHST
  DSB.SY DSB.LD DSB.ST DSB.ISH DSB.ISHLD DSB.ISHST DSB.OSH DSB.OSHLD DSB.OSHST DSB.NSH DSB.NSHLD DSB.NSHST ISB
  MFENCE LFENCE SFENCE
  FAULT EXC-ENTRY EXC-RET CSE SVC UndefinedInstruction MMU D-MMU Translation AccessFlag Permission TagCheck
  ETS2 ETS3
  PTE PTEV PTEINV AF DB T PA Instr Restricted-CMODX SPURIOUS
  TLBI TLBIIS TLBInXS IC.IALLU IC.IALLUIS IC.IVAU DC.CVAU DC.CVAC DC.IVAC DC.CIVAC
`);

/** Sets and relations of the detailed form. */
const detailedNames = words('Rreg Wreg DATA NDATA ADDR BCC PoD rf-reg iico_data iico_ctrl');

const relationNames = words(`
  po rf co id loc int ext addr data ctrl pickAddr pickData pickCtrl rmw lxsx amo iico_order
  walk same-instance si sm co0 same-low-order-bits inv-domain same-instr
`);

/** Beyond these, what depends on coherence order. */
const coherenceNames: ReadonlySet<string> = new Set(['co', 'co0', 'FW']);

export type BaseName = { readonly dependsOnCoherence: boolean; readonly isDetailed: boolean; readonly isSet: boolean };

const detailedSets: ReadonlySet<string> = new Set(words('Rreg Wreg DATA NDATA ADDR BCC PoD'));

export const baseNames: ReadonlyMap<string, BaseName> = new Map(
  [...setNames, ...detailedNames, ...relationNames].map((name) => [
    name,
    {
      dependsOnCoherence: coherenceNames.has(name),
      isDetailed: detailedNames.includes(name),
      isSet: setNames.includes(name) || detailedSets.has(name),
    },
  ]),
);

/** Cache maintenance has the location of the instruction that it is for. */
const isOnLine = ({ kind, address }: MemoryEvent): boolean => kind === 'C' && address >= 0n;

const isMemory = ({ kind }: MemoryEvent): boolean => kind === 'R' || kind === 'W';

/** A relation over more events than it was made for. */
function widened(relation: Relation, size: number): Relation {
  return relation.size === size ? relation : Relation.of(size, relation.pairs());
}

/** The candidate of an execution; what it holds is computed when it is asked for, and once. */
export function candidateOf(execution: Execution, detail?: Detail): Candidate {
  const { events, relations: base } = execution;
  const size = detail?.size ?? events.length;
  const thread = (event: number): number => detail?.thread[event] ?? events[event]!.thread;
  const instruction = (event: number): number => detail?.instruction[event] ?? events[event]!.instruction;
  const setOf = (belongs: (event: MemoryEvent) => boolean): EventSet =>
    EventSet.of(
      size,
      events.filter(belongs).map(({ id }) => id),
    );
  const all = Array.from({ length: size }, (_, event) => event);
  /** Pairs of events that have the same key; those without one are in no pair. */
  const alike = (keyOf: (event: number) => unknown): Relation => {
    const groups = new Map<unknown, EventSet>();
    for (const event of all) {
      const key = keyOf(event);
      if (key === undefined) continue;
      const group = groups.get(key);
      if (group) group.add(event);
      else groups.set(key, EventSet.of(size, [event]));
    }
    return [...groups.values()].reduce((sum, group) => sum.union(Relation.product(group, group)), new Relation(size));
  };
  const isAccess = (event: number): boolean => events[event] !== undefined && isMemory(events[event]);
  const isLocated = (event: number): boolean =>
    events[event] !== undefined && (isMemory(events[event]) || isOnLine(events[event]));
  /** Accesses to bytes that overlap; where all are of one width these are those of the same address. */
  const sameLocation = (): Relation => {
    const accesses = events.filter((event) => isMemory(event) || isOnLine(event));
    const [first] = accesses;
    if (accesses.every(({ bytes, address }) => bytes === first!.bytes && address % BigInt(bytes) === 0n))
      return alike((event) => (isLocated(event) ? events[event]!.address : undefined));
    const result = new Relation(size);
    for (const a of accesses)
      for (const b of accesses)
        if (a.address < b.address + BigInt(b.bytes) && b.address < a.address + BigInt(a.bytes)) result.add(a.id, b.id);
    return result;
  };
  /** From TLBI to the accesses of descriptors that it is for. */
  const invalidated = (): Relation => {
    const result = new Relation(size);
    for (const tlbi of events.filter(({ annotations }) => annotations.has('TLBI')))
      for (const { id, thread: other, address, annotations } of events) {
        const isFor = annotations.has('PTE') && (tlbi.bytes === 0 || address === tlbi.address);
        if (isFor && (other === tlbi.thread || tlbi.annotations.has('TLBIIS'))) result.add(tlbi.id, id);
      }
    return result;
  };
  const internal = (): Relation => alike((event) => (thread(event) === initialThread ? undefined : thread(event)));
  const everything = (): Relation => Relation.product(EventSet.all(size), EventSet.all(size));

  const makeSet = (name: string): EventSet => {
    const detailed = detail?.sets.get(name);
    if (detailed) return detailed;
    switch (name) {
      case 'R':
      case 'W':
      case 'F':
      case 'B':
        return setOf(({ kind }) => kind === name);
      case 'M':
        return setOf(isMemory);
      case 'Exp':
        return setOf((event) => isMemory(event) && !event.annotations.has('NExp') && !event.annotations.has('GCS'));
      case 'Restricted-CMODX':
        return setOf(
          (event) => isMemory(event) && event.annotations.has('Instr') && isRestrictedToModify(Number(event.value)),
        );
      case 'IW':
      case 'I':
        return setOf((event) => event.thread === initialThread);
      case 'FW':
        return setOf((event) => event.kind === 'W' && base.co.successors(event.id).isEmpty);
      default:
        return setOf((event) => event.annotations.has(name));
    }
  };
  const makeRelation = (name: string): Relation => {
    const detailed = detail?.relations.get(name);
    if (detailed) return detailed;
    switch (name) {
      case 'po':
      case 'rf':
      case 'co':
      case 'addr':
      case 'data':
      case 'ctrl':
      case 'pickAddr':
      case 'pickData':
      case 'pickCtrl':
      case 'lxsx':
      case 'amo':
      case 'walk':
        return widened(base[name], size);
      case 'rmw':
        return widened(base.lxsx.union(base.amo).union(base.hu), size);
      case 'iico_order':
        return widened(base.iicoOrder, size);
      case 'id':
        return Relation.identityOn(EventSet.all(size));
      case 'loc':
        return sameLocation();
      case 'int':
        return internal();
      case 'ext':
        return everything().difference(internal());
      case 'same-instance':
      case 'si':
        return alike((event) =>
          thread(event) === initialThread ? `initial ${event}` : `${thread(event)}:${instruction(event)}`,
        );
      case 'sm':
        return alike((event) => (isAccess(event) ? events[event]!.access : undefined));
      case 'same-low-order-bits':
        return alike((event) =>
          isAccess(event) ? (events[event]!.virtual ?? events[event]!.address) & 0xfffn : undefined,
        );
      case 'inv-domain':
        return invalidated();
      case 'co0': {
        const [initial, final] = [makeSet('IW'), makeSet('FW')];
        const writes = makeSet('W');
        return sameLocation().intersection(
          Relation.product(initial, writes.difference(initial)).union(
            Relation.product(writes.difference(final), final),
          ),
        );
      }
      default:
        return new Relation(size);
    }
  };
  const sets = new Map<string, EventSet>();
  const relations = new Map<string, Relation>();
  return {
    size,
    set: (name) => cached(sets, name, makeSet),
    relation: (name) => cached(relations, name, makeRelation),
    value: (event) => events[event]?.value,
  };
}

function cached<T>(known: Map<string, T>, name: string, make: (name: string) => T): T {
  let value = known.get(name);
  if (value === undefined) {
    value = make(name);
    known.set(name, value);
  }
  return value;
}
