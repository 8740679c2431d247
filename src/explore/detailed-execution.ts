// The detailed form of an execution: register events, and the order of effects inside each instruction, for cat models that define
// dependencies over them (herd7's rf-reg, iico_data, iico_ctrl, DATA, BCC).
//
// Each thread runs again with the values that its reads have, and its registers are watched: what an instruction reads from a register is
// numbered like a read from memory, so that the dependencies of its accesses, register writes and branches are those inside the
// instruction. Nothing is said of any instruction here.

import type { Detail } from '../memory-model/cat/candidate.ts';
import type { Dependencies, Reads, TraceValue } from '../engine/trace-values.ts';
import { independent } from '../engine/trace-values.ts';
import type { Execution, MemoryEvent } from '../memory-model/execution.ts';
import type { Program, RegisterObserver, Thread, ThreadHooks } from '../memory-model/program.ts';
import { EventSet, Relation } from '../memory-model/relation.ts';
import { assert } from '../report/assert.ts';
import type { LocalEvent } from './local-event.ts';
import { MemoryParts, PartsChanged } from './memory-parts.ts';
import { atStart, ThreadRecorder } from './thread-recorder.ts';

/** Register events are numbered from here, memory events of the thread from 0. */
const firstRegisterEvent = 1 << 24;

/** A thread whose loops are bounded does not run longer. */
const mostInstructions = 100_000;

interface RegisterEvent {
  /** B is what decides, behind a fetch, which instruction it is: all that the instruction does depends on it. */
  readonly kind: 'Rreg' | 'Wreg' | 'BCC' | 'B';
  readonly instruction: number;
  /** Of a register read: the write that it reads from, if that is not the initial value. */
  readonly source: number | undefined;
  /** Of register writes and branches, events of the same instruction. */
  readonly depends: Dependencies;
}

interface Run {
  readonly events: readonly LocalEvent[];
  readonly registerEvents: readonly RegisterEvent[];
  readonly choices: readonly boolean[];
  /** It ended, and met no choice that was not made. */
  readonly isComplete: boolean;
}

/** Watches registers: reads and writes become events. */
class Watcher implements RegisterObserver {
  readonly events: RegisterEvent[] = [];
  instruction = 0;
  readonly #lastWrite = new Map<string, number>();

  #add(event: Omit<RegisterEvent, 'instruction'>): number {
    this.events.push({ ...event, instruction: this.instruction });
    return firstRegisterEvent + this.events.length - 1;
  }

  read(register: string, value: TraceValue): TraceValue {
    const read = this.#add({ kind: 'Rreg', source: this.#lastWrite.get(register), depends: independent });
    return { ...value, deps: [read], picks: [] };
  }

  write(register: string, value: TraceValue): TraceValue {
    this.#lastWrite.set(register, this.#add({ kind: 'Wreg', source: undefined, depends: value }));
    return value;
  }

  fetch(depends: Dependencies): void {
    this.#add({ kind: 'B', source: undefined, depends });
  }

  branch(depends: Dependencies): void {
    if (depends.deps.length + depends.picks.length > 0) this.#add({ kind: 'BCC', source: undefined, depends });
  }
}

function run(
  thread: Thread,
  parts: MemoryParts,
  known: ReadonlyMap<number, bigint>,
  choices: readonly boolean[],
  isWatched: boolean,
): Run {
  const events: LocalEvent[] = [];
  const recorder = new ThreadRecorder(parts, events, atStart, known, choices, 'everywhere', thread.translation);
  const watcher = new Watcher();
  const hooks: ThreadHooks = {
    ...(isWatched && { registers: watcher }),
    fence: (name) => recorder.fence(name),
    exceptionEntry: (taken, sets, hasHandler) => recorder.exceptionEntry(taken, sets, hasHandler),
    exceptionReturn: (sets) => recorder.exceptionReturn(sets),
    maintenance: (sets, argument, address) => recorder.maintenance(sets, argument, address),
    updateAccessFlag: (descriptor) => recorder.updateAccessFlag(descriptor),
    fetch: (address) => {
      const word = recorder.fetch(address);
      if (word !== undefined) watcher.fetch(word);
      return word;
    },
    cacheMaintenance: (name, address) => recorder.cacheMaintenance(name, address),
    branch: (depends) => {
      watcher.branch(depends);
      recorder.branch(depends);
    },
  };
  const state = thread.start();
  for (let n = 0; n < mostInstructions; n += 1) {
    const outcome = state.step(recorder, hooks);
    if (outcome.kind !== 'next' || recorder.choices.missing || recorder.choices.isContradicted) break;
    recorder.nextInstruction();
    watcher.instruction += 1;
  }
  const isComplete = !recorder.choices.missing && !recorder.choices.isContradicted;
  return { events, registerEvents: watcher.events, choices: recorder.choices.made, isComplete };
}

/** Whether a run has the events of an execution and their dependencies. */
function isRunOf(events: readonly LocalEvent[], own: readonly MemoryEvent[], { relations }: Execution): boolean {
  if (events.length !== own.length) return false;
  const first = own[0]?.id ?? 0;
  return events.every((event, n) => {
    const { id, kind, address, bytes, value } = own[n]!;
    if (event.kind !== kind || event.address !== address || event.bytes !== bytes) return false;
    if ((kind === 'R' || kind === 'W') && event.value !== value) return false;
    const has = (reads: Reads, relation: Relation): boolean =>
      own.every((other) => relation.has(other.id, id) === reads.includes(other.id - first));
    return (
      has(event.addr.deps, relations.addr) &&
      has(event.addr.picks, relations.pickAddr) &&
      has(event.data.deps, relations.data) &&
      has(event.data.picks, relations.pickData)
    );
  });
}

/** The watched run of a thread; which of its choices were made shows in the events. */
function watchedRun(thread: Thread, parts: MemoryParts, own: readonly MemoryEvent[], execution: Execution): Run {
  const known = new Map(own.flatMap(({ kind, value }, n) => (kind === 'R' ? [[n, value] as const] : [])));
  const open: (readonly boolean[])[] = [[]];
  for (let choices = open.pop(); choices; choices = open.pop()) {
    const plain = run(thread, parts, known, choices, false);
    if (!plain.isComplete) open.push([...plain.choices, false], [...plain.choices, true]);
    else if (isRunOf(plain.events, own, execution)) return run(thread, parts, known, plain.choices, true);
  }
  assert(false, `no run of ${thread.name} has the events of its execution`);
}

/** Parts as small as the accesses of an execution. */
function partsOf(program: Program, { events }: Execution): MemoryParts {
  const parts = new MemoryParts(program.memory);
  const note = (change: () => void): void => {
    try {
      change();
    } catch (error) {
      if (!(error instanceof PartsChanged)) throw error;
    }
  };
  for (const { kind, address, bytes, annotations } of events) {
    if (kind !== 'R' && kind !== 'W') continue;
    note(() => parts.of(address, bytes));
    const isModified = annotations.has('Instr') && (kind === 'W' || annotations.has('NExp'));
    if (isModified) note(() => parts.modify({ address, bytes }));
  }
  return parts;
}

/** Makes the detailed form of the program's executions. */
export function detailedForm(program: Program): (execution: Execution) => Detail {
  return (execution) => {
    const { events } = execution;
    const parts = partsOf(program, execution);
    const thread = events.map((event) => event.thread);
    const instruction = events.map((event) => event.instruction);
    const runs = program.threads.map((own, n) => {
      const before = events.findIndex((event) => event.thread === n);
      const result = watchedRun(
        own,
        parts,
        events.filter((event) => event.thread === n),
        execution,
      );
      const first = thread.length;
      for (const event of result.registerEvents) {
        thread.push(n);
        instruction.push(event.instruction);
      }
      const idOf = (number: number): number =>
        number >= firstRegisterEvent ? first + number - firstRegisterEvent : before + number;
      return { ...result, idOf };
    });

    const size = thread.length;
    const sets = new Map(['Rreg', 'Wreg', 'BCC', 'B', 'DATA'].map((name) => [name, new EventSet(size)]));
    const relations = new Map(['rf-reg', 'iico_data', 'iico_ctrl'].map((name) => [name, new Relation(size)]));
    const inside = (reads: Reads, to: number, name: string, idOf: (number: number) => number): void => {
      for (const from of reads.map(idOf)) if (instruction[from] === instruction[to]) relations.get(name)!.add(from, to);
    };
    for (const { events: own, registerEvents, idOf } of runs) {
      own.forEach(({ handsOn, addr, data }, n) => {
        const id = idOf(n);
        for (const { deps, picks } of [handsOn, addr]) {
          inside(deps, id, 'iico_data', idOf);
          inside(picks, id, 'iico_ctrl', idOf);
        }
        for (const read of data.deps) if (read >= firstRegisterEvent) sets.get('DATA')!.add(idOf(read));
      });
      registerEvents.forEach(({ kind, source, depends }, n) => {
        const id = idOf(firstRegisterEvent + n);
        sets.get(kind)!.add(id);
        if (source !== undefined) relations.get('rf-reg')!.add(idOf(source), id);
        inside(depends.deps, id, 'iico_data', idOf);
        inside(depends.picks, id, 'iico_ctrl', idOf);
        if (kind !== 'B') return;
        for (let other = 0; other < size; other += 1) {
          const isOwn = thread[other] === thread[id] && instruction[other] === instruction[id] && other !== id;
          if (isOwn && !depends.deps.map(idOf).includes(other)) relations.get('iico_ctrl')!.add(id, other);
        }
      });
    }
    const branches = sets.get('BCC')!;
    sets.set('B', sets.get('B')!.union(branches));
    sets.set('PoD', branches);
    const others = sets.get('Rreg')!.difference(sets.get('DATA')!);
    for (const name of ['ADDR', 'NDATA']) sets.set(name, others);
    relations.set('po', programOrder(execution, branches, thread, instruction));
    return { size, sets, relations, thread, instruction };
  };
}

/** Between accesses, fences and branches; register events are not in it. */
function programOrder(
  { events }: Execution,
  branches: EventSet,
  thread: readonly number[],
  instruction: readonly number[],
): Relation {
  const inOrder = [...events.map(({ id }) => id), ...branches];
  const result = new Relation(thread.length);
  for (const from of inOrder)
    for (const to of inOrder)
      if (thread[from]! >= 0 && thread[from] === thread[to] && instruction[from]! < instruction[to]!)
        result.add(from, to);
  return result;
}
