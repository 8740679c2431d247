// The core's end of the kernel of the resident Linux ABI, where cores run at the same time (messages.ts): software at EL1 that does as the
// kernel tells it.

import { vector } from '../../src/arch/exceptions.ts';
import { type Activity, dsb, type EntryEnd, type SystemAccess } from '../../src/arch/resident.ts';
import type { Pe } from '../../src/arch/pe.ts';
import { registerAt } from '../../src/arch/system-registers.ts';
import { assert } from '../../src/report/assert.ts';
import type { ActorId, Message, Port } from '../actor.ts';
import type { CoreSoftware } from '../core/options.ts';
import { intid as special } from '../gic/groups.ts';
import { decode, encode } from '../protocol.ts';
import { kernelMessages } from './messages.ts';

export interface KernelLinkOptions {
  readonly kernel: ActorId;
  readonly port: Pick<Port, 'send'>;
  readonly pe: Pe;
  readonly system: SystemAccess;
}

const kindOfVector = 0x180;
const intidMask = 0xff_ffffn;
const doubleword = (low: number, high: number): bigint => BigInt(low) | (BigInt(high) << 32n);

export function kernelLink({ kernel, port, pe, system }: KernelLinkOptions): CoreSoftware {
  const commands: Message[] = [];

  /** Commands of an entry up to the one that ends it. */
  function* obey(): Activity<EntryEnd> {
    for (;;) {
      const command = commands.shift();
      if (!command) {
        yield { kind: 'firmware' };
        continue;
      }
      const { code, payload } = command;
      switch (code) {
        case kernelMessages.MSR.code: {
          const { key, valueLow, valueHigh } = decode(kernelMessages.MSR, payload);
          system.write(registerAt(key)?.name ?? '', doubleword(valueLow, valueHigh));
          break;
        }
        case kernelMessages.SYS.code: {
          const { key, operandLow, operandHigh } = decode(kernelMessages.SYS, payload);
          system.execute(key, doubleword(operandLow, operandHigh));
          break;
        }
        case kernelMessages.DSB.code:
          yield* dsb(pe);
          port.send(kernel, kernelMessages.BarrierComplete.code, []);
          break;
        case kernelMessages.Access.code: {
          const { isWrite, addressLow, addressHigh, ...rest } = decode(kernelMessages.Access, payload);
          const pa = addressLow + addressHigh * 2 ** 32;
          const { isOkay, valueLow, valueHigh } = yield { kind: 'access', isWrite: isWrite === 1, pa, ...rest };
          const fields = { isOkay: isOkay ? 1 : 0, valueLow, valueHigh };
          port.send(kernel, kernelMessages.AccessResponse.code, encode(kernelMessages.AccessResponse, fields));
          break;
        }
        case kernelMessages.ERET.code:
          return 'return';
        case kernelMessages.WFI.code:
          return 'sleep';
        default:
          assert(false, `a core in the kernel does not know message 0x${code.toString(16)}`);
      }
    }
  }

  return {
    *reset(): Activity<EntryEnd> {
      port.send(kernel, kernelMessages.Reset.code, []);
      return yield* obey();
    },
    *exception(vectorOffset): Activity<EntryEnd> {
      const isSynchronous = (vectorOffset & kindOfVector) === vector.synchronous;
      const intid = isSynchronous ? special.spurious : Number(system.read('ICC_IAR1_EL1') & intidMask);
      port.send(kernel, kernelMessages.Exception.code, [vectorOffset, intid]);
      return yield* obey();
    },
    receive: (message) => {
      if (message.source !== kernel) return false;
      commands.push(message);
      return true;
    },
  };
}
