// Device accesses of the present instruction. A request leaves by message, and the instruction runs again when the response has
// come; an instruction of several accesses runs again several times. What has completed is kept here, in order, so that the
// second run of the instruction finds the answers of the first, and no device sees an access twice.
//
// Answers belong to one execution of one instruction: they are given out again only to the instruction at the same PC, and
// further accesses join them only in the same execution. While answers wait for their instruction no interrupt is taken.

import type { PeEnvironment } from './environment.ts';

interface Answer {
  readonly isWrite: boolean;
  readonly pa: number;
  readonly sizeBytes: number;
  readonly isOkay: boolean;
  readonly valueLow: number;
  readonly valueHigh: number;
}

export interface BusAccesses {
  pcLow: number;
  pcHigh: number;
  /** Instructions that had been run when the last answer was consumed. */
  instructions: number;
  answers: Answer[];
  consumed: number;
  /** The request that is on its way. */
  request: Omit<Answer, 'isOkay'> | undefined;
}

export const createBusAccesses = (): BusAccesses => ({
  pcLow: 0,
  pcHigh: 0,
  instructions: -1,
  answers: [],
  consumed: 0,
  request: undefined,
});

export const isAnswerWaiting = (bus: BusAccesses): boolean => bus.consumed < bus.answers.length;

export function forgetAnswers(bus: BusAccesses): void {
  if (bus.answers.length > 0) bus.answers = [];
  bus.consumed = 0;
  bus.request = undefined;
}

/** The answer to this access of the instruction at PC, or undefined after the request has been sent. */
export function busAccess(
  bus: BusAccesses,
  environment: PeEnvironment,
  pcLow: number,
  pcHigh: number,
  isWrite: boolean,
  pa: number,
  sizeBytes: number,
  valueLow: number,
  valueHigh: number,
): Answer | undefined {
  const isSamePc = bus.pcLow === pcLow && bus.pcHigh === pcHigh;
  const answer = bus.answers[bus.consumed];
  if (isSamePc && answer?.pa === pa && answer.isWrite === isWrite && answer.sizeBytes === sizeBytes) {
    bus.consumed++;
    bus.instructions = environment.instructions();
    return answer;
  }
  const isSameExecution = isSamePc && answer === undefined && bus.instructions === environment.instructions();
  if (!isSameExecution) forgetAnswers(bus);
  bus.pcLow = pcLow;
  bus.pcHigh = pcHigh;
  bus.consumed = 0;
  bus.request = { isWrite, pa, sizeBytes, valueLow, valueHigh };
  environment.busRequest(isWrite, pa, sizeBytes, valueLow, valueHigh);
  return undefined;
}

/** The response to the request: the instruction, when it runs again, finds it. */
export function answerBusRequest(bus: BusAccesses, isOkay: boolean, valueLow: number, valueHigh: number): void {
  if (bus.request === undefined) return;
  // Written out: V8 makes a new shape for each copy that takes over some members and replaces others.
  const { isWrite, pa, sizeBytes } = bus.request;
  const answer = { isWrite, pa, sizeBytes, isOkay, valueLow, valueHigh };
  // An array that begins as this one has no room for more, which most never need.
  if (bus.answers.length === 0) bus.answers = [answer];
  else bus.answers.push(answer);
  bus.request = undefined;
}
