// Events as people write them: `a: W[x]=1`, `b: F[P1:L0]=NOP` where that is fetched, `c: DC CVAU P1:L0`. The letters follow threads and
// program order; fences are called what they are, and initial writes by their location.

import { initialThread, isFetch, type Execution, type MemoryEvent } from '../execution.ts';
import { instructionText } from '../litmus/instruction-text.ts';
import type { MemoryArea } from '../program.ts';

export interface EventNames {
  /** 'a', 'b', …, 'DMB SY', or 'the initial x'. */
  readonly letter: (event: number) => string;
  /** `W[x]=1`, `R[y]Acq=0`, `DMB SY`. */
  readonly action: (event: number) => string;
  /** `x`, `x+8`. */
  readonly location: (event: number) => string;
}

/** a … z, then aa, ab, … */
function letters(n: number): string {
  const last = String.fromCharCode(97 + (n % 26));
  return n < 26 ? last : letters(Math.floor(n / 26) - 1) + last;
}

const marks: readonly (readonly [string, string])[] = [
  ['A', 'Acq'],
  ['Q', 'AcqPc'],
  ['L', 'Rel'],
  ['X', '*'],
];

/** Decimal while it is short, as tests write small numbers. */
const valueText = (value: bigint): string => (value < 0x1_0000n ? value.toString() : `0x${value.toString(16)}`);

/** Sets of cat that say less than others of the same event. */
const lessTelling: ReadonlySet<string> = new Set(['CSE', 'TLBI', 'TLBIIS', 'FAULT', 'MMU', 'D-MMU']);

/** A fence as assembly writes it: `DMB SY`; the entry of an exception and the return from it as cat names them: `EXC-ENTRY SVC`. */
export const fenceText = ({ annotations }: MemoryEvent): string =>
  [...annotations]
    .filter((name) => !lessTelling.has(name))
    .join(' ')
    .replace('.', ' ');

/** Fetches, reads of walks and writes of hardware have letters of their own. */
function letterOf(event: MemoryEvent): string {
  if (isFetch(event)) return 'F';
  const isImplicit = event.annotations.has('NExp') && event.annotations.has('PTE');
  return isImplicit ? (event.kind === 'R' ? 'T' : 'U') : event.kind;
}

const instructionBytes = 4;

export function eventNames({ events }: Execution, memory: readonly MemoryArea[]): EventNames {
  const named = new Map<number, string>();
  let count = 0;
  for (const { id, thread, kind } of events)
    if (thread !== initialThread && kind !== 'F') {
      named.set(id, letters(count));
      count += 1;
    }
  const locationAt = (address: bigint): string => {
    const area = memory.find((one) => one.address <= address && address < one.address + BigInt(one.bytes.length));
    if (!area) return `0x${address.toString(16)}`;
    const label = area.labels?.get(address);
    if (label !== undefined) return `${area.name}:${label}`;
    const offset = address - area.address;
    return offset === 0n ? area.name : `${area.name}+${offset}`;
  };
  const location = (event: number): string => locationAt(events[event]!.address);
  const action = (id: number): string => {
    const event = events[id]!;
    if (event.kind === 'F') return fenceText(event);
    if (event.kind === 'C') return event.address < 0n ? fenceText(event) : `${fenceText(event)} ${location(id)}`;
    const mark = marks.flatMap(([set, text]) => (event.annotations.has(set) ? [text] : [])).join('');
    const pointed = memory.find(({ address }) => address === event.value && event.bytes === 8);
    const isInstruction = event.annotations.has('Instr') && event.bytes === instructionBytes;
    const area = memory.find((one) => one.address === event.address);
    const spelled = isInstruction ? instructionText(Number(event.value)) : area?.spell?.(event.value);
    return `${letterOf(event)}[${location(id)}]${mark}=${pointed?.name ?? spelled ?? valueText(event.value)}`;
  };
  return {
    letter: (id) => {
      const event = events[id]!;
      return named.get(id) ?? (event.thread === initialThread ? `the initial ${location(id)}` : action(id));
    },
    location,
    action,
  };
}
