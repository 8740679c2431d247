// The kernel of the resident Linux ABI as an actor, where cores run at the same time (messages.ts): it goes through the entries of all cores
// by itself, one step after the other, so that what the ABI is written for stays true: what an entry does, it does without waiting, and
// others see it wholly or not at all. Software that waits for another core by letting time pass lets the others have their turn.

import type {
  Activity,
  EntryEnd,
  ResidentAnswer,
  ResidentLevelSoftware,
  SystemAccess,
} from '../../src/arch/resident.ts';
import { registerNamed } from '../../src/arch/system-registers.ts';
import { assert, InternalError } from '../../src/report/assert.ts';
import type { Actor, ActorId, Port } from '../actor.ts';
import { intid as special } from '../gic/groups.ts';
import { decode, encode, type FieldsOf, type MessageRow } from '../protocol.ts';
import { kernelMessages } from './messages.ts';

/** Whatever takes ticks takes them by itself here; an entry that asks for more than it can need waits for somebody. */
const workAtOnce = 16;

/** A core as its kernel has it while it is entered. */
export interface EnteredCore {
  /** What acts on the PE; reads are of the record. */
  readonly system: Omit<SystemAccess, 'read'>;
  /** ICC_IAR1_EL1: what the core has acknowledged, once. */
  readonly acknowledge: () => number;
  readonly isBarrierComplete: () => boolean;
}

export interface LinuxKernelOptions {
  readonly cores: readonly ActorId[];
  readonly software: (index: number, core: EnteredCore) => ResidentLevelSoftware;
}

interface Seat {
  receive(code: number, payload: readonly number[]): void;
  goOn(): void;
}

const nothing: ResidentAnswer = { isOkay: true, valueLow: 0, valueHigh: 0 };
const halves = (value: bigint): [low: number, high: number] => [
  Number(BigInt.asUintN(32, value)),
  Number(BigInt.asUintN(32, value >> 32n)),
];
const wordRange = 2 ** 32;

function makeSeat(port: Port, core: ActorId, index: number, software: LinuxKernelOptions['software']): Seat {
  let activity: Activity<EntryEnd> | undefined;
  let intid: number = special.spurious;
  let owesBarrier = false;

  const tell = <Row extends MessageRow>(row: Row, fields: FieldsOf<Row>): void => {
    port.send(core, row.code, encode(row, fields));
  };

  const kernel = software(index, {
    system: {
      write: (name, value) => {
        const row = registerNamed(name);
        assert(row !== undefined, `there is no system register ${name}`);
        const [valueLow, valueHigh] = halves(value);
        tell(kernelMessages.MSR, { key: row.key, valueLow, valueHigh });
      },
      execute: (key, operand) => {
        owesBarrier = true;
        const [operandLow, operandHigh] = halves(operand);
        tell(kernelMessages.SYS, { key, operandLow, operandHigh });
      },
    },
    acknowledge: () => {
      const acknowledged = intid;
      intid = special.spurious;
      return acknowledged;
    },
    isBarrierComplete: () => !owesBarrier,
  });

  /** The entry, until it is over or waits. */
  function goOn(first = nothing): void {
    let answer = first;
    assert(activity !== undefined, 'a core that is answered has entered the kernel');
    for (let works = 0; ; answer = nothing) {
      const { done, value } = activity.next(answer);
      if (done) {
        activity = undefined;
        tell(value === 'return' ? kernelMessages.ERET : kernelMessages.WFI, {});
        return;
      }
      switch (value.kind) {
        case 'work':
          works += 1;
          if (works < workAtOnce) continue;
          port.at(port.now() + value.ticks, index);
          return;
        case 'access': {
          const { isWrite, pa, sizeBytes, valueLow, valueHigh } = value;
          const [addressLow, addressHigh] = [pa % wordRange, Math.floor(pa / wordRange)];
          const fields = { isWrite: isWrite ? 1 : 0, addressLow, addressHigh, sizeBytes, valueLow, valueHigh };
          tell(kernelMessages.Access, fields);
          return;
        }
        case 'barrier':
          tell(kernelMessages.DSB, {});
          return;
        case 'firmware':
          assert(false, 'the kernel of the Linux ABI is below no firmware');
      }
    }
  }

  function enter(entered: Activity<EntryEnd>): void {
    assert(activity === undefined, 'a core enters the kernel when it has left it');
    activity = entered;
    goOn();
  }

  return {
    goOn,
    receive: (code, payload) => {
      switch (code) {
        case kernelMessages.Reset.code:
          enter(kernel.reset());
          break;
        case kernelMessages.Exception.code: {
          const exception = decode(kernelMessages.Exception, payload);
          ({ intid } = exception);
          enter(kernel.exception(exception.vectorOffset));
          break;
        }
        case kernelMessages.BarrierComplete.code:
          owesBarrier = false;
          goOn();
          break;
        case kernelMessages.AccessResponse.code: {
          const { isOkay, valueLow, valueHigh } = decode(kernelMessages.AccessResponse, payload);
          goOn({ isOkay: isOkay === 1, valueLow, valueHigh });
          break;
        }
        default:
          assert(false, `the kernel does not know message 0x${code.toString(16)}`);
      }
    },
  };
}

export function makeLinuxKernel(port: Port, { cores, software }: LinuxKernelOptions): Actor {
  const seats = cores.map((core, index) => makeSeat(port, core, index, software));
  const seatOf = new Map(cores.map((core, index) => [core, seats[index] as Seat]));
  const unsaved = (): never => {
    throw new InternalError('a machine whose cores run at the same time is not saved');
  };
  return {
    receive: ({ code, source, payload }) => {
      const seat = seatOf.get(source);
      assert(seat !== undefined, 'only cores enter the kernel');
      seat.receive(code, payload);
    },
    timer: (index) => {
      seats[index]?.goOn();
    },
    save: unsaved,
    restore: unsaved,
  };
}
