// A litmus test as it is written: what its initial state, columns and final condition say, before any of it means anything to a
// machine (herd7's manual, "Litmus test sources"). parse.ts makes it from text, program.ts makes a program of it, spelling.ts writes
// its terms as herd7 does.

import type { Place } from '../../isa/assembler/source.ts';

export type Architecture = 'AArch64' | 'X86_64' | 'X86';

/** A place in a source with its column, for refusals that come after parsing. */
export interface Spot extends Place {
  readonly column: number;
}

/** `int`, `uint64_t`, `int *`. */
export interface TypeText {
  readonly name: string;
  readonly isPointer: boolean;
}

export type Location =
  | { readonly kind: 'register'; readonly thread: number; readonly name: string }
  /** `x`, `[x]`, `x[1]`; without an index an array stands for all of its elements. */
  | { readonly kind: 'memory'; readonly name: string; readonly index?: number }
  /** `PTE(x)`, `TTD(x)`, `pte_x`: the last-level descriptor of the page of x. */
  | { readonly kind: 'descriptor'; readonly name: string };

/** A field of a translation table descriptor, PAR_EL1 or shadow stack entry. */
export interface DescriptorField {
  readonly name: string;
  readonly value:
    | { readonly kind: 'number'; readonly value: bigint }
    | { readonly kind: 'physical'; readonly name: string }
    | { readonly kind: 'attributes'; readonly names: readonly string[] };
}

export type Value =
  /** `isHex` remembers the spelling only. */
  | { readonly kind: 'number'; readonly value: bigint }
  /** The address of a variable, of one of its elements, or of bytes behind it; `tag` is a memory tag's colour. */
  | {
      readonly kind: 'address';
      readonly name: string;
      readonly index?: number;
      readonly offset?: bigint;
      readonly tag?: string;
    }
  | { readonly kind: 'label'; readonly thread: number; readonly label: string }
  /** The word of an instruction: `NOP`, `instr:"B .+8"`. */
  | { readonly kind: 'instruction'; readonly text: string }
  | { readonly kind: 'descriptor address'; readonly name: string }
  | { readonly kind: 'physical address'; readonly name: string }
  | { readonly kind: 'descriptor'; readonly type?: string; readonly fields: readonly DescriptorField[] }
  | { readonly kind: 'list'; readonly type?: string; readonly elements: readonly Value[] };

export type InitialItem = { readonly at: Spot } & (
  | {
      readonly kind: 'location';
      readonly location: Location;
      readonly type?: TypeText;
      readonly value?: Value;
    }
  | {
      readonly kind: 'array';
      readonly name: string;
      readonly type: TypeText;
      readonly length?: number;
      readonly value?: Value;
    }
  /** `uint64_t %base=x`: a register that the test leaves to be chosen; used as `X%base`. */
  | { readonly kind: 'symbolic register'; readonly name: string; readonly type?: TypeText; readonly value?: Value }
  /** `SS(x,2)`: a shadow stack of so many entries. */
  | { readonly kind: 'shadow stack'; readonly name: string; readonly length: number; readonly value?: Value }
);

/** A label or an instruction of a column, as text. */
export type ColumnLine = { readonly at: Spot } & (
  { readonly kind: 'label'; readonly name: string } | { readonly kind: 'instruction'; readonly text: string }
);

export interface Column {
  readonly thread: number;
  /** `P0.F`: what the thread does when it takes an exception. */
  readonly isHandler: boolean;
  readonly at: Spot;
  readonly lines: readonly ColumnLine[];
}

/** `fault(P0:L0,x,MMU:Translation)`; what is left out is not asked for. */
export interface FaultTerm {
  readonly thread: number;
  readonly label?: string;
  readonly location?: Value;
  readonly type?: string;
}

export type Proposition =
  | { readonly kind: 'true' | 'false' }
  | { readonly kind: 'equal' | 'different'; readonly location: Location; readonly value: Value; readonly at: Spot }
  | { readonly kind: 'same'; readonly left: Location; readonly right: Location; readonly at: Spot }
  | { readonly kind: 'fault'; readonly fault: FaultTerm; readonly at: Spot }
  | { readonly kind: 'not'; readonly operand: Proposition }
  | { readonly kind: 'and' | 'or'; readonly operands: readonly Proposition[] }
  | { readonly kind: 'implies'; readonly left: Proposition; readonly right: Proposition };

export type Quantifier = 'exists' | '~exists' | 'forall';

export interface Condition {
  readonly quantifier: Quantifier;
  readonly proposition: Proposition;
}

/** What is printed of the final state besides what the condition asks for. */
export type ObservedItem = { readonly at: Spot } & (
  | { readonly kind: 'location'; readonly location: Location; readonly type?: TypeText }
  | { readonly kind: 'fault'; readonly fault: FaultTerm }
);

export interface LitmusTest {
  readonly architecture: Architecture;
  readonly name: string;
  readonly file: string;
  /** What stands in quotes below the name. */
  readonly documentation: string;
  /** `Com=Rf Fr` and its kind, by name in lower case. */
  readonly info: ReadonlyMap<string, string>;
  readonly initial: readonly InitialItem[];
  readonly columns: readonly Column[];
  readonly observed: readonly ObservedItem[];
  readonly filter: Proposition | undefined;
  readonly condition: Condition;
}
