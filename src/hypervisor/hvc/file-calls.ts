// File calls of bare-metal applications (section 14 of the ancestor's description, "Unilib"): the hypervisor hands them to the management
// VM, which has the files, through a page of that VM's memory: its configuration, and a flag and a value for each answer.
//
// The calling core waits at EL2, where it serves the messages of other cores, no longer than the time slice of the caller where it shares
// its core: the call is then made once more when the caller has its next turn. In the ancestor it waits for ever, and on the core of the
// management VM too; here it gives up, and says so at once where the answer cannot come.

import { type Activity, dsbStores, work } from '../../arch/resident.ts';
import { type Rhyper, vcpuOf, vmAt } from '../context.ts';
import { readGuest, writeGuest } from '../guest-memory.ts';
import { sendMessage } from '../messages.ts';
import { walkStage2 } from '../stage2.ts';
import { type Vm, vmState } from '../state.ts';
import { isSliceOver } from '../timer.ts';
import type { Hypercall, HypercallHandler, HypercallResult, HypercallRow } from './hypercall.ts';
import { vmArgument } from './management.ts';

const fid = 0x12;
const event = { init: 0, open: 1, close: 2, read: 3, write: 4, lseek: 5, append: 7, finished: 8 } as const;

/** Offsets in the page: the VM that it is for, its buffer, the flag of an answer and the answer. */
const page = { vmId: 32, bufferBytes: 40, bufferIpa: 56, flag: 72, value: 80, bytes: 88 } as const;

const pollTicks = 2_000;
/** One part in so many of a second, 20 ms: longer than any answer takes that comes at all. */
const patienceParts = 50n;

/** `fileCall` of a VM whose INIT has not been sent yet. */
const beforeInit = 0xff;

const at = ({ args }: Hypercall, n: number): bigint => args[n] ?? 0n;
const doubleword = (rhyper: Rhyper, pa: number): bigint => rhyper.memory.view.getBigUint64(pa, true);

/** APPEND: the management VM offers a page for a VM. */
function* append(rhyper: Rhyper, call: Hypercall): Activity<bigint | undefined> {
  const ipa = at(call, 0);
  const bytes = readGuest(rhyper, call.caller, ipa, page.bytes);
  const walked = ipa < 1n << 48n ? walkStage2(rhyper, call.caller, Number(ipa)) : undefined;
  if (!bytes || !walked?.isWritable || ipa % 8n !== 0n || (ipa % 0x1000n) + BigInt(page.bytes) > 0x1000n)
    return undefined;
  const vm = vmArgument(rhyper, new DataView(bytes.buffer).getBigUint64(page.vmId, true));
  if (!vm) return undefined;
  vm.filePage = walked.pa;
  return 0n;
}

/** The time slice is over, and another vCPU waits for its turn. */
const isOvertime = (rhyper: Rhyper): boolean => rhyper.core.queueLength > 1 && isSliceOver(rhyper);

/** Begins what may be waited for over several turns; false where that has happened already. */
function isNew(rhyper: Rhyper, caller: Vm, number: number): boolean {
  if (caller.fileCall === number + 1) return false;
  caller.fileCall = number + 1;
  caller.fileDeadline = rhyper.system.read('CNTPCT_EL0') + rhyper.system.read('CNTFRQ_EL0') / patienceParts;
  return true;
}

/** Lets time pass until `isDone`; false when it took too long or nobody can answer, undefined when it is another vCPU's turn. */
function* waitUntil(rhyper: Rhyper, caller: Vm, isDone: () => boolean): Activity<boolean | undefined> {
  const manager = vcpuOf(rhyper, vmAt(rhyper, 0), 0);
  if (!manager || manager.core === rhyper.index || vmAt(rhyper, 0).state !== vmState.active) return false;
  while (caller.state === vmState.active && rhyper.system.read('CNTPCT_EL0') < caller.fileDeadline) {
    if (isDone()) return true;
    if (isOvertime(rhyper)) return undefined;
    yield* rhyper.serveIpis();
    yield* work(pollTicks);
  }
  return false;
}

/** Makes the end of a call that may have taken several turns. */
function* finish(
  rhyper: Rhyper,
  caller: Vm,
  isDone: () => boolean,
  value: () => bigint | undefined,
): Activity<HypercallResult> {
  const isAnswered = yield* waitUntil(rhyper, caller, isDone);
  if (isAnswered === undefined) return 'again';
  caller.fileCall = 0;
  return isAnswered ? value() : undefined;
}

function* init(rhyper: Rhyper, { caller }: Hypercall): Activity<HypercallResult> {
  if (caller.filePage !== 0) return 0n;
  const manager = vmAt(rhyper, 0);
  if (caller.fileCall !== event.init + 1) {
    // The management VM may still be on its way up.
    isNew(rhyper, caller, beforeInit);
    const isUp = yield* waitUntil(rhyper, caller, () => manager.messagePage !== 0);
    if (isUp === undefined) return 'again';
    caller.fileCall = 0;
    if (!isUp || !(yield* sendMessage(rhyper, manager, { fid, event: event.init, arguments: [caller.id] })))
      return undefined;
    isNew(rhyper, caller, event.init);
  }
  return yield* finish(
    rhyper,
    caller,
    () => caller.filePage !== 0,
    () => 0n,
  );
}

/** One call: `sent` goes into the buffer before, what the answer counts comes out of it behind. */
function* ask(
  rhyper: Rhyper,
  caller: Vm,
  number: number,
  args: readonly bigint[],
  sent?: Uint8Array,
): Activity<HypercallResult> {
  const { filePage } = caller;
  if (filePage === 0) return undefined;
  if (isNew(rhyper, caller, number) && !(yield* request(rhyper, caller, number, args, sent))) {
    caller.fileCall = 0;
    return undefined;
  }
  return yield* finish(
    rhyper,
    caller,
    () => doubleword(rhyper, filePage + page.flag) !== 0n,
    () => doubleword(rhyper, filePage + page.value),
  );
}

function* request(
  rhyper: Rhyper,
  caller: Vm,
  number: number,
  args: readonly bigint[],
  sent?: Uint8Array,
): Activity<boolean> {
  const { filePage } = caller;
  const manager = vmAt(rhyper, 0);
  if (sent && sent.length > Number(doubleword(rhyper, filePage + page.bufferBytes))) return false;
  if (sent && !writeGuest(rhyper, manager, doubleword(rhyper, filePage + page.bufferIpa), sent)) return false;
  rhyper.port.writeRam(filePage + page.flag, new Uint8Array(16));
  yield* dsbStores();
  return yield* sendMessage(rhyper, manager, { fid, event: number, arguments: [BigInt(caller.id), ...args] });
}

const limitBytes = 0x10_0000n;

function* open(rhyper: Rhyper, call: Hypercall): Activity<HypercallResult> {
  const [path = 0n, length = 0n, flags = 0n] = call.args;
  const bytes = length < limitBytes ? readGuest(rhyper, call.caller, path, Number(length)) : undefined;
  return bytes && (yield* ask(rhyper, call.caller, event.open, [length, flags], bytes));
}

function* write(rhyper: Rhyper, call: Hypercall): Activity<HypercallResult> {
  const [fd = 0n, buffer = 0n, length = 0n] = call.args;
  const bytes = length < limitBytes ? readGuest(rhyper, call.caller, buffer, Number(length)) : undefined;
  return bytes && (yield* ask(rhyper, call.caller, event.write, [fd, length], bytes));
}

/** Copies as many bytes as the answer says, and no more than were asked for. */
function* read(rhyper: Rhyper, call: Hypercall): Activity<HypercallResult> {
  const [fd = 0n, buffer = 0n, length = 0n] = call.args;
  if (length >= limitBytes) return undefined;
  const answer = yield* ask(rhyper, call.caller, event.read, [fd, length]);
  if (answer === undefined || answer === 'again' || answer > length) return answer;
  const from = doubleword(rhyper, call.caller.filePage + page.bufferIpa);
  const bytes = readGuest(rhyper, vmAt(rhyper, 0), from, Number(answer));
  return bytes && writeGuest(rhyper, call.caller, buffer, bytes) ? answer : undefined;
}

function* close(rhyper: Rhyper, call: Hypercall): Activity<HypercallResult> {
  return yield* ask(rhyper, call.caller, event.close, [at(call, 0)]);
}

function* lseek(rhyper: Rhyper, call: Hypercall): Activity<HypercallResult> {
  return yield* ask(rhyper, call.caller, event.lseek, [at(call, 0), at(call, 1), at(call, 2)]);
}

function* finished(): Activity<bigint> {
  return 0n;
}

const row = (number: number, name: string, handle: HypercallHandler, manager = false): HypercallRow => ({
  fid,
  event: number,
  name: `UNILIB ${name}`,
  manager,
  handle,
});

export const fileCalls: readonly HypercallRow[] = [
  row(event.init, 'INIT', init),
  row(event.open, 'OPEN', open),
  row(event.close, 'CLOSE', close),
  row(event.read, 'READ', read),
  row(event.write, 'WRITE', write),
  row(event.lseek, 'LSEEK', lseek),
  row(event.append, 'APPEND', append, true),
  row(event.finished, 'FINISHED', finished),
];
