// Exceptions that are not modelled: a thread that would take one, in an execution that the model allows, ends the exploration with a
// sentence. What it has found until then would be outcomes of another program.

import type { TraceException } from '../engine/trace-state.ts';
import type { Program } from '../memory-model/program.ts';
import { UserError } from '../report/user-error.ts';
import type { Situation } from './situation.ts';

function reason(exception: TraceException): string {
  switch (exception.exception) {
    case 'Data Abort': {
      const at = `0x${exception.address.toString(16)}`;
      return exception.fault === 'alignment'
        ? `accesses ${at}, which is not aligned as it must be`
        : `accesses ${at}, where there is no variable`;
    }
    case 'page crossing':
      return `accesses two pages at 0x${exception.address.toString(16)}, which is not modelled with translation`;
    case 'UNDEFINED':
      return 'is not an instruction that a thread can execute';
    case 'SVC':
      return 'takes an exception in the handler of another one, which is not modelled';
    default:
      return `takes an exception (${exception.exception}), which is not modelled`;
  }
}

/** The refusal of the first exception that a thread has taken. */
export function exceptionOf({ threads }: Program, { paths }: Situation): UserError | undefined {
  const failed = paths.findIndex(({ end }) => end.kind === 'exception');
  const path = paths[failed];
  const thread = threads[failed];
  if (thread === undefined || path?.end.kind !== 'exception') return undefined;
  const place = thread.placeOf?.(path.state.pc);
  const sentence = `${thread.name}: "${path.state.describe()}" ${reason(path.end.exception)}`;
  return new UserError(place === undefined ? sentence : `${place}: ${sentence}`);
}
