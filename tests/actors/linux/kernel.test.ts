import { describe, expect, it } from 'vitest';
import type { Message, Port } from '../../../actors/actor.ts';
import { type EnteredCore, makeLinuxKernel } from '../../../actors/linux/kernel.ts';
import { kernelMessages } from '../../../actors/linux/messages.ts';
import { type Activity, type EntryEnd, readDevice, work } from '../../../src/arch/resident.ts';

const cores = [0, 1];
const kernelId = 9;
const vector = 0x400;

/** A kernel of two cores, whose entries do this, and what it tells them. */
function kernelOf(exception: (index: number, core: EnteredCore) => Activity<EntryEnd>) {
  const told: string[] = [];
  const timers: number[] = [];
  const nameOf = (code: number): string =>
    Object.entries(kernelMessages).find(([, row]) => row.code === code)?.[0] ?? '';
  const port: Port = {
    self: kernelId,
    now: () => 0,
    send: (target, code) => told.push(`${nameOf(code)} to ${target}`),
    at: (_ticks, tag) => timers.push(tag),
    cancel: () => undefined,
  };
  const kernel = makeLinuxKernel(port, {
    cores,
    software: (index, core) => ({
      reset: () => exception(index, core),
      exception: () => exception(index, core),
    }),
  });
  const send = (source: number, name: keyof typeof kernelMessages, payload: number[] = []): void => {
    const message: Message = {
      code: kernelMessages[name].code,
      source,
      target: kernelId,
      sequence: 1,
      dueTicks: 0,
      payload,
    };
    kernel.receive(message);
  };
  return { kernel, told, timers, send };
}

describe('the kernel of the Linux ABI as an actor', () => {
  it('gives commands in the order of what the entry does, and ends it with ERET or WFI', () => {
    const { told, send } = kernelOf(function* (index, { system }) {
      system.write('TTBR0_EL1', 1n);
      yield* work(100);
      system.write('CNTV_CTL_EL0', 0n);
      return index === 0 ? 'return' : 'sleep';
    });
    send(0, 'Exception', [vector, 1023]);
    send(1, 'Reset');
    expect(told).toEqual(['MSR to 0', 'MSR to 0', 'ERET to 0', 'MSR to 1', 'MSR to 1', 'WFI to 1']);
  });

  it('waits for a barrier only where TLB maintenance is under way, and has the interrupt once', () => {
    const intids: number[] = [];
    const { told, send } = kernelOf(function* (_index, { system, acknowledge, isBarrierComplete }) {
      intids.push(acknowledge(), acknowledge());
      expect(isBarrierComplete()).toBe(true);
      system.execute(0, 0n);
      while (!isBarrierComplete()) yield { kind: 'barrier' };
      return 'return';
    });
    send(0, 'Exception', [vector, 27]);
    expect(told).toEqual(['SYS to 0', 'DSB to 0']);
    send(0, 'BarrierComplete');
    expect(told.at(-1)).toBe('ERET to 0');
    expect(intids).toEqual([27, 1023]);
  });

  it('has devices read by the core, and gives the answer to the entry that has asked', () => {
    const answers: (number | undefined)[] = [];
    const { told, send } = kernelOf(function* () {
      answers.push(yield* readDevice(0x0800_0000, 4), yield* readDevice(0x0800_0004, 4));
      return 'return';
    });
    send(1, 'Exception', [vector, 1023]);
    send(1, 'AccessResponse', [1, 0x1234, 0]);
    send(1, 'AccessResponse', [0, 0, 0]);
    expect(told).toEqual(['Access to 1', 'Access to 1', 'ERET to 1']);
    expect(answers).toEqual([0x1234, undefined]);
  });

  it('lets another core come in while an entry waits for it', () => {
    let isThere = false;
    const { kernel, told, timers, send } = kernelOf(function* (index) {
      if (index === 1) isThere = true;
      while (!isThere) yield* work(100);
      return 'return';
    });
    send(0, 'Exception', [vector, 1023]);
    expect({ told, timers }).toEqual({ told: [], timers: [0] });
    kernel.timer(0);
    expect(timers).toEqual([0, 0]);
    send(1, 'Exception', [vector, 1023]);
    kernel.timer(0);
    expect(told).toEqual(['ERET to 1', 'ERET to 0']);
  });
});
