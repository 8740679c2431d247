// What the functions of the hypercall interface have in common: the table's row, and what a handler is given.

import type { Activity } from '../../arch/resident.ts';
import type { Rhyper } from '../context.ts';
import type { Vcpu, Vm } from '../state.ts';

/** What a hypercall works with. */
export interface Hypercall {
  readonly caller: Vm;
  readonly vcpu: Vcpu;
  /** X0 to X6. */
  readonly args: readonly bigint[];
}

/** The result for X0, or undefined for an error; `again`: others have their turn on this core, and the call is then made once more. */
export type HypercallResult = bigint | undefined | 'again';
export type HypercallHandler = (rhyper: Rhyper, call: Hypercall) => Activity<HypercallResult>;

/** One function: what it is called, who may call it, and what it does. */
export interface HypercallRow {
  readonly fid: number;
  readonly event: number;
  readonly name: string;
  /** Only the management VM may. */
  readonly manager: boolean;
  readonly handle: HypercallHandler;
}
